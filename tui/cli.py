"""The door: ``turnkey`` opens the screens, ``turnkey COMMAND`` works without a terminal.

Nothing heavy is imported here. Help, version and completion need click alone; a command's module
is imported when that command runs, and Textual only when the screens open.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

from core import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "provider": ("tui.commands.provider:provider", "Add, list, show, rename or remove providers."),
    "models": ("tui.commands.models:models", "List what an endpoint serves, with facts."),
    "lane": ("tui.commands.lane:lane", "Choose the model of a lane, or leave it unset."),
    "lanes": ("tui.commands.lanes:lanes", "Show what each lane resolves to, and why."),
    "check": ("tui.commands.check:check", "Name the problems and escapes of the file."),
    "ping": ("tui.commands.ping:ping", "Stream one request and measure it."),
    "keys": ("tui.commands.keys:keys", "Store a key in the OS keyring; see where keys come from."),
    "env": ("tui.commands.env:env", "Print the keys as shell code, or their names."),
    "run": ("tui.commands.run:run", "Run a command with the keys in its environment."),
    "demo-server": ("tui.commands.demo_server:demo_server", "Serve the demo provider alone."),
}
"""Command name -> (module:object, the line that --help shows without importing it)."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they run, and listed without being imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of a first day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command ``cmd_name``, or None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: object = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command list of ``--help``, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


EXAMPLES: Final = """\b
Examples:
  turnkey                                open the screens on the nearest warden.toml
  turnkey --demo                         try everything without a server
  turnkey provider add litellm --url localhost:4000 --model qwen3-coder
  turnkey lane set all litellm/qwen3-coder
  turnkey ping --lane agent              one streamed request, measured
  turnkey run -- warden                  Warden, with the keys in its environment
"""


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "--version", prog_name="turnkey")
@click.option("--demo", is_flag=True, help="Open the screens on the demo provider.")
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    help="The warden.toml to open; else the nearest one up to the repository's root.",
)
@click.option(
    "--variant",
    type=click.Choice(["providers", "stock"]),
    default="providers",
    help="Which Warden will read the file.",
    show_default=True,
)
@click.pass_context
def cli(ctx: click.Context, demo: bool, config: str | None, variant: str) -> None:
    """Set up and live-test self-hosted LLM providers for Warden.

    Without a command the screens open. Keys live in the OS keyring and leave as environment
    variables only.
    """
    if ctx.invoked_subcommand is not None:
        if demo or config is not None or variant != "providers":
            raise click.UsageError(
                "--demo, --config and --variant stand after the command, where it takes them"
            )
        return
    from tui.commands.screens import open_screens

    ctx.exit(open_screens(demo=demo, config=config, variant=variant))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is that of the command-line contract.

    0 well, 1 the answer is no, 2 usage, 3 the config, 4 the endpoint, 5 a key, 130 interrupted.
    """
    from core.errors import TurnkeyError

    try:
        code: object = cli.main(
            args=None if argv is None else list(argv),
            prog_name="turnkey",
            standalone_mode=False,
        )
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as wrong:
        wrong.show()
        return wrong.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except TurnkeyError as error:
        from tui.commands.output import show_fault

        show_fault(error.fault)
        return error.exit_code
    return code if isinstance(code, int) else 0
