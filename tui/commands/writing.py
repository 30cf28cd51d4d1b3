"""How a headless command ends that edits the file: a diff for --dry-run, else the save."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.commands.output import print_json, say, warn_of

if TYPE_CHECKING:
    from core.warden.lanes import Layer
    from core.workspace import Workspace


layer_option = click.option(
    "--layer",
    type=click.Choice(["repo", "base"]),
    default="repo",
    show_default=True,
    help="Which file to edit: the repository's, or the base layer that --base names.",
)


def layer_named(workspace: Workspace, layer: str) -> Layer:
    """The layer of ``--layer``. UsageProblem when it is the base layer, and there is none."""
    from core.errors import Fault, UsageProblem

    if layer != "base":
        return "repo"
    if workspace.base_document is None:
        what = "There is no base layer to edit."
        raise UsageProblem(Fault("usage", what, "", "Name it: --base FILE --layer base."))
    return "base"


def finish(
    workspace: Workspace, *, dry_run: bool, as_json: bool, layer: Layer = "repo", **facts: object
) -> None:
    """Write the file unless ``dry_run``, and tell: :func:`write`, then :func:`report`."""
    changes = write(workspace, dry_run=dry_run)
    report(workspace, changes, dry_run=dry_run, as_json=as_json, layer=layer, **facts)


def write(workspace: Workspace, *, dry_run: bool) -> str:
    """Save unless ``dry_run``; the diff between the file as it was and as it is (would be).

    Raises ConfigProblem when saving fails; then nothing was written.
    """
    changes = workspace.pending_diff()
    if not dry_run:
        for fault in workspace.save():
            warn_of(fault)
    return changes


def report(
    workspace: Workspace,
    changes: str,
    *,
    dry_run: bool,
    as_json: bool,
    layer: Layer = "repo",
    **facts: object,
) -> None:
    """Print the diff that was not written, or say where it was.

    JSON: ``{"path", "changed", "saved", "diff"}`` and ``facts``.
    """
    from tui.commands.masking import Door

    door = Door(workspace)
    path = str(workspace.sheet(layer).path)
    if as_json:
        print_json(
            {
                "path": path,
                "changed": bool(changes),
                "saved": bool(changes) and not dry_run,
                "diff": changes,
                **{name: door.data(value) for name, value in facts.items()},
            }
        )
    elif dry_run:
        click.echo(changes, nl=False)
    if dry_run:
        say("nothing was written" if changes else f"nothing would change in {path}")
    else:
        say(f"{'saved' if changes else 'unchanged'}: {path}")
