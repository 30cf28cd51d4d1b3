"""``turnkey lane set|unset``: the model of a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.commands.options import InOrder, common, dry_run_option, json_errors, open_here

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.warden.lane_edits import DefaultModel
    from core.warden.lanes import Lane
    from core.workspace import Workspace

LANES: tuple[Lane, ...] = ("agent", "auxiliary", "synthesis")


@click.group(cls=InOrder)
def lane() -> None:
    """Choose the model of a lane, or leave it unset.

    LANE is agent (defaults.agent.model), auxiliary, synthesis, or all: the three, written
    explicitly, so that none of them can escape.
    """


@lane.command("set")
@click.argument("lane_name", metavar="LANE", type=click.Choice([*LANES, "all"]))
@click.argument("selector")
@click.option(
    "--move-default", is_flag=True, help="Where defaults.model stands: replace that line."
)
@click.option(
    "--keep-default", is_flag=True, help="Where defaults.model stands: leave it beside the lane."
)
@dry_run_option
@common
@json_errors
def set_(
    lane_name: str,
    selector: str,
    move_default: bool,
    keep_default: bool,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Write SELECTOR (provider/model-id) as the model of LANE.

    LANE is agent, auxiliary, synthesis, or all for the three.
    """
    from core.errors import Fault, UsageProblem
    from core.target import split_selector
    from core.warden.lane_edits import set_lane
    from tui.commands.output import warn
    from tui.commands.writing import finish

    if move_default and keep_default:
        raise UsageProblem(
            Fault(
                "usage",
                "--move-default and --keep-default do not go together.",
                "",
                "Give the one that is meant.",
            )
        )
    provider, model = split_selector(selector)
    workspace = open_here(config, variant, base)
    found = workspace.provider(provider)
    way: DefaultModel = "move" if move_default else "keep" if keep_default else "refuse"
    names = _chosen(lane_name)
    document = workspace.document
    for name in names:
        document = set_lane(document, name, selector, default_model=way)
    workspace.edit(document)
    if model not in {entry.id for entry in found.models}:
        warn(
            f"{provider} does not declare the model «{model}»: Warden would say «Pi model not "
            f"found». It declares: {', '.join(entry.id for entry in found.models) or 'none'}."
        )
    finish(workspace, dry_run=dry_run, as_json=as_json)
    _tell(workspace, names, dry_run=dry_run)


@lane.command(short_help="Take the model of LANE out of the file.")
@click.argument("lane_name", metavar="LANE", type=click.Choice([*LANES, "all"]))
@dry_run_option
@common
@json_errors
def unset(
    lane_name: str,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Take the model of LANE out of the file; what it then resolves to is said.

    LANE is agent, auxiliary, synthesis, or all for the three.
    """
    from core.warden.lane_edits import unset_lane
    from tui.commands.writing import finish

    workspace = open_here(config, variant, base)
    names = _chosen(lane_name)
    document = workspace.document
    for name in names:
        document = unset_lane(document, name)
    workspace.edit(document)
    finish(workspace, dry_run=dry_run, as_json=as_json)
    _tell(workspace, names, dry_run=dry_run)


def _chosen(lane_name: str) -> tuple[Lane, ...]:
    return tuple(name for name in LANES if lane_name in {name, "all"})


def _tell(workspace: Workspace, names: Sequence[Lane], *, dry_run: bool) -> None:
    """What the lanes resolve to after the edit, and what escapes, on stderr."""
    from core.mend import grouped
    from tui.commands.output import say

    report = workspace.lanes()
    verb = "would resolve" if dry_run else "resolves"
    for name in names:
        resolution = report.lanes[name]
        if resolution.selector is None:
            say(f"{name} {'would be' if dry_run else 'is'} left to Pi, which chooses by itself")
        else:
            say(f"{name} {verb} to {resolution.selector}, by {resolution.won_by}")
    for group in grouped(report.escapes):
        say(f"escape {group.first.code} ({', '.join(group.lanes)}): {group.first.message}")
