"""The dots on Home: approved servers are looked after, and a stranger's file calls nobody."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from textual.widgets import OptionList

from core.asker import NetworkAsker
from core.health import Health
from core.keys.secret import Secret
from tests.screens.stage import (
    FILLED,
    KEY,
    URL,
    ScriptedAsker,
    Stage,
    arrive,
    stand,
    until,
    workspace,
)
from tests.servers.scripted import good_server
from tui.widgets.places import ToCheck
from tui.widgets.provider_board import LOOK_S, ProviderBoard

if TYPE_CHECKING:
    from textual.pilot import Pilot

ORIGIN = "http://127.0.0.1:4000"
VARIABLE = "WARDEN_LITELLM_API_KEY"


def board(pilot: Pilot[int]) -> ProviderBoard:
    return pilot.app.screen_stack[1].query_one(ProviderBoard)


def line(pilot: Pilot[int]) -> str:
    return str(board(pilot).get_option_at_index(0).prompt)


def shows(pilot: Pilot[int], words: str) -> bool:
    return words in line(pilot)


async def test_opening_a_strangers_repository_calls_nobody() -> None:
    async with good_server(["qwen3-coder"], KEY) as server:
        env = {VARIABLE: KEY, "LITELLM_API_KEY": KEY}
        on = workspace(FILLED.replace("http://127.0.0.1:4000/v1", server.base_url), env=env)
        on.asker = NetworkAsker()
        async with Stage(on).run_test(size=(80, 24)) as pilot:
            await stand(pilot)
            assert "○ litellm  not asked · w watches" in line(pilot)
            for _ in range(3):
                board(pilot).look_after()
            await pilot.app.workers.wait_for_complete()
            # What Home leads to without asking anybody calls nobody either.
            for key, name in [("l", "LanesScreen"), ("k", "KeysScreen"), ("c", "CheckScreen")]:
                await pilot.press(key)
                await arrive(pilot, name)
                await pilot.press("escape")
                await arrive(pilot, "HomeScreen")
            assert server.connections == 0
            await pilot.press("w")
            await until(pilot, lambda: "● litellm  up" in line(pilot))
            assert server.connections == 1
            assert server.requests[0].bearer is None, "no key goes out that never went there"
            await pilot.press("w")
            assert "not asked" in line(pilot)
            board(pilot).look_after()
            await pilot.app.workers.wait_for_complete()
            assert server.connections == 1


async def test_a_bound_key_approves_and_goes_along() -> None:
    asker = ScriptedAsker()
    on = workspace(FILLED, asker=asker)
    on.vault.remember(VARIABLE, ORIGIN, Secret(KEY))
    async with Stage(on).run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        await until(pilot, lambda: "● litellm  up 12 ms" in line(pilot), LOOK_S * 20)
        board(pilot).look_after()
        assert asker.looks == [(URL, KEY)], "one question, and the next after its pause"


async def test_a_live_test_approves_the_server_it_asked() -> None:
    asker = ScriptedAsker()
    on = workspace(FILLED, asker=asker)
    async with Stage(on).run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        await pilot.press("t")
        await arrive(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: bool(on.tried))
        assert on.approvals.allows(ORIGIN)
        board(pilot).look_after()
        assert asker.looks == [], "nobody is looked after behind another screen"


async def test_every_state_has_its_sign_and_its_words() -> None:
    asker = ScriptedAsker()
    on = workspace(FILLED, asker=asker)
    on.approvals.note(ORIGIN)
    async with Stage(on).run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        for health, words in (
            (Health("up", "up 12 ms"), "● litellm  up 12 ms"),
            (Health("slow", "slow: 2.3 s"), "◐ litellm  slow: 2.3 s"),
            (Health("down", "down: nothing answers"), "▲ litellm  down: nothing answers"),
            (Health("refused", "refuses the key"), "▲ litellm  refuses the key"),
        ):
            asker.health = health
            board(pilot).rounds.again(ORIGIN)
            board(pilot).look_after()
            await until(pilot, partial(shows, pilot, words))


async def test_nobody_is_asked_while_the_terminal_looks_away() -> None:
    asker = ScriptedAsker()
    on = workspace(FILLED, asker=asker)
    async with Stage(on).run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        pilot.app.app_focus = False
        on.approvals.note(ORIGIN)
        board(pilot).look_after()
        assert asker.looks == []
        pilot.app.app_focus = True
        board(pilot).look_after()
        await until(pilot, lambda: len(asker.looks) == 1)


async def test_nobody_is_asked_while_a_run_is_on() -> None:
    asker = ScriptedAsker()
    on = workspace(FILLED, asker=asker)
    async with Stage(on).run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        home = pilot.app.screen
        on.approvals.note(ORIGIN)
        over = asyncio.Event()
        home.run_worker(over.wait(), group="verify")
        board(pilot).look_after()
        assert asker.looks == []
        over.set()
        await until(pilot, lambda: bool(asker.looks), LOOK_S * 20)


async def test_a_digit_leads_to_where_each_thing_is_mended() -> None:
    text = FILLED.replace('model = "litellm/qwen3-mini"', 'model = "gone/model"')
    on = workspace(text.replace("failOn", "failon"))
    app = Stage(on)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        mends = app.screen.query_one("#mends", OptionList)
        shown = [str(mends.get_option_at_index(at).prompt) for at in range(mends.option_count)]
        assert [one[0] for one in shown] == [str(at + 1) for at in range(len(shown))]
        for at in range(len(shown)):
            await pilot.press(str(at + 1))
            await until(pilot, lambda: len(app.screen_stack) == 3)
            await pilot.press("escape")
            await arrive(pilot, "HomeScreen")
        await pilot.press("9")
        await arrive(pilot, "HomeScreen")


async def test_the_cursor_on_check_stands_on_what_was_meant() -> None:
    on = workspace(FILLED + "\n[oneMore]\nx = 1\n[twoMore]\nx = 1\n")
    app = Stage(on)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        problem = on.problems()[-1]
        app.go(ToCheck(problem.message))
        await arrive(pilot, "CheckScreen")
        found = app.screen.query_one("#items", OptionList)
        assert found.highlighted is not None
        assert problem.message[:20] in str(found.get_option_at_index(found.highlighted).prompt)
