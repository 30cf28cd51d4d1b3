"""Recorded streams of real servers (tests/data/wire), replayed as events."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from core.live.events import Event, Headers, Started
from core.live.meter import Meter
from core.live.reader import EventReader, StreamReader
from core.providers.base_url import read_base_url

WIRE: Final = Path(__file__).parents[2] / "data" / "wire"
BASE: Final = read_base_url("http://127.0.0.1:4000/v1")


def recorded(name: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of ``<server>/<transcript>``."""
    head, _, body = (WIRE / f"{name}.sse").read_bytes().partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}, body


def reader() -> StreamReader:
    """A reader for one stream."""
    return StreamReader(EventReader(BASE, model="tiny-qwen3"), 1 << 20)


def events_of(body: bytes, *, at: float = 1.0) -> list[Event]:
    """All events of a body that came in one piece."""
    stream = reader()
    return [*stream.feed(body, at), *stream.end(at)]


def replayed(name: str, every: float = 0.05) -> list[Event]:
    """The events of a transcript, one server event each ``every`` seconds after 0.5 s."""
    headers, body = recorded(name)
    stream = reader()
    events: list[Event] = [Started(0.0), Headers(0.4, 200, headers)]
    at = 0.5
    for part in body.split(b"\n\n"):
        events += stream.feed(part + b"\n\n", at)
        at += every
    return [*events, *stream.end(at)]


def metered(events: list[Event], asked: str | None = None) -> Meter:
    """A meter that has seen all of ``events``."""
    meter = Meter(asked)
    for event in events:
        meter.apply(event)
    return meter
