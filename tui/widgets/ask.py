"""Small questions over a screen: a line of text, or one of a few answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from core.text import one_line, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

LEAST_WIDE, WIDEST, AROUND = 54, 90, 6
"""Columns of a box, and of its border and its padding."""
BOX = """
    {name} {{ align: center middle; }}
    {name} > Vertical, {name} > VerticalScroll {{
        width: 70%; max-width: 90; min-width: 54; height: auto; max-height: 90%; overflow-y: auto;
        border: round $primary; background: $surface; padding: 1 2;
    }}
    {name} Horizontal {{ height: auto; margin-top: 1; }}
    {name} Button {{ margin-right: 1; min-width: 8; }}
    {name}.-stacked Horizontal {{ layout: vertical; }}
    {name}.-stacked Button {{ width: 100%; content-align: left middle; text-align: left; }}
"""


class AskText(ModalScreen[str | None]):
    """Asks for a line of text; None when it was left."""

    DEFAULT_CSS = BOX.format(name="AskText")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]

    def __init__(self, question: str, *, placeholder: str = "", value: str = "") -> None:
        """``value`` stands on the line already, to be taken or changed."""
        super().__init__()
        self._question = question
        self._placeholder = placeholder
        self._value = value

    def compose(self) -> ComposeResult:
        """The question and a line to answer on."""
        with Vertical():
            yield Static(self._question, markup=False)
            yield Input(self._value, placeholder=self._placeholder, compact=True)

    @on(Input.Submitted)
    def answer(self, event: Input.Submitted) -> None:
        """Enter gives the line back."""
        self.dismiss(event.value.strip() or None)

    def action_leave(self) -> None:
        """Escape answers nothing."""
        self.dismiss(None)


class AskChoice(ModalScreen[str | None]):
    """Asks for one of a few answers; None when it was left."""

    DEFAULT_CSS = BOX.format(name="AskChoice")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("ctrl+y", "copy", "Copy", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, question: str, answers: Sequence[tuple[str, str]]) -> None:
        """``answers``: (id, label) each; the first has the focus."""
        super().__init__()
        self._question = question
        self._answers = tuple(answers)

    def compose(self) -> ComposeResult:
        """The question and a button an answer."""
        with Vertical():
            yield Static(self._question, markup=False)
            with Horizontal():
                for answer, label in self._answers:
                    yield Button(label, id=answer, compact=True)

    def on_resize(self) -> None:
        """The answers stand below one another where a line has no room for them."""
        wanted = sum(max(8, len(label) + 4) + 1 for _, label in self._answers)
        box = min(WIDEST, max(LEAST_WIDE, self.app.size.width * 7 // 10))
        self.set_class(wanted > box - AROUND, "-stacked")

    @on(Button.Pressed)
    def answer(self, event: Button.Pressed) -> None:
        """A button gives its answer back."""
        self.dismiss(event.button.id)

    def action_copy(self) -> None:
        """Copy what is asked, for a report: keys are masked where questions are made."""
        from tui.clipboard import copy

        copy(self.app, visible(self._question), os.environ)

    def action_leave(self) -> None:
        """Escape answers nothing."""
        self.dismiss(None)


class Explain(ModalScreen[None]):
    """Says something at length over a screen; any of enter, escape and ``w`` closes it."""

    DEFAULT_CSS = BOX.format(name="Explain")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("enter,w", "leave", show=False),
    ]

    def __init__(self, *paragraphs: str) -> None:
        super().__init__()
        self._text = "\n\n".join(one_line(part, 1000) for part in paragraphs if part)

    def compose(self) -> ComposeResult:
        """The paragraphs, and how to leave."""
        with VerticalScroll(can_focus=False):
            yield Static(self._text, markup=False)
            yield Static("\nesc  back", markup=False)

    def action_leave(self) -> None:
        """Back to the screen."""
        self.dismiss(None)
