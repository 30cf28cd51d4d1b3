"""A base URL that was changed after the key was stored: nothing at all goes to the new host."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from core.keys.secret import Secret
from core.keys.vault import open_vault
from core.workspace import open_workspace
from tests.screens.stage import Stage, arrive, stand, until
from tests.servers.scripted import good_server, running
from tests.tui.desk import KEY, VARIABLE, Desk, provider_table
from tui.widgets.fault import FaultBox
from tui.widgets.places import Open, ToLive, ToModels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.scripted import ScriptedProvider

COMMANDS = (
    ("models", "--provider", "litellm"),
    ("models", "--provider", "litellm", "--json"),
    ("ping", "--provider", "litellm", "--model", "m"),
    ("ping", "--lane", "agent", "--json"),
    ("env",),
    ("env", "--format", "json", "--allow-missing"),
    ("run", "--", sys.executable, "-c", "print('started')"),
    ("run", "--allow-missing", "--", sys.executable, "-c", "print('started')"),
    ("keys", "source", "--json"),
    ("keys", "import"),
)


@pytest.fixture
def stranger() -> Iterator[ScriptedProvider]:
    """The new host, which would take any key and note it."""
    with running(good_server(["m"], key=KEY)) as server:
        yield server


def file_for(server: ScriptedProvider) -> str:
    return provider_table(server.base_url, "m") + '\n[defaults.agent]\nmodel = "litellm/m"\n'


@pytest.mark.parametrize("held", ["keyring", "environment"])
def test_no_command_sends_anything(
    held: str, keyring_desk: Desk, stranger: ScriptedProvider
) -> None:
    desk = keyring_desk
    with running(good_server(["m"], key=KEY)) as server:
        desk.write(file_for(server))
        if held == "keyring":
            assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
        else:
            desk.export(**{VARIABLE: KEY})
        assert desk.turnkey("ping", "--lane", "agent").code == 0
        assert any(request.bearer == KEY for request in server.requests)
        desk.write(file_for(stranger))
        for command in COMMANDS:
            done = (desk.apart if command[0] == "run" else desk.turnkey)(*command)
            if command[:2] == ("keys", "source"):
                assert "key_bound_elsewhere" in done.out
            elif not (held == "keyring" and command[:2] == ("keys", "import")):
                assert done.code == 5, (command, done)
                assert server.origin in done.out + done.err, command
                assert stranger.origin in done.out + done.err, command
            assert "started" not in done.out
            assert stranger.requests == [], command
        # agreed to, it goes there and to the old one no more
        assert desk.turnkey("keys", "rebind", "litellm").code == 0
        assert desk.turnkey("ping", "--lane", "agent").code == 0
        assert any(request.bearer == KEY for request in stranger.requests)
        desk.write(file_for(server))
        assert desk.turnkey("ping", "--lane", "agent").code == 5


@pytest.mark.parametrize("place", [ToModels(name="litellm"), ToLive()], ids=["models", "live"])
async def test_no_screen_sends_anything_unless_agreed(
    place: ToModels | ToLive, tmp_path: Path
) -> None:
    with (
        running(good_server(["m"], key=KEY)) as server,
        running(good_server(["m"], key=KEY)) as stranger,
    ):
        file = tmp_path / "warden.toml"
        write(file, file_for(stranger))
        vault = open_vault(tmp_path / "state", env={}, find=None)
        vault.remember(VARIABLE, server.origin, Secret(KEY))
        app = Stage(open_workspace(file, env={}, vault=vault))
        async with app.run_test(size=(100, 30)) as pilot:
            await stand(pilot)
            app.screen.post_message(Open(place))
            if isinstance(place, ToLive):
                await arrive(pilot, "LiveScreen")
                await pilot.press("enter")
            await arrive(pilot, "AskRebind")
            await pilot.press("escape")
            await until(pilot, lambda: type(app.screen).__name__ != "AskRebind")
            await until(pilot, lambda: app.screen.query_one(FaultBox).has_class("-shown"))
            assert stranger.requests == []
            await pilot.press("r" if isinstance(place, ToModels) else "enter")
            await arrive(pilot, "AskRebind")
            await pilot.press("r")
            await until(pilot, lambda: any(one.bearer == KEY for one in stranger.requests))
            await pilot.press("escape", "escape")
        assert server.requests == []


def write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
