"""What the stages of a request take, told by its real connection. Imports httpcore."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpcore

from core.wire.transport import LAST_LOOKUP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.providers.base_url import BaseUrl
    from core.wire.unreached import Stage


class ConnectTimer:
    """What a request's stages took, told by its real connection. Give one to :func:`get`.

    Times are seconds on ``time.perf_counter``'s clock; None: that stage did not happen, as on a
    connection that was kept open, or it was not reached. Through a proxy, name and TCP are the
    proxy's. Works as httpcore's trace, too: ``extensions={"trace": timer}``
    (encode/httpcore docs, «extensions»).
    """

    __slots__ = (
        "_opened",
        "_sent",
        "_started",
        "address",
        "begun",
        "first_byte_s",
        "name_s",
        "nameless",
        "proxied",
        "tcp_s",
        "tls",
        "tls_s",
        "way_s",
    )

    def __init__(self) -> None:
        self.proxied = False
        """Whether the connection is one to a proxy; :func:`get` and :func:`post` say so."""
        self.nameless = False
        """The name was still being looked up when the time was over, or was not found."""
        self.name_s: float | None = None
        """Looking the host's name up; None for a host that is an address."""
        self.tcp_s: float | None = None
        """Connecting, once the name had become addresses."""
        self.tls_s: float | None = None
        """The TLS handshake with the server itself."""
        self.way_s: float | None = None
        """What a proxy took to open a way to the server (CONNECT, SOCKS); None without one."""
        self.first_byte_s: float | None = None
        """From the request sent to the head of the reply."""
        self.address: str | None = None
        """The address that was connected to."""
        self.tls: str | None = None
        """The protocol that was agreed on: ``TLSv1.3``."""
        self.begun = False
        """Whether a connection was tried; an open one that is used again needs none."""
        self._started = self._opened = self._sent = 0.0

    async def __call__(self, event: str, info: Mapping[str, object]) -> None:
        """Take one trace event of httpcore."""
        now = time.perf_counter()
        whose, _, stage = event.partition(".")
        match stage:
            case "connect_tcp.started":
                self.begun = True
                self._started = now
            case "start_tls.started":
                self._started = now
                if whose != "connection":  # through a proxy, whose way stands now
                    self._way(now)
            case "setup_socks5_connection.complete":
                self._way(now)
            case "connect_tcp.complete" | "connect_tcp.failed":
                lookup = LAST_LOOKUP.get()
                self.nameless = lookup is not None and not lookup.addresses
                if lookup is not None:
                    self.name_s = lookup.seconds or now - self._started
                if stage.endswith("complete"):
                    self.tcp_s = max(0.0, now - self._started - (self.name_s or 0.0))
                    self.address = _peer(info.get("return_value"))
                    self._opened = now
            case "start_tls.complete" if whose != "connection" or not self.proxied:
                self.tls_s = now - self._started
                self.tls = _protocol(info.get("return_value"))
            case "send_request_body.complete":
                self._sent = now
            case "receive_response_headers.complete":
                self.first_byte_s = now - self._sent

    def _way(self, now: float) -> None:
        if self.way_s is None:
            self.way_s = now - self._opened
            self._sent, self.first_byte_s = 0.0, None  # those were the proxy's

    @property
    def waited_s(self) -> float:
        """Seconds since the request was sent; 0 before that."""
        return time.perf_counter() - self._sent if self._sent else 0.0

    def stage(self, base: BaseUrl) -> Stage:
        """Where a request to ``base`` is, or where it came to an end."""
        if self.begun and self.tcp_s is None:
            return "name" if self.nameless else "tcp"
        secured = base.scheme == "https"
        if self.begun and self.proxied and self.way_s is None and (secured or not self._sent):
            return "way"
        if self.begun and secured and self.tls_s is None:
            return "tls"
        return "reply"

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
