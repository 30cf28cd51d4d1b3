"""A plan run: as much at once as each origin bears, told as it goes, stopped at any time.

Stopping is cancelling the task: connections close with it, and what was decided by then is in the
list that the caller gave.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from core.verify.bench import Bench
from core.verify.courtesy import URGENCY
from core.verify.exchange import CHAT
from core.verify.plan import shape_of, shaped, subject_of
from core.verify.probe import run_probe
from core.verify.trials import identity
from core.verify.trials.registry import run_trial
from core.verify.trials.setting import Step
from core.verify.verdict import Verdict, evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from core.errors import Fault
    from core.verify.answered import Answered
    from core.verify.exchange import Again, Line
    from core.verify.plan import Plan, Task
    from core.verify.trials.setting import Setting


class Began(msgspec.Struct, frozen=True):
    """A probe or trial was begun."""

    probe: str
    title: str
    model: str
    lane: str | None


class Decided(msgspec.Struct, frozen=True):
    """A verdict was found."""

    verdict: Verdict
    done: int
    of: int
    """Verdicts so far, and of the plan."""


class Waits(msgspec.Struct, frozen=True):
    """A server asked to be left alone for a while."""

    seconds: float
    why: str


class Down(msgspec.Struct, frozen=True):
    """A provider cannot be asked at all, while others can."""

    provider: str
    fault: Fault


Event = Began | Step | Decided | Waits | Down


async def run_plan(
    plan: Plan,
    lines: Mapping[str, Line],
    verdicts: list[Verdict],
    tell: Callable[[Event], None],
    known: Sequence[Verdict] = (),
) -> None:
    """Run every task of ``plan``; each verdict is appended to ``verdicts`` as it is found.

    ``lines``: the way to each provider. ``verdicts`` may hold what was decided before. ``known``:
    what a fresh receipt says beside it; the flags that stock's requests are shaped by come from
    both. ``tell`` is called from the running loop.
    """
    run = _Run(plan, lines, verdicts, tell, known)
    by_model: dict[tuple[str, str], list[Task]] = {}
    for task in plan.tasks:
        by_model.setdefault(task.model, []).append(task)
    async with asyncio.TaskGroup() as group:
        for tasks in by_model.values():
            group.create_task(run.model(tasks))
    # What measures an origin's strength has it for itself, one after the other.
    for task in plan.tasks:
        if task.alone:
            await run.one(task)


class Heard:
    """A line that keeps who answered."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.answers: list[Answered] = []

    async def send(
        self,
        body: Mapping[str, object],
        *,
        path: str = CHAT,
        once: bool = False,
        again: Again | None = None,
    ) -> Answered:
        """One request, by the rules of :class:`core.verify.exchange.Line`."""
        answered = await self._line.send(body, path=path, once=once, again=again)
        self.answers.append(answered)
        return answered


def by_whom(verdict: Verdict, setting: Setting, answers: Iterable[Answered]) -> Verdict:
    """``verdict``, unless another model made one of the answers that it rests on. Pure.

    Routers send a request elsewhere by its size, for its tools, or when they are busy: one short
    question shows none of that.
    """
    if verdict.verdict == "fail" or verdict.probe in {identity.CANARY, identity.SERVED}:
        return verdict
    for answered in answers:
        if not answered.ok:
            continue
        outcome = identity.served(setting, answered)
        if outcome.passed is False and outcome.finding in {"other_model", "fallback"}:
            return msgspec.structs.replace(
                verdict,
                verdict="fail",
                finding=outcome.finding,
                evidence=evidence(f"{outcome.words} It was in the middle of this.", answered),
                fix=outcome.fix,
            )
    return verdict


class _Run:
    """One run: where it stands, and how its tasks are made."""

    def __init__(
        self,
        plan: Plan,
        lines: Mapping[str, Line],
        verdicts: list[Verdict],
        tell: Callable[[Event], None],
        known: Sequence[Verdict],
    ) -> None:
        self._known = known
        self._lines = lines
        self._verdicts = verdicts
        self._tell = tell
        self._of = len(plan.tasks)
        self._done = 0
        self._benches: dict[tuple[str, str], Bench] = {}

    async def model(self, tasks: Iterable[Task]) -> None:
        """Everything about one model but what must be alone."""
        together = [task for task in tasks if not task.alone]
        probes = [task for task in together if task.probe is not None]
        trials = [task for task in together if task.trial is not None]
        if trials and trials[0].setting.variant == "stock":
            await self._all(probes)
            await self._all(trials)
        else:
            await self._all([*trials, *probes])

    async def _all(self, tasks: Iterable[Task]) -> None:
        async with asyncio.TaskGroup() as group:
            # The longest chain first, so that nothing waits behind it at the end.
            for task in sorted(tasks, key=lambda one: -one.cost.chain):
                group.create_task(self.one(task))

    async def one(self, task: Task) -> None:
        """One probe or trial, to its verdict."""
        URGENCY.set(task.cost.chain)
        task = shaped(task, [*self._known, *self._verdicts])
        setting = task.setting
        line = self._lines[setting.provider]
        self._tell(Began(task.name, task.title, f"{setting.provider}/{setting.model}", task.lane))
        if task.probe is not None:
            subject = subject_of(setting)
            bench = self._benches.setdefault(task.model, Bench(line, subject))
            verdict = await run_probe(task.probe, subject, line, bench=bench)
        else:
            assert task.trial is not None, task.name  # noqa: S101 - a task is one or the other
            heard = Heard(line)
            verdict = await run_trial(task.trial, setting, heard, self._tell)
            verdict = by_whom(verdict, setting, heard.answers)
            verdict = msgspec.structs.replace(verdict, shape=shape_of(setting))
        self._verdicts.append(verdict)
        self._done += 1
        self._tell(Decided(verdict, self._done, self._of))
