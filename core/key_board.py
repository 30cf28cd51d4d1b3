"""What the Keys screen shows and does: where each provider's key is, and where it may go.

Rows are made of the file, the environment and the list of keys; a keyring is only asked when it
is open anyway, so that looking never makes a question pop up. No row holds a value.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.carried import variables_of
from core.errors import Fault, KeyProblem, UsageProblem
from core.keys.environment import (
    key_variables,
    pi_folder,
    shown_variable,
    stored_in_pi,
    stored_variable,
)
from core.keys.hosted_keys import HostedKey, others_found
from core.keys.source import find_key, rebind_key, rebind_variable
from core.providers.base_url import read_base_url
from core.providers.hosted import is_hosted, label
from core.text import one_line, shell_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.keys.place import Place
    from core.keys.secret import Secret
    from core.keys.source import KeySource
    from core.warden.config import Provider
    from core.workspace import Workspace

State = Literal["here", "placeholder", "missing", "refused"]


class Row(msgspec.Struct, frozen=True):
    """One provider's line on the Keys screen."""

    provider: str
    variable: str
    """The variable that holds the key, or that it would leave in."""
    where: str
    """Where the key is now: «Secret Service», «environment», «nowhere»."""
    origin: str
    """Where it may go; empty where the base URL cannot be meant."""
    age: str
    """Since when it is known: «3 d»; «–» where nobody recorded it."""
    state: State
    preflight: str
    """Whether Warden's own check would pass, in words."""
    notes: tuple[str, ...] = ()
    """What else a person must know, one sentence each."""
    fault: Fault | None = None


def rows(
    workspace: Workspace, *, keyring: str | None = None, look: bool = False, now: datetime
) -> tuple[Row, ...]:
    """The providers' rows, in the order of the file. ``keyring``: its name, where it is known.

    ``look`` asks the keyring itself, which may wait and may open its question; without it the
    list of keys is taken at its word.
    """
    with workspace.vault.one_action():
        return tuple(
            _row(provider, workspace, keyring or "keyring", look=look, now=now)
            for provider in workspace.providers
        )


def _row(
    provider: Provider, workspace: Workspace, keyring: str, *, look: bool, now: datetime
) -> Row:
    try:
        source = workspace.key_source(provider, look=look)
    except UsageProblem as problem:
        variable = stored_variable(provider.name, provider.api_key_env)
        words = "the base URL cannot be meant"
        return Row(provider.name, variable, "–", "", "–", "refused", words, (), problem.fault)
    bad = source.fault is not None and source.fault.code != "key_missing"
    return Row(
        provider.name,
        source.variable,
        _where(source, workspace, keyring),
        source.origin,
        age_words(source.stored_at, now),
        _state(source, bad=bad),
        _CLAUDE_WORDS if runtimes(workspace) == {"claude"} else preflight_words(source),
        _notes(source, provider, workspace),
        source.fault,
    )


def _state(source: KeySource, *, bad: bool) -> State:
    if bad:
        return "refused"
    if source.source == "placeholder":
        return "placeholder"
    return "missing" if source.source == "none" else "here"


def _where(source: KeySource, workspace: Workspace, keyring: str) -> str:
    fault = source.fault
    if fault is not None and fault.code == "key_bound_elsewhere":
        return "bound elsewhere"
    match source.source:
        case "environment":
            return "environment"
        case "keyring":
            return keyring
        case "memory":
            typed = (source.variable, source.origin) in workspace.pending_keys
            return "typed, unsaved" if typed else "memory, this run"
        case "placeholder":
            return "placeholder"
        case _:
            return "nowhere"


_CLAUDE_WORDS: Final = "no preflight: runtime claude reads no provider"


def preflight_words(source: KeySource) -> str:
    """Whether Warden's own check, its preflight, passes here, and what makes it pass."""
    if source.preflight:
        return "preflight passes"
    if source.source == "keyring":
        return "preflight passes under turnkey run"
    if source.source == "memory":
        return "preflight fails: this turnkey alone has the key"
    return "preflight fails"


