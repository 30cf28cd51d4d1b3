"""``turnkey check``: the problems and escapes of the file, judged."""

from __future__ import annotations

import click

from tui.commands.options import common, open_here


@click.command()
@common
@click.option(
    "--allow",
    multiple=True,
    metavar="CODE:LANE",
    help="Accept a deliberate escape, for example E9:synthesis.",
)
def check(
    allow: tuple[str, ...], config: str | None, base: str | None, variant: str, as_json: bool
) -> int:
    """Name the problems and escapes of the file.

    Exits 1 on an escape that is not allowed, or on a problem of severity error.
    """
    from tui.commands.output import print_json, say

    workspace = open_here(config, variant, base)
    problems = workspace.problems()
    escapes = [
        escape
        for escape in workspace.lanes().escapes
        if f"{escape.code}:{escape.lane}" not in allow
    ]
    if as_json:
        print_json({"problems": problems, "escapes": escapes})
    else:
        for problem in problems:
            place = f"{workspace.document.path.name}:{problem.line}:{problem.column}"
            click.echo(f"{place}: {problem.severity}: {problem.message} [{problem.code}]")
            if problem.effect:
                click.echo(f"    Warden: {problem.effect}")
            if problem.suggestion:
                click.echo(f"    fix: {problem.suggestion}")
        for escape in escapes:
            click.echo(f"{escape.lane}: escape {escape.code}: {escape.message}")
            click.echo(f"    fix: {escape.fix}")
        if not problems and not escapes:
            say("Nothing is wrong.")
    return 1 if escapes or any(problem.severity == "error" for problem in problems) else 0
