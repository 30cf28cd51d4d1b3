"""What a verification will ask, of whom and at what cost, before anything is asked. Pure.

The same requests are made once: a model behind two lanes is probed once, and a trial that is true
of the model whichever lane asks is run once for it (:meth:`core.verify.trials.setting.Trial.key`).

Importing this module imports httpx, by the trials.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec

from core.errors import Fault, UsageProblem
from core.text import one_line
from core.verify.learned import exported_compat, learned_model
from core.verify.registry import compat_probes, probes_named
from core.verify.trials.home import NAME as STAYS_HOME
from core.verify.trials.registry import TRIALS, trial_names, trials_for
from core.verify.trials.setting import RUNS, Cost, Setting, Trial, settings_for
from core.verify.verdict import Subject, question_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from core.verify.probe import Probe
    from core.verify.verdict import Verdict
    from core.warden.chains import Lane
    from core.warden.config import Config
    from core.warden.lanes import LaneReport

PLAIN_REQUESTS: Final = 3
"""Requests that the probes of one model share as a rule: the plain one, the one with usage asked
for, and the one with an unknown field. The first tries up to three names of an output limit."""
PLAIN_MOST: Final = 5
PLAIN_TOKENS: Final = 150
USUAL: Final = {
    "stream": 0,
    "parts": 1,
    "finish": 0,
    "tools": 1,
    "strict": 2,
    "store": 1,
    "usage": 0,
    "developer": 3,
    "token-cap": 2,
    "null-content": 0,
    "thinking-replay": 1,
    "thinking": 0,
    "reasoning-effort": 8,
    "levels": 2,
    "thinking-format": 7,
    "image": 3,
}
"""Requests of a probe at a server that refuses nothing that Pi sends, besides the shared ones.
The rest of what a probe can take confirms refusals."""
_ROOM: Final = 1.5
"""How much more than usual a request may cost where a model says much or calls many tools."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan will take."""

    requests: int
    """Of a model that does well, behind a server that refuses nothing."""
    most_requests: int
    """At most, but for requests that are repeated because a server asks to wait."""
    tokens: int
    """For ``requests``, in and out."""
    most_tokens: int
    """For ``most_requests``."""
    chain: int
    """Requests that wait for one another as a rule."""


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
    def repeated(self) -> bool:
        """It is told as k of n."""
        return self.trial is not None and self.trial.repeated

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
    own: tuple[str, ...] = ()
    """Selectors that skills or triggers name for themselves; each is tried as the agent lane's."""
    unserved: tuple[str, ...] = ()
    """Those of them that are on no provider of the file."""

    @property
    def estimate(self) -> Estimate:
        """All of it.

        ``stock`` trials wait for the probes, whose flags they are shaped by, and what must be
        alone waits for everything.
        """
        shared = len({task.model for task in self.tasks if task.probe is not None})
        usual = [_usual(task) for task in self.tasks]
        most = [
            max(task.cost.most_requests, count)
            for task, count in zip(self.tasks, usual, strict=True)
        ]
        tokens = [_tokens(task, count) for task, count in zip(self.tasks, usual, strict=True)]
        worst = [_tokens(task, count) * _ROOM for task, count in zip(self.tasks, most, strict=True)]
        return Estimate(
            sum(usual) + PLAIN_REQUESTS * shared,
            sum(most) + PLAIN_MOST * shared,
            round(sum(tokens)) + PLAIN_TOKENS * shared,
            round(sum(worst)) + PLAIN_TOKENS * PLAIN_MOST * shared,
            self._chain(),
        )

    def _chain(self) -> int:
        probed = [_usual(task) for task in self.tasks if task.probe is not None]
        probes = PLAIN_REQUESTS + max(probed) if probed else 0
        trials = [task for task in self.tasks if task.trial is not None]
        # all repetitions go out at once, each of them one request after the other
        longest = max((_usual_row(task) for task in trials if not task.alone), default=0)
        last = max((task.cost.chain for task in trials if task.alone), default=0)
        stock = any(task.setting.variant == "stock" for task in trials)
        return (probes + longest if stock else max(probes, longest)) + last

    def without(self, decided: Iterable[Verdict]) -> Plan:
        """What is left to ask once ``decided`` is known."""
        known = {question_of(one) for one in decided}
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


