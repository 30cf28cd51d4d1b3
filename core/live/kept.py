"""Text that grows without end, in memory that does not: its beginning and its end are kept."""

from __future__ import annotations

from typing import Final

HEAD: Final = 256 * 1024
"""Characters kept of the beginning."""
TAIL: Final = 768 * 1024
"""Characters kept of the end, at least; up to twice as many in between."""

_PIECES: Final = 4096


class KeptText:
    """Pieces in, text out. Adding is cheap; what is not kept is counted, and said in its place."""

    __slots__ = ("_head", "_pieces", "_size", "_tail", "dropped")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._head = ""
        self._tail = ""
        self._pieces.clear()
        self._size = 0
        self.dropped = 0
        """Characters that are no longer kept."""

    def add(self, text: str) -> None:
        """One more piece."""
        self._pieces.append(text)
        self._size += len(text)
        if self._size > TAIL or len(self._pieces) >= _PIECES:
            self._fold()

    def take_all(self, other: KeptText) -> None:
        """Everything of ``other`` goes to the end of this, which leaves ``other`` empty."""
        other._fold()
        self.add(other._head)
        self.add(other._tail)
        self.dropped += other.dropped
        other.clear()

    def _fold(self) -> None:
        text = self._tail + "".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        room = HEAD - len(self._head)
        if room > 0:
            self._head += text[:room]
            text = text[room:]
        if len(text) > 2 * TAIL:
            self.dropped += len(text) - TAIL
            text = text[-TAIL:]
        self._tail = text

    def __str__(self) -> str:
        self._fold()
        if not self.dropped:
            return self._head + self._tail
        gap = f"\n[… {self.dropped:,} characters are not kept …]\n"
        return self._head + gap + self._tail
