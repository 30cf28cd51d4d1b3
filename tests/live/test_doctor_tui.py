"""The troubleshooting moment at the keyboard, against a real llama-server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import OptionList, Static

from core.discover.discover import find_servers
from core.keys.vault import open_vault
from core.workspace import open_workspace
from screens.add_provider import AddProviderScreen
from screens.doctor import DoctorScreen
from screens.home import HomeScreen
from tests.live.cli import empty_repository
from tests.live.journey import Journey
from tests.live.tiny_model import SAID
from tui.app import TurnkeyApp
from tui.widgets.fault import FaultBox
from tui.widgets.field import Field

if TYPE_CHECKING:
    from pathlib import Path

    from core.discover.discover import Found
    from core.workspace import Workspace
    from tests.live.served import Served

pytestmark = pytest.mark.live

WRONG = "sk-live-not-the-key"


def looking_at(workspace: Workspace, port: int) -> Workspace:
    """The same, with ``port`` for the presets' own, which others may be using here."""

    async def find() -> tuple[Found, ...]:
        return await find_servers(ports=[port])

    workspace.asker.find = find  # type: ignore[method-assign]
    return workspace


async def test_found_refused_diagnosed_and_mended(llama: Served, tmp_path: Path) -> None:
    repository = empty_repository(tmp_path)
    app = TurnkeyApp(
        lambda: looking_at(
            open_workspace(
                repository.file, env={}, vault=open_vault(tmp_path / "state", env={}, find=None)
            ),
            llama.port,
        )
    )
    async with app.run_test(size=(100, 30)) as pilot:
        person = Journey(app, pilot, llama.key)
        await person.on(HomeScreen)
        await person.press("a")
        form = await person.on(AddProviderScreen)
        await person.until(lambda: form.settled, "looking around")
        assert form.query_one("#found", OptionList).option_count == 1
        await person.press("ctrl+f", "enter")
        await person.until(
            lambda: form.query_one("#url", Field).value == llama.base_url, "filling the form"
        )
        assert form.query_one("#name", Field).value == "llamacpp"

        await person.type(WRONG)
        await person.press("enter")
        box = form.query_one(FaultBox)
        await person.until(lambda: box.has_class("-shown"), "the refusal")
        form.query_one("#preset").focus()
        await person.press("x")
        doctor = await person.on(DoctorScreen)
        await person.until(lambda: doctor.report is not None, "the report")
        assert doctor.report is not None
        assert doctor.report.error is not None
        assert doctor.report.failed is not None
        assert (doctor.report.failed.name, doctor.report.error.code) == ("key", "key_refused")
        assert WRONG not in person.painted()

        await person.until(lambda: doctor.check_action("back", ()) is True, "the end")
        await person.press("escape")
        await person.on(AddProviderScreen)
        form.query_one("#key", Field).input.focus()
        await person.type(llama.key)
        form.query_one("#preset").focus()
        form.action_doctor()
        doctor = await person.on(DoctorScreen)
        await person.until(lambda: doctor.report is not None, "the report")
        verdict = doctor.query_one("#verdict", Static)
        await person.until(lambda: "Every rung holds." in str(verdict.content), "the verdict")
        assert f"«{SAID}»" in person.painted()
        assert llama.key not in person.painted()
    assert not repository.file.exists()