def _notes(source: KeySource, provider: Provider, workspace: Workspace) -> tuple[str, ...]:
    notes: list[str] = []
    if source.source == "environment" and source.also_in:
        others = " and ".join(
            "the keyring" if other == "keyring" else f"${other}" for other in source.also_in
        )
        notes.append(f"{others} has a key, too; ${source.variable} wins while it is set.")
    if source.source == "placeholder":
        notes.append("No key is needed on this machine; Pi is given a word that is no key.")
    if source.unasked is not None:
        notes.append(f"{source.unasked.what} {source.unasked.why} {source.unasked.fix}")
    if source.owned_by_pi:
        notes.append(f"Pi's auth.json has a key for {provider.name}, and Pi sends that one.")
    stored = workspace.vault.stored_for(stored_variable(provider.name, provider.api_key_env))
    elsewhere = [origin for origin in stored if origin != source.origin]
    if elsewhere and source.fault is None:
        notes.append(f"A key of that name is kept for {', '.join(elsewhere)} as well.")
    return tuple(one_line(note, 300) for note in notes)


_STEPS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def age_words(stored_at: str | None, now: datetime) -> str:
    """How long ago an ISO 8601 time was, in one unit: «3 d», «5 h», «2 min», «now»; else «–»."""
    if stored_at is None:
        return "–"
    try:
        then = datetime.fromisoformat(stored_at)
    except ValueError:
        return "–"
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    seconds = (now - then).total_seconds()
    for length, unit in _STEPS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return "now"


class Other(msgspec.Struct, frozen=True):
    """What opens a hosted provider here, and what it would let happen."""

    variable: str
    """The variable (or those that belong together); for ``stored`` «Pi's auth.json»."""
    provider: str
    lanes: tuple[str, ...]
    """The kinds of work that would leave for a hosted provider as the file stands."""
    stored: bool = False
    """It is in Pi's own store, which no environment withholds."""


def doors(workspace: Workspace) -> tuple[HostedKey, ...]:
    """Credentials of hosted providers in the environment or in Pi's store, of no listed provider.

    Those of Pi's store have nothing that could be ``withheld``.
    """
    listed = {
        variable
        for provider in workspace.providers
        for variable in key_variables(provider.name, provider.api_key_env, workspace.variant)
    }
    claude = "claude" in runtimes(workspace)
    return (*others_found(workspace.env, listed, claude=claude), *_stored_doors(workspace))


def runtimes(workspace: Workspace) -> frozenset[str]:
    """What the layers name as the runtime; ``pi`` where none does."""
    layers = [workspace.config] if workspace.base is None else [workspace.config, workspace.base]
    return frozenset(layer.defaults.runtime for layer in layers if layer.defaults.runtime) or (
        frozenset({"pi"})
    )


def _stored_doors(workspace: Workspace) -> tuple[HostedKey, ...]:
    home = workspace.env.get("HOME") or workspace.env.get("USERPROFILE")
    if not home:
        return ()
    stored = stored_in_pi(pi_folder(workspace.env, Path(home)) / "auth.json")
    own = {provider.name for provider in workspace.providers}
    return tuple(
        HostedKey("Pi's auth.json", label(name)) for name in sorted(stored - own) if is_hosted(name)
    )


def others(workspace: Workspace) -> tuple[Other, ...]:
    """What :func:`doors` finds, with the work that would leave as the file stands."""
    found = doors(workspace)
    if not found:
        return ()
    lanes = tuple(dict.fromkeys(escape.lane for escape in workspace.lanes().escapes))
    return tuple(Other(key.variable, key.provider, lanes, not key.withheld) for key in found)


def why_others(found: Sequence[Other]) -> Fault:
    """Why such keys matter, all of them, and what to do: for the question «why»."""
    named = ", ".join(f"{other.variable} ({other.provider})" for other in found)
    what = f"These open a hosted provider to Warden's engine: {named}."
    lanes = found[0].lanes if found else ()
    if lanes:
        why = f"As the file stands, {', '.join(lanes)} would go to a hosted provider, in silence."
    else:
        why = "Every lane is set now; one that is unset later would go there, in silence."
    fix = (
        "Write a model for every lane (l on Home), or start Warden without those keys: "
        "turnkey run --only-listed -- warden"
    )
    if any(other.stored for other in found):
        fix += ". Pi's auth.json stays: set PI_CODING_AGENT_DIR to an empty folder for that."
    return Fault("usage", what, why, fix)


def run_line(workspace: Workspace) -> str:
    """The command that starts Warden with these keys."""
    variant = " --variant stock" if workspace.variant == "stock" else ""
    withheld = " --only-listed" if others(workspace) else ""
    return f"turnkey run{variant}{withheld} -- warden"


# What is done


