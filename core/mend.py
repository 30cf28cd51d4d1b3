"""What is wrong and what comes next, each with the place where it is mended.

In the order of what it would cost to leave it: code that goes elsewhere, a key that others can
read or that a file sends away, a Warden that refuses or fails, and then the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.warden.lanes import Escape, LaneReport
    from core.warden.problems import Problem
    from core.workspace import Workspace

_KEY_CODES = frozenset({"key_missing", "key_missing_unused"})
_KEY_AT_STAKE: Final = frozenset(
    {"secret_in_file", "header_command", "header_foreign_key", "base_url_credentials"}
)
"""Codes of what gives a key, or more, into other hands."""
_LANES: Final = frozenset({"agent", "auxiliary", "synthesis"})
Spot = Literal["lane", "provider", "models", "key", "file"]


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
    cost: int = 3
    """What leaving it costs, the dearest first: 0 code leaves, 1 a key is at stake, 2 Warden
    refuses or fails, 3 less."""


def to_mend(workspace: Workspace) -> tuple[Mend, ...]:
    """All that is wrong with the workspace as it stands, worst first.

    Computed from the file and the environment alone: nothing is asked of a server.
    """
    if not workspace.document.raw and not workspace.base_only:
        return ()  # a file that is yet to be made has nothing wrong with it
    report = workspace.lanes()
    found = [*escapes_to_mend(report), *problems_to_mend(workspace.problems())]
    unique = dict.fromkeys(found)
    return tuple(sorted(unique, key=lambda mend: mend.cost))


@dataclass(frozen=True, slots=True)
class EscapeGroup:
    """Escapes of one cause that one edit closes."""

    first: Escape
    """The one of the most telling lane."""
    lanes: tuple[str, ...]
    """All kinds of work that would leave."""


def grouped(escapes: Iterable[Escape]) -> tuple[EscapeGroup, ...]:
    """The escapes, those of one code and one fix together, in their order."""
    groups: dict[tuple[str, str], list[Escape]] = {}
    for escape in escapes:
        groups.setdefault((escape.code, escape.fix), []).append(escape)
    return tuple(
        EscapeGroup(found[0], tuple(escape.lane for escape in found)) for found in groups.values()
    )


def escapes_to_mend(report: LaneReport) -> list[Mend]:
    """The escapes of the lanes, one line a cause."""
    return [
        Mend(
            f"{', '.join(group.lanes)}: {group.first.message}",
            group.first.fix,
            urgent=True,
            spot="lane",
            name=(group.first.edit.lane if group.first.edit else None) or group.first.lane,
            cost=0,
        )
        for group in grouped(report.escapes)
    ]


def problems_to_mend(problems: tuple[Problem, ...]) -> list[Mend]:
    """The problems of the file."""
    return [
        Mend(
            problem.message,
            problem.suggestion or problem.effect,
            urgent=problem.severity == "error",
            spot="key" if problem.code in _KEY_CODES else _spot(problem.path),
            name=_provider(problem.path),
            cost=_cost(problem),
        )
        for problem in problems
        if problem.severity != "note"
    ]


def _cost(problem: Problem) -> int:
    if problem.code in _KEY_AT_STAKE:
        return 1
    return 2 if problem.severity == "error" else 3


def _spot(path: str) -> Spot:
    parts = path.split(".")
    if parts[:1] == ["defaults"] and len(parts) > 1 and parts[1] in _LANES:
        return "lane" if parts[2:] in ([], ["model"], ["effort"]) else "file"
    if parts[:2] != ["defaults", "providers"] or len(parts) < 3:
        return "file"
    if len(parts) == 3 or parts[3] in {"baseUrl", "apiKeyEnv"}:
        return "provider"
    return "models" if parts[3].startswith("models") else "file"


def _provider(path: str) -> str:
    parts = path.split(".")
    if path.startswith("defaults.providers.") and len(parts) > 2:
        return parts[2]
    return parts[1] if _spot(path) == "lane" else ""
