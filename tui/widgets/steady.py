"""A line that is painted many times a second and hardly ever asks for a new layout."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static


class Steady(Static):
    """Text of ours or made visible, never markup. The same text again costs nothing."""

    def __init__(
        self, text: str = "", *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(text, id=id, classes=classes, markup=False)
        self._stands = Content(text)

    def put(self, content: Content | str) -> None:
        """Show ``content``; the screen is laid out anew only where its size may have changed."""
        new = Content(content) if isinstance(content, str) else content
        old, self._stands = self._stands, new
        if not new.is_same(old):
            self.update(new, layout=_size(old) != _size(new))


def _size(content: Content) -> list[int]:
    return [cell_len(line) for line in content.plain.split("\n")]
