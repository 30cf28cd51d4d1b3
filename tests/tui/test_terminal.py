"""A terminal that goes away takes turnkey with it: nothing is left spinning."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

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
