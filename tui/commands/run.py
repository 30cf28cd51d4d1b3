"""``turnkey run -- COMMAND``: the keys in its environment, and only there."""

from __future__ import annotations

import click

from tui.commands.options import base_option, config_option, open_here, variant_option


@click.command(
    context_settings={"ignore_unknown_options": True},
    options_metavar="[OPTIONS] --",
)
@click.option("--provider", "only", multiple=True, metavar="NAME", help="Only these providers.")
@click.option("--allow-missing", is_flag=True, help="Start COMMAND even where a key is missing.")
@click.option(
    "--only-listed",
    is_flag=True,
    help="Withhold the keys of other providers that stand in this environment.",
)
@config_option
@base_option
@variant_option
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
    """Run COMMAND with the providers' keys in its environment.

    COMMAND takes turnkey's place: signals, exit code and terminal are its own.

    \b
      turnkey run -- warden
    """
    from core.keys.child import run_command
    from core.keys.export import child_environment
    from tui.commands.outgoing import outgoing_keys
    from tui.commands.output import warn

    workspace = open_here(config, variant, base)
    found = outgoing_keys(workspace, only, allow_missing=allow_missing, warn=warn)
    environment = child_environment(workspace.env, found, only_listed=only_listed)
    return run_command(list(command), environment)
