"""From nothing to a verified, saved file, on the demo, by the steps that the screens show."""

from __future__ import annotations

import asyncio
import tomllib
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from core.verify.known import standing_of
from screens.verify import VerifyScreen
from tests.screens.stage import (
    FILLED,
    ScriptedAsker,
    Stage,
    arrive,
    stand,
    until,
    workspace,
)
from tests.screens.test_add_provider import LITELLM, OLLAMA
from tui.launch import open_demo
from tui.widgets.field import Field
from tui.widgets.found import FoundServers
from tui.widgets.model_list import ModelList
from tui.widgets.path_bar import PathBar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.pilot import Pilot

    from core.workspace import Workspace

FEWEST = 25
"""Key presses that the whole way must stay below."""


@pytest.fixture
def demo() -> Iterator[Workspace]:
    with ExitStack() as stack:
        yield open_demo(stack)


def way(app: Stage) -> str:
    """The line of steps as it stands, empty where none is shown."""
    line = app.screen.query_one(PathBar)
    return str(line.visual) if line.display else ""


async def test_the_whole_way_takes_fewer_than_25_keys(demo: Workspace) -> None:
    app = Stage(demo)
    pressed: list[str] = []

    async def press(pilot: Pilot[int], *keys: str) -> None:
        pressed.extend(keys)
        await pilot.press(*keys)

    async with app.run_test(size=(100, 30)) as pilot:
        await arrive(pilot, "HomeScreen")
        await until(pilot, lambda: "▸ provider" in way(app))
        await press(pilot, "a")
        await arrive(pilot, "AddProviderScreen")
        await press(pilot, "ctrl+o")
        await arrive(pilot, "ModelsScreen")
        await until(pilot, lambda: app.screen.query_one(ModelList).shown > 3)
        await press(pilot, "slash", *"plain", "enter", "space", "escape", "c")
        await arrive(pilot, "LanesScreen")
        await press(pilot, "enter", "ctrl+n")
        await arrive(pilot, "LiveScreen")
        await until(pilot, lambda: "▸ test" in way(app))
        await press(pilot, "enter")
        await until(pilot, lambda: "demo/demo-plain" in demo.tried)
        await press(pilot, "ctrl+n")
        await arrive(pilot, "VerifyScreen")
        verify = app.screen
        assert isinstance(verify, VerifyScreen)
        await until(pilot, lambda: verify.check_action("start", ()) is True)
        await press(pilot, "v")
        await until(pilot, lambda: "✓ verify" in way(app), seconds=120)
        await press(pilot, "ctrl+n")
        await arrive(pilot, "SaveScreen")
        await press(pilot, "enter")
        await arrive(pilot, "HomeScreen")
        await until(pilot, lambda: "✓ save" in way(app))

    assert len(pressed) < FEWEST, pressed
    written = tomllib.loads(demo.document.path.read_text())
    assert written["defaults"]["agent"]["model"] == "demo/demo-plain"
    assert standing_of(demo, demo.variant, datetime.now(UTC)).verified


async def test_the_first_start_offers_what_answers_on_this_machine() -> None:
    app = Stage(workspace(asker=ScriptedAsker(servers=(LITELLM, OLLAMA))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        found = app.screen.query_one(FoundServers)
        await until(pilot, lambda: len(found.offers) > 0)
        await pilot.press("enter")
        await arrive(pilot, "AddProviderScreen")
        wanted = found.offers[0].base_url
        await until(pilot, lambda: app.screen.query_one("#url", Field).value == wanted)


async def test_a_step_is_left_out_on_its_own_screen_and_needed_ones_are_not() -> None:
    on = workspace(FILLED)
    app = Stage(on)
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot)
        assert way(app) == ""  # nobody asked to be guided
        await pilot.press("ctrl+n")
        await arrive(pilot, "LiveScreen")
        await pilot.press("ctrl+n")  # no test today
        await arrive(pilot, "VerifyScreen")
        assert "– test" in way(app)
        await pilot.press("ctrl+n")
        await arrive(pilot, "HomeScreen")
        assert "– verify" in way(app)
        assert on.skipped == {"test", "verify"}

    empty = Stage(workspace())
    async with empty.run_test(size=(100, 30)) as pilot:
        await stand(pilot)
        await pilot.press("ctrl+n")
        await arrive(pilot, "AddProviderScreen")
        assert "▸ provider" in way(empty)
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")


async def test_one_key_goes_on_from_each_screen_and_loses_nothing() -> None:
    on = workspace()
    app = Stage(on)
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot)
        await pilot.press("ctrl+n")
        await arrive(pilot, "AddProviderScreen")
        await pilot.press("ctrl+n")  # connects
        await arrive(pilot, "ModelsScreen")
        await until(pilot, lambda: app.screen.query_one(ModelList).shown > 3)
        assert "✓ provider" in way(app)
        assert "▸ models" in way(app)
        await pilot.press("ctrl+n")  # nothing is picked: it stays, and says so
        await pilot.pause()
        assert type(app.screen).__name__ == "ModelsScreen"
        assert [one.message for one in app._notifications] == [
            "First pick a model: space picks, ctrl+n goes on."
        ]
        await pilot.press("space", "ctrl+n")  # takes what is picked
        await arrive(pilot, "LanesScreen")
        assert [model.id for model in on.config.providers[0].models] == ["qwen3-coder"]
        assert not list(app._notifications)
        await pilot.press("ctrl+n")
        await pilot.pause()
        assert [one.message for one in app._notifications] == [
            "First a model for each lane: enter takes the model at the cursor."
        ]
        await pilot.press("enter", "ctrl+n")
        await arrive(pilot, "LiveScreen")


async def test_a_stream_under_way_is_not_left_out() -> None:
    pause = asyncio.Event()
    on = workspace(FILLED, asker=ScriptedAsker(pause=pause))
    app = Stage(on)
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot)
        await pilot.press("ctrl+n")
        await arrive(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.check_action("stop", ()) is True)
        await pilot.press("ctrl+n")
        await pilot.pause()
        assert type(app.screen).__name__ == "LiveScreen"
        assert on.skipped == set()
        pause.set()
        await until(pilot, lambda: app.screen.check_action("stop", ()) is False)
