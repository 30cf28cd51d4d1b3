"""A line that says what is waited for, since how many seconds, and how it is ended."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from textual.widgets import Static

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.visual import VisualType

TICK_S = 0.25


class Elapsed(Static):
    """Counts while it waits; any other text ends the wait."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self.clock: Callable[[], float] = monotonic
        """Gives seconds; the wait is counted by it."""
        self.since = 0.0
        """When the wait began, by the clock."""
        self._waits = ""

    def on_mount(self) -> None:
        """The clock runs."""
        self.set_interval(TICK_S, self._tick)

    def wait(self, words: str) -> None:
        """``words``: what is waited for."""
        self._waits, self.since = words, self.clock()
        self._tick()

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Something else to say: nothing is waited for any more."""
        self._waits = ""
        super().update(content, layout=layout)

    def _tick(self) -> None:
        if self._waits:
            seconds = self.clock() - self.since
            super().update(f"{self._waits} … {seconds:.0f} s   esc ends it")
