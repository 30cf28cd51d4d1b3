"""Picking from a list over a screen: one, or several."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.text import one_line, visible
from tui.widgets.ask import BOX

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from textual.app import ComposeResult

_LIST = """
    {name} OptionList {{
        text-wrap: nowrap; text-overflow: ellipsis; height: auto; max-height: 12;
        margin: 1 0; background: $surface;
    }}
    {name} #pick-words {{ height: 4; color: $foreground 75%; }}
"""


class AskPick(ModalScreen[str | None]):
    """Asks for one of a list; what each is stands below. None when it was left."""

    DEFAULT_CSS = BOX.format(name="AskPick") + _LIST.format(name="AskPick")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]

    def __init__(self, question: str, choices: Sequence[tuple[str, str, str]], now: str) -> None:
        """``choices``: id, label and words each; ``now``: the id that the cursor stands on."""
        super().__init__()
        self._question = question
        self._choices = tuple(choices)
        self._now = now

    def compose(self) -> ComposeResult:
        """The question, the list, and words on the one at the cursor."""
        with Vertical():
            yield Static(self._question, markup=False)
            yield OptionList(
                *(
                    Option(Content(one_line(label, 70)), id=name)
                    for name, label, _ in self._choices
                ),
                markup=False,
            )
            yield Static(id="pick-words", markup=False)

    def on_mount(self) -> None:
        """The cursor on what stands now."""
        ids = [name for name, _, _ in self._choices]
        self.query_one(OptionList).highlighted = ids.index(self._now) if self._now in ids else 0

    @on(OptionList.OptionHighlighted)
    def tell(self, event: OptionList.OptionHighlighted) -> None:
        """What the choice at the cursor is."""
        event.stop()
        words = {name: words for name, _, words in self._choices}
        self.query_one("#pick-words", Static).update(Content(visible(words[event.option_id or ""])))

    @on(OptionList.OptionSelected)
    def answer(self, event: OptionList.OptionSelected) -> None:
        """Enter gives it back."""
        event.stop()
        self.dismiss(event.option_id)

    def action_leave(self) -> None:
        """Escape answers nothing."""
        self.dismiss(None)


class AskSeveral(ModalScreen[tuple[str, ...] | None]):
    """Asks for some of a list: space picks, enter goes on. None when it was left."""

    DEFAULT_CSS = BOX.format(name="AskSeveral") + _LIST.format(name="AskSeveral")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pick", "Pick"),
        Binding("escape", "leave", "Back"),
    ]

    def __init__(
        self,
        question: str,
        choices: Sequence[tuple[str, str]],
        picked: Collection[str],
        *,
        least: int,
        most: int,
    ) -> None:
        """``choices``: id and label each; between ``least`` and ``most`` of them are taken."""
        super().__init__()
        self._question = question
        self._choices = dict(choices)
        self._picked = {name for name in picked if name in self._choices}
        self._least, self._most = least, most

    def compose(self) -> ComposeResult:
        """The question, the list, and how many are picked."""
        with Vertical():
            yield Static(self._question, markup=False)
            yield OptionList(*(self._line(name) for name in self._choices), markup=False)
            yield Static(id="pick-words", markup=False)

    def on_mount(self) -> None:
        """Count what is picked; the cursor on what is not picked yet."""
        ids = list(self._choices)
        rest = [index for index, name in enumerate(ids) if name not in self._picked]
        self.query_one(OptionList).highlighted = rest[0] if rest else 0
        self._count()

    def _line(self, name: str) -> Option:
        sign = "● " if name in self._picked else "○ "
        return Option(Content(sign + one_line(self._choices[name], 70)), id=name)

    def _count(self) -> None:
        words = f"{len(self._picked)} picked; it takes {self._least} to {self._most}."
        if len(self._choices) < self._least:
            words = "There are too few models to choose from: declare more of them first."
        self.query_one("#pick-words", Static).update(f"{words}\nspace picks   enter goes on")

    def action_pick(self) -> None:
        """Space picks the one at the cursor, or leaves it."""
        found = self.query_one(OptionList)
        option = found.highlighted_option
        if option is None or option.id is None:
            return
        self._picked ^= {option.id}
        found.replace_option_prompt(option.id, self._line(option.id).prompt)
        self._count()

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Enter gives the picked ones back, in the order of the list."""
        event.stop()
        if self._least <= len(self._picked) <= self._most:
            self.dismiss(tuple(name for name in self._choices if name in self._picked))
        else:
            self.app.bell()

    def action_leave(self) -> None:
        """Escape answers nothing."""
        self.dismiss(None)
