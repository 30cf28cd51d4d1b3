"""``/`` finds a line in any list, and the list is whole again afterwards."""

from __future__ import annotations

from textual.widgets import OptionList

from screens.home import HomeScreen
from tests.screens.stage import FILLED, Stage, arrive, stand, workspace
from tui.widgets.find import FindLine
from tui.widgets.places import ToCheck

WRONG = FILLED + "".join(f"\n[part{at}]\nx = 1\n" for at in range(6))


def open_lines(found: OptionList) -> list[int]:
    return [at for at in range(found.option_count) if not found.get_option_at_index(at).disabled]


async def test_what_is_typed_narrows_the_list_and_enter_takes_the_line() -> None:
    app = Stage(workspace(WRONG), ToCheck())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "CheckScreen")
        found = app.screen.query_one("#items", OptionList)
        everything = open_lines(found)
        await pilot.press("slash", *"PART4")
        await pilot.pause()
        (only,) = open_lines(found)
        assert found.highlighted == only
        assert found.virtual_size.height == 1, "what does not fit is not shown"
        await pilot.press("backspace", "backspace")
        await pilot.pause()
        assert found.virtual_size.height == len(open_lines(found)) == 6
        await pilot.press(*"T4")
        await pilot.press("enter")
        await pilot.pause()
        assert found.virtual_size.height >= len(everything)
        assert not app.screen.query(FindLine)
        assert open_lines(found) == everything
        assert found.highlighted == only
        assert app.focused is found


async def test_arrows_go_from_match_to_match_and_escape_only_ends_the_search() -> None:
    app = Stage(workspace(WRONG), ToCheck())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "CheckScreen")
        found = app.screen.query_one("#items", OptionList)
        await pilot.press("slash", *"part")
        await pilot.pause()
        matches = open_lines(found)
        assert len(matches) >= 6
        await pilot.press("down")
        assert found.highlighted == matches[1]
        await pilot.press("slash", "q")
        await pilot.pause()
        assert open_lines(found) == []
        await pilot.press("escape")
        await arrive(pilot, "CheckScreen")
        assert len(open_lines(found)) == found.option_count
        assert found.highlighted is not None


async def test_home_finds_in_the_list_with_the_keyboard() -> None:
    app = Stage(workspace(FILLED))
    async with app.run_test(size=(60, 20)) as pilot:
        await stand(pilot)
        lanes = app.screen.query_one("#lanes", OptionList)
        await pilot.press("slash", *"synth")
        await pilot.pause()
        assert lanes.virtual_size.height == 2
        # What the screen draws anew meanwhile is whole again, and nothing of it is lost.
        assert isinstance(app.screen, HomeScreen)
        app.screen.draw()
        await pilot.press("enter")
        await pilot.pause()
        assert lanes.virtual_size.height == 6
        await pilot.press("slash", *"synth", "enter")
        assert app.screen.query_one("#lanes", OptionList).highlighted == 2
        await pilot.press("enter")
        await arrive(pilot, "LanesScreen")


async def test_where_there_is_no_list_nothing_opens() -> None:
    app = Stage(workspace())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        await pilot.press("slash")
        await pilot.pause()
        assert not app.screen.query(FindLine)
