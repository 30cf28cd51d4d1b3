"""What a key looks like, so that one which stands where a name belongs is never shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RUN: Final = re.compile(r"[A-Za-z0-9]{16,}")
_DIGITS: Final = 3
_LONG: Final = 16
_OPAQUE: Final = re.compile(r"[A-Za-z0-9]{32,}")
_SHOWN: Final = "••••••••"


def looks_secret(text: str) -> bool:
    """True when the text has the form of a key that some service hands out."""
    return _LOOKS.search(text) is not None


def is_opaque(text: str) -> bool:
    """True when a long run of letters and digits stands in the text: how random keys look.

    So does a commit's hash: ask it only of what is no reference to a version.
    """
    return any(
        sum(character.isdigit() for character in run) >= _DIGITS and not run.isdigit()
        for run in _OPAQUE.findall(text)
    )


def is_mixed(text: str) -> bool:
    """True when an opaque run has small letters and capitals: no hash of a version has both.

    Ask it of a model's id, where a hash in hexadecimal digits is a name that servers do give.
    """
    return any(
        run.lower() != run != run.upper() and is_opaque(run) for run in _OPAQUE.findall(text)
    )


def key_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of everything in ``text`` that has the form of a key of some service."""
    return (found.span() for found in _LOOKS.finditer(text))


def without_keys(text: str) -> str:
    """``text`` with everything in it masked that has the form of a key of some service."""
    return _LOOKS.sub(_SHOWN, text)


def shown_selector(selector: str) -> str:
    """A selector as it may be shown: a key that stands in its place is masked."""
    provider, slash, model = selector.partition("/")
    if not slash and is_opaque(selector):
        return _SHOWN
    if is_mixed(model):
        return f"{without_keys(provider)}/{_SHOWN}"
    return without_keys(selector)


def is_variable_name(text: str) -> bool:
    """True for what every shell can export, unless it rather looks like a key.

    A long run of letters and digits mixed is how random keys look, and no name.
    """
    if _NAME.fullmatch(text) is None or looks_secret(text):
        return False
    return not any(
        sum(character.isdigit() for character in run) >= _DIGITS for run in _RUN.findall(text)
    )


def may_be_key(text: str) -> bool:
    """True for what stands where a variable's name belongs, and may be a key instead."""
    return looks_secret(text) or (len(text) >= _LONG and not is_variable_name(text))
