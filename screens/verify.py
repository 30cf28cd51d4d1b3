"""Verify: the lanes tried as Warden will use them, with the evidence of each verdict."""

from __future__ import annotations

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
from core.verify.board import lines, progress
from core.verify.known import standing_of
from core.verify.words import estimate_words, outcome_words
from tui.clipboard import copy
from tui.widgets.fault import FaultBox
from tui.widgets.shell import ToExport, TurnkeyScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from core.verify.board import Line, Question
    from core.verify.plan import Plan
    from core.verify.receipt import Receipt
    from core.verify.run import Event
    from core.verify.verdict import Verdict
    from core.wire.bounds import Bounds
    from core.workspace import Workspace

STYLES = {"✓": "$success", "✗": "$error", "?": "$warning", "▸": "$primary", "·": "$foreground 75%"}
OPTIONAL = ("context_window", "output_limit")
"""Trials that cost as many tokens as they try; ``t`` runs them."""


class Verifying(Protocol):
    """What the screen runs: :class:`core.verify.session.Verification`, or a scripted one."""

    plan: Plan
    whole: Plan
    limit: int
    resumed: int

    async def run(self, tell: Callable[[Event], None], bounds: Bounds) -> Receipt:
        """Ask everything; raises TurnkeyError where it cannot be asked."""
        ...


def real(workspace: Workspace, only: tuple[str, ...]) -> Verifying:
    """The verification of a workspace, with its usual trials or ``only`` those."""
    from core.verify.session import Verification, Wanted

    return Verification(workspace, Wanted(only=only))


