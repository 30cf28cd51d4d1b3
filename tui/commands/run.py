"""``turnkey run -- COMMAND``: the keys in its environment, and only there."""

from __future__ import annotations

import click

from tui.commands.options import base_option, config_option, no_color_option, variant_option
from tui.completing import complete_provider
from tui.opening import open_here


@click.command(
    # What follows the command's name is the command's own, also without «--».
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS] --",
)
@click.option(
    "--provider",
    "only",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_provider,
    help="Only these providers.",
)
@click.option("--allow-missing", is_flag=True, help="Start COMMAND even where a key is missing.")
@click.option(
    "--only-listed",
    is_flag=True,
    help="Withhold other providers' keys that stand in this environment: hosted ones, so that a "
    "lane that was left unset fails instead of going there, and with --provider the file's others.",
)
@config_option
@base_option
@variant_option
@no_color_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True)
def run(
    only: tuple[str, ...],
    allow_missing: bool,
    only_listed: bool,
    config: str | None,
    base: str | None,
    variant: str,
    command: tuple[str, ...],
) -> int:
    """Run COMMAND with the providers' keys in its environment, and only there.

    COMMAND takes turnkey's place: signals, exit code and terminal are its own. Where a key is
    missing, turnkey ends with exit code 5 before COMMAND starts.

    \b
      turnkey run -- warden
    """
    from core.errors import Fault, KeyProblem
    from core.keys.child import as_given, run_command
    from core.keys.export import child_environment, withheld
    from tui.commands.outgoing import outgoing_keys, unlisted_variables, warn_of_others
    from tui.commands.output import say, warn

    workspace = open_here(config, variant, base)
    found, complete = outgoing_keys(
        workspace, only, warn=warn, only_listed=only_listed, command=command
    )
    if not (complete or allow_missing):
        raise KeyProblem(
            Fault(
                "key_missing",
                f"{command[0]} was not started: a key is missing.",
                "",
                "Store or set it as said above, or start all the same with --allow-missing.",
            )
        )
    warn_of_others(workspace, warn, only_listed=only_listed)
    unlisted = unlisted_variables(workspace, only)
    if only_listed and (kept_back := withheld(workspace.env, found, unlisted)):
        say(f"withheld: {', '.join(kept_back)}")
    environment = child_environment(
        as_given(workspace.env), found, only_listed=only_listed, unlisted=unlisted
    )
    return run_command(list(command), environment)
