from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from core.errors import Fault
from core.live.figures import Figures
from core.live.verdict import Run, not_tried
from core.live.words import (
    count,
    figure_lines,
    median_lines,
    milliseconds,
    phase_words,
    rate,
    reason_words,
    result_words,
    seconds,
    tried_words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

WELL = Figures(
    connect_s=0.012,
    headers_s=0.1,
    first_token_s=0.25,
    first_answer_s=1.5,
    total_s=3.0,
    thinking_tokens=1200,
    answer_tokens=80,
    completion_tokens=1300,
    unseen_tokens=20,
    thinking_tokens_per_s=50.0,
    answer_tokens_per_s=41.5,
    gap_p50_s=0.02,
    gap_p95_s=0.031,
    longest_stall_s=0.2,
)


def run(figures: Figures = WELL, **changes: object) -> Run:
    tried = not_tried(Fault("tls", "It is so."))
    return msgspec.structs.replace(
        tried,
        **{"figures": figures, "error": None, "works": True, "ok": True, **changes},
    )


def withholding(reasons: Mapping[str, str]) -> Figures:
    return msgspec.structs.replace(
        WELL,
        thinking_tokens_per_s=None,
        answer_tokens_per_s=None,
        withheld=dict(reasons),
    )


def test_each_figure_has_its_unit_and_a_dash_where_it_is_not_known() -> None:
    assert seconds(1.5) == "1.500"
    assert seconds(None).strip() == "–"
    assert milliseconds(0.031).strip() == "31"
    assert milliseconds(None).strip() == "–"
    assert rate(41.52).strip() == "41.5 tok/s"
    assert rate(None).strip() == "– tok/s"
    assert rate(None, "too short").strip() == "too short"
    assert count(1200, estimated=False).strip() == "1,200 tok"
    assert count(1200, estimated=True).strip() == "1,200 tok est."
    assert count(None, estimated=True).strip() == "– tok"


@pytest.mark.parametrize(("known", "unknown"), [(seconds(1.5), seconds(None)),
                                                (milliseconds(0.5), milliseconds(None)),
                                                (rate(41.5), rate(None))])  # fmt: skip
def test_what_becomes_known_moves_nothing(known: str, unknown: str) -> None:
    assert len(known) == len(unknown)


def test_the_lines_tell_all_figures() -> None:
    text = "\n".join(figure_lines(WELL, "usage"))
    for words in ("0.250", "1.500", "3.000", "1,200 tok", "50.0 tok/s", "41.5 tok/s", "200 ms"):
        assert words in text
    assert "1300 = 1200 thinking + 80 answer + 20 unseen" in text
    assert "est." not in text
    assert "est." in "\n".join(figure_lines(WELL, "estimate"))


def test_a_stream_of_nothing_counts_nothing() -> None:
    text = "\n".join(figure_lines(Figures(), "estimate"))
    assert "0 tok" not in text
    assert "–" in text


def test_a_phase_has_its_tokens_and_rate() -> None:
    assert phase_words(80, 41.5, None, "usage") == "80 tok  41.5 tok/s"
    assert phase_words(3, None, "too short", "estimate") == "3 tok est.  too short"


def test_a_missing_rate_says_why() -> None:
    reasons = {"thinking_tokens_per_s": "nothing came", "answer_tokens_per_s": "too short"}
    (said,) = reason_words(run(withholding(reasons)))
    assert said.startswith("the answer is too short for a rate")
    (said,) = reason_words(run(withholding({"answer_tokens_per_s": "came at once"})))
    assert said == "no rate of the answer: came at once"
    assert reason_words(run()) == []


def test_the_three_results_have_each_a_sign() -> None:
    words = result_words(run(reachable=True, authorised=False, works=None))
    assert words == "reachable ✓  authorised ✗  works ·"


def test_the_last_try_in_a_few_words() -> None:
    assert tried_words(run()) == "● works  0.25 s  42 tok/s"
    failed = run(works=False, ok=False, error=Fault("tls", "It is so."))
    assert tried_words(failed) == "▲ It is so."
    assert tried_words(run(works=None, ok=None)).startswith("◐")


def test_medians_are_of_the_runs_that_have_the_figure() -> None:
    slow = msgspec.structs.replace(WELL, total_s=9.0, answer_tokens_per_s=None)
    lines = median_lines([run(), run(slow), run(msgspec.structs.replace(WELL, total_s=4.0))])
    total = next(line for line in lines if line.startswith("total"))
    assert "4.000 s" in total
    assert "(3.000 to 9.000, 3 of 3 runs)" in total
    answer = next(line for line in lines if line.startswith("answer "))
    assert "2 of 3 runs" in answer
    assert median_lines([run(Figures())]) == []
