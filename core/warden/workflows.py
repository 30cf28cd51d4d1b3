"""Whether a workflow of the repository gives Warden a base layer, and which file that is.

Source: getsentry/warden ``action.yml`` (input ``base-config-path``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.warden.locate import repository_root

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_INPUT: Final = re.compile(
    r"""^[ \t]*(?:-[ \t]+)?["']?base-config-path["']?[ \t]*:[ \t]*"""
    r"""(?P<value>"[^"\n]*"|'[^'\n]*'|[^\n#]*)""",
    re.MULTILINE,
)
_LARGEST: Final = 1 << 20
"""Bytes of a workflow that are looked at; a real one has a few thousand."""


@dataclass(frozen=True, slots=True)
class NamedBase:
    """A base layer that a workflow names."""

    workflow: str
    """The workflow's file name."""
    written: str
    """The value of the input, as written; an expression (``${{ ... }}``) is not known here."""
    path: Path | None
    """The file, where it is there in the checkout; None when it comes from elsewhere."""


def named_in(text: str) -> tuple[str, ...]:
    """The values of ``base-config-path`` in a workflow's text; empty ones name nothing."""
    values = [found["value"].strip().strip("'\"").strip() for found in _INPUT.finditer(text)]
    return tuple(dict.fromkeys(value for value in values if value))


def named_bases(start: Path) -> tuple[NamedBase, ...]:
    """The base layers that the workflows of the repository around ``start`` name."""
    root = repository_root(start)
    if root is None:
        return ()
    found: list[NamedBase] = []
    for workflow in _workflows(root / ".github" / "workflows"):
        try:
            with workflow.open(encoding="utf-8", errors="replace") as stream:
                text = stream.read(_LARGEST)
        except OSError:
            continue
        found += [NamedBase(workflow.name, value, _inside(root, value)) for value in named_in(text)]
    return tuple(found)


def _inside(root: Path, value: str) -> Path | None:
    """The file that is named, where it is one of this checkout."""
    if "${{" in value:
        return None
    path = (root / value).resolve()
    return path if path.is_relative_to(root.resolve()) and path.is_file() else None


def _workflows(folder: Path) -> Iterable[Path]:
    try:
        return sorted(one for one in folder.iterdir() if one.suffix in {".yml", ".yaml"})
    except OSError:
        return ()
