"""The lines of a verification as a screen shows them: what is planned, what was found. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from core.verify.verdict import Verdict  # noqa: TC001 - msgspec reads the types at run time
from core.verify.words import SIGNS, count_words
from core.warden.chains import LANES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.verify.plan import Plan, Task

Question = tuple[str, str, str, str | None]
"""Probe, provider, model, lane."""


class Line(msgspec.Struct, frozen=True):
    """One line: a heading of a lane or model, a trial, or the probes of a model together."""

    kind: Literal["heading", "trial", "probe", "probes"]
    words: str
    sign: str = " "
    """``✓ ✗ ?`` as decided, ``▸`` under way, ``·`` not yet."""
    count: str = ""
    """«3 of 3», «12 of 20»."""
    verdict: Verdict | None = None
    """None: not decided, or a heading."""


def lines(
    plan: Plan, verdicts: Iterable[Verdict], running: Iterable[Question] = ()
) -> tuple[Line, ...]:
    """All of ``plan``, in groups: each lane with its trials, then each model.

    Probes that passed stand together in one line; one that failed or could not be decided has a
    line of its own.
    """
    known: dict[Question, Verdict] = {
        (one.probe, one.provider, one.model, one.lane): one for one in verdicts
    }
    now = set(running)
    found: list[Line] = []
    for lane in LANES:
        mine = [task for task in plan.tasks if task.lane == lane]
        lost = [one for one in known.values() if one.lane == lane and lane in plan.homeless]
        if mine:
            found.append(Line("heading", f"{lane} · {'/'.join(mine[0].model)}"))
        elif lane in plan.homeless:
            found.append(Line("heading", f"{lane} · on none of your providers"))
        found += [_decided("trial", one.probe, one) for one in lost]
        found += [_line(task, known, now) for task in mine]
    for model in dict.fromkeys(task.model for task in plan.tasks):
        mine = [task for task in plan.tasks if task.model == model and task.lane is None]
        if not mine:
            continue
        found.append(Line("heading", f"{'/'.join(model)} · whichever lane asks"))
        found += [_line(task, known, now) for task in mine if task.trial is not None]
        found += _probes([task for task in mine if task.probe is not None], known, now)
    return tuple(found)


def progress(plan: Plan, verdicts: Sequence[Verdict]) -> tuple[int, int]:
    """How many of the plan's questions are decided, and how many there are."""
    known = {(one.probe, one.provider, one.model, one.lane) for one in verdicts}
    return sum(task.question in known for task in plan.tasks), len(plan.tasks)


def _line(task: Task, known: dict[Question, Verdict], now: set[Question]) -> Line:
    verdict = known.get(task.question)
    if verdict is not None and task.question not in now:
        return _decided("trial", task.title, verdict)
    return Line("trial", task.title, "▸" if task.question in now else "·")


def _decided(kind: Literal["trial", "probe"], words: str, verdict: Verdict) -> Line:
    return Line(kind, words, SIGNS[verdict.verdict], count_words(verdict), verdict)


def _probes(
    tasks: Sequence[Task], known: dict[Question, Verdict], now: set[Question]
) -> list[Line]:
    if not tasks:
        return []
    told = [
        _decided("probe", task.title, verdict)
        for task in tasks
        if (verdict := known.get(task.question)) is not None and verdict.verdict != "pass"
    ]
    decided = [task for task in tasks if task.question in known]
    busy = any(task.question in now for task in tasks)
    passed = len(decided) - len(told)
    sign = "▸" if busy else "✓" if decided and len(decided) == len(tasks) and not told else "·"
    words = "what the server takes of what Warden's engine sends"
    return [Line("probes", words, sign, f"{passed} of {len(tasks)}"), *told]
