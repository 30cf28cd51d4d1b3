"""The one way to a server: a client bound to one origin, and bounded requests.

Importing this module imports httpx; callers that may never make a request import it late.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
import zlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Final

import httpcore
import httpx
import msgspec

from core import __version__
from core.errors import EndpointProblem, Fault, KeyProblem, TurnkeyError, error_for
from core.keys.secret import Secret
from core.text import one_line
from core.wire.bounds import Bounds
from core.wire.failures import fault_from_exception
from core.wire.hush import hush
from core.wire.network import Network, network_from
from core.wire.tls import ssl_context
from core.wire.transport import LAST_LOOKUP, Transport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Mapping

    from core.providers.base_url import BaseUrl

__all__ = [
    "Bounds",
    "ConnectTimer",
    "Reply",
    "body_chunks",
    "get",
    "open_client",
    "post",
]

hush()

USER_AGENT: Final = f"turnkey/{__version__}"
_LIMITS: Final = httpx.Limits(max_connections=64, max_keepalive_connections=16)


class Reply(msgspec.Struct, frozen=True):
    """A reply that was read whole."""

    status: int
    headers: dict[str, str]
    """Names in lower case; of several equal ones, joined by commas."""
    body: bytes
    seconds: float
    """From the request's start to the last byte."""
    url: str


class ConnectTimer:
    """What a request's stages took, told by its real connection. Give one to :func:`get`.

    Times are seconds on ``time.perf_counter``'s clock; None: that stage did not happen, as on a
    connection that was kept open, or it was not reached. Through a proxy, name and TCP are the
    proxy's. Works as httpcore's trace, too: ``extensions={"trace": timer}``
    (encode/httpcore docs, «extensions»).
    """

    __slots__ = ("_sent", "_started", "address", "first_byte_s", "name_s", "tcp_s", "tls", "tls_s")

    def __init__(self) -> None:
        self.name_s: float | None = None
        """Looking the host's name up; None for a host that is an address."""
        self.tcp_s: float | None = None
        """Connecting, once the name had become addresses."""
        self.tls_s: float | None = None
        """The TLS handshake."""
        self.first_byte_s: float | None = None
        """From the request sent to the head of the reply."""
        self.address: str | None = None
        """The address that was connected to."""
        self.tls: str | None = None
        """The protocol that was agreed on: ``TLSv1.3``."""
        self._started = 0.0
        self._sent = 0.0

    async def __call__(self, event: str, info: Mapping[str, object]) -> None:
        """Take one trace event of httpcore."""
        now = time.perf_counter()
        _, _, stage = event.partition(".")
        match stage:
            case "connect_tcp.started" | "start_tls.started":
                self._started = now
            case "connect_tcp.complete" | "connect_tcp.failed":
                lookup = LAST_LOOKUP.get()
                if lookup is not None:
                    self.name_s = lookup.seconds
                if stage.endswith("complete"):
                    self.tcp_s = max(0.0, now - self._started - (self.name_s or 0.0))
                    self.address = _peer(info.get("return_value"))
            case "start_tls.complete":
                self.tls_s = now - self._started
                self.tls = _protocol(info.get("return_value"))
            case "send_request_body.complete":
                self._sent = now
            case "receive_response_headers.complete":
                self.first_byte_s = now - self._sent

    @property
    def connect_s(self) -> float | None:
        """Name, TCP and TLS together; None when an open connection was used again."""
        if self.tcp_s is None:
            return None
        return (self.name_s or 0.0) + self.tcp_s + (self.tls_s or 0.0)


def _peer(stream: object) -> str | None:
    """The address at a connection's other end."""
    if not isinstance(stream, httpcore.AsyncNetworkStream):
        return None
    address: object = stream.get_extra_info("server_addr")
    return str(address[0]) if isinstance(address, tuple) and address else None


def _protocol(stream: object) -> str | None:
    """The version of TLS that a connection speaks."""
    if not isinstance(stream, httpcore.AsyncNetworkStream):
        return None
    tls: object = stream.get_extra_info("ssl_object")
    version: object = tls.version() if hasattr(tls, "version") else None
    return version if isinstance(version, str) else None


