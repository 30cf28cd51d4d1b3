"""Where each key of a child's environment would be carried: by which file, to which origin.

Warden and Pi read more than what somebody chose: every provider of every layer, the headers'
variables, Pi's ``models.json`` and some variables of their own; and Warden copies
``WARDEN_<X>_API_KEY`` to ``<X>_API_KEY`` first. All of it is decided on the environment that the
child will have. Upstream: getsentry/warden ``sdk/runtimes/custom-provider.ts``,
``sdk/runtimes/pi.ts``, ``utils/index.ts``; pi-coding-agent ``core/resolve-config-value.ts``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from core.errors import Fault, UsageProblem
from core.keys.environment import PLACEHOLDER, key_variables, mirrored
from core.keys.headers import Variable, read_value
from core.keys.place import bound_elsewhere
from core.keys.source import environment_fault, variable_fault
from core.providers.base_url import read_base_url
from core.providers.hosted import PI_CREDENTIALS
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from core.keys.environment import Variant
    from core.keys.vault import Vault
    from core.warden.config import Provider

_OVERRIDE: Final = re.compile(r"WARDEN_(.+)_(BASE_URL|HEADERS)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reader:
    """Something that sends the values of variables to one origin."""

    name: str
    """The provider's name."""
    where: str
    """The place for a person: «header X of evil in warden.toml»."""
    origin: str
    variables: tuple[str, ...]
    """All of them are sent; each counts when it is set."""
    header: bool = False
    """A header may name any variable; a key's place is checked by the provider's own rules."""
    own: bool = False
    """In the person's own set-up, where only keys that turnkey knows of are looked at."""


class Handed(msgspec.Struct, frozen=True):
    """A variable that is handed to the child, and where its key belongs."""

    origins: tuple[str, ...]
    stored: bool
    """Out of the keyring or memory: bound to these origins alone. Else of this environment."""


def provider_readers(
    providers: Iterable[Provider], file: str, variant: Variant, child: Mapping[str, str]
) -> Iterator[Reader | Fault]:
    """What the providers of one file read; a fault for a header that is a command.

    ``child``: the environment that the child is started with. Raises UsageProblem where a base
    URL cannot be meant.
    """
    seen = mirrored(child)
    for provider in providers:
        origin = read_base_url(provider.base_url, exact=True).origin
        of = f"{one_line(provider.name, 60)} in {one_line(file, 200)}"
        names = key_variables(provider.name, provider.api_key_env, variant)
        first = next((name for name in names if seen.get(name)), None)
        if first is not None:
            yield Reader(provider.name, f"provider {of}", origin, (first,))
        for header, value in provider.headers.items():
            shown = one_line(header, 60)
            if value.startswith("!"):
                what = f"The header {shown} of {of} is a command, which turnkey never runs."
                why = "Warden's engine would run it for each request, with the keys at hand."
                fix = "Put the value into a variable and write «$NAME»."
                yield Fault("key_refused", what, why, fix)
                continue
            filled = variables_of(value, seen)
            if filled:
                where = f"header {shown} of {of}"
                yield Reader(provider.name, where, origin, filled, header=True)


