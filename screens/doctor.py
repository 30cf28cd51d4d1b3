"""Doctor: ten rungs from the URL to a stream, the first that breaks, and what to change."""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import partial
from pathlib import Path
from textwrap import wrap
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from core import __version__
from core.doctor.outcomes import KEY_CODES
from core.doctor.patient import provider_patient
from core.doctor.rungs import LADDER, NOT_TRIED, SIGNS, report_text, seconds_words, stopped
from core.errors import Fault, TurnkeyError
from core.keys.bounded import beside
from core.target import split_selector
from core.text import one_line, visible
from core.wire.network import CA_FILE, CLIENT_CERT
from tui.clipboard import copy
from tui.widgets.ask import AskText
from tui.widgets.fault import FaultBox
from tui.widgets.places import ToKeys, ToModels, ToProvider
from tui.widgets.shell import TurnkeyScreen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult

    from core.doctor.patient import Patient
    from core.doctor.rungs import Name, Report, Rung, State
    from core.workspace import Workspace
    from tui.widgets.places import Place, ToDoctor

TICK_S = 0.1
"""Seconds between two looks at the clock while a rung is waited for."""
STYLES: dict[State, str] = {"pass": "$success", "fail": "bold $error", "skip": "$foreground 60%"}
NAMES = max(len(name) for name in LADDER) + 2
TIMES = 8
STOPPED = Fault("interrupted", "It was stopped before its end.", "", "Run it again.")
MENDS: dict[str, str] = {
    "file": "c  choose the file …",
    "keys": "k  the keys …",
    "url": "u  correct the base URL …",
    "models": "m  pick another model …",
}
"""Action -> the key and what it does, as the box under a broken rung says it."""
FILES: dict[str, str] = {
    CA_FILE: "The file (PEM) with the certificate of whoever signed the server's:",
    CLIENT_CERT: "The file (PEM) with the certificate and the key to show to the server:",
}
"""Variable that names a file of certificates -> the question for it."""


class DoctorScreen(TurnkeyScreen[None]):
    """The ladder, climbed rung by rung as one watches."""

    TITLE = "doctor"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "Again", id="again", tooltip="Climb once more, from the start"),
        Binding(
            "c", "file", "Choose file", id="file", tooltip="A file of certificates, for turnkey"
        ),
        Binding("k", "keys", "Key", id="keys", tooltip="Store or replace the key"),
        Binding("u", "url", "URL", id="url", tooltip="Correct the base URL"),
        Binding("m", "models", "Model", id="models", tooltip="Pick another model"),
        Binding("y", "copy", "Copy report", id="copy", tooltip="Copy it; no keys are in it"),
        Binding("escape", "stop", "Stop", id="stop", tooltip="Stop waiting"),
        Binding("escape", "back", "Back", id="back"),
    ]

    def __init__(self, workspace: Workspace, place: ToDoctor) -> None:
        super().__init__(workspace)
        self._place = place
        self._rungs: list[Rung] = []
        self._report: Report | None = None
        self._patient_seen: Patient | None = None
        self.clock = perf_counter
        self._begun = 0.0
        self._stopped = False
        self._mending = False
        self._files: dict[str, str] = {}

    def body(self) -> ComposeResult:
        """What is examined, the rungs, and what to change."""
        yield Static(id="target", markup=False)
        with VerticalScroll(id="ladder"):
            yield Static(id="rungs", markup=False)
            yield RungFault(id="fault")
            yield Static(id="rest", markup=False)
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
            return True if self._to_copy() is not None else None
        if action in MENDS:
            return not self._busy and action in self._mends()
        return True

    def _mends(self) -> tuple[str, ...]:
        """What a key press can mend of the rung that broke."""
        return () if self._report is None else mends(self._report)

    @work(exclusive=True, group="climb", exit_on_error=False)
    async def climb(self) -> None:
        """Find the patient and climb; each rung is shown as it finishes."""
        self._rungs, self._report, self._stopped = [], None, False
        self._begun = self.clock()
        self.query_one(RungFault).clear()
        self.query_one("#verdict", Static).update("")
        self._show()
        try:
            patient = await self._patient()
            self._patient_seen = patient
            self._show_target(patient)
            env = {**self.workspace.env, **self._files}
            self._report = await self.workspace.asker.examine(patient, env, self._add)
        except TurnkeyError as error:
            self._stopped = True
            self._show()
            self.query_one(RungFault).show(error.fault)
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
        self._begun = self.clock()
        self._show()

    def _tick(self) -> None:
        if self._busy and self._report is None:
            self._show()

    def _show(self) -> None:
        """The ladder as far as it is climbed, and what is waited for."""
        width = max(20, self.size.width - NAMES - TIMES - 8)
        done = {rung.name: rung for rung in self._rungs}
        over = self._report is not None or self._stopped
        lines: list[Content] = []
        left: list[Name] = []
        for name, doing in LADDER.items():
            rung = done.get(name)
            if rung is not None and rung.evidence != NOT_TRIED:
                lines.append(_line(SIGNS[rung.state], rung, width))
            elif rung is None and not over and not left and len(lines) == len(done):
                gone = self.clock() - self._begun
                took = f"{gone:.0f} s" if gone >= 1 else ""
                words = f"… {name:<{NAMES}}{doing:<{width}}{took:>{TIMES}}"
                lines.append(Content.styled(words, "$warning"))
            else:
                left.append(name)
        self.query_one("#rungs", Static).update(Content("\n").join(lines))
        words = f"· {' · '.join(left)}" + (f"   {NOT_TRIED}" if over else "") if left else ""
        rest = self.query_one("#rest", Static)
        rest.update(Content.styled(words, STYLES["skip"]))
        rest.display = bool(left)

    def _conclude(self, report: Report) -> None:
        if report.error is not None:
            box = self.query_one(RungFault)
            box.explain(report.error, [MENDS[one] for one in mends(report)])
            self.call_after_refresh(box.scroll_visible, animate=False)
            return
        undecided = report.undecided
        words = "Every rung that was tried holds." if undecided else "Every rung holds."
        style = "bold $warning" if undecided else "bold $success"
        if undecided:
            words += f" {' and '.join(rung.name for rung in undecided)}: not decided."
        if self._files:
            words += f" Trusted for this session: start with {_settings(self._files)} to keep it."
            words += " Warden needs NODE_EXTRA_CA_CERTS." if CA_FILE in self._files else ""
        self.query_one("#verdict", Static).update(Content.styled(words, style))

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

    def _to_copy(self) -> Report | None:
        """The report; of a climb that was stopped, as far as it came."""
        if self._report is not None or not self._stopped or self._patient_seen is None:
            return self._report
        return stopped(self._patient_seen.asked, self._rungs, STOPPED)

    def action_copy(self) -> None:
        """Copy the report."""
        report = self._to_copy()
        if report is not None:
            copy(self.app, report_text(report, __version__), self.workspace.env)

    # ------------------------------------------------------------- mending

    def on_screen_resume(self) -> None:
        """Back from where something was mended: see whether it holds now."""
        super().on_screen_resume()
        if self._mending:
            self._mending = False
            self.action_again()

    def _mend(self, place: Place) -> None:
        """Go where it is mended; what was typed on a form is mended on that form."""
        if self._place.patient is not None:
            self.action_back()
            return
        self._mending = True
        self.open(place)

    def action_keys(self) -> None:
        """Store or replace the key."""
        self._mend(ToKeys())

    def action_url(self) -> None:
        """Correct the base URL."""
        self._mend(ToProvider(self._provider))

    def action_models(self) -> None:
        """Pick another model."""
        self._mend(ToModels(name=self._provider))

    @property
    def _provider(self) -> str:
        return "" if self._patient_seen is None else self._patient_seen.provider or ""

    @work(exclusive=True, group="file")
    async def action_file(self) -> None:
        """Ask for a file of certificates, and look again with it."""
        variable = CLIENT_CERT if self._report and _wants_ours(self._report) else CA_FILE
        question = FILES[variable]
        typed = await self.app.push_screen_wait(AskText(question, placeholder="~/acme-ca.pem"))
        if typed is None:
            return
        path = await beside(partial(_file_named, typed))
        if path is None:
            self.app.notify(f"There is no file {one_line(typed, 200)}.", markup=False)
            return
        self._files[variable] = path
        env = self.workspace.env
        if isinstance(env, MutableMapping):  # for the other screens, as long as turnkey runs
            env.update(self._files)
        self.action_again()


