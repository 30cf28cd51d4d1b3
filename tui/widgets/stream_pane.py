"""Streamed text that is painted at frame rate, however fast it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from core.text import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

TAIL: Final = 4_000
"""Characters shown while text streams: a frame then costs the window, not the text."""

KEPT: Final = 200_000
"""Characters kept for reading afterwards; what came earlier is said to be gone."""

FRAME_S: Final = 1 / 20


class StreamPane(VerticalScroll, can_focus=True):
    """Text that arrives in pieces. It follows the end until one scrolls up."""

    DEFAULT_CSS = """
    StreamPane { border: round $panel; padding: 0 1; scrollbar-size-vertical: 1; }
    StreamPane:focus { border: round $primary; }
    StreamPane > Static { width: 1fr; height: auto; }
    """

    def __init__(self, title: str, *, id: str) -> None:
        super().__init__(id=id)
        self._title = title
        self._text = ""
        self._dropped = 0
        self._pending: list[str] = []
        self.border_title = title

    def compose(self) -> ComposeResult:
        """One block of text."""
        yield Static(markup=False)

    def on_mount(self) -> None:
        """Paint twenty times a second."""
        self.set_interval(FRAME_S, self.flush)

    @property
    def text(self) -> str:
        """All that was received and kept, painted or not."""
        return self._text + "".join(self._pending)

    def push(self, text: str) -> None:
        """Take a piece; it is painted with the next frame."""
        self._pending.append(text)

    def clear(self) -> None:
        """Forget everything."""
        self._text = ""
        self._dropped = 0
        self._pending.clear()
        self.query_one(Static).update("")
        self.note("")

    def note(self, words: str) -> None:
        """Words beside the title: counts and rates."""
        self.border_title = f"{self._title}  {words}" if words else self._title

    def flush(self) -> None:
        """Paint what came since the last frame."""
        if not self._pending:
            return
        self._text += "".join(self._pending)
        self._pending.clear()
        if len(self._text) > KEPT:
            self._dropped += len(self._text) - KEPT
            self._text = self._text[-KEPT:]
        tail = self._text[-TAIL:]
        if len(tail) < len(self._text):
            tail = "…" + tail
        self._paint(tail)

    def _paint(self, text: str) -> None:
        # Textual's own anchor() pushes a text shorter than the window to its bottom (8.2.8).
        at_end = self.scroll_y >= self.max_scroll_y - 1
        self.query_one(Static).update(Content(visible(text)))
        if at_end:
            self.call_after_refresh(self.scroll_end, animate=False)

    def finish(self) -> None:
        """The stream is over: show all that was kept."""
        self.flush()
        gone = f"… ({self._dropped:,} characters before this are no longer kept)\n"
        shown = (gone if self._dropped else "") + self._text
        self._paint(shown)
