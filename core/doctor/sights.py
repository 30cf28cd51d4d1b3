"""Second looks: what else can be seen once a rung has failed, to tell one cause from another.

Each is one connection of a second or two, without a key and without anything of the user's.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import msgspec

from core.doctor.certificate import Certificate, read_certificate

if TYPE_CHECKING:
    import ssl

LOOPBACK: Final = ("127.0.0.1", "::1")
LOOK_S: Final = 2.0
"""Seconds that a second look may take."""
GREETING_S: Final = 0.4
"""Seconds in which a program that greets first (SSH, SMTP, MySQL) has done so."""
_CERTIFICATE_REQUEST: Final = 13


async def answers_at(port: int) -> tuple[str, ...]:
    """The addresses of this machine's loopback that take a connection on ``port``."""
    taken = await asyncio.gather(*(_takes(host, port) for host in LOOPBACK))
    return tuple(host for host, took in zip(LOOPBACK, taken, strict=True) if took)


class Tls(msgspec.Struct, frozen=True):
    """TLS is spoken there."""

    certificate: Certificate | None
    """What was shown, trusted or not; None when it cannot be read."""
    wants_ours: bool = False
    """It asks whoever connects for a certificate (RFC 8446, section 4.3.2)."""


async def look_for_tls(host: str, port: int) -> Tls | None:
    """What ``host`` shows on ``port``; None where no TLS is spoken.

    Nothing is sent over that connection: it is made to look at the certificate.
    """
    context, asked = _unverified()
    try:
        async with asyncio.timeout(LOOK_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except (OSError, TimeoutError, ValueError):
        return Tls(None, wants_ours=True) if asked else None
    shown: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    der = None if shown is None else shown.getpeercert(binary_form=True)
    await _close(writer)
    return Tls(None if der is None else read_certificate(der), wants_ours=bool(asked))


async def first_words(host: str, port: int) -> bytes:
    """What a program on ``port`` says first: of itself, or to a bare ``GET /``. At most 200 bytes.

    Empty where it says nothing, or nothing in time.
    """
    try:
        async with asyncio.timeout(LOOK_S):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return b""
    try:
        for question in (b"", f"GET / HTTP/1.1\r\nhost: {host}\r\n\r\n".encode()):
            writer.write(question)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GREETING_S if not question else LOOK_S):
                    said = await reader.read(200)
                    if said:
                        return said
    except OSError:
        return b""
    finally:
        await _close(writer)
    return b""


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


def _unverified() -> tuple[ssl.SSLContext, list[int]]:
    """A context that checks nothing, and what becomes true once a certificate is asked for.

    CPython tells of handshake messages by ``_msg_callback`` alone (since 3.8, for its own tests);
    where it is not there, the list stays empty.
    """
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    asked: list[int] = []

    def told(*message: object) -> None:
        # connection, direction, version, content type, message type, data
        if len(message) > 4 and message[1] == "read" and message[4] == _CERTIFICATE_REQUEST:
            asked.append(_CERTIFICATE_REQUEST)

    if hasattr(context, "_msg_callback"):
        context._msg_callback = told  # noqa: SLF001
    return context, asked
