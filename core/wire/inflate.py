"""Decompression of a reply's body in bounded steps: a few bytes may stand for gigabytes."""

from __future__ import annotations

import zlib

from core.errors import EndpointProblem, Fault
from core.text import one_line


class Inflater:
    """Plain text out of compressed pieces, as they come."""

    def __init__(self, wbits: int) -> None:
        """``wbits``: as zlib wants it; 31 for gzip, 15 for deflate."""
        self._wbits = wbits
        self._fed = False
        self._z = zlib.decompressobj(wbits)

    def feed(self, data: bytes, room: int) -> bytes:
        """At most ``room`` bytes of plain text out of ``data``.

        Raises:
            EndpointProblem: ``bad_shape``, it is not compressed so.
        """
        text = b""
        self._fed = self._fed or bool(data)
        try:
            while data and len(text) <= room:
                if self._z.eof:  # gzip may come in several members (RFC 1952, 2.2)
                    if not data.strip(b"\0"):
                        break  # as some pad it
                    self._z = zlib.decompressobj(self._wbits)
                text += self._z.decompress(data, max(room - len(text), 1))
                data = self._z.unused_data
        except zlib.error:
            raise EndpointProblem(
                Fault(
                    "bad_shape",
                    "The reply is compressed, and not rightly.",
                    fix="Switch compression off in the proxy in front of the server.",
                )
            ) from None
        return text

    def finish(self) -> None:
        """Nothing more comes.

        Raises:
            EndpointProblem: ``stream_broken``, the text has not come to its end.
        """
        if self._fed and not self._z.eof:
            raise EndpointProblem(
                Fault(
                    "stream_broken",
                    "The reply broke off: it is compressed, and its end is missing.",
                    fix="Switch compression off in the proxy in front of the server.",
                )
            )


def inflater(encoding: str) -> Inflater | None:
    """What a ``Content-Encoding`` asks for; None where the body is plain.

    Raises:
        EndpointProblem: ``bad_shape``, it is neither gzip nor deflate.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return None
    if name in {"gzip", "x-gzip"}:
        return Inflater(31)
    if name == "deflate":
        return Inflater(15)
    raise EndpointProblem(
        Fault(
            "bad_shape",
            f"The reply is compressed ({one_line(name, 40)}) though plain text was asked for.",
            fix="Switch compression off in the proxy in front of the server.",
        )
    )
