"""What Home says of a lane, by its receipt and its last live test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest
from msgspec.structs import replace

from core.lane_state import age_words, lane_state
from core.verify.receipt import CoveredConfig, Receipt, Standing
from core.verify.verdict import Evidence, Verdict

NOW: Final = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GOOD: Final = Verdict("agent_loop", "gw", "m", "agent", "pass", Evidence("x"), passed=3, tried=3)
RECEIPT: Final = Receipt(
    "1",
    "2026-11-21T10:00:00Z",
    "providers",
    CoveredConfig("sha256:0"),
    lanes={"agent": "gw/m", "auxiliary": "gw/m", "synthesis": "gw/m"},
    verdicts=(GOOD,),
    verified=True,
)


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing("none"), "○ not tried"),
        (Standing("fresh", RECEIPT), "● verified 2 h ago"),
        (Standing("fresh", replace(RECEIPT, verified=False)), "◐ verified in part"),
        (Standing("stale", RECEIPT), "◐ stale: changed since"),
        (
            Standing("fresh", replace(RECEIPT, verdicts=(replace(GOOD, verdict="fail"),))),
            "▲ failed: agent_loop",
        ),
        (
            Standing(
                "fresh",
                replace(
                    RECEIPT,
                    verified=False,
                    verdicts=(GOOD, replace(GOOD, probe="store", lane=None, verdict="fail")),
                ),
            ),
            "▲ failed: store",
        ),
        (Standing("fresh", replace(RECEIPT, verdicts=())), "○ not tried"),
    ],
)
def test_a_lane_is_what_its_receipt_says(standing: Standing, words: str) -> None:
    assert lane_state("agent", standing, None, NOW) == words
    other = lane_state("synthesis", standing, None, NOW)
    assert other in {"○ not tried", "● verified 2 h ago"} or "store" in other


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-21T11:59:30Z", "just now"),
        ("2026-11-21T12:05:00Z", "just now"),
        ("2026-11-21T11:15:00Z", "45 min ago"),
        ("2026-11-21T00:00:00Z", "12 h ago"),
        ("2026-11-01T12:00:00Z", "20 d ago"),
        ("once", "some time ago"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(at: str, words: str) -> None:
    assert age_words(at, NOW) == words
