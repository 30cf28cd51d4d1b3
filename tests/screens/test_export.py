"""The Export screen: a line a reader, its text beside, and writing only where that is meant."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from textual.widgets import Input, OptionList, Static

from core.keys.vault import open_vault
from core.warden.document import load_or_empty
from core.warden.edits import set_key
from screens.export import ExportScreen
from tests.core.export.setups import verify
from tests.screens.stage import KEY, Stage, arrive, stand, until, workspace
from tests.servers.messages import messages_reply, start, stop, text
from tests.servers.scripted import good_server, running
from tui.widgets.fault import FaultBox
from tui.widgets.places import ToExport

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from core.workspace import Workspace

NOW: Final = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FILE: Final = "version = 1\n" + "".join(
    f'\n[defaults.{lane}]\nmodel = "litellm/qwen3"\n'
    for lane in ("agent", "auxiliary", "synthesis")
)
SERVER: Final = """
[defaults.providers.litellm]
baseUrl = "https://gw.acme.lan/v1"

[[defaults.providers.litellm.models]]
id = "qwen3"
reasoning = true
contextWindow = 131072
"""


def on_disk(folder: Path, written: str = FILE + SERVER) -> Workspace:
    """A workspace on a real file, with a home and a state folder of its own."""
    path = folder / "warden.toml"
    path.write_text(written)
    on = workspace(env={"HOME": str(folder), "LITELLM_API_KEY": KEY})
    on.document = on.saved = load_or_empty(path)
    on.state_folder = folder / "state"
    on.vault = open_vault(folder / "keys", env=on.env, find=None)  # which origins a key went to
    return on


async def at(pilot: Pilot[int], target: str) -> ExportScreen:
    """The screen, on a reader's line, at a fixed time."""
    await stand(pilot, "ExportScreen")
    screen = pilot.app.screen
    assert isinstance(screen, ExportScreen)
    screen.clock = lambda: NOW
    screen.draw()
    lines = screen.query_one("#targets", OptionList)
    lines.highlighted = lines.get_option_index(target)
    await pilot.pause()
    return screen


def shown(screen: ExportScreen) -> str:
    return "\n".join(str(one.render()) for one in screen.query(Static))


def verified(on: Workspace) -> None:
    verify(on, "providers", NOW - timedelta(hours=2))
    verify(on, "stock", NOW - timedelta(hours=2))


async def write_to(pilot: Pilot[int], place: str | None = None) -> None:
    """Take the path that is offered, or another one."""
    await arrive(pilot, "AskText")
    if place is not None:
        pilot.app.screen.query_one(Input).value = place
    await pilot.press("enter")
    await arrive(pilot, "ExportScreen")


async def test_e_on_home_opens_it_and_esc_goes_back(tmp_path: Path) -> None:
    async with Stage(on_disk(tmp_path)).run_test() as pilot:
        await stand(pilot)
        await pilot.press("e")
        await arrive(pilot, "ExportScreen")
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")


async def test_a_verified_setup_is_written_where_it_says(tmp_path: Path) -> None:
    on = on_disk(tmp_path)
    verified(on)
    async with Stage(on, ToExport()).run_test() as pilot:
        screen = await at(pilot, "pi")
        assert "not there yet" in str(screen.query_one("#targets", OptionList).options[1].prompt)
        assert "verified 2 h ago" in str(screen.row.tried if screen.row else "")
        assert '"apiKey": "$LITELLM_API_KEY"' in shown(screen)
        await pilot.press("enter")
        await write_to(pilot)
        place = tmp_path / ".pi" / "agent" / "models.json"
        await until(pilot, place.exists)
        await pilot.pause()
        assert screen.row is not None
        assert screen.row.state == "written, current"
    assert KEY not in place.read_text()


async def test_what_is_not_verified_is_written_only_when_that_is_meant(tmp_path: Path) -> None:
    on = on_disk(tmp_path)
    async with Stage(on, ToExport()).run_test() as pilot:
        await at(pilot, "github")
        await pilot.press("enter")
        await arrive(pilot, "AskChoice")
        await pilot.press("enter")
        await arrive(pilot, "ExportScreen")
        assert not (tmp_path / ".github").exists()
        await pilot.press("enter")
        await arrive(pilot, "AskChoice")
        await pilot.press("tab", "enter")
        await write_to(pilot)
        place = tmp_path / ".github" / "workflows" / "warden.yml"
        await until(pilot, place.exists)
    assert place.read_text().startswith("# NOT VERIFIED")


