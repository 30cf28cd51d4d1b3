"""The way from an empty folder to a saved file, on the demo provider, by keys alone."""

from __future__ import annotations

import tomllib
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from screens.live import LiveScreen
from tests.screens.stage import Stage, arrive, until
from tui.launch import open_demo
from tui.widgets.model_list import ModelList

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.workspace import Workspace


@pytest.fixture
def demo() -> Iterator[Workspace]:
    with ExitStack() as stack:
        yield open_demo(stack)


async def test_demo_goes_from_nothing_to_a_tested_and_saved_file(demo: Workspace) -> None:
    app = Stage(demo)
    before = demo.document.path.read_bytes()
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "HomeScreen")
        await pilot.press("a")
        await arrive(pilot, "AddProviderScreen")
        await pilot.press("ctrl+o")
        await arrive(pilot, "ModelsScreen")
        await until(pilot, lambda: app.screen.query_one(ModelList).shown > 3)
        await pilot.press("slash", *"plain", "enter", "space", "escape")
        assert app.screen.query_one(ModelList).picked == ("demo-plain",)
        await pilot.press("c")
        await arrive(pilot, "LanesScreen")
        await pilot.press("enter", "t")
        await arrive(pilot, "LiveScreen")
        await pilot.press("enter")
        live = app.screen
        assert isinstance(live, LiveScreen)
        await until(pilot, lambda: "demo/demo-plain" in demo.tried)
        assert demo.tried["demo/demo-plain"].works is True
        assert demo.document.path.read_bytes() == before, "nothing is written before the save"
        await until(pilot, lambda: live.check_action("back", ()) is True)
        await pilot.press("escape")
        await arrive(pilot, "LanesScreen")
        await pilot.press("s")
        await arrive(pilot, "SaveScreen")
        assert demo.document.path.read_bytes() == before
        await pilot.press("enter")
        await arrive(pilot, "HomeScreen")

    written = demo.document.path.read_text()
    assert written.startswith(before.decode().split("[[skills]]")[0])
    found = tomllib.loads(written)
    assert {
        lane: found["defaults"][lane]["model"] for lane in ("agent", "auxiliary", "synthesis")
    } == {
        "agent": "demo/demo-plain",
        "auxiliary": "demo/demo-plain",
        "synthesis": "demo/demo-plain",
    }
    assert demo.demo is not None
    provider = found["defaults"]["providers"]["demo"]
    assert provider["baseUrl"] == demo.demo.base_url
    assert [model["id"] for model in provider["models"]] == ["demo-plain"]
    assert provider["models"][0]["contextWindow"] == 131072
    assert demo.demo.key.reveal() not in written
