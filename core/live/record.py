"""What was sent and what came back, kept in bounded memory for whoever inspects a request."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Final

from core.keys.secret import MASK, Secret
from core.live.watching import Exchange, Record
from core.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.providers.base_url import BaseUrl

HEAD_BYTES: Final = 128 * 1024
"""Bytes of the stream's beginning that are kept."""
TAIL_BYTES: Final = 256 * 1024
"""Bytes of the stream's end that are kept."""
_MASKED: Final = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "api-key", "cookie"}
)
_WITHHELD: Final = "(not shown: the server sent the key back in pieces)"


class Told:
    """A copy of what was kept, to be shaped outside the lock."""

    __slots__ = (
        "body",
        "chunks",
        "gap",
        "head",
        "headers",
        "reply",
        "started",
        "status",
        "tail",
        "url",
    )

    def __init__(self) -> None:
        self.url = ""
        self.headers: tuple[tuple[str, str], ...] = ()
        self.body = b""
        self.status: int | None = None
        self.reply: tuple[tuple[str, str], ...] = ()
        self.started: float | None = None
        self.head: list[tuple[float, bytes]] = []
        self.tail: list[tuple[float, bytes]] = []
        self.gap = False
        """Something between head and tail is no longer kept."""
        self.chunks = 0


class Recorder:
    """Takes what goes and comes; a new request begins anew. The key is masked when it is shown."""

    def __init__(
        self, base: BaseUrl, key: Secret | None, headers: Mapping[str, Secret | str]
    ) -> None:
        self._base = base
        secrets = [value for value in headers.values() if isinstance(value, Secret)]
        self._secrets = [one for one in (key, *secrets) if one]
        self._hidden = _MASKED | {
            name.lower() for name, value in headers.items() if isinstance(value, Secret)
        }
        self._told = Told()
        self._tail: deque[tuple[float, bytes]] = deque()
        self._head_bytes = self._tail_bytes = 0
        self._end = b""
        self.chunks = 0
        """How many records of the stream came whole: chunks, comments, the word at its end."""

    def sent(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """A request goes out."""
        self._told = Told()
        self._told.url, self._told.body = url, body
        self._told.headers = tuple(
            (name, MASK if name.lower() in self._hidden else value) for name, value in headers
        )
        self._tail.clear()
        self._head_bytes = self._tail_bytes = self.chunks = 0
        self._end = b""

    def started(self, at: float) -> None:
        """Its first byte is on the way; records are timed from here."""
        self._told.started = at

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """The head of the reply."""
        self._told.status = status
        self._told.reply = tuple(headers.items())

    def read(self, data: bytes, at: float) -> None:
        """Bytes of the reply's body."""
        told = self._told
        # an empty line may be cut between two reads
        self.chunks += _records_in(self._end + data if self._end else data)
        tail = data[-3:]
        whole = tail.endswith((b"\n\n", b"\n\r\n"))
        self._end = b"" if whole else tail[len(tail.rstrip(b"\r\n")) :]
        if self._head_bytes < HEAD_BYTES and not self._tail:
            self._head_bytes += len(data)
            told.head.append((at, data))
            return
        self._tail.append((at, data))
        self._tail_bytes += len(data)
        while self._tail_bytes > TAIL_BYTES and len(self._tail) > 1:
            _, gone = self._tail.popleft()
            self._tail_bytes -= len(gone)
            told.gap = True

    def told(self) -> Told:
        """A copy of what is kept so far."""
        told, copy = self._told, Told()
        copy.url, copy.headers, copy.body = told.url, told.headers, told.body
        copy.status, copy.reply, copy.started = told.status, told.reply, told.started
        copy.head, copy.tail = list(told.head), list(self._tail)
        copy.gap, copy.chunks = told.gap, self.chunks
        return copy

    def shown(self, told: Told) -> Exchange:
        """The exchange in words, the key masked in every place."""
        started = told.started
        if told.gap:  # what the gap cut in two is left out on both sides of it
            first = _records(told.head, started, cut=True)
            last = _records(told.tail, started)[1:]
        else:
            first, last = _records([*told.head, *told.tail], started), []
        records = [*first, *last]
        dropped = max(told.chunks - len(records), 0) if told.gap else 0
        if self._echoed(records):
            records = [Record(record.at_s, _WITHHELD) for record in records]
        else:
            records = [Record(record.at_s, self._masked(record.text)) for record in records]
        return Exchange(
            method="POST",
            url=self._masked(told.url),
            request_headers=tuple((name, self._masked(value)) for name, value in told.headers),
            body=self._masked(_pretty(told.body)),
            status=told.status,
            reply_headers=tuple(
                (visible(self._masked(name)), visible(self._masked(value)))
                for name, value in told.reply
            ),
            records=tuple(records),
            dropped=dropped,
            kept_first=len(first),
        )

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = secret.redact(text)
        return text

    def _echoed(self, records: list[Record]) -> bool:
        """Whether the texts of the records, one after the other, hold a key that none holds alone.

        A server may stream it back a token at a time; no single record shows it then.
        """
        if not self._secrets:
            return False
        joined: dict[str, list[str]] = {}
        for record in records:
            _leaves(record.text, joined)
        for parts in joined.values():
            whole = "".join(parts)
            if self._masked(whole) != "".join(map(self._masked, parts)):
                return True
        return False


def _records_in(data: bytes) -> int:
    return data.count(b"\n\n") + (data.count(b"\n\r\n") if b"\r" in data else 0)


def _records(
    chunks: list[tuple[float, bytes]], started: float | None, *, cut: bool = False
) -> list[Record]:
    """Chunks split at empty lines; a record has the time of the chunk that completed it.

    With ``cut`` what follows the last empty line is left out.
    """
    records: list[Record] = []
    rest = b""
    at = 0.0
    for at, data in chunks:
        rest += data.replace(b"\r\n", b"\n")
        *whole, rest = rest.split(b"\n\n")
        since = at - (started if started is not None else at)
        records += [Record(since, _text(one)) for one in whole if one.strip()]
    if rest.strip() and not cut:
        records.append(Record(at - (started if started is not None else at), _text(rest)))
    return records


def _text(data: bytes) -> str:
    return visible(data.decode("utf-8", "replace").strip("\n"))


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return visible(body.decode("utf-8", "replace"))


def _leaves(text: str, joined: dict[str, list[str]]) -> None:
    """Add the strings of a record's JSON to ``joined``, by where they stand."""
    for line in text.splitlines():
        if not line.startswith("data:"):
            continue
        try:
            value: object = json.loads(line[5:])
        except (ValueError, RecursionError):
            continue
        _walk(value, "", joined, 0)


def _walk(value: object, path: str, joined: dict[str, list[str]], depth: int) -> None:
    if isinstance(value, str):
        joined.setdefault(path, []).append(value)
    elif depth > 8:
        return
    elif isinstance(value, dict):
        for name, item in value.items():
            _walk(item, f"{path}.{name}", joined, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _walk(item, path, joined, depth + 1)
