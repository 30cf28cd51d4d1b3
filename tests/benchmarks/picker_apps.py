"""The programs that the picker's benchmark compares: a filter over a list, drawn three ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual import work
from textual.app import App
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input

from screens.models import ModelsScreen
from tests.screens.stage import Stage, discovery, draft, workspace
from tui.widgets.model_list import ModelList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from core.discover.facts import Model


class BareList(ScrollView):
    """The least that a filtered list can be: lines of text, drawn where they are seen."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names
        self._lowered = [name.lower() for name in names]
        self._hits: Sequence[int] = range(len(names))

    def on_mount(self) -> None:
        self.virtual_size = Size(90, len(self._names))

    def narrow(self, needle: str) -> None:
        word = needle.lower()
        self._hits = [index for index, name in enumerate(self._lowered) if word in name]
        self.virtual_size = Size(90, len(self._hits))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        if index >= len(self._hits):
            return Strip.blank(self.size.width, self.rich_style)
        text = self._names[self._hits[index]]
        return Strip([Segment(text, self.rich_style)]).adjust_cell_length(
            self.size.width, self.rich_style
        )


class BareApp(App[None]):
    """An input over the bare list."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names

    def compose(self) -> ComposeResult:
        yield Input(compact=True)
        yield BareList(self._names)

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one(BareList).narrow(event.value)


class ScreenApp(Stage):
    """turnkey on its Models screen."""

    def __init__(self, models: Sequence[Model]) -> None:
        super().__init__(workspace())
        self._models = tuple(models)

    @work(group="start")
    async def start(self) -> None:
        self.workspace = self.on
        await self.push_screen(ModelsScreen(self.on, draft(discovery(self._models))))


class WidgetApp(App[None]):
    """The same input over turnkey's list."""

    def __init__(self, models: Sequence[Model]) -> None:
        super().__init__()
        self._models = models

    def compose(self) -> ComposeResult:
        yield Input(compact=True)
        yield ModelList(self._models)

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one(ModelList).needle = event.value
