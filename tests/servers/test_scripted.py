"""The scriptable provider does what it is told; other tests stand on it."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from tests.servers.scripted import (
    Behaviour,
    Chunk,
    Close,
    Drip,
    Flood,
    Gate,
    Hang,
    Pause,
    Recorded,
    Reset,
    ScriptedProvider,
    Send,
    Step,
    Wait,
    chat_reply,
    error_reply,
    good_server,
    head,
    in_turn,
    json_reply,
    models_reply,
    piece,
    raw,
    running,
    sse_reply,
    tool_reply,
)


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, timeout=5)


MODELS = ("GET", "/v1/models")
CHAT = ("POST", "/v1/chat/completions")


async def test_a_route_answers_and_the_request_is_recorded() -> None:
    async with (
        ScriptedProvider({MODELS: models_reply(["a", {"id": "b", "mode": "chat"}])}) as server,
        client() as http,
    ):
        answer = await http.get(server.base_url + "/models?x=1", headers={"X-Odd": "1"})
    assert [row["id"] for row in answer.json()["data"]] == ["a", "b"]
    (request,) = server.requests
    assert (request.method, request.path, request.query) == ("GET", "/v1/models", "x=1")
    assert request.headers["x-odd"] == "1"
    assert request.bearer is None


async def test_bodies_are_read_plain_and_chunked() -> None:
    async def pieces() -> object:
        yield b'{"a":'
        yield b"1}"

    async with ScriptedProvider({CHAT: json_reply(200, "ok")}) as server, client() as http:
        await http.post(server.base_url + "/chat/completions", json={"a": 1})
        await http.post(server.base_url + "/chat/completions", content=pieces())  # type: ignore[arg-type]
    assert [request.json() for request in server.requests] == [{"a": 1}, {"a": 1}]
    assert {request.connection for request in server.requests} == {1}


async def test_what_is_not_routed_is_not_found() -> None:
    async with ScriptedProvider({}) as server, client() as http:
        answer = await http.get(server.origin + "/nowhere")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_answers_in_turn_and_the_last_one_stays() -> None:
    route = in_turn(error_reply(429, "slow down"), json_reply(200, 1))
    async with ScriptedProvider({MODELS: route}) as server, client() as http:
        got = [(await http.get(server.base_url + "/models")).status_code for _ in range(3)]
    assert got == [429, 200, 200]


async def test_a_stream_waits_at_its_gate() -> None:
    gate = Gate()
    behaviour = sse_reply([piece("m", {"content": "a"}), Wait(gate), piece("m", {"content": "b"})])
    async with (
        ScriptedProvider({CHAT: behaviour}) as server,
        client() as http,
        http.stream("POST", server.base_url + "/chat/completions") as stream,
    ):
        lines = stream.aiter_lines()
        assert '"a"' in await anext(lines)
        assert not gate.opened
        gate.open()
        rest = [line async for line in lines]
    assert '"b"' in "".join(rest)
    assert rest[-2:] == ["data: [DONE]", ""]


async def test_a_hang_up_is_seen_and_counted() -> None:
    behaviour = sse_reply([piece("m", {"content": "a"}), Hang()])
    async with ScriptedProvider({CHAT: behaviour}) as server, client() as http:
        async with http.stream("POST", server.base_url + "/chat/completions") as stream:
            await anext(stream.aiter_lines())
        await server.until(lambda it: it.hang_ups == 1)


async def test_an_endless_body_ends_with_the_client() -> None:
    behaviour = raw(Send(head(200, {"content-type": "application/json"})), Flood(b"x" * 65536))
    async with ScriptedProvider({MODELS: behaviour}) as server, client() as http:
        async with http.stream("GET", server.base_url + "/models") as stream:
            taken = 0
            async for data in stream.aiter_raw():
                taken += len(data)
                if taken > 1_000_000:
                    break
        await server.until(lambda it: it.hang_ups == 1)


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([Reset()], httpx.ReadError),
        ([Close()], httpx.RemoteProtocolError),
        ([Send(b"SSH-2.0-OpenSSH\r\n\r\n"), Close()], httpx.RemoteProtocolError),
        ([Send(head(200, {"content-length": "9"}) + b"123"), Close()], httpx.RemoteProtocolError),
        (
            [Send(head(200, {"transfer-encoding": "chunked"})), Chunk(b"1"), Reset()],
            httpx.ReadError,
        ),
    ],
)
async def test_broken_answers_break_as_they_would(
    steps: list[Step], error: type[Exception]
) -> None:
    async with ScriptedProvider({MODELS: raw(*steps)}) as server, client() as http:
        with pytest.raises(error):
            await http.get(server.base_url + "/models")


@pytest.mark.parametrize("step", [Hang(), Reset(), Close(), Send(b"\x15\x03\x03\x00")])
async def test_a_connection_can_go_wrong_before_the_request(step: Step) -> None:
    async with (
        ScriptedProvider({}, on_connect=raw(step, Close())) as server,
        httpx.AsyncClient(trust_env=False, timeout=0.2) as http,
    ):
        with pytest.raises(httpx.TransportError):
            await http.get(server.base_url + "/models")
    assert server.requests == []


async def test_bytes_drip_one_by_one() -> None:
    answer = head(200, {"content-length": "2"}) + b"{}"
    async with ScriptedProvider({MODELS: raw(Drip(answer), Pause(0))}) as server, client() as http:
        assert (await http.get(server.base_url + "/models")).json() == {}


async def test_tool_calls_and_thinking_come_in_pieces() -> None:
    route = in_turn(
        tool_reply("m", "read", ['{"path":', '"a"}']),
        chat_reply("m", ["PO", "NG"], thinking=["hm"], usage={"completion_tokens": 3}),
    )
    async with ScriptedProvider({CHAT: route}) as server, client() as http:
        called = await http.post(server.base_url + "/chat/completions")
        answered = await http.post(server.base_url + "/chat/completions")
    deltas = [
        event["choices"][0]["delta"] for event in map(json.loads, _payloads(called.text)[:-1])
    ]
    arguments = [d["tool_calls"][0]["function"]["arguments"] for d in deltas if "tool_calls" in d]
    assert "".join(arguments) == '{"path":"a"}'
    assert '"reasoning_content":"hm"' in answered.text
    assert '"completion_tokens":3' in answered.text


async def test_the_good_server_is_a_small_litellm() -> None:
    async with good_server(["a"], key="sk-good") as server, client() as http:
        url = server.base_url + "/chat/completions"
        body = {"model": "a", "stream": True, "stream_options": {"include_usage": True}}
        right = {"authorization": "Bearer sk-good"}
        assert (await http.get(server.origin + "/health/liveliness")).json() == "I'm alive!"
        assert (await http.post(url, json=body)).status_code == 401
        wrong = await http.post(url, json=body, headers={"authorization": "Bearer no"})
        assert wrong.json()["error"]["message"] == "No connected db."
        unknown = await http.post(url, json={"model": "b"}, headers=right)
        assert "Invalid model name" in unknown.json()["error"]["message"]
        stream = await http.post(url, json=body, headers=right)
        plain = await http.post(url, json={"model": "a"}, headers=right)
        info = await http.get(server.origin + "/model/info", headers=right)
    assert '"usage"' in stream.text
    assert plain.json()["choices"][0]["message"]["content"] == "PONG"
    assert info.json()["data"][0]["model_name"] == "a"
    assert len(server.seen("POST", "/v1/chat/completions")) == 5


async def test_a_mistake_in_a_script_is_raised_when_the_server_stops() -> None:
    def wrong(request: Recorded) -> Behaviour:
        raise ValueError(request.path)

    server = ScriptedProvider({MODELS: wrong})
    await server.__aenter__()
    async with client() as http:
        with pytest.raises(httpx.TransportError):
            await http.get(server.base_url + "/models")
    with pytest.raises(ValueError, match="/v1/models"):
        await server.__aexit__(None, None, None)


def test_it_runs_in_a_thread_for_tests_that_are_not_async() -> None:
    gate = Gate()
    behaviour = sse_reply([Wait(gate), piece("m", {"content": "a"})])
    with running(ScriptedProvider({CHAT: behaviour})) as server:
        gate.open()
        answer = httpx.post(server.base_url + "/chat/completions", trust_env=False)
    assert '"a"' in answer.text
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.base_url + "/models", trust_env=False)


async def test_many_clients_at_once() -> None:
    async with good_server() as server, client() as http:
        headers = {"authorization": "Bearer sk-good"}
        answers = await asyncio.gather(
            *(http.get(server.base_url + "/models", headers=headers) for _ in range(20))
        )
    assert {answer.status_code for answer in answers} == {200}


def _payloads(text: str) -> list[str]:
    return [line[6:] for line in text.splitlines() if line.startswith("data: ")]
