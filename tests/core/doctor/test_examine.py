"""Forty broken endpoints: the rung that breaks, its code, and one sentence of what is wrong."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest
import trustme

from core.doctor.examine import examine
from core.doctor.patient import Patient
from core.doctor.rungs import LADDER, Report, report_text
from core.doctor.surroundings import Surroundings
from core.errors import Fault
from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.wire.bounds import Bounds
from core.wire.network import Network
from tests.servers.scripted import (
    Behaviour,
    Close,
    Hang,
    Reset,
    Routes,
    ScriptedProvider,
    Send,
    chat_reply,
    error_reply,
    good_server,
    json_reply,
    models_reply,
    piece,
    raw,
    reply,
    sse_reply,
    text_reply,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

KEY: Final = "sk-canary-doctor-0451"
QUICK: Final = Bounds(connect_s=2.0, first_byte_s=1.0, silence_s=1.0)
PLAIN: Final = Surroundings()
MODELS: Final = ("GET", "/v1/models")
CHAT: Final = ("POST", "/v1/chat/completions")
LOGIN: Final = "<html><head><title>Sign in - Acme SSO</title></head><body>log in</body></html>"
NOT_TLS: Final = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"
BAD_GATEWAY: Final = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


# ---------------------------------------------------------------------------- what is broken

Maker: TypeAlias = "Callable[[], ScriptedProvider]"


def serving(extra: Routes | None = None, **changed: Behaviour) -> Maker:
    """A small LiteLLM that works but for ``extra``, and for ``models=`` and ``chat=``."""
    named = {"models": MODELS, "chat": CHAT}
    routes = {named[name]: behaviour for name, behaviour in changed.items()}
    return lambda: good_server(["good-model"], KEY, extra={**routes, **(extra or {})})


def llama_loading() -> ScriptedProvider:
    """llama-server while it reads its weights: every path is 503."""
    busy = json_reply(
        503,
        {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}},
        {"server": "llama.cpp"},
    )
    return ScriptedProvider({}, default=busy)


def only(behaviour: Behaviour) -> Maker:
    """Whatever is asked, this is the answer."""
    return lambda: ScriptedProvider({}, default=behaviour)


def certificate(*, host: str = "127.0.0.1", trusted: bool = False, expired: bool = False) -> Maker:
    """A TLS server with a certificate that is wrong in one way."""

    def make() -> ScriptedProvider:
        authority = trustme.CA(organization_name="Acme Internal CA")
        ended = dt.datetime(2021, 3, 1, tzinfo=dt.UTC) if expired else None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host, not_after=ended).configure_cert(context)
        server = good_server(["good-model"], KEY)
        server.tls = context
        if trusted:
            AUTHORITIES[id(server)] = authority
        return server

    return make


AUTHORITIES: Final[dict[int, trustme.CA]] = {}


@dataclass(frozen=True)
class Broken:
    """An endpoint that does not work, and what must be said of it. ``{at}``: its host and port."""

    server: Maker | None
    rung: str
    code: str
    what: str
    fix: str = ""
    url: str = "http://{at}/v1"
    key: str | None = KEY
    model: str | None = None
    exact: bool = False
    around: Surroundings = PLAIN
    proxied: bool = False
    key_fault: Fault | None = None
    trusted: bool = False
    seen: tuple[str, ...] = field(default=())
    bounds: Bounds = QUICK


BROKEN: Final[dict[str, Broken]] = {
    "not a url": Broken(
        None, "url", "usage", "«ftp://gw/v1» cannot be a base URL.", url="ftp://gw/v1"
    ),
    "no such name": Broken(
        None,
        "name",
        "name_unresolved",
        "The name gw.acme.invalid does not resolve.",
        "Check the spelling, the VPN and the DNS.",
        url="https://gw.acme.invalid/v1",
    ),
    "nothing listens": Broken(
        None, "tcp", "connection_refused", "Nothing answers at {at}.", "Start the server"
    ),
    "nothing listens, seen from a container": Broken(
        None,
        "tcp",
        "connection_refused",
        "Nothing answers at {at} inside this container.",
        "Use http://host.docker.internal:{port}",
        around=Surroundings(container=True),
    ),
    "nothing listens, seen from WSL": Broken(
        None,
        "tcp",
        "connection_refused",
        "Nothing answers at {at}.",
        "mirrored networking",
        around=Surroundings(wsl=True),
    ),
    "it listens on the other family": Broken(
        serving(),
        "tcp",
        "connection_refused",
        "Nothing answers at [::1]:{port}, but something does at 127.0.0.1:{port}.",
        "Use http://127.0.0.1:{port}/v1.",
        url="http://[::1]:{port}/v1",
    ),
    "a proxy that is not there": Broken(
        None,
        "tcp",
        "connection_refused",
        "The proxy http://{at} lets no connection through.",
        "Set NO_PROXY=gw.acme.lan",
        url="http://gw.acme.lan:4000/v1",
        proxied=True,
    ),
    "a proxy that answers itself": Broken(
        only(text_reply(503, BAD_GATEWAY, "text/html")),
        "http",
        "upstream",
        "The proxy http://{at} took the request and answered with a page of its own (503).",
        "Set NO_PROXY=localhost,127.0.0.1,::1,gw.acme.lan",
        url="http://gw.acme.lan:4000/v1",
        proxied=True,
    ),
    "a proxy that wants a login": Broken(
        only(text_reply(407, "Proxy Authentication Required")),
        "http",
        "connection_failed",
        "The proxy http://{at} wants a login of its own (407).",
        "Set NO_PROXY=gw.acme.lan",
        url="http://gw.acme.lan:4000/v1",
        proxied=True,
    ),
    "https of a plain port": Broken(
        lambda: ScriptedProvider({}, on_connect=raw(Send(NOT_TLS), Close())),
        "tls",
        "tls",
        "{at} does not speak TLS on that port.",
        "Use http://{at}/v1.",
        url="https://{at}/v1",
    ),
    "a CA that is not known": Broken(
        certificate(),
        "tls",
        "tls",
        "The certificate of {at} is signed by «Acme Internal CA», which is not trusted here.",
        "NODE_EXTRA_CA_CERTS",
        url="https://{at}/v1",
    ),
    "a certificate for another host": Broken(
        certificate(host="gw.acme.lan", trusted=True),
        "tls",
        "tls",
        "The certificate of {at} is not for that name.",
        "Use one of its names as the host: gw.acme.lan.",
        url="https://{at}/v1",
        trusted=True,
    ),
    "a certificate that has expired": Broken(
        certificate(expired=True, trusted=True),
        "tls",
        "tls",
        "The certificate of {at} expired on 2021-03-01.",
        "Have it renewed.",
        url="https://{at}/v1",
        trusted=True,
    ),
    "plain http on a TLS port": Broken(
        certificate(),
        "http",
        "tls",
        "{at} wants https, and http was asked.",
        "Use https://{at}/v1.",
    ),
    "plain http on nginx's TLS port": Broken(
        only(
            text_reply(
                400,
                "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title>",
                "text/html",
            )
        ),
        "http",
        "tls",
        "{at} wants https, and http was asked.",
        "Use https://{at}/v1.",
    ),
    "it hangs up": Broken(
        lambda: ScriptedProvider({}, on_connect=raw(Close())),
        "http",
        "connection_failed",
        "{at} closed the connection without an answer.",
    ),
    "it resets": Broken(
        only(raw(Reset())),
        "http",
        "connection_failed",
        "{at} closed the connection without an answer.",
    ),
    "it is silent": Broken(
        only(raw(Hang())),
        "http",
        "timeout",
        "{at} took the request and sent nothing for 1 s.",
    ),
    "it is no web server": Broken(
        only(raw(Send(b"220 mail.acme.lan ESMTP\r\n\r\n"), Close())),
        "http",
        "bad_shape",
        "What listens at {at} is a mail or FTP server, not a model server.",
        "Correct the port",
        seen=("220 mail.acme.lan ESMTP",),
    ),
    "it greets and then waits": Broken(
        lambda: ScriptedProvider({}, on_connect=raw(Send(b"SSH-2.0-OpenSSH_9.6\r\n"), Hang())),
        "http",
        "bad_shape",
        "What listens at {at} is an SSH server, not a model server.",
    ),
    "https of no web server": Broken(
        lambda: ScriptedProvider({}, on_connect=raw(Send(b"SSH-2.0-OpenSSH_9.6\r\n"), Close())),
        "tls",
        "bad_shape",
        "What listens at {at} is an SSH server, not a model server.",
        url="https://{at}/v1",
    ),
    "silent from the start": Broken(
        lambda: ScriptedProvider({}, on_connect=raw(Hang())),
        "http",
        "timeout",
        "{at} took the request and sent nothing for 1 s.",
    ),
    "silent from the start, with a bound on the whole": Broken(
        lambda: ScriptedProvider({}, on_connect=raw(Hang())),
        "http",
        "timeout",
        "{at} took the request and sent nothing for 0.4 s.",
        "allow more time with --timeout",
        bounds=Bounds(total_s=0.4),
    ),
    "silent in the TLS handshake": Broken(
        lambda: ScriptedProvider({}, on_connect=raw(Hang())),
        "tls",
        "timeout",
        "{at} took the connection and was silent in the TLS handshake for 0.5 s.",
        "whether http:// is meant",
        url="https://{at}/v1",
        bounds=Bounds(connect_s=0.5),
    ),
    "silent in the TLS handshake, with a bound on the whole": Broken(
        lambda: ScriptedProvider({}, on_connect=raw(Hang())),
        "tls",
        "timeout",
        "{at} took the connection and was silent in the TLS handshake for 0.4 s.",
        "allow more time with --timeout",
        url="https://{at}/v1",
        bounds=Bounds(total_s=0.4),
    ),
    "a web proxy without its server": Broken(
        only(text_reply(502, BAD_GATEWAY, "text/html")),
        "http",
        "upstream",
        "A web proxy answers for {at}, and does not reach the server.",
        "See that the server behind it runs.",
    ),
    "sent on within the origin": Broken(
        only(reply(307, b"", "text/html", {"location": "/api/v1/models"})),
        "http",
        "redirected",
        "{at} sends requests on to another path of its own.",
        "Use http://{at}/api/v1 as the base URL.",
    ),
    "sent on to https": Broken(
        only(reply(301, b"", "text/html", {"location": "https://127.0.0.1/v1/models"})),
        "http",
        "redirected",
        "{at} sends requests on to https.",
        "Use https://127.0.0.1/v1.",
    ),
    "sent on to a login": Broken(
        only(reply(302, b"", "text/html", {"location": "https://sso.acme.lan/oauth2/start"})),
        "http",
        "redirected",
        "{at} sends requests on to a login page.",
        "Ask its operator",
    ),
    "a login page with status 200": Broken(
        only(text_reply(200, LOGIN, "text/html")),
        "server",
        "bad_shape",
        "{at} does not answer in JSON.",
        "a login page or a dashboard stands where the API should be",
        seen=("Sign in - Acme SSO",),
    ),
    "no key": Broken(
        serving(), "key", "key_missing", "{at} wants a key, and none was sent.", key=None
    ),
    "no key, and the file says why": Broken(
        serving(),
        "key",
        "key_missing",
        "There is no key for «litellm».",
        "Run «turnkey keys set litellm».",
        key=None,
        key_fault=Fault(
            "key_missing", "There is no key for «litellm».", "", "Run «turnkey keys set litellm»."
        ),
    ),
    "a wrong key": Broken(
        serving(),
        "key",
        "key_refused",
        "{at} does not know this key.",
        "Use the proxy's master key",
        key="sk-canary-wrong-0451",
    ),
    "a wrong key, echoed": Broken(
        serving(models=error_reply(401, f"Invalid API key: {KEY}", "auth_error", "401")),
        "key",
        "key_refused",
        "{at} refuses the key.",
    ),
    "LiteLLM without its database package": Broken(
        serving(models=text_reply(500, "Internal Server Error")),
        "key",
        "key_missing",
        "Most likely {at} wants a key, and none was sent.",
        key=None,
    ),
    "403 without a word, at an address": Broken(
        only(text_reply(403, "")),
        "models",
        "server_error",
        "{at} refuses the request without a word (403).",
        "Check the port, and the access rules",
    ),
    "a wrong path": Broken(
        serving(),
        "models",
        "path_wrong",
        "{at} answers, but not at this path.",
        "LiteLLM proxy answers at http://{at}: use http://{at}/v1.",
        url="http://{at}/teapot",
    ),
    "a base URL without its /v1, in the file": Broken(
        lambda: ScriptedProvider(
            {MODELS: models_reply(["good-model"]), CHAT: chat_reply("good-model")}
        ),
        "models",
        "path_wrong",
        "http://{at} is not where the models are.",
        "Set baseUrl to http://{at}/v1.",
        url="http://{at}",
        exact=True,
    ),
    "the model is loading": Broken(
        llama_loading,
        "models",
        "loading",
        "{at} is still loading the model.",
        "Wait a little and ask again.",
        seen=("llama.cpp",),
    ),
    "no list but an object": Broken(
        only(json_reply(200, {"status": "ok"})),
        "models",
        "bad_shape",
        "{at} answers, but what it sends is no list of models.",
    ),
    "an error with status 200": Broken(
        serving(models=json_reply(200, {"error": "backend unavailable"})),
        "models",
        "server_error",
        "{at} answers with an error (and status 200).",
    ),
    "the server behind the proxy is down": Broken(
        serving(
            chat=error_reply(
                500,
                "litellm.InternalServerError: InternalServerError: OpenAIException - "
                "Connection error. LiteLLM: model group 'good-model' failed with the error above. "
                "No fallback was attempted.",
                "internal_server_error",
            )
        ),
        "chat",
        "upstream",
        "The proxy cannot reach the server behind it.",
        "Whoever runs the proxy",
    ),
    "the proxy's own key is refused": Broken(
        serving(
            chat=error_reply(
                401,
                "litellm.AuthenticationError: AuthenticationError: Hosted_vllmException - "
                '{"error":"Unauthorized"}. LiteLLM: model group \'good-model\' failed with the '
                "error above. No fallback was attempted.",
                "authentication_error",
            )
        ),
        "chat",
        "upstream",
        "Your key is fine; the server behind the proxy (Hosted vllm) refuses the proxy's own key.",
    ),
    "no such model": Broken(
        serving(),
        "chat",
        "model_unknown",
        "{at} has no model «qwen9».",
        "Pick one from the list",
        model="qwen9",
        seen=("«qwen9» is not among them",),
    ),
    "the window is too small": Broken(
        serving(
            chat=error_reply(
                400, "This model's maximum context length is 16 tokens.", "BadRequestError"
            )
        ),
        "chat",
        "context_overflow",
        "The prompt does not fit the model's context window.",
    ),
    "loading only when asked": Broken(
        serving(chat=json_reply(503, {"error": {"message": "Loading model", "code": 503}})),
        "chat",
        "loading",
        "{at} is still loading the model.",
    ),
    "parked after a failure": Broken(
        serving(
            chat=error_reply(
                429, "No deployments available, all_deployments_in_cooldown", "None", "429"
            )
        ),
        "chat",
        "rate_limited",
        "The proxy has parked this model after an earlier failure.",
    ),
    "it breaks off": Broken(
        serving(
            chat=sse_reply([piece("good-model", {"content": "PO"}), Close()], done=False, end=False)
        ),
        "stream",
        "stream_broken",
        "{at} broke off in the middle of the answer.",
    ),
    "an empty stream": Broken(
        serving(chat=sse_reply([piece("good-model", {}, "stop")])),
        "stream",
        "empty_answer",
        "The model stopped without an answer.",
    ),
    "another model answers": Broken(
        serving(chat=chat_reply("other-model")),
        "stream",
        "wrong_model",
        "«other-model» answered instead of «good-model».",
    ),
    "it says something else": Broken(
        serving(chat=chat_reply("good-model", ("Good ", "morning."))),
        "stream",
        "wrong_answer",
        "The answer does not hold PONG.",
    ),
}


# ---------------------------------------------------------------------------- the table


@contextlib.asynccontextmanager
async def somewhere(broken: Broken) -> AsyncIterator[tuple[int, ScriptedProvider | None]]:
    """The broken server's port; without a server, a port that refuses."""
    if broken.server is None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            yield taken.getsockname()[1], None
        return
    async with broken.server() as server:
        yield server.port, server


