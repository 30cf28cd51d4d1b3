"""Provider: one that stands in the base layer is changed there, and only after a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Static

from core.keys.vault import open_vault
from core.workspace import open_workspace
from tests.screens.stage import Stage, arrive, stand, until
from tui.widgets.field import Field
from tui.widgets.places import ToProvider

if TYPE_CHECKING:
    from pathlib import Path

BASE = """version = 1

[defaults.auxiliary]
model = "org/m"

[defaults.providers.org]
baseUrl = "http://gw.acme.lan:4000/v1"

[[defaults.providers.org.models]]
id = "m"
"""
REPO = """version = 1

[defaults.agent]
model = "org/m"
"""


@pytest.mark.parametrize("agreed", [True, False])
async def test_a_provider_of_the_base_layer_is_renamed_where_it_stands(
    tmp_path: Path, *, agreed: bool
) -> None:
    path, base = tmp_path / "warden.toml", tmp_path / "org.toml"
    path.write_text(REPO)
    base.write_text(BASE)
    vault = open_vault(tmp_path, env={}, find=None)
    on = open_workspace(path, env={}, vault=vault, base=base)
    app = Stage(on, ToProvider("org"))
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "ProviderScreen")
        screen = app.screen
        used = str(screen.query_one("#used", Static).content)
        assert "org.toml, line 4" in used
        assert "warden.toml, line 4" in used
        screen.query_one("#name", Field).value = "house"
        await pilot.press("ctrl+o")
        await arrive(pilot, "AskChoice")
        await pilot.press("enter")  # the selectors follow
        await until(pilot, lambda: "Other repositories" in _question(app))
        if agreed:
            await pilot.press("right")
        await pilot.press("enter")
        await until(pilot, lambda: type(app.screen).__name__ != "AskChoice")
        if agreed:
            await until(pilot, lambda: on.config.defaults.agent_model == "house/m")
    assert on.document.text == (REPO.replace("org/", "house/") if agreed else REPO)
    assert on.sheet("base").text == (
        BASE.replace("org/", "house/").replace("providers.org", "providers.house")
        if agreed
        else BASE
    )


def _question(app: Stage) -> str:
    return " ".join(str(one.content) for one in app.screen.query(Static))
