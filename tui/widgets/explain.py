"""What the figures on the screen mean, each beside its value."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from core.live.meanings import LIVE, clock_meaning, count_meaning, explained
from tui.widgets.ask import BOX

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.live.figures import CountsFrom, Figures


class ExplainFigures(ModalScreen[None]):
    """Every figure: its value in this run, its unit, its definition."""

    DEFAULT_CSS = (
        BOX.format(name="ExplainFigures")
        + """
    ExplainFigures > Vertical { width: 94%; max-width: 104; height: 90%; padding: 0 1; }
    ExplainFigures VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
    ExplainFigures VerticalScroll > Static { height: auto; width: 1fr; }
    ExplainFigures .-words { margin-left: 4; color: $foreground 75%; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,equals_sign", "leave", "Back"),
    ]

    def __init__(self, figures: Figures, counts_from: CountsFrom) -> None:
        super().__init__()
        self._figures = figures
        self._counts_from = counts_from

    def compose(self) -> ComposeResult:
        """A line and its words a figure."""
        with Vertical():
            yield Static(
                Content.styled("What the figures mean", "bold $primary"), id="explain-title"
            )
            with VerticalScroll():
                if self._figures.first_token_s is not None:
                    yield Static(Content(count_meaning(self._counts_from)))
                    yield Static(Content(clock_meaning(self._figures)))
                for one in explained(self._figures, self._counts_from):
                    line = f"{one.label:<18} "
                    yield Static(Content.assemble((line, "bold"), (one.value, "$primary")))
                    yield Static(Content(one.words), classes="-words")
                yield Static(Content(LIVE), classes="-words")
            yield Static(Content.styled("esc back   ↑ ↓ more", "$foreground 70%"))

    def on_mount(self) -> None:
        """The arrows scroll at once."""
        self.query_one(VerticalScroll).focus()

    def action_leave(self) -> None:
        """Back to the stream, which went on."""
        self.dismiss(None)
