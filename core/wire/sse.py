"""Server-sent events out of bytes, however the bytes were cut on the way.

Follows the event stream format of the HTML standard (whatwg.org, "Server-sent events"), with two
liberties that real servers need: an event that the end of the stream cut off before its empty
line is still given by :meth:`SseDecoder.finish`, and a line that is no field at all is kept in
:attr:`SseDecoder.stray`, because a bare JSON error between events is the only word a server may
have left.
"""

from __future__ import annotations

from typing import Final, Self

from core.errors import EndpointProblem, Fault

LINE_BYTES: Final = 1 << 20
"""The longest line, and the longest event, that is read unless told otherwise: 1 MiB."""

_STRAY_BYTES: Final = 4096
_BOM: Final = b"\xef\xbb\xbf"


class NamedPayload(bytes):
    """The payload of an event that carried an ``event:`` line other than ``message``."""

    event: str

    def __new__(cls, payload: bytes, event: str) -> Self:
        """``payload`` with the name of its event."""
        named = super().__new__(cls, payload)
        named.event = event
        return named


class Comment(bytes):
    """The text of a comment line, given only by a decoder made with ``keep_comments``."""


class SseDecoder:
    r"""Bytes in, payloads out. ``\n``, ``\r\n`` and ``\r`` end a line, split anywhere.

    ``line_bytes`` bounds a line and the joined ``data:`` of one event. With ``keep_comments``
    each comment comes as a :class:`Comment` in its place among the payloads.
    """

    __slots__ = (
        "_data",
        "_data_bytes",
        "_event",
        "_first_line",
        "_keep_comments",
        "_line_bytes",
        "_partial",
        "_partial_bytes",
        "_skip_line_feed",
        "comments",
        "stray",
    )

    def __init__(self, line_bytes: int = LINE_BYTES, *, keep_comments: bool = False) -> None:
        self._line_bytes = line_bytes
        self._keep_comments = keep_comments
        self._partial: list[bytes] = []
        self._partial_bytes = 0
        self._skip_line_feed = False
        self._first_line = True
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._event = ""
        self.comments = 0
        """How many comment lines came: a server's signs of life."""
        self.stray = b""
        """The first lines that were no fields, cut after 4 KiB."""

    def feed(self, data: bytes) -> list[bytes]:
        r"""The payloads that ``data`` completes, one per event; its lines joined by ``\n``.

        A payload is plain ``bytes``, or a :class:`NamedPayload` when its event had a name.
        Raises :class:`core.errors.EndpointProblem` (``too_large``) for a line over the bound.
        """
        if not data:
            return []
        if self._skip_line_feed:
            self._skip_line_feed = False
            if data[:1] == b"\n":
                data = data[1:]
        if b"\r" in data:
            self._skip_line_feed = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = data.split(b"\n")
        tail = lines.pop()
        payloads: list[bytes] = []
        if lines:
            if self._partial:
                self._partial.append(lines[0])
                lines[0] = b"".join(self._partial)
                self._partial.clear()
                self._partial_bytes = 0
            for line in lines:
                self._line(line, payloads)
        if tail:
            self._partial.append(tail)
            self._partial_bytes += len(tail)
            if self._partial_bytes > self._line_bytes:
                raise self._too_large()
        return payloads

    def finish(self) -> list[bytes]:
        """What the stream's end left without its empty line, if anything. It may be cut off."""
        payloads: list[bytes] = []
        if self._partial:
            line = b"".join(self._partial)
            self._partial.clear()
            self._partial_bytes = 0
            self._line(line, payloads)
        self._dispatch(payloads)
        return payloads

    def _line(self, line: bytes, payloads: list[bytes]) -> None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(_BOM)
        if not line:
            if self._data:
                self._dispatch(payloads)
            self._event = ""
            return
        if len(line) > self._line_bytes:
            raise self._too_large()
        if line.startswith(b"data:"):
            value = line[6:] if line.startswith(b"data: ") else line[5:]
            self._data.append(value)
            self._data_bytes += len(value)
            if self._data_bytes > self._line_bytes:
                raise self._too_large()
        elif line.startswith(b":"):
            self.comments += 1
            if self._keep_comments:
                payloads.append(Comment(line[1:].strip()))
        elif line.startswith(b"event:"):
            self._event = line[6:].strip().decode("utf-8", "replace")
        elif line == b"data":
            self._data.append(b"")
        elif not line.startswith((b"id", b"retry")) and len(self.stray) < _STRAY_BYTES:
            self.stray = (self.stray + line)[:_STRAY_BYTES]

    def _too_large(self) -> EndpointProblem:
        """Forget what was too large, so that the end of the stream does not meet it again."""
        self._partial.clear()
        self._data.clear()
        self._partial_bytes = self._data_bytes = 0
        return _too_large(self._line_bytes)

    def _dispatch(self, payloads: list[bytes]) -> None:
        if not self._data:
            return
        payload = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data.clear()
        self._data_bytes = 0
        if self._event and self._event != "message":
            payload = NamedPayload(payload, self._event)
        self._event = ""
        payloads.append(payload)


def _too_large(bound: int) -> EndpointProblem:
    return EndpointProblem(
        Fault(
            code="too_large",
            what=f"The server sent a line of more than {bound:,} bytes.",
            why="No chat model streams pieces that long; what answers is likely something else.",
            fix="Check that the base URL is that of a chat API.",
        )
    )
