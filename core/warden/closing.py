"""The edit that an escape carries, made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.errors import Fault, Refusal
from core.warden.edits import rename_provider
from core.warden.keys_edit import set_key
from core.warden.lane_edits import set_lane

if TYPE_CHECKING:
    from core.warden.document import Document
    from core.warden.scan import KeyPath
    from core.warden.scene import Escape

_PROVIDER: Final = "defaults.providers."
_STEP: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]")


def closed(document: Document, escape: Escape) -> Document:
    """The file of the escape's layer with the edit that closes it.

    ``document`` is the file that ``escape.edit.layer`` names. An old ``defaults.model`` is moved
    where the agent's lane is set. Refusal ``model_unknown`` when no model of the user's own
    providers is known, so that there is nothing to set.
    """
    edit = escape.edit
    if edit is None or edit.value is None:
        raise Refusal(
            Fault(
                "model_unknown",
                "turnkey knows no model to close this with.",
                "No provider of yours declares one.",
                "Add a provider with a model first.",
            )
        )
    if edit.lane is not None:
        return set_lane(document, edit.lane, edit.value, default_model="move")
    if edit.path.startswith(_PROVIDER):
        return rename_provider(document, edit.path.removeprefix(_PROVIDER), edit.value)
    return set_key(document, steps(edit.path), edit.value)


def steps(path: str) -> KeyPath:
    """A dotted path of Warden's own keys in parts: ``skills[0].model``."""
    return tuple(int(number) if number else name for name, number in _STEP.findall(path))
