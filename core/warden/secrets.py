"""Keys that someone put into the file: found by their look and by their names, never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from core.providers.key_forms import looks_secret, may_be_key

_SECRET_NAME: Final = re.compile(
    r"(?:^|[_.-])(?:api[_-]?key|apikey|access[_-]?token|auth[_-]?token|token|secret|password|"
    r"passwd|authorization|x-api-key)$",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_secret_name(name: str) -> bool:
    """True when a key or header of this name holds a secret: ``apiKey``, ``Authorization``."""
    return _SECRET_NAME.search(_CAMEL.sub("_", name)) is not None


def secret_paths(data: Mapping[str, object]) -> Iterator[tuple[str | int, ...]]:
    """The path of every value that looks like a key, or stands under a name that means one.

    A header value that Pi would fill in (``$NAME``) or run (``!command``) is not a secret itself.
    """
    yield from _search(data, (), named=False)


def _search(
    value: object, path: tuple[str | int, ...], *, named: bool
) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if key == "apiKeyEnv" and isinstance(entry, str) and may_be_key(entry):
                yield (*path, key)  # a key where the name of its variable belongs
                continue
            yield from _search(entry, (*path, key), named=is_secret_name(key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _search(entry, (*path, index), named=named)
    elif isinstance(value, str):
        literal = len(value) >= 8 and not value.startswith("!") and "$" not in value
        if looks_secret(value) or (named and literal):
            yield path
