"""Runs one command, and ends it when standard input closes: no server outlives its tests.

``python keeper.py COMMAND...``. The command gets a process group of its own, and that group alone
is ended: asked first, then made to. A command that crashes (its memory, not its words: LiteLLM was
seen to, inside the interpreter) is started again, a few times, and a line says so. It is a program
by itself, so that it runs on any interpreter.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import Final

GRACE_S: Final = 10.0
"""Seconds that the command may take to end after it was asked to."""


CRASHES: Final = frozenset({-signal.SIGSEGV, -signal.SIGBUS})
STARTS: Final = 3
AGAIN: Final = "keeper: the server crashed and is started again"


def keep(command: list[str]) -> int:
    """Runs ``command`` until it ends or standard input closes; its exit code."""
    for _ in range(STARTS - 1):
        code = keep_once(command)
        if code not in CRASHES:
            return code
        os.write(1, f"{AGAIN}\n".encode())
    return keep_once(command)


def keep_once(command: list[str]) -> int:
    """One start of ``command``; its exit code, less than 0 for a signal."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def watch() -> None:
        while os.read(0, 4096):
            pass
        _signal(child.pid, signal.SIGTERM)
        try:
            child.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            _signal(child.pid, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    _signal(child.pid, signal.SIGKILL)  # what the command may have left behind in its group
    return code


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
