"""How ``turnkey`` without a command opens the screens."""

from __future__ import annotations

import sys

from tui.commands.options import open_here


def open_screens(*, demo: bool, config: str | None, variant: str) -> int:
    """Open the screens on the nearest file, or on the demo provider. Returns the exit code."""
    from core.errors import Fault, UsageProblem

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageProblem(
            Fault(
                "usage",
                "The screens need a terminal.",
                "This one is a pipe or a file.",
                "turnkey --help lists the commands that work without one.",
            )
        )
    from tui.launch import launch

    return launch(lambda: open_here(config, variant), demo=demo)
