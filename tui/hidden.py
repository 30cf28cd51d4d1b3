"""Asking for a key at a terminal: nothing is echoed, and nothing of a paste is lost in silence.

``getpass`` takes the first line and throws the rest of a paste away.
"""

from __future__ import annotations

import os
import sys
from typing import Final

import click

from core.errors import Fault, KeyProblem

_LINE: Final = 4095
"""Characters of a line that Linux's terminals take; what is longer is cut there."""
_REST_S: Final = 0.05


def ask_hidden(question: str) -> str:
    """The line that is typed or pasted at the terminal that is standard input.

    Raises:
        KeyProblem: several lines were pasted, or more than a terminal takes.
        UnicodeDecodeError: it is not UTF-8.
        click.Abort: the input ended, or Ctrl-C.
    """
    try:
        import termios
    except ImportError:  # Windows
        return str(click.prompt(question, hide_input=True, err=True))
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    try:
        # What was typed before the question is no answer to it.
        termios.tcsetattr(handle, termios.TCSAFLUSH, quiet)
        click.echo(f"{question}: ", nl=False, err=True)
        line = _line(handle)
        # The rest of a paste may have no line end: it is only seen without line discipline.
        raw = [*quiet[:3], quiet[3] & ~termios.ICANON, *quiet[4:]]
        termios.tcsetattr(handle, termios.TCSADRAIN, raw)
        rest = _rest(handle)
    except KeyboardInterrupt:
        raise click.Abort from None
    finally:
        termios.tcsetattr(handle, termios.TCSAFLUSH, before)
        click.echo(err=True)
    if not line:
        raise click.Abort
    if rest.strip():
        raise KeyProblem(
            Fault(
                "key_refused",
                "Several lines were pasted. Nothing was stored.",
                "A key is one line; which of them is meant is not guessed.",
                "Paste the key alone, or pipe it in.",
            )
        )
    if len(line) >= _LINE:
        why = f"A terminal takes {_LINE} characters in a line, and cuts off the rest."
        raise KeyProblem(
            Fault("key_refused", "The key is too long to be typed.", why, "Pipe it in.")
        )
    return line.decode()


def _line(handle: int) -> bytes:
    """Up to and with the line end; less where the input ended."""
    line = b""
    while not line.endswith(b"\n") and (piece := os.read(handle, _LINE + 1)):
        line += piece
    return line


def _rest(handle: int) -> bytes:
    import select

    rest = b""
    while select.select([handle], [], [], _REST_S)[0] and (piece := os.read(handle, 65_536)):
        rest += piece
    return rest
