"""Models: filtered as one types, several picked, accepted as a pending edit."""

from __future__ import annotations

import tomllib

import msgspec
from textual.widgets import Input, Static

from core.errors import Fault
from tests.screens.slow_asker import SlowAsker
from tests.screens.stage import (
    FILLED,
    KEY,
    ScriptedAsker,
    Stage,
    arrive,
    discovery,
    draft,
    model,
    stand,
    until,
    workspace,
)
from tui.widgets.elapsed import Elapsed
from tui.widgets.fault import FaultBox
from tui.widgets.model_list import ModelList
from tui.widgets.places import ToModels


async def test_filter_narrows_as_one_types() -> None:
    many = tuple(model(f"model-{number}") for number in range(3000))
    app = Stage(workspace(), ToModels(draft=draft(discovery(many))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "ModelsScreen")
        models = app.screen.query_one(ModelList)
        assert models.shown == 3000
        await pilot.press("slash", *"del-299")
        await until(pilot, lambda: models.shown == 11)
        await pilot.press("escape")
        await until(pilot, lambda: models.shown == 3000)


async def test_several_are_picked_and_become_a_pending_edit_with_facts() -> None:
    on = workspace()
    app = Stage(on, ToModels(draft=draft()))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "ModelsScreen")
        await pilot.press("space", "down", "space", "c")
        await arrive(pilot, "LanesScreen")
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")
    provider = tomllib.loads(on.document.text)["defaults"]["providers"]["litellm"]
    assert provider == {
        "baseUrl": "http://127.0.0.1:4000/v1",
        "models": [
            {"id": "qwen3-coder", "reasoning": True, "contextWindow": 131072, "maxTokens": 16384},
            {"id": "qwen3-mini", "contextWindow": 32768},
        ],
    }
    assert on.pending_keys[("WARDEN_LITELLM_API_KEY", "http://127.0.0.1:4000")].reveal() == KEY
    assert not on.document.exists


async def test_facts_of_the_model_at_the_cursor_name_their_source() -> None:
    app = Stage(workspace(), ToModels(draft=draft()))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "ModelsScreen")
        said = str(app.screen.query_one("#facts", Static).content)
        assert "context 131,072 (server)" in said
        await pilot.press("down", "down")
        await until(
            pilot,
            lambda: "says nothing" in str(app.screen.query_one("#facts", Static).content),
        )


async def test_id_that_is_not_listed_can_be_typed() -> None:
    app = Stage(workspace(), ToModels(draft=draft(discovery(()))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "ModelsScreen")
        await pilot.press("i")
        await arrive(pilot, "AskText")
        app.screen.query_one(Input).value = "org/odd:id"
        await pilot.press("enter")
        await arrive(pilot, "ModelsScreen")
        await until(pilot, lambda: app.screen.query_one(ModelList).picked == ("org/odd:id",))


async def test_provider_of_the_file_is_asked_and_its_models_are_picked_already() -> None:
    asker = ScriptedAsker()
    app = Stage(workspace(FILLED, asker=asker), ToModels(name="litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "ModelsScreen")
        models = app.screen.query_one(ModelList)
        await until(pilot, lambda: models.picked == ("qwen3-coder", "qwen3-mini"))
    assert asker.asked == [("http://127.0.0.1:4000/v1", "turnkey-no-key")]


async def test_taking_a_model_away_changes_only_its_lines() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToModels(name="litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "ModelsScreen")
        models = app.screen.query_one(ModelList)
        await until(pilot, lambda: models.shown == 4)
        await pilot.press("down", "space", "c")
        await arrive(pilot, "HomeScreen")
    entry = '\n[[defaults.providers.litellm.models]]\nid = "qwen3-mini"\n'
    assert on.document.text == FILLED.replace(entry, "")


async def test_silent_provider_says_why_and_its_models_stay() -> None:
    fault = Fault("timeout", "It took too long.", "w", "f")
    asker = ScriptedAsker(discovery((), fault))
    app = Stage(workspace(FILLED, asker=asker), ToModels(name="litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "ModelsScreen")
        await until(pilot, lambda: app.screen.query_one(FaultBox).has_class("-shown"))
        assert app.screen.query_one(ModelList).picked == ("qwen3-coder", "qwen3-mini")


async def test_model_that_does_not_chat_is_marked() -> None:
    app = Stage(workspace(), ToModels(draft=draft()))
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "ModelsScreen")
        models = app.screen.query_one(ModelList)
        lines = [models.render_line(y).text for y in range(6)]
    assert any("text-embedding-qwen" in line and "not a chat model" in line for line in lines)
    assert any("[bold]odd\\x1b[31m/id[/]" in line for line in lines)


async def test_typing_an_id_keeps_declared_models_that_are_not_listed() -> None:
    app = Stage(
        workspace(FILLED, asker=ScriptedAsker(discovery((model("new"),)))), ToModels(name="litellm")
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "ModelsScreen")
        models = app.screen.query_one(ModelList)
        await until(pilot, lambda: models.shown == 3)
        await pilot.press("i")
        await arrive(pilot, "AskText")
        app.screen.query_one(Input).value = "typed"
        await pilot.press("enter")
        await arrive(pilot, "ModelsScreen")
        await until(pilot, lambda: models.shown == 4)
        assert models.picked == ("qwen3-coder", "qwen3-mini", "typed")


async def test_a_list_at_another_path_than_the_files_is_told() -> None:
    found = discovery()
    elsewhere = msgspec.structs.replace(found.endpoint, base_url="http://127.0.0.1:4000/llm/v1")
    found = msgspec.structs.replace(found, endpoint=elsewhere)
    app = Stage(workspace(FILLED, asker=ScriptedAsker(found)), ToModels(name="litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "ModelsScreen")
        line = app.screen.query_one("#endpoint", Static)
        await until(
            pilot, lambda: "▲ The list is at http://127.0.0.1:4000/llm/v1" in str(line.content)
        )


async def test_escape_ends_the_question_and_what_is_declared_can_be_chosen() -> None:
    asker = SlowAsker()
    app = Stage(workspace(FILLED, asker=asker), ToModels(name="litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "ModelsScreen")
        await until(pilot, lambda: bool(asker.asked))
        line = app.screen.query_one("#endpoint", Elapsed)
        line.clock = lambda: line.since + 7.0
        await until(pilot, lambda: "7 s" in str(line.content))
        await pilot.press("escape")
        await until(pilot, lambda: "r asks again" in str(line.content))
        assert app.screen.query_one(ModelList).picked == ("qwen3-coder", "qwen3-mini")
        asker.go.set()
        await pilot.press("r")
        await until(pilot, lambda: app.screen.query_one(ModelList).shown == 4)
        assert "Stopped" not in str(line.content)
        await pilot.press("escape")
        await until(pilot, lambda: type(app.screen).__name__ != "ModelsScreen")
