"""The line of steps: whole where it fits, else how far one is and what comes next."""

from __future__ import annotations

import pytest

from core.onboarding import NAMES, Step
from tui.widgets.path_bar import path_line

BEGUN = tuple(
    Step(name, "done" if at < 2 else "next" if at == 2 else "open") for at, name in enumerate(NAMES)
)
ENDED = tuple(Step(name, "done") for name in NAMES)
LINE = " ✓ provider  ✓ key  ▸ models  · lanes  · test  · verify  · save"


@pytest.mark.parametrize(
    ("steps", "width", "wanted"),
    [
        (BEGUN, 120, f"{LINE}  ctrl+n pick its models"),
        (BEGUN, 80, f"{LINE}  ctrl+n next"),
        (BEGUN, 60, " 2 of 7 done  ▸ ctrl+n pick its models"),
        (ENDED, 120, f"{LINE.replace('▸', '✓').replace('·', '✓')}  "),
        (ENDED, 60, " 7 of 7 done  "),
    ],
)
def test_the_steps_fit_their_line(steps: tuple[Step, ...], width: int, wanted: str) -> None:
    line = str(path_line(steps, width))
    assert line == wanted
    assert len(line) <= width
