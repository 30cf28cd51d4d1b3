"""A terminal that goes away takes turnkey with it: nothing is left spinning."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final

import pytest

from tests.tui.desk import START

if TYPE_CHECKING:
    from tests.tui.desk import Desk

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")


def test_turnkey_ends_when_its_terminal_has_gone(desk: Desk) -> None:
    ours, theirs = pty.openpty()
    app = subprocess.Popen(
        [sys.executable, "-c", START],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=desk.folder,
        env=desk.env | {"TERM": "xterm-256color"},
    )
    try:
        os.close(theirs)
        drawn = b""
        while b"turnkey" not in drawn:  # the bar of the first frame
            drawn += os.read(ours, 65536)
        os.close(ours)
        assert app.wait(30) == 129
    finally:
        app.kill()
        app.wait()


SURROUNDINGS: Final = {
    "plain": {"TERM": "xterm-256color"},
    "sixteen": {"TERM": "xterm"},
    "colourless": {"TERM": "xterm-256color", "NO_COLOR": "1"},
    "ascii": {"TERM": "xterm", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "vt100": {"TERM": "vt100"},
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_the_terminal_is_left_as_it_was(name: str, desk: Desk) -> None:
    import termios

    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    app = subprocess.Popen(
        [sys.executable, "-c", START],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=desk.folder,
        env=desk.env | SURROUNDINGS[name],
    )
    drawn = bytearray()

    def read() -> None:
        with contextlib.suppress(OSError):  # its other end is closed
            while data := os.read(ours, 65536):
                drawn.extend(data)

    try:
        while b"D" not in drawn or b"home" not in drawn:  # the bar and the welcome of Home
            drawn += os.read(ours, 65536)
        os.write(ours, b"q")
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        assert app.wait(30) == 0
        assert termios.tcgetattr(theirs) == before
    finally:
        app.kill()
        app.wait()
        os.close(theirs)
    reader.join(30)
    os.close(ours)
    for on, off in ((b"?1049h", b"?1049l"), (b"?1000h", b"?1000l"), (b"?2004h", b"?2004l")):
        assert 0 <= drawn.rfind(on) < drawn.rfind(off), "the screen, the mouse, pasting"
    assert drawn.rfind(b"?25l") < drawn.rfind(b"?25h"), "the cursor is shown again"
    if name == "ascii":
        assert b"\\u2" not in drawn, "no sign is written out"
        assert drawn.isascii()
    if name == "colourless":
        tones = {int(tone) for tone in re.findall(rb"[34]8;5;(\d+)", bytes(drawn))}
        assert tones <= {0, 7, 8, 15, 16, 59, 102, 145, 188, 231, *range(232, 256)}, "greys alone"
        assert not re.search(rb"\x1b\[(?:\d+;)*[349][1-6]m", bytes(drawn))


def test_a_terminal_that_cannot_place_a_letter_is_told_so(desk: Desk) -> None:
    ours, theirs = pty.openpty()
    told = subprocess.run(
        [sys.executable, "-c", START],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        cwd=desk.folder,
        env=desk.env | {"TERM": "dumb"},
        timeout=60,
        check=False,
    )
    os.close(ours)
    os.close(theirs)
    assert told.returncode == 2
    assert b"This terminal cannot show the screens." in told.stderr
