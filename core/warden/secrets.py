"""Keys that someone put into the file: found by their look and by their names, never shown.

A key may stand as a value, as the name of a key, in an address, or in a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from core.providers.key_forms import is_mixed, is_opaque, key_spans, looks_secret, may_be_key
from core.providers.url_keys import address_keys

if TYPE_CHECKING:
    from core.warden.document import Document
    from core.warden.scan import Layout, Value

Path = tuple[str | int, ...]

_SECRET_NAME: Final = re.compile(
    r"(?:^|[_.-])(?:api[_-]?key|apikey|access[_-]?token|auth[_-]?token|token|secret|password|"
    r"passwd|passphrase|authorization|x-api-key|(?:subscription|access|auth|secret|private|"
    r"functions)[_-]key)$",
    re.IGNORECASE,
)
_MAYBE_NAME: Final = re.compile(
    r"(?:^|[_.-])(?:key|auth|cookie|pwd|bearer|credentials?)$", re.IGNORECASE
)
_HARMLESS: Final = re.compile(
    r"(?:^|[_.-])(?:public|routing|route|cache|caching|partition|shard|sort|primary|foreign|"
    r"idempotency|dedup\w*|correlation|trace|object|index|group|team|project)[_-]?key$",
    re.IGNORECASE,
)
"""Names that end in «key» and open nothing."""
_SWITCHES: Final = frozenset(
    {"anonymous", "disabled", "internal", "optional", "passthrough", "required", "turnkey-no-key"}
)
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_OPTION: Final = re.compile(r"(-{1,2}[A-Za-z][\w-]*|[A-Za-z_]\w*)(?:=(.+))?", re.DOTALL)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_REFERENCE: Final = re.compile(r"\$(?:\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Za-z_][A-Za-z0-9_]*)")
_UPPER: Final = re.compile(r"\$[A-Z_][A-Z0-9_]*")
_LOGIN: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:[/\\]*(?P<user>[^/?#\s@:]*)(?P<rest>[^/?#\s]*)@"
)
_NOTED: Final = re.compile(
    r"""([A-Za-z][A-Za-z0-9_-]*)["']?[ \t]*[=:][ \t]*["']?([^\s"'#,;]{8,})"""
)
_EXAMPLE: Final = re.compile(r"your|here|example|change|x{3}|\.\.\.|[<>$]", re.IGNORECASE)
_RUN: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_SHORT: Final = 4
_LEAST: Final = 8
"""Characters that a literal under a secret's name has at least."""


def is_secret_name(name: str) -> bool:
    """True when a key or header of this name holds a secret: ``apiKey``, ``Authorization``."""
    return _SECRET_NAME.search(_CAMEL.sub("_", name)) is not None


def login_in(url: str) -> tuple[str, str] | None:
    """User and password of a URL, where it has a password or its user is a key; else None.

    A password that is a variable's name (``$NAME``) is one that somebody else fills in.
    """
    found = _LOGIN.match(url)
    if found is None:
        return None
    user, password = found["user"], found["rest"].removeprefix(":")
    if password.startswith("$") or not (password or looks_secret(user) or is_opaque(user)):
        return None
    return user, password


def bare_address(url: str) -> str:
    """The URL without user and password."""
    return re.sub(r"(?<=:)([/\\]*)[^/?#\s]*@", r"\1", url, count=1)


def secret_paths(data: Mapping[str, object]) -> Iterator[Path]:
    """The path of every value or key name that looks like a key, or is named as one.

    A header value that Pi would fill in (``$NAME``) or run (``!command``) is not a secret itself,
    but what stands beside the variable may be.
    """
    yield from _search(data, ())


def movable(path: Path) -> bool:
    """Whether turnkey knows what the key at ``path`` is for, so that it can go to the keyring."""
    named = path[-1]
    if path[:2] != ("defaults", "providers") or (isinstance(named, str) and looks_secret(named)):
        return False
    return len(path) == 4 or (len(path) == 5 and path[3] == "headers")


def _search(value: object, path: Path) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for key, entry in value.items():
            here = (*path, key)
            if key == "apiKeyEnv" and isinstance(entry, str) and may_be_key(entry):
                yield here  # a key where the name of its variable belongs
            elif isinstance(key, str) and looks_secret(key):
                yield here  # a key where a name belongs
            else:
                yield from _search(entry, here)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            if isinstance(entry, str) and _is_argument(value, index):
                yield (*path, index)
            else:
                yield from _search(entry, (*path, index))
    elif isinstance(value, str) and is_secret(value, path):
        yield path


