"""Health: what one light question says, whose key goes along, and when the next one is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.health import (
    EVERY_S,
    RARELY_S,
    Health,
    Rounds,
    base_of,
    judged,
    key_at_hand,
    look,
    watched,
)
from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.wire.client import Reply
from tests.core.desk import GATEWAY, workspace_at
from tests.core.keys.fakes import Works
from tests.servers.scripted import good_server

if TYPE_CHECKING:
    from pathlib import Path

    from core.workspace import Workspace

KEY = "sk-canary-health-0123456789"
ORIGIN = "https://gw.example"
VARIABLE = "WARDEN_LITELLM_API_KEY"


@pytest.mark.parametrize(
    ("status", "body", "seconds", "keyed", "state", "words"),
    [
        (200, b'{"data": []}', 0.012, True, "up", "up 12 ms"),
        (200, b' [{"id": "m"}]', 0.5, False, "up", "up 500 ms"),
        (200, b"{}", 2.34, True, "slow", "slow: 2.3 s"),
        (200, b"<html>", 0.01, True, "down", "no models there: 200"),
        (
            200,
            b'{"error": {"message": "no such route"}}',
            0.01,
            True,
            "down",
            "no models there: 200",
        ),
        (302, b"", 0.01, True, "down", "no models there: 302"),
        (401, b"", 0.01, True, "refused", "refuses the key"),
        (403, b"", 0.01, True, "refused", "refuses the key"),
        (401, b"", 0.01, False, "up", "up, wants a key"),
        (404, b"{}", 0.01, True, "down", "no models there: 404"),
        (429, b"{}", 0.01, True, "slow", "busy"),
        (503, b"{}", 0.01, True, "down", "down: answers 503"),
    ],
)
def test_a_reply_is_judged(
    status: int, body: bytes, seconds: float, keyed: bool, state: str, words: str
) -> None:
    reply = Reply(status, {"content-type": "application/json"}, body, seconds, f"{ORIGIN}/models")
    found = judged(reply, read_base_url(ORIGIN, exact=True), keyed=keyed)
    assert (found.state, found.words) == (state, words)


async def test_a_look_is_one_request_for_the_models() -> None:
    async with good_server(["m"], KEY) as server:
        base = read_base_url(server.base_url, exact=True)
        assert (await look(base, Secret(KEY))).state == "up"
        assert (await look(base, Secret("sk-wrong-0123456789"))).state == "refused"
        assert (await look(base, None)).words == "up, wants a key"
    assert [(one.method, one.path) for one in server.requests] == [("GET", "/v1/models")] * 3
    gone = await look(base, None)
    assert gone == Health("down", "down: nothing answers")


def gateway(workspace: Workspace) -> tuple[Secret | None, str]:
    provider = workspace.provider("litellm")
    base = base_of(provider)
    assert base is not None
    return key_at_hand(workspace, provider, base), base.origin


def test_a_key_of_the_environment_goes_along_once_it_was_sent_there(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, env={VARIABLE: KEY})
    assert gateway(workspace) == (None, ORIGIN), "its first way out is nobody's by-the-way"
    assert not watched(workspace)
    workspace.key_for(workspace.provider("litellm"))
    assert list(watched(workspace)) == [ORIGIN]
    key, _ = gateway(workspace)
    assert key is not None
    assert key.reveal() == KEY


@pytest.mark.parametrize(("locked", "goes"), [(False, True), (True, False), (None, False)])
def test_a_keyring_is_read_only_where_that_asks_nobody(
    tmp_path: Path, locked: bool | None, goes: bool
) -> None:
    backend = Works()
    workspace = workspace_at(tmp_path, backend=backend)
    workspace.vault.store(VARIABLE, ORIGIN, Secret(KEY))
    backend.is_locked = locked
    backend.calls.clear()
    key, _ = gateway(workspace)
    assert (key is not None) is goes
    assert bool(backend.calls) is goes


def test_no_key_goes_over_plain_http_to_another_machine(tmp_path: Path) -> None:
    text = GATEWAY.replace("https://gw.example", "http://gw.example")
    workspace = workspace_at(tmp_path, text)
    workspace.vault.store(VARIABLE, "http://gw.example", Secret(KEY))
    assert list(watched(workspace)) == ["http://gw.example"]
    assert gateway(workspace)[0] is None


def test_a_key_that_is_bound_elsewhere_stays(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path)
    workspace.vault.store(VARIABLE, "https://other.example", Secret(KEY))
    workspace.approvals.note(ORIGIN)
    assert gateway(workspace)[0] is None


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_one_that_answers_is_asked_again_after_a_while_and_never_twice_at_once() -> None:
    clock = Clock()
    rounds = Rounds(clock, lambda: 1.0)
    assert rounds.due(ORIGIN)
    assert not rounds.due(ORIGIN), "it is being asked"
    rounds.keep(ORIGIN, Health("up", "up 1 ms"))
    clock.now += EVERY_S - 1
    assert not rounds.due(ORIGIN)
    clock.now += 1
    assert rounds.due(ORIGIN)
    rounds.again(ORIGIN)
    assert rounds.due(ORIGIN), "the question was broken off"


def test_one_that_is_down_is_asked_ever_more_rarely_until_it_is_back() -> None:
    clock = Clock()
    rounds = Rounds(clock, lambda: 1.0)
    pauses = []
    for _ in range(8):
        assert rounds.due(ORIGIN)
        rounds.keep(ORIGIN, Health("down", "down: nothing answers"))
        before = clock.now
        while not rounds.due(ORIGIN):
            clock.now += 1
        rounds.again(ORIGIN)
        pauses.append(clock.now - before)
    assert pauses == sorted(pauses)
    assert pauses[0] == 2 * EVERY_S
    assert pauses[-1] == RARELY_S
    rounds.due(ORIGIN)
    rounds.keep(ORIGIN, Health("up", "up 1 ms"))
    clock.now += EVERY_S
    assert rounds.due(ORIGIN)


def test_the_pause_varies_within_half_a_minute_to_a_minute() -> None:
    clock = Clock()
    rounds = Rounds(clock)
    seen = set()
    for _ in range(50):
        rounds.again(ORIGIN)
        rounds.due(ORIGIN)
        rounds.keep(ORIGIN, Health("up", "up 1 ms"))
        seen.add(next(wait for wait in range(120) if _due_after(rounds, clock, wait)))
    assert len(seen) > 3
    assert min(seen) >= 30
    assert max(seen) <= 60


def _due_after(rounds: Rounds, clock: Clock, wait: int) -> bool:
    before, clock.now = clock.now, clock.now + wait
    due = rounds.due(ORIGIN)
    clock.now = before
    return due
