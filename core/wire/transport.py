"""Connections: the name is looked up as a step of its own, then its addresses are tried.

Importing this module imports httpx and httpcore.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from contextvars import ContextVar
from functools import partial
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Final

import httpcore
import httpx
import msgspec

from core.keys.bounded import beside
from core.wire.stamps import STAMPS

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from types import TracebackType

_NEXT_ADDRESS_S: Final = 0.25
# Seconds before the next address is tried beside a silent one (RFC 8305, section 5).


class Lookup(msgspec.Struct, frozen=True):
    """How a host's name became addresses."""

    seconds: float
    addresses: tuple[str, ...]
    """Empty: it did not resolve."""


LAST_LOOKUP: Final[ContextVar[Lookup | None]] = ContextVar("last_lookup", default=None)
"""Set while a connection is made, for whoever makes it; None: the host is an address already."""


class LookupTimeout(httpcore.ConnectTimeout):
    """The bound was reached while the name was looked up."""


class Backend(httpcore.AnyIOBackend):
    """httpcore's own backend, with the lookup of names taken apart and bounded.

    A lookup runs in a daemon thread: one that hangs holds up neither the loop nor the exit. With
    ``secured``, connections are those on which TLS is begun.
    """

    def __init__(self, *, secured: bool = False, proxied: bool = False) -> None:
        self._secured = secured
        self._proxied = proxied
        self._fresh: set[_Securable] = set()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to ``host`` within ``timeout`` seconds, name and TCP together."""
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(timeout):
                addresses = await _look_up(host, port)
                stream = await self._race(addresses, port, local_address, socket_options)
        except TimeoutError as error:
            lookup = LAST_LOOKUP.get()
            if lookup is not None and not lookup.addresses:
                LAST_LOOKUP.set(Lookup(timeout or 0.0, ()))
                raise LookupTimeout("name lookup") from error
            raise httpcore.ConnectTimeout("connect") from error
        if not self._secured and not self._proxied:
            return stream
        # Through a proxy the handshake comes after its answer, with time of its own.
        if timeout is None or self._proxied:
            return _Securable(stream, None, timeout, self._fresh)
        return _Securable(stream, started + timeout, timeout, self._fresh)

    async def close_left(self) -> None:
        """Close what httpcore 1.0.9 forgets: connections that a SOCKS proxy opened no way on."""
        for stream in list(self._fresh):
            await stream.aclose()

    async def _race(
        self,
        addresses: Sequence[str],
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        """The first address that connects; the next is tried when one fails or stays silent."""
        stamps = STAMPS.get()
        attempt: Callable[[str], Awaitable[httpcore.AsyncNetworkStream]]
        if stamps is not None and sys.platform != "win32":  # its loop has no add_reader
            from core.wire.stamped import connect

            attempt = partial(
                connect, port=port, local_address=local_address, socket_options=socket_options,
                stamps=stamps,
            )  # fmt: skip
        else:
            attempt = partial(
                super().connect_tcp, port=port, local_address=local_address,
                socket_options=socket_options,
            )  # fmt: skip
        if len(addresses) == 1:
            return await attempt(addresses[0])
        waiting = list(addresses)
        tasks: set[asyncio.Future[httpcore.AsyncNetworkStream]] = set()
        errors: list[Exception] = []
        try:
            while waiting or tasks:
                if waiting:
                    tasks.add(asyncio.ensure_future(attempt(waiting.pop(0))))
                patience = _NEXT_ADDRESS_S if waiting else None
                done, _ = await asyncio.wait(
                    tasks, timeout=patience, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    error = task.exception()
                    if error is None:
                        tasks.discard(task)
                        return task.result()
                    tasks.discard(task)
                    if not isinstance(error, Exception):
                        raise error
                    errors.append(error)
        finally:
            await _drop(tasks)
        try:
            raise ExceptionGroup("each address", errors)
        except ExceptionGroup as group:  # raised, since httpcore's pool drops a cause alone
            raise httpcore.ConnectError("no address connects") from group


class _Securable(httpcore.AsyncNetworkStream):
    """A connection on which TLS is to begin: within what is left of its time, or it is closed.

    httpcore 1.0.9 leaves it open when whoever waits for the handshake is cancelled.
    """

    def __init__(
        self,
        plain: httpcore.AsyncNetworkStream,
        deadline: float | None,
        patience: float | None,
        fresh: set[_Securable],
    ) -> None:
        """``patience``: seconds for a read without a bound, as httpcore's SOCKS handshake has.

        It stands in ``fresh`` until TLS is begun on it or it is closed.
        """
        self._plain = plain
        self._deadline = deadline
        self._patience = patience
        self._fresh = fresh
        fresh.add(self)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """The handshake."""
        if timeout is not None and self._deadline is not None:
            left = self._deadline - asyncio.get_running_loop().time()
            timeout = max(0.001, min(timeout, left))
        try:
            secured = await self._plain.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self.aclose()
            raise
        self._fresh.discard(self)
        return secured

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """What comes, as httpcore reads it."""
        return await self._plain.read(max_bytes, self._patience if timeout is None else timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send, as httpcore does."""
        await self._plain.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        self._fresh.discard(self)
        await self._plain.aclose()

    def get_extra_info(self, info: str) -> object:
        """What httpcore asks of a connection: its addresses, its socket."""
        return self._plain.get_extra_info(info)


