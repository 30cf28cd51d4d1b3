"""Save: the exact difference first, then the writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from core.errors import Fault, TurnkeyError
from core.keys.bounded import beside
from core.leaked import holds_keys
from core.sheets import LAYERS
from core.text import visible
from tui.widgets.ask import AskChoice, AskText
from tui.widgets.fault import COPY_FAULT, FaultBox, copy_faults

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.keys.place import Place
    from core.workspace import Workspace

STYLES = {"+": "$success", "-": "$error", "@": "$secondary"}


class SaveScreen(ModalScreen[bool]):
    """Shows what would change; True when it was written."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,s", "write", "Write", id="write", tooltip="Write the file"),
        Binding("r", "reload", "Load again", id="reload", show=False),
        Binding("o", "elsewhere", "Save elsewhere", id="elsewhere", show=False),
        Binding("d", "drop", "Drop my edits", id="drop", show=False),
        Binding(
            "ctrl+y", "copy_fault", "Copy error", show=False, id="copy-fault", tooltip=COPY_FAULT
        ),
        Binding("escape", "leave", "Back", id="leave", tooltip="Back; nothing is written"),
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self._place: Place | None = None
        self._writing = False
        self._conflict = False

    def action_copy_fault(self) -> None:
        """Copy the error that stands here, for a report."""
        copy_faults(self, self.workspace.env)

    def compose(self) -> ComposeResult:
        """The file, its difference, the keys that follow, two buttons."""
        workspace = self.workspace
        with Vertical(id="save"):
            place = workspace.document.path
            yield Static(
                f"{'Change' if workspace.saved.exists else 'Make'} {place}", markup=False, id="what"
            )
            with VerticalScroll(id="diff"):
                yield Static(diff_lines(workspace.pending_diff()), markup=False)
            yield Static(self._key_words(), markup=False, id="keys")
            yield FaultBox(id="fault")
            with Horizontal(id="usual"):
                yield Button("Write it", id="write", variant="primary", compact=True)
                yield Button("Back", id="leave", compact=True)
            with Horizontal(id="ways"):
                yield Button("Keep mine on it (r)", id="reload", compact=True)
                yield Button("Save elsewhere (o)", id="elsewhere", compact=True)
                yield Button("Drop mine (d)", id="drop", compact=True)

    @property
    def _nothing(self) -> bool:
        """Whether there is neither an edit nor a key to keep."""
        workspace = self.workspace
        return not workspace.pending_diff() and not workspace.waiting_keys

    def on_resize(self) -> None:
        """A small window is used whole."""
        size = self.app.size
        self.set_class(size.width < 80 or size.height < 24, "-small")

    def _key_words(self) -> str:
        if holds_keys(self.workspace.document):
            return "▲ A key stands in this file: c on home moves it to the keyring. esc goes back."
        if self.workspace.demo is not None:
            return (
                "No key is in the file, and the demo's own key stays in memory."
                " Enter writes, escape goes back."
            )
        if self._nothing:
            return "Nothing to write: the file is as it was. Escape goes back."
        lines = [
            f"{variable} " + ("…" if self._place is None else self._place.for_origin(origin))
            for variable, origin in self.workspace.waiting_keys
        ]
        return "\n".join(
            [
                *lines,
                "No key is in the file, and none goes into it. Enter writes, escape goes back.",
            ]
        )

    def on_mount(self) -> None:
        """The difference can be scrolled at once."""
        self.set_class(self._nothing, "-nothing")
        self.query_one("#diff").focus()
        if self.workspace.waiting_keys:
            self.look_up_place()

    @work(exclusive=True, group="place", exit_on_error=False)
    async def look_up_place(self) -> None:
        """Where the typed keys will go; a slow keyring must not hold up the screen."""
        self._place = await beside(self.workspace.vault.prepare)
        self.query_one("#keys", Static).update(self._key_words())

    @on(Button.Pressed)
    async def press(self, event: Button.Pressed) -> None:
        """The buttons do what the keys do."""
        await self.run_action(str(event.button.id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The ways out of a conflict are there in a conflict, and writing is not."""
        if action in {"reload", "elsewhere", "drop"}:
            return self._conflict
        return not self._conflict if action == "write" else True

    def action_leave(self) -> None:
        """Back; the edits stay pending. What is being written is waited for."""
        if not self._writing:
            self.dismiss(False)

    def _show_conflict(self, fault: Fault) -> None:
        """What another program changed stands where the own difference stood, and three ways."""
        self._conflict = True
        self.set_class(True, "-conflict")
        layers = [layer for layer in LAYERS if self.workspace.elsewhere(layer) is not None]
        shown = "".join(self.workspace.elsewhere_diff(layer) for layer in layers)
        what = "Changed on disk by another program; nothing was overwritten"
        self.query_one("#what", Static).update(what)
        self.query_one("#diff Static", Static).update(diff_lines(shown))
        self.query_one(FaultBox).show(fault)
        self.refresh_bindings()
        self.query_one("#reload", Button).focus()

    def _show_own(self, words: str) -> None:
        """The own difference again, over what is on disk now."""
        self._conflict = False
        self.set_class(False, "-conflict")
        self.query_one(FaultBox).clear()
        self.query_one("#what", Static).update(f"Change {self.workspace.document.path}")
        self.query_one("#diff Static", Static).update(diff_lines(self.workspace.pending_diff()))
        self.refresh_bindings()
        self.query_one("#diff").focus()
        self.app.notify(words, title="Loaded again", markup=False)

    def action_reload(self) -> None:
        """Read the file again and make the edits on it, where they touch other keys."""
        try:
            self.workspace.reload()
        except TurnkeyError as error:
            self.query_one(FaultBox).show(error.fault)
            return
        self._show_own("Your edits stand on what is there now. Nothing is written yet.")

    @work(exclusive=True, group="drop", exit_on_error=False)
    async def action_drop(self) -> None:
        """Take what is on disk, without the own edits; asked first."""
        answer = await self.app.push_screen_wait(
            AskChoice(
                "Give up your unsaved edits and take the file as it is on disk?",
                (("no", "Keep my edits"), ("drop", "Drop them")),
            )
        )
        if answer != "drop":
            return
        try:
            self.workspace.reload(keep=False)
        except TurnkeyError as error:
            self.query_one(FaultBox).show(error.fault)
            return
        self.dismiss(False)

    @work(exclusive=True, group="elsewhere", exit_on_error=False)
    async def action_elsewhere(self) -> None:
        """Write the edited file under another name, and go on with that one."""
        folder = self.workspace.document.path.parent
        name = await self.app.push_screen_wait(
            AskText(f"Save as (in {folder}):", placeholder="warden.mine.toml")
        )
        if name is None:
            return
        try:
            await beside(lambda: self.workspace.save_as(folder / name))
        except TurnkeyError as error:
            self.query_one(FaultBox).show(error.fault)
            return
        self.app.notify(str(self.workspace.document.path), title="Saved elsewhere", markup=False)
        self.dismiss(False)

    def action_write(self) -> None:
        """Write the file, then the keys, once; nothing else can be done meanwhile."""
        if not self._writing:
            self._writing = True
            self.query_one("#what", Static).update("Writing …")
            self.write()

    @work(group="save", exit_on_error=False)
    async def write(self) -> None:
        """Do it; a failure stands here and nothing is lost."""
        try:
            await self._write()
        finally:
            self._writing = False

    async def _write(self) -> None:
        try:
            faults = await beside(self.workspace.save)
        except OSError as error:
            fault = Fault("config_unwritable", "The file cannot be written.", str(error.strerror))
            self.query_one(FaultBox).show(fault)
            self.query_one("#what", Static).update("Nothing was written")
            return
        except TurnkeyError as error:
            if error.fault.code == "config_changed":
                self._show_conflict(error.fault)
            else:
                self.query_one(FaultBox).show(error.fault)
                self.query_one("#what", Static).update("Nothing was written")
            return
        for fault in faults:
            self.app.notify(
                f"{fault.what} {fault.fix}"
                if fault.code == "config_unwritable"
                else f"{fault.what} The key stays for this run. {fault.fix}",
                title="Saved, but"
                if fault.code == "config_unwritable"
                else "The key is not stored",
                severity="warning",
                markup=False,
            )
        self.dismiss(True)


def diff_lines(diff: str) -> Content:
    """A unified diff, coloured by what its signs already say."""
    lines = [
        Content.styled(visible(line), STYLES.get(line[:1], "$foreground 75%"))
        for line in diff.splitlines()
    ]
    return Content("\n").join(lines) if lines else Content("the file does not change")
