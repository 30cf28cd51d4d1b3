from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Literal

import pytest

from core.errors import EndpointProblem
from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.wire.bounds import Bounds
from core.wire.client import ConnectTimer, get, open_client
from core.wire.network import Network, network_from
from core.wire.tls import ssl_context
from tests.servers.certificates import Pki, make_pki
from tests.servers.http2 import Http2Server
from tests.servers.proxies import TunnelProxy
from tests.servers.scripted import ScriptedProvider, models_reply

if TYPE_CHECKING:
    from pathlib import Path

QUICK = Bounds(connect_s=2.0, first_byte_s=2.0, silence_s=2.0, total_s=5.0)
LIST = ("GET", "/v1/models")
PROXY = "http://proxy.example:3128"


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return make_pki(tmp_path)


# ------------------------------------------------------------------ proxies


@pytest.mark.parametrize(
    ("env", "url", "proxy"),
    [
        ({}, "http://models.example:4000", None),
        ({"http_proxy": PROXY}, "http://models.example:4000", PROXY),
        ({"HTTP_PROXY": PROXY}, "http://models.example:4000", PROXY),
        ({"HTTP_PROXY": PROXY}, "https://models.example", None),
        ({"HTTP_PROXY": PROXY, "http_proxy": "http://b:1"}, "http://m.example", "http://b:1"),
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "http://models.example", None),
        ({"HTTPS_PROXY": PROXY}, "https://models.example", PROXY),
        ({"ALL_PROXY": "socks5h://127.0.0.1:1080"}, "https://m.example", "socks5h://127.0.0.1:1080"),
        ({"HTTP_PROXY": "proxy.example:3128"}, "http://models.example", PROXY),
        ({"HTTP_PROXY": ""}, "http://models.example", None),
        # this machine, in every spelling
        ({"ALL_PROXY": PROXY}, "http://localhost:4000", None),
        ({"ALL_PROXY": PROXY}, "http://127.0.0.1:4000", None),
        ({"ALL_PROXY": PROXY}, "http://127.1.2.3:4000", None),
        ({"ALL_PROXY": PROXY}, "http://[::1]:4000", None),
        ({"ALL_PROXY": PROXY}, "http://llm.localhost:4000", None),
        ({"ALL_PROXY": PROXY}, "http://0.0.0.0:4000", None),
        # NO_PROXY
        ({"ALL_PROXY": PROXY, "NO_PROXY": "*"}, "http://models.example", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "models.example"}, "http://models.example", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "a.b, .example"}, "http://models.example", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "*.example"}, "http://models.example", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "example"}, "http://models.example", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "ls.example"}, "http://models.example", PROXY),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "models.example:4000"}, "http://models.example", PROXY),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "models.example:80"}, "http://models.example", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8"}, "http://10.2.3.4:4000", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8"}, "http://11.2.3.4:4000", PROXY),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "fd00::/8"}, "http://[fd00::5]:4000", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "[fd00::5]"}, "http://[fd00::5]:4000", None),
        ({"ALL_PROXY": PROXY, "no_proxy": "x", "NO_PROXY": "*"}, "http://models.example", PROXY),
    ],
)  # fmt: skip
def test_which_proxy_a_request_goes_through(
    env: dict[str, str], url: str, proxy: str | None
) -> None:
    assert network_from(env).proxy_for(read_base_url(url)) == proxy


async def test_a_proxys_password_is_shown_to_nobody() -> None:
    network = Network(proxies={"all": "gopher://me:hunter2@proxy.example:1"})
    with pytest.raises(EndpointProblem) as caught:
        open_client(read_base_url("http://m.example"), QUICK, key=None, network=network)
    assert "hunter2" not in repr(caught.value.fault)
    assert "proxy" in caught.value.fault.what


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_tunnel_carries_the_key_and_the_proxy_does_not_see_it(
    kind: Literal["http", "socks5"], tmp_path: Path
) -> None:
    pki = make_pki(tmp_path)
    tls = pki.named("models.example")
    async with (
        ScriptedProvider({LIST: models_reply(["m"])}, tls=tls) as server,
        TunnelProxy(server.port, kind) as proxy,
    ):
        base = read_base_url("https://models.example/v1")
        network = Network(proxies={"https": proxy.url}, ca_file=pki.ca_file)
        async with open_client(base, QUICK, key=Secret("sk-x"), network=network) as client:
            for _ in range(2):
                answer = await get(client, f"{base.url}/models", QUICK)
                assert answer.status == 200
    assert proxy.asked == ["models.example:443"]
    assert server.requests[0].bearer == "sk-x"
    assert b"sk-x" not in proxy.heard
    assert "proxy-authorization" not in server.requests[0].headers


@pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required"])
async def test_a_proxy_that_lets_nothing_through_is_named(status: str) -> None:
    async with TunnelProxy(1, refuse=status) as proxy:
        base = read_base_url("https://models.example/v1")
        network = Network(proxies={"all": proxy.url})
        async with open_client(base, QUICK, key=Secret("sk-x"), network=network) as client:
            with pytest.raises(EndpointProblem) as caught:
                await get(client, f"{base.url}/models", QUICK)
    assert caught.value.fault.code == "connection_failed"
    assert "proxy" in caught.value.fault.what
    assert status[:3] in caught.value.fault.why
    assert "hunter2" not in repr(caught.value.fault)


# ------------------------------------------------------------------ certificates


async def fetch(tls: object, network: Network) -> tuple[int, ConnectTimer]:
    assert tls is None or hasattr(tls, "wrap_bio")
    async with ScriptedProvider({LIST: models_reply(["m"])}, tls=tls) as server:  # type: ignore[arg-type]
        base = read_base_url(server.base_url)
        timer = ConnectTimer()
        async with open_client(base, QUICK, key=Secret("sk-x"), network=network) as client:
            answer = await get(client, f"{base.url}/models", QUICK, timer=timer)
    return answer.status, timer


async def test_a_ca_file_is_trusted_beside_the_systems(pki: Pki) -> None:
    status, timer = await fetch(pki.good(), Network(ca_file=pki.ca_file))
    assert status == 200
    assert timer.tls == "TLSv1.3"
    assert timer.tls_s is not None
    assert timer.tls_s > 0


