"""Race: two to four models on one prompt, side by side, and their figures in one table."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.widgets import Static

from core.errors import TurnkeyError
from core.live.panel import brief_words
from core.live.race import Racer
from core.live.watching import ENDS, Progress
from core.target import Target, split_selector, told_of_key
from core.text import one_line
from screens.streaming import StreamingScreen
from tui.widgets.ask_key import agreed_target
from tui.widgets.fault import copy_faults, details
from tui.widgets.race_table import RaceTable
from tui.widgets.run_view import RunView
from tui.widgets.steady import Steady
from tui.widgets.stream_pane import FRAME_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

    from core.errors import Fault
    from core.live.prompts import ReadyPrompt
    from core.live.watching import Watching
    from core.workspace import Workspace

ABREAST = 36
"""Columns that a lane needs for all of them to stand in one row."""
FIGURES_EVERY = 3


class Lane(Vertical):
    """One racer: its name, how it stands, its stream."""

    DEFAULT_CSS = """
    Lane { height: 1fr; width: 1fr; }
    Lane > .-name { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    Lane:focus-within > .-name { background: $panel; }
    Lane StreamPane, Lane StreamPane:focus { border: none; border-top: solid $panel; }
    Lane StreamPane:focus { border-top: solid $primary; }
    Lane RunView.-folded > #thinking { display: none; }
    Lane RunView > #answer { min-height: 2; }
    """

    def __init__(self, number: int, selector: str) -> None:
        super().__init__(id=f"lane{number}")
        self.number = number
        self.selector = selector
        self.watching: Watching | None = None
        self.progress = Progress()
        self.fault: Fault | None = None
        """What stopped it, as it stands below what came."""
        self._said = ("○", "not started")

    def compose(self) -> ComposeResult:
        """The name, and the run."""
        yield Steady(classes="-name")
        yield RunView()

    def on_mount(self) -> None:
        """Show the name."""
        self.say(*self._said)

    @property
    def view(self) -> RunView:
        """The run's own panes."""
        return self.query_one(RunView)

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return self.watching is None or self.progress.state in ENDS

    @property
    def racer(self) -> Racer:
        """The lane's line of the table."""
        progress = self.progress
        right = progress.run is None or progress.run.works is not False
        return Racer(self.selector, progress.state, progress.figures, progress.counts_from, right)

    def clear(self) -> None:
        """Ready for a race."""
        self.watching = None
        self.progress = Progress()
        self.fault = None
        self.view.begin()
        self.say("○", "waits for the start")

    def say(self, sign: str, words: str) -> None:
        """How it stands; a long name is cut before that is."""
        self._said = (sign, words)
        name = self.query_one(".-name", Steady)
        around = len(f"{self.number} {sign}   {words}")
        room = max(12, (name.content_size.width or 60 + around) - around)
        name.put(
            Content.assemble(
                (f"{self.number} {sign} ", "$primary"),
                (one_line(self.selector, min(60, room)), "bold"),
                f"  {words}",
            )
        )

    def on_resize(self) -> None:
        """Another width, another cut."""
        self.call_after_refresh(lambda: self.say(*self._said))

    def take(self, *, figures: bool) -> None:
        """One frame: text at once, figures when ``figures``, or when it ended."""
        if self.watching is None:
            return
        self.progress = progress = self.watching.take()
        self.view.take(progress)
        if figures or progress.state in ENDS:
            self.view.figures(progress)
            self.say(*brief_words(progress))

    def fail(self, fault: Fault) -> None:
        """What went wrong, below what came."""
        self.fault = fault
        parts = [(one_line(fault.what), "bold $error")]
        if fault.why:
            parts.append((f"\nwhy  {one_line(fault.why)}", "$foreground 75%"))
        if fault.fix:
            parts.append((f"\nfix  {one_line(fault.fix)}", "$success"))
        self.view.answer.aside(Content.assemble(*parts))


class RaceScreen(StreamingScreen):
    """Several requests at the same time, each in a thread of its own."""

    TITLE = "race"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "run", "Start", id="run", tooltip="Start the race, or run it again"),
        Binding("x", "stop_one", "Stop this", id="stop-one", tooltip="Stop the lane in focus"),
        Binding("escape", "stop", "Stop all", id="stop", tooltip="Stop every lane"),
        Binding("escape", "back", "Back", id="back"),
        Binding("tab", "next", "Next lane", id="next", tooltip="Go to the next lane"),
        Binding("z", "fold", "Thinking", id="fold", tooltip="Show the thinking, or hide it"),
        Binding("f", "follow", "Follow", id="follow", show=False, tooltip="Go along with the end"),
        Binding("h", "history", "Runs", id="history", tooltip="Earlier runs, medians and ranges"),
        Binding("equals_sign", "figures", "Figures", id="figures", tooltip="What they mean"),
    ]

    def __init__(
        self,
        workspace: Workspace,
        selectors: tuple[str, ...],
        prompt: ReadyPrompt,
        drafts: Mapping[str, Target] | None = None,
    ) -> None:
        """``drafts``: targets of selectors that are not in the file yet."""
        super().__init__(workspace)
        self._selectors = selectors
        self._prompt = prompt
        self._drafts = drafts or {}
        self._frame = 0
        self._started: list[Watching] = []

    def body(self) -> ComposeResult:
        """The prompt, the lanes, the table."""
        yield Static(id="asked", markup=False)
        with Grid(id="race"):
            for number, selector in enumerate(self._selectors, 1):
                yield Lane(number, selector)
        yield RaceTable(id="table")
        yield Steady(id="notes")

    def on_mount(self) -> None:
        """Ready to start."""
        super().on_mount()
        prompt = self._prompt
        self.query_one("#asked", Static).update(
            Content.assemble((f"{prompt.name}  ", "bold"), one_line(prompt.text, 200))
        )
        self.set_interval(FRAME_S, self._tick)
        self.show_table()
        self.lanes[0].view.answer.focus()

    def on_resize(self) -> None:
        """All abreast where there is room, else two in a row."""
        super().on_resize()
        count = len(self._selectors)
        columns = count if self.app.size.width >= count * ABREAST else 2
        grid = self.query_one("#race", Grid)
        grid.styles.grid_size_columns = columns
        grid.styles.grid_size_rows = -(-count // columns)

    def on_unmount(self) -> None:
        """Whoever leaves the screen stops its requests."""
        self._stop_all()

    @property
    def lanes(self) -> list[Lane]:
        """The racers' lanes, from the left."""
        return list(self.query(Lane))

    @property
    def explained(self) -> Progress:
        """That of the lane in focus."""
        lanes = self.lanes
        return next((lane for lane in lanes if lane.has_focus_within), lanes[0]).progress

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nobody to stop before the start, and no second start before the end."""
        if self.is_mounted and action in {"run", "stop_one"}:
            return None if self._busy != (action == "stop_one") else True
        return super().check_action(action, parameters)

    # ------------------------------------------------------------------ keys

    def action_run(self) -> None:
        """Start."""
        if not self._busy:
            self.race()

    def action_stop_one(self) -> None:
        """Stop the lane in focus; the others go on."""
        for lane in self.lanes:
            if lane.has_focus_within and lane.watching is not None:
                lane.watching.stop()

    def action_stop(self) -> None:
        """Stop every lane."""
        if not self._stop_all():
            self.workers.cancel_group(self, "stream")

    def action_copy_fault(self) -> None:
        """Copy what stopped each lane, with its name."""
        failed = [(lane.selector, lane.fault) for lane in self.lanes if lane.fault is not None]
        told = [f"{one_line(selector)}: {details(fault)}" for selector, fault in failed]
        copy_faults(self, self.workspace.env, told)

    def action_next(self) -> None:
        """The answer of the next lane gets the focus."""
        lanes = self.lanes
        now = next((index for index, lane in enumerate(lanes) if lane.has_focus_within), -1)
        lanes[(now + 1) % len(lanes)].view.answer.focus()

    def action_fold(self) -> None:
        """Show thinking or hide it, in every lane alike."""
        folded = self.lanes[0].view.folded
        for lane in self.lanes:
            if lane.view.folded == folded:
                lane.view.fold()

    def action_follow(self) -> None:
        """Every pane goes along with its end again."""
        for lane in self.lanes:
            lane.view.thinking.action_follow()
            lane.view.answer.action_follow()

    def _stop_all(self) -> bool:
        """Whether there was anything to stop. The lanes may be gone already."""
        for watching in self._started:
            watching.stop()
        return bool(self._started)

    # ------------------------------------------------------------------ the race

    @work(exclusive=True, group="stream", exit_on_error=False)
    async def race(self) -> None:
        """Find every target first, asking where a key may not go yet; then begin all at once."""
        self._started = []
        for lane in self.lanes:
            lane.clear()
        self.refresh_bindings()
        self.query_one("#notes", Steady).put("")
        try:
            ready: list[tuple[Lane, Target]] = []
            for lane in self.lanes:
                target = await self._target_of(lane)
                if target is not None:
                    ready.append((lane, target))
            for lane, target in ready:
                lane.watching = self.workspace.asker.watch(target, self._prompt)
                self._started.append(lane.watching)
            await asyncio.gather(*(self._see(lane, target) for lane, target in ready))
            self._remark(ready)
        finally:
            self._stop_all()
            self._end()

    def _end(self) -> None:
        try:
            self.show_table()
        except NoMatches:
            return  # the screen is gone
        self.call_after_refresh(self.refresh_bindings)

    async def _target_of(self, lane: Lane) -> Target | None:
        draft = self._drafts.get(lane.selector)
        if draft is not None:
            return draft
        lane.say("…", "looking for the key")
        try:
            name, model = split_selector(lane.selector)
            provider = self.workspace.provider(name)
            target = await agreed_target(self, self.workspace, provider, model)
        except TurnkeyError as error:
            lane.progress = Progress(state="failed")
            lane.say("✗", "not sent")
            lane.fail(error.fault)
            return None
        lane.say("○", "waits for the start")
        return target

    async def _see(self, lane: Lane, target: Target) -> None:
        """One lane, to its end."""
        watching = lane.watching
        if watching is None:
            return
        run = await watching.over()
        lane.take(figures=True)
        await lane.view.finish()
        progress, prompt = lane.progress, self._prompt
        if run.error is not None:
            lane.fail(told_of_key(run.error, target.source))
        self.workspace.history.add(lane.selector, prompt.name, prompt.text, progress.state, run)
        if progress.state != "stopped":
            self.workspace.remember(lane.selector, target.base, run)

    def _remark(self, ready: list[tuple[Lane, Target]]) -> None:
        """What is to be known before the figures are believed."""
        notes = []
        origins = [target.base.origin for _, target in ready]
        shared = sorted({origin for origin in origins if origins.count(origin) > 1})
        if shared:
            notes.append(
                f"they ran at the same time: those at {', '.join(shared)} shared one server"
            )
        for lane, _ in ready:
            run = lane.progress.run
            if run is not None:
                notes += [f"▲ {lane.number}: {one.message}" for one in run.warnings]
        self.query_one("#notes", Steady).put(
            Content("\n").join(
                Content.styled(one_line(note, 300), "$warning" if note[0] == "▲" else "")
                for note in notes
            )
        )

    def _tick(self) -> None:
        """One frame of every lane."""
        self._frame += 1
        figures = self._frame % FIGURES_EVERY == 0
        running = [lane for lane in self.lanes if not lane.over]
        for lane in running:
            lane.take(figures=figures)
        if running and figures:
            self.show_table()

    def show_table(self) -> None:
        """The figures as they stand."""
        self.query_one(RaceTable).show([lane.racer for lane in self.lanes])
