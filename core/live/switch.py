"""A shorter switch interval of the interpreter, while a stream is read beside painting.

A thread that wants the interpreter waits for it up to the switch interval, 5 ms unless set
(``sys.setswitchinterval``); within that a fast stream's next token comes as well, and the kernel
gives one time for both.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERVAL_S: Final = 0.0005


class _Interval:
    """Counts who wants it short, so that several races share one change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0
        self._before = 0.0

    def begin(self) -> None:
        with self._lock:
            if not self._wanted:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(INTERVAL_S, self._before))
            self._wanted += 1

    def end(self) -> None:
        with self._lock:
            self._wanted -= 1
            if not self._wanted:
                sys.setswitchinterval(self._before)


_INTERVAL: Final = _Interval()


@contextmanager
def quick_switching() -> Iterator[None]:
    """The short interval as long as anybody is inside; what was set before comes back after."""
    _INTERVAL.begin()
    try:
        yield
    finally:
        _INTERVAL.end()
