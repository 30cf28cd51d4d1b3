"""Keys as people paste them, made fit to send: surroundings cut, unsendable ones refused.

A key travels in an HTTP header, so it has to be printable ASCII. What is refused is told by
position and character name, never by showing the key.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import msgspec

from core.errors import Fault, KeyProblem
from core.keys.secret import Secret

LONGEST: Final = 8192
"""Characters. Servers refuse headers beyond about this size."""

_EDGES: Final = " \t\r\n\f\v\u00a0\u200b\u200c\u200d\u2060\ufeff"
_QUOTES: Final = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’"}
_ASSIGNMENT: Final = re.compile(
    r"(?:export\s+|set\s+-gx\s+)?[A-Z][A-Z0-9_]*(?:KEY|TOKEN)\s*[= ]\s*"
)
_BEARER: Final = re.compile(r"(?:authorization:\s*)?bearer\s+", re.IGNORECASE)


class Cleaned(msgspec.Struct, frozen=True):
    """A key that can be sent, and what was cut off to get it, in words."""

    secret: Secret
    notes: tuple[str, ...] = ()


def clean_key(pasted: str) -> Cleaned:
    """The key in what was typed, pasted or piped in.

    Cuts surrounding spaces and line ends, one pair of quotes, a leading ``NAME=`` and a leading
    ``Bearer``, and says so; a single trailing line end, which every pipe adds, is not mentioned.

    Raises:
        KeyProblem: nothing is left (``key_missing``), or it cannot travel in a header
            (``key_refused``).
    """
    notes: list[str] = []
    text = pasted.removesuffix("\n").removesuffix("\r")
    # Each round can uncover another wrapper: «export KEY="Bearer sk-…"».
    for _ in range(6):
        before = text
        text = text.strip(_EDGES)
        if text != before:
            _note(notes, "Spaces or line ends around the key were cut off.")
        if len(text) >= 2 and _QUOTES.get(text[0]) == text[-1]:
            text = text[1:-1]
            _note(notes, "The quotes around the key were cut off.")
        for pattern, what in ((_ASSIGNMENT, "NAME="), (_BEARER, "Bearer")):
            found = pattern.match(text)
            if found and found.end() < len(text):
                text = text[found.end() :]
                _note(notes, f"«{what}» in front of the key was cut off.")
        if text == before:
            break
    if not text:
        raise KeyProblem(
            Fault("key_missing", "There is no key in what was given.", fix="Paste the key alone.")
        )
    fault = unsendable(Secret(text))
    if fault is not None:
        raise KeyProblem(fault)
    if " " in text:
        _note(notes, "The key has a space inside; was more than the key copied?")
    return Cleaned(Secret(text), tuple(notes))


def unsendable(secret: Secret, where: str = "The key") -> Fault | None:
    """Why a key cannot travel in an HTTP header, or None. ``where`` begins the sentence."""
    value = secret.reveal()
    if len(value) > LONGEST:
        return Fault(
            "key_refused",
            f"{where} is too long to send: {len(value)} characters.",
            f"Servers refuse headers longer than about {LONGEST} characters.",
            "Copy the key alone and give it again.",
        )
    for position, character in enumerate(value, start=1):
        if not " " <= character <= "~":
            return Fault(
                "key_refused",
                f"{where} cannot be sent: character {position} is {_named(character)}.",
                "A key travels in an HTTP header, which takes plain letters, digits and signs.",
                "Copy the key again, alone and on one line.",
            )
    return None


def _named(character: str) -> str:
    """A character by name, so that the message shows none of the key."""
    known = {"\n": "a line break", "\r": "a line break", "\t": "a tab", "\0": "a null character"}
    if character in known:
        return known[character]
    # A letter outside ASCII could be part of the key itself: say only what kind it is.
    if unicodedata.category(character).startswith("L"):
        return "a letter outside ASCII"
    return unicodedata.name(character, "a control character").lower()


def _note(notes: list[str], words: str) -> None:
    if words not in notes:
        notes.append(words)
