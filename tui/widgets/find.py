"""Finding a line of a list: while a part of it is typed, the other lines step back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList

if TYPE_CHECKING:
    from textual.screen import Screen

ResultType = TypeVar("ResultType")


class FindLine(Input):
    """Narrows one list for as long as it is open; enter or escape give the whole list back.

    Lines keep their places, so that what a screen knows by their number stays true.
    """

    DEFAULT_CSS = """
    FindLine, FindLine.-textual-compact {
        dock: bottom; margin-bottom: 1; height: 1; background: $panel; padding: 0 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "close", "To the list", id="find-close"),
        Binding("down,ctrl+n", "step(1)", "Next", show=False),
        Binding("up,ctrl+p", "step(-1)", "Previous", show=False),
    ]

    def __init__(self, of: OptionList) -> None:
        super().__init__(placeholder="a part of the line · ↑ ↓ move · enter takes it", compact=True)
        self._of = of
        self._before = of.highlighted
        self._off = frozenset(
            at for at in range(of.option_count) if of.get_option_at_index(at).disabled
        )

    @on(Input.Changed)
    def narrow(self, event: Input.Changed) -> None:
        """Leave the lines that have what is typed; the cursor goes to the first of them."""
        event.stop()
        fitting = matching(self._of, event.value, self._off)
        for at in range(self._of.option_count):
            if at in fitting:
                self._of.enable_option_at_index(at)
            else:
                self._of.disable_option_at_index(at)
        if self._of.highlighted not in fitting:
            self._of.highlighted = next(iter(fitting), None)

    def action_step(self, way: int) -> None:
        """To the next fitting line, or the one before."""
        (self._of.action_cursor_down if way > 0 else self._of.action_cursor_up)()

    def action_close(self) -> None:
        """Give the list back, with the cursor where it stands."""
        found = self._of
        at = found.highlighted
        for place in range(found.option_count):
            if place not in self._off:
                found.enable_option_at_index(place)
        found.highlighted = self._before if at is None else at
        found.focus()
        self.remove()


def matching(of: OptionList, part: str, off: frozenset[int] = frozenset()) -> list[int]:
    """The places of the lines that have ``part``, in any case of letters; ``off`` never fit."""
    wanted = part.casefold()
    return [
        at
        for at in range(of.option_count)
        if at not in off and wanted in str(of.get_option_at_index(at).prompt).casefold()
    ]


def find_in(screen: Screen[ResultType]) -> None:
    """Open the line for the list with the keyboard, else for the first that is shown."""
    lists = [one for one in screen.query(OptionList) if one.display and one.option_count > 1]
    if screen.query(FindLine) or not lists:
        return
    focused = screen.focused
    line = FindLine(focused if isinstance(focused, OptionList) else lists[0])
    screen.mount(line)
    line.focus()
