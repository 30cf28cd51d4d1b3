"""JSON in an answer, found as Warden finds it, and nothing found that Warden would not find.

Warden sends no ``response_format``: it takes the whole answer when that is JSON, else the first
stretch from an opening bracket to its closing one that parses (getsentry/warden ``sdk/haiku.ts``
``extractJson``, used by ``sdk/runtimes/pi.ts``). So fences and prose around are borne; a bracket
in the prose before can win over the answer; text that only looks like JSON is not mended.
"""

from __future__ import annotations

import json
from typing import Final, Literal

import msgspec

How = Literal["bare", "fenced", "in prose"]

_MOST_OPENINGS: Final = 400
_CLOSING: Final = {"{": "}", "[": "]"}


class Found(msgspec.Struct, frozen=True):
    """The JSON that Warden would take."""

    value: object
    how: How
    start: int
    """Where it begins in the trimmed text."""


def find_json(text: str) -> Found | None:
    """The JSON that Warden would take out of ``text``; None: it says «No JSON found»."""
    stripped = text.strip()
    whole = _parsed(stripped)
    if whole is not None:
        return Found(whole[0], "bare", 0)
    tried = 0
    for start, opener in enumerate(stripped):
        if opener not in _CLOSING:
            continue
        tried += 1
        if tried > _MOST_OPENINGS:
            return None
        end = _end(stripped, start)
        value = None if end is None else _parsed(stripped[start:end])
        if value is not None:
            before = stripped[:start].rstrip()
            return Found(value[0], "fenced" if "```" in before[-12:] else "in prose", start)
    return None


def _parsed(text: str) -> tuple[object] | None:
    if not text:
        return None
    try:
        # as strict as JSON.parse: no NaN, no Infinity
        return (json.loads(text, parse_constant=_refuse),)
    except (ValueError, RecursionError):
        return None


def _refuse(word: str) -> None:
    raise ValueError(word)


def _end(text: str, start: int) -> int | None:
    """The place after the bracket that closes the one at ``start``; None when they do not pair."""
    stack: list[str] = []
    inside = escaped = False
    for place in range(start, len(text)):
        character = text[place]
        if escaped:
            escaped = False
        elif inside:
            if character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in _CLOSING:
            stack.append(_CLOSING[character])
        elif character in "}]":
            if not stack or character != stack.pop():
                return None
            if not stack:
                return place + 1
    return None
