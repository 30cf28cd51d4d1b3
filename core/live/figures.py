"""The figures of one stream: what each name means, in which unit, and why one may be missing."""

from __future__ import annotations

import math
from array import array
from bisect import insort
from typing import Final, Literal

import msgspec

CountsFrom = Literal["running", "timings", "usage", "weight", "estimate"]
"""Where token counts come from, best first: grades S, T, U, V and E.

running (S): differences of running usage, exact per phase to one event. timings (T): the server's
own ``timings``, an exact total, per phase if they come with every chunk. usage (U): final usage
split by the server's ``reasoning_tokens`` (or nothing to split), an exact total. weight (V): final
usage split by the UTF-8 bytes of each phase, an exact total, the split about. estimate (E): no
usage at all; events, or bytes by what an earlier run of the model taught.
"""

GRADES: Final[dict[CountsFrom, str]] = {
    "running": "S",
    "timings": "T",
    "usage": "U",
    "weight": "V",
    "estimate": "E",
}
"""The letter that the screen shows for each origin of counts."""

Reason = Literal["too short", "buffered", "hidden thinking", "nothing came", "no usage"]
"""Why a figure is withheld."""

MIN_TOKENS: Final = 8
"""A rate of fewer tokens than this says nothing."""
MIN_SECONDS: Final = 0.25
"""A rate over a shorter time than this says nothing."""


class Figures(msgspec.Struct, frozen=True):
    """What was measured. Seconds, tokens, tokens per second. None: not measured, or withheld.

    t0 is the request's first byte, handed to the socket of a ready connection. A token-bearing
    event has thinking, answer text or a piece of a tool call in it, and not only a role, a usage
    or a comment.
    """

    connect_s: float | None = None
    """Name, TCP and TLS, before t0; None when an open connection was used again."""
    headers_s: float | None = None
    """t0 to the response's head. On many servers this waits for the whole prompt to be read."""
    first_token_s: float | None = None
    """t0 to the first token-bearing event (TTFT)."""
    first_answer_s: float | None = None
    """t0 to the first answer text or tool-call piece; None if it never came."""
    total_s: float | None = None
    """t0 to the end of the stream (so far, while it runs)."""
    thinking_s: float | None = None
    """First to last event of thinking; several stretches add up."""
    answering_s: float | None = None
    """First to last event of the answer, or from the last thinking when that came before."""
    thinking_tokens: int | None = None
    """Tokens of thinking that was shown (or, hidden, that the server counted)."""
    answer_tokens: int | None = None
    """Tokens of answer text and tool calls."""
    unseen_tokens: int | None = None
    """Tokens that were generated and never shown: think markers, the end of turn, call syntax.

    ``completion_tokens`` = thinking + answer + unseen. None without a total from the server.
    """
    completion_tokens: int | None = None
    """All generated tokens, as the server counts them; None when it does not say."""
    prompt_tokens: int | None = None
    """Tokens of the prompt, as the server counts them."""
    thinking_tokens_per_s: float | None = None
    """(n - 1) / thinking time; one less for each further stretch. At least 8 tokens and 250 ms."""
    answer_tokens_per_s: float | None = None
    """(n - 1) / answering time, or n / (last answer - last thinking) when thinking came before."""
    tokens_per_s_end_to_end: float | None = None
    """Generated tokens / (last token event - t0): the rate that includes all waiting."""
    prefill_tokens_per_s: float | None = None
    """The server's own prompt speed, else uncached prompt tokens / first_token_s: "at least"."""
    itl_s: float | None = None
    """Inter-token latency: (last - first token event) / (n - 1), one figure for the stream."""
    tpot_excl_first_s: float | None = None
    """Time per output token after the first, over all generated tokens (vLLM's TPOT)."""
    gap_p50_s: float | None = None
    """Median time between consecutive token-bearing events."""
    gap_p95_s: float | None = None
    """95th percentile of the same gaps."""
    longest_stall_s: float | None = None
    """The longest of the same gaps."""
    stamps: Literal["kernel", "thread"] | None = None
    """Whose receive times these figures are made of: the kernel's (Linux), exact however busy this
    program is; or the reading thread's, late by what held it up. None before anything came.
    """
    withheld: dict[str, Reason] = {}
    """For figures that are None where a number might be expected: the reason, by figure."""


class RunWarning(msgspec.Struct, frozen=True):
    """Something a run tells, in words, with what to do about it."""

    code: str
    message: str
    fix: str = ""


_EXACT: Final = 4096
_SMALLEST: Final = 1e-7
_STEP: Final = math.log(1.01)


class Gaps:
    """Gaps in seconds, for percentiles: exact up to 4096 of them, beyond that within 0.5 %.

    Memory is bounded however many come: sorted values first, then counts in bins that are each
    1 % wider than the one before, from 0.1 us on; at the most some 2,500 for gaps of an hour.
    """

    __slots__ = ("_bins", "_values", "count", "longest")

    def __init__(self) -> None:
        self._values = array("d")
        self._bins: dict[int, int] = {}
        self.count = 0
        self.longest = 0.0
        """Seconds; exact."""

    def add(self, gap: float) -> None:
        """One more gap; a negative one (stamps of two clocks) counts as 0."""
        gap = max(gap, 0.0)
        self.count += 1
        if gap > self.longest:
            self.longest = gap
        if self.count <= _EXACT:
            insort(self._values, gap)  # sorted at any time, since they are asked for often
            return
        if self._values:
            for value in self._values:
                self._bin(value)
            self._values = array("d")
        self._bin(gap)

    def percentile(self, share: float) -> float | None:
        """The gap below which ``share`` (0 to 1) of all lie; None without any."""
        if not self.count:
            return None
        if self._values:
            values = self._values
            place = share * (len(values) - 1)
            low = int(place)
            high = min(low + 1, len(values) - 1)
            return values[low] + (values[high] - values[low]) * (place - low)
        wanted = share * (self.count - 1)
        seen = 0
        for number in sorted(self._bins):
            seen += self._bins[number]
            if seen > wanted:
                return min(_SMALLEST * math.exp((number + 0.5) * _STEP), self.longest)
        return self.longest

    def _bin(self, gap: float) -> None:
        number = int(math.log(gap / _SMALLEST) / _STEP) if gap > _SMALLEST else 0
        self._bins[number] = self._bins.get(number, 0) + 1
