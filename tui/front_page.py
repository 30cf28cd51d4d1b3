"""The page of ``turnkey --help``, laid out already, since click costs more than all else.

It is what click makes of :mod:`tui.cli` for 80 columns, and a test holds the two together. In a
narrower terminal, and beside other options, click lays it out itself.
"""

from __future__ import annotations

import os
import sys

WIDTH = 80
"""Columns that the page needs."""

PAGE = """\
Usage: turnkey [OPTIONS] [COMMAND] [ARGS]...

  Set up and live-test self-hosted LLM providers for Warden.

  Without a command the screens open, on the nearest warden.toml. Keys live in
  the OS keyring and leave as environment variables only.

Options:
  --version                    Show the version and exit.
  --demo                       Open the screens on the demo provider.
  --config FILE                The warden.toml to open; else the nearest one
                               up to the repository's root.
  --base FILE                  An organisation's base layer, read beside the
                               file; b on the Lanes screen edits it.
  --variant [providers|stock]  Which Warden will read the file.  [default:
                               providers]
  --no-color                   Screens without colours.
  --no-mouse                   Leave the mouse to the terminal.
  --web                        Serve the screens to a browser of this machine.
  --port INTEGER RANGE         With --web: the loopback port; 0 takes a free
                               one.  [default: 0; 0<=x<=65535]
  -h, --help                   Show this message and exit.

Commands:
  provider     Add, list, show, rename or remove providers.
  models       List what an endpoint serves, with facts.
  lane         Choose the model of a lane, or leave it unset.
  lanes        Show what each lane resolves to, and why.
  check        Name the problems and escapes of the file.
  ping         Stream one request and measure it.
  doctor       Find the first thing that breaks on the way.
  verify       Try each lane as Warden will; keep a receipt.
  export       Write the setup for Pi, CI and other readers.
  keys         Store keys in the OS keyring; see where they come from.
  env          Print the keys as shell code, or their names.
  run          Run a command with the keys in its environment.
  info         Show where things are; safe for a bug report.
  help         Explain lanes, escapes, keys, figures, ...
  completion   Print completion for a shell.
  demo-server  Serve the demo provider alone.

  Examples:
    turnkey                                open the screens on the nearest warden.toml
    turnkey --demo                         try everything without a server
    turnkey provider add litellm --url localhost:4000 --model qwen3-coder
    turnkey keys set litellm               asks, or reads stdin; never an argument
    turnkey lane set all litellm/qwen3-coder
    turnkey ping --lane agent              one streamed request, measured
    turnkey run -- warden                  Warden, with the keys in its environment
"""


def fits() -> bool:
    """Whether it goes to a pipe, a file, or a terminal that has the columns.

    ``COLUMNS`` is believed before the terminal, as click and the shells do.
    """
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told) >= WIDTH
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns >= WIDTH
    except (AttributeError, OSError, ValueError):
        return True
