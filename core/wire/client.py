"""The one way to a server: a client bound to one origin, and bounded requests.

Importing this module imports httpx; callers that may never make a request import it late.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx
import msgspec

from core import __version__
from core.errors import EndpointProblem, Fault, KeyProblem, TurnkeyError, error_for
from core.keys.bounded import beside
from core.keys.secret import Secret
from core.text import one_line
from core.wire.bounds import BRIEF_S, Bounds
from core.wire.failures import fault_from_exception
from core.wire.hush import hush
from core.wire.inflate import inflater
from core.wire.network import Network, network_from
from core.wire.timer import ConnectTimer
from core.wire.tls import ssl_context
from core.wire.transport import Transport
from core.wire.unreached import too_slow, unusable_proxy, waited

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Mapping, Sequence

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
_AT_ONCE: Final = 64 * 1024
"""Bytes that are looked through for a key without a thread: a few milliseconds' work."""
_LIMITS: Final = httpx.Limits(max_connections=256, max_keepalive_connections=16)


class Reply(msgspec.Struct, frozen=True):
    """A reply that was read whole."""

    status: int
    headers: dict[str, str]
    """Names in lower case; of several equal ones, joined by commas."""
    body: bytes
    """Of a refusal, or another one whose words are shown, with the key masked in it."""
    seconds: float
    """From the request's start to the last byte."""
    url: str


class _Bound(httpx.Auth):
    """Puts the key and the secret headers on requests to one origin, and lets no other out.

    They are kept here and not among the client's own headers, so that nothing which prints a
    client shows them, and no request to another origin can carry them.
    """

    def __init__(
        self,
        base: BaseUrl,
        key: Secret | None,
        headers: Mapping[str, Secret | str],
        proxy: str | None = None,
    ) -> None:
        self.base = base
        self.proxy = proxy
        self._origin = _origin(httpx.URL(base.origin))
        self._key = key
        self._headers = dict(headers)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        sent = (self._key, *self._headers.values())
        return tuple(one for one in sent if isinstance(one, Secret) and one)

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
    network = network or network_from(os.environ)
    return httpx.AsyncClient(
        transport=transport or _transport(base, network),
        trust_env=False,
        follow_redirects=False,
        auth=_Bound(base, key, given, network.proxy_for(base)),
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
    proxy = _proxy(network.proxy_for(base), base)
    wants_tls = base.scheme == "https" or (proxy is not None and proxy.url.scheme == "https")
    context = ssl_context(network) if wants_tls else None
    return Transport(context, _LIMITS, proxy)


def _proxy(url: str | None, base: BaseUrl) -> httpx.Proxy | None:
    if url is None:
        return None
    try:
        proxy = httpx.Proxy(url)
    except (ValueError, httpx.InvalidURL):
        raise EndpointProblem(unusable_proxy(url, base)) from None
    if not proxy.url.host or not 0 < (proxy.url.port or 1) < 65536:
        raise EndpointProblem(unusable_proxy(url, base))
    return proxy


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
    timer = timer or ConnectTimer()
    request = client.build_request("GET", url, extensions={"trace": timer})
    return await _exchange(client, request, bounds, timer, with_key=with_key)


async def post(
    client: httpx.AsyncClient,
    url: str,
    json_body: bytes,
    bounds: Bounds,
    *,
    timer: ConnectTimer | None = None,
) -> Reply:
    """POST ``json_body``, otherwise as :func:`get`."""
    timer = timer or ConnectTimer()
    request = client.build_request(
        "POST",
        url,
        content=json_body,
        headers={"content-type": "application/json"},
        extensions={"trace": timer},
    )
    return await _exchange(client, request, bounds, timer)


async def body_chunks(response: httpx.Response, bounds: Bounds) -> AsyncIterator[bytes]:
    """The pieces of a body as they come, decompressed if the server insists, within ``bounds``.

    Raises:
        EndpointProblem: ``too_large`` past ``bounds.body_bytes``, ``bad_shape`` for a compression
            that was not asked for and is not gzip or deflate, ``stream_broken`` for one that is
            and misses its end.
        TimeoutError: silence longer than ``bounds.silence_s``.
    """
    inflate = inflater(response.headers.get("content-encoding", ""))
    left = bounds.body_bytes
    source = response.aiter_raw()
    try:
        while True:
            try:
                async with asyncio.timeout(bounds.silence_s):
                    raw = await anext(source)
            except StopAsyncIteration:
                break
            piece = raw if inflate is None else inflate.feed(raw, left + 1)
            left -= len(piece)
            if left < 0:
                raise EndpointProblem(too_large(bounds))
            yield piece
        if inflate is not None:
            inflate.finish()
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()


def secrets_of(client: httpx.AsyncClient) -> tuple[Secret, ...]:
    """What a client of :func:`open_client` sends and nobody may see: the key, secret headers."""
    return client.auth.secrets if isinstance(client.auth, _Bound) else ()


def proxy_of(client: httpx.AsyncClient) -> str | None:
    """The proxy that a client of :func:`open_client` goes through; None: it goes straight."""
    return client.auth.proxy if isinstance(client.auth, _Bound) else None


async def _exchange(
    client: httpx.AsyncClient,
    request: httpx.Request,
    bounds: Bounds,
    timer: ConnectTimer,
    *,
    with_key: bool = True,
) -> Reply:
    if not isinstance(client.auth, _Bound):
        raise TypeError("the client was not made by open_client")
    base, proxy = client.auth.base, client.auth.proxy
    timer.proxied = proxy is not None
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
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        httpx.StreamError,
        OSError,
        UnicodeError,
    ) as error:
        fault = fault_from_exception(error, base, proxy)
        if fault.code == "timeout" and reading:
            fault = too_slow(base, bounds.overall_s()) if overall.expired() else fault
        elif overall.expired() and timer.waited_s > bounds.first_byte_s:
            fault = too_slow(base, bounds.overall_s())  # its head is dripped through
        elif fault.code == "timeout":
            spent = time.perf_counter() - started
            asked = overall.expired() and bounds.total_s not in {None, BRIEF_S}
            fault = waited(base, timer.stage(base), spent, proxy, asked=asked)
        # From None: an httpx error holds the request, and the request holds the key.
        raise error_for(fault) from None
    seconds = time.perf_counter() - started
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = b"".join(pieces)
    if _may_be_quoted(response.status_code, headers, body):
        mask = partial(_masked, body, client.auth.secrets)
        body = mask() if len(body) <= _AT_ONCE else await beside(mask)
    return Reply(
        status=response.status_code,
        headers=headers,
        body=body,
        seconds=seconds,
        url=str(request.url),
    )


def _may_be_quoted(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the words of a reply are shown to a person: of a refusal, a web page, an error."""
    if not body or (status < 300 and "event-stream" in headers.get("content-type", "")):
        return False
    plain = body[:200].lstrip()[:1] not in {b"{", b"["}
    return status >= 300 or plain or b'"error"' in body[:4096]


def _masked(body: bytes, secrets: Sequence[Secret]) -> bytes:
    """``body`` without what was sent: masked later, words cut short would keep half of a key."""
    for secret in secrets:
        text = body.decode("utf-8", "surrogateescape")
        body = secret.redact(text).encode("utf-8", "surrogateescape")
    return body


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


def too_large(bounds: Bounds) -> Fault:
    """What to say of a body that is longer than ``bounds.body_bytes``."""
    size = bounds.body_bytes / (1024 * 1024)
    return Fault(
        "too_large",
        f"The reply is larger than {size:g} MiB, and reading was stopped.",
        "No list of models or answer of one is that large.",
        "Check that the base URL is a model server's.",
    )