async def examined(broken: Broken, port: int, around: Surroundings) -> Report:
    url = broken.url.format(at=f"127.0.0.1:{port}", port=port)
    return await examine(
        Patient(
            url=read_base_url(url, exact=True) if broken.exact else url,
            model=broken.model,
            key=None if broken.key is None else Secret(broken.key),
            key_fault=broken.key_fault,
        ),
        around,
        bounds=broken.bounds,
    )


def around(
    broken: Broken, port: int, server: ScriptedProvider | None, folder: Path
) -> Surroundings:
    if broken.proxied:
        return Surroundings(network=Network(proxies={"http": f"http://127.0.0.1:{port}"}))
    if broken.trusted:
        authority = AUTHORITIES.pop(id(server))
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        return Surroundings(network=Network(ca_file=str(folder / "ca.pem")))
    return broken.around


@pytest.mark.parametrize("case", BROKEN)
async def test_the_rung_that_breaks_its_code_and_one_sentence(case: str, tmp_path: Path) -> None:
    broken = BROKEN[case]
    async with asyncio.timeout(30), somewhere(broken) as (port, server):
        report = await examined(broken, port, around(broken, port, server, tmp_path))
    assert report.error is not None
    assert report.failed is not None
    put = {"at": f"127.0.0.1:{port}", "port": port}
    told = report_text(report, "test")
    assert (report.failed.name, report.error.code) == (broken.rung, broken.code), told
    assert report.error.what == broken.what.format(**put)
    assert broken.fix.format(**put) in report.error.fix
    names = [rung.name for rung in report.rungs]
    assert names == list(LADDER)
    after = report.rungs[names.index(report.failed.name) + 1 :]
    assert {rung.state for rung in after} <= {"skip"}
    assert sum(rung.state == "fail" for rung in report.rungs) == 1
    assert all((rung.seconds is None) is (rung.state == "skip") for rung in report.rungs)
    for words in broken.seen:
        assert words in told
    assert KEY not in told
    assert "\x1b" not in told


def test_the_table_is_long_enough() -> None:
    assert len(BROKEN) >= 40
    assert {broken.rung for broken in BROKEN.values()} == set(LADDER)
