"""The lines of a verification as a screen shows them: what is planned, what was found. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from core.verify.learned import learned_compat
from core.verify.plan import subject_of
from core.verify.verdict import Verdict, question_of
from core.verify.words import SIGNS, count_words, tokens_words
from core.warden.chains import LANES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.verify.plan import Plan, Task
    from core.verify.trials.setting import Setting

Question = tuple[str, str, str, str | None]
"""Probe, provider, model, lane."""


class Line(msgspec.Struct, frozen=True):
    """One line: a heading of a lane or model, a trial, or the probes of a model together."""

    kind: Literal["heading", "trial", "dear", "probe", "probes", "learned"]
    words: str
    sign: str = " "
    """``✓ ✗ ?`` as decided, ``▸`` under way, ``·`` not yet."""
    count: str = ""
    """«3 of 3», «12 of 20»."""
    verdict: Verdict | None = None
    """None: not decided, or a heading."""
    name: str = ""
    """The trial, as ``--only`` takes it."""
    model: tuple[str, str] | None = None
    lane: str | None = None

    @property
    def place(self) -> tuple[object, ...]:
        """Which line it is, whatever it says now."""
        words = self.words if self.kind == "heading" else ""
        return self.kind, self.name, self.model, self.lane, words


def lines(
    plan: Plan,
    verdicts: Sequence[Verdict],
    running: Iterable[Question] = (),
    dear: Plan | None = None,
) -> tuple[Line, ...]:
    """All of ``plan``, in groups: each lane with its trials, then each model.

    Probes that passed stand together in one line; one that failed or could not be decided has a
    line of its own. ``dear``: trials that are run by name only, told with their cost.
    """
    known: dict[Question, Verdict] = {question_of(one): one for one in verdicts}
    now = set(running)
    found: list[Line] = []
    for lane in LANES:
        mine = [task for task in plan.tasks if task.lane == lane]
        lost = [one for one in known.values() if one.lane == lane and lane in plan.homeless]
        if lane in plan.homeless:
            found.append(Line("heading", f"{lane} · on none of your providers"))
        found += [_decided("trial", one.probe, one) for one in lost]
        for model in dict.fromkeys(task.model for task in mine):
            selector = "/".join(model)
            own = ", for skills that name it" if lane == "agent" and selector in plan.own else ""
            found.append(Line("heading", f"{lane} · {selector}{own}"))
            found += [_line(task, known, now) for task in mine if task.model == model]
    found += [
        Line("heading", f"agent · {one}, which skills name, is on none of your providers")
        for one in plan.unserved
    ]
    for model in dict.fromkeys(task.model for task in plan.tasks):
        mine = [task for task in plan.tasks if task.model == model and task.lane is None]
        if not mine:
            continue
        found.append(Line("heading", f"{'/'.join(model)} · whichever lane asks"))
        found += [_line(task, known, now) for task in mine if task.trial is not None]
        extra = [task for task in dear.tasks if task.model == model] if dear is not None else []
        found += [_dear(task, known, now) for task in extra]
        probes = [task for task in mine if task.probe is not None]
        found += _probes(probes, known, now)
        found += _learned(probes, verdicts)
    return tuple(found)


def put(verdicts: list[Verdict], verdict: Verdict) -> None:
    """Add ``verdict`` in place of an older one to the same question."""
    mine = question_of(verdict)
    verdicts[:] = [one for one in verdicts if question_of(one) != mine]
    verdicts.append(verdict)


def progress(plan: Plan, verdicts: Sequence[Verdict]) -> tuple[int, int]:
    """How many of the plan's questions are decided, and how many there are."""
    known = {question_of(one) for one in verdicts}
    return sum(task.question in known for task in plan.tasks), len(plan.tasks)


def _line(task: Task, known: dict[Question, Verdict], now: set[Question]) -> Line:
    verdict = known.get(task.question)
    kind: Literal["trial", "probe"] = "trial" if task.trial is not None else "probe"
    if verdict is not None and task.question not in now:
        return _decided(kind, task.title, verdict)
    sign = "▸" if task.question in now else "·"
    return Line(kind, task.title, sign, name=task.name, model=task.model, lane=task.lane)


def _dear(task: Task, known: dict[Question, Verdict], now: set[Question]) -> Line:
    line = msgspec.structs.replace(_line(task, known, now), kind="dear")
    if line.sign != "·":
        return line
    cost = f"{tokens_words(task.cost.tokens)} tokens · t"
    return msgspec.structs.replace(line, sign="?", count=cost)


def _decided(kind: Literal["trial", "probe"], words: str, verdict: Verdict) -> Line:
    return Line(
        kind,
        words,
        SIGNS[verdict.verdict],
        count_words(verdict),
        verdict,
        verdict.probe,
        (verdict.provider, verdict.model),
        verdict.lane,
    )


def learned_words(verdicts: Sequence[Verdict], setting: Setting) -> str:
    """The flags that ``export pi`` writes for a model because they were needed; maybe empty."""
    flags = learned_compat(verdicts, subject_of(setting)).written()
    return ", ".join(
        f"{name}={value if isinstance(value, str) else msgspec.json.encode(value).decode()}"
        for name, value in flags.items()
    )


def _learned(tasks: Sequence[Task], verdicts: Sequence[Verdict]) -> list[Line]:
    words = learned_words(verdicts, tasks[0].setting) if tasks else ""
    if not words:
        return []
    return [Line("learned", f"export pi writes {words}", "→", model=tasks[0].model)]


def _probes(
    tasks: Sequence[Task], known: dict[Question, Verdict], now: set[Question]
) -> list[Line]:
    if not tasks:
        return []
    told = [line for task in tasks if (line := _line(task, known, now)).sign in {"✗", "?"}]
    decided = sum(task.question in known for task in tasks)
    signs = {line.sign for line in told}
    sign = "▸" if any(task.question in now for task in tasks) else "·"
    if decided == len(tasks) and sign == "·":
        sign = "✗" if "✗" in signs else "?" if signs else "✓"
    words = "what the server takes of what Warden's engine sends"
    count = f"{decided - len(told)} of {len(tasks)}"
    return [Line("probes", words, sign, count, model=tasks[0].model), *told]
