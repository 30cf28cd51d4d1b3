"""A fault where it belongs: what happened, why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from core.text import visible

if TYPE_CHECKING:
    from core.errors import Fault


class FaultBox(Static):
    """Shows one fault, or nothing at all."""

    DEFAULT_CSS = """
    FaultBox { height: auto; display: none; border-left: thick $error; padding: 0 1; margin: 1 0; }
    FaultBox.-shown { display: block; }
    """

    def show(self, fault: Fault) -> None:
        """Show ``fault``."""
        parts = [(visible(fault.what), "bold $error")]
        if fault.why:
            parts.append((f"\nwhy  {visible(fault.why)}", "$foreground 75%"))
        if fault.fix:
            parts.append((f"\nfix  {visible(fault.fix)}", "$success"))
        self.update(Content.assemble(*parts))
        self.set_class(True, "-shown")

    def clear(self) -> None:
        """Show nothing."""
        self.update("")
        self.set_class(False, "-shown")
