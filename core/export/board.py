"""What the Export screen shows: a line for each reader, how much of it was tried, and its text.

Reads the receipts and the files that may be there already; asks no server and no keyring.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from core.errors import ConfigProblem, TurnkeyError
from core.export.gather import gather
from core.export.make import PI_FOLDER, make_export, refuse_keys
from core.export.pi_place import pi_file, state_of
from core.export.write import read_existing
from core.key_board import age_words

if TYPE_CHECKING:
    from pathlib import Path

    from core.errors import Fault
    from core.export.setup import Export, Setup, Target
    from core.workspace import Workspace

TITLES: Final[dict[Target, str]] = {
    "warden": "warden.toml",
    "pi": "Pi models.json",
    "stock-env": "stock Warden environment",
    "github": "GitHub Actions",
    "ml-intern": "ml-intern",
    "gateway": "LLM gateway",
    "guidellm": "GuideLLM load test",
}
Sign = Literal["●", "◐", "○", "▲"]


@dataclass(frozen=True, slots=True)
class Row:
    """One reader of the setup."""

    target: Target
    title: str
    sign: Sign
    """``●`` as it should be, ``◐`` older, ``○`` not there, ``▲`` something is wrong."""
    state: str
    """The file's state in a few words."""
    tried: str
    """How much of it was tried: «verified 2 h ago», «not verified»."""
    verified: bool
    place: Path
    """Where it would be written."""
    export: Export | None = None
    fault: Fault | None = None
    """Why there is no export."""


def board(workspace: Workspace, *, auth: bool = False, now: datetime | None = None) -> list[Row]:
    """All readers in their order. ``auth``: Pi's line is for its ``auth.json``."""
    now = now if now is not None else datetime.now(UTC)
    return [_row(workspace, target, now, auth=auth) for target in TITLES]


def _row(workspace: Workspace, target: Target, now: datetime, *, auth: bool) -> Row:
    setup = gather(workspace, target, now=now)
    tried = tried_words(setup, now)
    verified = setup.standing.verified
    title = "Pi auth.json" if auth and target == "pi" else TITLES[target]
    pi = pi_file(workspace.env)
    try:
        refuse_keys(workspace.documents)
        made = make_export(
            setup,
            target,
            document=workspace.document,
            auth=auth,
            folder=PI_FOLDER if pi is None else str(pi.parent),
        )
    except TurnkeyError as problem:
        fault = problem.fault
        here = workspace.document.path
        return Row(target, title, "▲", "cannot be exported", tried, verified, here, fault=fault)
    place = place_of(workspace, made)
    sign, state = _state(workspace, setup, made, place, auth=auth)
    return Row(target, title, sign, state, tried, verified, place, made)


def place_of(workspace: Workspace, made: Export) -> Path:
    """Where an export goes unless told otherwise: Pi's folder, else beside ``warden.toml``."""
    pi = pi_file(workspace.env)
    if made.target == "pi" and pi is not None:
        return pi.parent / made.suggested
    if made.target == "warden":
        return workspace.document.path
    return workspace.document.path.parent / made.suggested


def tried_words(setup: Setup, now: datetime) -> str:
    """How much of a setup was tried, in a few words."""
    standing = setup.standing
    receipt = standing.receipt
    if receipt is None:
        return "not verified"
    age = age_words(receipt.at, now)
    when = "just now" if age in {"now", "–"} else f"{age} ago"
    if standing.worth == "stale":
        changed = standing.fault is not None and standing.fault.code == "receipt_other_config"
        return f"verified {when}, changed since" if changed else f"stale: verified {when}"
    return f"verified {when}" if standing.verified else f"failed {when}"


def _state(
    workspace: Workspace, setup: Setup, made: Export, place: Path, *, auth: bool
) -> tuple[Sign, str]:
    if made.target == "warden":
        if workspace.unsaved:
            return "◐", "has unsaved edits"
        return ("●", "saved") if workspace.document.exists else ("○", "not made yet")
    if made.target == "pi" and not auth:
        state = state_of(setup, place)
        return _PI[state]
    try:
        there = read_existing(place)
    except ConfigProblem:
        return "▲", "cannot be read"
    if there is None:
        return "○", "not written yet"
    return ("●", "written, current") if there == made.text else ("◐", "written, says otherwise")


_PI: Final[dict[str, tuple[Sign, str]]] = {
    "current": ("●", "written, current"),
    "older": ("▲", "older than the config"),
    "missing": ("○", "not there yet"),
    "unreadable": ("▲", "cannot be read"),
}
