"""Live test: thinking and answer apart as they stream, and the figures that prove it."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Select, Static

from core.errors import TurnkeyError
from core.live.events import Answer, AnswerWasThinking, Reasoning, Started, ToolPiece
from core.live.figures import Figures
from core.live.meter import Meter
from core.live.ping import PONG_PROMPT, READY_PROMPTS
from core.live.words import figure_lines, phase_words, reason_words, result_words
from core.target import Target, split_selector
from core.text import one_line
from tui.widgets.ask_key import agreed_target
from tui.widgets.fault import FaultBox
from tui.widgets.shell import TurnkeyScreen
from tui.widgets.stream_pane import FRAME_S, StreamPane

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.live.events import Event
    from core.live.ping import Run
    from core.workspace import Workspace

LANES = ("agent", "auxiliary", "synthesis")


class LiveScreen(TurnkeyScreen[None]):
    """One streamed request, watched."""

    TITLE = "live test"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "run", "Run", id="run", tooltip="Send the prompt"),
        Binding("p", "prompt", "Next prompt", id="prompt", tooltip="PONG, or a long answer"),
        Binding("e", "edit", "Edit prompt", id="edit"),
        Binding("m", "model", "Model", id="model", tooltip="Which lane or model"),
        Binding("escape", "stop", "Stop", id="stop", tooltip="Stop the stream"),
        Binding("escape", "back", "Back", id="back"),
    ]

    def __init__(
        self, workspace: Workspace, selector: str | None = None, target: Target | None = None
    ) -> None:
        super().__init__(workspace)
        self._target = target
        self._selector = selector
        self._ready = 0
        self._meter = Meter()
        self._started: float | None = None
        self._clock = perf_counter

    def body(self) -> ComposeResult:
        """Target and prompt, the two panes, the figures."""
        with Horizontal(id="target"):
            yield Select(
                self._options(), id="model", allow_blank=True, compact=True, prompt="choose a model"
            )
            yield Static("○ not tried", id="state", markup=False)
        yield Input(value=PONG_PROMPT, id="prompt", compact=True)
        yield StreamPane("thinking", id="thinking")
        yield StreamPane("answer", id="answer")
        yield FaultBox(id="fault")
        yield Static(id="figures", markup=False)
        yield Static(id="notes", markup=False)

    def _options(self) -> list[tuple[str, str]]:
        report = self.workspace.lanes()
        options: dict[str, str] = {}
        for lane in LANES:
            selector = report.lanes[lane].selector
            if selector is not None:
                options[selector] = f"{options[selector]}, {lane}" if selector in options else lane
        for provider in self.workspace.config.providers:
            for entry in provider.models:
                options.setdefault(f"{provider.name}/{entry.id}", "")
        if self._selector is not None:
            options.setdefault(self._selector, "not in the file yet" if self._target else "")
        return [
            (one_line(selector) + (f"   ({note})" if note else ""), selector)
            for selector, note in options.items()
        ]

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
        self._show_figures(None)
        self.query_one("#answer").focus()

    @property
    def _thinking(self) -> StreamPane:
        return self.query_one("#thinking", StreamPane)

    @property
    def _answer(self) -> StreamPane:
        return self.query_one("#answer", StreamPane)

    @property
    def _busy(self) -> bool:
        return any(
            worker.group == "stream" and worker.is_running
            for worker in self.workers
            if worker.node is self
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape stops while a stream runs, and goes back else."""
        if not self.is_mounted:
            return True
        if action == "stop":
            return self._busy
        if action == "back":
            return not self._busy
        if action in {"run", "prompt", "edit", "model"}:
            return None if self._busy else True
        return True

    def action_run(self) -> None:
        """Send the prompt."""
        if not self._busy:
            self.stream()

    @on(Input.Submitted, "#prompt")
    def submit(self) -> None:
        """Enter in the prompt sends it."""
        self.query_one("#answer").focus()
        self.action_run()

    def action_prompt(self) -> None:
        """Put the next ready prompt in place."""
        self._ready = (self._ready + 1) % len(READY_PROMPTS)
        self.query_one("#prompt", Input).value = one_line(READY_PROMPTS[self._ready].text, 1000)
        self.query_one("#notes", Static).update(READY_PROMPTS[self._ready].why)

    def action_edit(self) -> None:
        """Go to the prompt."""
        self.query_one("#prompt").focus()

    def action_model(self) -> None:
        """Choose another lane or model."""
        choice = self.query_one("#model", Select)
        choice.focus()
        choice.action_show_overlay()

    @on(Select.Changed, "#model")
    def chosen(self) -> None:
        """A chosen model is ready to run; what stood here was of another one."""
        self.query_one("#answer").focus()
        if not self._busy:
            self._clear()
            self.query_one("#state", Static).update("○ not tried")

    def _clear(self) -> None:
        """Nothing came yet."""
        selector = self.query_one("#model", Select).value
        asked = split_selector(selector)[1] if isinstance(selector, str) else None
        self._meter = Meter(asked)
        self._started = None
        self._thinking.clear()
        self._answer.clear()
        self.query_one(FaultBox).clear()
        self.query_one("#notes", Static).update("")
        self._show_figures(None)

    def action_stop(self) -> None:
        """Close the connection; what came stays on screen."""
        self.workers.cancel_group(self, "stream")

    @work(exclusive=True, group="stream", exit_on_error=False)
    async def stream(self) -> None:
        """Stream one request; the panes are filled as events come, painted at frame rate."""
        thinking, answer = self._thinking, self._answer
        fault = self.query_one(FaultBox)
        state = self.query_one("#state", Static)
        selector = self.query_one("#model", Select).value
        if not isinstance(selector, str):
            self.action_model()
            return
        self._clear()
        choice = self.query_one("#model", Select)
        choice.disabled = True
        self.refresh_bindings()
        try:
            target = await self._find_target(selector)
            run = await self.workspace.asker.ping(target, self._prompt(), self._take)
        except TurnkeyError as error:
            state.update("✗ not sent")
            fault.show(error.fault)
            return
        except asyncio.CancelledError:
            state.update("■ stopped")
            self._show_figures(self._meter.figures(self._clock()))
            raise
        finally:
            thinking.finish()
            answer.finish()
            choice.disabled = False
            self.call_after_refresh(self.refresh_bindings)
        self.workspace.remember(selector, target.base, run)
        self._finish(run)

    async def _find_target(self, selector: str) -> Target:
        if self._target is not None and selector == self._selector:
            return self._target
        name, model = split_selector(selector)
        provider = self.workspace.provider(name)
        return await agreed_target(self, self.workspace, provider, model)

    def _prompt(self) -> str:
        """What stands in the prompt line; a ready prompt with its own line ends."""
        typed = self.query_one("#prompt", Input).value
        ready = READY_PROMPTS[self._ready].text
        return ready if typed == one_line(ready, 1000) else typed

    def _take(self, event: Event) -> None:
        self._meter.apply(event)
        thinking, answer = self._thinking, self._answer
        match event:
            case Reasoning(text=text):
                thinking.push(text)
            case Answer(text=text):
                answer.push(text)
            case ToolPiece(name=name, arguments=arguments):
                answer.push(f"{name} {arguments}" if name else arguments)
            case AnswerWasThinking():
                thinking.push(answer.text)
                answer.clear()
            case Started():
                self._started = event.at
                thinking.clear()
                answer.clear()
            case _:
                pass

    def _tick(self) -> None:
        """Paint the figures while a stream runs."""
        if self._busy:
            now = self._clock()
            figures = self._meter.figures(now)
            self._show_figures(figures)
            self.query_one("#state", Static).update(self._progress(figures, now))

    def _progress(self, figures: Figures, now: float) -> str:
        if self._started is None:
            return "… connecting"
        if figures.first_token_s is None:
            return f"… waiting for the first token {now - self._started:5.1f} s"
        live = self._meter.live_rate(now)
        phase = "thinking" if figures.first_answer_s is None else "answering"
        return f"● {phase}" + ("" if live is None else f"  {live:5.1f} tok/s now")

    def _show_figures(self, figures: Figures | None) -> None:
        shown = figures or Figures()
        source = self._meter.counts_from
        withheld = shown.withheld
        self._thinking.note(
            ""
            if not shown.thinking_tokens
            else phase_words(
                shown.thinking_tokens,
                shown.thinking_tokens_per_s,
                withheld.get("thinking_tokens_per_s"),
                source,
            )
        )
        self._answer.note(
            ""
            if not shown.answer_tokens
            else phase_words(
                shown.answer_tokens,
                shown.answer_tokens_per_s,
                withheld.get("answer_tokens_per_s"),
                source,
            )
        )
        self.query_one("#figures", Static).update("\n".join(figure_lines(shown, source)))

    def _finish(self, run: Run) -> None:
        """Show what the run told."""
        self._show_figures(run.figures)
        self.query_one("#state", Static).update(result_words(run))
        fault = self.query_one(FaultBox)
        if run.error is not None:
            fault.show(run.error)
        notes = [f"▲ {warning.message} {warning.fix}".strip() for warning in run.warnings]
        notes += reason_words(run)
        if run.served_model is not None and run.ok:
            notes.append(f"served by {run.served_model}; finish {run.finish_reason or '–'}")
        self.query_one("#notes", Static).update(
            Content("\n").join(
                Content.styled(
                    one_line(note, 400), "$warning" if note.startswith("▲") else "$foreground 75%"
                )
                for note in notes
            )
        )
