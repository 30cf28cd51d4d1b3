"""What a choice on the Lanes screen stands for: the row's present model, and the edit it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.warden.chains import LANES
from core.warden.lane_edits import effort_levels, set_effort, set_lane, unset_lane
from screens.lane_words import FOLLOWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.warden.config import Config, Variant
    from core.warden.document import Document
    from core.warden.lane_edits import DefaultModel
    from core.warden.lanes import Lane, Override

ALL: Final = "all"


def written(config: Config) -> dict[Lane, str | None]:
    """The models that the file itself gives the lanes."""
    defaults = config.defaults
    return {
        "agent": defaults.agent_model,
        "auxiliary": defaults.auxiliary_model,
        "synthesis": defaults.synthesis_model,
    }


def differ(config: Config, row: str) -> bool:
    """Whether the three lanes are written differently, so that no choice is the one of all."""
    return row == ALL and len(set(written(config).values())) > 1


def current(config: Config, row: str, overrides: Mapping[str, Override]) -> str | None:
    """The selector that is written for a row; None: none, or not one for all."""
    if row in overrides:
        return overrides[row].selector
    models = written(config)
    if row == ALL:
        return None if differ(config, row) else next(iter(models.values()))
    return next((model for lane, model in models.items() if lane == row), None)


def lanes_of_row(row: str) -> tuple[Lane, ...]:
    """The lanes that a choice for the row writes."""
    return tuple(lane for lane in LANES if row in {ALL, lane})


def edited(
    document: Document,
    row: str,
    choice: str | None,
    overrides: Mapping[str, Override],
    default_model: DefaultModel,
) -> Document:
    """The document with ``choice`` (None: no model) for a row; raises as the edits do."""
    if row in FOLLOWS:
        return document
    override = overrides.get(row)
    if override is not None:
        from core.warden.keys_edit import set_key, unset_key

        if choice is None:
            return unset_key(document, override.path)
        return set_key(document, override.path, choice)
    for lane in lanes_of_row(row):
        if choice is None:
            document = unset_lane(document, lane)
        else:
            document = set_lane(document, lane, choice, default_model=default_model)
    return document


def levels(row: str, variant: Variant) -> tuple[str, ...]:
    """The efforts to choose from for a row; none where this Warden has no effort for it."""
    found = [effort_levels(lane, variant) for lane in lanes_of_row(row)]
    return next((one for one in found if one), ())


def with_effort(document: Document, row: str, effort: str | None, variant: Variant) -> Document:
    """The document with the effort of those lanes of the row that have one; None takes it away."""
    for lane in lanes_of_row(row):
        if effort_levels(lane, variant):
            document = set_effort(document, lane, effort, variant)
    return document
