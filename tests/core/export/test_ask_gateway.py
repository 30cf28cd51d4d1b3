"""Both sides of a gateway: each asked with the header that its reader will send, and no other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest

from core.export.ask_gateway import SIDES, Asked, ask_gateway
from core.export.make import make_export
from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.target import Target
from core.warden.document import empty
from tests.core.export.setups import setup
from tests.servers.messages import messages_reply, start, stop, text
from tests.servers.scripted import chat_reply, error_reply, good_server, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.scripted import Behaviour, Recorded, ScriptedProvider

KEY: Final = "sk-canary-of-the-gateway"
MESSAGES: Final = ("POST", "/v1/messages")
CHAT: Final = ("POST", "/v1/chat/completions")


def message(words: str) -> Behaviour:
    return messages_reply(start("good-model"), text(0, words), stop())


def slot(request: Recorded) -> Behaviour:
    """``/v1/messages`` of a gateway that wants its key as X-Api-Key."""
    if request.headers.get("x-api-key") != KEY or "authorization" in request.headers:
        return error_reply(401, "no key")
    return message("PONG")


def ask(server: ScriptedProvider, **more: object) -> dict[str, Asked]:
    base = read_base_url(str(more.pop("url", server.base_url)), exact=True)
    headers = {"X-Team": "red", "Authorization": "Bearer other"}
    target = Target(base, "good-model", Secret(KEY), None, "litellm", headers)
    return {one.side: one for one in asyncio.run(ask_gateway(target))}


@pytest.mark.parametrize("path", ["/v1", ""])
def test_each_side_gets_the_key_in_its_own_header_and_nothing_else(path: str) -> None:
    server = good_server(key=KEY, extra={MESSAGES: slot, ("POST", "/chat/completions"): chat})
    with running(server):
        found = ask(server, url=server.base_url.removesuffix("/v1") + path)
        asked = {one.path: one.headers for one in server.requests}
    assert {side: one.works for side, one in found.items()} == {"chat": True, "messages": True}
    assert asked["/v1/messages"]["x-api-key"] == KEY
    assert asked["/v1/messages"]["anthropic-version"]
    assert "authorization" not in asked["/v1/messages"]
    chatted = asked[f"{path}/chat/completions"]
    assert chatted["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in chatted
    assert all("x-team" not in headers for headers in asked.values())


def chat(request: Recorded) -> Behaviour:
    del request
    return chat_reply("good-model")


@pytest.mark.parametrize(
    ("wrong", "side"),
    [
        ({MESSAGES: error_reply(404, f"no route {KEY}")}, "messages"),
        ({MESSAGES: message("Good morning.")}, "messages"),
        ({CHAT: error_reply(401, f"bad key {KEY}"), MESSAGES: slot}, "chat"),
    ],
)
def test_a_side_that_does_not_work_is_told_and_left_out(
    wrong: dict[tuple[str, str], object], side: str, tmp_path: Path
) -> None:
    server = good_server(key=KEY, extra=wrong)  # type: ignore[arg-type]
    with running(server):
        found = ask(server)
    broken = found[side]
    assert not broken.works
    assert broken.error is not None
    assert KEY not in f"{broken.error.what}{broken.error.why}{broken.error.fix}"
    assert found[next(one for one in SIDES if one != side)].works
    made = make_export(
        setup(), "gateway", document=empty(tmp_path / "x.toml"), asked=tuple(found.values())
    )
    missing = {"chat": "OPENAI_BASE_URL", "messages": "ANTHROPIC_BASE_URL"}
    assert missing[side] not in made.text
    assert missing["chat" if side == "messages" else "messages"] in made.text
