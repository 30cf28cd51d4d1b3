"""``--ca-file`` and ``--client-cert``: how a target behind a private signer is reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.servers.certificates import make_pki
from tests.servers.scripted import good_server, running
from tests.tui.desk import KEY, Desk, at

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = {
    "models": ["models"],
    "ping": ["ping", "--model", "m"],
    "doctor": ["doctor", "--model", "m"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_private_signer_is_trusted_by_option_or_variable(
    desk: Desk, command: str, tmp_path: Path
) -> None:
    pki = make_pki(tmp_path)
    desk.export(GATEWAY_KEY=KEY)
    with running(replace(good_server(["m"], KEY), tls=pki.wants_client())) as server:
        target = [*COMMANDS[command], "--url", server.base_url, "--key-env", "GATEWAY_KEY"]
        files = ["--ca-file", pki.ca_file, "--client-cert", pki.client_file()]
        assert desk.turnkey(*target).code == 4
        assert desk.turnkey(*target, *files).code == 0
        desk.export(TURNKEY_CA_FILE=pki.ca_file, TURNKEY_CLIENT_CERT=pki.client_file())
        assert desk.turnkey(*target).code == 0


def test_a_provider_behind_a_private_signer_is_added(desk: Desk, tmp_path: Path) -> None:
    pki = make_pki(tmp_path)
    desk.export(WARDEN_GATEWAY_API_KEY=KEY)
    with running(replace(good_server(["m"], KEY), tls=pki.good())) as server:
        adding = ["provider", "add", "gateway", "--url", server.base_url]
        assert desk.turnkey(*adding).code == 4
        assert desk.turnkey(*adding, "--ca-file", pki.ca_file).code == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_not_there_is_the_fault(desk: Desk, command: str) -> None:
    target = [*COMMANDS[command], "--url", "https://models.example", "--ca-file", "gone.pem"]
    asked = desk.turnkey(*target, "--json")
    assert asked.code == 4
    assert "gone.pem" in asked.err
    said = asked.json()
    error = at(said, "runs", 0, "error") if command == "ping" else said["error"]
    assert at(error, "code") == "tls"
