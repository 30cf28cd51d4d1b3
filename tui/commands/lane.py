"""``turnkey lane set|unset|effort``: the model and the effort of a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.commands.options import InOrder, common, dry_run_option, json_errors
from tui.commands.writing import layer_option
from tui.completing import complete_selector
from tui.opening import open_here

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.warden.config import Provider
    from core.warden.document import Document
    from core.warden.lane_edits import DefaultModel
    from core.warden.lanes import Lane, LaneReport, Layer
    from core.workspace import Workspace
    from tui.commands.masking import Door

LANES: tuple[Lane, ...] = ("agent", "auxiliary", "synthesis")
EFFORTS = ("off", "low", "medium", "high", "xhigh", "max")


@click.group(cls=InOrder)
def lane() -> None:
    """Choose the model and the effort of a lane, or leave them unset.

    LANE is agent (defaults.agent.model), auxiliary, synthesis, or all: the three, written
    explicitly, so that none of them can escape.
    """


@lane.command("set")
@click.argument("lane_name", metavar="LANE", type=click.Choice([*LANES, "all"]))
@click.argument("selector", shell_complete=complete_selector)
@click.option(
    "--effort", type=click.Choice(EFFORTS), help="Write the lane's effort too, where it has one."
)
@click.option(
    "--move-default", is_flag=True, help="Where defaults.model stands: replace that line."
)
@click.option(
    "--keep-default", is_flag=True, help="Where defaults.model stands: leave it beside the lane."
)
@click.option(
    "--allow-hosted",
    is_flag=True,
    help="SELECTOR may name a hosted service, to which code leaves then.",
)
@layer_option
@dry_run_option
@common
@json_errors
def set_(
    lane_name: str,
    selector: str,
    effort: str | None,
    move_default: bool,
    keep_default: bool,
    allow_hosted: bool,
    layer: str,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Write SELECTOR (provider/model-id) as the model of LANE.

    LANE is agent, auxiliary, synthesis, or all for the three. With --effort the lanes of these
    that have an effort of their own in this Warden get it as well.
    """
    from core.errors import Fault, UsageProblem
    from core.target import split_selector
    from core.warden.lane_edits import set_lane
    from tui.commands.masking import Door
    from tui.commands.writing import finish, layer_named

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
    door = Door(workspace)
    place = layer_named(workspace, layer)
    found = _provider(workspace, provider, place, allow_hosted=allow_hosted)
    way: DefaultModel = "move" if move_default else "keep" if keep_default else "refuse"
    names = _chosen(lane_name)
    document = workspace.sheet(place)
    for name in names:
        document = set_lane(document, name, selector, default_model=way)
    if effort is not None:
        document = _with_effort(workspace, document, names, effort)
    workspace.edit(document, place)
    _doubt(door, provider, model, found)
    finish(workspace, dry_run=dry_run, as_json=as_json, layer=place)
    _tell(workspace, names, place, dry_run=dry_run)


def _provider(
    workspace: Workspace, name: str, layer: Layer, *, allow_hosted: bool
) -> Provider | None:
    """The provider of the layer's own skills; None: a hosted service that was allowed.

    Raises UsageProblem for one that is not there, and Refusal for a hosted service.
    """
    from core.errors import Fault, Refusal
    from core.providers.hosted import is_hosted, label
    from core.text import one_line

    config = workspace.sheet(layer).config()
    seen = config.providers if layer == "base" else workspace.providers
    found = next((provider for provider in seen if provider.name == name), None)
    if found is not None:
        return found
    if not is_hosted(name):
        # The base layer's skills do not see the repository's providers.
        return workspace.provider(name) if layer == "repo" else _missing(workspace, name)
    if allow_hosted:
        return None
    raise Refusal(
        Fault(
            "hosted_provider",
            f"{label(name)} is a hosted service: code under review would leave for it.",
            f"«{one_line(name, 60)}» is no provider of the file.",
            "Repeat with --allow-hosted if that is meant.",
        )
    )


