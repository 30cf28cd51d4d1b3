"""A list of many models: filter as you type, pick several, facts in columns.

Drawn line by line, so that a list of ten thousand costs what the window costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.discover.words import fact_words
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.style import Style
    from textual import events

    from core.discover.facts import Model

COLUMNS: tuple[tuple[str, str, int], ...] = (
    ("context_window", "context", 10),
    ("max_output_tokens", "out", 9),
    ("reasoning", "think", 6),
    ("tools", "tools", 6),
    ("image_input", "image", 6),
    ("input_cost", "$/M in", 8),
    ("output_cost", "out", 8),
)
"""Fact, heading, width. From the right they give way where the window is narrow."""

ID_LEAST = 24


class ModelList(ScrollView, can_focus=True):
    """The models of an endpoint, one a line, with a cursor and marks for the picked ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "move(-1000000000)", "First", show=False),
        Binding("end,G", "move(1000000000)", "Last", show=False),
        Binding("space,enter", "pick", "Pick", id="pick", tooltip="Pick or unpick this model"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "models--cursor",
        "models--dim",
        "models--heading",
        "models--picked",
    }

    cursor: reactive[int] = reactive(0)
    needle: reactive[str] = reactive("")

    class Picked(Message):
        """The set of picked models changed."""

        def __init__(self, picked: tuple[str, ...]) -> None:
            super().__init__()
            self.picked = picked

    class Moved(Message):
        """The cursor stands on another model (None where nothing fits the filter)."""

        def __init__(self, model: Model | None) -> None:
            super().__init__()
            self.model = model

    def __init__(
        self, models: Sequence[Model] = (), *, picked: Iterable[str] = (), id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._models: tuple[Model, ...] = tuple(models)
        self._lowered: tuple[str, ...] = tuple(model.id.lower() for model in self._models)
        self._hits: Sequence[int] = range(len(self._models))
        self._picked: dict[str, None] = dict.fromkeys(picked)
        self._filtered = ""
        """The needle that the hits are of."""
        self._lines: LRUCache[tuple[int, bool, bool], Strip] = LRUCache(1000)
        """Drawn lines: model, picked, at the cursor."""
        self._columns: tuple[tuple[str, str, int], ...] = ()
        self._width = 0

    @property
    def picked(self) -> tuple[str, ...]:
        """The picked ids, in the order they were picked."""
        return tuple(self._picked)

    @property
    def current(self) -> Model | None:
        """The model under the cursor."""
        return self._models[self._hits[self.cursor]] if self._hits else None

    @property
    def shown(self) -> int:
        """How many models fit the filter."""
        return len(self._hits)

    def show(self, models: Sequence[Model], picked: Iterable[str] = ()) -> None:
        """Replace the models, keep the filter."""
        self._models = tuple(models)
        self._lowered = tuple(model.id.lower() for model in self._models)
        self._picked = dict.fromkeys(picked)
        self._hits = range(len(self._models))
        self._filtered = ""
        self._lines.clear()
        self._filter()

    def pick_all_shown(self) -> None:
        """Pick every chat model that fits the filter; when all are picked, none."""
        ids = [
            self._models[hit].id
            for hit in self._hits
            if self._models[hit].kind in {"chat", "unknown"}
        ]
        if all(model_id in self._picked for model_id in ids):
            for model_id in ids:
                self._picked.pop(model_id, None)
        else:
            self._picked.update(dict.fromkeys(ids))
        self.refresh()
        self.post_message(self.Picked(self.picked))

    def watch_needle(self) -> None:
        """Filter again when the words changed."""
        self._filter()

    def _filter(self) -> None:
        needle, names = self.needle.lower(), self._lowered
        # More of the same words fits fewer: then only what fitted is looked at again.
        narrows = needle.startswith(self._filtered)
        hits: Sequence[int] = self._hits if narrows else range(len(names))
        for word in needle.split():
            hits = [index for index in hits if word in names[index]]
        self._hits, self._filtered = hits, needle
        self.cursor = 0
        self._resize()
        self.refresh()
        self.post_message(self.Moved(self.current))

    def on_mount(self) -> None:
        """Size the list and say where the cursor is."""
        self._resize()
        self.post_message(self.Moved(self.current))

    def on_resize(self) -> None:
        """The columns follow the window."""
        self._resize()

    def notify_style_update(self) -> None:
        """Another theme: every line is drawn anew."""
        self._lines.clear()
        super().notify_style_update()

    def _resize(self) -> None:
        columns = self.columns()
        if columns != self._columns or self.size.width != self._width:
            self._columns, self._width = columns, self.size.width
            self._lines.clear()
        self.virtual_size = Size(max(self.size.width - 1, 1), len(self._hits) + 1)

    def watch_cursor(self) -> None:
        """Keep the cursor's line in sight."""
        self.scroll_to_region(Region(0, self.cursor, 1, 2), animate=False, force=True)
        self.refresh()
        self.post_message(self.Moved(self.current))

    def validate_cursor(self, cursor: int) -> int:
        """The cursor stays on a line that is there."""
        return max(0, min(cursor, len(self._hits) - 1))

    def action_move(self, by: int) -> None:
        """Move the cursor by lines."""
        self.cursor += by

    def action_page(self, by: int) -> None:
        """Move the cursor by pages."""
        self.cursor += by * max(1, self.size.height - 2)

    def action_pick(self) -> None:
        """Pick or unpick the model under the cursor."""
        model = self.current
        if model is None:
            return
        if model.id in self._picked:
            del self._picked[model.id]
        else:
            self._picked[model.id] = None
        self.refresh()
        self.post_message(self.Picked(self.picked))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor; on the cursor's own line it picks."""
        line = event.y + self.scroll_offset.y - 1
        if 0 <= line < len(self._hits):
            if line == self.cursor:
                self.action_pick()
            self.cursor = line

    def columns(self) -> tuple[tuple[str, str, int], ...]:
        """The fact columns that fit this width."""
        room = self.size.width - ID_LEAST - 4
        fitting: list[tuple[str, str, int]] = []
        for column in COLUMNS:
            room -= column[2]
            if room < 0:
                break
            fitting.append(column)
        return tuple(fitting)

    def render_line(self, y: int) -> Strip:
        """One line: the heading stays on top, the models scroll under it."""
        if self.size.width != self._width:
            self._resize()
        line = y - 1 + self.scroll_offset.y
        if y > 0 and line >= len(self._hits):
            return Strip.blank(self.size.width, self.rich_style)
        index = self._hits[line] if y > 0 else -1
        picked = y > 0 and self._models[index].id in self._picked
        key = (index, picked, y > 0 and line == self.cursor)
        strip = self._lines.get(key)
        if strip is None:
            strip = self._heading() if y == 0 else self._model_line(self._models[index], *key[1:])
            self._lines[key] = strip
        return strip

    def _heading(self) -> Strip:
        style = self.rich_style + self.get_component_rich_style("models--heading", partial=True)
        names = [name for _, name, _ in self._columns]
        return self._line("", "model", names, style, style)

    def _model_line(self, model: Model, picked: bool, at_cursor: bool) -> Strip:
        style = self.rich_style
        if picked:
            style += self.get_component_rich_style("models--picked", partial=True)
        if at_cursor:
            style += self.get_component_rich_style("models--cursor", partial=True)
        quiet = style
        if not at_cursor:
            quiet += self.get_component_rich_style("models--dim", partial=True)
        if model.kind not in {"chat", "unknown"}:
            words = [f"not a chat model: {model.kind}"]
            return self._line("", model.id, words, quiet, quiet, free=True)
        cells = [fact_words(model.facts.get(fact)) for fact, _, _ in self._columns]
        return self._line("✓" if picked else "", model.id, cells, style, quiet)

    def _line(
        self,
        mark: str,
        name: str,
        cells: Sequence[str],
        style: Style,
        quiet: Style,
        *,
        free: bool = False,
    ) -> Strip:
        width = self.size.width
        facts = (
            "  " + "  ".join(cells)
            if free
            else "".join(
                cell[: size - 1].rjust(size)
                for cell, (_, _, size) in zip(cells, self._columns, strict=True)
            )
        )
        room = max(8, width - len(facts) - 3)
        label = one_line(name, room)
        gap = max(0, width - len(facts) - 3 - cell_len(label))
        text = Segment(f" {mark or ' '} {label}{' ' * gap}", style)
        return Strip([text, Segment(facts, quiet)]).adjust_cell_length(width, style)
