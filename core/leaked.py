"""Keys that stand in ``warden.toml``: where each could go instead, and the edit that takes it out.

The value goes to the vault first. The file is edited when it is there, so that nothing is lost
where a keyring does not work; and every diff that is shown has these values masked.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import unquote

from core.errors import Fault, KeyProblem, UsageProblem
from core.keys.environment import own_variables, stored_variable
from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.providers.key_forms import looks_secret, may_be_key, without_keys
from core.providers.names import env_stem
from core.providers.url_keys import (
    address_keys,
    path_keys,
    query_keys,
    shown_address,
    without_path_keys,
    without_query_keys,
)
from core.warden.difference import diff
from core.warden.keys_edit import dotted, set_key, unset_key
from core.warden.secrets import (
    bare_address,
    login_in,
    loose_keys,
    loose_values,
    movable,
    pieces,
    secret_paths,
)
from core.warden.values import value_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.keys.place import Place
    from core.keys.vault import Vault
    from core.warden.document import Document
    from core.warden.scan import KeyPath

_BEARER: Final = re.compile(r"Bearer\s+(\S+)")
_TELLING: Final = 8
"""Characters of a piece of a key that are worth masking; a shorter one may be any word."""


@dataclass(frozen=True, slots=True)
class Leak:
    """One key in the file."""

    path: KeyPath
    way: Literal["remove", "reference", "login", "query", "path", "none"]
    """Its line is removed, or its value becomes ``$VARIABLE``; ``login``: a URL loses its user and
    password, which a header sends from then on, unless it is the provider's key; ``query``: a URL
    loses the parameter, and its value becomes the provider's key; ``path``: so with a part of its
    path; ``none``: nobody knows its use."""
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
        left = {
            "remove": "its line leaves",
            "reference": f"the line says ${self.variable}",
            "login": "the address stays without it",
            "query": "the address stays without it, and it is sent as the provider's key",
            "path": "the address stays without it, and it is sent as the provider's key (a server "
            "that wants it in the path takes no other: x tries it)",
        }[self.way]
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
        where = without_keys(dotted(leak.path))
        what = f"turnkey does not know what the key at {where} is for."
        raise KeyProblem(Fault("keyring", what, "It belongs to no provider.", leak.says))
    edited = taken_out(document, leak)  # before the keyring: what cannot be edited is not stored
    place = vault.store(leak.variable, leak.origin, _secret(document, leak))
    if place.kind == "memory":
        trouble = place.fault
        why = "" if trouble is None else trouble.what
        fix = "" if trouble is None else trouble.fix
        what = "The key stays in the file: no keyring took it."
        raise KeyProblem(Fault("keyring", what, why, fix or "Set up a keyring, then repeat."))
    return edited, place


def taken_out(document: Document, leak: Leak) -> Document:
    """The file without the key, as :func:`move` leaves it; nothing is stored.

    ConfigProblem where the file cannot be edited so, KeyProblem as in :func:`move`.
    """
    if leak.way == "reference":
        return set_key(document, leak.path, f"${leak.variable}")
    if leak.way == "remove":
        return unset_key(document, leak.path)
    if leak.way == "none":
        raise KeyProblem(Fault("keyring", "The use of this key is not known.", "", leak.says))
    url = str(value_at(document.data(), leak.path))
    if leak.way == "query":
        return set_key(document, leak.path, without_query_keys(url))
    if leak.way == "path":
        return set_key(document, leak.path, without_path_keys(url))
    document = set_key(document, leak.path, bare_address(url))
    if leak.variable.endswith("_AUTHORIZATION"):
        header = (*leak.path[:-1], "headers", "Authorization")
        document = set_key(document, header, f"${leak.variable}")
    return document


class Mask:
    """Hides keys in whatever is shown: those of the documents, and all that has a key's form."""

    def __init__(self, *documents: Document) -> None:
        found = dict.fromkeys(value for document in documents for value in _values(document))
        longest = sorted(found, key=len, reverse=True)  # a key may hold a shorter one
        self._secrets = [Secret(value) for value in longest]

    def text(self, text: str) -> str:
        """``text`` without keys, and without the passwords of its addresses."""
        for secret in self._secrets:
            text = secret.redact(text)
        return shown_address(text)

    def data(self, value: object) -> object:
        """JSON data (mappings, lists, scalars) with every text and every name in it masked."""
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.data(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(entry) for entry in value]
        return self.text(value) if isinstance(value, str) else value


def masked(text: str, *documents: Document) -> str:
    """``text`` without anything that has a key's form, and without the keys of the documents."""
    return Mask(*documents).text(text)


def masked_data(value: object, *documents: Document) -> object:
    """JSON data (mappings, lists, scalars) with every text in it :func:`masked`."""
    return Mask(*documents).data(value)