async def test_ssl_cert_file_is_trusted(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", pki.ca_file)
    status, _ = await fetch(pki.good(), network_from({"SSL_CERT_FILE": pki.ca_file}))
    assert status == 200


async def test_a_client_certificate_is_shown(pki: Pki) -> None:
    network = network_from(
        {"TURNKEY_CA_FILE": pki.ca_file, "TURNKEY_CLIENT_CERT": pki.client_file()}
    )
    status, _ = await fetch(pki.wants_client(), network)
    assert status == 200
    with pytest.raises(EndpointProblem) as caught:
        await fetch(pki.wants_client(), Network(ca_file=pki.ca_file))
    assert caught.value.fault.code in {"tls", "connection_failed"}


def test_files_that_cannot_be_used_are_named(pki: Pki) -> None:
    folder = pki.folder
    text = folder / "text.pem"
    text.write_text("no certificate")
    gone = str(folder / "gone.pem")
    for network in (
        Network(ca_file=gone),
        Network(ca_file=str(text)),
        Network(ca_file=str(folder)),
        Network(client_cert=gone),
        Network(client_cert=str(text)),
        Network(client_cert=pki.locked_key_file()),
        Network(client_cert=pki.client_file(), client_key=gone),
        Network(store_file=gone),
    ):
        with pytest.raises(EndpointProblem) as caught:
            ssl_context(network)
        assert caught.value.fault.code == "tls"
        assert str(folder) in caught.value.fault.what
        assert caught.value.fault.why
    with pytest.raises(EndpointProblem, match="client certificate"):
        ssl_context(Network(client_cert=pki.locked_key_file()))


def test_what_the_command_line_says_wins_over_the_environment() -> None:
    network = network_from({"TURNKEY_CA_FILE": "a", "TURNKEY_CLIENT_CERT": "b",
                            "TURNKEY_CLIENT_KEY": "c"})  # fmt: skip
    assert network.with_files(None, None) == network
    given = network.with_files("x", "y")
    assert (given.ca_file, given.client_cert, given.client_key) == ("x", "y", None)


# ------------------------------------------------------------------ HTTP/2


async def test_http2_is_spoken_where_it_is_offered_on_one_connection(pki: Pki) -> None:
    async with Http2Server(pki.good(h2=True), b'{"data":[]}') as server:
        base = read_base_url(server.base_url)
        network = Network(ca_file=pki.ca_file)
        async with open_client(base, QUICK, key=Secret("sk-x"), network=network) as client:
            answers = await asyncio.gather(
                *(get(client, f"{base.url}/models", QUICK) for _ in range(8))
            )
            response = await client.get(f"{base.url}/models")
    assert {answer.status for answer in answers} == {200}
    assert response.http_version == "HTTP/2"
    assert server.connections == 1
    assert server.keys == ["Bearer sk-x"] * 9


@pytest.mark.parametrize(("refuse", "frame"), [("goaway", "GOAWAY"), ("reset", "RST_STREAM")])
async def test_http2_that_is_ended_says_with_which_frame(
    refuse: Literal["goaway", "reset"], frame: str, pki: Pki
) -> None:
    async with Http2Server(pki.good(h2=True), b"", refuse=refuse) as server:
        base = read_base_url(server.base_url)
        network = Network(ca_file=pki.ca_file)
        async with open_client(base, QUICK, key=None, network=network) as client:
            with pytest.raises(EndpointProblem) as caught:
                await get(client, f"{base.url}/models", QUICK)
    assert caught.value.fault.code == "connection_failed"
    assert "ended the HTTP/2 connection" in caught.value.fault.what
    assert f"{frame} with ENHANCE_YOUR_CALM" in caught.value.fault.why


# ------------------------------------------------------------------ the stages of a connection


async def test_the_stages_of_a_connection_are_told_apart() -> None:
    async with ScriptedProvider({LIST: models_reply(["m"])}) as server:
        for host, named in (("127.0.0.1", False), ("localhost", True)):
            base = read_base_url(f"http://{host}:{server.port}")
            timer, again = ConnectTimer(), ConnectTimer()
            async with open_client(base, QUICK, key=None) as client:
                await get(client, f"{base.url}/models", QUICK, timer=timer)
                await get(client, f"{base.url}/models", QUICK, timer=again)
            assert (timer.name_s is not None) is named
            assert timer.tcp_s is not None
            assert timer.tls_s is None
            assert timer.first_byte_s is not None
            assert timer.address == "127.0.0.1"
            assert timer.connect_s == (timer.name_s or 0.0) + timer.tcp_s
            assert again.connect_s is None
            assert again.first_byte_s is not None


async def test_a_port_that_is_closed_still_tells_about_the_name() -> None:
    async with ScriptedProvider({}) as server:
        port = server.port
    base = read_base_url(f"http://localhost:{port}")
    timer = ConnectTimer()
    async with open_client(base, QUICK, key=None) as client:
        with pytest.raises(EndpointProblem):
            await get(client, f"{base.url}/models", QUICK, timer=timer)
    assert timer.name_s is not None
    assert timer.tcp_s is None


@pytest.mark.parametrize("seconds", [None, 0.2])
async def test_a_name_that_does_not_resolve_or_hangs_is_told_in_time(
    seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    release = threading.Event()

    def lookup(*_: object, **__: object) -> list[object]:
        if seconds is not None:
            release.wait(20)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    base = read_base_url("http://models.example:4000")
    bounds = Bounds(connect_s=0.2, first_byte_s=1.0, silence_s=1.0)
    timer = ConnectTimer()
    async with open_client(base, bounds, key=None, network=Network()) as client:
        with pytest.raises(EndpointProblem) as caught:
            await get(client, f"{base.url}/models", bounds, timer=timer)
    release.set()
    assert caught.value.fault.code == "name_unresolved"
    assert timer.name_s is not None


async def test_the_next_address_is_tried_beside_a_dead_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ScriptedProvider({LIST: models_reply(["m"])}) as server:

        def lookup(*_: object, **__: object) -> list[object]:
            stream = socket.SOCK_STREAM
            return [
                (socket.AF_INET6, stream, 6, "", ("::1", server.port, 0, 0)),
                (socket.AF_INET, stream, 6, "", ("127.0.0.1", server.port)),
            ]

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        base = read_base_url(f"http://localhost:{server.port}")
        timer = ConnectTimer()
        async with open_client(base, QUICK, key=None) as client:
            answer = await get(client, f"{base.url}/models", QUICK, timer=timer)
    assert answer.status == 200
    assert timer.address == "127.0.0.1"
