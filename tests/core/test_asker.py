from __future__ import annotations

from core.asker import NetworkAsker
from core.keys.secret import Secret
from core.live.events import Ended, Event, Started
from core.providers.base_url import read_base_url
from core.target import Target
from tests.servers.scripted import good_server

KEY = Secret("sk-good")


async def test_an_endpoint_is_asked_for_its_models() -> None:
    async with good_server(["a", "b"]) as server:
        found = await NetworkAsker().discover(server.origin, KEY, {"X-Team": "review"})
    assert [model.id for model in found.models] == ["a", "b"]
    assert found.error is None
    listed = server.seen("GET", "/v1/models")
    assert [request.headers["x-team"] for request in listed] == ["review"]


async def test_a_model_is_asked_once_and_every_event_is_seen() -> None:
    seen: list[Event] = []
    async with good_server(["a"]) as server:
        target = Target(
            read_base_url(server.base_url), "a", KEY, None, headers={"X-Team": Secret("review")}
        )
        run = await NetworkAsker().ping(target, "Reply with exactly one word: PONG", seen.append)
    assert run.works is True
    assert isinstance(seen[0], Started)
    assert isinstance(seen[-1], Ended)
    (sent,) = server.seen("POST", "/v1/chat/completions")
    assert sent.bearer == "sk-good"
    assert sent.headers["x-team"] == "review"


async def test_what_fails_is_in_the_answer() -> None:
    async with good_server(["a"]) as server:
        base = read_base_url(server.base_url)
        run = await NetworkAsker().ping(Target(base, "b", KEY, None), "x", lambda _: None)
        found = await NetworkAsker().discover(base, Secret("sk-bad"), {})
    assert run.error is not None
    assert run.error.code == "model_unknown"
    assert found.error is not None
    assert found.error.code == "key_refused"
