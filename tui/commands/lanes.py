"""``turnkey lanes``: what each lane resolves to, by which rule, and in which layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.commands.options import common, json_errors
from tui.completing import complete_selector
from tui.opening import open_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.warden.lanes import LaneReport, Resolution
    from core.warden.layers import Layered
    from core.workspace import Workspace
    from tui.commands.masking import Door


@click.command()
@click.option(
    "--model",
    metavar="SELECTOR",
    shell_complete=complete_selector,
    help="Stands for Warden's own --model.",
)
@common
@json_errors
def lanes(
    model: str | None, config: str | None, base: str | None, variant: str, as_json: bool
) -> None:
    """Show what each lane resolves to, by which rule, and what would escape.

    An escape is a lane that goes, in silence, to a provider that you did not choose. Exits 0
    whatever it finds; turnkey check is the one that judges.

    With --base the skills of both layers are shown, and both files in Warden's three views: the
    whole config, what this file's skills get, and what the action takes for itself.
    """
    from core.warden.layers import layered
    from tui.commands.masking import Door

    workspace = open_here(config, variant, base)
    door = Door(workspace)
    report = workspace.lanes(model)
    doubts = tuple(_doubts(workspace, report, model))
    views = None
    if workspace.base_document is not None:
        views = layered(workspace.base_document.data(), workspace.document.data())
    if as_json:
        door.json(_facts(report, views, doubts))
    else:
        _print(door, report, views, base_only=workspace.base_only)
    for doubt in doubts:
        door.warn(doubt)


def _doubts(workspace: Workspace, report: LaneReport, model: str | None) -> Iterator[str]:
    """What comes from outside of the file as a model, and is none."""
    from core.providers.hosted import is_hosted
    from core.providers.key_forms import shown_selector
    from core.text import one_line
    from core.warden.config import split_selector

    if report.runtime == "claude":
        return  # any text is a model there
    for name, value in (("--model", model), ("WARDEN_MODEL", workspace.env.get("WARDEN_MODEL"))):
        if not value:
            continue
        shown = one_line(shown_selector(value), 80)
        parts = split_selector(value)
        known = {provider.name for provider in workspace.providers}
        if parts is None:
            yield (
                f"{name} is no selector: «{shown}» must be provider/model-id. Warden stops before "
                "the run."
            )
        elif parts[0] not in known and not is_hosted(parts[0]):
            yield f"{name} names a provider that neither the file nor Pi has: «{shown}»."


def _facts(report: LaneReport, views: Layered | None, doubts: tuple[str, ...]) -> dict[str, object]:
    import msgspec

    facts: dict[str, object] = {**msgspec.to_builtins(report), "warnings": doubts}
    if views is not None:
        facts["layers"] = _views(views)
    return facts


def _views(views: Layered) -> dict[str, object]:
    """The three views for JSON: each value with its dotted path and the layer that gave it."""
    from core.warden.keys_edit import dotted

    rows = {
        name: [{"path": dotted(one.path), "value": one.value, "layer": one.layer} for one in values]
        for name, values in (
            ("merged", views.merged),
            ("repo_skills", views.repo_skills),
            ("workflow", views.workflow),
        )
    }
    return {**rows, "notes": views.notes}


def _print(door: Door, report: LaneReport, views: Layered | None, *, base_only: bool) -> None:
    from core.mend import grouped
    from core.providers.key_forms import shown_selector

    show = door.show
    if report.base_lanes is None:
        _print_lanes(door, report.lanes, layers=False)
    elif base_only:
        show("There is no file of the repository's: Warden takes the base layer alone.")
        _print_lanes(door, report.lanes, layers=True)
    else:
        show("skills of this file, the action and build")
        _print_lanes(door, report.lanes, layers=True)
        show("\nskills of the base layer")
        _print_lanes(door, report.base_lanes, layers=True)
    for override in report.overrides:
        where = override.skill if not override.trigger else f"{override.skill} ({override.trigger})"
        layer = f", in the {override.layer} layer" if report.base_lanes is not None else ""
        show(f"overrides the agent lane: {where} uses {shown_selector(override.selector)}{layer}")
    for effort in report.efforts.values():
        if effort.effort is not None:
            show(f"effort of {effort.lane}: {effort.effort}, by {effort.won_by}")
    for group in grouped(report.escapes):
        show(f"escape {group.first.code} ({', '.join(group.lanes)}): {group.first.message}")
        show(f"  fix: {group.first.fix}")
    if views is not None:
        _print_views(door, views)


def _print_lanes(door: Door, lanes: Mapping[str, Resolution], *, layers: bool) -> None:
    from core.providers.key_forms import shown_selector

    rows = [
        (lane, shown_selector(found.says), found.won_by, found.layer or "–")
        for lane, found in lanes.items()
    ]
    heads = ("lane", "selector", "by", "layer")
    door.table(heads if layers else heads[:3], rows if layers else [row[:3] for row in rows])


def _print_views(door: Door, views: Layered) -> None:
    from core.warden.keys_edit import dotted
    from core.warden.layers import value_text

    titled = (
        ("the whole config", views.merged),
        ("what skills of this file get", views.repo_skills),
        ("what the action takes for itself", views.workflow),
    )
    for title, values in titled:
        door.show(f"\n{title}")
        # Masked before it is cut: half a key is no key's form any more.
        rows = [(dotted(one.path), value_text(door.data(one.value)), one.layer) for one in values]
        door.table(("key", "value", "layer"), rows)
    for note in views.notes:
        door.show(f"note: {note}")
