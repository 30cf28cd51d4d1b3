from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.mend import escapes_to_mend, grouped, problems_to_mend, to_mend
from core.warden.problems import Problem
from core.warden.scene import Escape
from tests.core.desk import GATEWAY, workspace_at

if TYPE_CHECKING:
    from pathlib import Path

    from core.warden.findings import Severity


def escape(code: str, lane: str, fix: str = "do it") -> Escape:
    return Escape(code, lane, f"{lane} would leave.", fix)  # type: ignore[arg-type]


def problem(path: str, severity: Severity = "error", suggestion: str = "do so") -> Problem:
    return Problem("code", severity, path, 1, 1, f"{path} is wrong.", "It fails.", suggestion)


def test_a_file_that_is_yet_to_be_made_has_nothing_wrong(tmp_path: Path) -> None:
    assert to_mend(workspace_at(tmp_path, None)) == ()


def test_what_is_urgent_comes_first_and_each_thing_once(tmp_path: Path) -> None:
    text = GATEWAY.replace("litellm/qwen3", "litellm/other") + "\n[defaults.auxiliary]\nmodle = 1\n"
    mends = to_mend(workspace_at(tmp_path, text, env={"OPENAI_API_KEY": "x"}))
    assert mends
    assert [mend.urgent for mend in mends] == sorted((m.urgent for m in mends), reverse=True)
    assert len(set(mends)) == len(mends)


def test_escapes_of_one_cause_are_one_line() -> None:
    first, second, other = (
        escape("E2", "auxiliary"),
        escape("E2", "verification"),
        escape("E2", "synthesis", "do that"),
    )
    groups = grouped([first, other, second])
    assert [group.lanes for group in groups] == [("auxiliary", "verification"), ("synthesis",)]
    assert groups[0].first is first


def test_an_escape_is_mended_at_its_lane(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, env={"ANTHROPIC_API_KEY": "x"}, variant="stock")
    mends = escapes_to_mend(workspace.lanes())
    assert mends
    for mend in mends:
        assert (mend.spot, mend.urgent) == ("lane", True)
        assert mend.name
        assert mend.fix


def test_problems_are_mended_where_they_stand() -> None:
    mends = problems_to_mend(
        (
            problem("defaults.agent.model"),
            problem("defaults.providers.litellm.baseUrl", "warning"),
            problem("skills[0].name", suggestion=""),
            problem("version", "note"),
        )
    )
    assert [(mend.spot, mend.name, mend.urgent) for mend in mends] == [
        ("lane", "agent", True),
        ("provider", "litellm", False),
        ("file", "", True),
    ]
    assert mends[2].fix == "It fails."


@pytest.mark.parametrize(
    ("path", "spot", "name"),
    [
        ("defaults.auxiliary.model", "lane", "auxiliary"),
        ("defaults.auxiliary", "lane", "auxiliary"),
        ("defaults.auxiliary.modle", "file", ""),
        ("defaults.providers.gw.baseUrl", "provider", "gw"),
        ("defaults.providers.gw", "provider", "gw"),
        ("defaults.providers.gw.models[0].id", "models", "gw"),
        ("defaults.providers.gw.headers.X-Key", "file", "gw"),
        ("skills[0].model", "file", ""),
    ],
)
def test_each_place_of_a_problem_has_a_screen_that_mends_it(
    path: str, spot: str, name: str
) -> None:
    (mend,) = problems_to_mend((problem(path),))
    assert (mend.spot, mend.name) == (spot, name)


def test_the_dearest_comes_first(tmp_path: Path) -> None:
    text = GATEWAY.replace('id = "qwen3"', 'id = "qwen3"\ncost = { input = 0.0000001 }')
    text = text.replace(
        'baseUrl = "https://gw.example/v1"',
        'baseUrl = "https://gw.example/v1"\nheaders = { X-Run = "!cat secrets" }\nodd = 1',
    )
    stock = workspace_at(tmp_path, text, env={"ANTHROPIC_API_KEY": "x"}, variant="stock")
    costs = [mend.cost for mend in to_mend(stock)]
    assert costs == sorted(costs)
    assert {0, 1} <= set(costs)
