"""Live test: thinking and answer apart as they stream, and the figures that prove it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.css.query import NoMatches
from textual.widgets import Input, Select

from core.errors import TurnkeyError
from core.live.history import beside_words
from core.live.panel import end_words, state_words
from core.live.prompts import READY_PROMPTS, ReadyPrompt, own_prompt
from core.live.race import FEWEST, MOST
from core.live.watching import ENDS, Progress
from core.target import Target, split_selector, told_of_key
from core.text import one_line
from screens.live_words import (
    HINT,
    OWN,
    curl_of,
    in_the_end,
    model_choices,
    note_lines,
    prompt_choices,
    so_far,
)
from screens.streaming import StreamingScreen
from tui.widgets.ask_key import agreed_target
from tui.widgets.fault import FaultBox
from tui.widgets.figure_panel import FigurePanel
from tui.widgets.inspector import Inspector
from tui.widgets.prompt_line import PromptLine
from tui.widgets.run_view import RunView
from tui.widgets.steady import Steady
from tui.widgets.stream_pane import FRAME_S

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Resize

    from core.live.verdict import Run
    from core.live.watching import Watching
    from core.workspace import Workspace

SIDE: Final = 140
"""Columns from which the inspector stands beside the stream."""
SHORT: Final = 22
"""Rows below which folded thinking is not shown at all."""
FIGURES_S: Final = 0.2
"""Seconds between two paintings of the figures: a number that changes faster is not read.

