"""A labelled input with a line below it that says, as one types, what is right or wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from core.text import one_line
from tui.widgets.key_input import KeyInput

if TYPE_CHECKING:
    from textual.app import ComposeResult

Tone = Literal["quiet", "good", "warn", "bad"]
SIGNS: dict[Tone, str] = {"quiet": "", "good": "✓ ", "warn": "▲ ", "bad": "✗ "}
STYLES: dict[Tone, str] = {
    "quiet": "$foreground 75%",
    "good": "$success",
    "warn": "$warning",
    "bad": "$error",
}


class Field(Vertical):
    """Label, input, and the verdict on what stands in it."""

    DEFAULT_CSS = """
    Field { height: auto; }
    Field > Horizontal { height: 1; }
    Field Label { width: 10; color: $primary; text-style: bold; }
    Field Input { width: 1fr; }
    Field > .note { margin-left: 10; height: auto; min-height: 1; }
    """

    def __init__(
        self, label: str, *, id: str, placeholder: str = "", password: bool = False
    ) -> None:
        super().__init__(id=id)
        self._label = label
        self._placeholder = placeholder
        self._password = password

    def compose(self) -> ComposeResult:
        """Label and input on one line, the note below."""
        with Horizontal():
            yield Label(self._label)
            name = f"{self.id}-input"
            if self._password:
                yield KeyInput(placeholder=self._placeholder, id=name)
            else:
                yield Input(placeholder=self._placeholder, compact=True, id=name)
        yield Static(classes="note", markup=False)

    @property
    def input(self) -> Input:
        """The input itself."""
        return self.query_one(Input)

    @property
    def value(self) -> str:
        """What stands in the input."""
        return self.input.value

    @value.setter
    def value(self, value: str) -> None:
        self.input.value = value

    def say(self, *lines: tuple[Tone, str]) -> None:
        """Show the notes, one a line; none clears them."""
        content = [
            Content.styled(f"{SIGNS[tone]}{one_line(text)}", STYLES[tone]) for tone, text in lines
        ]
        self.query_one(".note", Static).update(Content("\n").join(content))
