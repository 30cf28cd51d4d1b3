"""What Home says of a lane: what its last verification and its last live test found. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from core.live.ping import Run
    from core.verify.receipt import Standing

_STEPS: Final = ((60, "s"), (60, "min"), (24, "h"), (10_000, "d"))


def lane_state(lane: str, standing: Standing, run: Run | None, now: datetime) -> str:
    """A sign, its word, and the figures of the last live test: «● verified 2 h ago  0.31 s».

    ``run``: the last live test of the lane's model in this session, None where there was none.
    """
    word = standing.lane_word(lane)
    receipt = standing.receipt
    if word == "not tried" or receipt is None:
        if run is None:
            return "○ not tried"
        from core.live.words import tried_words

        return tried_words(run)
    told = {
        "verified": f"● verified {age_words(receipt.at, now)}",
        "failed": f"▲ failed: {_failing(lane, standing)}",
        "partly": "◐ verified in part",
        "stale": "◐ stale: changed since",
    }[word]
    return "  ".join([told, *_figures(run)])


def age_words(at: str, now: datetime) -> str:
    """How long ago a time of a receipt is: «just now», «5 min ago», «3 d ago»."""
    try:
        then = datetime.fromisoformat(at)
    except ValueError:
        return "some time ago"
    amount = max(0.0, (now - then.astimezone(UTC)).total_seconds())
    if amount < 60:
        return "just now"
    for size, unit in _STEPS:
        if amount < size:
            return f"{amount:.0f} {unit} ago"
        amount /= size
    return "long ago"


def _failing(lane: str, standing: Standing) -> str:
    receipt = standing.receipt
    if receipt is None:
        return "it"
    selector = receipt.lanes.get(lane)
    failed = [
        one.probe
        for one in sorted(receipt.verdicts, key=lambda one: one.lane is None)
        if one.verdict == "fail"
        and (one.lane == lane or (one.lane is None and f"{one.provider}/{one.model}" == selector))
    ]
    return failed[0] if failed else "it"


def _figures(run: Run | None) -> list[str]:
    if run is None or not run.ok:
        return []
    first, rate = run.figures.first_token_s, run.figures.answer_tokens_per_s
    told = [] if first is None else [f"{first:.2f} s"]
    return told if rate is None else [*told, f"{rate:.0f} tok/s"]
