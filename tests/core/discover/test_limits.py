"""What a look at an endpoint costs at most, and what it says when something is missing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from core.discover.asking import Asker
from core.discover.dialect import Ask
from core.discover.discover import discover
from core.discover.ollama import MOST_SHOWN
from core.providers.base_url import read_base_url
from core.wire.bounds import Bounds, whole_s
from core.wire.client import open_client
from tests.core.discover import replay
from tests.core.discover.replay import KEY, look
from tests.servers.scripted import (
    Behaviour,
    Drip,
    Hang,
    Recorded,
    Reset,
    ScriptedProvider,
    Send,
    json_reply,
    models_reply,
    raw,
    text_reply,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.servers.scripted import Route

SHORT = Bounds(connect_s=1.0, first_byte_s=1.0, silence_s=1.0, total_s=1.0)
DRIPPING = Behaviour(
    (
        Send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n"),
        Drip(b" " * 900, 0.05),
    )
)


def many(count: int) -> replay.Routes:
    rows = [{"id": f"m{number}", "owned_by": "library"} for number in range(count)]
    return {**replay.ollama(), ("GET", "/v1/models"): models_reply(rows)}


LONG = json_reply(200, {"capabilities": ["completion"], "license": "x" * (2 << 20)})


@pytest.mark.parametrize("silent", [raw(Hang()), DRIPPING, text_reply(500, "no"), LONG])
async def test_models_are_listed_though_nothing_more_is_told_of_them(silent: Behaviour) -> None:
    routes = {**many(20), ("POST", "/api/show"): silent}
    async with ScriptedProvider(routes) as server:
        found = await discover(server.base_url, KEY, bounds=SHORT)
    assert found.error is None
    assert len(found.models) == 20
    assert found.seconds < 2.5
    assert "20 of 20 questions about single models got no answer." in [
        one.what for one in found.warnings
    ]


@pytest.mark.parametrize(("each", "whole"), [(1.0, 3.0), (10.0, 30.0), (30.0, 40.0), (60.0, 60.0)])
def test_the_steps_of_a_look_share_one_deadline(each: float, whole: float) -> None:
    assert whole_s(Bounds(total_s=each)) == whole


async def test_what_comes_after_the_deadline_is_not_waited_for() -> None:
    async with ScriptedProvider({}, default=raw(Hang())) as server:
        base = read_base_url(server.base_url)
        roomy = Bounds(connect_s=9.0, first_byte_s=9.0, silence_s=9.0, total_s=9.0)
        async with open_client(base, roomy, key=None) as client:
            asker = Asker(client, roomy, None)
            started = time.perf_counter()
            named, late = await asker.ask(server.origin, [Ask("/a"), Ask("/b")], 0.2)
            assert named == {}
            assert set(late) == {"/a", "/b"}
            assert time.perf_counter() - started < 3


async def test_facts_that_came_too_late_are_missed() -> None:
    routes = {**replay.litellm(), ("GET", "/model/info"): raw(Hang())}
    async with ScriptedProvider(routes) as server:
        found = await discover(server.base_url, KEY, bounds=SHORT)
    assert found.error is None
    assert found.models[0].facts["context_window"].value == 4096, "the group says it too"
    assert [one.what for one in found.warnings] == [
        "The server did not answer /model/info in time."
    ]


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (raw(Reset()), "connection_failed", "The answer to /model/info broke off or cannot be"),
        (text_reply(200, " " * 60_000), "too_large", "The answer to /model/info is too large"),
    ],
)
async def test_facts_that_were_lost_on_their_way_are_told(
    answer: Behaviour, code: str, said: str
) -> None:
    routes = {**replay.litellm(), ("GET", "/model/info"): answer}
    bounds = Bounds(total_s=5.0, body_bytes=50_000)
    async with ScriptedProvider(routes) as server:
        found = await discover(server.base_url, KEY, bounds=bounds)
    assert found.error is None
    assert found.models
    (warning,) = found.warnings
    assert (warning.code, warning.what.startswith(said)) == (code, True)


async def test_marks_that_drip_are_not_waited_for_once_the_list_is_there() -> None:
    routes: replay.Routes = {("GET", "/v1/models"): models_reply(["m"])}
    bounds = Bounds(connect_s=1.0, first_byte_s=20.0, silence_s=20.0, total_s=30.0)
    slow: replay.Routes = {("GET", path): DRIPPING for path in ("/", "/version", "/api/version")}
    async with ScriptedProvider({**routes, **slow}) as server:
        found = await discover(server.base_url, KEY, bounds=bounds)
    assert [model.id for model in found.models] == ["m"]
    assert found.seconds < 6


async def test_models_that_are_not_asked_about_are_counted() -> None:
    async with ScriptedProvider(many(MOST_SHOWN + 7)) as server:
        found = await look(server)
        assert len(server.seen("POST", "/api/show")) == MOST_SHOWN
    assert len(found.models) == MOST_SHOWN + 7
    assert any(one.what.startswith("7 of the models were not asked") for one in found.warnings)


@pytest.mark.parametrize(
    ("body", "ids", "why"),
    [
        (rb'{"data":[{"id":"a"},{"id":"b\ud800"}]}', ["a"], "One model was left out"),
        (b'\xef\xbb\xbf{"data":[{"id":"a"},{"id":"b"}]}', ["a", "b"], "What can be read"),
        (b'{"data":[{"id":"a","max_model_len":1e400},{"id":"b"}]}', ["a", "b"], "What can"),
        (b'{"data":[{"id":"a"},{"id":"\xff"},{"id":"\xfe\xfe"}]}', ["a"], "2 models were"),
    ],
)
async def test_one_bad_value_costs_one_model_and_is_told(
    body: bytes, ids: list[str], why: str
) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    sent = raw(Send(head.encode() + b"\r\n\r\n" + body))
    async with ScriptedProvider({("GET", "/v1/models"): sent}) as server:
        found = await look(server)
    assert found.error is None
    assert [model.id for model in found.models] == ids
    (warning,) = found.warnings
    assert warning.code == "bad_shape"
    assert warning.why.startswith(why)
    assert all("context_window" not in model.facts for model in found.models)


async def test_a_list_without_one_readable_id_is_no_list() -> None:
    body = rb'{"data":[{"id":"\ud800"}]}'
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    async with ScriptedProvider({("GET", "/v1/models"): raw(Send(head + body))}) as server:
        found = await look(server)
    assert found.error is not None
    assert found.error.code == "bad_shape"


def paged(pages: Mapping[str, tuple[list[str], str]]) -> Route:
    """As Anthropic's ``GET /v1/models`` pages: by the query, its ids and the last one."""

    def choose(request: Recorded) -> Behaviour:
        asked = parse_qs(request.query).get("after_id", [""])[0]
        if asked not in pages:
            return json_reply(400, {"type": "error", "error": {"message": "no such id"}})
        ids, last = pages[asked]
        rows = [{"type": "model", "id": name, "display_name": name.upper()} for name in ids]
        return json_reply(200, {"data": rows, "has_more": bool(last), "last_id": last or ids[-1]})

    return choose


