"""Every command with the canary as its key: well, refused, with nobody there, and falling over.

Each is a process of its own, in Python's development mode and with its traceback shown.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from tests.servers.scripted import good_server

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.live.canary import Watch

CRASHING: Final = """
import sys
import core.wire.client, core.keys.source, core.keys.export
def fall(*args, **named):
    key = args
    raise RuntimeError("it fell over")
for module, name in ((core.wire.client, "open_client"), (core.keys.export, "merge")):
    setattr(module, name, fall)
from tui.cli import main
sys.exit(main())
"""
"""Starts turnkey with the functions that hold a key failing in their midst."""

ALL: Final = (
    ("models",),
    ("models", "--json"),
    ("ping", "--lane", "agent"),
    ("ping", "--lane", "agent", "--json", "--runs", "2"),
    ("doctor", "--lane", "agent"),
    ("doctor", "--lane", "agent", "--json"),
    ("lanes",),
    ("lanes", "--json"),
    ("check",),
    ("check", "--json"),
    ("provider", "list", "--json"),
    ("provider", "show", "litellm"),
    ("provider", "rename", "litellm", "other", "--dry-run"),
    ("lane", "set", "all", "litellm/m", "--dry-run"),
    ("keys", "list"),
    ("keys", "list", "--json"),
    ("keys", "source"),
    ("keys", "source", "--json"),
    ("keys", "import"),
    ("keys", "rebind", "litellm"),
    ("keys", "repair"),
    ("keys", "forget", "litellm"),
    ("env", "--names"),
    ("run", "--", "no-such-command"),
    ("run", "--only-listed", "--", "true"),
    ("verify", "--lane", "agent", "--yes"),
    ("export", "pi"),
    ("info",),
)
TELLING: Final = (
    *(("env", "--format", form) for form in ("sh", "fish", "powershell", "json", "github")),
    ("run", "--", "env"),
)
"""They give the key away on purpose, on standard output alone."""


async def through_every_command(watch: Watch, project: Path, config: str, key: str) -> None:
    """On a server that is well, that refuses, and that is gone; the key stored, then exported."""
    file = project / "every.toml"
    async with good_server(["m"], key=key) as server:
        base_url = server.base_url
        await _write(file, config.replace("URL", base_url))
        await _all(watch, file, stdin=key)
        watch.server(server, "the server of every command", entitled=True)
    await _all(watch, file, stdin=key)  # nobody there
    async with good_server(["m"], key="sk-another-one") as server:
        await _write(file, config.replace("URL", server.base_url))
        await _all(watch, file, stdin=key)
        os.environ["WARDEN_LITELLM_API_KEY"] = key
        try:
            await _all(watch, file, stdin=key)
        finally:
            del os.environ["WARDEN_LITELLM_API_KEY"]
        watch.server(server, "a server that refuses the key", entitled=True)


async def _write(file: Path, text: str) -> None:
    await asyncio.to_thread(file.write_text, text)


async def _all(watch: Watch, file: Path, *, stdin: str) -> None:
    await asyncio.to_thread(watch.apart, "keys", "set", "litellm", *_on(file), stdin=stdin)
    runs = [(split(one, file), False, False) for one in ALL]
    runs += [(split(one, file), True, False) for one in TELLING]
    runs += [
        (split(one, file), False, True)
        for one in (("models",), ("ping", "--lane", "agent"), ("env",), ("run", "--", "true"))
    ]
    for command, tells, crash in runs:
        code = CRASHING if crash else None
        await asyncio.to_thread(watch.apart, *command, tells=tells, start=code)
    await asyncio.to_thread(watch.apart, "keys", "delete", "litellm", *_on(file))


def split(command: Sequence[str], file: Path) -> tuple[str, ...]:
    """The command with the file's option behind its verb."""
    words = 2 if command[0] in {"keys", "provider", "lane", "export"} else 1
    if command[0] == "info":
        return tuple(command)
    return (*command[:words], *_on(file), *command[words:])


def _on(file: Path) -> tuple[str, str]:
    return ("--config", str(file))
