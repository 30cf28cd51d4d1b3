"""Unreadable: the file cannot be parsed; it is not touched, and the place is named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.widgets.fault import COPY_FAULT, FaultBox, copy_faults

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.errors import Fault


class UnreadableScreen(Screen[bool]):
    """The fault with its line and column; True asks to try again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "Try again", id="again", tooltip="Read the file again"),
        Binding("ctrl+y,y", "copy_fault", "Copy", id="copy-fault", tooltip=COPY_FAULT),
        Binding("q,escape", "app.quit", "Quit", id="quit", tooltip="Leave turnkey"),
    ]

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault

    def compose(self) -> ComposeResult:
        """What is wrong, and that nothing was changed."""
        with Vertical(id="unreadable"):
            yield Static("turnkey cannot read this file, and has not touched it.")
            yield FaultBox(id="fault")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Show the fault."""
        self.query_one(FaultBox).show(self.fault)

    def action_copy_fault(self) -> None:
        """Copy the error, for a report; keys are masked where it was made."""
        copy_faults(self, os.environ)

    def action_again(self) -> None:
        """Read again; the file may be mended by now."""
        self.dismiss(True)
