"""Where a key is kept, and why it is not kept elsewhere, in words for the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.errors import Fault
from core.keys.backends import BackendError, Surroundings, Trouble, advice
from core.keys.environment import own_variables
from core.text import one_line, shell_word

if TYPE_CHECKING:
    from collections.abc import Collection

KEY_VARIABLE: Final = "the key's variable"
"""Stands for the variable's name where none is known."""

NOT_MOVED: Final = Fault("keyring", "The key could not be stored anew; it is where it was.")

NOTHING_STORED: Final[frozenset[Trouble]] = frozenset({"missing", "refused", "unready"})
"""Troubles of a keyring that cannot hold any key of turnkey's."""

UNANSWERED: Final[frozenset[Trouble]] = frozenset({"slow", "stopped"})
"""Troubles after which a keyring may do what it was asked for all the same."""

_SHORT: Final[dict[Trouble, str]] = {
    "missing": "no keyring here",
    "locked": "{name} is locked",
    "slow": "{name} does not answer",
    "failing": "{name} answers with an error",
    "unready": "{name} has no keyring made yet",
    "refused": "the keyring here would not keep it safe",
    "stopped": "the wait for {name} was ended",
}
_WHY: Final[dict[Trouble, str]] = {
    "missing": "Keys are kept in the system's keyring, and in no file.",
    "slow": "It may be waiting for an answer on a screen, or hang.",
    "unready": "Nobody can be asked for the password of a new one here.",
}


class Place(msgspec.Struct, frozen=True):
    """Where a key is, or would go."""

    kind: Literal["keyring", "memory"]
    name: str
    """The keyring's name for a person; «memory»."""
    words: str
    """For the screen: «goes to Secret Service», «kept for this run only: no keyring here»."""
    fault: Fault | None = None
    """Why it is memory, with what to do on this platform; or what else did not work."""

    def for_origin(self, origin: str) -> str:
        """The words with the binding: «goes to Secret Service, only for http://gw:4000»."""
        return f"{self.words}, only for {origin}" if self.kind == "keyring" else self.words


def trouble_fault(trouble: BackendError, here: Surroundings, variable: str = KEY_VARIABLE) -> Fault:
    """A keyring's trouble as a fault, with what to do on this platform."""
    fix = advice(trouble.kind, here, variable)
    return Fault("keyring", trouble.words, _WHY.get(trouble.kind, ""), fix)


def memory_place(trouble: BackendError, name: str, fault: Fault) -> Place:
    """Memory as the place of a key that the keyring called ``name`` did not take."""
    short = _SHORT[trouble.kind].format(name=name)
    short = short[0].lower() + short[1:] if short.startswith("The ") else short
    return Place("memory", "memory", f"kept for this run only: {short}", fault)


def maybe_stored(fault: Fault | None) -> Fault | None:
    """The fault of a key that was handed to a keyring which did not answer."""
    if fault is None:
        return None
    late = "It may have taken the key all the same: «turnkey keys delete NAME» takes it out then."
    return Fault(fault.code, fault.what, f"{fault.why} {late}".strip(), fault.fix)


def unseen(fault: Fault, variable: str, origin: str) -> Fault:
    """The fault for a keyring that cannot be read, where no list says whether it has the key."""
    why = f"Whether it has the key {variable} for {origin} cannot be seen. {fault.why}".strip()
    return Fault(fault.code, fault.what, why, fault.fix)


def unremembered(variable: str, origin: str, fault: Fault) -> Fault:
    """The fault for an environment's key while the list of keys cannot be read or written.

    Then nobody knows, or could remember, which origin the key belongs to: it is not sent.
    """
    return Fault(
        "keyring",
        f"The key in {variable} is not sent: where it may go cannot be looked up or remembered.",
        f"{fault.what} {fault.why}",
        f"{fault.fix} Or name the endpoint yourself, for one command: "
        f"--url {origin} --key-env {variable}",
    )


def bound_elsewhere(
    variable: str, origin: str, elsewhere: Collection[str], provider: str = "NAME"
) -> Fault:
    """The fault for a key that belongs to other origins than the one it is wanted for."""
    return Fault(
        "key_bound_elsewhere",
        f"The key {variable} is bound to {', '.join(elsewhere)}, not to {origin}.",
        "A key is sent only to the origin it was given for; the base URL is another one now.",
        f"If {origin} may have it, run «{rebind_command(provider, variable)}».",
    )


def rebind_command(provider: str, variable: str) -> str:
    """The command that agrees to ``variable`` for the provider's origin.

    One that is not the provider's by its name may be a header's as well as the key's: it is named.
    """
    command = f"turnkey keys rebind {shell_word(one_line(provider, 60))}"
    own = variable in own_variables(provider) or provider == "NAME"
    return command if own else f"{command} --variable {shell_word(one_line(variable, 80))}"
