"""What each figure on the screen means, with its unit, and what it is in this run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.live.figures import GRADES, CountsFrom, Figures
from core.live.words import COUNT_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

Unit = Literal["s", "ms", "tokens", "tok/s"]


class Meaning(msgspec.Struct, frozen=True):
    """One figure: its name on the screen, its field of Figures, its unit, and its definition."""

    label: str
    field: str
    unit: Unit
    words: str


MEANINGS: Final = (
    Meaning(
        "connect",
        "connect_s",
        "ms",
        "Name lookup, TCP and TLS, before the request. Never inside another figure; «–» where an"
        " open connection was used again.",
    ),
    Meaning(
        "headers",
        "headers_s",
        "s",
        "From the request's first byte to the head of the reply. Many servers have read the whole"
        " prompt by then; it is no network latency.",
    ),
    Meaning(
        "first token",
        "first_token_s",
        "s",
        "From the request's first byte to the first thinking, answer text or piece of a tool call"
        " (TTFT). A role, an empty piece and a keep-alive do not count.",
    ),
    Meaning(
        "first answer",
        "first_answer_s",
        "s",
        "From the request's first byte to the first answer text or piece of a tool call. The same"
        " as first token for a model that does not think; «–» if it never came.",
    ),
    Meaning("total", "total_s", "s", "From the request's first byte to the end of the stream."),
    Meaning(
        "thinking",
        "thinking_tokens_per_s",
        "tok/s",
        "(tokens - 1) / (first to last piece of thinking). Needs 8 tokens and 250 ms.",
    ),
    Meaning(
        "answer",
        "answer_tokens_per_s",
        "tok/s",
        "(tokens - 1) / (first to last piece of the answer), or tokens / (last thinking to last"
        " answer) after thinking. Needs 8 tokens and 250 ms.",
    ),
    Meaning(
        "end to end",
        "tokens_per_s_end_to_end",
        "tok/s",
        "All generated tokens / (request to last token): the one rate that includes all waiting.",
    ),
    Meaning(
        "prefill at least",
        "prefill_tokens_per_s",
        "tok/s",
        "Prompt tokens that were not cached / first token. At least, because waiting in a queue is"
        " in it; the server's own figure where it gives one.",
    ),
    Meaning(
        "between tokens",
        "itl_s",
        "ms",
        "(first to last token) / (tokens - 1): one figure for the stream (ITL).",
    ),
    Meaning(
        "gaps p50",
        "gap_p50_s",
        "ms",
        "Time between two pieces that hold tokens, the median. A piece may hold several tokens."
        " Above some 1,000 pieces a second it is true to 1 ms: those within one are read together.",
    ),
    Meaning("gaps p95", "gap_p95_s", "ms", "The same; 95 of 100 are shorter."),
    Meaning(
        "longest",
        "longest_stall_s",
        "ms",
        "The longest of these gaps: a stall that no average shows.",
    ),
    Meaning(
        "usage", "completion_tokens", "tokens", "All generated tokens, as the server counts them."
    ),
    Meaning("thinking", "thinking_tokens", "tokens", "Of these, tokens of thinking."),
    Meaning("answer", "answer_tokens", "tokens", "Of these, tokens of answer text and tool calls."),
    Meaning(
        "unseen",
        "unseen_tokens",
        "tokens",
        "Generated and never shown: think markers, the end of turn, call syntax. Many of them mean"
        " hidden thinking or lost text.",
    ),
    Meaning(
        "prompt", "prompt_tokens", "tokens", "Tokens of the prompt, as the server counts them."
    ),
)
"""In the order in which they happen."""

LIVE: Final = (
    "tok/s now counts the last second alone, by the best count known at the moment; the line of"
    " bars is the rate since the first token, the highest bar its maximum."
)

_GRADE_WORDS: Final[dict[CountsFrom, str]] = {
    "running": "exact for each phase",
    "timings": "exact total, for each phase if they came with every piece",
    "usage": "exact total, split by the server's count of reasoning tokens",
    "weight": "exact total; the split by how much text each phase had is near",
    "estimate": "no usage came: every count is estimated from the text",
}


class Explained(msgspec.Struct, frozen=True):
    """One meaning beside its value."""

    label: str
    value: str
    """With its unit, «–», or why there is none; estimates are marked «est.»."""
    words: str


def explained(figures: Figures, counts_from: CountsFrom) -> tuple[Explained, ...]:
    """Every figure with what it is now and what it means."""
    return tuple(_explained(figures, counts_from))


def count_meaning(counts_from: CountsFrom) -> str:
    """How tokens were counted, in a sentence with its letter."""
    letter = GRADES[counts_from]
    return f"counted by {COUNT_WORDS[counts_from]} ({letter}): {_GRADE_WORDS[counts_from]}"


def clock_meaning(figures: Figures) -> str:
    """Whose receive times the figures are made of; empty before anything came."""
    if figures.stamps == "kernel":
        return "times are the kernel's receive times: exact however busy this program is"
    if figures.stamps == "thread":
        return "times are read in a thread of its own as bytes arrive"
    return ""


def _explained(figures: Figures, counts_from: CountsFrom) -> Iterator[Explained]:
    for meaning in MEANINGS:
        value: float | None = getattr(figures, meaning.field)
        estimated = counts_from == "estimate" and meaning.unit in {"tokens", "tok/s"}
        if value is None:
            shown = figures.withheld.get(meaning.field, "–")
        else:
            shown = f"{_number(value, meaning.unit)} {meaning.unit}" + (
                " est." if estimated and meaning.field != "completion_tokens" else ""
            )
        yield Explained(meaning.label, shown, meaning.words)


def _number(value: float, unit: Unit) -> str:
    if unit == "s":
        return f"{value:.3f}"
    if unit == "ms":
        return f"{value * 1000:,.1f}"
    return f"{value:,.1f}" if unit == "tok/s" else f"{value:,.0f}"
