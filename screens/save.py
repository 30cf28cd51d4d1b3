"""Save: the exact difference first, then the writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from core.errors import TurnkeyError
from core.keys.bounded import beside
from core.text import visible
from tui.widgets.fault import FaultBox

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.keys.place import Place
    from core.workspace import Workspace

STYLES = {"+": "$success", "-": "$error", "@": "$secondary"}


class SaveScreen(ModalScreen[bool]):
    """Shows what would change; True when it was written."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,s", "write", "Write", id="write", tooltip="Write the file"),
        Binding("escape", "leave", "Back", id="leave", tooltip="Back; nothing is written"),
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self._place: Place | None = None

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
            with Horizontal():
                yield Button("Write it", id="write", variant="primary", compact=True)
                yield Button("Back", id="leave", compact=True)

    def _key_words(self) -> str:
        if self.workspace.demo is not None:
            return (
                "No key is in the file, and the demo's own key stays in memory."
                " Enter writes, escape goes back."
            )
        lines = [
            f"{variable} " + ("…" if self._place is None else self._place.for_origin(origin))
            for variable, origin in self.workspace.pending_keys
        ]
        return "\n".join(
            [
                *lines,
                "No key is in the file, and none goes into it. Enter writes, escape goes back.",
            ]
        )

    def on_mount(self) -> None:
        """The difference can be scrolled at once."""
        self.query_one("#diff").focus()
        if self.workspace.pending_keys:
            self.look_up_place()

    @work(exclusive=True, group="place", exit_on_error=False)
    async def look_up_place(self) -> None:
        """Where the typed keys will go; a slow keyring must not hold up the screen."""
        self._place = await beside(self.workspace.vault.prepare)
        self.query_one("#keys", Static).update(self._key_words())

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """The buttons do what the keys do."""
        if event.button.id == "write":
            self.action_write()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Back; the edits stay pending."""
        self.dismiss(False)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_write(self) -> None:
        """Write the file, then the keys; a failure stands here and nothing is lost."""
        try:
            faults = await beside(self.workspace.save)
        except TurnkeyError as error:
            self.query_one(FaultBox).show(error.fault)
            return
        for fault in faults:
            self.app.notify(
                f"{fault.what} The key stays for this run. {fault.fix}",
                title="The key is not stored",
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
