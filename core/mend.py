"""What is wrong and what comes next, worst first, each with the place where it is mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from core.warden.lanes import LaneReport
    from core.warden.problems import Problem
    from core.workspace import Workspace

Spot = Literal["lane", "provider", "key", "file", "test"]


@dataclass(frozen=True, slots=True)
class Mend:
    """One thing to mend."""

    text: str
    """What is wrong, one sentence."""
    fix: str
    """What to do, one sentence."""
    urgent: bool
    """True for what would send code elsewhere, or make Warden fail."""
    spot: Spot
    """Where it is mended."""
    name: str = ""
    """The lane or the provider, where the spot is one."""


def to_mend(workspace: Workspace) -> tuple[Mend, ...]:
    """All that is wrong with the workspace as it stands, worst first.

    Escapes come first, since they send code elsewhere; then what Warden would refuse; then the
    rest. Computed from the file and the environment alone: nothing is asked of a server.
    """
    report = workspace.lanes()
    found = [*escapes_to_mend(report), *problems_to_mend(workspace.problems())]
    unique = dict.fromkeys(found)
    return tuple(sorted(unique, key=lambda mend: not mend.urgent))


def escapes_to_mend(report: LaneReport) -> list[Mend]:
    """The escapes of the lanes."""
    return [
        Mend(
            f"{escape.lane}: {escape.message}",
            escape.fix,
            urgent=True,
            spot="lane",
            name=escape.lane,
        )
        for escape in report.escapes
    ]


def problems_to_mend(problems: tuple[Problem, ...]) -> list[Mend]:
    """The problems of the file."""
    return [
        Mend(
            problem.message,
            problem.suggestion or problem.effect,
            urgent=problem.severity == "error",
            spot=_spot(problem.path),
            name=_provider(problem.path),
        )
        for problem in problems
        if problem.severity != "note"
    ]


def _spot(path: str) -> Spot:
    if path.startswith(("defaults.agent", "defaults.auxiliary", "defaults.synthesis")):
        return "lane"
    if path.startswith("defaults.providers."):
        return "provider"
    return "file"


def _provider(path: str) -> str:
    parts = path.split(".")
    if path.startswith("defaults.providers.") and len(parts) > 2:
        return parts[2]
    return parts[1] if _spot(path) == "lane" else ""