class VerifyScreen(TurnkeyScreen[None]):
    """The plan with its cost, then each verdict as it is found."""

    TITLE = "verify"
    DEFAULT_CSS = """
    VerifyScreen #cost { height: auto; padding: 0 1; color: $foreground 85%; }
    VerifyScreen #state { height: 1; padding: 0 1; }
    VerifyScreen ProgressBar { height: 1; padding: 0 1; display: none; }
    VerifyScreen.-busy ProgressBar { display: block; }
    VerifyScreen #lines { height: 2fr; }
    VerifyScreen #evidence { height: 1fr; min-height: 6; border-top: solid $panel; padding: 0 1; }
    VerifyScreen #evidence > Static { height: auto; }
    VerifyScreen FaultBox { margin: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "start", "Verify", id="verify", tooltip="Ask what the plan says"),
        Binding("a", "again", "All again", id="again", tooltip="Ask everything anew"),
        Binding("t", "limits", "Try limits", id="limits", tooltip="The declared window and limit"),
        Binding("y", "copy", "Copy", id="copy", tooltip="Copy this verdict with its evidence"),
        Binding("e", "export", "Export", id="export", tooltip="For Pi, CI and other readers"),
        Binding("escape", "back", "Back", id="back", tooltip="Back; while it runs, stop"),
    ]

    def __init__(
        self,
        workspace: Workspace,
        make: Callable[[Workspace, tuple[str, ...]], Verifying] = real,
    ) -> None:
        super().__init__(workspace)
        self._make = make
        self._verifying: Verifying | None = None
        self._verdicts: list[Verdict] = []
        self._under_way: dict[Question, str] = {}
        self._shown: tuple[Line, ...] = ()
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
        self._plan(())
        self.query_one("#lines").focus()

    def _plan(self, only: tuple[str, ...]) -> bool:
        """Make the plan; False, with the fault shown, where there is none."""
        fault = self.query_one(FaultBox)
        fault.clear()
        try:
            self._verifying = self._make(self.workspace, only)
        except TurnkeyError as error:
            self._verifying = None
            fault.show(error.fault)
            return False
        standing = standing_of(self.workspace, self.workspace.variant, datetime.now(UTC))
        if standing.worth == "fresh" and standing.receipt is not None and not self._verdicts:
            self._verdicts = list(standing.receipt.verdicts)
            self._tell(outcome_words(standing.receipt), good=standing.verified)
        elif standing.worth == "stale" and standing.fault is not None:
            self._tell(f"◐ {standing.fault.what}")
        else:
            self._tell("v starts. Nothing of your repository is read; esc stops.")
        cost = self._verifying.plan.estimate
        words = estimate_words(cost, self._verifying.limit)
        self.query_one("#cost", Static).update(words[0].upper() + words[1:] + ".")
        self._draw_lines()
        return True

    def _tell(self, words: str, *, good: bool | None = None) -> None:
        style = "" if good is None else "$success" if good else "$error"
        self.query_one("#state", Static).update(Content.styled(one_line(words, 400), style))

    # ------------------------------------------------------------------ the lines

    def _draw_lines(self) -> None:
        if self._verifying is None:
            return
        plan = self._verifying.whole
        self._shown = lines(plan, self._verdicts, self._under_way)
        found = self.query_one("#lines", OptionList)
        at = found.highlighted
        wide = max(30, found.scrollable_content_region.width - 2)
        options = [
            Option(_option(line, wide), id=str(index), disabled=line.kind == "heading")
            for index, line in enumerate(self._shown)
        ]
        with self.app.batch_update():
            found.clear_options()
            found.add_options(options)
            if options:
                found.highlighted = min(at if at is not None else 1, len(options) - 1)
        done, total = progress(plan, self._verdicts)
        self.query_one(ProgressBar).update(total=max(1, total), progress=done)
        self.refresh_bindings()

    def on_resize(self) -> None:
        """Counts stand at the right edge."""
        super().on_resize()
        if self.is_mounted:
            self._draw_lines()

    @on(OptionList.OptionHighlighted, "#lines")
    def show_evidence(self) -> None:
        """Show why the verdict at the cursor is what it is, what was sent and what came."""
        self.query_one("#words", Static).update(self._evidence())
        self.query_one("#evidence").scroll_home(animate=False)
        self.refresh_bindings()

    def _line(self) -> Line | None:
        at = self.query_one("#lines", OptionList).highlighted
        return self._shown[at] if at is not None and at < len(self._shown) else None

    def _evidence(self) -> Content:
        line = self._line()
        if line is None or line.kind == "heading":
            return Content("")
        if line.verdict is None:
            waiting = "Not tried yet." if line.kind == "trial" else "Questions about compatibility."
            return Content(waiting)
        verdict = line.verdict
        parts: list[Content | tuple[str, str]] = [Content(visible(verdict.evidence.text))]
        if verdict.fix:
            parts.append((f"\nfix  {visible(verdict.fix)}", "$success"))
        for number, (sent, came) in enumerate(verdict.evidence.exchanges, 1):
            parts.append((f"\n\nsent {number}  ", "bold $primary"))
            parts.append(Content(visible(sent)))
            parts.append((f"\ncame {number}  ", "bold $primary"))
            parts.append(Content(visible(came)))
        return Content.assemble(*parts)

    # ------------------------------------------------------------------ what the keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is started twice; what needs a verdict waits for one."""
        if action in {"start", "again", "limits", "export"}:
            return None if self._busy or self._verifying is None else True
        if action == "copy":
            line = self._line() if self.is_mounted else None
            return True if line is not None and line.verdict is not None else None
        return True

    def action_start(self) -> None:
        """Ask what is not decided yet; with everything decided, all of it again."""
        verifying = self._verifying
        if verifying is None:
            return
        done, total = progress(verifying.whole, self._verdicts)
        if done == total or not verifying.resumed:
            self._verdicts = []
        self.verify()

    def action_again(self) -> None:
        """Ask everything anew."""
        self._verdicts = []
        self.verify()

    def action_limits(self) -> None:
        """Try the declared context window and output limit, which costs as many tokens."""
        kept = list(self._verdicts)
        if self._plan(OPTIONAL):
            self._verdicts = kept
            self.verify()

    def action_export(self) -> None:
        """Go on to the exports."""
        self.open(ToExport())

    def action_copy(self) -> None:
        """Copy the verdict with its evidence; keys are masked in it."""
        line = self._line()
        if line is not None and line.verdict is not None:
            copy(self.app, str(self._evidence()), self.workspace.env)

    def action_back(self) -> None:
        """Stop while it runs; else go back."""
        if self._busy:
            self.workers.cancel_group(self, "verify")
        else:
            self.dismiss()

    @work(group="verify", exclusive=True, exit_on_error=False)
    async def verify(self) -> None:
        """Run the plan to its end, or until it is stopped."""
        verifying = self._verifying
        if verifying is None:
            return
        from core.wire.bounds import Bounds

        self._busy = True
        self.set_class(True, "-busy")
        self.query_one(FaultBox).clear()
        self._tell("Asking what answers there …")
        self._draw_lines()
        painter = self.set_interval(0.2, self._draw_lines)
        try:
            receipt = await verifying.run(self._took, Bounds())
        except TurnkeyError as error:
            self._tell("Not verified.", good=False)
            self.query_one(FaultBox).show(error.fault)
        else:
            self._verdicts = list(receipt.verdicts)
            self._tell(outcome_words(receipt), good=receipt.verified)
            self._verifying = self._make(self.workspace, ())
        finally:
            painter.stop()
            self._busy = False
            self._under_way = {}
            self.set_class(False, "-busy")
            if self.is_attached:
                if self.workers and any(one.is_cancelled for one in self.workers):
                    self._tell("Stopped. What was decided is kept; v goes on with the rest.")
                    self._verifying = self._make(self.workspace, ())
                self._draw_lines()
                self.draw_bar()

    def _took(self, event: Event) -> None:
        """One event of the run; the lines are painted a few times a second."""
        from core.verify.run import Began, Decided, Waits

        match event:
            case Began():
                provider, _, model = event.model.partition("/")
                self._under_way[event.probe, provider, model, event.lane] = event.title
            case Decided():
                one = event.verdict
                self._under_way.pop((one.probe, one.provider, one.model, one.lane), None)
                mine = (one.probe, one.provider, one.model, one.lane)
                self._verdicts = [
                    old
                    for old in self._verdicts
                    if (old.probe, old.provider, old.model, old.lane) != mine
                ] + [one]
            case Waits():
                self._tell(f"Waiting {event.seconds:.0f} s: {event.why}")
            case _:
                self._tell(f"{event.trial}, {event.run} of {event.runs}: {event.words}")


def _option(line: Line, wide: int) -> Content:
    if line.kind == "heading":
        return Content.styled(one_line(line.words, wide), "bold $primary")
    room = wide - len(line.count) - 5
    words = one_line(line.words, max(10, room))
    gap = " " * max(1, wide - 3 - len(words) - len(line.count))
    style = STYLES.get(line.sign, "")
    return Content.assemble((f" {line.sign} ", style), words, gap, (line.count, style))
