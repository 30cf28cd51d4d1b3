"""The figures of a running stream at fixed places: nothing moves, however the numbers grow.

Every line has the same length from the first frame to the last. Pure: figures in, text out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.live.watching import ENDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.live.figures import CountsFrom, Figures
    from core.live.verdict import Run
    from core.live.watching import Progress, State

WIDE: Final = 78
"""Columns from which the figures stand in three lines; below, in five."""
NARROW: Final = 58
"""Columns that the narrow form needs."""
BARS: Final = "▁▂▃▄▅▆▇█"
WAIT, THINK, SAY = "·", "░", "█"
"""How the phase bar draws waiting, thinking and answering."""

_COUNTED: Final[dict[CountsFrom, str]] = {
    "running": "running usage (S)",
    "timings": "server timings (T)",
    "usage": "final usage (U)",
    "weight": "split by weight (V)",
    "estimate": "est., no usage (E)",
}
_STATES: Final[dict[State, str]] = {
    "connecting": "… connecting",
    "waiting": "… waiting for the first token",
    "prefill": "… the server reads the prompt",
    "thinking": "● thinking",
    "answering": "● answering",
    "calling": "● calling a tool",
    "done": "✓ done",
    "stopped": "■ stopped",
    "failed": "✗ failed",
}


def fit(value: float | None, width: int, digits: int = 3) -> str:
    """``value`` right-aligned in ``width`` characters, with fewer decimals where it is long."""
    if value is None:
        return f"{'–':>{width}}"
    for decimals in range(digits, -1, -1):
        text = f"{value:.{decimals}f}"
        if len(text) <= width:
            return f"{text:>{width}}"
    return f"{'>' + '9' * (width - 1):>{width}}"


def spark(rates: Sequence[float], width: int) -> str:
    """The rates as a line of bars of ``width`` characters; dots where there are none yet."""
    if not rates or width < 1:
        return "·" * max(width, 0)
    columns = []
    for index in range(width):
        first = index * len(rates) // width
        last = max((index + 1) * len(rates) // width, first + 1)
        part = rates[first:last]
        columns.append(sum(part) / len(part))
    top = max(columns)
    if top <= 0:
        return BARS[0] * width
    return "".join(BARS[min(int(rate / top * len(BARS)), len(BARS) - 1)] for rate in columns)


def panel(
    figures: Figures,
    counts_from: CountsFrom,
    *,
    rate: float | None = None,
    rates: Sequence[float] = (),
    width: int = WIDE,
    tall: bool = False,
) -> tuple[str, ...]:
    """The figures' lines, ``width`` columns wide; ``tall`` adds those that explain the others."""
    wide = width >= WIDE
    first, answer = fit(figures.first_token_s, 6), fit(figures.first_answer_s, 6)
    total, connected = fit(figures.total_s, 6), f"connect {_ms(figures.connect_s, 5)} ms"
    p50, p95 = _ms(figures.gap_p50_s, 4), _ms(figures.gap_p95_s, 4)
    stall = _ms(figures.longest_stall_s, 5)
    estimated = rate is not None and counts_from == "estimate"
    now = f" {fit(rate, 6, 1)} tok/s {'est.' if estimated else 'now '}"
    counted = "nothing came yet" if figures.first_token_s is None else _COUNTED[counts_from]
    if wide:
        gaps = f"gaps p50 {p50}  p95 {p95}  longest {stall} ms  "
        lines = [
            f"first token {first} s  first answer {answer} s  total {total} s  {connected}",
            gaps + spark(rates, width - len(gaps) - len(now)) + now,
            f"usage {_split(figures)} {counted}",
        ]
    else:
        usage, split = _split(figures).split(" = ")
        lines = [
            f"first token {first} s  answer {answer} s  total {total} s",
            f"gaps p50 {p50} p95 {p95} longest {stall} ms {connected}",
            spark(rates, width - len(now)) + now,
            f"usage {usage}   {counted}",
            f"    = {split}",
        ]
    if tall:
        itl = None if figures.itl_s is None else figures.itl_s * 1000
        lines.append(
            f"end to end {fit(figures.tokens_per_s_end_to_end, 6, 1)} tok/s"
            f"  prefill at least {fit(figures.prefill_tokens_per_s, 7, 0)} tok/s"
        )
        lines.append(f"between tokens {fit(itl, 6, 1)} ms   headers {fit(figures.headers_s, 6)} s")
    return tuple(line[:width].ljust(width) for line in lines)


def phases(figures: Figures, state: State) -> tuple[float, float, float]:
    """Seconds of waiting, of thinking, and of answering, so far; they add up to the total."""
    total = figures.total_s or 0.0
    first, answer = figures.first_token_s, figures.first_answer_s
    if first is None:
        return (0.0 if state == "connecting" else total, 0.0, 0.0)
    if answer is None:
        return (min(first, total), max(total - first, 0.0), 0.0)
    return (min(first, total), max(answer - first, 0.0), max(total - answer, 0.0))


def phase_bar(shares: tuple[float, float, float], width: int) -> tuple[int, int, int]:
    """How many of ``width`` cells each phase gets; one that took any time has one at the least."""
    total = sum(shares)
    if total <= 0 or width < 3:
        return (0, 0, 0)
    cells = [max(round(share / total * width), 1) if share > 0 else 0 for share in shares]
    while sum(cells) > width:
        cells[cells.index(max(cells))] -= 1
    if sum(cells) < width:
        cells[cells.index(max(cells))] += width - sum(cells)
    return (cells[0], cells[1], cells[2])


def phase_words(shares: tuple[float, float, float], *, short: bool = False) -> str:
    """The seconds of each phase, of one length always: what the bar's signs mean."""
    wait, think, say = (fit(share or None, 5, 2) for share in shares)
    if short:
        return f"{WAIT}{wait} {THINK}{think} {SAY}{say} s"
    return f"{WAIT} wait {wait}  {THINK} think {think}  {SAY} answer {say} s"


def state_words(progress: Progress) -> str:
    """Where the request stands and for how long, with a sign."""
    words = _STATES[progress.state]
    if progress.state == "prefill" and progress.prefill is not None:
        words += f" {progress.prefill * 100:3.0f} %"
    if progress.state in ENDS:
        return words
    return f"{words} {progress.state_s:5.1f} s"


def brief_words(progress: Progress) -> tuple[str, str]:
    """The same in a sign and a word, for where there is little room."""
    run, state = progress.run, progress.state
    if state == "done" and run is not None:
        signs = {True: ("✓", "works"), False: ("✗", "does not work"), None: ("◐", "undecided")}
        return signs[run.works]
    sign, _, words = _STATES[state].partition(" ")
    if state in {"waiting", "prefill"}:
        return sign, f"waiting {progress.state_s:.1f} s"
    return sign, words


def end_words(state: State, run: Run) -> str:
    """How the request ended: what of reachable, authorised and works it proved."""
    from core.live.words import result_words

    return "■ stopped" if state == "stopped" else result_words(run)


def _split(figures: Figures) -> str:
    def whole(value: int | None, width: int) -> str:
        return f"{'–' if value is None else value:>{width}}"

    came = figures.first_token_s is not None
    return (
        f"{whole(figures.completion_tokens, 6)} ="
        f" {whole(figures.thinking_tokens if came else None, 5)} thinking"
        f" + {whole(figures.answer_tokens if came else None, 5)} answer"
        f" + {whole(figures.unseen_tokens, 4)} unseen"
    )


def _ms(value: float | None, width: int) -> str:
    return fit(None if value is None else value * 1000, width, 0)
