"""Verdicts in words for a person: in groups by lane, signs with words, evidence before green."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core.text import one_line, visible
from core.verify.verified import REPEATED, is_shut_out, needed
from core.warden.chains import LANES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from core.verify.plan import Estimate
    from core.verify.receipt import OwnModel, Receipt
    from core.verify.verdict import Earlier, Verdict

SIGNS: Final = {"pass": "✓", "fail": "✗", "unsure": "?"}
_ORDER: Final = {"fail": 0, "unsure": 1, "pass": 2}


class Group(msgspec.Struct, frozen=True):
    """Verdicts that belong together: those of a lane, or those that are true of a model."""

    title: str
    verdicts: tuple[Verdict, ...]


def groups(verdicts: Sequence[Verdict], overrides: Collection[OwnModel] = ()) -> tuple[Group, ...]:
    """By lane, then by model; failures first, and what nobody could decide before what passed.

    ``overrides``: the skills that name models of their own, which are told beside those.
    """
    found: dict[str, list[Verdict]] = {}
    skills: dict[str, list[str]] = {}
    for own in overrides:
        skills.setdefault(own.selector, []).append(one_line(own.skill, 40))
    for lane in LANES:
        for one in verdicts:
            if one.lane == lane:
                names = skills.get(f"{one.provider}/{one.model}", []) if lane == "agent" else []
                whose = f", named by {', '.join(dict.fromkeys(names))}" if names else ""
                found.setdefault(f"{lane} · {selector_of(one)}{whose}", []).append(one)
    for one in verdicts:
        if one.lane is None:
            found.setdefault(f"{selector_of(one)}, whichever lane asks", []).append(one)
    return tuple(
        Group(title, tuple(sorted(mine, key=lambda one: _ORDER[one.verdict])))
        for title, mine in found.items()
    )


def groups_of(receipt: Receipt) -> tuple[Group, ...]:
    """The groups of a receipt's verdicts, with the skills whose own models were tried."""
    agent = receipt.lanes.get("agent")
    return groups(receipt.verdicts, [one for one in receipt.overrides if one.selector != agent])


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


def others_words(verdict: Verdict) -> str:
    """What other runs of the question told, and what it takes to replace a failure; maybe empty."""
    if not verdict.others:
        return ""
    told = ", ".join(_earlier(one) for one in verdict.others)
    words = f"Other runs for this config: {told}."
    if verdict.verdict == "fail" and any(one.verdict == "pass" for one in verdict.others):
        runs = needed(verdict)
        words += f" {runs} runs that all pass outweigh the failure: turnkey verify --runs {runs}."
    return words


def _earlier(one: Earlier) -> str:
    count = f" {one.passed} of {one.tried}" if one.tried is not None else ""
    return f"{one.verdict}{count} on {one_line(one.at[:16].replace('T', ' '), 16)}"


def verdict_lines(verdict: Verdict, title: str, width: int = 76) -> tuple[str, ...]:
    """A verdict: sign, question and count; unless it passed, why, and what to do."""
    head = f"{SIGNS[verdict.verdict]} {one_line(title, 120)}"
    count = count_words(verdict)
    gap = max(2, width - len(head) - len(count))
    lines = [f"{head}{' ' * gap}{count}" if count else head]
    if verdict.verdict != "pass":
        lines.append(f"    {one_line(verdict.evidence.text, 600)}")
    if verdict.others:
        lines.append(f"    {others_words(verdict)}")
    if verdict.verdict != "pass" and verdict.fix:
        lines.append(f"    fix: {one_line(verdict.fix, 600)}")
    return tuple(lines)


def evidence_words(verdict: Verdict) -> str:
    """All of a verdict as text: why, what to do, and each request with its reply."""
    parts = [visible(verdict.evidence.text)]
    if verdict.others:
        parts.append(others_words(verdict))
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


def estimate_words(cost: Estimate, limit: int) -> str:
    """«about 85 requests, 134k tokens (at most 226 and 577k); 4 at once, 12 in a row»."""
    if not cost.most_requests:
        return "no request"
    return (
        f"about {cost.requests} requests, {tokens_words(cost.tokens)} tokens"
        f" (at most {cost.most_requests} and {tokens_words(cost.most_tokens)});"
        f" {limit} at once, {cost.chain} in a row"
    )


def sent_words(sent: int, cost: Estimate, tokens: int) -> str:
    """«79 requests sent (at most 226 were told), 104k tokens counted»; after a run."""
    counted = f", {tokens_words(tokens)} tokens counted" if tokens else ""
    return f"{sent} requests sent (at most {cost.most_requests} were told){counted}."


def tokens_words(count: int) -> str:
    """«840», «21k», «1.2M»."""
    if count < 1_000:
        return str(count)
    return f"{round(count / 1_000)}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"


def stopped_words(kept: Receipt | None) -> str:
    """What a stopped run leaves: ``kept``, or nothing. In one sentence."""
    if kept is None:
        return "Stopped before anything was decided."
    if kept.interrupted:
        return "Stopped. What was decided is kept; the next run goes on with the rest."
    return "Stopped. What was decided is kept, and the rest stands as it was found before."


def outcome_words(receipt: Receipt) -> str:
    """The result in one sentence."""
    if receipt.verified:
        return "Verified: each lane has passed its trials, and none leaves your servers."
    failed = _named(receipt, "fail")
    if failed:
        return f"Not verified: {', '.join(failed)} failed."
    if receipt.escapes:
        return f"Not verified: a lane leaves your servers ({one_line(receipt.escapes[0].code, 8)})."
    if receipt.interrupted:
        return stopped_words(receipt)
    tried = {f"{one.provider}/{one.model}" for one in receipt.verdicts if one.lane == "agent"}
    own = [one.selector for one in receipt.overrides if one.selector not in tried]
    if own and tried:
        return f"Not verified: {one_line(own[0], 80)}, which a skill names, was not tried."
    if is_shut_out(receipt.verdicts):
        return "Nothing could be tried: the server refuses the key, or wants one."
    undecided = _named(receipt, "unsure")
    if undecided:
        return f"Nothing failed. Undecided: {', '.join(undecided)}."
    if any(one.probe in REPEATED and one.tried == 1 for one in receipt.verdicts):
        return (
            "Nothing failed. Once is too little for «verified»: turnkey verify --runs 2, or more."
        )
    return "Nothing failed. Verified it is once everything was tried: turnkey verify."


def _named(receipt: Receipt, word: str) -> list[str]:
    """The probes and trials with that verdict."""
    return sorted({one_line(one.probe, 40) for one in receipt.verdicts if one.verdict == word})
