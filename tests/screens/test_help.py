"""Help, palette, looks, small windows: what every screen has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import OptionList, Static, Tabs

from core.errors import Fault
from core.settings import LOOKS, Settings, read_settings
from screens.help import TOPICS
from tests.screens.stage import FILLED, Stage, arrive, stand, until, workspace
from tui.palette import commands
from tui.theme import NAMES
from tui.widgets.fault import FaultBox

if TYPE_CHECKING:
    from pathlib import Path


def words(app: Stage) -> str:
    return str(app.screen.query_one("#words", Static).visual)


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_tells_the_keys_of_the_screen_and_goes_back(key: str) -> None:
    app = Stage(workspace(FILLED))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        await pilot.press(key)
        await arrive(pilot, "HelpScreen")
        await until(pilot, lambda: "Add a provider" in words(app))
        assert "see the difference" in words(app).lower()
        assert "not now" in words(app)  # nothing is unsaved
        await pilot.press("question_mark")
        await arrive(pilot, "HomeScreen")


async def test_help_explains_the_concepts_of_the_screen() -> None:
    app = Stage(workspace(FILLED))
    async with app.run_test(size=(60, 20)) as pilot:
        await stand(pilot)
        await pilot.press("question_mark")
        await arrive(pilot, "HelpScreen")
        assert [str(tab.id) for tab in app.screen.query_one(Tabs).query("Tab")][1:] == [
            f"topic-{name}" for name in TOPICS["HomeScreen"]
        ]
        await pilot.press("right", "right")
        await until(pilot, lambda: "E14" in words(app))
        text = app.screen.query_one("#text")
        await pilot.press("G")
        await until(pilot, lambda: text.scroll_y > 0)
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")


async def test_vi_keys_move_in_lists_and_mnemonics_win_on_home() -> None:
    app = Stage(workspace(FILLED))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        lanes = app.screen.query_one("#lanes", OptionList)
        await pilot.press("j")
        assert lanes.highlighted == 1
        await pilot.press("G")
        assert lanes.highlighted == 2
        await pilot.press("g")
        assert lanes.highlighted == 0
        await pilot.press("k")
        await arrive(pilot, "KeysScreen")


async def test_the_palette_offers_every_action_of_the_screen_by_name() -> None:
    app = Stage(workspace(FILLED))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        names = [one.title for one in commands(app, app.screen)]
    assert "home: Add" in names
    assert "home: Save" not in names  # nothing to save
    assert {f"theme: {look}" for look in LOOKS} <= set(names)
    assert "help: this screen" in names
    assert len(names) == len(set(names))


async def test_a_chosen_look_is_worn_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    app = Stage(workspace(FILLED))
    app.keep_settings_in(file)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        for look in LOOKS:
            app.wear(look)
            await pilot.pause()
            assert app.theme == NAMES[look]
            assert read_settings(file)[0] == Settings(theme=look)


@pytest.mark.parametrize(
    ("size", "small"), [((60, 20), False), ((59, 20), True), ((60, 19), True), ((20, 5), True)]
)
async def test_a_window_that_is_too_small_gets_one_sentence(
    size: tuple[int, int], small: bool
) -> None:
    app = Stage(workspace(FILLED))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert app.screen.query_one("#too-small").display is small
        assert app.screen.query_one("#lanes").display is not small
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert app.screen.query_one("#lanes").display


async def test_an_error_on_the_screen_can_be_copied_with_its_code() -> None:
    app = Stage(workspace(FILLED))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        await pilot.press("a")
        await arrive(pilot, "AddProviderScreen")
        box = app.screen.query(FaultBox).first()
        box.show(Fault("timeout", "It is slow.", "No word in 3 s.", "Wait \x1b[31m."))
        await pilot.press("ctrl+y")
        await until(pilot, lambda: app.clipboard != "")
        told = app.clipboard
    assert told.startswith("It is slow. (timeout)\nwhy: No word in 3 s.\nfix: Wait \\x1b[31m.")
    assert "turnkey " in told
