from __future__ import annotations

import gzip
import time
import zlib
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from core import __version__
from core.errors import EndpointProblem, KeyProblem, TurnkeyError
from core.keys.secret import MASK, Secret
from core.providers.base_url import BaseUrl, read_base_url
from core.wire.bounds import Bounds, brief
from core.wire.client import ConnectTimer, get, open_client, post
from core.wire.network import Network
from tests.servers.scripted import (
    Behaviour,
    Close,
    Drip,
    Flood,
    Hang,
    Reset,
    ScriptedProvider,
    Send,
    head,
    json_reply,
    models_reply,
    raw,
    reply,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = Secret("sk-only-for-one-origin")
QUICK = Bounds(connect_s=2.0, first_byte_s=0.3, silence_s=0.3, total_s=1.0, body_bytes=100_000)
LIST = ("GET", "/v1/models")


async def fetch(
    behaviour: Behaviour,
    *,
    bounds: Bounds = QUICK,
    key: Secret | None = KEY,
    headers: Mapping[str, Secret | str] | None = None,
) -> tuple[ScriptedProvider, bytes]:
    async with ScriptedProvider({LIST: behaviour}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, bounds, key=key, headers=headers) as client:
            answer = await get(client, f"{base.url}/models", bounds)
    return server, answer.body


async def test_a_request_carries_key_name_and_no_wish_for_compression() -> None:
    server, body = await fetch(models_reply(["m"]), headers={"X-Team": Secret("blue")})
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {KEY.reveal()}"
    assert request.headers["x-team"] == "blue"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["user-agent"] == f"turnkey/{__version__}"
    assert b'"m"' in body


async def test_a_header_named_authorization_takes_the_keys_place() -> None:
    server, _ = await fetch(models_reply([]), headers={"Authorization": Secret("Basic abc")})
    assert server.requests[0].headers["authorization"] == "Basic abc"


async def test_without_a_key_there_is_no_authorization() -> None:
    server, _ = await fetch(models_reply([]), key=None)
    assert "authorization" not in server.requests[0].headers


async def test_post_sends_json() -> None:
    route = {("POST", "/v1/chat/completions"): json_reply(200, {})}
    async with ScriptedProvider(route) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, QUICK, key=None) as client:
            answer = await post(client, f"{base.url}/chat/completions", b'{"a":1}', QUICK)
    assert answer.status == 200
    assert server.requests[0].json() == {"a": 1}
    assert server.requests[0].headers["content-type"] == "application/json"


async def test_no_request_leaves_for_another_origin() -> None:
    async with ScriptedProvider({}) as other, ScriptedProvider({}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, QUICK, key=KEY) as client:
            for url in (
                f"{other.base_url}/models",
                f"http://localhost:{server.port}/v1/models",
                f"https://127.0.0.1:{server.port}/v1/models",
            ):
                with pytest.raises(EndpointProblem) as caught:
                    await get(client, url, QUICK)
                assert caught.value.fault.code == "redirected"
    assert other.requests == []
    assert server.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_reply_and_is_not_followed(status: int) -> None:
    async with ScriptedProvider({}) as other:
        location = {"location": f"{other.base_url}/models"}
        route = {LIST: json_reply(status, {}, location)}
        async with ScriptedProvider(route) as server:
            base = read_base_url(server.base_url)
            async with open_client(base, QUICK, key=KEY) as client:
                answer = await get(client, f"{base.url}/models", QUICK)
    assert answer.status == status
    assert other.connections == 0


async def test_connections_are_used_again() -> None:
    async with ScriptedProvider({LIST: models_reply(["m"])}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, QUICK, key=None) as client:
            for _ in range(3):
                await get(client, f"{base.url}/models", QUICK)
    assert server.connections == 1


async def test_this_machine_is_never_proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    _, body = await fetch(models_reply(["m"]))
    assert b'"m"' in body


async def test_another_host_goes_through_the_environments_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = "http://models.example:4000/v1/models"
    routes = {("GET", url): models_reply(["m"]), ("GET", "/v1/models"): models_reply(["m"])}
    async with ScriptedProvider(routes) as proxy:
        monkeypatch.setenv("http_proxy", proxy.origin)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        base = read_base_url("http://models.example:4000/v1")
        async with open_client(base, QUICK, key=None) as client:
            answer = await get(client, f"{base.url}/models", QUICK)
    assert answer.status == 200
    assert len(proxy.requests) == 1


