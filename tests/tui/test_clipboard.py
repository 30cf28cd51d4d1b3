"""Copying reaches the terminal through what stands in between."""

from __future__ import annotations

import base64

import pytest

from tui.clipboard import osc52

PLAIN = "\x1b]52;c;" + base64.b64encode("turnkey run – ü".encode()).decode() + "\x07"


@pytest.mark.parametrize(
    ("env", "sent"),
    [
        ({}, PLAIN),
        ({"TERM": "xterm-256color"}, PLAIN),
        ({"TMUX": "/tmp/tmux-0/default,1,0"}, f"\x1bPtmux;\x1b{PLAIN}\x1b\\"),
        ({"TERM": "screen.xterm"}, f"\x1bP{PLAIN}\x1b\\"),
    ],
)
def test_osc_52_is_wrapped_for_what_stands_in_between(env: dict[str, str], sent: str) -> None:
    assert osc52("turnkey run – ü", env) == sent