def _missing(workspace: Workspace, name: str) -> Provider:
    from core.errors import Fault, UsageProblem
    from core.providers.key_forms import without_keys
    from core.text import one_line

    base = workspace.base
    known = ", ".join(without_keys(one.name) for one in base.providers) if base is not None else ""
    raise UsageProblem(
        Fault(
            "usage",
            f"The base layer has no provider «{one_line(name, 60)}».",
            f"It has: {known}." if known else "Its skills see its own providers alone.",
            "Add it there: turnkey provider add NAME --url URL --base FILE --layer base.",
        )
    )


def _doubt(door: Door, provider: str, model: str, found: Provider | None) -> None:
    from core.providers.hosted import label

    if found is None:
        door.warn(f"{label(provider)} is a hosted service: code under review leaves for it.")
    elif model not in {entry.id for entry in found.models}:
        door.warn(
            f"{provider} does not declare the model «{model}»: Warden would say «Pi model not "
            f"found». It declares: {', '.join(entry.id for entry in found.models) or 'none'}."
        )


def _with_effort(
    workspace: Workspace, document: Document, names: Sequence[Lane], effort: str
) -> Document:
    """The effort at those of several lanes that have one; a single lane must have it."""
    from core.warden.lane_edits import effort_levels, set_effort

    for name in names:
        if len(names) == 1 or effort_levels(name, workspace.variant):
            document = set_effort(document, name, effort, workspace.variant)
    return document


@lane.command(short_help="Set how hard the models of LANE think.")
@click.argument("lane_name", metavar="LANE", type=click.Choice(LANES))
@click.argument("level", metavar="LEVEL", type=click.Choice([*EFFORTS, "unset"]))
@layer_option
@dry_run_option
@common
@json_errors
def effort(
    lane_name: Lane,
    level: str,
    layer: str,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Write the effort of LANE: off, low, medium, high, xhigh or max; unset takes it out.

    Only the agent lane has one, and with --variant stock the auxiliary lane; max is stock's.
    """
    from core.warden.lane_edits import set_effort
    from tui.commands.masking import Door
    from tui.commands.writing import finish, layer_named

    workspace = open_here(config, variant, base)
    door = Door(workspace)
    place = layer_named(workspace, layer)
    wanted = None if level == "unset" else level
    document = set_effort(workspace.sheet(place), lane_name, wanted, workspace.variant)
    workspace.edit(document, place)
    finish(workspace, dry_run=dry_run, as_json=as_json, layer=place)
    if place == "repo":
        for one in workspace.lanes().efforts.values():
            if one.won_by == f"defaults.{lane_name}.effort":
                door.say(f"effort of {one.lane}: {one.effort}")


@lane.command(short_help="Take the model of LANE out of the file.")
@click.argument("lane_name", metavar="LANE", type=click.Choice([*LANES, "all"]))
@layer_option
@dry_run_option
@common
@json_errors
def unset(
    lane_name: str,
    layer: str,
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
    from tui.commands.writing import finish, layer_named

    workspace = open_here(config, variant, base)
    place = layer_named(workspace, layer)
    names = _chosen(lane_name)
    document = workspace.sheet(place)
    for name in names:
        document = unset_lane(document, name)
    workspace.edit(document, place)
    finish(workspace, dry_run=dry_run, as_json=as_json, layer=place)
    _tell(workspace, names, place, dry_run=dry_run)


def _chosen(lane_name: str) -> tuple[Lane, ...]:
    return tuple(name for name in LANES if lane_name in {name, "all"})


def _tell(workspace: Workspace, names: Sequence[Lane], layer: Layer, *, dry_run: bool) -> None:
    """What the lanes resolve to after the edit, and what escapes, on stderr."""
    from core.mend import grouped
    from core.providers.key_forms import shown_selector
    from tui.commands.masking import Door

    say = Door(workspace).say
    report: LaneReport = workspace.lanes()
    lanes = report.base_lanes if layer == "base" and report.base_lanes else report.lanes
    verb = "would resolve" if dry_run else "resolves"
    for name in names:
        resolution = lanes[name]
        if resolution.selector is None:
            state = "would be" if dry_run else "is"
            say(f"{name} {state} {resolution.says}, which chooses by itself")
        else:
            selector = shown_selector(resolution.selector)
            say(f"{name} {verb} to {selector}, by {resolution.won_by}")
    for group in grouped(report.escapes):
        say(f"escape {group.first.code} ({', '.join(group.lanes)}): {group.first.message}")
