"""Second looks: what else can be seen once a rung has failed, to tell one cause from another.

Each is one connection of a second or two, without a request, a key or a word sent.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec

from core.doctor.certificate import Certificate, read_certificate

if TYPE_CHECKING:
    import ssl

LOOPBACK: Final = ("127.0.0.1", "::1")
LOOK_S: Final = 2.0
"""Seconds that a second look may take."""


async def answers_at(port: int) -> tuple[str, ...]:
    """The addresses of this machine's loopback that take a connection on ``port``."""
    taken = await asyncio.gather(*(_takes(host, port) for host in LOOPBACK))
    return tuple(host for host, took in zip(LOOPBACK, taken, strict=True) if took)


class Tls(msgspec.Struct, frozen=True):
    """TLS is spoken there."""

    certificate: Certificate | None
    """What was shown, trusted or not; None when it cannot be read."""


async def look_for_tls(host: str, port: int) -> Tls | None:
    """What ``host`` shows on ``port``; None where no TLS is spoken.

    Nothing is sent over that connection: it is made to look at the certificate.
    """
    try:
        async with asyncio.timeout(LOOK_S):
            _, writer = await asyncio.open_connection(
                host, port, ssl=_unverified(), server_hostname=host
            )
    except (OSError, TimeoutError, ValueError):
        return None
    shown: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    der = None if shown is None else shown.getpeercert(binary_form=True)
    await _close(writer)
    return Tls(None if der is None else read_certificate(der))


async def _takes(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(LOOK_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    await _close(writer)
    return True


async def _close(writer: asyncio.StreamWriter) -> None:
    # aborted, not closed in order: a server that does not answer the goodbye is not waited for
    writer.transport.abort()
    try:
        await writer.wait_closed()
    except OSError:
        return


def _unverified() -> ssl.SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
