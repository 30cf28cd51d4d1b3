"""Figures at fixed places: no line grows or shrinks, whatever the numbers are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.live.figures import CountsFrom, Figures
from core.live.meanings import MEANINGS, explained
from core.live.panel import (
    NARROW,
    WIDE,
    fit,
    panel,
    phase_bar,
    phase_words,
    phases,
    spark,
    state_words,
)
from core.live.watching import Progress

SECONDS = st.none() | st.floats(0, 9_000, allow_nan=False)
COUNT = st.none() | st.integers(0, 99_999)
COUNTS: list[CountsFrom] = ["running", "timings", "usage", "weight", "estimate"]
FIGURES = st.builds(
    Figures,
    connect_s=st.none() | st.floats(0, 30),
    headers_s=SECONDS,
    first_token_s=SECONDS,
    first_answer_s=SECONDS,
    total_s=SECONDS,
    thinking_tokens=COUNT,
    answer_tokens=COUNT,
    unseen_tokens=st.none() | st.integers(0, 9_999),
    completion_tokens=COUNT,
    tokens_per_s_end_to_end=SECONDS,
    prefill_tokens_per_s=SECONDS,
    itl_s=st.none() | st.floats(0, 9),
    gap_p50_s=st.none() | st.floats(0, 9),
    gap_p95_s=st.none() | st.floats(0, 9),
    longest_stall_s=st.none() | st.floats(0, 90),
)


@given(
    FIGURES, st.sampled_from(COUNTS), SECONDS, st.lists(st.floats(0, 9_000), max_size=60), st.data()
)
def test_every_line_keeps_its_length_and_every_label_its_place(
    figures: Figures,
    counts_from: CountsFrom,
    rate: float | None,
    rates: list[float],
    data: st.DataObject,
) -> None:
    width = data.draw(st.sampled_from([NARROW, WIDE, 120]))
    empty = panel(Figures(), "estimate", width=width, tall=True)
    lines = panel(figures, counts_from, rate=rate, rates=rates, width=width, tall=True)
    assert [len(line) for line in lines] == [width] * len(empty)
    for line, blank in zip(lines, empty, strict=True):
        for label in ("first token", "total", "longest", "tok/s", "thinking", "unseen", "connect"):
            assert line.find(label) == blank.find(label)


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_no_figure_is_cut_at_the_least_width(width: int) -> None:
    lines = "\n".join(panel(Figures(), "weight", width=width))
    for unit in ("connect     – ms", "tok/s now", "unseen"):
        assert unit in lines
    figures = Figures(first_token_s=1.0)
    assert "split by weight (V)" in "\n".join(panel(figures, "weight", width=width))


def test_an_estimated_rate_says_so() -> None:
    figures = Figures(first_token_s=0.1, answer_tokens=9)
    assert "50.0 tok/s est." in "\n".join(panel(figures, "estimate", rate=50.0))
    assert "50.0 tok/s now" in "\n".join(panel(figures, "running", rate=50.0))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "     –"),
        (0.3124, " 0.312"),
        (12.3456, "12.346"),
        (123.456, "123.46"),
        (1e7, ">99999"),
    ],
)
def test_long_numbers_lose_decimals_and_not_their_place(value: float | None, expected: str) -> None:
    assert fit(value, 6) == expected


def test_the_spark_line_is_to_scale_and_dots_before_there_is_a_rate() -> None:
    assert spark((), 4) == "····"
    assert spark((0.0, 50.0, 100.0), 3) == "▁▅█"
    assert spark((0.0,), 3) == "▁▁▁"
    assert spark(tuple(range(60)), 6) == "".join(sorted(spark(tuple(range(60)), 6)))


def test_phases_add_up_to_the_total() -> None:
    figures = Figures(first_token_s=0.3, first_answer_s=1.7, total_s=2.5)
    assert phases(figures, "answering") == pytest.approx((0.3, 1.4, 0.8))
    assert phases(Figures(total_s=2.0), "waiting") == (2.0, 0.0, 0.0)
    assert phases(Figures(first_token_s=0.5, total_s=2.0), "thinking") == (0.5, 1.5, 0.0)


@given(st.tuples(*[st.floats(0, 1_000)] * 3), st.integers(3, 200))
def test_the_bar_is_full_and_shows_every_phase_that_took_time(
    shares: tuple[float, float, float], width: int
) -> None:
    cells = phase_bar(shares, width)
    assert sum(cells) == (width if sum(shares) > 0 else 0)
    for share, count in zip(shares, cells, strict=True):
        assert (count > 0) == (share > 0)
    assert len(phase_words(shares)) == len(phase_words((0.0, 0.0, 0.0)))


def test_reading_the_prompt_says_how_far_it_is() -> None:
    assert "45 %" in state_words(Progress(state="prefill", prefill=0.45, state_s=2.0))


def test_every_figure_on_the_screen_has_a_meaning() -> None:
    fields = {meaning.field for meaning in MEANINGS}
    assert fields <= set(Figures.__struct_fields__)
    shown = set(Figures.__struct_fields__) - fields
    assert shown == {"thinking_s", "answering_s", "tpot_excl_first_s", "stamps", "withheld"}


def test_meanings_carry_value_unit_reason_and_estimate() -> None:
    figures = Figures(
        first_token_s=0.3124,
        gap_p50_s=0.016,
        answer_tokens=40,
        withheld={"thinking_tokens_per_s": "too short"},
    )
    told = {(one.label, one.value) for one in explained(figures, "estimate")}
    assert ("first token", "0.312 s") in told
    assert ("gaps p50", "16.0 ms") in told
    assert ("answer", "40 tokens est.") in told
    assert ("thinking", "too short") in told
