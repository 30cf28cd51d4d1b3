"""A program in a pseudo-terminal whose output is read all the time, so that it really paints."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COLUMNS: Final = 120
ROWS: Final = 40
_RESTS: Final = 0.05
_LOOK_S: Final = 0.2


class Terminal:
    """120 x 40, true colour. A thread of ours reads what is painted, and keeps the end of it."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        full = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **env}
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=full, start_new_session=True
        )
        os.close(slave)
        self._changed = threading.Condition()
        self._tail = b""
        self.painted = 0
        """Bytes that were painted so far."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                ready, _, _ = select.select([self._master], [], [], 0.5)
                data = os.read(self._master, 1 << 16) if ready else None
            except OSError:
                return
            if data is None:
                continue
            with self._changed:
                self.painted += len(data)
                self._tail = (self._tail + data)[-200_000:]
                self._changed.notify_all()

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def wait(self, holds: Callable[[bytes], bool], seconds: float = 30.0) -> float:
        """When the output came to hold it. Raises TimeoutError with the end of the output."""
        end = time.perf_counter() + seconds
        with self._changed:
            while not holds(self._tail):
                left = end - time.perf_counter()
                if left <= 0 or self.process.poll() is not None:
                    text = self._tail[-3000:].decode("utf-8", "replace")
                    raise TimeoutError(f"not painted: …{text!r}")
                self._changed.wait(min(left, 0.5))
            return time.perf_counter()

    def forget(self) -> None:
        """Look only at what is painted from here on."""
        with self._changed:
            self._tail = b""

    def rested(self, seconds: float = 30.0) -> None:
        """Wait until the program does next to nothing. Raises TimeoutError."""
        end = time.perf_counter() + seconds
        used = 1.0
        while used > _RESTS * _LOOK_S:
            if time.perf_counter() > end:
                raise TimeoutError("it never rests")
            used = self.cpu_s()
            time.sleep(_LOOK_S)
            used = self.cpu_s() - used

    def cpu_s(self, *, main_thread: bool = False) -> float:
        """Seconds of processor time so far: of all threads, or of the one that paints."""
        which = str(self.process.pid) if main_thread else "*"
        tasks = Path(f"/proc/{self.process.pid}/task").glob(f"{which}/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def rss_mib(self) -> float:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def close(self) -> None:
        """End the program."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._reader.join(2.0)
        os.close(self._master)
