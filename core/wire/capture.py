"""Receiving without the interpreter: many reads in one call, each with the kernel's own time.

``recvmmsg(2)`` fills one buffer after the other as bytes arrive, and notes of each its length and
receive time, all in one blocking call for which ctypes lets go of the interpreter. A program that
paints may hold the interpreter as long as it likes: no two tokens are read together, and each
keeps its time. Whoever reads looks at the lengths while the call is still under way; the kernel
writes a length after everything else of its entry (``do_recvmmsg``).

Linux on 64-bit machines alone; :func:`can_capture` says whether.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from core.wire.stamps import SO_TIMESTAMPNS, SPACE

if TYPE_CHECKING:
    import socket

SLOTS: Final = 128
"""Reads in one call."""
SIZE: Final = 65536
"""Bytes of one read at the most."""
_NOT_YET: Final = 0xFFFFFFFF
_TIMESPEC: Final = struct.Struct("@qq")
_CMSG: Final = struct.Struct("@Qii")


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("len", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """``struct mmsghdr`` of 64-bit Linux."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("namelen", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("pad", ctypes.c_int),
        ("len", ctypes.c_uint32),
        ("pad_too", ctypes.c_uint32),
    )


def can_capture() -> bool:
    """Whether this system can do it."""
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    return hasattr(ctypes.CDLL(None), "recvmmsg")


class _Round:
    """The buffers of one call."""

    def __init__(self) -> None:
        # Of pages that cost memory only once something came into them.
        self._data = (ctypes.c_char * (SLOTS * SIZE)).from_buffer(mmap.mmap(-1, SLOTS * SIZE))
        self._control = ctypes.create_string_buffer(SLOTS * SPACE)
        self._iovecs = (_Iovec * SLOTS)()
        self.messages = (_Message * SLOTS)()
        self._at = ctypes.addressof(self._data)
        self._control_at = ctypes.addressof(self._control)
        for slot in range(SLOTS):
            self._iovecs[slot] = _Iovec(self._at + slot * SIZE, SIZE)
        self.free = threading.Event()
        self.free.set()

    def clear(self) -> None:
        """Ready for a call."""
        for slot in range(SLOTS):
            message = self.messages[slot]
            message.iov = ctypes.addressof(self._iovecs[slot])
            message.iovlen = 1
            message.control = self._control_at + slot * SPACE
            message.controllen = SPACE
            message.len = _NOT_YET

    def came(self, slot: int) -> tuple[bytes, int | None] | None:
        """Bytes and time of one slot; None while it is not filled."""
        message = self.messages[slot]
        size: int = message.len
        if size == _NOT_YET:
            return None
        stamp = None
        if message.controllen >= _CMSG.size + _TIMESPEC.size:
            where = self._control_at + slot * SPACE
            _, _, kind = _CMSG.unpack(ctypes.string_at(where, _CMSG.size))
            if kind == SO_TIMESTAMPNS:
                raw = ctypes.string_at(where + _CMSG.size, _TIMESPEC.size)
                seconds, rest = _TIMESPEC.unpack(raw)
                stamp = int(seconds) * 1_000_000_000 + int(rest)
        return ctypes.string_at(self._at + slot * SIZE, size), stamp


class Capture:
    """Takes a connected, blocking socket over for reading, in a thread of its own.

    The thread closes the socket when the connection has ended, or :meth:`stop` ended it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._rounds = (_Round(), _Round())
        for one in self._rounds:
            one.clear()
        self._reading = 0
        self._slot = 0
        self._failed: tuple[int, int] | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="turnkey-capture", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        receive = ctypes.CDLL(None, use_errno=True).recvmmsg
        number = 0
        try:
            while True:
                one = self._rounds[number % 2]
                one.free.wait()
                one.free.clear()
                if self._stopped:
                    return
                count = receive(self._sock.fileno(), one.messages, SLOTS, 0, None)
                if count < 0:
                    code = ctypes.get_errno()
                    if code == errno.EINTR:
                        one.free.set()
                        continue
                    self._failed = (number, code)
                    return
                if one.messages[count - 1].len == 0:
                    return  # the end; it is read from the slot
                if count < SLOTS:  # an error follows, or a signal came: go on with the next round
                    for slot in range(count, SLOTS):
                        one.messages[slot].len = _NOT_YET - 1
                number += 1
        finally:
            with self._lock:
                self._stopped = True
                self._sock.close()

    def take(self) -> tuple[bytes, int | None] | OSError | None:
        """The next read with its time (empty bytes: the end), an error, or None: nothing yet."""
        while True:
            one = self._rounds[self._reading % 2]
            if self._slot < SLOTS and one.messages[self._slot].len == _NOT_YET - 1:
                self._slot = SLOTS
            if self._slot == SLOTS:
                one.clear()
                one.free.set()
                self._reading += 1
                self._slot = 0
                continue
            failed = self._failed
            found = one.came(self._slot)
            if found is not None:
                if found[0]:  # the end is said again to whoever asks again
                    self._slot += 1
                return found
            if failed is not None and failed[0] == self._reading:
                return OSError(failed[1], os.strerror(failed[1]))
            return None

    def stop(self) -> None:
        """End the connection, which wakes the thread up."""
        import socket as module

        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            with suppress(OSError):  # it was never connected, or is gone
                self._sock.shutdown(module.SHUT_RDWR)
        for one in self._rounds:
            one.free.set()
