"""``turnkey env``: the keys as shell code, or their names alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from tui.commands.options import common
from tui.completing import complete_provider
from tui.opening import open_here

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
@click.option("--names", is_flag=True, help="Print the names alone; no key is looked for.")
@click.option("--reveal", is_flag=True, help="Print values even to a terminal.")
@click.option("--allow-missing", is_flag=True, help="Exit 0 even where a key is missing.")
@click.option(
    "--provider",
    "only",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_provider,
    help="Only these providers.",
)
@common
def env(
    dialect: str,
    names: bool,
    reveal: bool,
    allow_missing: bool,
    only: tuple[str, ...],
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> int:
    """Print the providers' keys for a shell, those of the keyring too.

    Prints what there is; exits 5 where a key is missing, and prints nothing where one is bound to
    another origin. --json is --format json.

    \b
      eval "$(turnkey env)"                              sh, bash, zsh
      turnkey env --format fish | source
      turnkey env --format github >> "$GITHUB_ENV"
    """
    from core.errors import Fault, UsageProblem
    from core.keys.export import github_masks, render
    from tui.commands.outgoing import outgoing_keys, outgoing_names
    from tui.commands.output import print_json, warn

    workspace = open_here(config, variant, base)
    if names:
        listed = outgoing_names(workspace, only)
        if as_json:
            print_json({"names": listed})
        else:
            click.echo("".join(f"{name}\n" for name in listed), nl=False)
        return 0
    if not reveal and sys.stdout.isatty():
        raise UsageProblem(
            Fault(
                "usage",
                "This would print keys to the terminal.",
                "They would stay in its scrollback.",
                'Use eval "$(turnkey env)", or --names, or --reveal when it is meant.',
            )
        )
    found, complete = outgoing_keys(workspace, only, warn=warn)
    chosen: Format = "json" if as_json else FORMATS[dialect]
    text = render(found, chosen)
    in_workflow = workspace.env.get("GITHUB_ACTIONS") == "true" and not sys.stderr.isatty()
    if chosen == "github" and in_workflow:
        # The runner reads these from either stream, hides them, and masks the values in its log.
        click.echo(github_masks(found), nl=False, err=True)
    click.echo(text, nl=False)
    return 0 if complete or allow_missing else 5
