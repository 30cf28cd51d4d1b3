"""Home: the state of the whole, and the next step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.lane_state import lane_state
from core.mend import to_mend
from core.verify.known import standing_of
from core.verify.receipt import Standing
from screens.home_lines import NUMBERED, lane_lines, mend_lines
from tui.widgets.found import LOOK, FoundServers
from tui.widgets.places import (
    ToAddProvider,
    ToCheck,
    ToDemo,
    ToDoctor,
    ToExport,
    ToKeys,
    ToLanes,
    ToLive,
    ToModels,
    ToProvider,
    ToSave,
    ToVerify,
    place_of_mend,
)
from tui.widgets.provider_board import ProviderBoard
from tui.widgets.shell import TurnkeyScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.mend import Mend
    from core.warden.lanes import Lane, Resolution
    from core.workspace import Workspace

LANES: tuple[Lane, ...] = ("agent", "auxiliary", "synthesis")

WELCOME = """\
turnkey sets up your own models for Warden, tests them live, and keeps the key in the OS keyring.

[$primary]a[/]  add your server: LiteLLM, Ollama, vLLM, llama.cpp, or another
[$primary]D[/]  no server at hand? try everything on the demo provider

Nothing is written before you press [$primary]s[/] and have seen the difference."""


DEMO_WELCOME = """\
This is the demo: a provider on this machine that comes with turnkey, and a scratch file. \
Both go away when you leave. Everything works as on a real server.

[$primary]a[/]  add the demo provider: its address and its key are filled in

Nothing is written before you press [$primary]s[/] and have seen the difference."""


WATCH = "Look after this provider's server while Home is open, or stop that"
MEND = "Go where the one of this number is mended"


DEAD: Final = {
    "provider_unknown": "▲ no such provider",
    "model_unknown": "▲ no such model",
    "selector_format": "▲ not a selector",
}
"""Problem of a lane's selector -> what Home says of the lane."""

NARROW = 76
"""Columns below which the panels stand above one another."""
FRAME = 5
"""Columns of a list's border, its padding and its scroll bar."""


