"""The last lines of a text that comes too fast to be laid out: a frame costs the window alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from rich.style import Style
    from textual.selection import Selection

TAIL: Final = 4_000
"""Characters that are kept to be wrapped anew when the window changes."""


class Tail(Widget):
    """Shows the end of what was put in. Its size is its window's, whatever the text."""

    DEFAULT_CSS = """
    Tail { width: 1fr; height: 100%; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = ""
        self._lines = [""]
        self._style: Style | None = None

    def notify_style_update(self) -> None:
        """Another theme, or another focus."""
        super().notify_style_update()
        self._style = None

    @property
    def text(self) -> str:
        """What is kept."""
        return self._text

    def begin(self, text: str) -> None:
        """Show the end of ``text``."""
        self._text = text[-TAIL:]
        self._lines = [""]
        self._wrap(self._text)
        self.refresh()

    def put(self, text: str) -> None:
        """Add ``text``; control characters are visible in it already."""
        self._text = (self._text + text)[-TAIL:]
        self._wrap(text[-TAIL:])
        self.refresh()

    def on_resize(self) -> None:
        """Lines are as wide as the window."""
        self.begin(self._text)

    def _wrap(self, text: str) -> None:
        width = self.size.width
        if width < 1:
            return
        lines = self._lines
        for number, part in enumerate(text.expandtabs(4).split("\n")):
            if number:
                lines.append("")
            rest = lines[-1] + part
            while (cut := _fits(rest, width)) < len(rest):
                lines[-1] = rest[:cut]
                rest = rest[cut:].lstrip(" ")
                lines.append(rest)
            lines[-1] = rest
        del lines[: -max(self.size.height, 1)]

    def render_line(self, y: int) -> Strip:
        """One line of the window."""
        if self._style is None:
            self._style = self.rich_style  # asks every ancestor
        style = self._style
        text = self._lines[y] if y < len(self._lines) else ""
        return Strip([Segment(text, style)], cell_len(text)).adjust_cell_length(
            self.size.width, style
        )

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What is selected of the lines in the window."""
        return selection.extract("\n".join(self._lines)), "\n"


def _fits(text: str, width: int) -> int:
    """How many characters of ``text`` go on a line: up to a blank, where there is one."""
    if text.isascii():
        end = min(len(text), width)
    else:
        end = used = 0
        for character in text:
            used += get_character_cell_size(character)
            if used > width:
                break
            end += 1
    if end >= len(text):
        return len(text)
    blank = text.rfind(" ", 0, end + 1)
    return blank if blank > 0 else max(end, 1)
