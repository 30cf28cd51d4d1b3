"""The line that a key is typed or pasted into: masked, and it gives nothing back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message
from textual.widgets import Input

if TYPE_CHECKING:
    from textual import events


class KeyInput(Input):
    """An input for a key. What stands in it cannot be copied or cut into a clipboard."""

    class ManyLines(Message):
        """Several lines were pasted, of which only the first was taken."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    def __init__(self, *, placeholder: str = "", id: str | None = None) -> None:
        super().__init__(placeholder=placeholder, password=True, compact=True, id=id)

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line that has something on it, and say so when there were more."""
        event.stop()
        event.prevent_default()
        lines = [line for line in event.text.splitlines() if line.strip()]
        if not lines:
            return
        self.replace(lines[0], *self.selection)
        if len(lines) > 1:
            self.post_message(self.ManyLines(len(lines)))

    def action_copy(self) -> None:
        """A key never reaches a clipboard."""

    def action_cut(self) -> None:
        """Cutting takes the key away and keeps it nowhere."""
        self.delete_selection()
