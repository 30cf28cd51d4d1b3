"""``turnkey lanes``: what each lane resolves to, and by which rule."""

from __future__ import annotations

import click

from tui.commands.options import common, json_errors, open_here


@click.command()
@click.option("--model", metavar="SELECTOR", help="Stands for Warden's own --model.")
@common
@json_errors
def lanes(
    model: str | None, config: str | None, base: str | None, variant: str, as_json: bool
) -> None:
    """Show what each lane resolves to, by which rule, and what would escape.

    An escape is a lane that goes, in silence, to a provider that you did not choose. Exits 0
    whatever it finds; turnkey check is the one that judges.
    """
    from core.mend import grouped
    from tui.commands.output import print_json, print_table, show

    workspace = open_here(config, variant, base)
    report = workspace.lanes(model)
    if as_json:
        print_json(report)
        return
    rows = [
        (lane, resolution.selector or "left to Pi", resolution.won_by)
        for lane, resolution in report.lanes.items()
    ]
    print_table(("lane", "selector", "by"), rows)
    for override in report.overrides:
        where = override.skill if not override.trigger else f"{override.skill} ({override.trigger})"
        show(f"overrides the agent lane: {where} uses {override.selector}")
    for group in grouped(report.escapes):
        show(f"escape {group.first.code} ({', '.join(group.lanes)}): {group.first.message}")
        show(f"  fix: {group.first.fix}")
