"""Lanes: the resolution is redrawn as one chooses, and a choice is a pending edit."""

from __future__ import annotations

import tomllib

from textual.widgets import Static

from tests.screens.stage import FILLED, Stage, arrive, stand, until, workspace
from tui.widgets.shell import ToLanes

PROVIDER = FILLED[FILLED.index("[defaults.providers.litellm]") : FILLED.index("[[skills]]")]
UNSET = "version = 1\n\n" + PROVIDER


def chains(app: Stage) -> str:
    return str(app.screen.query_one("#chains", Static).content)


async def test_all_three_are_written_explicitly() -> None:
    on = workspace(UNSET)
    app = Stage(on, ToLanes())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("enter")
        await until(pilot, lambda: on.unsaved)
    defaults = tomllib.loads(on.document.text)["defaults"]
    assert [defaults[lane]["model"] for lane in ("agent", "auxiliary", "synthesis")] == [
        "litellm/qwen3-coder"
    ] * 3


async def test_resolution_is_redrawn_while_one_chooses() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToLanes("synthesis"))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("home")
        await until(
            pilot, lambda: "litellm/qwen3-coder   by defaults.synthesis.model" in chains(app)
        )
        await pilot.press("end")
        await until(
            pilot, lambda: "litellm/qwen3-mini   by defaults.auxiliary.model" in chains(app)
        )
        assert not on.unsaved


async def test_inherit_takes_the_lane_out_of_the_file() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToLanes("auxiliary"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("end", "enter")
        await until(pilot, lambda: on.unsaved)
        await pilot.press("u")
        await until(pilot, lambda: not on.unsaved)


async def test_stock_warden_shows_what_would_escape() -> None:
    on = workspace(UNSET, env={"ANTHROPIC_API_KEY": "x"})
    app = Stage(on, ToLanes())
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("V", "end")
        await until(pilot, lambda: "▲ E" in chains(app))
        assert on.variant == "stock"


async def test_old_default_model_is_moved_only_when_asked() -> None:
    text = UNSET.replace("version = 1\n", 'version = 1\n\n[defaults]\nmodel = "litellm/old"\n')
    on = workspace(text)
    app = Stage(on, ToLanes("agent"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("home", "enter")
        await arrive(pilot, "AskChoice")
        assert not on.unsaved
        await pilot.press("escape")
        await arrive(pilot, "LanesScreen")
        assert not on.unsaved
        await pilot.press("enter")
        await arrive(pilot, "AskChoice")
        await pilot.press("enter")
        await until(pilot, lambda: on.unsaved)
    defaults = tomllib.loads(on.document.text)["defaults"]
    assert "model" not in defaults
    assert defaults["agent"]["model"] == "litellm/qwen3-coder"
