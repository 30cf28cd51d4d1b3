"""The door: ``turnkey`` alone opens the screens at once, anything else goes to the command line.

The way to the first frame is kept short: nothing that only commands need is imported on it.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from core import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run turnkey; the exit code is that of the command-line contract (:func:`tui.cli.main`)."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments == ["--version"]:
        sys.stdout.write(f"turnkey, version {__version__}\n")
        return 0
    if arguments in (["--help"], ["-h"]) and "_TURNKEY_COMPLETE" not in os.environ:
        from tui.front_page import PAGE, fits

        if fits():
            sys.stdout.write(PAGE)
            return 0
    if arguments or "_TURNKEY_COMPLETE" in os.environ:
        # Importing makes much and leaves no garbage: the collector would look for it in vain.
        gc.disable()
        from tui.cli import main as command_line

        gc.enable()
        return command_line(arguments)
    print_anything(sys.stdout)
    from tui.commands.screens import open_screens

    try:
        return open_screens()
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 - told as the command line does
        from tui.cli import told

        return told(error)


def print_anything(stream: object) -> None:
    """Where a terminal or pipe knows fewer letters than a server sends, they are written out."""
    encoding = str(getattr(stream, "encoding", "") or "").lower().replace("-", "")
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None and encoding != "utf8":
        reconfigure(errors="backslashreplace")