class _Bound(httpx.Auth):
    """Puts the key and the secret headers on requests to one origin, and lets no other out.

    They are kept here and not among the client's own headers, so that nothing which prints a
    client shows them, and no request to another origin can carry them.
    """

    def __init__(
        self, base: BaseUrl, key: Secret | None, headers: Mapping[str, Secret | str]
    ) -> None:
        self.base = base
        self._origin = _origin(httpx.URL(base.origin))
        self._key = key
        self._headers = dict(headers)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if _origin(request.url) != self._origin:
            raise EndpointProblem(
                Fault(
                    "redirected",
                    f"A request would have left {self.base.origin} for another address.",
                    "A key goes only to the address it was stored for.",
                    "Use the other address as the base URL, if that is where the server is.",
                )
            )
        if self._key:
            request.headers["authorization"] = f"Bearer {self._key.reveal()}"
        for name, value in self._headers.items():
            request.headers[name] = value.reveal() if isinstance(value, Secret) else value
        yield request


def open_client(
    base: BaseUrl,
    bounds: Bounds,
    *,
    key: Secret | None,
    headers: Mapping[str, Secret | str] | None = None,
    network: Network | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """A client for one endpoint: no redirects, no other origin, this machine never proxied.

    ``network`` says which proxy other hosts are reached through, and which certificates are
    trusted and shown; unless given, this process's environment does. Nothing of TLS is loaded
    for an http address. Connections are kept and used again; a TLS server that offers HTTP/2 is
    spoken to so. ``key`` is sent as a bearer, ``headers`` beside it; a header named
    ``Authorization`` takes the key's place, as it does in Pi. ``transport`` stands in for the
    network.

    Raises:
        KeyProblem: the key, or a header's value, cannot stand in a header.
        EndpointProblem: the environment names a proxy that cannot be used, or a certificate's
            file that cannot be read.
    """
    given = headers or {}
    _check_values(key, given)
    return httpx.AsyncClient(
        transport=transport or _transport(base, network or network_from(os.environ)),
        trust_env=False,
        follow_redirects=False,
        auth=_Bound(base, key, given),
        headers={
            "user-agent": USER_AGENT,
            "accept-encoding": "identity",
            "accept": "application/json, text/event-stream;q=0.9, */*;q=0.5",
        },
        timeout=httpx.Timeout(
            connect=bounds.connect_s,
            read=bounds.first_byte_s,
            write=bounds.silence_s,
            pool=bounds.connect_s,
        ),
    )


def _transport(base: BaseUrl, network: Network) -> Transport:
    proxy = _proxy(network.proxy_for(base))
    wants_tls = base.scheme == "https" or (proxy is not None and proxy.url.scheme == "https")
    context = ssl_context(network) if wants_tls else None
    return Transport(context, _LIMITS, proxy)


def _proxy(url: str | None) -> httpx.Proxy | None:
    if url is None:
        return None
    try:
        return httpx.Proxy(url)
    except (ValueError, httpx.InvalidURL) as error:
        shown = re.sub(r"//[^/@]*@", "//…@", str(error))
        raise EndpointProblem(
            Fault(
                "connection_failed",
                "A proxy variable of the environment cannot be used.",
                one_line(shown, 160),
                "Correct HTTP_PROXY, HTTPS_PROXY or ALL_PROXY, or name the host in NO_PROXY.",
            )
        ) from None


async def get(
    client: httpx.AsyncClient,
    url: str,
    bounds: Bounds,
    *,
    with_key: bool = True,
    timer: ConnectTimer | None = None,
) -> Reply:
    """GET ``url`` (absolute) and read the reply whole, within ``bounds``.

    ``client`` is one of :func:`open_client`, and ``url`` of its origin. Any status is a reply.
    Without ``with_key`` neither the key nor the endpoint's own headers are sent. ``timer`` learns
    what each stage took, also when there is no reply.

    Raises:
        EndpointProblem: there was no reply, or it reached a bound.
    """
    request = client.build_request("GET", url, extensions=_traced(timer))
    return await _exchange(client, request, bounds, with_key=with_key)


async def post(
    client: httpx.AsyncClient,
    url: str,
    json_body: bytes,
    bounds: Bounds,
    *,
    timer: ConnectTimer | None = None,
) -> Reply:
    """POST ``json_body``, otherwise as :func:`get`."""
    request = client.build_request(
        "POST",
        url,
        content=json_body,
        headers={"content-type": "application/json"},
        extensions=_traced(timer),
    )
    return await _exchange(client, request, bounds)


def _traced(timer: ConnectTimer | None) -> dict[str, object] | None:
    return None if timer is None else {"trace": timer}


async def body_chunks(response: httpx.Response, bounds: Bounds) -> AsyncIterator[bytes]:
    """The pieces of a body as they come, decompressed if the server insists, within ``bounds``.

    Raises:
        EndpointProblem: ``too_large`` past ``bounds.body_bytes``, ``bad_shape`` for a compression
            that was not asked for and is not gzip or deflate.
        TimeoutError: silence longer than ``bounds.silence_s``.
    """
    inflate = _inflater(response.headers.get("content-encoding", ""))
    left = bounds.body_bytes
    source = response.aiter_raw()
    try:
        while True:
            try:
                async with asyncio.timeout(bounds.silence_s):
                    raw = await anext(source)
            except StopAsyncIteration:
                return
            pieces = [raw] if inflate is None else inflate.feed(raw, left + 1)
            for piece in pieces:
                left -= len(piece)
                if left < 0:
                    raise EndpointProblem(_too_large(bounds))
                yield piece
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()


class _Inflater:
    """Decompresses in bounded steps: a few bytes may stand for gigabytes."""

    def __init__(self, wbits: int) -> None:
        self._z = zlib.decompressobj(wbits)

    def feed(self, data: bytes, room: int) -> list[bytes]:
        """At most ``room`` bytes of plain text out of ``data``."""
        try:
            return [self._z.decompress(data, max(room, 1))]
        except zlib.error:
            raise EndpointProblem(
                Fault(
                    "bad_shape",
                    "The reply is compressed, and not rightly.",
                    fix="Switch compression off in the proxy in front of the server.",
                )
            ) from None


def _inflater(encoding: str) -> _Inflater | None:
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return None
    if name in {"gzip", "x-gzip"}:
        return _Inflater(31)
    if name == "deflate":
        return _Inflater(15)
    raise EndpointProblem(
        Fault(
            "bad_shape",
            f"The reply is compressed ({one_line(name, 40)}) though plain text was asked for.",
            fix="Switch compression off in the proxy in front of the server.",
        )
    )


async def _exchange(
    client: httpx.AsyncClient, request: httpx.Request, bounds: Bounds, *, with_key: bool = True
) -> Reply:
    if not isinstance(client.auth, _Bound):
        raise TypeError("the client was not made by open_client")
    base = client.auth.base
    auth = client.auth if with_key else _Bound(base, None, {})
    started = time.perf_counter()
    pieces: list[bytes] = []
    reading = False
    overall = asyncio.timeout(bounds.overall_s())
    try:
        async with overall:
            response = await client.send(request, stream=True, auth=auth)
            reading = True
            try:
                async for piece in body_chunks(response, bounds):
                    pieces.append(piece)  # noqa: PERF401  # the bound is checked between pieces
            finally:
                await response.aclose()
    except TurnkeyError:
        raise
    except TimeoutError as error:
        if overall.expired():
            raise EndpointProblem(_too_slow(base, bounds)) from None
        raise error_for(fault_from_exception(error, base)) from None
    except httpx.ReadTimeout as error:
        what = None if reading else _no_first_byte(base, bounds)
        raise error_for(what or fault_from_exception(error, base)) from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError) as error:
        # From None: an httpx error holds the request, and the request holds the key.
        raise error_for(fault_from_exception(error, base)) from None
    return Reply(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=b"".join(pieces),
        seconds=time.perf_counter() - started,
        url=str(request.url),
    )


