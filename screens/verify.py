"""Verify: the lanes tried as Warden will use them, with the evidence of each verdict."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, ProgressBar, Static
from textual.widgets.option_list import Option

from core.errors import TurnkeyError
from core.text import one_line, visible
from core.verify.board import lines, progress, put
from core.verify.known import standing_of
from core.verify.words import (
    estimate_words,
    evidence_words,
    others_words,
    outcome_words,
    sent_words,
    stopped_words,
)
from tui.clipboard import copy
from tui.widgets.fault import FaultBox
from tui.widgets.places import ToExport
from tui.widgets.shell import TurnkeyScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from core.verify.board import Line, Question
    from core.verify.plan import Plan
    from core.verify.receipt import Receipt
    from core.verify.run import Event
    from core.verify.trials.setting import Step
    from core.verify.verdict import Verdict
    from core.wire.bounds import Bounds
    from core.workspace import Workspace

STYLES = {"✓": "$success", "✗": "$error", "?": "$warning", "▸": "$primary", "·": "$foreground 75%"}
PAINT_S = 0.2
"""How often the lines are painted while a run goes on."""


class Verifying(Protocol):
    """What the screen runs: :class:`core.verify.session.Verification`, or a scripted one."""

    plan: Plan
    whole: Plan
    dear: Plan
    limit: int
    resumed: int
    sent: int
    counted: int
    receipt: Receipt | None

    async def run(self, tell: Callable[[Event], None], bounds: Bounds) -> Receipt:
        """Ask everything; raises TurnkeyError where it cannot be asked."""
        ...


class Make(Protocol):
    """How the screen gets one."""

    def __call__(
        self, workspace: Workspace, *, only: tuple[str, ...] = (), afresh: bool = False
    ) -> Verifying:
        """A verification of ``workspace`` as it stands now."""
        ...


def real(workspace: Workspace, *, only: tuple[str, ...] = (), afresh: bool = False) -> Verifying:
    """The verification of a workspace, with its usual trials or ``only`` those."""
    from core.verify.session import Verification, Wanted

    return Verification(workspace, Wanted(only=only, afresh=afresh))


class VerifyScreen(TurnkeyScreen[None]):
    """The plan with its cost, then each verdict as it is found."""

    TITLE = "verify"
    DEFAULT_CSS = """
    VerifyScreen #cost { height: auto; padding: 0 1; color: $foreground 85%; }
    VerifyScreen #state { height: auto; max-height: 2; padding: 0 1; }
    VerifyScreen ProgressBar { height: 1; padding: 0 1; display: none; }
    VerifyScreen.-busy ProgressBar { display: block; }
    VerifyScreen #lines { height: 1fr; }
    VerifyScreen #evidence { height: 6; border-top: solid $panel; padding: 0 1; }
    VerifyScreen #evidence > Static { height: auto; }
    VerifyScreen FaultBox { margin: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "start", "Verify", id="verify", tooltip="Ask what the plan says"),
        Binding("a", "again", "All again", id="again", tooltip="Ask everything anew"),
        Binding("enter", "evidence", "Evidence", id="evidence", tooltip="What was sent and came"),
        Binding("t", "dear", "Try", id="try", tooltip="Try what is expensive, at the cursor"),
        Binding("y", "copy", "Copy", id="copy", tooltip="Copy this verdict with its evidence"),
        Binding("e", "export", "Export", id="export", tooltip="For Pi, CI and other readers"),
        Binding("escape", "back", "Back", id="back", tooltip="Back; while it runs, stop"),
    ]

    def __init__(self, workspace: Workspace, make: Make = real) -> None:
        super().__init__(workspace)
        self._make = make
        self._usual: Verifying | None = None
        """The verification of everything, whose lines are shown."""
        self._asks: Plan | None = None
        """What a run under way asks."""
        self._sends: Verifying | None = None
        """The run itself."""
        self._verdicts: list[Verdict] = []
        self._under_way: dict[Question, str] = {}
        """What is being asked now, and the last that was told of it."""
        self._shown: tuple[Line, ...] = ()
        self._wide = 0
        self._busy = False

    def body(self) -> ComposeResult:
        """What it costs, how far it is, the lines, and the evidence of the chosen one."""
        yield Static(id="cost", markup=False)
        yield Static(id="state", markup=False)
        yield ProgressBar(show_eta=False, id="bar")
        yield FaultBox()
        yield OptionList(id="lines", markup=False)
        with VerticalScroll(id="evidence", can_focus=False):
            yield Static(id="words", markup=False)

    def on_mount(self) -> None:
        """Plan, and show what is known already; nothing is asked before ``v``."""
        super().on_mount()
        if self._plan():
            standing = standing_of(self.workspace, self.workspace.variant, datetime.now(UTC))
            if standing.worth == "fresh" and standing.receipt is not None:
                self._verdicts = list(standing.receipt.verdicts)
                self._tell(outcome_words(standing.receipt), good=standing.verified)
            elif standing.worth == "stale" and standing.fault is not None:
                self._tell(f"◐ {standing.fault.what} v tries it again.")
            else:
                self._tell("v starts. Nothing of your repository is read; esc stops.")
        self._draw_lines()
        self._go_to_failure()
        self.query_one("#lines").focus()

    def _plan(self) -> bool:
        """Make the plan of everything; False, with the fault shown, where there is none."""
        fault = self.query_one(FaultBox)
        try:
            usual = self._usual = self._make(self.workspace)
        except TurnkeyError as error:
            self._usual = None
            fault.show(error.fault)
            return False
        self._price(f"{estimate_words(usual.plan.estimate, usual.limit)}.")
        return True

    def _price(self, words: str) -> None:
        self.query_one("#cost", Static).update(words[0].upper() + words[1:])

    def _tell(self, words: str, *, good: bool | None = None) -> None:
        style = "" if good is None else "$success" if good else "$error"
        self.query_one("#state", Static).update(Content.styled(one_line(words, 400), style))

    # ------------------------------------------------------------------ the lines

    def _draw_lines(self) -> None:
        """Show how things stand; lines that are as they were are left alone."""
        usual = self._usual
        found = self.query_one("#lines", OptionList)
        # before the first layout the list has no width; the screen's is near
        inside = found.scrollable_content_region.width or self.app.size.width - 4
        wide = max(30, inside - 2)
        shown: tuple[Line, ...] = ()
        if usual is not None:
            shown = lines(usual.whole, self._verdicts, self._under_way, usual.dear)
        if [one.place for one in shown] != [one.place for one in self._shown]:
            self._fill(found, shown, wide)
        else:
            for index, (line, old) in enumerate(zip(shown, self._shown, strict=True)):
                if line != old or wide != self._wide:
                    found.replace_option_prompt_at_index(index, _option(line, wide))
        self._shown, self._wide = shown, wide
        if self._asks is not None:
            done, total = progress(self._asks, self._verdicts)
            self.query_one(ProgressBar).update(total=max(1, total), progress=done)
        self._show_evidence()

    def _fill(self, found: OptionList, shown: tuple[Line, ...], wide: int) -> None:
        """Other lines than before: the cursor stays on the question that it was on."""
        at = self._line()
        with self.app.batch_update():
            found.clear_options()
            found.add_options(
                [Option(_option(line, wide), disabled=line.kind == "heading") for line in shown]
            )
            places = [line.place for line in shown]
            if at is not None and at.place in places:
                found.highlighted = places.index(at.place)
            elif len(shown) > 1:
                found.highlighted = 1

    def on_resize(self) -> None:
        """Counts stand at the right edge."""
        super().on_resize()
        if self.is_mounted:
            self.call_after_refresh(self._draw_lines)

    @on(OptionList.OptionHighlighted, "#lines")
    def moved(self) -> None:
        """Show why the verdict at the cursor is what it is."""
        self._show_evidence()
        self.query_one("#evidence").scroll_home(animate=False)

    def _show_evidence(self) -> None:
        self.query_one("#words", Static).update(self._words())
        self.refresh_bindings()

    def _line(self) -> Line | None:
        at = self.query_one("#lines", OptionList).highlighted
        return self._shown[at] if at is not None and at < len(self._shown) else None

    def _go_to_failure(self) -> None:
        """Put the cursor on what failed, if anything did: its cause and its fix stand below."""
        failed = [index for index, line in enumerate(self._shown) if line.sign == "✗"]
        line = self._line()
        if failed and (line is None or line.sign != "✗"):
            self.query_one("#lines", OptionList).highlighted = failed[0]

    def _words(self) -> Content:
        """What is said of the line at the cursor."""
        line = self._line()
        if line is None or line.kind == "heading":
            return Content("")
        verdict = line.verdict
        if verdict is None:
            told = [
                words
                for (probe, *model, lane), words in self._under_way.items()
                if (probe, tuple(model), lane) == (line.name, line.model, line.lane)
            ]
            if told:
                return Content(f"Under way. {visible(told[0])}")
            return Content(SAYS.get(line.kind, "Not tried yet."))
        parts: list[Content | tuple[str, str]] = [Content(visible(verdict.evidence.text))]
        if verdict.others:
            parts.append((f"\n{others_words(verdict)}", "$warning"))
        if verdict.fix:
            parts.append((f"\nfix  {visible(verdict.fix)}", "$success"))
        if verdict.evidence.exchanges:
            parts.append(("\nenter shows what was sent and came", "$foreground 75%"))
        return Content.assemble(*parts)

    # ------------------------------------------------------------------ what the keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is started twice; what needs a verdict waits for one."""
        line = self._line() if self.is_mounted else None
        idle = not self._busy and self._usual is not None
        match action:
            case "start" | "again" | "export":
                return True if idle else None
            case "dear":
                return True if idle and line is not None and line.kind == "dear" else None
            case "copy" | "evidence":
                return True if line is not None and line.verdict is not None else None
        return True

    def action_start(self) -> None:
        """Ask what is not decided yet; with everything decided, all of it again."""
        if self._usual is not None:
            if not self._usual.resumed:
                self._verdicts = []
            self.verify(self._usual)

    def action_again(self) -> None:
        """Ask everything anew, also what a stopped run has decided."""
        self._verdicts = []
        self.verify(self._make(self.workspace, afresh=True))

    def action_dear(self) -> None:
        """Try the declared context window or output limit, which costs as many tokens."""
        line = self._line()
        if line is not None and line.kind == "dear":
            self.verify(self._make(self.workspace, only=(line.name,)))

    def action_export(self) -> None:
        """Go on to the exports."""
        self.open(ToExport())

    @on(OptionList.OptionSelected, "#lines")
    def action_evidence(self) -> None:
        """Show what was sent and what came, whole."""
        from tui.widgets.evidence import EvidenceView

        line = self._line()
        if line is not None and line.verdict is not None:
            self.app.push_screen(EvidenceView(line.words, evidence_words(line.verdict)))

    def action_copy(self) -> None:
        """Copy the verdict with its evidence; keys are masked in it."""
        line = self._line()
        if line is not None and line.verdict is not None:
            copy(self.app, evidence_words(line.verdict), self.workspace.env)

    def go_on(self) -> bool:
        """A run under way is not left out by chance."""
        if self._busy:
            self.notify("It is being verified: esc stops that, then ctrl+n goes on.", markup=False)
        return self._busy

    def action_back(self) -> None:
        """Stop while it runs; else go back."""
        if self._busy:
            self.workers.cancel_group(self, "verify")
        else:
            self.dismiss()

    @work(group="verify", exclusive=True, exit_on_error=False)
    async def verify(self, verifying: Verifying) -> None:
        """Run the plan to its end, or until it is stopped."""
        from core.wire.bounds import Bounds

        self._busy, self._asks, self._sends = True, verifying.whole, verifying
        self.set_class(True, "-busy")
        self.query_one(FaultBox).clear()
        self._tell("Asking what answers there …")
        self._draw_lines()
        painter = self.set_interval(PAINT_S, self._draw_lines)
        try:
            receipt = await verifying.run(self._took, Bounds())
        except TurnkeyError as error:
            self._tell("Not verified.", good=False)
            self.query_one(FaultBox).show(error.fault)
        except asyncio.CancelledError:
            if self.is_attached:
                self._tell(stopped_words(verifying.receipt))
            raise
        else:
            for verdict in receipt.verdicts:
                put(self._verdicts, verdict)
            self._tell(outcome_words(receipt), good=receipt.verified)
        finally:
            painter.stop()
            self._busy, self._asks, self._sends = False, None, None
            self._under_way = {}
            if self.is_attached:
                if verifying.sent:
                    cost = verifying.plan.estimate
                    self._price(sent_words(verifying.sent, cost, verifying.counted))
                self.set_class(False, "-busy")
                self._usual = self._make(self.workspace)
                self._draw_lines()
                self._go_to_failure()
                self.draw_bar()

    def _took(self, event: Event) -> None:
        """One event of the run; the lines are painted a few times a second."""
        from core.verify.run import Began, Decided, Down, Waits

        match event:
            case Began():
                provider, _, model = event.model.partition("/")
                self._under_way[event.probe, provider, model, event.lane] = ""
            case Decided():
                one = event.verdict
                self._under_way.pop((one.probe, one.provider, one.model, one.lane), None)
                put(self._verdicts, one)
            case Waits():
                self._tell(f"Waiting {event.seconds:.0f} s: {event.why}")
            case Down():
                self._tell(f"{event.provider} is not tried: {event.fault.what}", good=False)
            case _:
                self._step(event)

    def _step(self, event: Step) -> None:
        """A trial has begun or ended something: told above, and where the cursor is on it."""
        run = f"run {event.run} of {event.runs}: " if event.runs > 1 else ""
        lane = ""
        for question in self._under_way:
            probe, _, model, of = question
            if (probe, model) == (event.trial, event.model) and of in {None, event.lane}:
                self._under_way[question] = f"{run}{event.words}"
                lane = f"{of} · " if of else ""
        sent = f"{self._sends.sent} sent · " if self._sends is not None else ""
        self._tell(f"{sent}{lane}{event.trial}, {run}{event.words}")


SAYS = {
    "dear": "Not tried: it costs as many tokens as the limit that it tries. t tries it.",
    "probes": "Small questions that decide which flags Warden's engine needs for this server.",
    "learned": "What differs from the engine's own choice, as the probes found it.",
}


def _option(line: Line, wide: int) -> Content:
    if line.kind == "heading":
        return Content.styled(one_line(line.words, wide), "bold $primary")
    room = wide - len(line.count) - 5
    words = one_line(line.words, max(10, room))
    gap = " " * max(1, wide - 3 - len(words) - len(line.count))
    style = STYLES.get(line.sign, "")
    return Content.assemble((f" {line.sign} ", style), words, gap, (line.count, style))
