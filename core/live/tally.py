"""What the meter keeps of the past: running counts per phase, and when events came.

Memory is bounded: a long stream is remembered more coarsely, never less of it.
"""

from __future__ import annotations

from array import array
from collections import deque
from typing import Final

from core.live.grade import Running

WINDOW_S: Final = 1.0
"""How far back a live rate looks, in seconds."""

_KEPT: Final = 4096


class Tracker:
    """Counts that come along with the text, turned into tokens per phase.

    A difference belongs to the text since the last count, by bytes; without any, to nobody.
    """

    __slots__ = ("answer", "answer_bytes", "thinking", "thinking_bytes", "total", "updates")

    def __init__(self) -> None:
        self.total = 0
        self.thinking = 0.0
        self.answer = 0.0
        self.thinking_bytes = 0
        self.answer_bytes = 0
        self.updates = 0
        """How many counts came after new text."""

    def update(self, total: int, thinking_bytes: int, answer_bytes: int) -> None:
        """A cumulative count, beside the bytes of each phase so far."""
        more = total - self.total
        thought = thinking_bytes - self.thinking_bytes
        answered = answer_bytes - self.answer_bytes
        both = thought + answered
        if both > 0:
            self.updates += 1
            self.thinking_bytes, self.answer_bytes = thinking_bytes, answer_bytes
            if more > 0:
                self.thinking += more * thought / both
                self.answer += more * answered / both
        if more > 0:
            self.total = total

    def answer_was_thinking(self) -> None:
        """What was counted as answer so far was thinking."""
        self.thinking, self.answer = self.thinking + self.answer, 0.0
        self.thinking_bytes, self.answer_bytes = self.thinking_bytes + self.answer_bytes, 0

    def running(self, events: int) -> Running | None:
        """The split, if counts came with at least every other event, and more than once."""
        if self.updates < 2 or self.updates * 2 < events:
            return None
        return Running(round(self.thinking), round(self.answer), self.total)


class Timeline:
    """When token-bearing events came: each of the last second, all of the stream in 4096 places."""

    __slots__ = ("_times", "_weights", "_window")

    def __init__(self) -> None:
        self._window: deque[float] = deque()
        self._times = array("d")
        self._weights = array("d")

    def add(self, at: float) -> None:
        """One more event, at or after the last one."""
        window = self._window
        window.append(at)
        since = at - WINDOW_S
        while window[0] < since:
            window.popleft()
        if self._times and self._times[-1] == at:
            self._weights[-1] += 1
            return
        self._times.append(at)
        self._weights.append(1)
        if len(self._times) > _KEPT:
            # Halve the resolution: pairs become one, at the time of their first.
            odd = self._weights[1::2]
            self._times = self._times[::2]
            self._weights = self._weights[::2]
            for place, weight in enumerate(odd):
                self._weights[place] += weight

    def lately(self, now: float) -> int:
        """How many events came in the second before ``now``, which never goes back."""
        window, since = self._window, now - WINDOW_S
        while window and window[0] <= since:
            window.popleft()
        return len(window)

    def rates(self, start: float, end: float, columns: int) -> tuple[float, ...]:
        """Events per second between two times, in equal columns; empty when there is no time."""
        width = (end - start) / columns
        if width <= 0:
            return ()
        sums = [0.0] * columns
        for at, weight in zip(self._times, self._weights, strict=True):
            sums[min(int((at - start) / width), columns - 1)] += weight
        return tuple(value / width for value in sums)

    def densest(self, width: float) -> float:
        """The most events in any stretch of ``width`` seconds."""
        best = inside = 0.0
        low = 0
        for high, at in enumerate(self._times):
            inside += self._weights[high]
            while self._times[low] < at - width:
                inside -= self._weights[low]
                low += 1
            best = max(best, inside)
        return best
