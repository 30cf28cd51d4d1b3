"""Save: the exact difference first; a failure loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Static

from core.keys.vault import open_vault
from core.workspace import open_workspace
from tests.screens.stage import FILLED, Stage, arrive, stand, until
from tui.widgets.fault import FaultBox
from tui.widgets.shell import ToSave

if TYPE_CHECKING:
    from pathlib import Path

    from core.workspace import Workspace


def edited(folder: Path) -> Workspace:
    path = folder / "warden.toml"
    path.write_text(FILLED)
    on = open_workspace(path, env={}, vault=open_vault(folder, env={}, find=None))
    on.edit(on.document.with_text(FILLED.replace('failOn = "high"', 'failOn = "low"')))
    return on


async def test_difference_is_shown_before_anything_is_written(tmp_path: Path) -> None:
    on = edited(tmp_path)
    app = Stage(on, ToSave())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "SaveScreen")
        shown = str(app.screen.query_one("#diff Static", Static).content)
        assert '-failOn = "high"' in shown
        assert '+failOn = "low"' in shown
        assert (tmp_path / "warden.toml").read_text() == FILLED
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")
        assert (tmp_path / "warden.toml").read_text() == FILLED
        await pilot.press("s")
        await arrive(pilot, "SaveScreen")
        await pilot.press("enter")
        await arrive(pilot, "HomeScreen")
    assert 'failOn = "low"' in (tmp_path / "warden.toml").read_text()
    assert not on.unsaved


async def test_file_changed_by_another_program_is_not_overwritten(tmp_path: Path) -> None:
    on = edited(tmp_path)
    app = Stage(on, ToSave())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "SaveScreen")
        (tmp_path / "warden.toml").write_text("version = 1\n")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query_one(FaultBox).has_class("-shown"))
        assert type(app.screen).__name__ == "SaveScreen"
    assert (tmp_path / "warden.toml").read_text() == "version = 1\n"
    assert on.unsaved, "the edit is still there"
