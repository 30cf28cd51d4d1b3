"""Finding a line of a list: while a part of it is typed, the other lines are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.visual import Visual
from textual.widgets import Input, OptionList

if TYPE_CHECKING:
    from textual.css.styles import RulesMap
    from textual.screen import Screen
    from textual.strip import Strip
    from textual.style import Style
    from textual.visual import RenderOptions, VisualType
    from textual.widgets.option_list import Option

ResultType = TypeVar("ResultType")


class Nothing(Visual):
    """What a line that does not fit shows: no line at all."""

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        """No line."""
        return []

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """It needs no room."""
        return 0

    def get_height(self, rules: RulesMap, width: int) -> int:
        """It takes no room."""
        return 0


NOTHING = Nothing()


class FindLine(Input):
    """Narrows one list for as long as it is open; enter or escape give the whole list back.

    Lines keep their numbers, so that what a screen knows by them stays true: those that do not
    fit are switched off and have no height.
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
        self._gone: dict[Option, VisualType] = {}
        """What the lines say that are not shown now."""
        self._off = frozenset(
            at for at in range(of.option_count) if of.get_option_at_index(at).disabled
        )

    @on(Input.Changed)
    def narrow(self, event: Input.Changed) -> None:
        """Leave the lines that have what is typed; the cursor goes to the first of them."""
        event.stop()
        found = self._of
        self._show_all()
        fitting = matching(found, event.value, self._off) if event.value else None
        for at in range(found.option_count):
            option = found.get_option_at_index(at)
            if fitting is None or at in fitting:
                continue
            self._gone[option] = option.prompt
            found.replace_option_prompt_at_index(at, NOTHING)
            found.disable_option_at_index(at)
        if fitting is not None and found.highlighted not in fitting:
            found.highlighted = next(iter(fitting), None)
        found.scroll_to_highlight()

    def _show_all(self) -> None:
        """All lines again, each as it was, or as the screen has drawn it since."""
        found = self._of
        for at in range(found.option_count):
            option = found.get_option_at_index(at)
            if option.prompt is NOTHING:
                found.replace_option_prompt_at_index(at, self._gone[option])
            if at not in self._off:
                found.enable_option_at_index(at)
        self._gone.clear()

    def action_step(self, way: int) -> None:
        """To the next fitting line, or the one before."""
        (self._of.action_cursor_down if way > 0 else self._of.action_cursor_up)()

    def action_close(self) -> None:
        """Give the list back, with the cursor where it stands."""
        found = self._of
        at = found.highlighted
        self._show_all()
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
