"""How ``turnkey --web`` serves the screens to a browser of this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def open_browser(arguments: Sequence[str], port: int) -> int:
    """Serve until interrupted; prints the one address that opens it. Returns the exit code.

    Raises UsageProblem where the extra is not installed or the port is taken.
    """
    from core.errors import Fault, UsageProblem
    from tui.commands.output import say, show

    try:
        from tui.web import serve
    except ImportError as missing:
        raise UsageProblem(
            Fault(
                "usage",
                "The browser needs one more package.",
                f"{missing.name} is not installed.",
                'Install turnkey with its extra: pip install "warden-turnkey[web]"',
            )
        ) from missing

    def ready(address: str) -> None:
        show(address)
        sys.stdout.flush()
        say("Only who has this address gets in, from this machine. Ctrl-C ends it.")

    try:
        serve(arguments, port, ready)
    except OSError as error:
        raise UsageProblem(
            Fault("usage", f"Port {port} cannot be taken.", f"{error.strerror}.", "--port 0")
        ) from error
    return 0
