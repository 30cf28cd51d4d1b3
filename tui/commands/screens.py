"""How ``turnkey`` without a command opens the screens."""

from __future__ import annotations

import os
import sys

from tui.opening import open_here

WEB_DRIVER = "textual.drivers.web_driver:WebDriver"
"""What textual-serve sets for the app of a browser's tab, which has pipes for a terminal."""


def open_screens(
    *,
    demo: bool = False,
    config: str | None = None,
    variant: str = "providers",
    base: str | None = None,
    color: bool = True,
    mouse: bool = True,
) -> int:
    """Open the screens on the nearest file, or on the demo provider. Returns the exit code."""
    served = os.environ.get("TEXTUAL_DRIVER") == WEB_DRIVER
    if not served and not (_is_terminal(sys.stdin) and _is_terminal(sys.stdout)):
        from core.errors import Fault, UsageProblem

        raise UsageProblem(
            Fault(
                "usage",
                "The screens need a terminal.",
                "Standard input or output is a pipe or a file here.",
                "turnkey --help lists the commands that work without one.",
            )
        )
    if not served and os.environ.get("TERM") == "dumb":
        from core.errors import Fault, UsageProblem

        raise UsageProblem(
            Fault(
                "usage",
                "This terminal cannot show the screens.",
                "TERM is dumb: it has no way to place a letter.",
                "turnkey --help lists the commands that work in it.",
            )
        )
    if not color:
        os.environ["NO_COLOR"] = "1"  # what Textual asks
    if str(getattr(sys.__stderr__, "encoding", "utf-8")).lower() not in {"utf-8", "utf8"}:
        from tui.plain_letters import draw_with_plain_letters

        draw_with_plain_letters(sys.__stderr__)  # where Textual draws
    from tui.launch import launch

    return launch(lambda: open_here(config, variant, base, may_be_new=True), demo=demo, mouse=mouse)


def _is_terminal(stream: object) -> bool:
    # A stream that was closed before the start is None.
    ask = getattr(stream, "isatty", None)
    return ask is not None and bool(ask())
