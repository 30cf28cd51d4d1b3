"""``turnkey lane set|unset``: the model of a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.commands.options import common, dry_run_option, open_here

if TYPE_CHECKING:
    from core.warden.lane_edits import DefaultModel
    from core.warden.lanes import Lane

LANES: tuple[Lane, ...] = ("agent", "auxiliary", "synthesis")


@click.group()
def lane() -> None:
    """Choose the model of a lane, or leave it unset.

    LANE is agent (defaults.agent.model), auxiliary, synthesis, or all: the three, written
    explicitly, so that none of them can escape.
    """


@lane.command("set")
@click.argument("lane_name", metavar="LANE", type=click.Choice([*LANES, "all"]))
@click.argument("selector")
@click.option(
    "--move-default",
    "default_model",
    flag_value="move",
    help="Where defaults.model stands: replace that line.",
)
@click.option(
    "--keep-default",
    "default_model",
    flag_value="keep",
    help="Where defaults.model stands: leave it beside the lane.",
)
@dry_run_option
@common
def set_(
    lane_name: str,
    selector: str,
    default_model: str | None,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Write SELECTOR (provider/model-id) as the model of LANE."""
    from core.target import split_selector
    from core.warden.lane_edits import set_lane
    from tui.commands.writing import finish

    provider, model = split_selector(selector)
    workspace = open_here(config, variant, base)
    found = workspace.provider(provider)
    way: DefaultModel = (
        "move" if default_model == "move" else "keep" if default_model == "keep" else "refuse"
    )
    document = workspace.document
    for name in (one for one in LANES if lane_name in {one, "all"}):
        document = set_lane(document, name, selector, default_model=way)
    workspace.edit(document)
    if model not in {entry.id for entry in found.models}:
        from tui.commands.output import warn

        warn(
            f"{provider} does not declare «{model}»: Warden would say «Pi model not found». "
            f"Add it with turnkey provider add, or choose a declared one."
        )
    finish(workspace, dry_run=dry_run, as_json=as_json)


@lane.command()
@click.argument("lane_name", metavar="LANE", type=click.Choice([*LANES, "all"]))
@dry_run_option
@common
def unset(
    lane_name: str,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Take the model of LANE out of the file; what it then resolves to is said."""
    from core.warden.lane_edits import unset_lane
    from tui.commands.output import say
    from tui.commands.writing import finish

    workspace = open_here(config, variant, base)
    document = workspace.document
    names: tuple[Lane, ...] = tuple(name for name in LANES if lane_name in {name, "all"})
    for name in names:
        document = unset_lane(document, name)
    workspace.edit(document)
    finish(workspace, dry_run=dry_run, as_json=as_json)
    report = workspace.lanes()
    for name in names:
        resolution = report.lanes[name]
        say(f"{name} now resolves to {resolution.selector or 'what Pi chooses'}.")
    for escape in report.escapes:
        say(f"escape {escape.code} ({escape.lane}): {escape.message}")
