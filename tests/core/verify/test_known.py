"""What «verified» stands for is what the trials' own registry says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from core.verify.known import COMPAT_PROBES, TRIALS_OF, verifies
from core.verify.registry import compat_probes
from core.verify.trials.registry import trials_for
from core.warden.chains import LANES
from core.warden.config import read_config

if TYPE_CHECKING:
    from core.warden.chains import Lane

OFF: Final = {"verification": {"enabled": False}}


@pytest.mark.parametrize("lane", LANES)
def test_the_written_table_is_the_registrys(lane: Lane) -> None:
    assert TRIALS_OF[lane] == tuple(trial.name for trial in trials_for(lane))
    assert tuple(probe.name for probe in compat_probes()) == COMPAT_PROBES


@pytest.mark.parametrize(
    ("repository", "base", "checked"),
    [
        ({}, None, True),
        ({"defaults": OFF}, None, False),
        ({"defaults": OFF}, {}, False),
        ({"defaults": OFF}, {"defaults": {"verification": {"enabled": True}}}, True),
        (
            {"defaults": OFF, "skills": [{"name": "s", "verification": {"enabled": True}}]},
            None,
            True,
        ),
        ({"skills": [{"name": "s", **OFF}]}, None, False),
    ],
)
def test_a_skills_own_word_counts(
    repository: dict[str, object], base: dict[str, object] | None, checked: bool
) -> None:
    layer = None if base is None else read_config({"version": 1, **base})
    assert verifies(read_config({"version": 1, **repository}), layer) is checked
