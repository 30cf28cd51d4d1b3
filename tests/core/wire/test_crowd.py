from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

import pytest

from core.errors import EndpointProblem
from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.wire.bounds import Bounds
from core.wire.client import open_client
from core.wire.crowd import Crowd
from core.wire.network import Network
from tests.servers.scripted import (
    Behaviour,
    Chunk,
    Close,
    Drip,
    Flood,
    Hang,
    Reset,
    ScriptedProvider,
    Send,
    head,
    json_reply,
    raw,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.wire.client import Reply

KEY = Secret("sk-crowd-9f8e7d")
QUICK = Bounds(connect_s=2.0, first_byte_s=0.3, silence_s=0.3, total_s=1.0, body_bytes=4096)
ROUTE = ("POST", "/api/show")


async def ask(
    server: ScriptedProvider,
    bounds: Bounds = QUICK,
    body: bytes = b"{}",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    base = read_base_url(server.base_url)
    sent: dict[str, Secret | str] = {"x-team": Secret("t-1"), **(headers or {})}
    async with open_client(base, bounds, key=KEY, headers=sent) as client:
        return await Crowd(client, f"{server.origin}/api/show", "127.0.0.1", bounds).post(body)


async def test_a_question_goes_out_as_the_client_would_send_it() -> None:
    async with ScriptedProvider({ROUTE: json_reply(200, {"a": 1}, {"x-b": "c"})}) as server:
        reply = await ask(server, body=b'{"model":"m"}')
        (request,) = server.requests
    assert (reply.status, reply.body, reply.headers["x-b"]) == (200, b'{"a":1}', "c")
    assert request.bearer == KEY.reveal()
    assert request.headers["x-team"] == "t-1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.json() == {"model": "m"}


PACKED = gzip.compress(b"packed text")
WHOLE: dict[str, tuple[Behaviour, bytes]] = {
    "in chunks": (
        raw(
            Send(head(200, {"transfer-encoding": "chunked"})),
            Chunk(b"one "),
            Chunk(b"two"),
            Chunk(b""),
        ),
        b"one two",
    ),
    "until it closes": (raw(Send(head(200, {}) + b"to the end"), Close()), b"to the end"),
    "compressed": (
        raw(Send(head(200, {"content-encoding": "gzip", "content-length": str(len(PACKED))})),
            Send(PACKED)),
        b"packed text",
    ),
    "after a first word": (
        raw(Send(b"HTTP/1.1 103 Early Hints\r\n\r\n" + head(200, {"content-length": "2"}) + b"ok")),
        b"ok",
    ),
    "bit by bit": (raw(Drip(head(200, {"content-length": "2"}) + b"ok")), b"ok"),
}  # fmt: skip


@pytest.mark.parametrize("how", WHOLE)
async def test_a_reply_is_read_whole(how: str) -> None:
    behaviour, body = WHOLE[how]
    async with ScriptedProvider({ROUTE: behaviour}) as server:
        assert (await ask(server)).body == body


BOMB = gzip.compress(b"0" * 10_000_000)
BROKEN: dict[str, tuple[Behaviour, str]] = {
    "silence": (raw(Hang()), "timeout"),
    "silence in the head": (raw(Send(b"HTTP/1.1 200 OK\r\nx-a: "), Hang()), "timeout"),
    "silence in the body": (
        raw(Send(head(200, {"content-length": "9"}) + b"a"), Hang()),
        "timeout",
    ),
    "a drip without end": (
        raw(Send(head(200, {"content-length": "4000"})), Drip(b"a" * 4000, every=0.05)),
        "timeout",
    ),
    "a reset": (raw(Reset()), "connection_failed"),
    "no word": (raw(Close()), "connection_failed"),
    "a body cut short": (
        raw(Send(head(200, {"content-length": "9"}) + b"a"), Close()),
        "connection_failed",
    ),
    "no http": (raw(Send(b"220 mail.example ESMTP\r\n\r\n")), "bad_shape"),
    "a head without end": (raw(Send(b"HTTP/1.1 200 OK\r\n"), Flood(b"x-a: b\r\n")), "bad_shape"),
    "a body without end": (raw(Send(head(200, {})), Flood(b"a" * 1024)), "too_large"),
    "a bomb": (
        raw(Send(head(200, {"content-encoding": "gzip", "content-length": str(len(BOMB))}) + BOMB)),
        "too_large",
    ),
    "a body in crumbs": (
        raw(Send(head(200, {"transfer-encoding": "chunked"})), Flood(b"1\r\na\r\n")),
        "bad_shape",
    ),
    "early words without end": (raw(Flood(b"HTTP/1.1 100 Continue\r\n\r\n")), "bad_shape"),
    "an odd compression": (
        raw(Send(head(200, {"content-encoding": "br", "content-length": "1"}) + b"a")),
        "bad_shape",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_each_way_to_break_ends_in_its_bound(how: str) -> None:
    behaviour, code = BROKEN[how]
    async with ScriptedProvider({ROUTE: behaviour}) as server:
        with pytest.raises(EndpointProblem) as caught:
            await ask(server)
    assert caught.value.fault.code == code
    assert KEY.reveal() not in repr(caught.value.fault)


async def test_a_server_that_switches_protocols_is_left() -> None:
    switched = b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n\0"
    async with ScriptedProvider({ROUTE: raw(Send(switched), Hang())}) as server:
        with pytest.raises(EndpointProblem) as caught:
            await ask(server, headers={"Connection": "upgrade", "Upgrade": "x"})
    assert caught.value.fault.code == "bad_shape"


@pytest.mark.parametrize(
    "header", [{"X-A": " t-2"}, {"X A": "t-2"}, {"Transfer-Encoding": "gzip"}], ids=str
)
async def test_a_header_that_no_request_can_carry_is_named_and_not_shown(
    header: dict[str, str],
) -> None:
    async with ScriptedProvider({ROUTE: json_reply(200, {})}) as server:
        with pytest.raises(EndpointProblem) as caught:
            await ask(server, headers=header)
        assert server.requests == []
    assert caught.value.fault.code == "usage"
    assert "t-2" not in repr(caught.value.fault)
    assert caught.value.__cause__ is None


async def test_nobody_listens() -> None:
    async with ScriptedProvider({}) as server:
        base = read_base_url(server.base_url)
    async with open_client(base, QUICK, key=KEY) as client:
        with pytest.raises(EndpointProblem) as caught:
            await Crowd(client, f"{base.origin}/api/show", "127.0.0.1", QUICK).post(b"{}")
    assert caught.value.fault.code == "connection_failed"


async def test_who_hangs_up_leaves_no_connection() -> None:
    async with ScriptedProvider({ROUTE: raw(Hang())}) as server:
        asking = asyncio.create_task(ask(server))
        while not server.requests:
            await asyncio.wait({asking}, timeout=0.01)
        asking.cancel()
        await asyncio.wait({asking})
        assert asking.cancelled()


async def test_another_origin_gets_nothing() -> None:
    async with ScriptedProvider({}) as server, ScriptedProvider({}) as other:
        async with open_client(read_base_url(server.base_url), QUICK, key=KEY) as client:
            with pytest.raises(EndpointProblem) as caught:
                Crowd(client, f"{other.origin}/api/show", "127.0.0.1", QUICK)
        assert caught.value.fault.code == "redirected"
        assert other.connections == 0


@pytest.mark.parametrize(
    ("url", "proxies", "fits"),
    [
        ("http://192.168.1.5:11434/v1", {}, True),
        ("https://192.168.1.5:11434/v1", {}, False),
        ("http://192.168.1.5:11434/v1", {"http": "http://127.0.0.1:3128"}, False),
        ("http://127.0.0.1:11434/v1", {"http": "http://127.0.0.1:3128"}, True),
    ],
)
async def test_tls_and_proxies_are_the_clients_own(
    url: str, proxies: dict[str, str], *, fits: bool
) -> None:
    base = read_base_url(url)
    async with open_client(base, QUICK, key=KEY, network=Network(proxies=proxies)) as client:
        assert Crowd.fits(client, base.url) is fits
