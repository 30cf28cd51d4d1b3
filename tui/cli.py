"""The door: ``turnkey`` opens the screens, ``turnkey COMMAND`` works without a terminal.

Nothing heavy is imported here. Help, version and completion need click alone; a command's module
is imported when that command runs, and Textual only when the screens open.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

from core import __version__
from tui.door import print_anything

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "provider": ("tui.commands.provider:provider", "Add, list, show, rename or remove providers."),
    "models": ("tui.commands.models:models", "List what an endpoint serves, with facts."),
    "lane": ("tui.commands.lane:lane", "Choose the model of a lane, or leave it unset."),
    "lanes": ("tui.commands.lanes:lanes", "Show what each lane resolves to, and why."),
    "check": ("tui.commands.check:check", "Name the problems and escapes of the file."),
    "ping": ("tui.commands.ping:ping", "Stream one request and measure it."),
    "doctor": ("tui.commands.doctor:doctor", "Find the first thing that breaks on the way."),
    "verify": ("tui.commands.verify:verify", "Try each lane as Warden will; keep a receipt."),
    "export": ("tui.commands.export:export", "Write the setup for Pi, CI and other readers."),
    "keys": ("tui.commands.keys:keys", "Store keys in the OS keyring; see where they come from."),
    "env": ("tui.commands.env:env", "Print the keys as shell code, or their names."),
    "run": ("tui.commands.run:run", "Run a command with the keys in its environment."),
    "info": ("tui.commands.info:info", "Show where things are; safe for a bug report."),
    "help": ("tui.commands.help_topic:help_topic", "Explain lanes, escapes, keys, figures, ..."),
    "completion": ("tui.commands.completion:completion", "Print completion for a shell."),
    "demo-server": ("tui.commands.demo_server:demo_server", "Serve the demo provider alone."),
}
"""Command name -> (module:object, the line that --help shows without importing it)."""


WANTS_JSON: Final = "turnkey.json"
"""In click's ``meta``: whether ``--json`` was given."""


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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Completions of a command's name, from the table alone."""
        from click.shell_completion import CompletionItem

        begun = [
            CompletionItem(name, help=line)
            for name, (_, line) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*begun, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; one that is stopped still prints its JSON object."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError, click.Abort):
            if ctx.meta.get(WANTS_JSON):
                from tui.commands.output import print_interrupted

                print_interrupted(ctx.meta)
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command list of ``--help``, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


EXAMPLES: Final = """\b
Examples:
  turnkey                                open the screens on the nearest warden.toml
  turnkey --demo                         try everything without a server
  turnkey provider add litellm --url localhost:4000 --model qwen3-coder
  turnkey keys set litellm               asks, or reads stdin; never an argument
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
    type=click.Path(),
    metavar="FILE",
    help="The warden.toml to open; else the nearest one up to the repository's root.",
)
@click.option(
    "--base",
    type=click.Path(),
    metavar="FILE",
    help="An organisation's base layer, read beside the file; b on the Lanes screen edits it.",
)
@click.option(
    "--variant",
    type=click.Choice(["providers", "stock"]),
    default="providers",
    help="Which Warden will read the file.",
    show_default=True,
)
@click.option("--no-color", is_flag=True, help="Screens without colours.")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.option("--web", is_flag=True, help="Serve the screens to a browser of this machine.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="With --web: the loopback port; 0 takes a free one.",
)
@click.pass_context
def cli(
    ctx: click.Context,
    demo: bool,
    config: str | None,
    base: str | None,
    variant: str,
    no_color: bool,
    no_mouse: bool,
    web: bool,
    port: int,
) -> None:
    """Set up and live-test self-hosted LLM providers for Warden.

    Without a command the screens open, on the nearest warden.toml. Keys live in the OS keyring
    and leave as environment variables only.
    """
    command = ctx.invoked_subcommand
    if command is not None:
        for name, given in (("--demo", demo), ("--web", web)):
            if given:
                raise click.UsageError(f"{name} opens the screens; it does not go with {command}.")
        if config is not None or base is not None or variant != "providers":
            raise click.UsageError(
                f"Options stand after the command: turnkey {command} ... --config FILE"
            )
        return
    if web:
        from tui.commands.browser import open_browser

        files = [("--config", config), ("--base", base), ("--variant", variant)]
        named = [word for name, value in files if value is not None for word in (name, value)]
        flags = [("--demo", demo), ("--no-color", no_color), ("--no-mouse", no_mouse)]
        ctx.exit(open_browser([*named, *(name for name, on in flags if on)], port))
    from tui.commands.screens import open_screens

    ctx.exit(
        open_screens(
            demo=demo,
            config=config,
            variant=variant,
            base=base,
            color=not no_color,
            mouse=not no_mouse,
        )
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is that of the command-line contract.

    0 well, 1 the answer is no, 2 usage, 3 the config, 4 the endpoint, 5 a key, 130 interrupted;
    70 is a mistake in turnkey itself.
    """
    print_anything(sys.stdout)
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        code: object = cli.main(
            args=arguments,
            prog_name="turnkey",
            standalone_mode=False,
        )
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as wrong:
        wrong.show()
        own = arguments[: arguments.index("--")] if "--" in arguments else arguments
        if "--json" in own:
            from tui.commands.output import print_usage_fault

            print_usage_fault(wrong)
        return wrong.exit_code
    except (click.Abort, KeyboardInterrupt, Exception) as error:  # noqa: BLE001 - told()
        return told(error)
    return code if isinstance(code, int) else 0


def told(error: BaseException) -> int:
    """Say what ended turnkey, and give its exit code.

    With ``TURNKEY_TRACEBACK`` a mistake of turnkey's own is raised again.
    """
    if isinstance(error, click.Abort | KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    # Imported here: help and version need none of it.
    from core.errors import TurnkeyError
    from tui.commands.output import show_fault

    if isinstance(error, TurnkeyError):
        show_fault(error.fault)
        return error.exit_code
    if os.environ.get("TURNKEY_TRACEBACK") or not isinstance(error, Exception):
        raise error
    _show_mistake(error)
    return 70


def _show_mistake(mistake: Exception) -> None:
    """Names an exception that nobody expected by kind and place; its text could hold anything."""
    trace, place = mistake.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in {"core", "tui", "screens"}:
            place = f" in {module}, {code.co_name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    kind = type(mistake).__name__
    said = f" ({mistake.strerror})" if isinstance(mistake, OSError) and mistake.strerror else ""
    click.echo(f"error: turnkey failed: {kind}{said}{place}.", err=True)
    click.echo("  why: Nobody expected that: it is a mistake in turnkey.", err=True)
    click.echo(
        "  fix: Please report it. TURNKEY_TRACEBACK=1 shows more, which may hold private text.",
        err=True,
    )
