"""What a save would change, as a unified diff that is safe to show."""

from __future__ import annotations

import codecs
from difflib import unified_diff

from core.text import visible

_MARK = codecs.BOM_UTF8
_MISSING = "\\ No newline at end of file"
_RETURN = "␍"


def diff(old: bytes, new: bytes, name: str) -> str:
    """A unified diff of two versions of the file ``name``; ``""`` when they are the same.

    Carriage returns are shown as ``␍`` only where the two versions do not both have them on every
    line; a missing final newline is said as diff(1) says it. Control characters are made visible.
    """
    if old == new:
        return ""
    if old.startswith(_MARK) and new.startswith(_MARK):
        old, new = old.removeprefix(_MARK), new.removeprefix(_MARK)
    shown = not (_uniform(old) and _uniform(new) and _kind(old, new))
    before, after = _lines(old, returns=shown), _lines(new, returns=shown)
    label = visible(name)
    source = label if old else "/dev/null"
    lines: list[str] = []
    for line in unified_diff(before, after, source, label, lineterm=""):
        if line.startswith(("--- ", "+++ ")) and len(lines) < 2:
            lines.append(line)
            continue
        content, missing, _ = line.partition("\n")
        lines.append(content)
        if missing:
            lines.append(_MISSING)
    return "\n".join(lines) + "\n"


def _lines(raw: bytes, *, returns: bool) -> list[str]:
    """The lines to compare; a line that lacks its line ending is marked by a line feed."""
    text = raw.decode("utf-8", "backslashreplace")
    if not text:
        return []
    parts = text.split("\n")
    last = parts.pop()
    lines = [_shown(part, returns=returns) for part in parts]
    if last:
        lines.append(_shown(last, returns=returns) + "\n")
    return lines


def _shown(line: str, *, returns: bool) -> str:
    if line.endswith("\r"):
        return visible(line[:-1]) + (_RETURN if returns else "")
    return visible(line)


def _uniform(raw: bytes) -> bool:
    return raw.count(b"\r\n") in (0, raw.count(b"\n"))


def _kind(old: bytes, new: bytes) -> bool:
    """Whether both have the same line ending, as far as they have any."""
    return b"\n" not in old or b"\n" not in new or (b"\r\n" in old) == (b"\r\n" in new)
