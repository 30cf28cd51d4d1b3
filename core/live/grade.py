"""Whose tokens: the split of what was generated into thinking, answer and what is never shown.

The total is the server's, the split per phase is ours unless the server tells it. Chunks are no
tokens: think markers, the end of turn and call syntax are generated, billed and never shown, and
speculative decoding puts several tokens into one chunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from core.live.counts import Timings, Usage
    from core.live.figures import CountsFrom

_END_MARKER = 1
_THINK_MARKERS = 3  # the two tags, and a line feed that parsers trim
_CALL_MARKERS = 8  # two tags, and the JSON around name and arguments


class Seen(msgspec.Struct, frozen=True):
    """What came through the wire, per phase."""

    thinking_events: int
    thinking_bytes: int
    """UTF-8 bytes of text."""
    answer_events: int
    answer_bytes: int
    calls: int
    """Tool calls that began."""
    finish: str | None


class Running(msgspec.Struct, frozen=True):
    """Tokens by phase out of counts that came along with the text."""

    thinking: int
    answer: int
    total: int


class Counts(msgspec.Struct, frozen=True):
    """Tokens by phase. ``total`` and ``unseen`` are None when the server gave no total."""

    counts_from: CountsFrom
    thinking: int
    answer: int
    unseen: int | None
    total: int | None
    hidden: bool = False
    """The server counts thinking and shows none."""
    unexplained: int = 0
    """By how many tokens total and text disagree beyond what markers explain; negative: too few."""


def counted(
    seen: Seen,
    usage: Usage | None,
    timings: Timings | None,
    *,
    running: Running | None = None,
    running_timings: Running | None = None,
    estimated_reasoning: bool = False,
    bytes_per_token: float | None = None,
) -> Counts:
    """Tokens by phase, by the best origin there is.

    ``running`` and ``running_timings`` are counts that came with nearly every chunk.
    ``estimated_reasoning`` says that ``reasoning_tokens`` is a proxy's guess: LiteLLM makes it up
    where its upstream gave none (BerriAI/litellm, streaming_handler). ``bytes_per_token`` was
    learnt from an earlier run of the same model.
    """
    if running is not None:
        return _of_running("running", running, _total(usage) or running.total)
    if running_timings is not None:
        return _of_running("timings", running_timings, running_timings.total)
    total = timings.predicted_n if timings is not None else None
    origin: CountsFrom = "timings"
    if total is None:
        total, origin = _total(usage), "usage"
    if total is None:
        return _estimate(seen, bytes_per_token)
    told = None if usage is None or estimated_reasoning else usage.reasoning_tokens
    unexplained = _unexplained(seen, total)
    if told and not seen.thinking_bytes and told <= total:
        answer, unseen = _visible(
            total - told, seen.answer_events, seen.answer_bytes, _markers(seen, thought=True)
        )
        return Counts(origin, told, answer, unseen, total, hidden=True)
    if not seen.thinking_bytes:
        answer, unseen = _visible(total, seen.answer_events, seen.answer_bytes, _markers(seen))
        return Counts(origin, 0, answer, unseen, total, unexplained=unexplained)
    if told and (told < total or (told == total and not seen.answer_events)):
        answer, unseen = _visible(
            total - told, seen.answer_events, seen.answer_bytes, _markers(seen)
        )
        return Counts(origin, told, answer, unseen, total, unexplained=unexplained)
    if origin == "usage" and seen.answer_bytes:
        origin = "weight"
    bytes_seen = seen.thinking_bytes + seen.answer_bytes
    shown, unseen = _visible(
        total, seen.thinking_events + seen.answer_events, bytes_seen, _markers(seen)
    )
    thinking = round(shown * seen.thinking_bytes / bytes_seen)
    return Counts(origin, thinking, shown - thinking, unseen, total, unexplained=unexplained)


def _total(usage: Usage | None) -> int | None:
    return None if usage is None else usage.completion_tokens


def _of_running(origin: CountsFrom, running: Running, total: int) -> Counts:
    unseen = max(total - running.thinking - running.answer, 0)
    return Counts(origin, running.thinking, running.answer, unseen, total)


def _estimate(seen: Seen, bytes_per_token: float | None) -> Counts:
    if not bytes_per_token:
        return Counts("estimate", seen.thinking_events, seen.answer_events, None, None)
    return Counts(
        "estimate",
        round(seen.thinking_bytes / bytes_per_token),
        round(seen.answer_bytes / bytes_per_token),
        None,
        None,
    )


def _markers(seen: Seen, *, thought: bool = False) -> int:
    """How many tokens without text this stream may well have."""
    return (
        (0 if seen.finish == "length" else _END_MARKER)
        + (_THINK_MARKERS if seen.thinking_events or thought else 0)
        + _CALL_MARKERS * seen.calls
    )


def _visible(total: int, events: int, size: int, markers: int) -> tuple[int, int]:
    """(shown, unseen) tokens of ``total``, given ``events`` with ``size`` bytes of text.

    Where events are nearly tokens, what is missing is markers. Where chunks hold several tokens
    the markers cannot be told from the text, and all counts as shown. Where the text is far too
    short for the total, it is taken at 4 bytes a token, and the rest is unseen.
    """
    if not events:
        return 0, total
    extra = total - events
    slack = max(2, total // 10)
    if extra <= 0:
        return total, 0
    if extra <= markers + slack:
        unseen = min(extra, markers)
        return total - unseen, unseen
    if total - max(events, size // 2) - markers > slack:
        shown = min(total, max(events, round(size / 4)))
        return shown, total - shown
    return total, 0


def _unexplained(seen: Seen, total: int) -> int:
    """Tokens beyond what the text can hold, or (negative) short of what it must.

    A token of text has between 2 and 8 bytes on the average, and every event has at least one,
    unless a proxy cut the text anew. Differences up to max(2, 10 %) are nobody's fault
    (ai-dynamo/aiperf takes the same 10 %).
    """
    events = seen.thinking_events + seen.answer_events
    size = seen.thinking_bytes + seen.answer_bytes
    slack = max(2, total // 10)
    over = total - max(events, size // 2) - _markers(seen)
    if over > slack:
        return over
    under = min(events, size // 8) - total
    return -under if under > slack else 0
