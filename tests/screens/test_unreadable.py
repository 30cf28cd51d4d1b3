"""A file that cannot be parsed is never touched, and its fault names line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.keys.vault import open_vault
from core.workspace import open_workspace
from tests.screens.stage import FILLED, arrive
from tui.app import TurnkeyApp
from tui.widgets.fault import FaultBox

if TYPE_CHECKING:
    from pathlib import Path


async def test_broken_file_is_named_with_line_and_column_and_can_be_read_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "warden.toml"
    path.write_text("version = 1\n[defaults]\nmodel = \n")
    vault = open_vault(tmp_path, env={}, find=None)
    app = TurnkeyApp(lambda: open_workspace(path, env={}, vault=vault))
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "UnreadableScreen")
        said = str(app.screen.query_one(FaultBox).content)
        assert "line 3" in said
        assert "column" in said
        assert path.read_text() == "version = 1\n[defaults]\nmodel = \n"
        await pilot.press("ctrl+y")
        assert "line 3" in app.clipboard
        path.write_text(FILLED)
        await pilot.press("r")
        await arrive(pilot, "HomeScreen")
