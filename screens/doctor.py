"""Doctor: ten rungs from the URL to a stream, the first that breaks, and what to change."""

from __future__ import annotations

from functools import partial
from textwrap import wrap
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from core import __version__
from core.doctor.patient import provider_patient
from core.doctor.rungs import LADDER, NOT_TRIED, SIGNS, report_text, seconds_words
from core.errors import TurnkeyError
from core.keys.bounded import beside
from core.target import split_selector
from core.text import one_line
from tui.clipboard import copy
from tui.widgets.fault import FaultBox
from tui.widgets.shell import TurnkeyScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.doctor.patient import Patient
    from core.doctor.rungs import Report, Rung, State
    from core.workspace import Workspace
    from tui.widgets.shell import ToDoctor

TICK_S = 0.1
"""Seconds between two looks at the clock while a rung is waited for."""
STYLES: dict[State, str] = {"pass": "$success", "fail": "bold $error", "skip": "$foreground 60%"}
NAMES = max(len(name) for name in LADDER) + 2
TIMES = 8


class DoctorScreen(TurnkeyScreen[None]):
    """The ladder, climbed rung by rung as one watches."""

    TITLE = "doctor"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "Again", id="again", tooltip="Climb once more, from the start"),
        Binding("y", "copy", "Copy report", id="copy", tooltip="Copy it; no keys are in it"),
        Binding("escape", "stop", "Stop", id="stop", tooltip="Stop waiting"),
        Binding("escape", "back", "Back", id="back"),
    ]

    def __init__(self, workspace: Workspace, place: ToDoctor) -> None:
        super().__init__(workspace)
        self._place = place
        self._rungs: list[Rung] = []
        self._report: Report | None = None
        self._begun = 0.0
        self._stopped = False

    def body(self) -> ComposeResult:
        """What is examined, the rungs, and what to change."""
        yield Static(id="target", markup=False)
        with VerticalScroll(id="ladder"):
            yield Static(id="rungs", markup=False)
            yield FaultBox(id="fault")
            yield Static(id="verdict", markup=False)

    def on_mount(self) -> None:
        """Begin at once: whoever comes here wants to know."""
        super().on_mount()
        self.set_interval(TICK_S, self._tick)
        self.query_one("#ladder").focus()
        self.climb()

    @property
    def report(self) -> Report | None:
        """The finished report; None while it is not."""
        return self._report

    @property
    def _busy(self) -> bool:
        return any(
            worker.group == "climb" and worker.is_running
            for worker in self.workers
            if worker.node is self
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape stops while it climbs, and goes back else; a report is copied when it is there."""
        if not self.is_mounted:
            return True
        if action == "stop":
            return self._busy
        if action == "back":
            return not self._busy
        if action == "again":
            return None if self._busy else True
        if action == "copy":
            return True if self._report is not None else None
        return True

    @work(exclusive=True, group="climb", exit_on_error=False)
    async def climb(self) -> None:
        """Find the patient and climb; each rung is shown as it finishes."""
        self._rungs, self._report, self._stopped = [], None, False
        self._begun = perf_counter()
        self.query_one(FaultBox).clear()
        self.query_one("#verdict", Static).update("")
        self._show()
        try:
            patient = await self._patient()
            self._show_target(patient)
            self._report = await self.workspace.asker.examine(
                patient, self.workspace.env, self._add
            )
        except TurnkeyError as error:
            self.query_one(FaultBox).show(error.fault)
            return
        finally:
            # the worker itself still counts as running here
            self.call_after_refresh(self.refresh_bindings)
        self._rungs = list(self._report.rungs)
        self._show()
        self._conclude(self._report)

    async def _patient(self) -> Patient:
        """Who is examined, with the key; the keyring is asked beside the screen."""
        place, workspace = self._place, self.workspace
        if place.patient is not None:
            return place.patient
        name, model = place.provider, None
        if place.selector is not None:
            name, model = split_selector(place.selector)
        provider = workspace.provider(name or "")
        return await beside(partial(provider_patient, workspace, provider, model))

    def _show_target(self, patient: Patient) -> None:
        where = patient.url if isinstance(patient.url, str) else patient.url.url
        # spaces stand at the end of a part: pictures drop those at the beginning
        parts = [("x ", "bold $primary"), (f"{one_line(where, 200)}  ", "bold")]
        if patient.provider:
            parts.append((f"{one_line(patient.provider, 60)}", "$foreground 75%"))
        if patient.model:
            parts.append((f" / {one_line(patient.model, 120)}", "$foreground 75%"))
        self.query_one("#target", Static).update(Content.assemble(*parts))
        self.refresh_bindings()

    def _add(self, rung: Rung) -> None:
        self._rungs.append(rung)
        self._begun = perf_counter()
        self._show()

    def _tick(self) -> None:
        if self._busy and self._report is None:
            self._show()

    def _show(self) -> None:
        """The ladder as far as it is climbed, and what is waited for."""
        width = max(20, self.size.width - NAMES - TIMES - 8)
        done = {rung.name: rung for rung in self._rungs}
        lines: list[Content] = []
        waiting = self._report is None and not self._stopped
        for name, doing in LADDER.items():
            rung = done.get(name)
            if rung is not None and rung.evidence != NOT_TRIED:
                lines.append(_line(SIGNS[rung.state], rung, width))
            elif rung is None and waiting:
                waiting = False
                gone = perf_counter() - self._begun
                took = f"{gone:.0f} s" if gone >= 1 else ""
                words = f"… {name:<{NAMES}}{doing:<{width}}{took:>{TIMES}}"
                lines.append(Content.styled(words, "$warning"))
        left = [name for name in LADDER if name not in done or done[name].evidence == NOT_TRIED]
        left = left[1:] if self._report is None and not self._stopped else left
        if left:
            words = f"· {' · '.join(left)}"
            if self._report is not None or self._stopped:
                words += f"   {NOT_TRIED}"
            lines.append(Content.styled(words, STYLES["skip"]))
        self.query_one("#rungs", Static).update(Content("\n").join(lines))

    def _conclude(self, report: Report) -> None:
        if report.error is not None:
            self.query_one(FaultBox).show(report.error)
            return
        tried = all(rung.state == "pass" for rung in report.rungs[-2:])
        words = "Every rung holds." if tried else "Every rung that was tried holds."
        self.query_one("#verdict", Static).update(Content.styled(words, "bold $success"))

    def on_resize(self) -> None:
        """The lines use the whole width."""
        super().on_resize()
        if self.is_mounted:
            self._show()

    def action_again(self) -> None:
        """Climb once more."""
        if not self._busy:
            self.climb()

    def action_stop(self) -> None:
        """Stop waiting; what was found stays."""
        self._stopped = True
        self.workers.cancel_group(self, "climb")
        self._show()
        self.query_one("#verdict", Static).update("stopped")
        self.call_after_refresh(self.refresh_bindings)

    def action_copy(self) -> None:
        """Copy the report."""
        if self._report is not None:
            copy(self.app, report_text(self._report, __version__), self.workspace.env)


def _line(sign: str, rung: Rung, width: int) -> Content:
    """One rung: sign, name, evidence (in lines of ``width``), time."""
    took = seconds_words(rung.seconds)
    first, *more = wrap(one_line(rung.evidence), width) or [""]
    style = STYLES[rung.state]
    told = "" if rung.state == "pass" else style
    indent = " " * (NAMES + 2)
    return Content.assemble(
        (f"{sign} {rung.name:<{NAMES}}", style),
        (f"{first:<{width + TIMES - len(took)}}", told),
        (took, "$foreground 75%"),
        *((f"\n{indent}{line}", told) for line in more),
    )
