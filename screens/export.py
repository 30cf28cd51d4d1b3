"""Export: what goes where, how much of it was tried, and the text that would be written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.errors import Fault, TurnkeyError
from core.export.board import Row, board
from core.export.gather import gather
from core.export.make import make_export
from core.export.warden_file import warden_toml
from core.export.write import place_for, write_export
from core.text import one_line, visible
from tui.clipboard import copy
from tui.widgets.ask import AskChoice, AskText
from tui.widgets.fault import FaultBox
from tui.widgets.places import ToSave
from tui.widgets.shell import TurnkeyScreen, short_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import ComposeResult

    from core.export.setup import Export
    from core.workspace import Workspace

STYLES = {"●": "$success", "◐": "$warning", "○": "$foreground 75%", "▲": "$error"}
WRITE = "Write it, after showing where (enter or w)"
WIDE = 76
"""Columns from which the preview stands beside the list, and each reader has a second line."""
EMPTY = "The file names no provider yet, so there is nothing to export. esc, then a adds one."
UNVERIFIED = (
    "Nobody has seen this setup work as it stands ({tried}).\n\nThe text says so where its format"
    " has comments. turnkey verify tries it."
)


class ExportScreen(TurnkeyScreen[None]):
    """A line a reader, its text beside. No key is shown or written, only names of variables."""

    TITLE = "export"
    DEFAULT_CSS = """
    ExportScreen #empty { display: none; padding: 1 2; }
    ExportScreen.-empty #empty { display: block; }
    ExportScreen.-empty #export { display: none; }
    ExportScreen #export { height: 1fr; }
    ExportScreen #targets { width: 31; height: 100%; }
    ExportScreen #shown { width: 1fr; height: 100%; }
    ExportScreen #preview {
        height: 1fr; border: round $panel; padding: 0 1; scrollbar-size: 0 1; overflow-x: auto;
        border-title-color: $foreground; border-subtitle-color: $warning;
    }
    ExportScreen.-verified #preview { border-subtitle-color: $success; }
    ExportScreen #preview:focus { border: round $primary; }
    ExportScreen #text { height: auto; width: auto; min-width: 100%; text-wrap: nowrap; }
    ExportScreen #notes { height: auto; max-height: 9; padding: 0 1; color: $foreground 80%; }
    ExportScreen FaultBox { margin: 0 1; }
    ExportScreen.-narrow #export { layout: vertical; }
    ExportScreen.-narrow #targets { width: 100%; height: 9; }
    ExportScreen.-narrow #shown { width: 100%; height: 1fr; }
    ExportScreen.-narrow OptionList { text-wrap: nowrap; text-overflow: ellipsis; }
    ExportScreen.-narrow #notes { max-height: 3; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "write", "Write", key_display="↵", id="write", tooltip=WRITE),
        Binding("y", "copy", "Copy", id="copy", tooltip="Copy the text; no key is in it"),
        Binding("A", "auth", "auth.json", id="auth", tooltip="Pi's auth.json, keys as $NAME"),
        Binding("tab", "app.focus_next", "Text", id="text", tooltip="To the text and back"),
        Binding("escape", "back", "Back", id="back"),
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._rows: list[Row] = []
        self._auth = False
        self.clock: Callable[[], datetime] = partial(datetime.now, UTC)
        """Tells how long ago things were verified."""

    def body(self) -> ComposeResult:
        """The readers, and what the one at the cursor would get."""
        yield Static(EMPTY, id="empty", markup=False)
        with Horizontal(id="export"):
            yield OptionList(id="targets", markup=False)
            with Vertical(id="shown"):
                with VerticalScroll(id="preview"):
                    yield Static(id="text", markup=False)
                yield Static(id="notes", markup=False)
        yield FaultBox(id="fault")

    def on_mount(self) -> None:
        """The list has the cursor."""
        super().on_mount()
        self.query_one("#targets").focus()

    def draw(self) -> None:
        """Read what is there now, and show it."""
        super().draw()
        self.set_class(not self.workspace.providers, "-empty")
        self._rows = (
            board(self.workspace, auth=self._auth, now=self.clock())
            if self.workspace.providers
            else []
        )
        self._fill()

    def on_resize(self) -> None:
        """The preview stands beside the list where there is room, else below it."""
        super().on_resize()
        if self._rows:
            self._fill()

    def _fill(self) -> None:
        wide = self.app.size.width >= WIDE
        self.set_class(not wide, "-narrow")
        found = self.query_one("#targets", OptionList)
        at = found.highlighted or 0
        found.clear_options()
        found.add_options([Option(row_lines(row, wide=wide), id=row.target) for row in self._rows])
        if self._rows:
            found.highlighted = min(at, len(self._rows) - 1)
        self._show()
        self.refresh_bindings()

    @property
    def row(self) -> Row | None:
        """The reader at the cursor."""
        at = self.query_one("#targets", OptionList).highlighted
        return None if at is None or not self._rows else self._rows[at]

    @on(OptionList.OptionHighlighted, "#targets")
    def _moved(self) -> None:
        self.query_one(FaultBox).clear()
        self.query_one("#preview").scroll_home(animate=False)
        self._show()
        self.refresh_bindings()

    def _show(self) -> None:
        row = self.row
        if row is None:
            return
        preview, notes = self.query_one("#preview"), self.query_one("#notes", Static)
        room = max(20, preview.size.width or self.app.size.width // 2)
        preview.border_title = short_path(row.place, room - 4)
        preview.border_subtitle = row.tried
        self.set_class(row.verified, "-verified")
        if row.fault is not None:
            self.query_one("#text", Static).update("")
            notes.update("")
            self.query_one(FaultBox).show(row.fault)
            return
        made = row.export
        text = "" if made is None else made.text
        self.query_one("#text", Static).update(visible(text))
        lines = [] if made is None else [f"· {one_line(note, 300)}" for note in made.notes]
        if made is not None and made.variables:
            lines.insert(0, f"keys by name: {', '.join(made.variables)}")
        notes.update("\n".join(lines))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What cannot be exported can be neither written nor copied."""
        if action in {"write", "copy"}:
            row = self.row
            return True if row is not None and row.export is not None else None
        if action == "auth":
            return self.row is not None and self.row.target == "pi"
        return True

    def action_auth(self) -> None:
        """Pi's other file, and back."""
        self._auth = not self._auth
        self.draw()

    def action_copy(self) -> None:
        """Send the text to the terminal's clipboard."""
        row = self.row
        if row is not None and row.export is not None:
            copy(self.app, row.export.text, self.workspace.env, says=f"The text for {row.title}.")

    @on(OptionList.OptionSelected, "#targets")
    def _chosen(self) -> None:
        self.action_write()

    @work(exclusive=True, group="write")
    async def action_write(self) -> None:
        """Show where it goes, ask where it is not verified, then write."""
        row = self.row
        if row is None or row.export is None:
            return
        self.query_one(FaultBox).clear()
        made = row.export
        if not row.verified and not await self._meant(row):
            return
        if row.target == "warden":
            self._into_the_file()
            return
        if row.target == "gateway":
            asked = await self._asked(row)
            if asked is None:
                return
            made = asked
        question = f"Write {row.title} to:"
        answer = await self.app.push_screen_wait(AskText(question, value=str(row.place)))
        if answer is not None:
            await self._write(row, made, place_for(answer, made))

    async def _meant(self, row: Row) -> bool:
        answers = (("back", "Back"), ("write", "Export it all the same"))
        words = UNVERIFIED.format(tried=row.tried)
        return await self.app.push_screen_wait(AskChoice(words, answers)) == "write"

    def _into_the_file(self) -> None:
        """``warden.toml`` is the file in use: the edits wait, and Save shows the difference."""
        workspace = self.workspace
        try:
            setup = gather(workspace, "warden", now=self.clock())
            workspace.edit(warden_toml(setup, workspace.document, own=True)[0])
        except TurnkeyError as problem:
            self.query_one(FaultBox).show(problem.fault)
            return
        self.draw()
        self.open(ToSave())

    async def _asked(self, row: Row) -> Export | None:
        """The gateway's export, after both of its sides were asked; None where neither works."""
        from core.export.ask_gateway import ask_gateway
        from core.target import provider_target

        workspace = self.workspace
        setup = gather(workspace, row.target, now=self.clock())
        notes = self.query_one("#notes", Static)
        notes.update("Asking /v1/chat/completions and /v1/messages … esc stops.")
        try:
            provider, model = setup.chosen("agent")
            asked = await ask_gateway(provider_target(workspace, provider, model.id))
            if not any(one.works for one in asked):
                self._show()
                told = next((one.error for one in asked if one.error is not None), None)
                self.query_one(FaultBox).show(told or NO_PONG)
                return None
            made = make_export(setup, row.target, document=workspace.document, asked=asked)
        except TurnkeyError as problem:
            self._show()
            self.query_one(FaultBox).show(problem.fault)
            return None
        at = self._rows.index(row)
        self._rows[at] = replace(row, export=made)
        self._show()
        return made

    async def _write(self, row: Row, made: Export, place: Path) -> None:
        replaced = self._try(row, made, place)
        if isinstance(replaced, Fault) and replaced.code == "would_be_lost":
            answers = (("back", "Back"), ("replace", "Write over it"))
            words = f"{place}\n\n{replaced.what} {replaced.why}"
            if await self.app.push_screen_wait(AskChoice(words, answers)) != "replace":
                return
            replaced = self._try(row, made, place, over=True)
        if isinstance(replaced, Fault):
            self.query_one(FaultBox).show(replaced)
            return
        words = "\n".join((str(place), *replaced))
        self.app.notify(visible(words), title="Written", markup=False)
        self.draw()

    def _try(
        self, row: Row, made: Export, place: Path, *, over: bool = False
    ) -> tuple[str, ...] | Fault:
        """What of the file went; or why nothing was written."""
        try:
            return write_export(
                gather(self.workspace, row.target, now=self.clock()),
                row.target,
                made,
                place,
                document=self.workspace.document,
                auth=row.target == "pi" and self._auth,
                replace=over,
            ).replaced
        except TurnkeyError as problem:
            return problem.fault


NO_PONG = Fault(
    "wrong_answer", "It answered, but not with PONG.", "", "t on home shows what it answers."
)


def row_lines(row: Row, *, wide: bool) -> Content:
    """A reader: its sign, its name, and the state of its file."""
    sign = (f"{row.sign} ", STYLES[row.sign])
    if wide:
        return Content.assemble(sign, (row.title, "bold"), (f"\n  {row.state}", STYLES["○"]))
    return Content.assemble(sign, (f"{row.title:<26}", "bold"), row.state)
