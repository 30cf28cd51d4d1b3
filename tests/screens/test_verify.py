"""The Verify screen: cost first, each verdict as it is found, evidence, stopping, and going on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
from textual.widgets import OptionList, Static, TextArea

from core.errors import EndpointProblem, Fault
from core.verify.receipt import CoveredConfig, Receipt, stamp
from core.verify.registry import compat_probes
from core.verify.run import Began, Decided, Waits
from core.verify.session import Verification, Wanted
from core.verify.trials.setting import Step
from core.verify.verdict import Evidence, Verdict
from screens.verify import VerifyScreen
from tests.screens.stage import Stage, arrive, stand, until, workspace
from tui.widgets.evidence import EvidenceView
from tui.widgets.fault import FaultBox

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from core.verify.plan import Plan, Task
    from core.verify.run import Event
    from core.wire.bounds import Bounds
    from core.workspace import Workspace

FILE: Final = (
    "version = 1\n"
    + "".join(
        f'\n[defaults.{lane}]\nmodel = "litellm/qwen3"\n'
        for lane in ("agent", "auxiliary", "synthesis")
    )
    + """
[defaults.providers.litellm]
baseUrl = "http://127.0.0.1:4000/v1"

[[defaults.providers.litellm.models]]
id = "qwen3"
contextWindow = 131072
"""
)
LEAK: Final = Verdict(
    "bare_json",
    "litellm",
    "qwen3",
    "auxiliary",
    "fail",
    Evidence(
        "2 of 3 runs passed. Thinking text stands before it.",
        (('{"model":"qwen3","stream":true}', "data: [bold]<think>[/] {} \\x1b[2J"),),
    ),
    "Start the server with --reasoning-parser qwen3.",
    "flaky",
    2,
    3,
)
PROBES: Final = len(compat_probes())
"""They come first in a plan."""
DOWN: Final = Fault("connection_refused", "Nothing answers at 127.0.0.1:4000.", "", "Start it.")


def passing(task: Task) -> Verdict:
    """A verdict that the task's model would get if all is well."""
    tried = 3 if task.trial is not None and task.trial.repeated else None
    word = Verdict(task.name, *task.model, task.lane, "pass", Evidence("It went well."))
    return msgspec.structs.replace(word, passed=tried, tried=tried)


@dataclass
class Script:
    """Verifications that ask nobody, and what was wanted of them."""

    failing: tuple[Verdict, ...] = ()
    error: Fault | None = None
    pause_after: int | None = None
    """So many verdicts, and then nothing until it is stopped."""
    wanted: list[tuple[tuple[str, ...], bool]] = field(default_factory=list)
    runs: int = 0
    stopped: bool = False
    tasks: tuple[Task, ...] = ()

    def __call__(
        self, workspace: Workspace, *, only: tuple[str, ...] = (), afresh: bool = False
    ) -> Scripted:
        self.wanted.append((only, afresh))
        return Scripted(self, Verification(workspace, Wanted(only=only, afresh=afresh)))


class Scripted:
    """One of them: the real plan, and answers at once."""

    def __init__(self, script: Script, real: Verification) -> None:
        self._script = script
        self.plan: Plan = real.plan
        self.whole: Plan = real.whole
        self.dear: Plan = real.dear
        self.limit = real.limit
        self.resumed = real.resumed
        self.sent = self.counted = 0
        self.receipt: Receipt | None = None

    async def run(self, tell: Callable[[Event], None], bounds: Bounds) -> Receipt:
        """Every task decided in the plan's order."""
        del bounds
        script = self._script
        script.runs += 1
        script.tasks = self.plan.tasks
        if script.error is not None:
            raise EndpointProblem(script.error)
        tell(Waits(2.0, "127.0.0.1:4000 answered 429."))
        bad = {(one.probe, one.lane): one for one in script.failing}
        verdicts: list[Verdict] = []
        self.sent, self.counted = self.plan.estimate.requests - 4, 104_200
        for done, task in enumerate(self.plan.tasks, 1):
            tell(Began(task.name, task.title, "/".join(task.model), task.lane))
            if script.pause_after is not None and done > script.pause_after:
                try:
                    await asyncio.Event().wait()
                finally:
                    script.stopped = True
                    self.receipt = self._kept(verdicts, interrupted=True)
            verdicts.append(bad.get((task.name, task.lane), passing(task)))
            tell(Decided(verdicts[-1], done, len(self.plan.tasks)))
        self.receipt = self._kept(verdicts)
        return self.receipt

    def _kept(self, verdicts: list[Verdict], *, interrupted: bool = False) -> Receipt:
        return Receipt(
            "1",
            stamp(datetime.now(UTC)),
            "providers",
            CoveredConfig("sha256:0"),
            (),
            dict.fromkeys(("agent", "auxiliary", "synthesis"), "litellm/qwen3"),
            tuple(verdicts),
            verified=not self._script.failing and not interrupted,
            interrupted=interrupted,
        )


async def opened(pilot: Pilot[int], script: Script) -> VerifyScreen:
    """The screen, on a scripted verification."""
    app = pilot.app
    assert isinstance(app, Stage)
    await stand(pilot)
    app.push_screen(VerifyScreen(app.on, script))
    await arrive(pilot, "VerifyScreen")
    screen = app.screen
    assert isinstance(screen, VerifyScreen)
    await pilot.pause()
    return screen