def _check_values(key: Secret | None, headers: Mapping[str, Secret | str]) -> None:
    named = {"The key": key, **{f"The header «{one_line(n, 40)}»": v for n, v in headers.items()}}
    for name, value in named.items():
        if value is None:
            continue
        plain = value.reveal() if isinstance(value, Secret) else value
        if not plain.isascii() or any(ord(c) < 32 or ord(c) == 127 for c in plain):
            raise KeyProblem(
                Fault(
                    "key_refused",
                    f"{name} has a character that no request can carry.",
                    "Often a line break or a typographic quote that was copied along.",
                    "Store it again, without what surrounds it.",
                )
            )


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme, 0)


def _too_slow(base: BaseUrl, bounds: Bounds) -> Fault:
    return Fault(
        "timeout",
        f"{base.host_port} did not finish within {bounds.overall_s():g} s altogether.",
        "It answers, but too slowly, or something on the way drips the reply through.",
        "Allow more time with --timeout, or look at what the server is busy with.",
    )


def _no_first_byte(base: BaseUrl, bounds: Bounds) -> Fault:
    return Fault(
        "timeout",
        f"{base.host_port} took the request and sent nothing for {bounds.first_byte_s:g} s.",
        "The server may be loading a model, be busy, or not be a web server at all.",
        "Wait and ask again; look at the server's log.",
    )


def _too_large(bounds: Bounds) -> Fault:
    size = bounds.body_bytes / (1024 * 1024)
    return Fault(
        "too_large",
        f"The reply is larger than {size:g} MiB, and reading was stopped.",
        "No list of models or answer of one is that large.",
        "Check that the base URL is a model server's.",
    )
