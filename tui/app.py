"""The app: it opens screens by name, lazily, and does nothing else."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from core.errors import ConfigProblem
from core.settings import Settings
from tui.discreet import DiscreetApp
from tui.terminal import GONE, TERMINAL_LOOK_S, terminal_is_there
from tui.theme import CONTRAST, DARK, LIGHT, NAMES
from tui.widgets.places import (
    Open,
    Place,
    ToAddProvider,
    ToCheck,
    ToDemo,
    ToDoctor,
    ToExport,
    ToHelp,
    ToHome,
    ToKeys,
    ToLanes,
    ToLive,
    ToModels,
    ToProvider,
    ToSave,
    ToVerify,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult, SystemCommand
    from textual.screen import Screen

    from core.settings import Look
    from core.workspace import Workspace

    Opener = Callable[[], Workspace]
    DemoOpener = Callable[[], Workspace]


class TurnkeyApp(DiscreetApp[int]):
    """turnkey in the terminal. ``opener`` opens the workspace, ``demo`` the demo provider's."""

    TITLE = "turnkey"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="app-quit"),
        Binding("ctrl+z", "suspend_process", "To the shell", show=False, id="suspend"),
    ]

    def __init__(
        self,
        opener: Opener,
        *,
        demo: DemoOpener | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self._opener = opener
        self._demo = demo
        self._settings_file: Path | None = None
        self.settings = settings or Settings()
        self.workspace: Workspace | None = None
        for theme in (DARK, LIGHT, CONTRAST):
            self.register_theme(theme)
        self.theme = NAMES[self.settings.theme]

    def compose(self) -> ComposeResult:
        """One line that can be read at once; the rest is imported behind it."""
        yield Static(Content.assemble((" turnkey ", "bold $primary"), " opening …"), id="opening")

    def on_mount(self) -> None:
        """Paint first; then open the file, and home on it."""
        self.call_after_refresh(self.start)
        self.set_interval(TERMINAL_LOOK_S, self.look_for_terminal)

    def look_for_terminal(self) -> None:
        """Leave when the terminal has gone: Textual's reader would spin on its end for ever."""
        if not self.is_headless and not terminal_is_there():
            self.exit(GONE)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette lists."""
        from tui.palette import commands

        yield from commands(self, screen)

    def keep_settings_in(self, path: Path) -> None:
        """Keep what is chosen from now on in ``path``."""
        self._settings_file = path

    def wear(self, look: Look) -> None:
        """Take a theme, and keep it for next time."""
        self.theme = NAMES[look]
        if self._settings_file is None:
            return
        from core.settings import write_setting

        try:
            write_setting(self._settings_file, "theme", look)
        except ConfigProblem as problem:
            fault = problem.fault
            self.notify(f"{fault.why} {fault.fix}", title=fault.what, markup=False)

    @work(group="start")
    async def start(self) -> None:
        """Open the workspace; a file that cannot be read gets a screen of its own."""
        # The sheet of all screens: reading it takes as long as the first frame.
        self.stylesheet.read(Path(str(files("assets") / "turnkey.tcss")))
        self.stylesheet.parse()
        while True:
            try:
                self.workspace = self._opener()
                break
            except ConfigProblem as problem:
                from screens.unreadable import UnreadableScreen

                await self.push_screen_wait(UnreadableScreen(problem.fault))
        from screens.home import HomeScreen
        from tui.widgets.waiting import Waiting

        self.workspace.vault.patience = Waiting(self)
        await self.push_screen(HomeScreen(self.workspace))

    @on(Open)
    def open_place(self, message: Open) -> None:
        """A screen asks for another one."""
        message.stop()
        self.go(message.place, replace=message.replace)

    @work(group="open", exclusive=True)
    async def go(self, place: Place, *, replace: bool = False) -> None:
        """Open ``place``; home closes what lies above it."""
        if self.workspace is None:
            return
        if isinstance(place, ToHome):
            self.close_to_home()
            return
        if isinstance(place, ToDemo):
            await self.enter_demo()
            return
        if isinstance(place, ToSave):
            from screens.save import SaveScreen

            if any(isinstance(screen, SaveScreen) for screen in self.screen_stack):
                return  # it is open already
            await self.push_screen(SaveScreen(self.workspace), callback=self.saved)
            return
        if isinstance(place, ToHelp):
            await self.show_help()
            return
        if replace:
            self.close_to_home()
        await self.push_screen(self.build(place, self.workspace))

    async def show_help(self) -> None:
        """Explain the screen in front."""
        from screens.help import HelpScreen, rows_of

        screen = self.screen
        if not isinstance(screen, HelpScreen):
            title = str(screen.title or screen.TITLE or "turnkey")
            await self.push_screen(HelpScreen(title, type(screen).__name__, rows_of(screen)))

    def close_to_home(self) -> None:
        """Close every screen above home."""
        while len(self.screen_stack) > 2:
            self.pop_screen()

    def saved(self, written: bool | None) -> None:
        """After a save: say where, and how Warden gets its keys."""
        workspace = self.workspace
        if not written or workspace is None:
            return
        self.close_to_home()
        self.notify(
            f"{workspace.document.path}\nNext: turnkey run -- warden",
            title="Saved",
            markup=False,
        )

    async def enter_demo(self) -> None:
        """Open home again, on the demo provider and its scratch file."""
        if self._demo is None:
            return
        from screens.home import HomeScreen

        self.workspace = self._demo()
        self.close_to_home()
        await self.switch_screen(HomeScreen(self.workspace))

    def build(
        self,
        place: ToAddProvider
        | ToModels
        | ToLanes
        | ToLive
        | ToKeys
        | ToDoctor
        | ToCheck
        | ToProvider
        | ToExport
        | ToVerify,
        workspace: Workspace,
    ) -> Screen[None]:
        """The screen of a place, its module imported on the first visit."""
        match place:
            case ToAddProvider(offer=offer):
                from screens.add_provider import AddProviderScreen

                return AddProviderScreen(workspace, offer)
            case ToModels(draft=draft, name=name):
                from screens.models import ModelsScreen

                provider = None if name is None else workspace.provider(name)
                return ModelsScreen(workspace, draft, provider)
            case ToLanes(lane=lane):
                from screens.lanes import LanesScreen

                return LanesScreen(workspace, lane)
            case ToCheck(about=about):
                from screens.check import CheckScreen

                return CheckScreen(workspace, about)
            case ToProvider(name=name):
                from screens.provider import ProviderScreen

                return ProviderScreen(workspace, name)
            case ToVerify():
                from screens.verify import VerifyScreen

                return VerifyScreen(workspace)
            case ToExport():
                from screens.export import ExportScreen

                return ExportScreen(workspace)
            case ToKeys():
                from screens.keys import KeysScreen

                return KeysScreen(workspace)
            case ToDoctor():
                from screens.doctor import DoctorScreen

                return DoctorScreen(workspace, place)
            case ToLive(selector=selector, target=target):
                from screens.live import LiveScreen

                return LiveScreen(workspace, selector, target)

    async def action_quit(self) -> None:
        """Leave; unsaved edits are asked about first."""
        self.leave()

    @work(group="quit", exclusive=True)
    async def leave(self) -> None:
        """Ask where there are unsaved edits, then leave."""
        workspace = self.workspace
        if workspace is not None and workspace.unsaved:
            from tui.widgets.ask import AskChoice

            if isinstance(self.screen, AskChoice):
                return  # it is being asked already
            answer = await self.push_screen_wait(
                AskChoice(
                    "There are unsaved edits.",
                    (("stay", "Stay"), ("save", "Look at them and save"), ("leave", "Leave")),
                )
            )
            if answer == "save":
                self.go(ToSave())
            if answer != "leave":
                return
        self.exit(0)