def masked_diff(before: Document, after: Document) -> str:
    """The unified diff of two versions of a file, without the values of keys in them."""
    return masked(diff(before.raw, after.raw, after.path.name), before, after)


def holds_keys(document: Document) -> bool:
    """Whether any key stands in the file, be it in a comment."""
    return any(True for _ in secret_paths(document.data())) or bool(loose_keys(document))


def _values(document: Document) -> Iterator[str]:
    """What to mask: the values of keys, as they mean and as they are written."""
    data = document.data()
    for path in secret_paths(data):
        value = value_at(data, path)
        if isinstance(path[-1], str) and looks_secret(path[-1]):
            yield from _spelled(path[-1])
        if not isinstance(value, str):
            continue
        parts = pieces(value)
        if parts:
            yield from (*parts, *map(unquote, parts))
            continue
        yield value
        yield from (part for part in value.split() if len(part) >= _TELLING)
        spot = document.layout.spots.get(path)
        if spot is not None and spot.value is not None:
            lines = document.text[spot.value.start : spot.value.end].strip("\"'").splitlines()
            yield from (line.strip() for line in lines if len(line.strip()) >= _TELLING)
    yield from loose_values(document)


def _spelled(name: str) -> Iterator[str]:
    """A key that stands where a name belongs, in every form that names are given."""
    yield from (name, name.upper(), name.lower(), env_stem(name))


def _leak(document: Document, path: KeyPath, taken: set[str]) -> Leak:
    nothing = Leak(path, "none")
    if not movable(path):
        return nothing
    provider = document.config().provider(str(path[2]))
    value = value_at(document.data(), path)
    if provider is None or not isinstance(value, str):
        return nothing
    try:
        address = without_path_keys(re.split(r"[?#]", bare_address(provider.base_url))[0])
        origin = read_base_url(address, exact=True).origin
    except UsageProblem:
        return nothing
    named = provider.api_key_env
    if named is not None and may_be_key(named):
        named = None
    key = stored_variable(provider.name, named)
    if path[3] == "baseUrl":
        return _leaked_login(document, path, value, key, origin, taken)
    if len(path) == 4:
        return Leak(
            path, "remove", own_variables(provider.name)[0] if named is None else key, origin
        )
    header = str(path[4])
    bearer = _BEARER.fullmatch(value.strip()) is not None
    if header.lower() == "authorization" and bearer and key not in taken:
        return Leak(path, "remove", key, origin, bearer=True)
    stem = f"WARDEN_{env_stem(provider.name)}_{env_stem(header)}"
    # Never the provider's own key, and no name twice: one value would take the other's place.
    mine = {key, *own_variables(provider.name), *taken}
    names = (stem, *(f"{stem}_{number}" for number in range(2, 100)))
    return Leak(path, "reference", next(one for one in names if one not in mine), origin)


def _leaked_login(
    document: Document, path: KeyPath, url: str, key: str, origin: str, taken: set[str]
) -> Leak:
    """A URL's user and password: the provider's key where it is one, else Basic authentication.

    Pi sends an ``Authorization`` header of the provider's own instead of the key.
    """
    if address_keys(url):
        if login_in(url) is not None or len(address_keys(url)) != 1 or key in taken:
            return Leak(path, "none")
        return Leak(path, "query" if query_keys(url) else "path", key, origin)
    if _key_of_login(url) is not None and key not in taken:
        return Leak(path, "login", key, origin)
    name = str(path[2])
    headers = value_at(document.data(), (*path[:-1], "headers"))
    variable = f"WARDEN_{env_stem(name)}_AUTHORIZATION"
    own = {one.lower() for one in headers} if isinstance(headers, dict) else set()
    if login_in(url) is None or "authorization" in own or variable in taken:
        return Leak(path, "none")
    return Leak(path, "login", variable, origin)


def _key_of_login(url: str) -> str | None:
    """The key that stands in a URL as its user or its password, or None."""
    login = login_in(url)
    if login is None:
        return None
    user, password = map(unquote, login)
    if looks_secret(password) or (password and not user):
        return password
    return user if looks_secret(user) or not password else None


def _secret(document: Document, leak: Leak) -> Secret:
    value = str(value_at(document.data(), leak.path)).strip()
    if leak.way == "login":
        key = _key_of_login(value)
        if key is not None and not leak.variable.endswith("_AUTHORIZATION"):
            return Secret(key)
        user, password = map(unquote, login_in(value) or ("", ""))
        coded = base64.b64encode(f"{user}:{password}".encode()).decode()
        return Secret(f"Basic {coded}")
    if leak.way == "query":
        return Secret(unquote(query_keys(value)[0]))
    if leak.way == "path":
        return Secret(unquote(path_keys(value)[0]))
    found = _BEARER.fullmatch(value) if leak.bearer else None
    return Secret(found[1] if found else value)