def variables_of(value: str, seen: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that Pi fills into a value; a value that *is* a set variable's name counts."""
    if seen.get(value):
        return (value,)
    return tuple(
        dict.fromkeys(
            piece.name for piece in read_value(value, seen) or () if isinstance(piece, Variable)
        )
    )


def pi_readers(models: object, file: str, child: Mapping[str, str]) -> tuple[Reader, ...]:
    """What stock Warden's engine reads beside ``warden.toml``.

    ``models``: what Pi's ``models.json`` holds (None: there is none). Besides that file,
    ``WARDEN_<PROVIDER>_BASE_URL`` and ``WARDEN_<PROVIDER>_HEADERS`` count, where ``<PROVIDER>`` is
    the provider's id in capitals. A provider's keys count for each address that it names.
    """
    seen = mirrored(child)
    listed = _table(_table(models).get("providers"))
    moved, added = _overrides(child)
    found: list[Reader] = []
    for name, raw in listed.items():
        entry = _table(raw)
        of = f"{one_line(name, 60)} in {one_line(file, 200)}"
        origins, values = _addresses(entry), _values(entry)
        where = f"provider {of}"
        if name.upper() in moved:
            variable, url = moved[name.upper()]
            origins, where = (_origin(url),), f"{variable}, for {of}"
        variables = {one: None for value in values for one in variables_of(value, seen)}
        variables |= {one: None for group in PI_CREDENTIALS.get(name, ()) for one in group}
        found += [
            Reader(name, where, origin, tuple(variables), own=True)
            for origin in origins
            if variables
        ]
    known = {name.upper(): _addresses(_table(raw)) for name, raw in listed.items()}
    for stem, (variable, url) in moved.items():
        if stem not in known:
            found.append(Reader(stem.lower(), variable, _origin(url), _usual(stem), own=True))
    for stem, (variable, text) in added.items():
        to = (_origin(moved[stem][1]),) if stem in moved else known.get(stem, ())
        texts = [one for one in _decoded(text).values() if isinstance(one, str)]
        filled = {one: None for value in texts for one in variables_of(value, seen)}
        for origin in to or (f"the hosted provider {one_line(stem.lower(), 60)}",):
            if filled:
                found.append(Reader(stem.lower(), variable, origin, tuple(filled), own=True))
    return tuple(found)


def carried_away(
    readers: Iterable[Reader],
    child: Mapping[str, str],
    handed: Mapping[str, Handed],
    vault: Vault,
) -> Fault | None:
    """Why a key must not be handed out: a reader would carry one where it does not belong."""
    seen = mirrored(child)
    for reader in readers:
        for variable in reader.variables:
            fault = variable_fault(variable, reader.name) if reader.header else None
            if fault is None and seen.get(variable):
                # What Warden copied is the key of the variable that it was copied from.
                source = variable if child.get(variable) else f"WARDEN_{variable}"
                fault = _fault(reader, variable, source, child[source], handed.get(source), vault)
            if fault is not None:
                return fault
    return None


def _fault(
    reader: Reader, variable: str, source: str, value: str, given: Handed | None, vault: Vault
) -> Fault | None:
    if value == PLACEHOLDER or (given is not None and reader.origin in given.origins):
        return None
    if reader.own and given is None and not (vault.sent_to(source) or vault.stored_for(source)):
        return None
    if given is not None and given.stored:
        fault: Fault | None = bound_elsewhere(source, reader.origin, given.origins, reader.name)
    else:
        fault = environment_fault(source, reader.name, reader.origin, vault)
    if fault is None or fault.code != "key_bound_elsewhere":
        return fault
    as_what = "" if variable == source else f" as {one_line(variable, 60)}"
    return Fault(
        fault.code,
        fault.what,
        f"It would be sent there{as_what}: {reader.where}. {fault.why}",
        f"{fault.fix} Or take that out, or do not name the provider the key belongs to.",
    )


def _overrides(
    env: Mapping[str, str],
) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
    """Warden's own variables: addresses and headers, each (variable, value) by ``<PROVIDER>``."""
    found: dict[str, dict[str, tuple[str, str]]] = {"BASE_URL": {}, "HEADERS": {}}
    for variable, value in env.items():
        match = _OVERRIDE.fullmatch(variable)
        if match and value.strip():
            found[match[2]][match[1]] = (one_line(variable, 80), value)
    return found["BASE_URL"], found["HEADERS"]


def _usual(stem: str) -> tuple[str, ...]:
    own = [one for name, sets in PI_CREDENTIALS.items() if name.upper() == stem for one in sets]
    return tuple(dict.fromkeys((f"{stem}_API_KEY", *(one for names in own for one in names))))


def _addresses(entry: Mapping[str, object]) -> tuple[str, ...]:
    """Every origin that a provider of ``models.json`` names, for itself or for one model."""
    texts = [table.get("baseUrl") for table in (entry, *_below(entry))]
    return tuple(dict.fromkeys(_origin(text) for text in texts if isinstance(text, str)))


def _values(entry: Mapping[str, object]) -> tuple[str, ...]:
    """Every value of it that Pi resolves: the key's and all headers'."""
    found = [entry.get("apiKey")]
    for table in (entry, *_below(entry)):
        found += _table(table.get("headers")).values()
    return tuple(one for one in found if isinstance(one, str))


def _below(entry: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
    models = entry.get("models")
    listed = models if isinstance(models, list | tuple) else ()
    return tuple(map(_table, (*listed, *_table(entry.get("modelOverrides")).values())))


def _origin(text: str) -> str:
    try:
        return read_base_url(text, exact=True).origin
    except UsageProblem:
        return one_line(text.rpartition("@")[2], 200)


def _decoded(text: str) -> Mapping[str, object]:
    try:
        return _table(msgspec.json.decode(text.encode(errors="replace")))
    except msgspec.DecodeError:
        return {}


def _table(value: object) -> Mapping[str, object]:
    return {str(key): one for key, one in value.items()} if isinstance(value, dict) else {}


def origins_of(handed: Collection[tuple[str, str, bool]]) -> dict[str, Handed]:
    """By variable what (variable, origin, stored) says of all that is handed out."""
    found: dict[str, Handed] = {}
    for variable, origin, stored in handed:
        known = found.get(variable, Handed((), stored=False))
        found[variable] = Handed((*known.origins, origin), stored or known.stored)
    return found
