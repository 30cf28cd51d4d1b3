"""Header values of a provider: Pi's small language, of which turnkey runs nothing.

Upstream: pi-coding-agent ``resolve-config-value``. ``$NAME`` and ``${NAME}`` stand for variables,
``$$`` and ``$!`` for the signs themselves, a value that begins with ``!`` is a command, and a value
that is the name of a set variable stands for that variable (deprecated there).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from core.errors import Fault, KeyProblem
from core.keys.clean import unsendable
from core.keys.secret import Secret
from core.keys.source import allow, environment_fault, variable_fault
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.keys.bounded import Patience
    from core.keys.vault import Vault
    from core.providers.base_url import BaseUrl

_PIECE: Final = re.compile(r"\$([$!])|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)")


class Variable(msgspec.Struct, frozen=True):
    """A place in a header's value that a variable fills."""

    name: str


def read_value(value: str, env: Mapping[str, str]) -> tuple[str | Variable, ...] | None:
    """A header's value in pieces; None: it is a command, which turnkey never runs."""
    if value.startswith("!"):
        return None
    if re.fullmatch(r"[A-Z_][A-Z0-9_]*", value) and env.get(value):
        return (Variable(value),)
    pieces: list[str | Variable] = []
    end = 0
    for found in _PIECE.finditer(value):
        if found.start() > end:
            pieces.append(value[end : found.start()])
        sign, braced, bare = found.groups()
        pieces.append(sign or Variable(braced or bare))
        end = found.end()
    if end < len(value):
        pieces.append(value[end:])
    return tuple(pieces)


def resolve_headers(
    name: str,
    headers: Mapping[str, str],
    base: BaseUrl,
    env: Mapping[str, str],
    vault: Vault,
    *,
    consent: bool = False,
    record: bool = True,
    patience: Patience | None = None,
) -> tuple[dict[str, Secret | str], tuple[Fault, ...]]:
    """The headers to send to ``base``, and why some are left out.

    A value with a variable in it is a key: it comes back as :class:`Secret`, and only for an
    origin that the variable is approved for, as with any key. Values without one stay text.
    """
    ready: dict[str, Secret | str] = {}
    faults: list[Fault] = []
    for header, value in headers.items():
        shown = one_line(header, 60)
        pieces = read_value(value, env)
        if pieces is None:
            faults.append(
                Fault(
                    "key_refused",
                    f"The header {shown} is a command, which turnkey never runs.",
                    "Warden's engine would run it for each request.",
                    "Put the value into a variable and write «$NAME».",
                )
            )
            continue
        names = [piece.name for piece in pieces if isinstance(piece, Variable)]
        filled: dict[str, str] = {}
        fault: Fault | None = None
        for variable in names:
            fault, secret = _value_of(
                variable, name, base, env, vault, consent=consent, patience=patience
            )
            if fault is not None or secret is None:
                break
            filled[variable] = secret.reveal()
        text = "".join(
            filled.get(piece.name, "") if isinstance(piece, Variable) else piece for piece in pieces
        )
        fault = fault or unsendable(Secret(text), f"The header {shown}")
        if fault is not None:
            faults.append(fault)
            continue
        for variable in names if record else ():
            if env.get(variable):
                fault = allow(variable, name, base.origin, vault, consent=consent)
            if fault is not None:
                break
        if fault is not None:
            faults.append(fault)
            continue
        # Of «Bearer $TOKEN» a server may say the token alone.
        only = filled[names[0]] if len(set(names)) == 1 else ""
        ready[header] = Secret(text, only) if names else text
    return ready, tuple(faults)


def _value_of(
    variable: str,
    name: str,
    base: BaseUrl,
    env: Mapping[str, str],
    vault: Vault,
    *,
    consent: bool,
    patience: Patience | None,
) -> tuple[Fault | None, Secret | None]:
    fault = variable_fault(variable, name)
    if fault is not None:
        return fault, None
    if env.get(variable):
        fault = environment_fault(variable, name, base.origin, vault, consent=consent)
        return fault, None if fault is not None else Secret(env[variable].strip())
    try:
        stored = vault.fetch(variable, base.origin, patience, provider=name)
    except KeyProblem as problem:
        return problem.fault, None
    if stored is None:
        why = "A header of the provider needs it; without it Warden's request fails as well."
        missing = Fault("key_missing", f"{variable} is not set.", why, f"Set {variable}.")
        return missing, None
    return None, stored
