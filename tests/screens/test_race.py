"""Race: several requests at once, one stopped without disturbing the rest."""

from __future__ import annotations

import asyncio
from functools import partial

from textual.widgets import Static

from core.keys.secret import Secret
from core.live.prompts import READY_PROMPTS
from screens.race import Lane, RaceScreen
from tests.screens.stage import (
    FILLED,
    KEY,
    ScriptedAsker,
    Stage,
    arrive,
    events,
    stand,
    until,
    workspace,
)
from tui.widgets.places import ToLive
from tui.widgets.race_table import RaceTable

CODER, MINI = "litellm/qwen3-coder", "litellm/qwen3-mini"
FOUR = FILLED + "".join(
    f'\n[[defaults.providers.litellm.models]]\nid = "more-{number}"\n' for number in (1, 2)
)


def asker(**pauses: asyncio.Event) -> ScriptedAsker:
    quick = events(40, ("PONG",), served="qwen3-coder")
    slow = events(80, ("PONG",), served="qwen3-mini")
    named = {name.replace("_", "-"): pause for name, pause in pauses.items()}
    return ScriptedAsker(streams={"qwen3-coder": quick, "qwen3-mini": slow}, pauses=named)


def race(found: ScriptedAsker, *selectors: str) -> tuple[Stage, RaceScreen]:
    on = workspace(FILLED, asker=found)
    return Stage(on), RaceScreen(on, selectors or (CODER, MINI), READY_PROMPTS[0])


def lane(screen: RaceScreen, number: int) -> Lane:
    return screen.lanes[number - 1]


def name(screen: RaceScreen, number: int) -> str:
    return str(lane(screen, number).query_one(".-name", Static).content)


def rows(screen: RaceScreen) -> list[str]:
    return str(screen.query_one(RaceTable).content).splitlines()


async def test_r_asks_who_races_and_takes_two_to_four() -> None:
    on = workspace(FILLED, asker=asker())
    app = Stage(on, ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("r")
        await arrive(pilot, "AskSeveral")
        assert "1 picked" in str(app.screen.query_one("#pick-words", Static).content)
        await pilot.press("enter")
        await pilot.pause()
        assert type(app.screen).__name__ == "AskSeveral", "one alone is no race"
        await pilot.press("space", "enter")
        await arrive(pilot, "RaceScreen")
        screen = app.screen
        assert isinstance(screen, RaceScreen)
        assert [one.selector for one in screen.lanes] == [CODER, MINI]
        await pilot.press("escape")
        await arrive(pilot, "LiveScreen")


async def test_figures_stand_in_one_table_with_the_best_named() -> None:
    app, screen = race(asker())
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot)
        app.push_screen(screen)
        await arrive(pilot, "RaceScreen")
        await pilot.press("enter")
        await until(pilot, lambda: len(app.on.tried) == 2)
        await until(pilot, lambda: "works" in name(screen, 2))
        assert "1 ✓ litellm/qwen3-coder  works" in name(screen, 1)
        head, first, second = rows(screen)
        assert "first answer" in head
        assert "1.100 best" in first
        assert "1.900     " in second
        assert "shared one server" in str(screen.query_one("#notes", Static).content)
        assert len(app.on.history) == 2


async def test_one_is_stopped_and_the_rest_go_on() -> None:
    end = asyncio.Event()
    found = asker(qwen3_coder=asyncio.Event(), qwen3_mini=end)
    app, screen = race(found)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        app.push_screen(screen)
        await arrive(pilot, "RaceScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "PONG" in lane(screen, 2).view.answer.text)
        await pilot.press("x")
        await until(pilot, lambda: "■ litellm/qwen3-coder  stopped" in name(screen, 1))
        assert [one.stopped for one in found.watched] == [True, False]
        assert "answering" in name(screen, 2)
        end.set()
        await until(pilot, lambda: "works" in name(screen, 2))
        assert list(app.on.tried) == [MINI]
        assert "best" not in "".join(rows(screen)), "alone nobody is best"


async def test_escape_stops_all_and_the_next_one_goes_back() -> None:
    found = asker(qwen3_coder=asyncio.Event(), qwen3_mini=asyncio.Event())
    app, screen = race(found)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        app.push_screen(screen)
        await arrive(pilot, "RaceScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "answering" in name(screen, 2))
        await pilot.press("escape")
        await until(pilot, lambda: all(one.stopped for one in found.watched))
        await until(pilot, lambda: screen.check_action("back", ()) is True)
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")


async def test_leaving_stops_every_request() -> None:
    found = asker(qwen3_coder=asyncio.Event(), qwen3_mini=asyncio.Event())
    app, screen = race(found)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        app.push_screen(screen)
        await arrive(pilot, "RaceScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "answering" in name(screen, 2))
        app.close_to_home()
        await until(pilot, lambda: all(one.stopped for one in found.watched))


async def test_a_lane_without_a_key_says_so_and_the_other_one_runs() -> None:
    found = asker()
    text = FILLED + '\n[defaults.providers.far]\nbaseUrl = "https://far.example/v1"\n'
    on = workspace(text, asker=found)
    app, screen = Stage(on), RaceScreen(on, (CODER, "far/qwen3-mini"), READY_PROMPTS[0])
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot)
        app.push_screen(screen)
        await arrive(pilot, "RaceScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "works" in name(screen, 1))
        assert "✗ far/qwen3-mini  not sent" in name(screen, 2)
        aside = str(lane(screen, 2).query_one("#answer #aside", Static).content)
        assert "fix" in aside
        await pilot.press("ctrl+y")
        assert app.clipboard.startswith("far/qwen3-mini: ")
        assert "(key_missing)" in app.clipboard
    assert [model for model, _ in found.pinged] == ["qwen3-coder"]


async def test_a_key_that_is_bound_elsewhere_is_asked_about_before_anybody_starts() -> None:
    found = asker()
    on = workspace(FILLED, asker=found)
    on.vault.remember("WARDEN_LITELLM_API_KEY", "https://old.example", Secret(KEY))
    app, screen = Stage(on), RaceScreen(on, (CODER, MINI), READY_PROMPTS[0])
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot)
        app.push_screen(screen)
        await arrive(pilot, "RaceScreen")
        await pilot.press("enter")
        await arrive(pilot, "AskRebind")
        assert found.pinged == []
        await pilot.press("escape")
        await arrive(pilot, "AskRebind")
        await pilot.press("escape")
        await until(pilot, lambda: "not sent" in name(screen, 2))
    assert found.pinged == []


def in_rows(screen: RaceScreen, count: int) -> bool:
    return len({one.region.y for one in screen.lanes}) == count


async def test_lanes_stand_abreast_where_there_is_room_and_two_in_a_row_else() -> None:
    on = workspace(FOUR, asker=ScriptedAsker())
    picked = (CODER, MINI, "litellm/more-1", "litellm/more-2")
    app, screen = Stage(on), RaceScreen(on, picked, READY_PROMPTS[0])
    async with app.run_test(size=(160, 50)) as pilot:
        await stand(pilot)
        app.push_screen(screen)
        await arrive(pilot, "RaceScreen")
        for size, height in (((160, 50), 1), ((80, 24), 2), ((60, 20), 2)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            await until(pilot, partial(in_rows, screen, height))
            assert all(one.region.width > 20 for one in screen.lanes)
            assert all(len(line) <= size[0] - 2 for line in rows(screen))
        await pilot.press("enter")
        await until(pilot, lambda: len(app.on.history) == 4)
