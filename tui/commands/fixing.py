"""What ``turnkey check`` mends when it is asked: old spellings, leftovers, keys in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tui.commands.output import warn_of

if TYPE_CHECKING:
    from core.workspace import Workspace


class Fixed(msgspec.Struct, frozen=True):
    """What was mended, for ``--json``: instructions as a person reads them, no key's value."""

    upgraded: tuple[str, ...]
    moved: tuple[str, ...]
    diff: str
    saved: bool


def fix(
    workspace: Workspace, *, spellings: bool, leftovers: bool, keys: bool, dry_run: bool
) -> Fixed:
    """Make the edits that were asked for, and save them unless ``dry_run``.

    A key goes to the keyring before its line leaves the file; one that no keyring takes stays,
    and a warning says so. Raises ConfigProblem when the file cannot be written.
    """
    from core.errors import KeyProblem
    from core.leaked import leaks, move, taken_out
    from core.warden.keys_edit import dotted
    from core.warden.upgrades import all_upgraded, untouched
    from tui.commands.masking import Door
    from tui.commands.writing import write

    door = Door(workspace)
    say, warn = door.say, door.warn
    moved: list[str] = []
    for leak in leaks(workspace.document) if keys else ():
        if dry_run:
            say(f"would be done: {leak.says}" if leak.way != "none" else leak.says)
            if leak.way != "none":
                workspace.edit(taken_out(workspace.document, leak))
            continue
        try:
            edited, place = move(workspace.document, leak, workspace.vault)
        except KeyProblem as problem:
            warn_of(door.fault(problem.fault))
            continue
        workspace.edit(edited)
        moved.append(door.text(leak.says))
        say(f"{leak.variable}: {place.for_origin(leak.origin)}")
    done: list[str] = []
    for leak in leaks(workspace.document) if spellings or leftovers else ():
        if leak.path not in untouched(workspace.document):
            continue
        warn(f"{dotted(leak.path)} holds a key; no edit carries it elsewhere. {leak.says}")
    if spellings or leftovers:
        document, found = all_upgraded(workspace.document, spellings=spellings, leftovers=leftovers)
        workspace.edit(document)
        done = [door.text(one.says) for one in found]
    for words in done:
        say(words)
    changes = write(workspace, dry_run=dry_run)
    return Fixed(tuple(done), tuple(moved), changes, bool(changes) and not dry_run)
