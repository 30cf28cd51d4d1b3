"""Keys that stand in ``warden.toml``: where each could go instead, and the edit that takes it out.

The value goes to the vault first. The file is edited when it is there, so that nothing is lost
where a keyring does not work; and every diff that is shown has these values masked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from core.errors import Fault, KeyProblem, UsageProblem
from core.keys.environment import own_variables, stored_variable
from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.providers.key_forms import may_be_key
from core.providers.names import env_stem
from core.text import without_login
from core.warden.difference import diff
from core.warden.keys_edit import dotted, set_key, unset_key
from core.warden.secrets import secret_paths
from core.warden.values import value_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.keys.place import Place
    from core.keys.vault import Vault
    from core.warden.document import Document
    from core.warden.scan import KeyPath

_BEARER: Final = re.compile(r"Bearer\s+(\S+)")
_BLOCK: Final = ("defaults", "providers")


@dataclass(frozen=True, slots=True)
class Leak:
    """One key in the file."""

    path: KeyPath
    way: Literal["remove", "reference", "none"]
    """Its line is removed, or its value becomes ``$VARIABLE``; ``none``: nobody knows its use."""
    variable: str = ""
    """What the keyring files it under."""
    origin: str = ""
    """The only address that it may go to then."""
    bearer: bool = False
    """The value is «Bearer KEY», and the key alone is kept."""

    @property
    def says(self) -> str:
        """What would be done, as an instruction."""
        if self.way == "none":
            return "Take it out of the file by hand: turnkey does not know what it is for."
        left = "its line leaves" if self.way == "remove" else f"the line says ${self.variable}"
        return f"Move it to the keyring as {self.variable}, only for {self.origin}; {left}."


def leaks(document: Document) -> tuple[Leak, ...]:
    """Every key in the file, with where it could go."""
    taken: set[str] = set()
    found: list[Leak] = []
    for path in secret_paths(document.data()):
        leak = _leak(document, path, taken)
        if leak.variable:
            taken.add(leak.variable)
        found.append(leak)
    return tuple(found)


def move(document: Document, leak: Leak, vault: Vault) -> tuple[Document, Place]:
    """Put one key into the keyring, then take it out of the file; the edit is pending then.

    Raises:
        KeyProblem: no keyring took it (the file keeps it, and so nothing is lost), or its use is
            not known.
        ConfigProblem: the file cannot be edited so.
    """
    if leak.way == "none":
        what = f"turnkey does not know what the key at {dotted(leak.path)} is for."
        raise KeyProblem(Fault("keyring", what, "It belongs to no provider.", leak.says))
    edited = _edited(document, leak)  # before the keyring: what cannot be edited is not stored
    place = vault.store(leak.variable, leak.origin, _secret(document, leak))
    if place.kind == "memory":
        trouble = place.fault
        why = "" if trouble is None else trouble.what
        fix = "" if trouble is None else trouble.fix
        what = "The key stays in the file: no keyring took it."
        raise KeyProblem(Fault("keyring", what, why, fix or "Set up a keyring, then repeat."))
    return edited, place


def masked(text: str, *documents: Document) -> str:
    """``text`` without the values of keys that any of the documents has."""
    for document in documents:
        for value in _values(document):
            text = Secret(value).redact(text)
    return text


def masked_diff(before: Document, after: Document) -> str:
    """The unified diff of two versions of a file, without the values of keys in them."""
    return without_login(masked(diff(before.raw, after.raw, after.path.name), before, after))


def holds_keys(document: Document) -> bool:
    """Whether any key stands in the file."""
    return any(True for _ in secret_paths(document.data()))


def _values(document: Document) -> Iterator[str]:
    data = document.data()
    for path in secret_paths(data):
        value = value_at(data, path)
        if isinstance(value, str):
            yield value
            yield from (part for part in value.split() if len(part) >= 8)


def _leak(document: Document, path: KeyPath, taken: set[str]) -> Leak:
    nothing = Leak(path, "none")
    if path[:2] != _BLOCK or len(path) < 4:
        return nothing
    provider = document.config().provider(str(path[2]))
    value = value_at(document.data(), path)
    if provider is None or not isinstance(value, str):
        return nothing
    try:
        origin = read_base_url(provider.base_url, exact=True).origin
    except UsageProblem:
        return nothing
    named = provider.api_key_env
    if named is not None and may_be_key(named):
        named = None
    key = stored_variable(provider.name, named)
    if len(path) == 4 and path[3] != "baseUrl":
        return Leak(
            path, "remove", own_variables(provider.name)[0] if named is None else key, origin
        )
    if path[3] != "headers" or len(path) != 5:
        return nothing
    header = str(path[4])
    bearer = _BEARER.fullmatch(value.strip()) is not None
    if header.lower() == "authorization" and bearer and key not in taken:
        return Leak(path, "remove", key, origin, bearer=True)
    stem = f"WARDEN_{env_stem(provider.name)}_{env_stem(header)}"
    # Never the provider's own key, and no name twice: one value would take the other's place.
    mine = {key, *own_variables(provider.name), *taken}
    names = (stem, *(f"{stem}_{number}" for number in range(2, 100)))
    return Leak(path, "reference", next(one for one in names if one not in mine), origin)


def _secret(document: Document, leak: Leak) -> Secret:
    value = str(value_at(document.data(), leak.path)).strip()
    found = _BEARER.fullmatch(value) if leak.bearer else None
    return Secret(found[1] if found else value)


def _edited(document: Document, leak: Leak) -> Document:
    if leak.way == "reference":
        return set_key(document, leak.path, f"${leak.variable}")
    return unset_key(document, leak.path)
