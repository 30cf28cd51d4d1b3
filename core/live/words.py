"""Figures in words: the same lines on the screen and on the command line.

Every figure has its place and its width from the first frame, so that nothing jumps while a
stream runs; what is not known stands as a dash.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from core.live.figures import GRADES, CountsFrom, Figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.live.ping import Run

COUNT_WORDS: Final[dict[CountsFrom, str]] = {
    "running": "running usage, exact",
    "timings": "server timings, exact",
    "usage": "final usage, exact",
    "weight": "final usage, split by weight",
    "estimate": "estimated from the text",
}


def seconds(value: float | None) -> str:
    """Seconds with milliseconds, or a dash; five characters at the least."""
    return "    –" if value is None else f"{value:5.3f}"


def milliseconds(value: float | None) -> str:
    """Milliseconds without decimals, or a dash."""
    return "   –" if value is None else f"{value * 1000:4.0f}"


def rate(value: float | None, reason: str | None = None) -> str:
    """Tokens per second, or why there is no rate."""
    if value is not None:
        return f"{value:6.1f} tok/s"
    return f"{reason:>12}" if reason else f"{'–':>6} tok/s"


def count(value: int | None, *, estimated: bool) -> str:
    """Tokens, marked where they are estimated."""
    if value is None:
        return "     – tok"
    return f"{value:6,d} tok" + (" est." if estimated else "")


def phase_words(
    tokens: int | None, per_s: float | None, reason: str | None, counts_from: CountsFrom
) -> str:
    """Tokens and rate of one phase, for the title of its pane."""
    estimated = counts_from == "estimate"
    return f"{count(tokens, estimated=estimated).strip()}  {rate(per_s, reason).strip()}"


def time_line(figures: Figures) -> str:
    """When what came, in seconds from the request; connection set-up apart."""
    return (
        f"connect {milliseconds(figures.connect_s)} ms"
        f"   first token {seconds(figures.first_token_s)} s"
        f"   first answer {seconds(figures.first_answer_s)} s"
        f"   total {seconds(figures.total_s)} s"
    )


def rate_line(figures: Figures, counts_from: CountsFrom) -> str:
    """Tokens and rates of thinking and answer, each over its own time."""
    if figures.first_token_s is None:
        figures = Figures()  # nothing came: there is nothing to count
    estimated = counts_from == "estimate"
    withheld = figures.withheld
    return (
        f"thinking {count(figures.thinking_tokens, estimated=estimated)}"
        f" {rate(figures.thinking_tokens_per_s, withheld.get('thinking_tokens_per_s'))}"
        f"   answer {count(figures.answer_tokens, estimated=estimated)}"
        f" {rate(figures.answer_tokens_per_s, withheld.get('answer_tokens_per_s'))}"
    )


def gap_line(figures: Figures) -> str:
    """The time between two pieces: median, 95th percentile, longest."""
    return (
        f"gaps p50 {milliseconds(figures.gap_p50_s)}"
        f"  p95 {milliseconds(figures.gap_p95_s)}"
        f"  longest {milliseconds(figures.longest_stall_s)} ms"
    )


def usage_line(figures: Figures, counts_from: CountsFrom) -> str:
    """What the server counted, what was seen of it, and how sure the split is."""
    how = f"{COUNT_WORDS[counts_from]} ({GRADES[counts_from]})"
    if figures.first_token_s is None:
        return "usage –"
    if figures.completion_tokens is None:
        return f"usage –   {how}"
    unseen = figures.unseen_tokens or 0
    return (
        f"usage {figures.completion_tokens} = {figures.thinking_tokens or 0} thinking"
        f" + {figures.answer_tokens or 0} answer + {unseen} unseen   {how}"
    )


def figure_lines(figures: Figures, counts_from: CountsFrom) -> list[str]:
    """The four lines of figures."""
    return [
        time_line(figures),
        rate_line(figures, counts_from),
        gap_line(figures),
        usage_line(figures, counts_from),
    ]


def tried_words(run: Run) -> str:
    """How the last try of a model went, in a few words with a sign."""
    if run.works is None and run.error is None:
        return "◐ thought, then cut off"
    if not run.ok:
        return f"▲ {run.error.what if run.error is not None else 'does not work'}"
    first = run.figures.first_token_s
    parts = ["● works"]
    if first is not None:
        parts.append(f"{first:.2f} s")
    if run.figures.answer_tokens_per_s is not None:
        parts.append(f"{run.figures.answer_tokens_per_s:.0f} tok/s")
    return "  ".join(parts)


def result_words(run: Run) -> str:
    """The three results of a run, each with its sign."""
    signs = {True: "✓", False: "✗", None: "·"}
    return (
        f"reachable {signs[run.reachable]}  authorised {signs[run.authorised]}"
        f"  works {signs[run.works]}"
    )


def reason_words(run: Run) -> list[str]:
    """Why a rate is missing, in a sentence; nothing where none is."""
    names = {"thinking_tokens_per_s": "thinking", "answer_tokens_per_s": "answer"}
    said = []
    for figure, phase in names.items():
        reason = run.figures.withheld.get(figure)
        if reason == "too short":
            said.append(f"the {phase} is too short for a rate (8 tokens over 250 ms at the least)")
        elif reason and reason != "nothing came":
            said.append(f"no rate of the {phase}: {reason}")
    return said


def stamp_words(figures: Figures) -> str:
    """Whose clock the times are of."""
    if figures.stamps == "kernel":
        return "times by the kernel's receive stamps"
    return "times by the thread that reads"


def median_lines(runs: Sequence[Run]) -> list[str]:
    """Medians and range of the main figures over several runs."""
    rows: tuple[tuple[str, str, str], ...] = (
        ("first token", "first_token_s", "s"),
        ("first answer", "first_answer_s", "s"),
        ("total", "total_s", "s"),
        ("thinking", "thinking_tokens_per_s", "tok/s"),
        ("answer", "answer_tokens_per_s", "tok/s"),
        ("end to end", "tokens_per_s_end_to_end", "tok/s"),
        ("gaps p50", "gap_p50_s", "s"),
        ("gaps p95", "gap_p95_s", "s"),
        ("longest gap", "longest_stall_s", "s"),
    )
    lines = []
    for label, name, unit in rows:
        values = [value for run in runs if (value := _figure(run.figures, name)) is not None]
        if values:
            lines.append(
                f"{label:<13} {median(values):8.3f} {unit:<5}"
                f"  ({min(values):.3f} to {max(values):.3f}, {len(values)} of {len(runs)} runs)"
            )
    return lines


def _figure(figures: Figures, name: str) -> float | None:
    value: float | None = getattr(figures, name)
    return value