Three times as many while somebody writes in the prompt.
"""
PROMPT_COLUMNS: Final = 1000


class LiveScreen(StreamingScreen):
    """One streamed request, watched."""

    TITLE = "live test"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "run", "Send", id="run", tooltip="Send the prompt, or send it again"),
        Binding("escape", "stop", "Stop", id="stop", tooltip="Stop the stream; what came stays"),
        Binding("escape", "back", "Back", id="back"),
        Binding("p", "prompt", "Prompt", id="prompt", tooltip="Pick a prompt, or write your own"),
        Binding(
            "e",
            "edit",
            "Edit",
            id="edit",
            show=False,
            priority=True,  # before the next letter is read, which belongs to the prompt then
            tooltip="Write in the prompt's line",
        ),
        Binding("m", "model", "Model", id="model", tooltip="Which lane or model"),
        Binding("r", "race", "Race", id="race", tooltip="Two to four models on this prompt"),
        Binding("h", "history", "Runs", id="history", tooltip="Earlier runs, medians and ranges"),
        Binding("i", "inspect", "Inspect", id="inspect", tooltip="What was sent and what came"),
        Binding("y", "curl", "Curl", id="curl", tooltip="Copy as curl, $NAME for the key"),
        Binding("equals_sign", "figures", "Figures", id="figures", tooltip="What the figures mean"),
        Binding("z", "fold", "Fold", id="fold", show=False, tooltip="Fold thinking, or unfold it"),
        Binding("f", "follow", "Follow", id="follow", show=False, tooltip="Go along with the end"),
    ]

    def __init__(
        self, workspace: Workspace, selector: str | None = None, target: Target | None = None
    ) -> None:
        super().__init__(workspace)
        self._target = target
        self._selector = selector
        self._ready = READY_PROMPTS[0]
        self._watching: Watching | None = None
        """The request that runs, or the last one."""
        self._sent_to: Target | None = None
        self._progress = Progress()
        self._taken_at = self._figures_at = 0.0
        self._begun_anew = False

    # ------------------------------------------------------------------ what is shown

    def body(self) -> ComposeResult:
        """Target and prompt, the stream and what was sent, the figures, what the run tells."""
        with Horizontal(id="target"):
            yield Select(
                self._options(), id="model", allow_blank=True, compact=True, prompt="choose a model"
            )
            yield Steady("○ not tried", id="state")
        with Horizontal(id="asked"):
            yield Steady("PONG", id="prompt-name")
            asked = one_line(self._ready.text, PROMPT_COLUMNS)
            yield PromptLine(value=asked, id="prompt", compact=True)
        with Horizontal(id="stage"):
            yield RunView(id="run")
            yield Inspector(id="inspector")
        yield FaultBox(id="fault")
        yield FigurePanel(id="figures")
        yield Steady(id="notes")

    def _options(self) -> list[tuple[str, str]]:
        return model_choices(self.workspace, self._selector, draft=self._target is not None)

    def on_mount(self) -> None:
        """Stand on the model that was asked for, ready to run."""
        super().on_mount()
        choice = self.query_one("#model", Select)
        values = [value for _, value in self._options()]
        if self._selector in values:
            choice.value = self._selector
        elif values:
            choice.value = values[0]
        self.set_interval(FRAME_S, self._tick)
        self._hint()
        self._view.answer.focus()

    def on_resize(self, event: Resize | None = None) -> None:
        """Where there is room, what was sent stands beside the stream."""
        super().on_resize()
        size = self.app.size
        self.set_class(size.width >= SIDE, "-side")
        self.set_class(size.height < SHORT, "-short")

    def on_unmount(self) -> None:
        """Whoever leaves the screen stops its request."""
        if self._watching is not None:
            self._watching.stop()

    def _hint(self) -> None:
        self._view.answer.aside(Content.styled(HINT, "$foreground 60%"))

    @property
    def _view(self) -> RunView:
        return self.query_one("#run", RunView)

    @property
    def _inspector(self) -> Inspector:
        return self.query_one("#inspector", Inspector)

    @property
    def _chosen(self) -> str | None:
        value = self.query_one("#model", Select).value
        return value if isinstance(value, str) else None

    @property
    def explained(self) -> Progress:
        """The last run's, or the running one's."""
        return self._progress

    @property
    def _inspecting(self) -> bool:
        """Whether the inspector is to be seen."""
        return self.has_class("-inspecting") != self.has_class("-side")

    # ------------------------------------------------------------------ keys

    def action_run(self) -> None:
        """Send the prompt."""
        if self.free("enter sends the prompt again"):
            self.stream()

    @on(Input.Submitted, "#prompt")
    def submit(self) -> None:
        """Enter in the prompt sends it."""
        self._view.answer.focus()
        self.action_run()

    @work(group="pick", exclusive=True)
    async def action_prompt(self) -> None:
        """Pick a ready prompt, or write one."""
        if not self.free("p picks another prompt"):
            return
        from tui.widgets.pick import AskPick

        asks = AskPick("Which prompt?", prompt_choices(), self._asks().name)
        name = await self.app.push_screen_wait(asks)
        if name == OWN:
            self.query_one("#prompt", Input).value = ""
            self.action_edit()
        elif name is not None:
            ready = next(ready for ready in READY_PROMPTS if ready.name == name)
            self._ready = ready
            self.query_one("#prompt", Input).value = one_line(ready.text, PROMPT_COLUMNS)
            self._say([ready.why])

    def action_edit(self) -> None:
        """Go to the prompt."""
        self.set_focus(self.query_one("#prompt"))

    @on(Input.Changed, "#prompt")
    def name_prompt(self) -> None:
        """Say which prompt it is; whoever types sees the letters first."""
        self._view.letters.typed(monotonic())
        self.query_one("#prompt-name", Steady).put(self._asks().name)

    def action_model(self) -> None:
        """Choose another lane or model."""
        if self.free("m chooses another model"):
            choice = self.query_one("#model", Select)
            choice.focus()
            choice.action_show_overlay()

    @on(Select.Changed, "#model")
    def chosen(self) -> None:
        """A chosen model is ready to run; what stood here was of another one."""
        self._view.answer.focus()
        if not self._busy:
            self._clear()
            self._hint()
            self.query_one("#state", Steady).put("○ not tried")

    def action_fold(self) -> None:
        """Fold thinking to its last line, or open it."""
        self._view.fold()

    def action_follow(self) -> None:
        """Both panes go along with the end again."""
        self._view.thinking.action_follow()
        self._view.answer.action_follow()

    def action_inspect(self) -> None:
        """Show what was sent and what came, or hide it."""
        self.toggle_class("-inspecting")
        if self._inspecting and not self.has_class("-side"):
            self._inspector.query_one("Log").focus()
        else:
            self._view.answer.focus()

    def action_back(self) -> None:
        """Close what lies over the stream, then the screen."""
        if self.has_class("-inspecting") and not self.has_class("-side"):
            self.action_inspect()
        else:
            super().action_back()

    @work(group="curl", exclusive=True)
    async def action_curl(self) -> None:
        """Copy the last request as a curl command, with the variable's name for the key."""
        from tui.clipboard import copy

        watching, target = self._watching, self._sent_to
        exchange = None if watching is None else await asyncio.to_thread(watching.exchange)
        if exchange is None or target is None or not exchange.url:
            self.notify("Nothing was sent yet: enter sends the prompt.", markup=False)
            return
        command, words = curl_of(self.workspace, target, exchange)
        copy(self.app, command, self.workspace.env, says=words)

    @work(group="pick", exclusive=True)
    async def action_race(self) -> None:
        """Choose who races on this prompt, and go there."""
        if not self.free("r opens a race"):
            return
        from screens.race import RaceScreen
        from tui.widgets.pick import AskSeveral

        options = [(selector, label) for label, selector in self._options()]
        picked = await self.app.push_screen_wait(
            AskSeveral(
                f"Who races on «{self._asks().name}»?",
                options,
                {self._chosen or ""},
                least=FEWEST,
                most=MOST,
            )
        )
        if picked is None:
            return
        drafts = {} if self._target is None else {self._selector or "": self._target}
        self.app.push_screen(RaceScreen(self.workspace, picked, self._asks(), drafts))

    def action_stop(self) -> None:
        """Close the connection; what came stays on screen."""
        if self._watching is not None and not self._over:
            self._watching.stop()
        else:
            self.workers.cancel_group(self, "stream")

    @property
    def _over(self) -> bool:
        return self._progress.state in ENDS

    # ------------------------------------------------------------------ the stream

    @work(exclusive=True, group="stream", exit_on_error=False)
    async def stream(self) -> None:
        """Watch one request; the panes are filled as text comes, painted at frame rate."""
        selector, prompt = self._chosen, self._asks()
        if selector is None:
            self.action_model()
            return
        if not prompt.text.strip():
            self.action_edit()
            return
        choice = self.query_one("#model", Select)
        state = self.query_one("#state", Steady)
        self._clear()
        self._view.begin()
        choice.disabled = True
        self.refresh_bindings()
        watching: Watching | None = None
        try:
            state.put("… looking for the key")
            target = await self._find_target(selector)
            self._sent_to = target
            watching = self._watching = self.workspace.asker.watch(target, prompt)
            self._inspector.follow(watching)
            run = await watching.over()
            self._take(watching)
            await self._view.finish()
            self._finish(selector, prompt, target, run)
        except TurnkeyError as error:
            state.put("✗ not sent")
            self.query_one(FaultBox).show(error.fault)
        except asyncio.CancelledError:
            self._say_stopped()
            raise
        finally:
            if watching is not None:
                watching.stop()
            choice.disabled = False
            self.call_after_refresh(self.refresh_bindings)

    async def _find_target(self, selector: str) -> Target:
        if self._target is not None and selector == self._selector:
            return self._target
        name, model = split_selector(selector)
        provider = self.workspace.provider(name)
        return await agreed_target(self, self.workspace, provider, model)

    def _asks(self) -> ReadyPrompt:
        """What stands in the prompt line; a ready prompt with its own line ends."""
        typed = self.query_one("#prompt", Input).value
        for ready in (self._ready, *READY_PROMPTS):
            if typed == one_line(ready.text, PROMPT_COLUMNS):
                return ready
        return own_prompt(typed)

    def _clear(self) -> None:
        """Nothing came yet."""
        self._watching = None
        self._progress = Progress()
        self._begun_anew = False
        self._view.clear()
        self._inspector.clear()
        self.query_one(FaultBox).clear()
        self._say([])
        self.query_one(FigurePanel).show(self._progress)

    def _tick(self) -> None:
        """One frame: text at once, figures a few times a second."""
        watching = self._watching
        if watching is not None and not self._over:
            now = monotonic()
            if self._view.letters.lets(now, self._taken_at):
                self._taken_at = now
                self._take(watching)

    def _take(self, watching: Watching) -> None:
        progress = watching.take()
        changed = progress.state != self._progress.state
        self._begun_anew = self._begun_anew or progress.restarted
        self._progress = progress
        self._view.take(progress)
        typing = self.query_one("#prompt").has_focus
        now = monotonic()
        if not changed and now - self._figures_at < (FIGURES_S * 3 if typing else FIGURES_S):
            return
        self._figures_at = now
        self._view.figures(progress)
        self.query_one(FigurePanel).show(progress)
        if progress.run is None:
            self.query_one("#state", Steady).put(state_words(progress))
            self._say(so_far(progress, anew=self._begun_anew))

    def _finish(self, selector: str, prompt: ReadyPrompt, target: Target, run: Run) -> None:
        """Show what the run told, and keep it."""
        progress = self._progress
        kept = self.workspace.history.add(selector, prompt.name, prompt.text, progress.state, run)
        state = f"{end_words(progress.state, run)}   run {kept.number}"
        self.query_one("#state", Steady).put(state)
        if run.error is not None:
            self.query_one(FaultBox).show(told_of_key(run.error, target.source))
        likes = self.workspace.history.like(kept)
        self._say([*in_the_end(run), beside_words(kept, likes)])
        self._inspector.finish()
        if progress.state != "stopped":
            self.workspace.remember(selector, target.base, run)

    def _say(self, notes: list[str]) -> None:
        self.query_one("#notes", Steady).put(note_lines(notes))

    def _say_stopped(self) -> None:
        """Before anything was sent, or because the screen goes away."""
        with suppress(NoMatches):  # the screen is gone
            self.query_one("#state", Steady).put("■ stopped")
