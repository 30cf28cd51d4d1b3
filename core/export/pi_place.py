"""Whether the ``models.json`` that stock Warden reads is there, and says what the config says.

Stock Warden drops ``[defaults.providers]`` without a word (getsentry/warden ``config/schema.ts``),
so that file is where it learns of a provider.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.errors import ConfigProblem, Refusal
from core.export.pi_models import is_current
from core.export.write import read_existing
from core.keys.environment import pi_folder
from core.text import one_line
from core.warden.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.export.setup import Setup
    from core.workspace import Workspace

State = Literal["current", "older", "missing", "unreadable"]
_SAID: dict[State, tuple[str, str]] = {
    "missing": ("is not there", "turnkey export pi --output {path} writes it."),
    "older": (
        "does not say what the config says now",
        "turnkey export pi --output {path} writes it again.",
    ),
    "unreadable": ("cannot be read", "Mend it; Pi drops every provider of such a file."),
}


def pi_file(env: Mapping[str, str]) -> Path | None:
    """Where Pi would read ``models.json``; None where nobody can know the home."""
    home = env.get("HOME") or env.get("USERPROFILE")
    return None if not home else pi_folder(env, Path(home)) / "models.json"


def pi_state(setup: Setup, existing: str | None) -> State:
    """What ``existing`` (None: no file) is to the setup. Pure."""
    if existing is None:
        return "missing"
    try:
        return "current" if is_current(setup, existing) else "older"
    except Refusal:
        return "older"  # what cannot be exported cannot be what stands there


def state_of(setup: Setup, path: Path) -> State:
    """The same of the file at ``path``, which is read."""
    try:
        return pi_state(setup, read_existing(path))
    except ConfigProblem:
        return "unreadable"


def pi_note(state: State, path: str, place: tuple[int, int] | None = None) -> Problem | None:
    """What ``check`` says of it for ``stock``; None where it is current. Pure.

    ``place``: line and column of the first provider, from 1.
    """
    if state == "current":
        return None
    words, fix = _SAID[state]
    shown = one_line(path, 160)
    line, column = place if place is not None else (None, None)
    return Problem(
        "pi_export",
        "note",
        "defaults.providers",
        line,
        column,
        f"Pi's {shown} {words}.",
        "Stock Warden drops [defaults.providers]: the lanes' models are found there or nowhere.",
        fix.format(path=shown),
        keys=("defaults", "providers"),
    )


def note_for(workspace: Workspace) -> Problem | None:
    """:func:`pi_note` for a workspace on stock Warden; None for any other, or without a provider.

    Reads Pi's file and the receipts; asks nothing of a server.
    """
    from core.export.gather import gather

    path = pi_file(workspace.env)
    if workspace.variant != "stock" or not workspace.providers or path is None:
        return None
    first = ("defaults", "providers", workspace.providers[0].name)
    place = workspace.document.position(first)
    return pi_note(state_of(gather(workspace, "pi"), path), str(path), place)
