"""``turnkey info``: where things are and what this machine has, safe to paste into a report."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from tui.commands.options import common
from tui.opening import config_path

if TYPE_CHECKING:
    from pathlib import Path


@click.command("info")
@common
def info(config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """Show where config, settings and state are, and which keyring holds the keys.

    Safe to paste into a bug report: names of variables without values, the home folder as ~.
    No server is asked.
    """
    from pathlib import Path

    from core.about import about
    from core.approvals import Approvals
    from core.paths import settings_file, state_folder
    from tui.commands.output import print_json, show

    state, file = state_folder(), config_path(config)
    found = about(
        os.environ,
        home=Path.home(),
        config=file,
        base=None if base is None else Path(base),
        variant=variant,
        settings=settings_file(),
        state=state,
        keyring=_keyring(state),
        approved=len(Approvals(state).origins),
        encoding=str(getattr(sys.stdout, "encoding", "") or "unknown"),
    )
    if as_json:
        print_json(found)
        return
    rows = [
        ("turnkey", found.turnkey),
        ("python", found.python),
        ("system", found.system),
        ("libraries", ", ".join(f"{name} {version}" for name, version in found.libraries.items())),
        ("config", found.config),
        ("base", found.base),
        ("variant", found.variant),
        ("settings", found.settings),
        ("state", found.state),
        ("servers", f"{found.approved} approved to be looked after on Home (w there)"),
        ("logs", found.logs),
        ("keyring", found.keyring),
        ("terminal", ", ".join(f"{name} {value}" for name, value in found.terminal.items())),
        ("variables", ", ".join(found.variables) or "none that matter here"),
    ]
    for name, value in rows:
        show(f"{name:<10} {value}")


def _keyring(state: Path) -> str:
    """The keyring's name and whether it takes keys, bounded as every question to it."""
    from core.keys.vault import open_vault

    place = open_vault(state, env=os.environ).keyring()
    if place.kind == "keyring":
        return place.name
    return f"none: {place.fault.what if place.fault else place.words} Keys last for a run."
