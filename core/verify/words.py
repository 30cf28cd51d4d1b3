"""Verdicts in words for a person: in groups by lane, signs with words, evidence before green."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core.text import one_line, visible
from core.warden.chains import LANES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.verify.receipt import Receipt
    from core.verify.trials.setting import Cost
    from core.verify.verdict import Verdict

SIGNS: Final = {"pass": "✓", "fail": "✗", "unsure": "?"}
_ORDER: Final = {"fail": 0, "unsure": 1, "pass": 2}


class Group(msgspec.Struct, frozen=True):
    """Verdicts that belong together: those of a lane, or those that are true of a model."""

    title: str
    verdicts: tuple[Verdict, ...]


def groups(verdicts: Sequence[Verdict]) -> tuple[Group, ...]:
    """By lane, then by model; failures first, and what nobody could decide before what passed."""
    found: dict[str, list[Verdict]] = {}
    for lane in LANES:
        for one in verdicts:
            if one.lane == lane:
                found.setdefault(f"{lane} · {selector_of(one)}", []).append(one)
    for one in verdicts:
        if one.lane is None:
            found.setdefault(f"{selector_of(one)}, whichever lane asks", []).append(one)
    return tuple(
        Group(title, tuple(sorted(mine, key=lambda one: _ORDER[one.verdict])))
        for title, mine in found.items()
    )


def selector_of(verdict: Verdict) -> str:
    """``provider/model``, or a dash for a lane that has none."""
    parts = [part for part in (verdict.provider, verdict.model) if part]
    return one_line("/".join(parts), 120) or "–"


def count_words(verdict: Verdict) -> str:
    """«3 of 3», «2 of 3, flaky», or nothing for what is tried once."""
    if verdict.tried is None or verdict.tried < 2:
        return ""
    words = f"{verdict.passed} of {verdict.tried}"
    return f"{words}, flaky" if verdict.flaky else words


def verdict_lines(verdict: Verdict, title: str, width: int = 76) -> tuple[str, ...]:
    """A verdict: sign, question and count; unless it passed, why, and what to do."""
    head = f"{SIGNS[verdict.verdict]} {title}"
    count = count_words(verdict)
    gap = max(2, width - len(head) - len(count))
    lines = [f"{head}{' ' * gap}{count}" if count else head]
    if verdict.verdict != "pass":
        lines.append(f"    {one_line(verdict.evidence.text, 600)}")
        if verdict.fix:
            lines.append(f"    fix: {one_line(verdict.fix, 600)}")
    return tuple(lines)


def evidence_words(verdict: Verdict) -> str:
    """All of a verdict as text: why, what to do, and each request with its reply."""
    parts = [visible(verdict.evidence.text)]
    if verdict.fix:
        parts.append(f"fix: {visible(verdict.fix)}")
    for number, (sent, came) in enumerate(verdict.evidence.exchanges, 1):
        parts.append(f"── sent {number} ──\n{visible(_indented(sent))}")
        parts.append(f"── came {number} ──\n{visible(came) or 'nothing'}")
    return "\n\n".join(parts)


def _indented(text: str) -> str:
    """JSON with a line for each member; text that was shortened is no JSON, and stays."""
    try:
        return msgspec.json.format(text.encode()).decode()
    except (msgspec.DecodeError, UnicodeEncodeError):
        return text


def estimate_words(cost: Cost, limit: int) -> str:
    """«47 requests, 63 at most, about 84k tokens; 9 wait for one another, 4 go at once»."""
    most = f", {cost.most_requests} at most" if cost.most_requests > cost.requests else ""
    return (
        f"{cost.requests} requests{most}, about {tokens_words(cost.tokens)} tokens;"
        f" up to {cost.chain} wait for one another, {limit} go out at once"
    )


def tokens_words(count: int) -> str:
    """«840», «21k», «1.2M»."""
    if count < 1_000:
        return str(count)
    return f"{round(count / 1_000)}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"


def outcome_words(receipt: Receipt) -> str:
    """The result in one sentence."""
    if receipt.verified:
        return "Verified: each lane has passed its trials, and none leaves your servers."
    failed = sorted({one.probe for one in receipt.verdicts if one.verdict == "fail"})
    if failed:
        return f"Not verified: {', '.join(failed)} failed."
    if receipt.escapes:
        return f"Not verified: a lane leaves your servers ({receipt.escapes[0].code})."
    if receipt.interrupted:
        return "Stopped. What was decided is kept; turnkey verify goes on with the rest."
    undecided = sorted({one.probe for one in receipt.verdicts if one.verdict == "unsure"})
    if undecided:
        return f"Nothing failed. Undecided: {', '.join(undecided)}."
    return "Nothing failed. Verified it is once every lane was tried: turnkey verify."