def is_secret(value: str, path: Path) -> bool:
    """True when the text at ``path`` is a key: by its look, or by the name that it stands under."""
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    if looks_secret(value) or login_in(value) is not None or address_keys(value):
        return True
    if name == "model":
        return is_opaque(value) if "/" not in value else is_mixed(value)
    if name == "id" and "models" in path:
        return is_mixed(value)
    in_header = len(path) > 1 and path[-2] == "headers"
    if is_secret_name(name):
        return _literal(value) and not (in_header and _names_variable(value))
    split = _CAMEL.sub("_", name)
    if _MAYBE_NAME.search(split) and not _HARMLESS.search(split):
        # A header of such a name is there to open something: words can be its key as well.
        if in_header and value.lower() not in _SWITCHES and not _names_variable(value):
            return _literal(value)
        return _random(_REFERENCE.sub(" ", value))
    return in_header and not value.startswith("!") and is_opaque(value)


def _names_variable(value: str) -> bool:
    """Whether the value reads as a variable's name, which Pi puts the variable in for."""
    return _VARIABLE.fullmatch(value) is not None and not _random(value)


def _is_argument(arguments: list[object], index: int) -> bool:
    """Whether an entry of a list is a key behind its option: ``["--api-key", "..."]``, or is an
    assignment with one: ``"API_KEY=..."``."""
    entry = str(arguments[index])
    found = _OPTION.fullmatch(entry)
    if found is not None and found[2] is not None:
        return _opens(found[1]) and _literal(found[2])
    before = arguments[index - 1] if index else None
    told = _OPTION.fullmatch(before) if isinstance(before, str) else None
    if told is None or told[2] is not None or not told[1].startswith("-"):
        return False
    return _opens(told[1]) and not entry.startswith("-") and _literal(entry)


def _opens(option: str) -> bool:
    return is_secret_name(_CAMEL.sub("_", option.lstrip("-")))


def _literal(value: str) -> bool:
    """Whether a value under a secret's name is one itself, and no variable's place."""
    if value.startswith("!"):
        return False
    plain = value.replace("$$", "").replace("$!", "")
    names = [found for found in _REFERENCE.finditer(plain) if _is_reference(plain, found)]
    if not names:
        return len(value) >= _LEAST
    return _random(_REFERENCE.sub(" ", plain))


def _is_reference(text: str, found: re.Match[str]) -> bool:
    """False for what Pi fills in, but nobody meant: the end of a password as in ``pa55$word``."""
    if found[0].startswith("${") or _UPPER.fullmatch(found[0]):
        return True
    return found.start() == 0 or not text[found.start() - 1].isalnum()


def _random(text: str) -> bool:
    return any(sum(one.isdigit() for one in run) >= 3 for run in _RUN.findall(text))


def loose_keys(document: Document) -> tuple[tuple[int, int], ...]:
    """Line and column, from 1, of every key that stands in a comment."""
    if "#" not in document.text:
        return ()
    layout = document.layout
    return tuple(layout.place(start) for start, _ in _in_comments(document.text, layout))


def loose_values(document: Document) -> Iterator[str]:
    """The keys that stand in comments, to be masked."""
    if "#" in document.text:
        for start, end in _in_comments(document.text, document.layout):
            yield document.text[start:end]


def pieces(url: str) -> tuple[str, ...]:
    """What is secret in an address: user and password, and keys in its path and its query.

    Empty where the whole text is the key, or none of it.
    """
    found = [url[start:end] for start, end in address_keys(url)]
    return (*(one for one in login_in(url) or () if len(one) >= _SHORT), *found)


def _in_comments(text: str, layout: Layout) -> Iterator[tuple[int, int]]:
    for start, end in _comments(text, layout):
        comment = text[start:end]
        for first, last in key_spans(comment):
            yield start + first, start + last
        for first, last in address_keys(comment):
            yield start + first, start + last
        for note in _NOTED.finditer(comment):
            name, value = note.groups()
            digits = any(one.isdigit() for one in value)
            told = looks_secret(value) or not digits or _EXAMPLE.search(value)
            if is_secret_name(name) and not told:
                yield start + note.start(2), start + note.end(2)


def _comments(text: str, layout: Layout) -> Iterator[tuple[int, int]]:
    """Start and end of every comment: each ``#`` that is in no key and no scalar value."""
    taken: list[tuple[int, int]] = []
    for statement in layout.statements:
        taken += [(part.start, part.end) for part in statement.parts]
        if statement.value is not None:
            taken += _written(statement.value)
    at = 0
    for first, last in [*taken, (len(text), len(text))]:
        sign = text.find("#", at, first)
        while sign != -1:
            end = text.find("\n", sign, first)
            end = first if end == -1 else end
            yield sign, end
            sign = text.find("#", end, first)
        at = last


def _written(value: Value) -> Iterator[tuple[int, int]]:
    """The scalars and key names inside a value, in their order."""
    if value.kind == "scalar":
        yield value.start, value.end
    for item in value.items:
        yield from ((part.start, part.end) for part in item.parts)
        yield from _written(item.value)
