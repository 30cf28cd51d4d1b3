"""A text to read at leisure, over a screen: what was sent and what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

if TYPE_CHECKING:
    from textual.app import ComposeResult


class EvidenceView(ModalScreen[None]):
    """``text`` under ``title``; it scrolls, wraps, and can be marked. Nothing in it is markup."""

    DEFAULT_CSS = """
    EvidenceView { align: center middle; }
    EvidenceView > Vertical {
        width: 100%; height: 100%; border: round $primary; background: $surface; padding: 0 1;
    }
    EvidenceView TextArea { height: 1fr; border: none; padding: 0; background: $surface; }
    EvidenceView Static { height: 1; color: $foreground 75%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Back")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """The text, and how to leave it."""
        with Vertical():
            yield Static(self._title, markup=False)
            yield TextArea(
                self._text, read_only=True, soft_wrap=True, show_cursor=False, compact=True
            )
            yield Static("↑ ↓ PgUp PgDn scroll · esc back", markup=False)

    def action_leave(self) -> None:
        """Back to the screen beneath."""
        self.dismiss(None)