def set_key(workspace: Workspace, provider: Provider, secret: Secret) -> Place:
    """Keep a key for the provider's origin now: in the keyring, or for this run.

    Raises:
        KeyProblem: it cannot be sent.
        UsageProblem: the provider's base URL cannot be meant.
    """
    variable, origin = _entry(provider)
    if workspace.demo is not None:
        place = workspace.vault.remember(variable, origin, secret)
    else:
        place = workspace.vault.store(variable, origin, secret)
    workspace.pending_keys.pop((variable, origin), None)
    return place


def delete_key(workspace: Workspace, provider: Provider) -> bool:
    """Delete the provider's key for its origin; False when there was none.

    Raises:
        KeyProblem: the keyring could not be asked; nothing was deleted there.
        UsageProblem: the provider's base URL cannot be meant.
    """
    variable, origin = _entry(provider)
    deleted = workspace.vault.delete(variable, origin)
    return workspace.pending_keys.pop((variable, origin), None) is not None or deleted


def rebind(
    workspace: Workspace,
    provider: Provider,
    *,
    from_origin: str | None = None,
    variable: str | None = None,
) -> tuple[str, ...]:
    """Agree that the provider's key may go to its base URL; says what was changed.

    Keys that other providers of the file use under the same variable stay where they are.
    ``variable``: that one is meant, which a header of the provider reads.

    Raises:
        KeyProblem: there is no key to bind, or the keyring did not do it.
        UsageProblem: the base URL cannot be meant, or it is unclear which key is.
    """
    base = read_base_url(provider.base_url, exact=True)
    keys = key_variables(provider.name, provider.api_key_env)
    if variable is not None and variable not in keys:
        if variable not in of_headers(provider, workspace.env):
            raise UsageProblem(
                Fault(
                    "usage",
                    f"{shown_variable(variable)} is no variable of {one_line(provider.name, 60)}.",
                    f"Neither its key ({', '.join(keys)}) nor a header of it reads that.",
                    f"turnkey provider show {shell_word(provider.name)}",
                )
            )
        return rebind_variable(
            variable,
            provider.name,
            base,
            workspace.env,
            workspace.vault,
            from_origin=from_origin,
            keep=origins_of_others(workspace, provider, variable),
        )
    return rebind_key(
        provider.name,
        provider.api_key_env,
        base,
        workspace.env,
        workspace.vault,
        from_origin=from_origin,
        keep=origins_of_others(workspace, provider),
    )


def import_key(
    workspace: Workspace, provider: Provider, values: Mapping[str, str] | None = None
) -> tuple[str, Place]:
    """Take the key that the environment (or ``values``) has for a provider into the keyring.

    Gives the variable that it stood in, and where it went. The environment stays as it is.

    Raises:
        KeyProblem: there is none (``key_missing``), it may not go to this origin
            (``key_bound_elsewhere``), or it cannot be sent.
        UsageProblem: the provider's base URL cannot be meant.
    """
    base = read_base_url(provider.base_url, exact=True)
    found, secret = find_key(
        provider.name,
        provider.api_key_env,
        base,
        workspace.env if values is None else values,
        workspace.vault,
        variant=workspace.variant,
        look=False,
    )
    if found.source == "environment" and secret is not None:
        return found.variable, set_key(workspace, provider, secret)
    if found.fault is not None and found.source == "environment":
        raise KeyProblem(found.fault)
    names = " or ".join(key_variables(provider.name, provider.api_key_env, workspace.variant))
    raise KeyProblem(
        Fault(
            "key_missing",
            f"There is no key for «{one_line(provider.name, 60)}» to import.",
            f"{one_line(names, 200)} is not set.",
            "Set it, or type the key.",
        )
    )


def origins_of_others(
    workspace: Workspace, own: Provider, variable: str | None = None
) -> tuple[str, ...]:
    """The origins that other providers of the file use with the same variable.

    ``variable``: None is the one that the key of ``own`` is stored under.
    """
    wanted = variable or stored_variable(own.name, own.api_key_env)
    found: list[str] = []
    for provider in workspace.providers:
        if provider.name == own.name:
            continue
        try:
            other, origin = _entry(provider)
        except UsageProblem:
            continue
        if wanted == other or wanted in of_headers(provider, workspace.env):
            found.append(origin)
    return tuple(found)


def of_headers(provider: Provider, env: Mapping[str, str]) -> frozenset[str]:
    """The variables that the headers of a provider read."""
    values = provider.headers.values()
    return frozenset(one for value in values for one in variables_of(value, env))


def _entry(provider: Provider) -> tuple[str, str]:
    origin = read_base_url(provider.base_url, exact=True).origin
    return stored_variable(provider.name, provider.api_key_env), origin
