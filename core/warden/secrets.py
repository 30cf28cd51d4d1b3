"""Keys that someone put into the file: found by their look and by their names, never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

_LOOKS: Final = re.compile(
    r"""
    \b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}            # OpenAI, Anthropic, LiteLLM, OpenRouter
    | \b(?:ghp|gho|ghs|ghu|ghr)_[A-Za-z0-9]{30,} # GitHub
    | \bgithub_pat_[A-Za-z0-9_]{40,}
    | \bglpat-[A-Za-z0-9_-]{16,}                 # GitLab
    | \bxox[abprs]-[A-Za-z0-9-]{10,}             # Slack
    | \bgsk_[A-Za-z0-9]{20,}                     # Groq
    | \bhf_[A-Za-z0-9]{20,}                      # Hugging Face
    | \bnvapi-[A-Za-z0-9_-]{20,}
    | \bxai-[A-Za-z0-9]{20,}
    | \bAIza[A-Za-z0-9_-]{30,}                   # Google
    | \bAKIA[A-Z0-9]{16}\b                       # AWS
    | \beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+
    | \b(?:Bearer|Basic)\s+(?!\$)[A-Za-z0-9._~+/=-]{12,}
    """,
    re.VERBOSE,
)
_SECRET_NAME: Final = re.compile(
    r"(?:^|[_.-])(?:api[_-]?key|apikey|access[_-]?token|auth[_-]?token|token|secret|password|"
    r"passwd|authorization|x-api-key)$",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def looks_secret(text: str) -> bool:
    """True when the text has the form of a key that some service hands out."""
    return _LOOKS.search(text) is not None


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
            yield from _search(entry, (*path, key), named=is_secret_name(key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _search(entry, (*path, index), named=named)
    elif isinstance(value, str):
        literal = len(value) >= 8 and not value.startswith("!") and "$" not in value
        if looks_secret(value) or (named and literal):
            yield path
