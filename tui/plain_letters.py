"""The screens in a terminal whose encoding lacks their signs: each gets a letter that is near.

One column for one column, so that the layout holds. Python itself would write ``\\u2500``.
"""

from __future__ import annotations

import codecs
from typing import Final
from unicodedata import combining, east_asian_width

NAME: Final = "turnkey-plain-letters"
"""Under which :mod:`codecs` knows it."""
_NEAR: Final = {
    "-": "─━═╌┄╸╺╴╶▔–—",
    "|": "│┃║▌▐█▎▏▊▋▍┆",
    "+": "╭╮╰╯┌┐└┘├┤┬┴┼╞╡╪✓",
    "*": "●•",
    "o": "○",
    "%": "◐",
    "!": "▲",
    "x": "✗×",
    ">": "▸→›❯",
    "<": "⏎↵←‹",
    "v": "▼▾↓",
    "^": "↑",
    ".": "·…",
    '"': "«»“”",
    "'": "‘’",
    "#": "■▆▇",
    "=": "▄▅▀",
    "_": "▁▂▃",
    ":": "░▒▓",
}
_LETTERS: Final = str.maketrans({sign: letter for letter, signs in _NEAR.items() for sign in signs})


def plain(text: str) -> str:
    """``text`` in ASCII, in as many columns; what nothing is near to becomes question marks."""
    return "".join(letter if letter.isascii() else _unknown(letter) for letter in _near(text))


def _near(text: str) -> str:
    return text.translate(_LETTERS)


def _unknown(letter: str) -> str:
    if combining(letter):
        return ""
    return "??" if east_asian_width(letter) in "WF" else "?"


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain(error.object[error.start : error.end]), error.end


def draw_with_plain_letters(stream: object) -> None:
    """Let ``stream`` replace what its encoding lacks; one that knows all letters is left alone."""
    encoding = str(getattr(stream, "encoding", "") or "").lower().replace("-", "")
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None and encoding != "utf8":
        codecs.register_error(NAME, _replace)
        reconfigure(errors=NAME)
