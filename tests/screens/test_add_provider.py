"""Add provider judges as one types, asks the endpoint, and writes nothing."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from textual.events import Paste
from textual.widgets import Input, OptionList, Static, Tabs

from core.discover.discover import Found
from core.errors import Fault
from core.keys.secret import Secret
from tests.screens.slow_asker import SlowAsker
from tests.screens.stage import (
    FILLED,
    KEY,
    ScriptedAsker,
    Stage,
    arrive,
    discovery,
    stand,
    until,
    workspace,
)
from tui.widgets.elapsed import Elapsed
from tui.widgets.fault import FaultBox
from tui.widgets.field import Field
from tui.widgets.places import ToAddProvider


def note(app: Stage, field: str) -> str:
    return str(app.screen.query_one(f"#{field}", Field).query_one(".note", Static).content)


def put(app: Stage, field: str, text: str) -> None:
    app.screen.query_one(f"#{field}", Field).query_one(Input).value = text


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "", "✗"),
        ("name", "a/b", "✗"),
        ("name", "litellm", "✗"),
        ("name", "gateway", "selectors will read gateway/<model>"),
        ("name", "OpenGate", "▲"),
        ("url", "ftp://host/v1", "✗"),
        ("url", "", "✗"),
        ("url", "gw.acme.lan:4000", "→ http://gw.acme.lan:4000/v1"),
        ("url", "http://gw.acme.lan:4000/v1", "▲"),
        ("url", "http://127.0.0.1:4000/v1", "this machine"),
        ("key", "sk-\u00e9\u00e9", "✗"),
        ("key", "sk-right", "kept for this run only"),
    ],
)
async def test_every_field_is_judged_as_typed(field: str, typed: str, said: str) -> None:
    app = Stage(workspace(FILLED), ToAddProvider())
    async with app.run_test(size=(100, 40)) as pilot:
        await stand(pilot, "AddProviderScreen")
        put(app, field, "x")
        await pilot.pause()
        put(app, field, typed)
        await until(pilot, lambda: said in note(app, field))


@pytest.mark.parametrize(
    ("tab", "name", "url"),
    [
        ("ollama", "ollama", "http://127.0.0.1:11434/v1"),
        ("vllm", "vllm", "http://127.0.0.1:8000/v1"),
        ("lmstudio", "lmstudio", "http://127.0.0.1:1234/v1"),
        ("llamacpp", "llamacpp", "http://127.0.0.1:8080/v1"),
    ],
)
async def test_preset_fills_in_name_and_base_url(tab: str, name: str, url: str) -> None:
    app = Stage(workspace(), ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        app.screen.query_one(Tabs).active = tab
        await until(pilot, lambda: app.screen.query_one("#name", Field).value == name)
        found = app.screen.query_one("#url", Field).value
        assert found.replace("localhost", "127.0.0.1") == url


async def test_preset_keeps_what_was_typed() -> None:
    app = Stage(workspace(), ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        put(app, "name", "mine")
        await pilot.pause()
        app.screen.query_one(Tabs).active = "vllm"
        await until(pilot, lambda: "8000" in app.screen.query_one("#url", Field).value)
        assert app.screen.query_one("#name", Field).value == "mine"


async def test_answer_leads_to_the_models_and_the_typed_key_goes_along() -> None:
    asker = ScriptedAsker()
    on = workspace(asker=asker)
    app = Stage(on, ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        put(app, "key", f" {KEY}\n")
        await pilot.pause()
        await pilot.press("ctrl+o")
        await arrive(pilot, "ModelsScreen")
    assert asker.asked == [("http://localhost:4000/v1", KEY)]
    assert not on.unsaved, "asking persists nothing"


@pytest.mark.parametrize("path", ["", "/llm", "/v1"])
async def test_the_path_that_answered_is_the_one_that_is_kept(path: str) -> None:
    """A server that lists at its root is not given a /v1 again on the way to the file."""
    found = discovery()
    at = f"{found.endpoint.origin}{path}"
    found = msgspec.structs.replace(
        found, endpoint=msgspec.structs.replace(found.endpoint, base_url=at)
    )
    on = workspace(asker=ScriptedAsker(found))
    app = Stage(on, ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        await pilot.press("ctrl+o")
        await arrive(pilot, "ModelsScreen")
        await pilot.press("space", "c")
        await arrive(pilot, "LanesScreen")
    assert [provider.base_url for provider in on.config.providers] == [at]


async def test_failure_stands_on_the_form_and_one_may_go_on() -> None:
    fault = Fault("connection_refused", "Nothing answers at 127.0.0.1:4000.", "w", "f")
    app = Stage(workspace(asker=ScriptedAsker(discovery((), fault))), ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        await pilot.press("ctrl+o")
        box = app.screen.query_one(FaultBox)
        await until(pilot, lambda: box.has_class("-shown"))
        assert "Nothing answers at 127.0.0.1:4000." in str(box.content)
        await pilot.click("#anyway")
        await arrive(pilot, "ModelsScreen")


async def test_key_is_masked_on_screen() -> None:
    app = Stage(workspace(), ToAddProvider())
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "AddProviderScreen")
        put(app, "key", KEY)
        await pilot.pause()
        picture = app.export_screenshot()
    assert KEY not in picture
    assert "••••" in picture


# ---------------------------------------------------------------------------- found here

LITELLM = Found("http://127.0.0.1:4000/v1", "litellm", "LiteLLM proxy", None, wants_key=True)
OLLAMA = Found("http://127.0.0.1:11434/v1", "ollama", "Ollama", "0.12.3", wants_key=False)
OTHER = Found("http://127.0.0.1:8000/v1", "generic", "OpenAI-compatible server", None, False)


def offered(app: Stage) -> list[str]:
    found = app.screen.query_one("#found", OptionList)
    return [" ".join(str(option.prompt).split()) for option in found.options]


async def test_what_answers_on_this_machine_is_offered() -> None:
    asker = ScriptedAsker(servers=(LITELLM, OLLAMA))
    app = Stage(workspace(asker=asker), ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        await until(pilot, lambda: len(offered(app)) == 2)
        assert offered(app) == [
            "LiteLLM 127.0.0.1:4000 wants a key",
            "Ollama 127.0.0.1:11434 0.12.3",
        ]
    assert asker.looked == 2  # Home did, and the form
    assert asker.asked == [], "looking is not asking with a key"


@pytest.mark.parametrize(
    ("found", "taken", "name", "tab"),
    [
        (OLLAMA, None, "ollama", "ollama"),
        (LITELLM, FILLED, "litellm2", "litellm"),
        (OTHER, None, "local", "generic"),
    ],
    ids=["named after its kind", "a name that is taken", "no kind"],
)
async def test_choosing_one_fills_the_form(
    found: Found, taken: str | None, name: str, tab: str
) -> None:
    asker = ScriptedAsker(servers=(found,))
    app = Stage(workspace(taken, asker=asker), ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        await until(pilot, lambda: bool(offered(app)))
        await pilot.press("ctrl+f", "enter")
        await until(pilot, lambda: app.screen.query_one("#url", Field).value == found.base_url)
        await until(pilot, lambda: app.screen.query_one(Tabs).active == tab)
        await pilot.pause()
        assert app.screen.query_one("#name", Field).value == name
        assert app.screen.query_one("#url", Field).value == found.base_url
        assert app.screen.query_one("#key", Field).input.has_focus
    assert asker.asked == [], "choosing fills the form and asks nothing"


async def test_addresses_in_the_environment_are_offered_once() -> None:
    env = {
        "OLLAMA_HOST": "0.0.0.0",
        "LITELLM_BASE_URL": "http://gw.acme.lan:4000",
    }
    app = Stage(workspace(asker=ScriptedAsker(servers=(OLLAMA,)), env=env), ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        await until(pilot, lambda: bool(offered(app)))
        assert offered(app) == [
            "Ollama 127.0.0.1:11434 0.12.3",
            "LiteLLM gw.acme.lan:4000 from $LITELLM_BASE_URL",
        ]


async def test_nothing_found_is_said_and_takes_no_key() -> None:
    app = Stage(workspace(), ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        title = app.screen.query_one("#found-title", Static)
        await until(pilot, lambda: "No server on the usual ports" in str(title.content))
        assert app.screen.check_action("found", ()) is False


async def test_the_form_waits_for_nobody() -> None:
    class Slow(ScriptedAsker):
        async def find(self) -> tuple[Found, ...]:
            await asyncio.Event().wait()
            return ()

    app = Stage(workspace(asker=Slow()), ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        await pilot.press("ctrl+o")
        await arrive(pilot, "ModelsScreen")


async def test_opening_a_repository_that_has_providers_looks_at_nobody() -> None:
    asker = ScriptedAsker(servers=(OLLAMA,))
    app = Stage(workspace(FILLED, asker=asker))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        await pilot.pause()
    assert asker.looked == 0


async def test_stored_key_goes_to_the_origin_it_was_stored_for_and_to_no_other() -> None:
    asker = ScriptedAsker()
    on = workspace(asker=asker)
    on.vault.remember("WARDEN_LITELLM_API_KEY", "http://localhost:4000", Secret(KEY))
    app = Stage(on, ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        await until(pilot, lambda: "kept for this run" in note(app, "key"))
        put(app, "url", "https://evil.example/v1")
        await pilot.press("ctrl+o")
        await until(
            pilot,
            lambda: bool(asker.asked) or type(app.screen).__name__ != "AddProviderScreen",
        )
        if type(app.screen).__name__ == "AskRebind":
            await pilot.press("escape")
            await until(pilot, lambda: bool(asker.asked))
    assert asker.asked == [("https://evil.example/v1", None)]


async def test_editing_while_it_is_asked_stops_the_question() -> None:
    asker = SlowAsker()
    on = workspace(asker=asker)
    app = Stage(on, ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: bool(asker.asked))
        put(app, "name", "a/b c")
        await until(
            pilot, lambda: "stopped" in str(app.screen.query_one("#answer", Static).content)
        )
        asker.go.set()
        await pilot.pause()
        assert type(app.screen).__name__ == "AddProviderScreen"


async def test_escape_ends_the_question_and_keeps_the_form() -> None:
    asker = SlowAsker()
    app = Stage(workspace(asker=asker), ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        put(app, "name", "mine")
        put(app, "key", KEY)
        await until(pilot, lambda: "mine/<model>" in note(app, "name"))
        await until(pilot, lambda: "kept for this run" in note(app, "key"))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: bool(asker.asked))
        line = app.screen.query_one("#answer", Elapsed)
        line.clock = lambda: line.since + 7.0
        await until(pilot, lambda: "7 s" in str(line.content))
        await pilot.press("escape")
        await until(pilot, lambda: "stopped" in str(line.content))
        asker.go.set()
        await pilot.pause()
        assert type(app.screen).__name__ == "AddProviderScreen"
        assert app.screen.query_one("#name", Field).value == "mine"
        assert app.screen.query_one("#key", Field).value == KEY
        await pilot.press("escape")
        await until(pilot, lambda: type(app.screen).__name__ != "AddProviderScreen")


async def test_pasted_lines_beyond_the_first_are_told() -> None:
    app = Stage(workspace(), ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        box = app.screen.query_one("#key", Field).input
        box.focus()
        await pilot.pause()
        box.post_message(Paste(f"\n{KEY}\nsecond line\n"))
        await until(pilot, lambda: "2 lines were pasted" in note(app, "key"))
        assert box.value == KEY


async def test_key_cannot_be_copied_or_cut_into_a_clipboard() -> None:
    app = Stage(workspace(), ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        put(app, "key", KEY)
        app.screen.query_one("#key", Field).input.focus()
        await pilot.pause()
        await pilot.press("home", "shift+end", "ctrl+c", "ctrl+x")
        await pilot.pause()
        assert KEY not in app.clipboard