def says(screen: VerifyScreen, name: str) -> str:
    return str(screen.query_one(name, Static).render())


def listed(screen: VerifyScreen) -> list[str]:
    found = screen.query_one("#lines", OptionList)
    return [str(option.prompt).strip() for option in found.options]


async def go_to(pilot: Pilot[int], screen: VerifyScreen, words: str) -> None:
    """Put the cursor on the first line that has these words."""
    place = next(index for index, line in enumerate(listed(screen)) if words in line)
    screen.query_one("#lines", OptionList).highlighted = place
    await pilot.pause()


async def test_the_cost_stands_before_anything_is_asked() -> None:
    script = Script()
    async with Stage(workspace(FILE)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, script)
        assert "requests" in says(screen, "#cost")
        assert "tokens" in says(screen, "#cost")
        assert any(line.startswith("· Bare JSON") for line in listed(screen))
        assert any(line.startswith("?") and "k tokens · t" in line for line in listed(screen))
        assert script.runs == 0


async def test_a_good_run_says_verified_and_counts() -> None:
    script = Script()
    async with Stage(workspace(FILE)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, script)
        await pilot.press("v")
        await until(pilot, lambda: "Verified" in says(screen, "#state"))
        assert "104k tokens counted" in says(screen, "#cost")  # what it took, beside what was told
        assert any(line.startswith("✓ Bare JSON") and "3 of 3" in line for line in listed(screen))
        assert not any(line.startswith(("·", "▸")) for line in listed(screen))


async def test_the_cursor_goes_to_what_failed_with_its_fix_and_enter_shows_all_of_it() -> None:
    async with Stage(workspace(FILE)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, Script((LEAK,)))
        await pilot.press("v")
        await until(pilot, lambda: "bare_json failed" in says(screen, "#state"))
        assert any(line.startswith("✗ Bare JSON") and "2 of 3" in line for line in listed(screen))
        assert "--reasoning-parser qwen3" in says(screen, "#words")
        await pilot.press("enter")
        await arrive(pilot, "EvidenceView")
        view = pilot.app.screen
        assert isinstance(view, EvidenceView)
        text = view.query_one(TextArea).text
        assert "data: [bold]<think>[/] {}" in text  # shown as it came, no markup
        assert '"stream": true' in text
        await pilot.press("escape")
        await arrive(pilot, "VerifyScreen")
        await pilot.press("y")
        await pilot.pause()
        assert "Thinking text stands before it" in pilot.app.clipboard


async def test_escape_stops_keeps_what_was_decided_and_then_goes_back() -> None:
    script = Script(pause_after=PROBES + 4)
    async with Stage(workspace(FILE)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, script)
        await pilot.press("v")
        await until(pilot, lambda: sum(line.startswith("✓") for line in listed(screen)) == 5)
        assert any(line.startswith("▸") for line in listed(screen))
        await pilot.press("v")  # nothing is started twice
        await pilot.pause()
        assert script.runs == 1
        await pilot.press("escape")
        await until(pilot, lambda: "goes on with the rest" in says(screen, "#state"))
        assert script.stopped
        await until(pilot, lambda: not any(line.startswith("▸") for line in listed(screen)))
        assert sum(line.startswith("✓") for line in listed(screen)) == 5  # the probes are one
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")


async def test_what_is_expensive_is_tried_alone_and_by_its_key() -> None:
    script = Script()
    async with Stage(workspace(FILE)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, script)
        await go_to(pilot, screen, "declared context window")
        await pilot.press("t")
        await until(
            pilot, lambda: any(line.startswith("✓ The declared context") for line in listed(screen))
        )
        assert (("context_window",), False) in script.wanted
        assert script.runs == 1
        assert any(line.startswith("?") and "output limit" in line for line in listed(screen))


async def test_what_is_under_way_tells_its_last_step() -> None:
    script = Script(pause_after=PROBES + 1)
    async with Stage(workspace(FILE)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, script)
        await pilot.press("v")
        await until(pilot, lambda: any(line.startswith("▸") for line in listed(screen)))
        await go_to(pilot, screen, "▸")
        await until(pilot, lambda: "Under way" in says(screen, "#words"))
        line = next(one for one in listed(screen) if one.startswith("▸"))
        trial = next(task for task in script.tasks if task.title in line)
        screen._took(Step(trial.name, trial.model[1], "agent", 2, 3, 4, "reads [b]a.py"))
        await until(pilot, lambda: "run 2 of 3: reads [b]a.py" in says(screen, "#words"))
        assert "sent · " in says(screen, "#state")
        assert "reads [b]a.py" in says(screen, "#state")


async def test_all_again_asks_afresh() -> None:
    script = Script()
    async with Stage(workspace(FILE)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, script)
        await pilot.press("a")
        await until(pilot, lambda: "Verified" in says(screen, "#state"))
        assert ((), True) in script.wanted


async def test_an_endpoint_that_is_gone_is_told_with_what_to_do() -> None:
    async with Stage(workspace(FILE)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, Script(error=DOWN))
        await pilot.press("v")
        await until(pilot, lambda: "Not verified" in says(screen, "#state"))
        assert DOWN.what in str(screen.query_one(FaultBox).render())
        assert not screen.has_class("-busy")


async def test_home_opens_it() -> None:
    async with Stage(workspace(FILE)).run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        await pilot.press("v")
        await arrive(pilot, "VerifyScreen")