async def test_an_unusable_proxy_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "gopher://127.0.0.1:9")
    base = read_base_url("http://models.example:4000/v1")
    with pytest.raises(EndpointProblem) as caught:
        open_client(base, QUICK, key=None)
    assert "proxy" in caught.value.fault.what.lower()


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
@pytest.mark.parametrize("wanted", ["http", "https"])
async def test_a_proxy_that_is_not_there_is_named_and_not_the_server(
    scheme: str, wanted: str
) -> None:
    async with ScriptedProvider({}) as gone:
        port = gone.port
    proxy = f"{scheme}://user:pa55@127.0.0.1:{port}"
    base = read_base_url(f"{wanted}://models.example:4000/v1")
    async with open_client(
        base, QUICK, key=None, network=Network(proxies={"all": proxy})
    ) as client:
        with pytest.raises(EndpointProblem) as caught:
            await get(client, f"{base.url}/models", QUICK)
    what = f"The proxy {scheme}://127.0.0.1:{port} lets no connection through."
    assert (caught.value.fault.code, caught.value.fault.what) == ("connection_refused", what)
    assert "pa55" not in repr(caught.value.fault)


def test_a_list_of_certificates_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{tmp_path}/none.pem")
    with pytest.raises(EndpointProblem) as caught:
        open_client(read_base_url("https://models.example/v1"), QUICK, key=None)
    assert caught.value.fault.code == "tls"
    assert "none.pem" in caught.value.fault.what


@pytest.mark.parametrize("value", ["sk-a\nb", "sk-\u201cquoted\u201d", "sk-a\x7f", "sk-é"])
def test_a_key_no_header_can_carry_is_told_before_any_request(value: str) -> None:
    base = read_base_url("http://127.0.0.1:9")
    for key, headers in ((Secret(value), {}), (None, {"X-Key": Secret(value)})):
        with pytest.raises(KeyProblem) as caught:
            open_client(base, QUICK, key=key, headers=headers)
        assert value not in repr(caught.value.fault)


def test_nothing_that_shows_a_client_shows_its_key() -> None:
    base = read_base_url("http://127.0.0.1:9")
    client = open_client(base, QUICK, key=KEY, headers={"X-Key": Secret("another-secret")})
    for text in (repr(client), repr(client.headers), repr(client.auth), str(vars(client.auth))):
        assert KEY.reveal() not in text
        assert "another-secret" not in text


OK_HEAD = head(200, {"content-type": "application/json", "transfer-encoding": "chunked"})
GZIP_HEAD = {"content-type": "application/json", "content-encoding": "gzip"}


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (raw(Hang()), "timeout"),
        (raw(Send(OK_HEAD), Hang()), "timeout"),
        (raw(Send(b"HTTP/1.1 200 OK\r\n"), Hang()), "timeout"),
        (raw(Drip(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 99, 0.05)), "timeout"),
        (raw(Send(head(200, {})), Drip(b"x" * 500, 0.05)), "timeout"),
        (raw(Reset()), "connection_failed"),
        (raw(Close()), "connection_failed"),
        (raw(Send(b"HTTP/1.1 200 OK\r\n"), Reset()), "connection_failed"),
        (raw(Send(OK_HEAD + b"5\r\nhel"), Close()), "stream_broken"),
        (raw(Send(head(200, {"content-length": "50"}) + b"short"), Close()), "stream_broken"),
        (raw(Send(OK_HEAD + b"zz\r\n")), "bad_shape"),
        (raw(Send(b"SSH-2.0-OpenSSH_9.6\r\n"), Close()), "connection_failed"),
        (raw(Send(b"\x15\x03\x03\x00\x02\x02\x16"), Close()), "bad_shape"),
        (raw(Send(head(200, {})), Flood(b"x" * 65_536)), "too_large"),
        (raw(Send(OK_HEAD), Flood(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")), "too_large"),
        (raw(Send(b"HTTP/1.1 200 OK\r\n"), Flood(b"a: " + b"x" * 60_000)), "bad_shape"),
        (reply(200, gzip.compress(b"0" * 50_000_000, 1), "", GZIP_HEAD), "too_large"),
        (reply(200, gzip.compress(b"0" * 9_000)[:-9], "", GZIP_HEAD), "stream_broken"),
        (reply(200, b"not gzip at all", "", GZIP_HEAD), "bad_shape"),
        (reply(200, b"x", "", {"content-encoding": "br"}), "bad_shape"),
    ],
)
async def test_a_hostile_server_ends_in_time_with_the_right_fault(
    behaviour: Behaviour, code: str
) -> None:
    started = time.perf_counter()
    with pytest.raises(TurnkeyError) as caught:
        await fetch(behaviour)
    assert caught.value.fault.code == code
    assert time.perf_counter() - started < 6
    assert KEY.reveal() not in repr(caught.value.fault)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b'{"data":[]}')),
        ("gzip", gzip.compress(b'{"data"') + gzip.compress(b":[]}") + b"\0\0"),
        ("deflate", zlib.compress(b'{"data":[]}')),
        ("identity", b'{"data":[]}'),
    ],
)
async def test_compression_that_nobody_asked_for_is_read_all_the_same(
    encoding: str, body: bytes
) -> None:
    _, read = await fetch(reply(200, body, "", {"content-encoding": encoding}))
    assert read == b'{"data":[]}'


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (raw(Drip(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 99, 0.05)), "did not finish within 0.6 s"),
        (raw(Send(head(200, {})), Drip(b"x" * 500, 0.05)), "did not finish within 0.6 s"),
        (raw(Hang()), "took the request and sent nothing for 0.3 s"),
    ],
)
async def test_silence_and_dripping_are_told_apart(behaviour: Behaviour, words: str) -> None:
    bounds = Bounds(connect_s=2.0, first_byte_s=0.3, silence_s=0.3, total_s=0.6)
    with pytest.raises(EndpointProblem) as caught:
        await fetch(behaviour, bounds=bounds)
    assert words in caught.value.fault.what


