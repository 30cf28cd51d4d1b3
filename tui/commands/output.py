"""What commands print: facts on stdout, everything else on stderr; JSON is one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
import msgspec

from core.errors import Fault
from core.text import one_line, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


PRINTED: Final = "turnkey.printed"
"""Set in click's ``meta`` once the object is out: there is one, whatever happens after it."""
INTERRUPTED: Final = Fault(
    "interrupted", "It was stopped before its end.", "", "Run it again, or set --timeout."
)


def print_json(value: object) -> None:
    """``value`` (structs, mappings, sequences) as one indented JSON object on stdout."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta[PRINTED] = True
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_usage_fault(wrong: click.ClickException) -> None:
    """What click says of options that it does not take, as the JSON of an error."""
    context = wrong.ctx if isinstance(wrong, click.UsageError) else None
    command = context.command_path if context is not None else "turnkey"
    what = one_line(wrong.format_message(), 300)
    print_json({"error": Fault("usage", what, "", f"«{command} --help» tells what it takes.")})


def print_interrupted(meta: Mapping[str, object]) -> None:
    """The JSON of an interruption, unless the command's own is out already (``meta``: click's)."""
    if not meta.get(PRINTED):
        print_json({"error": INTERRUPTED})


def show(text: str = "") -> None:
    """A fact on stdout, control characters made visible."""
    click.echo(visible(text))


def show_fault(fault: Fault) -> None:
    """A fault on stderr: what happened, why, and what to do."""
    click.echo(f"error: {visible(fault.what)}", err=True)
    if fault.why:
        click.echo(f"  why: {visible(fault.why)}", err=True)
    if fault.fix:
        click.echo(f"  fix: {visible(fault.fix)}", err=True)


def warn(message: str) -> None:
    """A warning on stderr."""
    click.echo(f"warning: {visible(message)}", err=True)


def warn_of(fault: Fault) -> None:
    """A fault that stops nothing, as a warning in one line: what, why and what to do."""
    warn(" ".join(part for part in (fault.what, fault.why, fault.fix) if part))


def say(message: str) -> None:
    """Something a person should know that is not a fact asked for, on stderr."""
    click.echo(visible(message), err=True)


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns on stdout, two spaces between them, control characters made visible."""
    cells = [list(headings), *[[one_line(cell, 120) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())
