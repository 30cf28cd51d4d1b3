"""What every screen shares: the bar above, the footer below, and the keys of all screens."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static

from core.text import one_line
from tui.widgets.fault import COPY_FAULT, copy_faults
from tui.widgets.find import find_in
from tui.widgets.keys_footer import KeysFooter
from tui.widgets.path_bar import PathBar
from tui.widgets.places import SCREENS, Open, ToHelp, ToHome, place_of

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Key

    from core.onboarding import Step
    from core.workspace import Workspace
    from tui.widgets.places import Place

ResultType = TypeVar("ResultType")

STEPS = {
    "j": "action_cursor_down",
    "k": "action_cursor_up",
    "g": "action_first",
    "G": "action_last",
}
NEXT_STEP = "The next step to a verified, saved file; on its own screen, leave it out"
FIND = "Find a line of the list by a part of it"
TOO_SMALL = "turnkey needs 60 columns and 20 lines.\nMake the window larger; ctrl+q leaves."
LEAST = (60, 20)
"""Columns and lines below which one sentence stands instead of a screen."""
ROOMY = (76, 24)
"""Columns and lines below which a screen stacks what stands side by side, and saves blank lines."""


class TopBar(Static):
    """Where one is, which Warden is meant, what is unsaved, how much is to mend."""

    DEFAULT_CSS = """
    TopBar {
        dock: top; height: 1; background: $panel; color: $foreground;
    }
    """

    def show(self, workspace: Workspace, title: str, to_mend: int) -> None:
        """Draw the bar for the workspace as it stands."""
        left = [(" turnkey ", "bold $primary")]
        if workspace.demo is not None:
            left.append((" DEMO ", "bold $background on $warning"))
        left.append((f" {title} ", "bold"))
        right: list[tuple[str, str]] = []
        if workspace.unsaved:
            right.append((" unsaved ", "bold $warning"))
        if to_mend:
            right.append((f" {to_mend} ▲ ", "bold $error"))
        room = self.app.size.width - sum(len(text) for text, _ in [*left, *right]) - 3
        variant = "stock Warden" if workspace.variant == "stock" else "providers Warden"
        place = short_path(workspace.document.path, max(10, room - len(variant) - 3))
        middle = f"{place} · {variant}"
        if len(middle) > room:
            middle = place
        gap = max(1, room - len(middle) + 2)
        self.update(Content.assemble(*left, (middle, "$foreground 70%"), " " * gap, *right))


def short_path(path: Path, limit: int) -> str:
    """``path`` with the home folder as ``~``, cut from the left to ``limit`` characters."""
    shown = str(path)
    home = str(Path.home())
    if shown.startswith(home + "/"):
        shown = "~" + shown[len(home) :]
    shown = one_line(shown, 4096)
    return shown if len(shown) <= limit else "…" + shown[-(limit - 1) :]


class TurnkeyScreen(Screen[ResultType]):
    """A screen of turnkey: the bar, the body, the footer. Escape goes back and loses nothing."""

    TITLE = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", id="help", show=False, tooltip="This help"),
        Binding("slash", "find", "Find", key_display="/", show=False, id="find", tooltip=FIND),
        Binding("ctrl+n", "next_step", "Next step", show=False, id="next-step", tooltip=NEXT_STEP),
        Binding(
            "ctrl+y", "copy_fault", "Copy error", show=False, id="copy-fault", tooltip=COPY_FAULT
        ),
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace

    def compose(self) -> ComposeResult:
        """The bar, the screen's own body, the footer."""
        yield TopBar()
        yield PathBar()
        yield from self.body()
        yield KeysFooter()
        yield Static(TOO_SMALL, id="too-small")

    def body(self) -> ComposeResult:
        """What this screen shows between the bar and the footer."""
        yield from ()

    def on_mount(self) -> None:
        """Draw for the first time."""
        self.draw()

    def on_screen_resume(self) -> None:
        """Another screen may have changed the workspace."""
        if self.is_mounted:
            self.draw()

    def on_resize(self) -> None:
        """The bar uses the whole width; a window that is too small gets one sentence."""
        size = self.app.size
        self.set_class(size.width < LEAST[0] or size.height < LEAST[1], "-too-small")
        self.set_class(size.width < ROOMY[0], "-narrow")
        self.set_class(size.height < ROOMY[1], "-low")
        self.draw_bar()

    def draw(self) -> None:
        """Show the workspace as it stands now."""
        self.draw_bar()

    def draw_bar(self) -> None:
        """Show the bar alone."""
        from core.mend import to_mend

        urgent = sum(1 for mend in to_mend(self.workspace) if mend.urgent)
        for bar in self.query(TopBar):
            bar.show(self.workspace, str(self.TITLE), urgent)
        for line in self.query(PathBar):
            line.show(self.steps() if self.workspace.guided else ())

    def steps(self) -> tuple[Step, ...]:
        """The way from nothing to a verified, saved file, as the workspace stands."""
        from core.onboarding import steps
        from core.verify.known import standing_of

        workspace = self.workspace
        standing = standing_of(workspace, workspace.variant, datetime.now(UTC))
        return steps(workspace, standing, workspace.skipped)

    def open(self, place: Place, *, replace: bool = False) -> None:
        """Ask the app for another place."""
        self.post_message(Open(place, replace=replace))

    def action_back(self) -> None:
        """Close this screen."""
        self.dismiss()

    def action_help(self) -> None:
        """Explain the screen in front."""
        self.open(ToHelp())

    def on_key(self, event: Key) -> None:
        """``j k g G`` move in a list, but for letters that mean something else on this screen."""
        action = STEPS.get(event.key)
        taken = event.key in self._bindings.key_to_bindings
        if action is not None and not taken and isinstance(self.focused, OptionList):
            event.stop()
            event.prevent_default()
            getattr(self.focused, action)()

    def action_find(self) -> None:
        """Find a line of a list."""
        find_in(self)

    def go_on(self) -> bool:
        """Do what this screen has to do before the next step; False where that is nothing."""
        return False

    def action_next_step(self) -> None:
        """Open the step that comes next; on its own screen it is left out, where that is free."""
        from core.onboarding import HOW, SKIPPED, WORDS, next_step

        self.workspace.guided = True
        self.app.clear_notifications()
        if self.go_on():
            self.draw_bar()
            return
        step = next_step(self.steps())
        if step is not None and SCREENS[step.name] == type(self).__name__:
            if step.name not in SKIPPED:
                self.notify(f"First {WORDS[step.name]}: {HOW[step.name]}.", markup=False)
                return
            self.workspace.skipped.add(step.name)
            step = next_step(self.steps())
        self.draw_bar()
        if step is None:
            self.open(ToHome())
        else:
            self.open(place_of(step), replace=step.name != "save")

    def action_copy_fault(self) -> None:
        """Copy the fault that stands on the screen, with what a report needs."""
        copy_faults(self, self.workspace.env)
