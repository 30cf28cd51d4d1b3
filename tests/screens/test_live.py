"""Live: thinking and answer apart, figures, stop, and what went wrong."""

from __future__ import annotations

import asyncio
import time

from textual.widgets import Input, Select, Static

from core.errors import Fault
from core.live.events import Ended, Failed, Headers, Started
from tests.screens.stage import (
    FILLED,
    ScriptedAsker,
    Stage,
    arrive,
    events,
    stand,
    until,
    workspace,
)
from tui.widgets.fault import FaultBox
from tui.widgets.shell import ToLive
from tui.widgets.stream_pane import StreamPane


def said(app: Stage, name: str) -> str:
    return str(app.screen.query_one(name, Static).content)


async def test_thinking_and_answer_stand_apart_with_their_own_rates() -> None:
    words = tuple(f"word{index} " for index in range(30))
    on = workspace(FILLED, asker=ScriptedAsker(events=events(40, (*words, "PONG"))))
    app = Stage(on, ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: bool(on.tried))
        assert app.screen.query_one("#thinking", StreamPane).text.startswith("thought 0 ")
        assert app.screen.query_one("#answer", StreamPane).text.endswith("PONG")
        figures = said(app, "#figures")
    assert "first token 0.300 s" in figures
    assert "thinking     40 tok   50.0 tok/s" in figures
    assert "50.0 tok/s" in figures.split("answer")[2]
    assert "= 40 thinking + 31 answer + 2 unseen" in figures


async def test_pong_says_that_it_is_too_short_for_a_rate() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "too short for a rate" in said(app, "#notes"))


async def test_second_ready_prompt_is_one_key_away() -> None:
    asker = ScriptedAsker()
    app = Stage(workspace(FILLED, asker=asker), ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("p", "enter")
        await until(pilot, lambda: bool(asker.pinged))
    assert "lighthouse" in asker.pinged[0][1]


async def test_prompt_can_be_edited() -> None:
    asker = ScriptedAsker()
    app = Stage(workspace(FILLED, asker=asker), ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("e")
        app.screen.query_one("#prompt", Input).value = "Say hello"
        await pilot.press("enter")
        await until(pilot, lambda: bool(asker.pinged))
    assert asker.pinged == [("qwen3-coder", "Say hello")]


async def test_escape_stops_the_stream_and_the_next_one_goes_back() -> None:
    asker = ScriptedAsker(pause=asyncio.Event())
    app = Stage(workspace(FILLED, asker=asker), ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "PONG" in app.screen.query_one("#answer", StreamPane).text)
        await pilot.press("escape")
        await until(pilot, lambda: asker.stopped)
        assert "stopped" in said(app, "#state")
        assert "PONG" in app.screen.query_one("#answer", StreamPane).text, "what came stays"
        await pilot.pause()
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")


async def test_failure_shows_cause_and_fix() -> None:
    at = time.perf_counter()
    fault = Fault("key_refused", "The server refuses the key.", "It said 401.", "Use another key.")
    asker = ScriptedAsker(
        events=[
            Started(at),
            Headers(at, 401, {}),
            Failed(at, fault, 401),
            Ended(at, complete=False),
        ]
    )
    on = workspace(FILLED, asker=asker)
    app = Stage(on, ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        box = app.screen.query_one(FaultBox)
        await until(pilot, lambda: box.has_class("-shown"))
        assert "The server refuses the key." in str(box.content)
        assert "Use another key." in str(box.content)
        assert "authorised ✗" in said(app, "#state")


async def test_escape_sequences_of_a_server_are_shown_and_not_obeyed() -> None:
    asker = ScriptedAsker(events=events(0, ("\x1b[2J[red]PONG[/nope]",)))
    app = Stage(workspace(FILLED, asker=asker), ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        pane = app.screen.query_one("#answer", StreamPane)
        await until(pilot, lambda: "PONG" in pane.text)
        await until(
            pilot,
            lambda: "\\x1b[2J[red]PONG[/nope]" in str(pane.query_one(Static).content),
        )


async def test_another_model_is_not_tried_because_this_one_was() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "works ✓" in said(app, "#state"))
        app.screen.query_one("#model", Select).value = "litellm/qwen3-mini"
        await until(pilot, lambda: "not tried" in said(app, "#state"))
        assert app.screen.query_one("#answer", StreamPane).text == ""
        assert "PONG" not in said(app, "#figures")
    assert list(on.tried) == ["litellm/qwen3-coder"]


async def test_works_does_not_outlive_the_endpoint() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "litellm/qwen3-coder" in on.tried)
    on.edit(on.document.with_text(FILLED.replace("127.0.0.1:4000", "other.example:9")))
    assert not on.tried
    on.undo()
    assert "litellm/qwen3-coder" in on.tried


async def test_another_model_cannot_be_chosen_while_one_streams() -> None:
    asker = ScriptedAsker(pause=asyncio.Event())
    app = Stage(workspace(FILLED, asker=asker), ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "PONG" in app.screen.query_one("#answer", StreamPane).text)
        assert app.screen.query_one("#model", Select).disabled
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.query_one("#model", Select).disabled)
