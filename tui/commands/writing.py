"""How a headless command ends that edits the file: a diff for --dry-run, else the save."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.commands.output import print_json, say, warn

if TYPE_CHECKING:
    from core.workspace import Workspace


def finish(workspace: Workspace, *, dry_run: bool, as_json: bool) -> None:
    """Print the diff and write nothing, or save and say where.

    JSON: ``{"path", "changed", "saved", "diff"}``. Raises ConfigProblem when saving fails.
    """
    changes = workspace.pending_diff()
    path = str(workspace.document.path)
    if not dry_run:
        for fault in workspace.save():
            warn(f"{fault.what} {fault.fix}")
    if as_json:
        print_json({"path": path, "changed": bool(changes), "saved": not dry_run, "diff": changes})
    elif dry_run:
        click.echo(changes, nl=False)
    if not dry_run:
        say(f"{'saved' if changes else 'unchanged'}: {path}")