class Transport(httpx.AsyncHTTPTransport):
    """httpx's transport on a pool with :class:`Backend`; HTTP/2 where a TLS server offers it."""

    def __init__(
        self,
        context: ssl.SSLContext | None,
        limits: httpx.Limits,
        proxy: httpx.Proxy | None = None,
    ) -> None:
        self._backend = Backend(secured=context is not None, proxied=proxy is not None)
        # Not httpx's own: it builds a pool, and a TLS context, that takes no network backend.
        options: Mapping[str, object] = {
            "ssl_context": context,
            "max_connections": limits.max_connections,
            "max_keepalive_connections": limits.max_keepalive_connections,
            "keepalive_expiry": limits.keepalive_expiry,
            "http2": context is not None,
            "network_backend": self._backend,
        }
        self._pool = _pool(options, proxy)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Close every connection."""
        await super().__aexit__(exc_type, exc_value, traceback)
        await self._backend.close_left()

    async def aclose(self) -> None:
        """Close every connection."""
        await super().aclose()
        await self._backend.close_left()


def _pool(options: Mapping[str, object], proxy: httpx.Proxy | None) -> httpcore.AsyncConnectionPool:
    given: dict[str, object] = dict(options)
    if proxy is None:
        return httpcore.AsyncConnectionPool(**given)  # type: ignore[arg-type]
    given |= {
        "proxy_url": httpcore.URL(
            scheme=proxy.url.raw_scheme,
            host=proxy.url.raw_host,
            port=proxy.url.port,
            target=proxy.url.raw_path,
        ),
        "proxy_auth": proxy.raw_auth,
    }
    if proxy.url.scheme in {"socks5", "socks5h"}:
        return httpcore.AsyncSOCKSProxy(**given)  # type: ignore[arg-type]
    if proxy.url.scheme == "https":
        given["proxy_ssl_context"] = given["ssl_context"]
    return httpcore.AsyncHTTPProxy(**given)  # type: ignore[arg-type]


async def _look_up(host: str, port: int) -> tuple[str, ...]:
    """The addresses of ``host``, families in turn; an address is its own.

    Raises httpcore.ConnectError, from the system's own error, when it does not resolve.
    """
    LAST_LOOKUP.set(None)
    try:
        ip_address(host)
    except ValueError:
        pass
    else:
        return (host,)
    started = time.perf_counter()
    # While it is under way, so that a bound that is reached finds out where the time went.
    LAST_LOOKUP.set(Lookup(0.0, ()))
    try:
        found = await beside(partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))
    except OSError as error:
        LAST_LOOKUP.set(Lookup(time.perf_counter() - started, ()))
        raise httpcore.ConnectError("name lookup") from error
    families: dict[int, list[str]] = {}
    for family, *_, address in found:
        families.setdefault(family, []).append(str(address[0]))
    turns = chain.from_iterable(zip_longest(*families.values()))
    addresses = tuple(dict.fromkeys(one for one in turns if one is not None))
    LAST_LOOKUP.set(Lookup(time.perf_counter() - started, addresses))
    return addresses


async def _drop(tasks: Iterable[asyncio.Future[httpcore.AsyncNetworkStream]]) -> None:
    """End attempts that are not needed any more, and close those that connected after all."""
    left = list(tasks)
    for task in left:
        task.cancel()
    for result in await asyncio.gather(*left, return_exceptions=True):
        if not isinstance(result, BaseException):
            await result.aclose()
