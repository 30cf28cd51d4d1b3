"""A race among hostile servers: each lane says what went wrong, and none disturbs another."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from textual.widgets import Static

from core.asker import NetworkAsker
from core.keys.vault import open_vault
from core.live.prompts import READY_PROMPTS
from core.warden.document import Document
from core.workspace import Workspace
from screens.race import RaceScreen
from tests.screens.stage import Stage, arrive, nowhere, stand, until
from tests.servers.scripted import (
    Behaviour,
    Hang,
    ScriptedProvider,
    piece,
    sse_reply,
)

if TYPE_CHECKING:
    from tests.servers.scripted import Recorded

CHAT = ("POST", "/v1/chat/completions")
MODELS = ("broken", "cut", "wild", "endless")


def config(url: str) -> str:
    rows = "".join(f'\n[[defaults.providers.lab.models]]\nid = "{one}"\n' for one in MODELS)
    return (
        f'version = 1\n\n[defaults.agent]\nmodel = "lab/broken"\n\n'
        f'[defaults.providers.lab]\nbaseUrl = "{url}"\n{rows}\n[[skills]]\nname = "code-review"\n'
    )


def answer(request: Recorded) -> Behaviour:
    """Each model fails in a way of its own; the last one never ends."""
    name = str(request.field("model"))
    said = piece(name, {"content": "PO"})
    if name == "broken":
        return sse_reply([said, {"error": {"message": "the card\x1b[31m is gone", "code": 500}}])
    if name == "cut":
        return sse_reply([said], done=False)
    if name == "wild":
        wild = "\x1b]52;c;aGk=\x07[red]PONG " + "x" * 90_000
        return sse_reply([piece(name, {"content": wild}), piece(name, {}, "stop")])
    return sse_reply([said, Hang()], done=False, end=False)


def shown(screen: RaceScreen, number: int) -> str:
    lane = screen.lanes[number]
    aside = lane.view.answer.query_one("#aside", Static)
    return f"{lane.query_one('.-name', Static).content}\n{aside.content}"


def streams() -> int:
    return sum(one.name == "turnkey-stream" for one in threading.enumerate())


def raced(url: str) -> tuple[Stage, RaceScreen]:
    text = config(url).encode()
    document = Document(Path("acme/api/warden.toml"), text, text)
    vault = open_vault(nowhere(), env={}, find=None)
    on = Workspace(document, document, {}, vault, asker=NetworkAsker())
    selectors = tuple(f"lab/{one}" for one in MODELS)
    return Stage(on), RaceScreen(on, selectors, READY_PROMPTS[0])


async def test_each_lane_says_what_went_wrong_and_the_endless_one_is_stopped_alone() -> None:
    async with ScriptedProvider({CHAT: answer}) as server:
        app, screen = raced(server.base_url)
        async with app.run_test(size=(160, 40)) as pilot:
            await stand(pilot)
            app.push_screen(screen)
            await arrive(pilot, "RaceScreen")
            await pilot.press("enter")
            await until(pilot, lambda: all(lane.over for lane in screen.lanes[:3]))
            await until(pilot, lambda: "the card" in shown(screen, 0))
            await until(pilot, lambda: "without saying" in shown(screen, 1))
            await until(pilot, lambda: "works" in shown(screen, 2))
            assert "\x1b" not in "".join(shown(screen, number) for number in range(4))
            wild = screen.lanes[2].view.answer
            assert "\x1b" not in wild.painted
            assert "[red]PONG" in wild.painted
            assert screen.lanes[3].progress.state == "answering"
            screen.lanes[3].view.answer.focus()
            await pilot.press("x")
            await until(pilot, lambda: screen.lanes[3].progress.state == "stopped")
            assert screen.lanes[3].view.answer.text == "PO"
            await until(pilot, lambda: screen.check_action("back", ()) is True)
    assert len(app.on.history) == len(MODELS)


async def test_leaving_during_a_race_ends_every_thread_of_it() -> None:
    async with ScriptedProvider({CHAT: answer}) as server:
        app, screen = raced(server.base_url)
        async with app.run_test(size=(80, 24)) as pilot:
            await stand(pilot)
            app.push_screen(screen)
            await arrive(pilot, "RaceScreen")
            await pilot.press("enter")
            await until(pilot, lambda: screen.lanes[3].progress.state == "answering")
            app.close_to_home()
            await until(pilot, lambda: streams() == 0)


async def test_a_stop_while_nobody_answers_the_connection_stops() -> None:
    async with ScriptedProvider({}, on_connect=Behaviour((Hang(),))) as server:
        app, screen = raced(server.base_url)
        async with app.run_test(size=(80, 24)) as pilot:
            await stand(pilot)
            app.push_screen(screen)
            await arrive(pilot, "RaceScreen")
            await pilot.press("enter")
            await until(pilot, lambda: all(lane.watching is not None for lane in screen.lanes))
            await pilot.press("escape")
            await until(pilot, lambda: all(lane.over for lane in screen.lanes))
            await until(pilot, lambda: streams() == 0)
            assert {lane.progress.state for lane in screen.lanes} == {"stopped"}
