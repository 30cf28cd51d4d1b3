"""What a verification will ask, of whom and at what cost, before anything is asked. Pure.

The same requests are made once: a model behind two lanes is probed once, and a trial that is true
of the model whichever lane asks is run once for it (:meth:`core.verify.trials.setting.Trial.key`).

Importing this module imports httpx, by the trials.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec

from core.errors import Fault, UsageProblem
from core.text import one_line
from core.verify.learned import learned_model, written_compat
from core.verify.registry import compat_probes, probes_named
from core.verify.trials.registry import TRIALS, trial_names, trials_for
from core.verify.trials.setting import RUNS, Cost, Setting, Trial, settings_for
from core.verify.verdict import Subject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from core.verify.probe import Probe
    from core.verify.verdict import Verdict
    from core.warden.chains import Lane
    from core.warden.config import Config
    from core.warden.lanes import LaneReport

PLAIN_REQUESTS: Final = 2
"""Requests that the probes of one model share: the plain one, and the one with an unknown field."""
PLAIN_TOKENS: Final = 600


@dataclass(frozen=True, slots=True)
class Task:
    """One probe or trial of one model."""

    name: str
    title: str
    setting: Setting
    lane: Lane | None
    """None: it is true of the model."""
    cost: Cost
    trial: Trial | None = None
    probe: Probe | None = None

    @property
    def question(self) -> tuple[str, str, str, str | None]:
        """What its verdict will answer: probe, provider, model, lane."""
        return self.name, self.setting.provider, self.setting.model, self.lane

    @property
    def model(self) -> tuple[str, str]:
        """Provider and model id."""
        return self.setting.provider, self.setting.model

    @property
    def alone(self) -> bool:
        """Nothing else may ask its origin in the meantime."""
        return self.trial is not None and self.trial.alone


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will be asked."""

    tasks: tuple[Task, ...]
    lanes: tuple[Lane, ...]
    """The lanes that were asked for."""
    homeless: tuple[Lane, ...]
    """Those of them that resolve to no provider of the file: nothing of them can be tried."""

    @property
    def estimate(self) -> Cost:
        """All of it. ``most_requests`` and ``tokens`` are upper bounds.

        ``chain``: requests that wait for one another at the most. ``stock`` trials wait for the
        probes, whose flags they are shaped by, and what must be alone waits for everything.
        """
        total = Cost(0, 0, 0, 0)
        for task in self.tasks:
            total = total.plus(task.cost)
        probed = {task.model for task in self.tasks if task.probe is not None}
        shared = len(probed)
        return Cost(
            total.requests + PLAIN_REQUESTS * shared,
            total.most_requests + PLAIN_REQUESTS * shared,
            total.tokens + PLAIN_TOKENS * shared,
            self._chain(),
        )

    def _chain(self) -> int:
        probes = max((task.cost.chain for task in self.tasks if task.probe is not None), default=0)
        trials = [task for task in self.tasks if task.trial is not None]
        longest = max((task.cost.chain for task in trials if not task.alone), default=0)
        last = max((task.cost.chain for task in trials if task.alone), default=0)
        stock = any(task.setting.variant == "stock" for task in trials)
        return (probes + longest if stock else max(probes, longest)) + last

    def without(self, decided: Iterable[Verdict]) -> Plan:
        """What is left to ask once ``decided`` is known."""
        known = {(one.probe, one.provider, one.model, one.lane) for one in decided}
        left = tuple(task for task in self.tasks if task.question not in known)
        return replace(self, tasks=left)

    def at(self, dialects: Mapping[str, str], listed: Mapping[str, tuple[str, ...] | None]) -> Plan:
        """The plan once the endpoints have said what they are and what they list."""
        return replace(
            self,
            tasks=tuple(
                replace(
                    task,
                    setting=msgspec.structs.replace(
                        task.setting,
                        dialect=dialects.get(task.setting.provider, task.setting.dialect),
                        listed=listed.get(task.setting.provider, task.setting.listed),
                    ),
                )
                for task in self.tasks
            ),
        )


def make_plan(
    config: Config,
    report: LaneReport,
    *,
    lanes: Sequence[Lane],
    only: Collection[str] = (),
    verifies: bool = True,
    runs: int = RUNS,
) -> Plan:
    """The plan for ``lanes`` of a setup; ``config`` holds the providers that the lanes see.

    ``only``: names of probes and trials; empty: all that are not optional. ``verifies`` false:
    findings are not verified, so the auxiliary lane needs no tools.

    Raises UsageProblem for a name that neither a probe nor a trial has.
    """
    trials, probes = _chosen(only)
    settings = settings_for(config, report, runs=runs, lanes=lanes)
    tasks: list[Task] = []
    for setting in _models(settings):
        tasks += [
            Task(
                probe.name,
                probe.question,
                setting,
                None,
                Cost(
                    probe.requests,
                    probe.requests,
                    probe.tokens,
                    PLAIN_REQUESTS + probe.requests,  # one after the other, after the plain ones
                ),
                probe=probe,
            )
            for probe in probes
        ]
    seen: set[str] = set()
    for setting in settings:
        for trial in trials_for(setting.lane, names=trials, verifies=verifies):
            key = repr(trial.key(setting))
            if key in seen:
                continue
            seen.add(key)
            lane = None if trial.per == "model" else setting.lane
            tasks.append(
                Task(trial.name, trial.title, setting, lane, trial.cost(setting), trial=trial)
            )
    tried = {setting.lane for setting in settings}
    return Plan(tuple(tasks), tuple(lanes), tuple(lane for lane in lanes if lane not in tried))


def shaped(task: Task, verdicts: Sequence[Verdict]) -> Task:
    """``task`` as stock's Pi would shape it once the probes of its model have spoken.

    For ``providers`` nothing can be written, so nothing changes.
    """
    setting = task.setting
    if setting.variant != "stock" or task.trial is None:
        return task
    subject = subject_of(setting)
    described = learned_model(verdicts, subject)
    pi = msgspec.structs.replace(
        setting.pi,
        reasoning=described.reasoning,
        thinking_level_map=described.thinking_level_map,
    )
    compat = written_compat(verdicts, subject)
    return replace(task, setting=msgspec.structs.replace(setting, pi=pi, compat=compat))


def subject_of(setting: Setting) -> Subject:
    """Whom the probes ask, by a lane's setting."""
    return Subject(
        setting.provider,
        setting.model,
        None,
        setting.variant,
        facts=setting.pi,
        base_url=setting.base_url,
    )


def _chosen(only: Collection[str]) -> tuple[tuple[str, ...] | None, tuple[Probe, ...]]:
    """The trials' names (None: all) and the probes."""
    if not only:
        return None, compat_probes()
    known = {probe.name for probe in compat_probes(optional=True)}
    unknown = sorted(set(only) - known - set(trial_names()))
    if unknown:
        listed = ", ".join(trial.name for trial in TRIALS)
        raise UsageProblem(
            Fault(
                "usage",
                f"There is no probe or trial «{one_line(unknown[0], 60)}».",
                f"Trials are: {listed}. Probes are: {', '.join(sorted(known))}.",
                "turnkey verify --only bare_json",
            )
        )
    trials = tuple(name for name in trial_names() if name in set(only))
    return trials, probes_named(name for name in only if name in known)


def _models(settings: Iterable[Setting]) -> tuple[Setting, ...]:
    """One setting for each model that is behind a lane."""
    first: dict[tuple[str, str], Setting] = {}
    for setting in settings:
        first.setdefault((setting.provider, setting.model), setting)
    return tuple(first.values())
