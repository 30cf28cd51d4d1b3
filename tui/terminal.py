"""Whether the terminal is still there: a window that was closed leaves its end behind."""

from __future__ import annotations

import os
import sys
from typing import Final

TERMINAL_LOOK_S: Final = 2.0
"""How often one looks."""
GONE: Final = 129
"""The exit code of a program whose terminal hung up (128 and SIGHUP)."""


def terminal_is_there() -> bool:
    """False once the terminal that standard input was has gone.

    A program that is no leader of its session gets no signal then (POSIX, «hang up»), and reading
    gives an empty end at once, again and again.
    """
    try:
        import termios
    except ImportError:  # Windows closes the program with its window
        return True
    stream = sys.__stdin__
    if stream is None:
        return True
    try:
        termios.tcgetattr(stream.fileno())
    except termios.error as error:
        return error.args[0] not in _GONE
    except (ValueError, OSError):  # closed, or no file at all: a test's
        return True
    return True


def forget_terminal() -> None:
    """Let what is still to be written go nowhere: Python would end with 120 for what it cannot."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)


_GONE: Final = frozenset({5, 6})  # EIO, ENXIO
