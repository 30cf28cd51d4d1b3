"""Replies of real servers, kept in ``tests/data/wire``: status line, headers, body."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "data" / "wire"


@dataclass(frozen=True, slots=True)
class Transcript:
    """One recorded reply. Header names are lower-cased."""

    status: int
    headers: dict[str, str]
    body: bytes


def load(name: str) -> Transcript:
    """The reply recorded as ``<server>/<request>``."""
    head, _, body = (FOLDER / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        key, _, value = line.partition(":")
        headers[key.strip().lower()] = value.strip()
    return Transcript(int(first.split()[1]), headers, body)
