"""When bytes arrived: the kernel's own receive time, on the clock that figures are made with.

A program that paints reads late; the kernel notes the time as a packet comes in. Linux gives it
beside the bytes (socket(7), ``SO_TIMESTAMPNS``), by the wall clock; the difference between the
clocks is measured when a run begins, and again when a stamp cannot be true (somebody set the
clock). Elsewhere, or where a stamp is missing, the time of the read stands in for it.

Of bytes that waited together the kernel gives the time of the last alone (``tcp_recvmsg``).
"""

from __future__ import annotations

import platform
import struct
import sys
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

Source = Literal["kernel", "thread"]
"""Whose time it is: the kernel's, or that of the thread which read."""

SO_TIMESTAMPNS: Final = 35
"""Of Linux's asm-generic/socket.h; Python has no name for it. Also the type of its message."""
_OTHERWISE: Final = ("parisc", "sparc")  # have numbers of their own
_TIMESPEC: Final = struct.Struct("@ll")
_SLACK_NS: Final = 50_000
# The two clocks are read one after the other, so that their difference is off by as much.

SPACE: Final = 64
"""Room for ancillary data: one message with a timespec."""


class Stamps:
    """The arrival of the bytes that were read last, in seconds of ``time.perf_counter``."""

    __slots__ = (
        "_by_kernel",
        "_clock",
        "_difference",
        "_last",
        "_reads",
        "_wall",
        "at",
        "capture",
        "sent",
    )

    def __init__(
        self,
        clock: Callable[[], int] = time.perf_counter_ns,
        wall: Callable[[], int] = time.time_ns,
        *,
        capture: bool = False,
    ) -> None:
        self.capture = capture
        """Beside painting: connections receive without the interpreter, where that is possible."""
        self._clock = clock
        self._wall = wall
        self._difference: int | None = None
        self._last = 0
        self.at: float | None = None
        """None until something was read."""
        self.sent: float | None = None
        """When something was handed to the socket, first since this was last set to None."""
        self._reads = self._by_kernel = 0

    @property
    def source(self) -> Source:
        """Whose the times so far are, by far the most of them.

        The kernel begins to stamp a moment after it was asked to; the first may lack one.
        """
        return "kernel" if self._by_kernel * 4 > self._reads * 3 else "thread"

    def sends(self) -> None:
        """Bytes go to the socket now."""
        if self.sent is None:
            self.sent = self._clock() / 1e9

    def measure(self) -> None:
        """Take the difference between the clocks: the closest pair of several readings."""
        best: tuple[int, int] | None = None
        for _ in range(8):
            before, wall, after = self._clock(), self._wall(), self._clock()
            pair = (after - before, (before + after) // 2 - wall)
            best = pair if best is None else min(best, pair)
        self._difference = best[1] if best is not None else 0

    def mark(self, wall_ns: int | None) -> tuple[int, Source]:
        """The time of bytes that were read just now, and whose it is; ``wall_ns``: the kernel's."""
        now = self._clock()
        if wall_ns is None:
            return now, "thread"
        if self._difference is None:
            self.measure()
        for _ in range(2):
            at = wall_ns + (self._difference or 0)
            if self._last - _SLACK_NS <= at <= now + _SLACK_NS:
                at = self._last = min(max(at, self._last), now)
                return at, "kernel"
            self.measure()
        return now, "thread"

    def deliver(self, mark: tuple[int, Source]) -> None:
        """These bytes go to whoever reads: their time is the one that counts now."""
        at, source = mark
        self._reads += 1
        self._by_kernel += source == "kernel"
        self.at = at / 1e9


STAMPS: Final[ContextVar[Stamps | None]] = ContextVar("stamps", default=None)
"""Set by whoever wants stamps of the connections that are made from here on."""


def ask_kernel(sock: socket.socket) -> bool:
    """Have the kernel stamp what ``sock`` receives; False where it cannot."""
    if sys.platform != "linux" or platform.machine().startswith(_OTHERWISE):
        return False
    import socket as module

    try:
        sock.setsockopt(module.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def stamp_in(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """The kernel's time in nanoseconds of the wall clock, out of what ``recvmsg`` gave."""
    for _, kind, data in ancillary:
        if kind == SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return None
