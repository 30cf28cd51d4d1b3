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


TEXT: Final = 2 * 1024 * 1024
"""Characters of all kept calls together, names and ids too, that are kept."""


class ToolCall(msgspec.Struct, frozen=True):
    """A tool call put together from its pieces; ``arguments`` is JSON text as it was sent."""

    id: str
    name: str
    arguments: str


class Calls:
    """The calls of one answer: the first :data:`MOST` are kept, the others are counted.

    Of their text the first :data:`TEXT` characters are kept, of whichever call they are.
    """

    __slots__ = ("_kept", "_room", "count")

    def __init__(self) -> None:
        self._kept: list[_Pieces] = []
        self.count = 0
        """All calls, kept or not."""
        self._room = TEXT

    def clear(self) -> None:
        """Begin anew."""
        self._kept.clear()
        self.count = 0
        self._room = TEXT

    def add(self, piece: ToolPiece) -> None:
        """One more piece of one of them."""
        self.count = max(self.count, piece.index + 1)
        while len(self._kept) < min(self.count, MOST):
            self._kept.append(_Pieces())
        if piece.index < MOST:
            self._room -= self._kept[piece.index].add(piece, self._room)

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
        return sum(one.arguments.dropped + one.cut for one in self._kept)


class _Pieces:
    """One call while it comes."""

    __slots__ = ("arguments", "cut", "id", "name")

    def __init__(self) -> None:
        self.id = self.name = ""
        self.arguments = KeptText()
        self.cut = 0
        """Characters at the end of the arguments for which there was no room."""

    def add(self, piece: ToolPiece, room: int) -> int:
        """Take what there is room for; how much that is."""
        taken = 0
        if not self.id and piece.id:
            self.id = piece.id[:room]
            taken = len(self.id)
        if not self.name and piece.name:
            self.name = piece.name[: room - taken]
            taken += len(self.name)
        text = piece.arguments if self.cut == 0 else ""
        if len(text) > room - taken:
            text = text[: room - taken]
        self.cut += len(piece.arguments) - len(text)
        if text:
            self.arguments.add(text)
        return taken + len(text)

    def told(self) -> ToolCall:
        text = str(self.arguments)
        if self.cut:
            text += f"\n[… {self.cut:,} characters are not kept …]"
        return ToolCall(self.id, self.name, text)
