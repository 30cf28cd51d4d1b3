"""Tool calls put together from the pieces in which they come, in memory that does not grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core.live.kept import KeptText

if TYPE_CHECKING:
    from core.live.events import ToolPiece

MOST: Final = 200
"""Calls of one answer that are kept; a model that calls without end makes more."""

SLOTS: Final = 10_000
"""Calls that are told apart at all; the pieces of any further one go to the last of them."""


class ToolCall(msgspec.Struct, frozen=True):
    """A tool call put together from its pieces; ``arguments`` is JSON text as it was sent."""

    id: str
    name: str
    arguments: str


class Calls:
    """The calls of one answer: the first :data:`MOST` are kept, the others are counted."""

    __slots__ = ("_kept", "count")

    def __init__(self) -> None:
        self._kept: list[_Pieces] = []
        self.count = 0
        """All calls, kept or not."""

    def clear(self) -> None:
        """Begin anew."""
        self._kept.clear()
        self.count = 0

    def add(self, piece: ToolPiece) -> None:
        """One more piece of one of them."""
        self.count = max(self.count, piece.index + 1)
        while len(self._kept) < min(self.count, MOST):
            self._kept.append(_Pieces())
        if piece.index < MOST:
            self._kept[piece.index].add(piece)

    def told(self) -> tuple[ToolCall, ...]:
        """Those that are kept, as far as they came."""
        return tuple(one.told() for one in self._kept)

    @property
    def more(self) -> int:
        """How many came after those that are kept."""
        return self.count - len(self._kept)

    @property
    def dropped(self) -> int:
        """Characters of the kept calls' arguments that are not kept."""
        return sum(one.arguments.dropped for one in self._kept)


class _Pieces:
    """One call while it comes."""

    __slots__ = ("arguments", "id", "name")

    def __init__(self) -> None:
        self.id = self.name = ""
        self.arguments = KeptText()

    def add(self, piece: ToolPiece) -> None:
        self.id = self.id or piece.id
        self.name = self.name or piece.name
        self.arguments.add(piece.arguments)

    def told(self) -> ToolCall:
        return ToolCall(self.id, self.name, str(self.arguments))