class RungFault(FaultBox):
    """What to do about the rung above it, which says already what happened."""

    def explain(self, fault: Fault, keys: Sequence[str]) -> None:
        """Show the fix, the keys that mend it, and why."""
        self.show(fault)
        parts: list[tuple[str, str]] = []
        if fault.fix:
            parts.append((visible(fault.fix), "bold $success"))
        parts += [(f"\n{key}", "$primary") for key in keys]
        if fault.why:
            parts.append((f"\nwhy  {visible(fault.why)}", "$foreground 75%"))
        self.update(Content.assemble(*parts))


def mends(report: Report) -> tuple[str, ...]:
    """Which key presses have a chance to mend what broke: names of :data:`MENDS`. Pure."""
    failed, error = report.failed, report.error
    if failed is None or error is None:
        return ()
    if failed.name == "tls" and (_wants_ours(report) or "not trusted" in error.what):
        return ("file",)
    if error.code in KEY_CODES:
        return ("keys",)
    if error.code in {"model_unknown", "wrong_model", "empty_answer", "wrong_answer"}:
        return ("models",)
    if failed.name in {"url", "name", "tcp", "tls", "http", "server"} or error.code == "path_wrong":
        return ("url",)
    return ("models",) if failed.name in {"chat", "stream"} else ()


def _wants_ours(report: Report) -> bool:
    words = "" if report.error is None else report.error.what
    return "wants a certificate" in words or "certificate that turnkey shows" in words


def _file_named(typed: str) -> str | None:
    path = Path(typed.strip("\"'")).expanduser().absolute()
    return str(path) if path.is_file() else None


def _settings(files: Mapping[str, str]) -> str:
    return " ".join(f"{name}={one_line(path, 120)}" for name, path in files.items())


def _line(sign: str, rung: Rung, width: int) -> Content:
    """One rung: sign, name, evidence (in lines of ``width``), time."""
    took = seconds_words(rung.seconds)
    text = one_line(rung.evidence)
    wide = cell_len(text) > len(text)  # characters of two cells: half as many fit
    first, *more = wrap(text, width // 2 if wide else width) or [""]
    style = STYLES[rung.state]
    told = "" if rung.state == "pass" else style
    indent = " " * (NAMES + 2)
    gap = " " * max(1, width + TIMES - len(took) - cell_len(first))
    return Content.assemble(
        (f"{sign} {rung.name:<{NAMES}}", style),
        (f"{first}{gap}", told),
        (took, "$foreground 75%"),
        *((f"\n{indent}{line}", told) for line in more),
    )
