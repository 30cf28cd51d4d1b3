"""What a check of ``warden.toml`` finds, before its place in the file is looked up."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection

Severity = Literal["error", "warning", "note"]
Path = tuple[str | int, ...]

REFUSES: Final = "Warden refuses the whole file."
DROPS: Final = "Warden drops it without a word."
FAILS: Final = "Warden reads the file and fails when it runs."


class Finding(msgspec.Struct, frozen=True):
    """A problem before its place in the file is looked up."""

    code: str
    severity: Severity
    path: Path
    message: str
    effect: str
    suggestion: str = ""


def dotted(path: Path) -> str:
    """A path as people write it: ``skills[0].model``; odd keys in quotes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        bare = part and all(one.isascii() and (one.isalnum() or one in "-_") for one in part)
        shown = part if bare else f'"{one_line(part, 60)}"'
        text += f".{shown}" if text else shown
    return text


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known word that ``word`` was probably meant to be, or None."""
    by_fold = {one.lower().replace("_", "").replace("-", ""): one for one in known}
    folded = word.lower().replace("_", "").replace("-", "")
    if folded in by_fold and by_fold[folded] != word:
        return by_fold[folded]
    close = get_close_matches(folded, list(by_fold), n=1, cutoff=0.75)
    return by_fold[close[0]] if close and by_fold[close[0]] != word else None
