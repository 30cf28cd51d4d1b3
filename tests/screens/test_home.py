"""Home shows the state of the whole and leads to the next step."""

from __future__ import annotations

import pytest
from textual.widgets import Button, OptionList, Static

from tests.screens.stage import FILLED, ScriptedAsker, Stage, arrive, stand, until, workspace
from tests.screens.test_add_provider import OLLAMA
from tui.widgets.found import FoundServers


def options(app: Stage, name: str) -> list[str]:
    found = app.screen.query_one(name, OptionList)
    return [str(found.get_option_at_index(index).prompt) for index in range(found.option_count)]


async def test_empty_file_leads_into_add_provider() -> None:
    app = Stage(workspace())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        assert app.screen.has_class("-empty")
        await pilot.press("a")
        await arrive(pilot, "AddProviderScreen")


async def test_lanes_show_selector_and_the_rule_that_gave_it() -> None:
    app = Stage(workspace(FILLED))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        agent, auxiliary, synthesis = options(app, "#lanes")
    assert "litellm/qwen3-coder" in agent
    assert "set by defaults.agent.model" in agent
    assert "litellm/qwen3-mini" in auxiliary
    assert "set by defaults.auxiliary.model" in synthesis


async def test_escaping_lane_is_named_first_and_enter_opens_it() -> None:
    on = workspace(FILLED.replace('[defaults.auxiliary]\nmodel = "litellm/qwen3-mini"\n', ""))
    on.variant = "stock"
    app = Stage(on)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        assert "▲" in options(app, "#mends")[0]
        app.screen.query_one("#mends").focus()
        await pilot.press("home", "enter")
        await arrive(pilot, "LanesScreen")


@pytest.mark.parametrize(
    ("selector", "says"),
    [
        ("litelm/qwen3-coder", "▲ no such provider"),
        ("litellm/qwen4", "▲ no such model"),
        ("qwen3", "▲ not a selector"),
        ("litellm/qwen3-coder", "○ not tried"),
    ],
)
async def test_a_lane_that_would_fail_says_so(selector: str, says: str) -> None:
    app = Stage(workspace(FILLED.replace("litellm/qwen3-coder", selector)))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        lanes = app.screen.query_one("#lanes", OptionList)
        assert says in str(lanes.get_option_at_index(0).prompt)


async def test_servers_are_looked_for_again() -> None:
    asker = ScriptedAsker()
    app = Stage(workspace(asker=asker))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        found = app.screen.query_one(FoundServers)
        title = found.query_one("#found-title", Static)
        await until(pilot, lambda: "r looks again" in str(title.content))
        asker.servers = (OLLAMA,)
        await pilot.press("r")
        await until(pilot, lambda: len(found.offers) == 1)
        assert asker.looked == 2


async def test_model_ids_of_the_file_are_shown_and_never_read_as_markup() -> None:
    text = FILLED.replace("qwen3-mini", "[red]x[/y]\\u001b[31m")
    app = Stage(workspace(text))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        assert "[red]x[/y]\\x1b[31m" in options(app, "#lanes")[1]


async def test_keys_that_can_do_nothing_are_not_offered() -> None:
    app = Stage(workspace())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        await pilot.press("t", "m", "s", "l")
        await arrive(pilot, "HomeScreen")


async def test_quitting_with_unsaved_edits_asks() -> None:
    on = workspace(FILLED)
    app = Stage(on)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        on.edit(on.document.with_text(FILLED + "# more\n"))
        await pilot.press("q")
        await arrive(pilot, "AskChoice")
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")
        await pilot.press("u")
        assert not on.unsaved
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_mouse_opens_what_keys_open() -> None:
    app = Stage(workspace(FILLED))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        await pilot.click("#lanes", offset=(20, 3))
        await arrive(pilot, "LanesScreen")


async def test_quitting_twice_asks_once_and_every_answer_is_readable() -> None:
    on = workspace(FILLED)
    app = Stage(on)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        on.edit(on.document.with_text(FILLED + "# more\n"))
        await pilot.press("ctrl+q")
        await arrive(pilot, "AskChoice")
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert [type(screen).__name__ for screen in app.screen_stack].count("AskChoice") == 1
        width = app.screen.query_one("AskChoice > Vertical").content_region
        for button in app.screen.query(Button):
            assert button.region.right <= width.right, f"{button.label} is cut"


async def test_page_keys_on_an_empty_home_do_nothing() -> None:
    for text in (None, "version = 1\n"):
        app = Stage(workspace(text))
        async with app.run_test(size=(80, 24)) as pilot:
            await stand(pilot)
            await pilot.press("pagedown", "pageup", "home", "end", "tab", "pagedown", "enter")
            await pilot.pause()
            assert app.screen is not None
