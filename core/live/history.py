"""The runs of this session of turnkey, for comparing one with the others of its kind. Data alone.

Importing this module imports nothing of a request.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.live.verdict import Run
    from core.live.watching import State

KEPT_RUNS: Final = 100
"""How many runs are kept; older ones go."""
KEPT_TEXT: Final = 2_000
"""Characters of answer and of thinking that are kept of each."""

Better = Literal["lower", "higher"]


@dataclass(frozen=True, slots=True)
class Kept:
    """One run that is over, and what was asked of whom."""

    number: int
    """From 1, in the order of their ends."""
    selector: str
    prompt: str
    """The prompt's name."""
    text: str
    """Its words."""
    state: State
    run: Run
    """Its texts cut to their first :data:`KEPT_TEXT` characters."""

    @property
    def counts(self) -> bool:
        """Whether its figures belong into a median: it came to its own end, and nothing broke."""
        return self.state == "done" and self.run.figures.first_token_s is not None


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of a run beside the others of its kind."""

    label: str
    unit: str
    better: Better
    this: float | None
    median: float | None
    low: float | None
    high: float | None
    of: int
    """How many runs the median is of."""

    @property
    def change(self) -> float | None:
        """This run against the median: 0.1 is a tenth more. None where there is no other run."""
        if self.this is None or not self.median or self.of < 2:
            return None
        return self.this / self.median - 1


FIGURES: Final[tuple[tuple[str, str, str, Better], ...]] = (
    ("first token", "first_token_s", "s", "lower"),
    ("first answer", "first_answer_s", "s", "lower"),
    ("total", "total_s", "s", "lower"),
    ("thinking", "thinking_tokens_per_s", "tok/s", "higher"),
    ("answer", "answer_tokens_per_s", "tok/s", "higher"),
    ("gap p95", "gap_p95_s", "s", "lower"),
    ("longest gap", "longest_stall_s", "s", "lower"),
)
"""What is compared: label, field of Figures, unit, and which direction is the better one."""


class History:
    """The last runs, oldest first."""

    def __init__(self) -> None:
        self._kept: deque[Kept] = deque(maxlen=KEPT_RUNS)
        self._number = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def kept(self) -> tuple[Kept, ...]:
        """All that are kept, oldest first."""
        return tuple(self._kept)

    @property
    def gone(self) -> int:
        """How many are no longer kept."""
        return self._number - len(self._kept)

    def add(self, selector: str, prompt: str, text: str, state: State, run: Run) -> Kept:
        """Keep a run that is over."""
        from msgspec.structs import replace as changed

        self._number += 1
        short = changed(run, reasoning=run.reasoning[:KEPT_TEXT], answer=run.answer[:KEPT_TEXT])
        kept = Kept(self._number, selector, prompt, text[:KEPT_TEXT], state, short)
        self._kept.append(kept)
        return kept

    def like(self, kept: Kept) -> tuple[Kept, ...]:
        """The runs of the same model on the same prompt that count, ``kept`` among them."""
        return tuple(
            other
            for other in self._kept
            if other.counts and (other.selector, other.text) == (kept.selector, kept.text)
        )


def compare(kept: Kept, others: Sequence[Kept]) -> tuple[Compared, ...]:
    """Each figure of ``kept`` with median and range over ``others``."""
    found = []
    for label, name, unit, better in FIGURES:
        values = [value for other in others if (value := _figure(other, name)) is not None]
        line = Compared(label, unit, better, _figure(kept, name), None, None, None, len(values))
        if values:
            line = replace(line, median=median(values), low=min(values), high=max(values))
        found.append(line)
    return tuple(found)


def change_words(line: Compared) -> str:
    """How this run differs from the median, and whether that is good; at most 14 characters."""
    change = line.change
    if change is None:
        return ""
    if abs(change) < 0.02:
        return "as usual"
    percent = f"{change * 100:+,.0f} %".replace("-", "−")
    good = (change < 0) == (line.better == "lower")
    return f"{percent} {'better' if good else 'worse'}"


def beside_words(kept: Kept, others: Sequence[Kept]) -> str:
    """One line on how a run stands among its kind; a single run is called one."""
    if not kept.counts:
        return ""
    if len(others) < 2:
        return "a single run: enter repeats it, for medians and a range"
    parts = [f"median of {len(others)}"]
    for line in compare(kept, others):
        if line.label in {"first token", "answer"} and line.median is not None:
            digits = 3 if line.unit == "s" else 1
            parts.append(
                f"{line.label} {line.median:.{digits}f} {line.unit}"
                f" ({line.low:.{digits}f} to {line.high:.{digits}f})"
            )
    return "   ".join(parts)


def _figure(kept: Kept, name: str) -> float | None:
    value: float | None = getattr(kept.run.figures, name)
    return value
