"""A fault where it belongs: what happened, why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from textual.content import Content
from textual.widgets import Static

from core import __version__
from core.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.screen import Screen

    from core.errors import Fault

ResultType = TypeVar("ResultType")
COPY_FAULT: Final = "Copy the error's details for a report; keys are masked"


class FaultBox(Static):
    """Shows one fault, or nothing at all."""

    DEFAULT_CSS = """
    FaultBox { height: auto; display: none; border-left: thick $error; padding: 0 1; margin: 1 0; }
    FaultBox.-shown { display: block; }
    """

    fault: Fault | None = None
    """The one that stands there."""

    def show(self, fault: Fault) -> None:
        """Show ``fault``."""
        self.fault = fault
        parts = [(visible(fault.what), "bold $error")]
        if fault.why:
            parts.append((f"\nwhy  {visible(fault.why)}", "$foreground 75%"))
        if fault.fix:
            parts.append((f"\nfix  {visible(fault.fix)}", "$success"))
        self.update(Content.assemble(*parts))
        self.set_class(True, "-shown")

    def details(self) -> str:
        """The fault as a person pastes it into a report. Keys are masked where faults are made."""
        return "" if self.fault is None else details(self.fault)

    def clear(self) -> None:
        """Show nothing."""
        self.fault = None
        self.update("")
        self.set_class(False, "-shown")


def details(fault: Fault) -> str:
    """What a person pastes into a report of ``fault``."""
    lines = [f"{fault.what} ({fault.code})", f"why: {fault.why}", f"fix: {fault.fix}"]
    return visible("\n".join([*lines, f"turnkey {__version__}"]))


def copy_faults(
    screen: Screen[ResultType], env: Mapping[str, str], beside: Iterable[str] = ()
) -> None:
    """Copy the faults that stand on ``screen``; ``env`` tells what the terminal is behind.

    ``beside``: those of them that have no box of their own.
    """
    from tui.clipboard import copy

    shown = [box.details() for box in screen.query(FaultBox) if box.has_class("-shown")]
    shown += beside
    if shown:
        copy(screen.app, "\n\n".join(shown), env)
