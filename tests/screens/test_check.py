"""Check: what is wrong, worst first, and f mends what turnkey can mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import OptionList, Static

from core.keys.vault import open_vault
from tests.core.keys.fakes import Works
from tests.screens.stage import FILLED, Stage, arrive, stand, until, workspace
from tui.widgets.field import Field
from tui.widgets.places import ToCheck, ToProvider

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "sk-canary-0123456789abcdef"
OLD = FILLED.replace('failOn = "high"', 'failOn = "critical"\nmaxTurns = 9 # few')


async def test_old_spellings_are_mended_and_taken_back() -> None:
    on = workspace(OLD)
    app = Stage(on, ToCheck())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "CheckScreen")
        await pilot.press("F")
        await until(pilot, lambda: on.unsaved)
        assert "maxTurns = 9 # few" in on.document.text
        assert on.config.defaults.agent_max_turns == 9
        assert 'failOn = "high"' in on.document.text
        await pilot.press("u")
        await until(pilot, lambda: not on.unsaved)
        await pilot.press("U")
        await until(pilot, lambda: on.unsaved)


async def test_f_closes_an_escape() -> None:
    on = workspace(FILLED.replace('model = "litellm/qwen3-mini"', 'model = "openai/x"'))
    app = Stage(on, ToCheck())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "CheckScreen")
        assert on.lanes().escapes
        for _ in range(3):
            if on.lanes().escapes:
                await pilot.press("home", "f")
                await pilot.pause()
        assert not on.lanes().escapes


async def test_a_key_moves_to_the_keyring_after_asking(tmp_path: Path) -> None:
    on = workspace(FILLED.replace(':4000/v1"\n', f':4000/v1"\napiKey = "{SECRET}"\n'))
    backend = Works()
    on.vault = open_vault(tmp_path, env={}, backend=backend)
    app = Stage(on, ToCheck())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "CheckScreen")
        items = app.screen.query_one("#items", OptionList)
        at = next(
            index
            for index in range(items.option_count)
            if "looks like a key" in str(items.get_option_at_index(index).prompt)
        )
        items.highlighted = at
        await pilot.pause()
        await pilot.press("f")
        await arrive(pilot, "AskChoice")
        assert not backend.kept
        await pilot.press("enter")
        await arrive(pilot, "CheckScreen")
        await until(pilot, lambda: on.unsaved)
        assert SECRET not in on.document.text
        assert list(backend.kept.values()) == [SECRET]
        assert SECRET not in on.pending_diff()


async def test_a_provider_is_renamed_and_its_selectors_follow_when_asked() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToProvider("litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "ProviderScreen")
        await pilot.press("home", *"my", "enter")
        await arrive(pilot, "AskChoice")
        await pilot.press("enter")
        await arrive(pilot, "HomeScreen")
    assert on.document.text == FILLED.replace("litellm", "mylitellm")


async def test_what_would_dangle_is_listed_before_a_provider_is_removed() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToProvider("litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "ProviderScreen")
        await pilot.press("ctrl+d")
        await arrive(pilot, "AskChoice")
        shown = "".join(str(one.render()) for one in app.screen.query("Static"))
        assert "defaults.auxiliary.model" in shown
        await pilot.press("enter")
        await arrive(pilot, "ProviderScreen")
        assert not on.unsaved
        await pilot.press("ctrl+d")
        await arrive(pilot, "AskChoice")
        await pilot.press("right", "enter")
        await arrive(pilot, "HomeScreen")
    assert on.config.providers == ()


async def test_an_address_that_cannot_be_meant_is_not_taken() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToProvider("litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "ProviderScreen")
        await pilot.press("tab", "home", *"ftp://", "enter")
        await pilot.pause()
        assert type(app.screen).__name__ == "ProviderScreen"
        assert not on.unsaved


async def test_a_password_in_an_address_is_on_no_screen_and_stays_in_the_file() -> None:
    on = workspace(FILLED.replace("//127.0.0.1", "//ann:hunter22@127.0.0.1"))
    app = Stage(on, ToProvider("litellm"))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "ProviderScreen")
        await until(pilot, lambda: app.screen.query_one("#url", Field).value != "")
        assert app.screen.query_one("#url", Field).value == "http://127.0.0.1:4000/v1"
        await pilot.press("ctrl+o")
        await arrive(pilot, "HomeScreen")
        assert "hunter22" not in "".join(str(one.render()) for one in app.screen.query(Static))
    assert "hunter22" in on.document.text
    assert not on.unsaved


async def test_a_key_that_stands_as_a_model_is_not_on_home() -> None:
    text = FILLED.replace('model = "litellm/qwen3-coder"', f'model = "{SECRET}"')
    app = Stage(workspace(text))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot)
        lists = [option for one in app.screen.query(OptionList) for option in one.options]
        said = "".join(str(option.prompt) for option in lists)
        assert "••••" in said
        assert SECRET not in said
