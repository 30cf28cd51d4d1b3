from __future__ import annotations

import pytest

from core.live.waits import Signs, waited, waiting


@pytest.mark.parametrize(
    ("signs", "code", "word"),
    [
        (Signs(now=9.0, sent=0.0), None, ""),
        (Signs(now=30.0, sent=0.0), "slow", "loading"),
        (Signs(now=30.0, sent=0.0, headers=1.0), "slow", "reading the prompt"),
        (Signs(now=30.0, sent=0.0, headers=1.0, last_sign=29.0), "slow", "signs of life"),
        (Signs(now=60.0, sent=0.0, headers=1.0, last_sign=29.0), "slow", "59 s ago"),
        # reading the prompt
        (Signs(now=90.0, sent=0.0, prefill=0.5, prefill_moved=88.0), None, ""),
        (Signs(now=90.0, sent=0.0, prefill=0.5, prefill_moved=40.0), "stuck", "50%"),
        # in the middle of the answer
        (Signs(now=9.0, sent=0.0, last_token=3.0, gap_p50_s=0.02), None, ""),
        (Signs(now=15.0, sent=0.0, last_token=3.0, gap_p50_s=0.02), "stuck", "usual: 20 ms"),
        (Signs(now=15.0, sent=0.0, last_token=3.0), "stuck", "no sign of life"),
        (Signs(now=15.0, sent=0.0, last_token=3.0, last_sign=14.0), "slow", "signs of life"),
        # a model that needs two seconds a token is slow, not stuck
        (Signs(now=23.0, sent=0.0, last_token=3.0, gap_p50_s=2.0), None, ""),
    ],
)
def test_silence_is_told_as_what_it_may_be(signs: Signs, code: str | None, word: str) -> None:
    told = waiting(signs)
    assert (told.code if told else None) == code
    if told is not None:
        assert word in told.message + told.fix
        assert told.fix


@pytest.mark.parametrize(
    ("signs", "codes"),
    [
        (Signs(now=20.0, sent=0.0, first_token=0.5, gap_p50_s=0.02, longest_stall_s=0.5), []),
        (Signs(now=20.0, sent=0.0, first_token=12.0), ["slow_start"]),
        (Signs(now=40.0, sent=0.0, first_token=1.0, gap_p50_s=0.02, longest_stall_s=15.0),
         ["stalled"]),
        (Signs(now=90.0, sent=0.0, first_token=1.0, gap_p50_s=2.0, longest_stall_s=15.0), []),
        (Signs(now=20.0, sent=0.0), []),
    ],
)  # fmt: skip
def test_what_waiting_tells_once_it_is_over(signs: Signs, codes: list[str]) -> None:
    assert [told.code for told in waited(signs)] == codes