def _usual(task: Task) -> int:
    """Requests of a task as a rule."""
    return (
        USUAL.get(task.name, task.cost.requests) if task.probe is not None else task.cost.requests
    )


def _usual_row(task: Task) -> int:
    """Requests of a task that wait for one another as a rule."""
    runs = task.setting.runs if task.repeated else 1
    return min(task.cost.chain, max(1, task.cost.requests // runs)) if task.cost.requests else 0


def _tokens(task: Task, requests: int) -> float:
    return task.cost.tokens * requests / task.cost.requests if task.cost.requests else 0.0


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
    own, unserved = _own_models(config, report, runs) if "agent" in lanes else ((), ())
    tasks: list[Task] = []
    for setting in _models((*settings, *own)):
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
                    PLAIN_MOST + probe.requests,  # one after the other, after the plain ones
                ),
                probe=probe,
            )
            for probe in probes
        ]
    seen: set[str] = set()
    for setting in (*settings, *own):
        for trial in trials_for(setting.lane, names=trials, verifies=verifies):
            key = repr(trial.key(setting))
            # whether a skill's own model leaves is among the escapes of the config
            if key in seen or (setting in own and trial.name == STAYS_HOME):
                continue
            seen.add(key)
            lane = None if trial.per == "model" else setting.lane
            tasks.append(
                Task(trial.name, trial.title, setting, lane, trial.cost(setting), trial=trial)
            )
    tried = {setting.lane for setting in settings}
    homeless = tuple(lane for lane in lanes if lane not in tried)
    named = tuple(f"{one.provider}/{one.model}" for one in own)
    return Plan(tuple(tasks), tuple(lanes), homeless, named, unserved)


def _own_models(
    config: Config, report: LaneReport, runs: int
) -> tuple[tuple[Setting, ...], tuple[str, ...]]:
    """The models that skills and triggers name, as the agent lane would ask them.

    The second: selectors among them that no provider of the file serves.
    """
    agent = report.lanes["agent"]
    found: list[Setting] = []
    unserved: list[str] = []
    for selector in dict.fromkeys(one.selector for one in report.overrides):
        if selector == agent.selector:
            continue
        lane = msgspec.structs.replace(agent, selector=selector)
        theirs = msgspec.structs.replace(report, lanes={**report.lanes, "agent": lane})
        asked = settings_for(config, theirs, runs=runs, lanes=("agent",))
        found += asked
        if not asked:
            unserved.append(selector)
    return tuple(found), tuple(unserved)


def shaped(task: Task, verdicts: Sequence[Verdict]) -> Task:
    """``task`` as stock's Pi would shape it, by the file that is exported with these verdicts.

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
    flags = {probe.name: probe.flags for probe in compat_probes()}
    compat = exported_compat(verdicts, subject, flags)
    return replace(task, setting=msgspec.structs.replace(setting, pi=pi, compat=compat))


def shape_of(setting: Setting) -> str:
    """A short digest of what a trial's requests are shaped by; empty where nothing is written."""
    if setting.variant != "stock":
        return ""
    encoded = msgspec.json.encode([setting.pi, setting.compat], order="sorted")
    return hashlib.sha256(encoded).hexdigest()[:16]


def outgrown(plan: Plan, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Verdicts of trials that other flags shaped than those that would be exported now.

    A probe that is asked again may find another flag: what was tried is not what leaves then.
    """
    tasks = {task.question: task for task in plan.tasks if task.trial is not None}
    return [
        one
        for one in verdicts
        if one.shape
        and (task := tasks.get(question_of(one))) is not None
        and shape_of(shaped(task, verdicts).setting) != one.shape
    ]


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