class HomeScreen(TurnkeyScreen[None]):
    """The file in use, its lanes and providers, and what is wrong with them."""

    TITLE = "home"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add", id="add", tooltip="Add a provider"),
        Binding("m", "models", "Models", id="models", tooltip="The models of a provider"),
        Binding("l", "lanes", "Lanes", id="lanes", tooltip="A model for each lane"),
        Binding("k", "keys", "Keys", id="keys", tooltip="Where each key is, and may go"),
        Binding("t", "test", "Test", id="test", tooltip="Watch a live answer"),
        Binding("v", "verify", "Verify", id="verify", tooltip="Each lane tried as Warden will"),
        Binding("x", "doctor", "Doctor", id="doctor", tooltip="Find what breaks on the way"),
        Binding("e", "export", "Export", id="export", tooltip="For Pi, CI and other readers"),
        Binding("c", "check", "Check", id="check", show=False, tooltip="All that is wrong"),
        Binding("p", "provider", "Edit", id="provider", show=False, tooltip="Edit a provider"),
        Binding("w", "watch", "Watch", id="watch", show=False, tooltip=WATCH),
        Binding("f", "fix", "Fix", id="fix", show=False, tooltip="Go where this one is mended"),
        *(
            Binding(str(n), f"mend({n})", f"Mend {n}", id=f"mend-{n}", show=False, tooltip=MEND)
            for n in range(1, NUMBERED + 1)
        ),
        Binding("U,ctrl+r", "redo", "Redo", id="redo", show=False),
        Binding("s", "save", "Save", id="save", tooltip="See the difference, then write it"),
        Binding("q", "app.quit", "Quit", id="quit", tooltip="Leave turnkey"),
        Binding("D", "demo", "Demo", id="demo", tooltip="The demo provider"),
        Binding("r", "look_again", "Look again", id="look-again", tooltip=LOOK),
        Binding("u", "undo", "Undo", id="undo", tooltip="Take the last edit back"),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._mends: tuple[Mend, ...] = ()
        self._standing = Standing("none")
        self._dead: dict[str, str] = {}
        """Rules that give a lane what fails when it runs, with the word for it."""

    def body(self) -> ComposeResult:
        """Lanes above; providers and what is to mend below; a welcome where nothing is."""
        with Vertical(id="welcome"):
            yield Static(DEMO_WELCOME if self.workspace.demo is not None else WELCOME)
            yield FoundServers("r")
            yield Static(id="welcome-file", markup=False)
        lanes = OptionList(id="lanes", markup=False)
        lanes.border_title = "Lanes"
        providers = ProviderBoard(self.workspace, id="providers")
        providers.border_title = "Providers"
        mends = OptionList(id="mends", markup=False)
        mends.border_title = "To mend"
        yield lanes
        with Horizontal(id="below"):
            yield providers
            yield mends

    def on_mount(self) -> None:
        """On an empty file the way is shown, and what answers on this machine is offered."""
        if not self.workspace.config.providers:
            self.workspace.guided = True
        super().on_mount()
        if self.has_class("-empty") and self.workspace.demo is None:
            self.look_around()

    def action_look_again(self) -> None:
        """Look for servers again: one may have been started meanwhile."""
        self.look_around()

    @work(group="find", exclusive=True)
    async def look_around(self) -> None:
        """Find servers on this machine: loopback alone is looked at, and no key is sent."""
        from core.discover.offers import offers
        from core.providers.known import known_addresses

        found = self.query_one(FoundServers)
        found.looking()
        found.show(offers(await self.workspace.asker.find(), known_addresses(self.workspace.env)))
        if found.offers:
            found.enter()
        self.refresh_bindings()

    @on(FoundServers.Chosen)
    def choose_found(self, event: FoundServers.Chosen) -> None:
        """A server that was found goes into the form."""
        self.open(ToAddProvider(event.offer))

    def on_resize(self) -> None:
        """The lanes' columns follow the width."""
        super().on_resize()
        self.set_class(self.app.size.width < NARROW, "-narrow")
        if self.is_mounted:
            self._fill("#lanes", [self._lane_option(lane) for lane in LANES])

    def draw(self) -> None:
        """Show the file as it stands, with the unsaved edits."""
        super().draw()
        workspace = self.workspace
        config = workspace.config
        empty = not config.providers and not any(
            resolution.selector for resolution in workspace.lanes().lanes.values()
        )
        self.set_class(empty, "-empty")
        self.query_one(FoundServers).display = empty and workspace.demo is None
        for name in ("#lanes", "#providers", "#mends"):
            # A list that is not laid out fails on a page key (Textual 8.2.8).
            self.query_one(name).disabled = empty
        place = workspace.document
        self.query_one("#welcome-file", Static).update(
            f"The file: {place.path}" + ("" if place.exists else " (saving makes it)")
        )
        self._standing = standing_of(workspace, workspace.variant, datetime.now(UTC))
        self._dead = {
            problem.path: DEAD[problem.code]
            for problem in workspace.problems()
            if problem.severity == "error" and problem.code in DEAD
        }
        self._fill("#lanes", [self._lane_option(lane) for lane in LANES])
        self.query_one(ProviderBoard).draw()
        self._mends = to_mend(workspace)
        self._fill("#mends", self._mend_options())
        self.refresh_bindings()
        if not empty and self.focused is None:
            self.query_one("#lanes").focus()

    def _fill(self, selector: str, options: list[Option]) -> None:
        found = self.query_one(selector, OptionList)
        at = found.highlighted
        found.clear_options()
        found.add_options(options)
        if options:
            found.highlighted = min(at or 0, len(options) - 1)

    def _lane_option(self, lane: Lane) -> Option:
        resolution = self.workspace.lanes().lanes[lane]
        width = self.app.size.width - FRAME
        lines = lane_lines(lane, resolution, self._state(lane, resolution), width)
        return Option(lines, id=lane)

    def _state(self, lane: Lane, resolution: Resolution) -> str:
        if resolution.selector is None:
            return "▲ left to Pi"
        if any(one.lane == lane and one.code != "E8" for one in self.workspace.lanes().escapes):
            return "▲ leaves your servers"  # E8 is about a skill's model, not about the lane's
        if resolution.won_by in self._dead:
            return self._dead[resolution.won_by]
        run = self.workspace.tried.get(resolution.selector)
        return lane_state(lane, self._standing, run, datetime.now(UTC))

    def _mend_options(self) -> list[Option]:
        if not self._mends:
            return [Option("nothing is wrong with the file", id="fine")]
        return [
            Option(mend_lines(number, mend), id=f"mend:{number}")
            for number, mend in enumerate(self._mends, 1)
        ]

    def action_watch(self) -> None:
        """Approve the highlighted provider's server, or take that back."""
        self.query_one(ProviderBoard).approve()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that can do nothing now are greyed, or hidden where they have no place."""
        workspace = self.workspace
        if action in {"models", "lanes", "keys", "test", "doctor", "export", "verify"}:
            return True if workspace.config.providers else None
        if action in {"provider", "watch"}:
            return True if workspace.config.providers else None
        if action in {"mend", "fix"}:
            number = parameters[0] if parameters else 1
            return isinstance(number, int) and number <= len(self._mends)
        if action == "check":
            return True if workspace.document.raw else None
        if action == "save":
            return True if workspace.unsaved else None
        if action == "undo":
            return workspace.can_undo
        if action == "look_again":
            return self.has_class("-empty") and workspace.demo is None
        if action == "demo":
            return workspace.demo is None and not workspace.config.providers
        return True

    def action_back(self) -> None:
        """Home is the last screen: q leaves."""

    def action_add(self) -> None:
        """Open the form for a new provider."""
        self.open(ToAddProvider())

    def action_models(self) -> None:
        """Open the models of the highlighted provider."""
        self.open(ToModels(name=self._provider_name()))

    def _provider_name(self) -> str:
        providers = self.workspace.config.providers
        at = self.query_one("#providers", OptionList).highlighted or 0
        return providers[min(at, len(providers) - 1)].name

    def _lane(self) -> Lane:
        return LANES[self.query_one("#lanes", OptionList).highlighted or 0]

    def action_lanes(self) -> None:
        """Open the lanes."""
        self.open(ToLanes(self._lane()))

    def action_keys(self) -> None:
        """Open the keys."""
        self.open(ToKeys())

    def action_test(self) -> None:
        """Open the live test on the highlighted lane."""
        self.open(ToLive(self.workspace.lanes().lanes[self._lane()].selector))

    def action_doctor(self) -> None:
        """Open the doctor: on the highlighted lane's model, else on the highlighted provider."""
        selector = self.workspace.lanes().lanes[self._lane()].selector
        known = {provider.name for provider in self.workspace.providers}
        on_lanes = self.query_one("#lanes").has_focus
        if on_lanes and selector is not None and selector.partition("/")[0] in known:
            self.open(ToDoctor(selector=selector))
        else:
            self.open(ToDoctor(provider=self._provider_name()))

    def action_verify(self) -> None:
        """Open the verification; it asks nobody before it is started."""
        self.open(ToVerify())

    def action_export(self) -> None:
        """Open the setup's other readers."""
        self.open(ToExport())

    def action_check(self) -> None:
        """Open all that is wrong with the file."""
        self.open(ToCheck())

    def action_provider(self) -> None:
        """Open the highlighted provider itself."""
        self.open(ToProvider(self._provider_name()))

    def action_redo(self) -> None:
        """Make the edit again that was taken back."""
        self.workspace.redo()
        self.draw()

    def action_save(self) -> None:
        """Show the difference."""
        self.open(ToSave())

    def action_undo(self) -> None:
        """Take the last edit back."""
        self.workspace.undo()
        self.draw()

    def action_demo(self) -> None:
        """Open the demo provider."""
        self.open(ToDemo())

    @on(OptionList.OptionSelected, "#lanes")
    def choose_lane(self, event: OptionList.OptionSelected) -> None:
        """Enter on a lane opens it."""
        self.open(ToLanes(LANES[event.option_index]))

    @on(OptionList.OptionSelected, "#providers")
    def choose_provider(self, event: OptionList.OptionSelected) -> None:
        """Enter on a provider opens its models."""
        if self.workspace.config.providers:
            self.open(ToModels(name=self._provider_name()))
        else:
            self.open(ToAddProvider())

    @on(OptionList.OptionSelected, "#mends")
    def choose_mend(self, event: OptionList.OptionSelected) -> None:
        """Enter on what is to mend goes where it is mended."""
        if self._mends:
            self.open(place_of_mend(self._mends[event.option_index], self.workspace.config))

    def action_mend(self, number: int) -> None:
        """Go where the one of this number is mended."""
        self.open(place_of_mend(self._mends[number - 1], self.workspace.config))

    def action_fix(self) -> None:
        """Go where the highlighted one is mended."""
        self.action_mend((self.query_one("#mends", OptionList).highlighted or 0) + 1)
