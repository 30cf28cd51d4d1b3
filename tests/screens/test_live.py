"""Live: thinking and answer apart, figures, stop, and what went wrong."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest
from textual.events import Key
from textual.widgets import Input, Log, Markdown, Select, Static
from textual.widgets.markdown import MarkdownBlock

from core.errors import Fault
from core.live.events import Ended, Failed, Headers, Started, ToolPiece
from tests.screens.stage import (
    FILLED,
    KEY,
    ScriptedAsker,
    Stage,
    arrive,
    draft,
    events,
    stand,
    until,
    workspace,
)
from tui.widgets.fault import FaultBox
from tui.widgets.inspector import Inspector
from tui.widgets.places import ToLive
from tui.widgets.run_view import RunView
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
        titles = [str(pane.border_title) for pane in app.screen.query(StreamPane)]
    assert titles == ["thinking  40 tok  50.0 tok/s", "answer  31 tok  50.0 tok/s"]
    assert "first token  0.300 s  first answer  1.100 s  total  1.720 s" in figures
    assert "=    40 thinking +    31 answer +    2 unseen final usage (U)" in figures


async def test_pong_says_that_it_is_too_short_for_a_rate() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "too short for a rate" in said(app, "#notes"))


async def test_prompts_are_picked_from_a_list_that_says_what_each_is_for() -> None:
    asker = ScriptedAsker()
    app = Stage(workspace(FILLED, asker=asker), ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("p")
        await arrive(pilot, "AskPick")
        await pilot.press("down")
        await until(pilot, lambda: "lighthouse" in said(app, "#pick-words"))
        await pilot.press("enter")
        await arrive(pilot, "LiveScreen")
        await pilot.press("enter")
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


async def test_letters_that_follow_the_key_for_writing_at_once_are_written() -> None:
    app = Stage(workspace(FILLED), ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        line = app.screen.query_one("#prompt", Input)
        line.value = ""
        for letter in "error":  # all of them wait before the first is read
            app.post_message(Key(letter, letter))
        await until(pilot, lambda: line.value == "rror")
        await pilot.press("e")
    assert line.value == "rrore"


async def test_escape_stops_the_stream_and_the_next_one_goes_back() -> None:
    asker = ScriptedAsker(pause=asyncio.Event())
    app = Stage(workspace(FILLED, asker=asker), ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "PONG" in app.screen.query_one("#answer", StreamPane).text)
        await pilot.press("escape")
        await until(pilot, lambda: "stopped" in said(app, "#state"))
        assert asker.watched[0].stopped
        assert "PONG" in app.screen.query_one("#answer", StreamPane).text, "what came stays"
        await pilot.pause()
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")


@pytest.mark.parametrize(
    ("keyed", "what", "fix"),
    [
        (True, "The server refuses the key.", "Use another key."),
        (False, "The server wants a key, and there is none", "turnkey keys set litellm"),
    ],
    ids=["a key", "the placeholder"],
)
async def test_failure_shows_cause_and_fix(keyed: bool, what: str, fix: str) -> None:
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
    env = {"WARDEN_LITELLM_API_KEY": KEY} if keyed else {}
    app = Stage(workspace(FILLED, asker=asker, env=env), ToLive())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        box = app.screen.query_one(FaultBox)
        await until(pilot, lambda: box.has_class("-shown"))
        for words in (what, fix):
            assert words in str(box.content)
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
            lambda: pane.painted == "\\x1b[2J[red]PONG[/nope]",
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


def live(asker: ScriptedAsker | None = None, env: dict[str, str] | None = None) -> Stage:
    return Stage(workspace(FILLED, asker=asker or ScriptedAsker(), env=env), ToLive())


async def test_leaving_the_screen_stops_the_request() -> None:
    asker = ScriptedAsker(pause=asyncio.Event())
    app = live(asker)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "PONG" in app.screen.query_one("#answer", StreamPane).text)
        app.close_to_home()
        await arrive(pilot, "HomeScreen")
        await until(pilot, lambda: asker.watched[0].stopped)
    assert not app.on.tried, "a stopped run proves nothing"


async def test_enter_again_repeats_and_medians_are_of_all_runs_of_a_kind() -> None:
    app = live()
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "a single run" in said(app, "#notes"))
        assert "run 1" in said(app, "#state")
        await pilot.press("enter")
        await until(pilot, lambda: "median of 2" in said(app, "#notes"))
        await pilot.press("h")
        await arrive(pilot, "RunsScreen")
        await until(pilot, lambda: "all 2 runs" in said(app, "#compared"))
        assert "first token    0.300   0.300" in said(app, "#compared")
        await pilot.press("escape")
        await arrive(pilot, "LiveScreen")


async def test_keys_that_need_something_first_say_what() -> None:
    app = live(ScriptedAsker(pause=asyncio.Event()))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("h", "y")
        await until(pilot, lambda: len(app._notifications) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: "answering" in said(app, "#state"))
        await pilot.press("p", "r", "m", "enter")
        await until(pilot, lambda: len(app._notifications) == 6)
        told = [one.message for one in app._notifications]
        assert sum("esc stops it" in words for words in told) == 4
        assert any("Nothing was sent yet" in words for words in told)


async def test_thinking_is_open_while_it_is_all_there_is_and_z_decides_otherwise() -> None:
    whole = events(40)
    asker = ScriptedAsker(events=[*whole[:30], whole[-1]], pause=asyncio.Event())
    app = live(asker)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LiveScreen")
        view = app.screen.query_one("#run", RunView)
        assert view.folded
        await pilot.press("enter")
        await until(pilot, lambda: not view.folded)
        assert view.thinking.border_subtitle == "z folds"
        await pilot.press("escape")
        await until(pilot, lambda: "stopped" in said(app, "#state"))
        asker.events, asker.pause = whole, None
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.on.tried))
        assert view.folded, "the answer came"
        await pilot.press("z", "enter")
        await until(pilot, lambda: "run 3" in said(app, "#state"))
        assert not view.folded, "as it was put by hand"


async def test_tool_calls_are_shown_and_never_run() -> None:
    whole = events(0, ("I look.",))
    at = whole[3].at + 0.02
    whole.insert(4, ToolPiece(at, 0, "c1", "read_file", '{"path": "pyproject.toml"}'))
    app = live(ScriptedAsker(events=whole))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        aside = app.screen.query_one("#answer #aside", Static)
        await until(
            pilot, lambda: '→ calls read_file {"path": "pyproject.toml"}' in str(aside.content)
        )


async def test_a_second_try_says_so_and_begins_anew() -> None:
    asker = ScriptedAsker(pause=asyncio.Event())
    app = live(asker)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "answering" in said(app, "#state"))
        asker.watched[0].begin_anew()
        await until(pilot, lambda: "second try" in said(app, "#notes"))
        thinking = app.screen.query_one("#thinking", StreamPane)
        assert thinking.text.count("thought 0 ") == 1


async def test_links_images_and_html_of_a_server_stay_text() -> None:
    said_so = "see [here](http://evil.example/) ![x](http://evil.example/i.png) <b>no</b> &#x202e;"
    app = live(ScriptedAsker(events=events(0, (said_so, " <http://evil.example/> PONG"))))
    async with app.run_test(size=(120, 30)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.on.tried))
        formed = app.screen.query_one("#formed", Markdown)
        shown = [block._content for block in formed.query(MarkdownBlock)]
    assert "".join(content.plain for content in shown) == f"{said_so} <http://evil.example/> PONG"
    assert not any("click" in str(span.style) for content in shown for span in content.spans)


async def test_i_shows_what_was_sent_with_the_key_masked_and_escape_comes_back() -> None:
    app = live(env={"WARDEN_LITELLM_API_KEY": KEY})
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LiveScreen")
        inspector = app.screen.query_one(Inspector)
        assert not inspector.display
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.on.tried))
        await pilot.press("i")
        log = inspector.query_one(Log)
        await until(pilot, lambda: any("── events" in line for line in log.lines))
        told = "\n".join(log.lines)
        assert "authorization: ••••••••" in told
        assert '"model": "qwen3-coder"' in told
        assert "   0.3200 s  data: " in told
        await pilot.press("escape")
        assert type(app.screen).__name__ == "LiveScreen"
        assert not inspector.display


def showing(inspector: Inspector, both: bool) -> bool:
    return inspector.display is both


async def test_at_140_columns_the_request_stands_beside_and_resizing_keeps_the_stream() -> None:
    asker = ScriptedAsker(pause=asyncio.Event())
    app = live(asker)
    async with app.run_test(size=(150, 40)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "answering" in said(app, "#state"))
        inspector, view = app.screen.query_one(Inspector), app.screen.query_one("#run")
        assert inspector.display
        assert view.display
        for width, height, both in ((60, 20, False), (200, 50, True), (80, 24, False)):
            await pilot.resize_terminal(width, height)
            await until(pilot, partial(showing, inspector, both))
            assert view.display
            lines = said(app, "#figures").splitlines()
            assert all(len(line) <= width - 2 for line in lines)
        assert not asker.watched[0].stopped
        assert "PONG" in app.screen.query_one("#answer", StreamPane).text


async def test_y_copies_curl_with_the_variable_and_never_the_key() -> None:
    app = live(env={"WARDEN_LITELLM_API_KEY": KEY})
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.on.tried))
        await pilot.press("y")
        await until(pilot, lambda: bool(app.clipboard))
    assert "'authorization: Bearer '\"$WARDEN_LITELLM_API_KEY\"" in app.clipboard
    assert "--noproxy '*'" in app.clipboard
    assert KEY not in app.clipboard


async def test_a_key_that_is_not_in_the_file_yet_is_copied_as_its_future_variable() -> None:
    app = Stage(workspace(FILLED), ToLive("litellm/new", draft().target("new")))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.on.history))
        await pilot.press("y")
        await until(pilot, lambda: bool(app.clipboard))
    assert '"$WARDEN_LITELLM_API_KEY"' in app.clipboard
    assert KEY not in app.clipboard


async def test_equals_explains_every_figure_while_the_stream_goes_on() -> None:
    asker = ScriptedAsker(pause=asyncio.Event())
    app = live(asker)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: "answering" in said(app, "#state"))
        await pilot.press("equals_sign")
        await arrive(pilot, "ExplainFigures")
        words = "\n".join(str(one.content) for one in app.screen.query(Static))
        assert "first token        0.300 s" in words
        assert "From the request's first byte" in words
        assert not asker.watched[0].stopped
        await pilot.press("escape")
        await arrive(pilot, "LiveScreen")


async def test_an_empty_own_prompt_is_not_sent() -> None:
    asker = ScriptedAsker()
    app = live(asker)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LiveScreen")
        await pilot.press("p")
        await arrive(pilot, "AskPick")
        await pilot.press("end", "enter")
        await arrive(pilot, "LiveScreen")
        await until(pilot, lambda: app.screen.query_one("#prompt", Input).has_focus)
        await pilot.press("enter")
        await pilot.pause()
        assert said(app, "#prompt-name") == "own"
    assert asker.pinged == []
