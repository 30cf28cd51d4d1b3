"""One export by the name of its target, and what merging it into an existing file would do. Pure.

A text for the screen or for stdout is always the setup's alone: what a file of somebody's holds
beside it, which may be keys, is merged where it is written and shown nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core.errors import Fault, Refusal
from core.export.environments import gateway, ml_intern, stock_environment
from core.export.github import github
from core.export.guidellm import guidellm
from core.export.pi_models import auth_json, lost_by, models_json
from core.export.setup import TARGETS, Export, Setup, Target
from core.export.warden_file import warden_toml
from core.leaked import holds_keys
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from core.export.ask_gateway import Asked
    from core.warden.document import Document

MERGED: Final[frozenset[Target]] = frozenset({"pi", "warden"})
"""Targets whose file may hold more than turnkey's part, which stays."""
PI_FOLDER: Final = "~/.pi/agent"
_SHOWN: Final = 6


class Written(msgspec.Struct, frozen=True):
    """What a file will hold, and what of its old content goes."""

    text: str
    replaced: tuple[str, ...] = ()
    """In words: what stood there and will not any more."""


def target_named(name: str) -> Target:
    """The target of that name. KeyError: there is none."""
    found: Target
    for found in _ORDER:
        if found == name:
            return found
    raise KeyError(name)


_ORDER: Final[tuple[Target, ...]] = tuple(msgspec.convert(name, Target) for name in TARGETS)


def refuse_keys(documents: Sequence[Document]) -> None:
    """A file that holds a key is not exported. Raises Refusal ``not_exportable``."""
    for document in documents:
        if holds_keys(document):
            raise Refusal(
                Fault(
                    "not_exportable",
                    f"A key stands in {one_line(document.path.name, 60)}.",
                    "It would go wherever the export goes.",
                    "turnkey check --move-keys puts it into the keyring.",
                )
            )


def make_export(
    setup: Setup,
    target: Target,
    *,
    document: Document,
    auth: bool = False,
    folder: str = PI_FOLDER,
    asked: Collection[Asked] | None = None,
) -> Export:
    """What ``target`` reads, for ``setup`` alone.

    ``document``: the setup's own file. ``auth``: of ``pi``, the ``auth.json``. ``folder``: where
    the exported ``models.json`` is or will be. ``asked``: which sides the gateway answered; None:
    nobody asked it, and the export says so.

    Raises Refusal ``not_exportable``.
    """
    match target:
        case "warden":
            return warden_toml(setup, document, own=True)[1]
        case "pi":
            return auth_json(setup) if auth else models_json(setup)
        case "stock-env":
            return stock_environment(setup, folder)
        case "github":
            return github(setup)
        case "ml-intern":
            return ml_intern(setup)
        case "guidellm":
            return guidellm(setup)
        case "gateway":
            return _gateway(setup, asked)


def merge_export(
    setup: Setup,
    target: Target,
    export: Export,
    existing: str | None,
    *,
    document: Document,
    own: bool,
    auth: bool = False,
    replace: bool = False,
) -> Written:
    """What the file will hold that has ``existing`` now (None: it is not there).

    ``document``: for ``warden`` the file that is written, ``own``: it is the setup's own file.
    ``replace``: what stands there may go, a file that is no merge as well as a key of Pi's files.

    Raises Refusal ``would_be_lost`` where it may not, ConfigProblem for a file that Pi could not
    read, and whatever an edit of ``warden.toml`` raises.
    """
    if target == "warden":
        edited, made = warden_toml(setup, document, own=own)
        told = tuple(note for note in made.notes if note.endswith("was replaced."))
        return Written(edited.text, told)
    if existing is None or existing == export.text:
        return Written(export.text)
    if target == "pi":
        lost = lost_by(setup, existing, auth=auth)
        if lost and not replace:
            more = f", and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
            raise _would_be_lost(f"That file holds of {'; '.join(lost[:_SHOWN])}{more}.")
        made = (
            auth_json(setup, existing, replace=replace)
            if auth
            else models_json(setup, existing, replace=replace)
        )
        told = tuple(note for note in made.notes if note.startswith("The entry "))
        return Written(made.text, told)
    if not replace:
        raise _would_be_lost("The file is there, and says something else.")
    return Written(export.text, (f"{len(existing.splitlines())} lines that stood there went.",))


def _gateway(setup: Setup, asked: Collection[Asked] | None) -> Export:
    if asked is None:
        made = gateway(setup)
        note = "Nobody has asked it yet: turnkey export gateway asks both sides."
        return msgspec.structs.replace(made, notes=(note, *made.notes))
    sides = {one.side: one.works for one in asked}
    made = gateway(setup, chat=sides.get("chat", False), messages=sides.get("messages", False))
    found = tuple(
        f"{one.path} answered PONG to a key in {one.header}." for one in asked if one.works
    )
    return msgspec.structs.replace(made, notes=(*found, *made.notes))


def _would_be_lost(what: str) -> Refusal:
    return Refusal(
        Fault(
            "would_be_lost",
            what,
            "Writing over it would lose that, and nothing was written.",
            "Name another file with --output, or repeat with --replace.",
        )
    )
