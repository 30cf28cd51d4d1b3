"""``turnkey env``: the keys as shell code, or their names alone."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from tui.commands.options import common, open_here

if TYPE_CHECKING:
    from core.keys.export import Format

FORMATS: Final[dict[str, Format]] = {
    "sh": "sh",
    "fish": "fish",
    "powershell": "powershell",
    "dotenv": "dotenv",
    "json": "json",
    "github": "github",
}


@click.command()
@click.option(
    "--format",
    "dialect",
    type=click.Choice(list(FORMATS)),
    default="sh",
    show_default=True,
    help="For which reader.",
)
@click.option("--names", is_flag=True, help="Print the names alone.")
@click.option("--reveal", is_flag=True, help="Print values even to a terminal.")
@click.option("--provider", "only", multiple=True, metavar="NAME", help="Only these providers.")
@common
def env(
    dialect: str,
    names: bool,
    reveal: bool,
    only: tuple[str, ...],
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Print the providers' keys for a shell: eval "$(turnkey env)"."""
    from core.errors import Fault, UsageProblem
    from core.keys.export import render
    from tui.commands.outgoing import outgoing_keys
    from tui.commands.output import print_json, warn

    workspace = open_here(config, variant, base)
    found = outgoing_keys(workspace, only, allow_missing=True, warn=warn)
    if names:
        listed = [one.variable for one in found]
        if as_json:
            print_json({"names": listed})
        else:
            click.echo("\n".join(listed))
        return
    if not reveal and os.isatty(sys.stdout.fileno()):
        raise UsageProblem(
            Fault(
                "usage",
                "This would print keys to the terminal.",
                "They would stay in its scrollback.",
                'Use eval "$(turnkey env)", or --names, or --reveal when it is meant.',
            )
        )
    chosen: Format = "json" if as_json else FORMATS[dialect]
    click.echo(render(found, chosen), nl=False)
