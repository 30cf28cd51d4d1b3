"""Servers found on this machine, one a line, to fill a form with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import on
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from core.discover.offers import Offer

LOOK: Final = "Look for servers on this machine again"


class FoundServers(Vertical):
    """A heading that says how far the search is, and what it found."""

    DEFAULT_CSS = "FoundServers { height: auto; }"

    class Chosen(Message):
        """One of the servers was chosen."""

        def __init__(self, offer: Offer) -> None:
            super().__init__()
            self.offer = offer

    def __init__(self, again: str, *, id: str | None = None) -> None:
        """``again``: the key that looks again."""
        super().__init__(id=id)
        self._none = f"No server on the usual ports here. {again} looks again."
        self.offers: tuple[Offer, ...] = ()

    def compose(self) -> ComposeResult:
        """The heading and the list."""
        yield Static(id="found-title", markup=False)
        yield OptionList(id="found", markup=False, compact=True)

    def looking(self) -> None:
        """Say that the search is under way."""
        self.query_one("#found-title", Static).update("looking for servers on this machine …")

    def show(self, offers: Sequence[Offer]) -> None:
        """Show what was found, or that nothing was."""
        self.offers = tuple(offers)
        self.query_one("#found-title", Static).update(
            "Found on this machine" if offers else self._none
        )
        found = self.query_one(OptionList)
        found.clear_options()
        found.add_options([Option(offer.line()) for offer in offers])
        found.highlighted = 0 if offers else None
        found.display = bool(offers)

    def enter(self) -> None:
        """Put the keyboard on the list."""
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        """Tell which one."""
        event.stop()
        self.post_message(self.Chosen(self.offers[event.option_index]))
