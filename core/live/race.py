"""A race: several requests on one prompt, their figures side by side, the best of each named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.live.figures import GRADES, CountsFrom, Figures
from core.live.watching import ENDS, State

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST: Final = 4
"""How many may race."""
FEWEST: Final = 2

Column = Literal[
    "first_token_s", "first_answer_s", "answer_tokens_per_s", "total_s", "longest_stall_s"
]


class Racer(msgspec.Struct, frozen=True):
    """One that races, as it stands."""

    label: str
    state: State
    figures: Figures = Figures()
    counts_from: CountsFrom = "estimate"
    right: bool = True
    """False: it came to its end, and what it said was no right answer."""


class Cell(msgspec.Struct, frozen=True):
    """One figure of one racer."""

    text: str
    best: bool = False


class Place(msgspec.Struct, frozen=True):
    """One racer's line of the table."""

    label: str
    state: State
    grade: str
    """How its tokens were counted (:data:`core.live.figures.GRADES`); «–» before any came."""
    cells: tuple[Cell, ...]


COLUMNS: Final[tuple[tuple[str, str, Column, Literal["lower", "higher"]], ...]] = (
    ("first token", "s", "first_token_s", "lower"),
    ("first answer", "s", "first_answer_s", "lower"),
    ("answer", "tok/s", "answer_tokens_per_s", "higher"),
    ("total", "s", "total_s", "lower"),
    ("longest gap", "s", "longest_stall_s", "lower"),
)
"""Heading, unit, figure, and which direction wins."""


def table(racers: Sequence[Racer]) -> tuple[Place, ...]:
    """The racers' figures. A column has its best once nobody can still beat it.

    Times to something are settled when it came; rates, totals and gaps with the end. Who failed
    or was stopped, or answered wrongly, has figures, but wins nothing. Who is equal as shown shares
    the word; where all are, nobody gets it.
    """
    columns = [_column(racers, name, direction) for _, _, name, direction in COLUMNS]
    return tuple(
        Place(
            racer.label,
            racer.state,
            GRADES[racer.counts_from] if racer.figures.first_token_s is not None else "–",
            tuple(column[index] for column in columns),
        )
        for index, racer in enumerate(racers)
    )


def _column(racers: Sequence[Racer], name: Column, direction: str) -> list[Cell]:
    digits = 1 if name == "answer_tokens_per_s" else 3
    values = [_value(racer, name) for racer in racers]
    texts = ["–" if value is None else f"{value:.{digits}f}" for value in values]
    settled = [
        round(value, digits)
        for racer, value in zip(racers, values, strict=True)
        if value is not None and _settled(racer, name)
    ]
    running = [racer for racer in racers if racer.state not in ENDS]
    best = None
    if len(set(settled)) >= FEWEST and all(_settled(racer, name) for racer in running):
        best = min(settled) if direction == "lower" else max(settled)
    return [
        Cell(
            text,
            best is not None
            and value is not None
            and _settled(racer, name)
            and round(value, digits) == best,
        )
        for racer, value, text in zip(racers, values, texts, strict=True)
    ]


def _settled(racer: Racer, name: Column) -> bool:
    """Whether the racer's figure will not change any more, and may win."""
    if racer.state in {"failed", "stopped"} or not racer.right:
        return False
    if name in {"first_token_s", "first_answer_s"}:
        return _value(racer, name) is not None
    return racer.state == "done"


def _value(racer: Racer, name: Column) -> float | None:
    value: float | None = getattr(racer.figures, name)
    return value