@pytest.mark.parametrize("size", [0, 100_000], ids=["short", "long"])
@pytest.mark.parametrize(
    ("status", "text"),
    [(403, '{"error": {"message": "no %s"}}'), (200, "<html>%s</html>"), (200, '{"error": "%s"}')],
)
async def test_what_was_sent_is_masked_in_words_that_are_shown(
    status: int, text: str, size: int
) -> None:
    side = Secret("Bearer tt-canary-SIDE", "tt-canary-SIDE")
    said = text % f"{KEY.reveal()} tt-canary-SIDE {'x' * size}"
    roomy = msgspec.structs.replace(QUICK, body_bytes=1_000_000)
    behaviour = reply(status, said.encode(), "text/plain")
    _, body = await fetch(behaviour, bounds=roomy, headers={"X-Side": side})
    assert body.decode() == text % f"{MASK} {MASK} {'x' * size}"


async def test_a_list_comes_as_it_was_sent() -> None:
    _, body = await fetch(models_reply([KEY.reveal()]))
    assert KEY.reveal().encode() in body, "who shows it masks it"


async def test_a_closed_port_and_both_addresses_of_localhost() -> None:
    async with ScriptedProvider({LIST: models_reply(["m"])}) as server:
        port = server.port
        base = read_base_url(f"http://localhost:{port}")
        async with open_client(base, QUICK, key=None) as client:
            assert (await get(client, f"{base.url}/models", QUICK)).status == 200
    for closed in (f"http://127.0.0.1:{port}", f"http://localhost:{port}"):
        base = read_base_url(closed)
        async with open_client(base, QUICK, key=None) as client:
            with pytest.raises(EndpointProblem) as caught:
                await get(client, f"{base.url}/models", QUICK)
        assert caught.value.fault.code == "connection_refused"
        assert caught.value.exit_code == 4


async def test_the_set_up_of_a_connection_is_timed_apart() -> None:
    async with ScriptedProvider({LIST: models_reply(["m"])}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, QUICK, key=None) as client:
            first, second = ConnectTimer(), ConnectTimer()
            for timer in (first, second):
                await client.get(f"{base.url}/models", extensions={"trace": timer})
    assert first.connect_s is not None
    assert 0 < first.connect_s < 1
    assert first.tls_s is None
    assert second.connect_s is None


async def test_a_client_of_another_make_is_refused() -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(TypeError):
            await get(client, "http://127.0.0.1:9", QUICK)


def test_brief_bounds_are_never_longer_than_the_persons_own() -> None:
    assert brief(Bounds(total_s=1.0)).overall_s() == 1.0
    assert brief(Bounds()).overall_s() == 30.0
    assert brief(Bounds(first_byte_s=3.0)).first_byte_s == 3.0
    assert Bounds().overall_s() == 370.0
    assert isinstance(read_base_url("localhost:1"), BaseUrl)
