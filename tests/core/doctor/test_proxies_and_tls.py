"""Behind a proxy, and behind TLS of every wrong kind: the rung that breaks, and whose fault."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final

import pytest

from core.discover.discover import discover
from core.doctor.causes import spoken
from core.doctor.examine import examine
from core.doctor.patient import Patient
from core.doctor.rungs import Report, report_text
from core.doctor.surroundings import Surroundings
from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.wire.bounds import Bounds
from core.wire.network import Network
from tests.servers.certificates import Pki, make_pki
from tests.servers.proxies import TunnelProxy
from tests.servers.scripted import (
    Behaviour,
    Close,
    Hang,
    Routes,
    ScriptedProvider,
    Send,
    chat_reply,
    good_server,
    models_reply,
    raw,
    text_reply,
)

if TYPE_CHECKING:
    from pathlib import Path

KEY: Final = "sk-canary-doctor-0452"
QUICK: Final = Bounds(connect_s=2.0, first_byte_s=0.5, silence_s=1.0)
AWAY: Final = "https://gw.acme.lan/v1"
PLAIN_AWAY: Final = "http://gw.acme.lan:4000/v1"


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return make_pki(tmp_path)


async def seen(url: str, network: Network, bounds: Bounds = QUICK) -> Report:
    return await examine(
        Patient(url, key=Secret(KEY)), Surroundings(network=network), bounds=bounds
    )


def behind(proxy: str) -> Network:
    return Network(proxies={"http": proxy, "https": proxy})


def evidence(report: Report) -> dict[str, str]:
    return {rung.name: rung.evidence for rung in report.rungs}


def broken(report: Report) -> tuple[str, str]:
    assert report.error is not None
    assert report.failed is not None
    assert "hunter2" not in report_text(report, "test")
    return report.failed.name, report.error.what


# ---------------------------------------------------------------------------- proxies


@pytest.mark.parametrize(
    ("refusal", "words", "fix"),
    [
        ("403 Forbidden", "refuses to connect to gw.acme.lan:443.", "to allow that host and port"),
        ("407 Proxy Authentication Required", "wants a login of its own.", "HTTPS_PROXY"),
        ("502 Bad Gateway", "cannot reach gw.acme.lan:443.", "NO_PROXY=gw.acme.lan"),
        ("504 Gateway Timeout", "cannot reach gw.acme.lan:443.", "NO_PROXY=gw.acme.lan"),
        ("500 Nobody Knows", "refuses to connect to gw.acme.lan:443.", "NO_PROXY=gw.acme.lan"),
    ],
)
async def test_a_tunnel_that_is_refused_breaks_tcp_and_names_the_proxy(
    refusal: str, words: str, fix: str
) -> None:
    async with TunnelProxy(1, refuse=refusal) as proxy:
        report = await seen(AWAY, behind(proxy.url))
        own = f"http://127.0.0.1:{proxy.own_port}"
    assert broken(report) == ("tcp", f"The proxy {own} {words}")
    assert report.error is not None
    assert fix in report.error.fix
    assert refusal in report.error.why
    assert evidence(report)["name"] == f"left to the proxy {own}, which is at 127.0.0.1"


async def test_a_proxy_that_never_answers_is_not_the_server() -> None:
    async with ScriptedProvider({}, on_connect=raw(Hang())) as silent:
        report = await seen(AWAY, behind(silent.origin))
        what = f"The proxy {silent.origin} opened no way to gw.acme.lan:443 within 0.5 s."
        assert broken(report) == ("tcp", what)
        report = await seen(PLAIN_AWAY, behind(silent.origin))
        assert broken(report)[0] == "http"
        assert report.error is not None
        assert f"by way of the proxy {silent.origin}" in report.error.why


@pytest.mark.parametrize(
    "proxy",
    [
        "gopher://me:hunter2@x:1",
        "http://me:hunter2@x:99999",
        "socks4://x:1",
        "http://",
        "http://:1",
    ],
)
async def test_a_proxy_variable_that_cannot_be_meant_is_named(proxy: str) -> None:
    report = await seen(AWAY, behind(proxy))
    rung, what = broken(report)
    assert rung == "tcp"
    assert what.startswith("HTTPS_PROXY or ALL_PROXY names a proxy that cannot be used: ")
    assert evidence(report)["name"].startswith("left to the proxy")


async def test_the_name_of_a_proxy_that_is_not_known_is_the_proxys() -> None:
    report = await seen(AWAY, behind("http://proxy.acme.invalid:3128"))
    what = "The name of the proxy http://proxy.acme.invalid:3128 does not resolve."
    assert broken(report) == ("name", what)


async def test_what_was_measured_at_a_proxy_is_told_as_the_proxys(pki: Pki) -> None:
    server = good_server(["m"], KEY)
    server.tls = pki.named("gw.acme.lan")
    async with server, TunnelProxy(server.port) as proxy:
        network = Network(proxies={"https": proxy.url}, ca_file=pki.ca_file)
        report = await seen(AWAY, network)
        own = f"http://127.0.0.1:{proxy.own_port}"
    assert report.error is None
    told = evidence(report)
    assert told["name"] == f"left to the proxy {own}, which is at 127.0.0.1"
    assert told["tcp"] == f"the proxy {own} opened a way to gw.acme.lan:443"
    assert told["tls"].startswith("TLS")


async def test_a_forward_proxy_is_all_that_is_known_to_be_open() -> None:
    async with ScriptedProvider({}, default=text_reply(403, "")) as proxy:
        report = await seen(PLAIN_AWAY, behind(proxy.origin))
    told = evidence(report)["tcp"]
    assert told == f"the proxy {proxy.origin} takes connections; gw.acme.lan:4000 is its to reach"
    rung, what = broken(report)
    assert rung == "http"
    assert what.startswith(f"The proxy {proxy.origin} took the request")


async def test_a_page_that_came_by_way_of_a_proxy_is_told_as_such() -> None:
    page = text_reply(200, "<html><title>Blocked</title></html>", "text/html")
    async with ScriptedProvider({}, default=page) as proxy:
        report = await seen(PLAIN_AWAY, behind(proxy.origin))
        listed = await discover(PLAIN_AWAY, Secret(KEY), network=behind(proxy.origin))
    rung, what = broken(report)
    assert rung == "server"
    assert what.startswith(f"A web page came by way of the proxy {proxy.origin}")
    assert report.error is not None
    assert listed.error == report.error
    assert "NO_PROXY" in report.error.fix


@pytest.mark.parametrize("status", [200, 403, 502, 503, 504])
async def test_a_proxys_page_in_place_of_the_list_names_the_proxy(status: int) -> None:
    page = text_reply(status, "<html><title>Blocked</title></html>", "text/html")
    async with ScriptedProvider({}, default=page) as proxy:
        listed = await discover(PLAIN_AWAY, Secret(KEY), network=behind(proxy.origin))
    assert listed.error is not None
    assert f"the proxy {proxy.origin}" in listed.error.what
    assert "Blocked" in listed.error.why


@pytest.mark.parametrize(("typed", "error"), [(True, None), (False, "path_wrong")])
async def test_a_front_page_is_no_verdict_where_the_list_is_at_a_path_beside_it(
    typed: bool, error: str | None
) -> None:
    page = text_reply(200, "<!doctype html><title>Open WebUI</title>", "text/html")
    routes: Routes = {
        ("GET", "/api/v1/models"): models_reply(["m"]),
        ("POST", "/api/v1/chat/completions"): chat_reply("m"),
    }
    async with ScriptedProvider(routes, default=page) as server:
        url = server.origin if typed else read_base_url(f"{server.origin}/v1")
        report = await examine(Patient(url), Surroundings(), bounds=QUICK)
    assert (report.error and report.error.code) == error
    assert any("/api/v1" in rung.evidence for rung in report.rungs) or error
    if report.error is not None:
        assert report.error.fix.endswith("/api/v1.")


async def test_silence_behind_a_tunnel_breaks_tls() -> None:
    async with (
        ScriptedProvider({}, on_connect=raw(Hang())) as silent,
        TunnelProxy(silent.port) as proxy,
    ):
        report = await seen(AWAY, behind(proxy.url), Bounds(connect_s=0.5))
    rung, what = broken(report)
    assert rung == "tls"
    assert "gw.acme.lan:443 took the connection and was silent in the TLS handshake" in what


async def test_a_certificate_behind_a_proxy_may_be_the_proxys(pki: Pki) -> None:
    server = good_server(["m"], KEY)
    server.tls = pki.unknown_signer()
    async with server, TunnelProxy(server.port) as proxy:
        report = await seen(AWAY, behind(proxy.url))
    assert broken(report)[0] == "tls"
    assert report.error is not None
    assert "A proxy that looks into TLS" in report.error.why
    assert "NODE_EXTRA_CA_CERTS" in report.error.fix


@pytest.mark.parametrize(
    ("scheme", "behaviour"),
    [
        ("http", raw(Send(b"SSH-2.0-x\r\n"), Close())),
        ("socks5", raw(Hang())),
        ("https", raw(Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Close())),
    ],
)
async def test_what_is_no_proxy_is_told_as_the_proxy_and_in_time(
    scheme: str, behaviour: Behaviour
) -> None:
    async with asyncio.timeout(8), ScriptedProvider({}, on_connect=behaviour) as other:
        proxy = f"{scheme}://127.0.0.1:{other.port}"
        report = await seen(AWAY, behind(proxy), Bounds(connect_s=1.0, first_byte_s=1.0))
    rung, what = broken(report)
    assert rung == "tcp"
    assert proxy in what


# ---------------------------------------------------------------------------- TLS


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2])
async def test_a_missing_client_certificate_breaks_tls_in_either_version(
    newest: ssl.TLSVersion, pki: Pki
) -> None:
    server = good_server(["m"], KEY)
    server.tls = pki.wants_client()
    server.tls.maximum_version = newest
    told: list[str] = []
    async with server:
        url = f"https://127.0.0.1:{server.port}/v1"
        report = await examine(
            Patient(url),
            Surroundings(network=Network(ca_file=pki.ca_file)),
            bounds=QUICK,
            on_rung=lambda rung: told.append(rung.name),
        )
        what = f"127.0.0.1:{server.port} wants a certificate from whoever connects."
        assert broken(report) == ("tls", what)
        assert told == ["url", "name", "tcp", "tls"]
        shown = Network(ca_file=pki.ca_file, client_cert=pki.client_file())
        assert (await seen(url, shown)).error is None


async def test_a_client_certificate_of_another_signer_is_not_accepted(pki: Pki) -> None:
    server = good_server(["m"], KEY)
    server.tls = pki.wants_client()
    mine = pki.folder / "mine.pem"
    pki.other.issue_cert("me").private_key_and_cert_chain_pem.write_to_path(str(mine))
    async with server:
        network = Network(ca_file=pki.ca_file, client_cert=str(mine))
        report = await seen(f"https://127.0.0.1:{server.port}/v1", network)
        what = f"127.0.0.1:{server.port} does not accept the certificate that turnkey shows."
    assert broken(report) == ("tls", what)


@pytest.mark.parametrize("kind", ["no_common_cipher", "old_protocol"])
async def test_a_handshake_that_cannot_be_agreed_on_breaks_tls(kind: str, pki: Pki) -> None:
    server = good_server(["m"], KEY)
    context = getattr(pki, kind)()
    assert isinstance(context, ssl.SSLContext)
    server.tls = context
    async with server:
        report = await seen(f"https://127.0.0.1:{server.port}/v1", Network(ca_file=pki.ca_file))
    rung, what = broken(report)
    assert rung == "tls"
    assert "hung up during the TLS handshake" in what or "in common" in what or "agree" in what


async def test_a_tls_alert_to_a_plain_request_says_https() -> None:
    alert = b"\x15\x03\x01\x00\x02\x02\x16"
    async with ScriptedProvider({}, on_connect=raw(Send(alert), Close())) as server:
        report = await seen(server.base_url, Network())
        what = f"127.0.0.1:{server.port} wants https, and http was asked."
        assert broken(report) == ("http", what)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (b"SSH-2.0-x\r\n", "an SSH server"),
        (b"220 mail\r\n", "a mail or FTP server"),
        (b"* OK ready\r\n", "an IMAP server"),
        (b"RFB 003.008\n", "a VNC server"),
        (b"-ERR unknown command\r\n", "a Redis server"),
        (b"J\x00\x00\x00\x0a8.0.35\x00", "a MySQL server"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03", "a server of HTTP/2 alone (gRPC)"),
        (b"\x99 hello", "another program"),
        (b"HTTP/1.1 200 OK\r\n", None),
        (b"", None),
    ],
)
def test_other_programs_are_known_by_what_they_say_first(words: bytes, name: str | None) -> None:
    assert spoken(words) == name