@pytest.mark.parametrize(
    ("pages", "ids", "goes_on"),
    [
        ({"": (["a"], "")}, ["a"], False),
        ({"": (["a", "b"], "b"), "b": (["c"], "c"), "c": (["d"], "")}, ["a", "b", "c", "d"], False),
        ({"": (["a&b=c/é"], "a&b=c/é"), "a&b=c/é": (["z"], "")}, ["a&b=c/é", "z"], False),
        ({"": (["a"], "a")}, ["a"], True),
        ({"": (["a"], "a"), "a": (["a"], "a")}, ["a"], True),
        ({"": (["a"], "x" * 9000)}, ["a"], True),
    ],
)
async def test_a_list_in_pages_is_read_to_its_end(
    pages: Mapping[str, tuple[list[str], str]], ids: list[str], *, goes_on: bool
) -> None:
    async with ScriptedProvider({("GET", "/v1/models"): paged(pages)}) as server:
        found = await look(server)
    assert found.error is None
    assert found.endpoint.dialect == "anthropic"
    assert [model.id for model in found.models] == ids
    assert any("goes on after" in one.what for one in found.warnings) is goes_on


async def test_a_list_of_pages_without_end_is_given_up() -> None:
    def choose(request: Recorded) -> Behaviour:
        asked = parse_qs(request.query).get("after", ["0"])[0]
        row = {"id": str(int(asked) + 1)}
        return json_reply(200, {"data": [row], "has_more": True})

    async with ScriptedProvider({("GET", "/v1/models"): choose}) as server:
        found = await look(server)
    assert len(found.models) == 40
    assert any("goes on after the first 40." in one.what for one in found.warnings)


async def test_what_a_row_of_anthropics_list_supports_is_a_fact() -> None:
    row = {
        "type": "model",
        "id": "m-1",
        "display_name": "M 1",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
        "capabilities": {"image_input": {"supported": True}, "thinking": {"supported": False}},
    }
    async with ScriptedProvider(
        {("GET", "/v1/models"): json_reply(200, {"data": [row]})}
    ) as server:
        found = await look(server)
    (model,) = found.models
    told = {name: (fact.value, fact.source) for name, fact in model.facts.items()}
    assert told["context_window"] == (200_000, "server")
    assert told["max_output_tokens"] == (64_000, "server")
    assert told["image_input"] == (True, "server")
    assert told["reasoning"] == (False, "server")