async def test_auth_json_is_another_text_and_keeps_a_key_that_is_there(tmp_path: Path) -> None:
    on = on_disk(tmp_path)
    verified(on)
    place = tmp_path / ".pi" / "agent" / "auth.json"
    place.parent.mkdir(parents=True)
    held = '{"litellm": {"type": "api_key", "key": "sk-theirs-alone"}}'
    place.write_text(held)
    async with Stage(on, ToExport()).run_test() as pilot:
        screen = await at(pilot, "pi")
        await pilot.press("A")
        await pilot.pause()
        assert '"type": "api_key"' in shown(screen)
        await pilot.press("enter")
        await arrive(pilot, "AskText")
        await pilot.press("enter")
        await arrive(pilot, "AskChoice")
        assert "sk-theirs-alone" not in "".join(
            str(one.render()) for one in pilot.app.screen.query(Static)
        )
        await pilot.press("enter")  # back
        await arrive(pilot, "ExportScreen")
        assert place.read_text() == held
        await pilot.press("enter")
        await arrive(pilot, "AskText")
        await pilot.press("enter")
        await arrive(pilot, "AskChoice")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: place.read_text() != held)
        assert "sk-theirs-alone" not in shown(screen)
    assert json.loads(place.read_text())["litellm"]["key"] == "$LITELLM_API_KEY"


async def test_an_edit_makes_pis_file_older_and_the_receipt_stale(tmp_path: Path) -> None:
    on = on_disk(tmp_path)
    verified(on)
    async with Stage(on, ToExport()).run_test() as pilot:
        screen = await at(pilot, "pi")
        await pilot.press("enter")
        await write_to(pilot)
        await until(pilot, lambda: screen.row is not None and screen.row.sign == "●")
        path = ("defaults", "providers", "litellm", "baseUrl")
        on.edit(set_key(on.document, path, "https://gw2.acme.lan/v1"))
        screen.draw()
        await pilot.pause()
        assert screen.row is not None
        assert (screen.row.sign, screen.row.state) == ("▲", "older than the config")
        assert screen.row.tried == "verified 2 h ago, changed since"


async def test_warden_toml_goes_through_the_difference(tmp_path: Path) -> None:
    on = on_disk(tmp_path)
    verify(on, "providers", NOW - timedelta(hours=2), borne=2)
    before = on.document.path.read_text()
    async with Stage(on, ToExport()).run_test() as pilot:
        await at(pilot, "warden")
        await pilot.press("enter")
        await arrive(pilot, "SaveScreen")
        assert "concurrency = 2" in "".join(
            str(one.render()) for one in pilot.app.screen.query(Static)
        )
        assert on.document.path.read_text() == before
        await pilot.press("enter")
        await until(pilot, lambda: on.document.path.read_text() != before)
    assert load_or_empty(on.document.path).config().concurrency == 2


async def test_a_gateway_is_asked_before_it_is_written(tmp_path: Path) -> None:
    reply = messages_reply(start("qwen3"), text(0, "Good morning."), stop())
    server = good_server(["qwen3"], KEY, extra={("POST", "/v1/messages"): reply})
    with running(server):
        on = on_disk(tmp_path, (FILE + SERVER).replace("https://gw.acme.lan/v1", server.base_url))
        verified(on)
        async with Stage(on, ToExport()).run_test() as pilot:
            screen = await at(pilot, "gateway")
            assert "ANTHROPIC_BASE_URL" in shown(screen)
            await pilot.press("enter")
            await arrive(pilot, "AskText")
            assert "ANTHROPIC_BASE_URL" not in shown(screen)
            await pilot.press("enter")
            await until(pilot, (tmp_path / "gateway.env").exists)
    assert "OPENAI_BASE_URL" in (tmp_path / "gateway.env").read_text()


async def test_a_gateway_that_refuses_the_key_is_told_and_not_written(tmp_path: Path) -> None:
    with running(good_server(["qwen3"], "another key")) as server:
        on = on_disk(tmp_path, (FILE + SERVER).replace("https://gw.acme.lan/v1", server.base_url))
        verified(on)
        async with Stage(on, ToExport()).run_test() as pilot:
            screen = await at(pilot, "gateway")
            await pilot.press("enter")
            await until(pilot, lambda: screen.query_one(FaultBox).has_class("-shown"))
            fault = screen.query_one(FaultBox).fault
            assert fault is not None
            assert fault.code == "key_refused"
            assert KEY not in shown(screen)
    assert not (tmp_path / "gateway.env").exists()


@pytest.mark.parametrize(
    "written", ["version = 1\n", f'{FILE}{SERVER}apiKey = "sk-{"a1B2" * 8}"\n']
)
async def test_nothing_is_offered_where_nothing_may_leave(tmp_path: Path, written: str) -> None:
    async with Stage(on_disk(tmp_path, written), ToExport()).run_test() as pilot:
        await stand(pilot, "ExportScreen")
        screen = pilot.app.screen
        assert isinstance(screen, ExportScreen)
        assert "a1B2" not in shown(screen)
        assert screen.check_action("write", ()) is None
        await pilot.press("enter")
        await pilot.pause()
        assert pilot.app.screen is screen


async def test_the_text_is_copied_and_holds_no_key(tmp_path: Path) -> None:
    on = on_disk(tmp_path)
    async with Stage(on, ToExport()).run_test() as pilot:
        await at(pilot, "stock-env")
        await pilot.press("y")
        await pilot.pause()
        assert "PI_CODING_AGENT_DIR" in pilot.app.clipboard
        assert KEY not in pilot.app.clipboard
