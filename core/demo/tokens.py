"""The demo's tokenizer: what it counts is what it streams, so its usage is exact."""

from __future__ import annotations

import re
from typing import Final

# A space belongs to the word after it, and long words come in parts, as in real vocabularies.
_TOKEN: Final = re.compile(r" ?[^\W_]{1,8}| ?[^\w\s]|\s|_")


def tokens(text: str) -> list[str]:
    """``text`` in pieces of one token each; joined they are ``text`` again."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """How many tokens ``text`` is."""
    return len(tokens(text))
