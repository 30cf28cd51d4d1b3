"""Runs are kept, grouped by model and prompt, and compared; a single run is called one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.live.figures import Figures
from core.live.history import (
    KEPT_RUNS,
    KEPT_TEXT,
    Compared,
    History,
    beside_words,
    change_words,
    compare,
)
from core.live.verdict import Run

if TYPE_CHECKING:
    from core.live.history import Better
    from core.live.watching import State


def run(first: float | None = 0.3, rate: float | None = 60.0, answer: str = "PONG") -> Run:
    return Run(
        reachable=True,
        authorised=True,
        works=True,
        ok=True,
        served_model="m",
        finish_reason="stop",
        reasoning="",
        answer=answer,
        tool_calls=(),
        counts_from="usage",
        usage=None,
        figures=Figures(first_token_s=first, answer_tokens_per_s=rate),
        warnings=(),
        error=None,
    )


def test_one_run_is_called_a_single_run() -> None:
    history = History()
    kept = history.add("p/m", "PONG", "say it", "done", run())
    assert "single run" in beside_words(kept, history.like(kept))
    assert all(line.change is None for line in compare(kept, history.like(kept)))


def test_median_and_range_are_of_the_same_model_and_prompt() -> None:
    history = History()
    for first in (0.2, 0.4):
        history.add("p/m", "PONG", "say it", "done", run(first))
    history.add("p/other", "PONG", "say it", "done", run(9.0))
    history.add("p/m", "own", "say something else", "done", run(9.0))
    kept = history.add("p/m", "PONG", "say it", "done", run(0.6, 80.0))
    line = compare(kept, history.like(kept))[0]
    assert (line.this, line.median, line.low, line.high, line.of) == (0.6, 0.4, 0.2, 0.6, 3)
    assert beside_words(kept, history.like(kept)) == (
        "median of 3   first token 0.400 s (0.200 to 0.600)   answer 60.0 tok/s (60.0 to 80.0)"
    )


@pytest.mark.parametrize(("state", "first"), [("stopped", 0.3), ("failed", None), ("done", None)])
def test_what_did_not_come_to_its_end_is_in_no_median(state: State, first: float | None) -> None:
    history = History()
    history.add("p/m", "PONG", "say it", "done", run())
    kept = history.add("p/m", "PONG", "say it", state, run(first))
    assert len(history.like(kept)) == 1
    assert beside_words(kept, history.like(kept)) == ""


@pytest.mark.parametrize(
    ("better", "this", "expected"),
    [
        ("lower", 0.5, "−50 % better"),
        ("lower", 1.5, "+50 % worse"),
        ("higher", 1.5, "+50 % better"),
        ("higher", 1.01, "as usual"),
        ("higher", None, ""),
    ],
)
def test_a_change_says_whether_it_is_good(
    better: Better, this: float | None, expected: str
) -> None:
    assert change_words(Compared("x", "s", better, this, 1.0, 0.5, 2.0, 3)) == expected


def test_old_runs_go_and_long_texts_are_cut() -> None:
    history = History()
    for _ in range(KEPT_RUNS + 2):
        history.add("p/m", "PONG", "say it", "done", run())
    kept = history.add("p/m", "PONG", "say it", "done", run(answer="x" * 9_000))
    assert len(history) == KEPT_RUNS
    assert history.gone == 3
    assert kept.number == KEPT_RUNS + 3
    assert len(kept.run.answer) == KEPT_TEXT
