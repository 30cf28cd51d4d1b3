"""What the interpreter does less of, or more often, while a stream is read beside painting.

A thread that wants the interpreter waits for it: up to the switch interval, 5 ms unless set
(``sys.setswitchinterval``), and as long as a full garbage collection takes, which in an app with
screens was 90 ms, several times in three seconds. A fast stream's next tokens come meanwhile, and
the kernel gives one time for all of them. So the interval is made shorter, and what exists before
the stream is left out of collections until it ends (``gc.freeze``).
"""

from __future__ import annotations

import gc
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERVAL_S: Final = 0.0005


class _Quick:
    """Counts who wants it, so that several races share one change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0
        self._before = 0.0

    def begin(self) -> None:
        with self._lock:
            if not self._wanted:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(INTERVAL_S, self._before))
                gc.freeze()
            self._wanted += 1

    def end(self) -> None:
        with self._lock:
            self._wanted -= 1
            if not self._wanted:
                sys.setswitchinterval(self._before)
                gc.unfreeze()


_QUICK: Final = _Quick()


@contextmanager
def quick_switching() -> Iterator[None]:
    """Quick as long as anybody is inside; afterwards it is as it was before."""
    _QUICK.begin()
    try:
        yield
    finally:
        _QUICK.end()
