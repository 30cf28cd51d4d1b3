"""Text from outside, made safe to show: a server's words are data, never escape sequences."""

from __future__ import annotations

import re
import unicodedata

_LOGIN = re.compile(r"(?<=:)//[^/@\s\"']*@")
_KEPT = {"\n", "\t"}
_TO_JUDGE = re.compile(r"[^\n\t\x20-\x7e]")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Joiners inside emoji and the scripts that need them; alone they cannot move a cursor.
_HARMLESS = {"\u200c", "\u200d"}


def visible(text: str) -> str:
    r"""``text`` with control, format and unassigned characters written out: ``\x1b``, ``\u202e``.

    Line feeds and tabs stay; a carriage return before a line feed goes away.
    """
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return _TO_JUDGE.sub(lambda found: _shown(found[0]), text)


def one_line(text: str, limit: int = 300) -> str:
    """``visible(text)`` on one line, cut after ``limit`` characters with an ellipsis."""
    shown = " ".join(visible(text).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def without_login(text: str) -> str:
    """``text`` with the user and password of every URL in it masked."""
    return _LOGIN.sub("//••••@", text)


def shell_word(text: str) -> str:
    """``text`` as one word of a command that a person copies into a shell, quoted where needed."""
    import shlex

    return shlex.quote(text)


def _shown(character: str) -> str:
    if character in _KEPT or character in _HARMLESS:
        return character
    if unicodedata.category(character) not in _HIDDEN:
        return character
    point = ord(character)
    if point <= 0xFF:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"
