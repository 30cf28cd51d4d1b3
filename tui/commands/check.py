"""``turnkey check``: the problems and escapes of the file, judged."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import click

from tui.commands.options import common, dry_run_option, json_errors
from tui.opening import open_here

_ALLOWED: Final = re.compile(r"E[0-9]+:[a-z_]+")


@click.command()
@click.option(
    "--allow",
    multiple=True,
    metavar="CODE:LANE",
    help="Accept a deliberate escape, for example E9:synthesis.",
)
@click.option("--fix", "spellings", is_flag=True, help="Bring old spellings up to date, and save.")
@click.option("--drop-leftovers", is_flag=True, help="Remove what Warden ignores, and save.")
@click.option(
    "--move-keys",
    is_flag=True,
    help="Move keys that stand in the file to the keyring, and save; one that no keyring takes "
    "stays.",
)
@dry_run_option
@common
@json_errors
def check(
    allow: tuple[str, ...],
    spellings: bool,
    drop_leftovers: bool,
    move_keys: bool,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> int:
    """Name the problems and escapes of the file, and mend on request what can be mended.

    With --fix, --drop-leftovers or --move-keys the file is edited first, and what is left is
    judged; --dry-run prints the difference instead of saving it. The base layer is never edited.

    Exits 1 on an escape that is not allowed, or on a problem of severity error. Asks no server.
    """
    import msgspec

    from core.errors import Fault, UsageProblem
    from core.text import one_line
    from core.verify.known import note_of
    from tui.commands.masking import Door

    for one in allow:
        if not _ALLOWED.fullmatch(one):
            raise UsageProblem(
                Fault(
                    "usage",
                    f"--allow takes CODE:LANE, not «{one_line(one, 60)}».",
                    "",
                    "Write for example --allow E9:synthesis.",
                )
            )
    workspace = open_here(config, variant, base)
    door = Door(workspace)
    show, say, warn = door.show, door.say, door.warn
    fixed = None
    if spellings or drop_leftovers or move_keys:
        from tui.commands.fixing import fix

        fixed = fix(
            workspace,
            spellings=spellings,
            leftovers=drop_leftovers,
            keys=move_keys,
            dry_run=dry_run,
        )
    note = note_of(workspace, datetime.now(UTC))
    problems = (*workspace.problems(), *(() if note is None else (note,)))
    found = workspace.lanes().escapes
    allowed = [escape for escape in found if f"{escape.code}:{escape.lane}" in allow]
    escapes = [escape for escape in found if escape not in allowed]
    if as_json:
        told = {"problems": problems, "escapes": escapes, "allowed": allowed}
        facts = msgspec.to_builtins(told if fixed is None else {**told, "fixed": fixed})
        door.json(facts)
    else:
        if fixed is not None and dry_run:
            click.echo(fixed.diff, nl=False)
        for problem in problems:
            # Both files may be called warden.toml.
            name = "base layer" if problem.layer == "base" else workspace.document.path.name
            place = f"{name}:{problem.line}:{problem.column}"
            show(f"{place}: {problem.severity}: {problem.message} [{problem.code}]")
            if problem.effect:
                show(f"    Warden: {problem.effect}")
            if problem.suggestion:
                show(f"    fix: {problem.suggestion}")
        for escape in escapes:
            show(f"escape {escape.code}:{escape.lane}: {escape.message}")
            show(f"    fix: {escape.fix}")
        for escape in allowed:
            show(f"allowed {escape.code}:{escape.lane}: {escape.message}")
        if all(problem is note for problem in problems) and not escapes:
            say("Nothing is wrong.")
    known = {f"{escape.code}:{escape.lane}" for escape in allowed}
    for one in dict.fromkeys(allow):
        if one not in known:
            warn(f"There is no escape {one} here; --allow {one} can go.")
    return 1 if escapes or any(problem.severity == "error" for problem in problems) else 0
