"""Save: the exact difference first; a failure loses nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from textual.widgets import Static

from core.keys.secret import Secret
from core.keys.vault import open_vault
from core.workspace import open_workspace
from tests.screens.stage import FILLED, Stage, arrive, stand, until
from tui.widgets.fault import FaultBox
from tui.widgets.places import ToSave

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from textual.pilot import Pilot

    from core.errors import Fault
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


def put(path: Path, text: str) -> None:
    """What another program does."""
    path.write_text(text)


async def conflict(pilot: Pilot[int], app: Stage, path: Path, text: str) -> str:
    """Write while another program has written ``text``; what the screen shows then."""
    await stand(pilot, "SaveScreen")
    put(path, text)
    await pilot.press("enter")
    await until(pilot, lambda: app.screen.has_class("-conflict"))
    return str(app.screen.query_one("#diff Static", Static).content)


async def test_edits_are_made_again_on_what_another_program_wrote(tmp_path: Path) -> None:
    on, path = edited(tmp_path), tmp_path / "warden.toml"
    theirs = FILLED.replace("version = 1", "version = 1 # theirs") + "\n[runner]\nconcurrency = 2\n"
    app = Stage(on, ToSave())
    async with app.run_test(size=(80, 24)) as pilot:
        shown = await conflict(pilot, app, path, theirs)
        assert "+concurrency = 2" in shown
        assert path.read_text() == theirs
        await pilot.press("r")
        await until(pilot, lambda: not app.screen.has_class("-conflict"))
        shown = str(app.screen.query_one("#diff Static", Static).content)
        assert '+failOn = "low"' in shown
        assert "concurrency" not in shown
        assert path.read_text() == theirs
        await pilot.press("enter")
        await arrive(pilot, "HomeScreen")
    assert path.read_text() == theirs.replace('failOn = "high"', 'failOn = "low"')


async def test_edits_of_the_same_key_stay_until_one_decides(tmp_path: Path) -> None:
    on, path = edited(tmp_path), tmp_path / "warden.toml"
    theirs = FILLED.replace('failOn = "high"', 'failOn = "off"')
    app = Stage(on, ToSave())
    async with app.run_test(size=(80, 24)) as pilot:
        await conflict(pilot, app, path, theirs)
        await pilot.press("r")
        await pilot.pause()
        assert "defaults.failOn" in str(app.screen.query_one(FaultBox).content)
        await pilot.press("ctrl+y")
        assert "defaults.failOn" in app.clipboard
        assert on.unsaved
        await pilot.press("d")
        await arrive(pilot, "AskChoice")
        await pilot.press("enter")
        await arrive(pilot, "SaveScreen")
        assert on.unsaved, "asked first"
        await pilot.press("d")
        await arrive(pilot, "AskChoice")
        await pilot.press("right", "enter")
        await arrive(pilot, "HomeScreen")
    assert on.document.text == path.read_text() == theirs
    assert not on.unsaved


async def test_edited_file_can_be_saved_elsewhere(tmp_path: Path) -> None:
    on, path = edited(tmp_path), tmp_path / "warden.toml"
    app = Stage(on, ToSave())
    async with app.run_test(size=(80, 24)) as pilot:
        await conflict(pilot, app, path, "version = 1\n")
        for name, there in (("warden.toml", True), ("mine.toml", False)):
            await pilot.press("o")
            await arrive(pilot, "AskText")
            await pilot.press(*name, "enter")
            await arrive(pilot, "SaveScreen" if there else "HomeScreen")
    assert path.read_text() == "version = 1\n"
    assert 'failOn = "low"' in (tmp_path / "mine.toml").read_text()


async def test_a_save_can_be_undone_and_saved_again(tmp_path: Path) -> None:
    on, path = edited(tmp_path), tmp_path / "warden.toml"
    app = Stage(on, ToSave())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "SaveScreen")
        await pilot.press("enter")
        await arrive(pilot, "HomeScreen")
        assert 'failOn = "low"' in path.read_text()
        await pilot.press("u")
        await until(pilot, lambda: on.unsaved)
        await pilot.press("s")
        await arrive(pilot, "SaveScreen")
        await pilot.press("enter")
        await arrive(pilot, "HomeScreen")
    assert path.read_text() == FILLED


async def test_enter_twice_and_escape_while_it_is_written_save_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = edited(tmp_path)
    go, begun = threading.Event(), []
    real = on.save

    def slow() -> tuple[Fault, ...]:
        begun.append(1)
        go.wait(20)
        return real()

    monkeypatch.setattr(on, "save", slow)
    app = Stage(on, ToSave())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "SaveScreen")
        await pilot.press("enter")
        await until(pilot, lambda: bool(begun))
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert type(app.screen).__name__ == "SaveScreen"
        go.set()
        await arrive(pilot, "HomeScreen")
    assert len(begun) == 1
    assert 'failOn = "low"' in (tmp_path / "warden.toml").read_text()


async def test_state_folder_that_cannot_be_written_does_not_hold_a_save_up(tmp_path: Path) -> None:
    on = edited(tmp_path)
    (tmp_path / "file").write_text("")
    on.state_folder = tmp_path / "file" / "state"
    (fault,) = on.save()
    assert "could not be kept" in fault.what
    assert 'failOn = "low"' in (tmp_path / "warden.toml").read_text()


def test_key_of_a_provider_that_was_undone_is_not_saved(tmp_path: Path) -> None:
    on = edited(tmp_path)
    entry = ("WARDEN_NEW_API_KEY", "http://127.0.0.1:9")
    new = '\n[defaults.providers.new]\nbaseUrl = "http://127.0.0.1:9/v1"\n'
    on.edit(on.document.with_text(FILLED + new))
    on.pending_keys[entry] = Secret("sk-x")
    assert entry in on.waiting_keys
    on.undo()
    assert not on.waiting_keys
    on.save()
    assert on.vault.stored_for(entry[0]) == ()
