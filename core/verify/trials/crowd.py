"""Requests at once: does the endpoint bear as many as Warden's runner sends?"""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import TYPE_CHECKING, Final

import msgspec

from core.text import one_line
from core.verify.exchange import Answered  # noqa: TC001  # what Told is made of
from core.verify.pi_shape import System, User
from core.verify.trials import fixes, identity
from core.verify.trials.setting import CONCURRENCY, Cost, Outcome
from core.verify.trials.telling import of_the_moment, repeated

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.verify.exchange import Line
    from core.verify.trials.setting import Setting, Tell
    from core.verify.trials.telling import Ledger
    from core.verify.verdict import Verdict

NAME: Final = "concurrency"
_TOKENS: Final = 400
_NUMBERS: Final = 41
_MOST_OF: Final = 0.85
"""How much of the count an answer holds at least: a small model leaves a number out."""
_STRAY: Final = 3
"""Numbers beside the count that an answer may hold: «Here are 41 numbers»."""
_NUMBER: Final = re.compile(r"\d+", re.ASCII)
_TOO_MANY: Final = frozenset({429, 503, 529})
"""How servers and gateways say that they are asked too much at once."""


def cost(setting: Setting) -> Cost:
    """So many requests at once; where they are not borne, fewer and fewer, down to two.

    Between two levels one request waits for the all-clear; the first level has a second chance.
    """
    many = setting.concurrency
    fewer = sum(range(2, many)) + many + many + 1
    return Cost(many, many + fewer, _TOKENS * many, 1)


async def run(setting: Setting, line: Line, tell: Tell) -> Verdict:
    """As many at once as the runner sends; if that fails, the highest number that does not."""

    async def one(_number: int, ledger: Ledger, told: Callable[[int, str], None]) -> Outcome:
        many = setting.concurrency
        failed: list[Told] = []
        alone: Told | None = None
        levels = list(range(many, 0, -1))
        turn = 0
        while levels:
            level, turn = levels.pop(0), turn + 1
            if turn > 1:
                # a polite one in between waits for as long as the server asks to
                task = tasks_at_once(1)[0]
                alone = Told(task, await ledger.send(_body(setting, task)))
                if level == 1 or not alone.answered.ok or alone.wrong(setting, alone):
                    return _alone(setting, alone, failed)
            told(turn, f"{level} at once")
            tasks = tasks_at_once(level)
            replies = await asyncio.gather(
                *(ledger.send(_body(setting, task), once=True) for task in tasks)
            )
            all_told = [Told(task, reply) for task, reply in zip(tasks, replies, strict=True)]
            bad = [one for one in all_told if one.wrong(setting, alone)]
            if not bad:
                return _borne(setting, level, all_told, failed)
            if turn == 1 and not any(_crowded(one.answered) for one in bad):
                # a failure that no crowd makes may be one of the moment: once more, as Pi does
                levels.insert(0, level)
            failed = failed or bad
        return _otherwise(failed[0].answered)

    return await repeated(NAME, False, setting, line, tell, one, 1)


class Count(msgspec.Struct, frozen=True):
    """One small task: numbers that nobody else was asked for."""

    first: int

    @property
    def last(self) -> int:
        """The number to end with."""
        return self.first + _NUMBERS - 1

    def done(self, answer: str) -> bool:
        """Whether the answer is this task's, and whole: nearly every number, the last one too,
        and hardly another."""
        # of thousands of digits Python makes no number, and a dozen are none of ours already
        written = [int(one[:12]) for one in _NUMBER.findall(answer)]
        mine = [one for one in written if self.first <= one <= self.last]
        whole = self.last in mine and len(set(mine)) >= _NUMBERS * _MOST_OF
        return whole and len(written) - len(mine) <= _STRAY


def tasks_at_once(many: int) -> list[Count]:
    """So many tasks, no number of one in another: an answer tells whose it is."""
    places = secrets.SystemRandom().sample(range(2, 2 + max(18, many)), many)
    return [Count(place * 50 + secrets.randbelow(9)) for place in places]


class Told(msgspec.Struct, frozen=True):
    """A task, and what came."""

    task: Count
    answered: Answered

    def wrong(self, setting: Setting, alone: Told | None) -> str:
        """What is wrong with the answer, as a machine word; empty: whole, right, and by the model.

        ``alone``: one that had the server to itself. Under the name that it bears, a model may
        answer in a crowd as well.
        """
        answered = self.answered
        if not answered.ok:
            return "refused"
        if not answered.answer.strip():
            return "empty"
        if answered.finish_reason is None or answered.finish_reason == "length":
            return "cut"
        by = identity.served(setting, answered)
        usual = None if alone is None else identity.served(setting, alone.answered)
        if by.finding in {"fallback", "other_model"} and by != usual:
            return "other_model"
        return "" if self.task.done(answered.answer) else "wrong"


def _body(setting: Setting, task: Count) -> dict[str, object]:
    messages = (
        System("You do what is asked, without comment."),
        # long enough that the answers are under way at the same time
        User(
            f"Count from {task.first} to {task.last}, one number after another. "
            "Leave none out, and write nothing else."
        ),
    )
    return setting.body(messages, (), setting.level)


def _crowded(answered: Answered) -> bool:
    fault = answered.fault
    moment = fault is not None and fault.code in {"rate_limited", "timeout"}
    return answered.status in _TOO_MANY or moment


def _borne(setting: Setting, level: int, replies: list[Told], failed: list[Told]) -> Outcome:
    many = setting.concurrency
    slowest = max(reply.answered.seconds for reply in replies)
    detail: dict[str, str | int | float | bool | None] = {
        "asked": many,
        "borne": level,
        "slowest_s": round(slowest, 3),
    }
    if level == many:
        again = ""
        if failed:
            again = f" The first time {len(failed)} of them did not come right ({_said(failed)})."
        words = (
            f"{many} requests at once are borne, each with its own whole answer; the slowest took "
            f"{slowest:.1f} s.{again}"
        )
        return Outcome(True, "ok", words, "", detail)
    return _too_many(setting, level, failed, detail)


def _too_many(
    setting: Setting,
    level: int,
    failed: list[Told],
    detail: dict[str, str | int | float | bool | None],
) -> Outcome:
    many = setting.concurrency
    default = "Warden's default" if many == CONCURRENCY else "runner.concurrency"
    words = (
        f"Of {many} requests at once ({default}), {len(failed)} {_said(failed)}; {level} at once "
        f"{'are' if level > 1 else 'is'} borne."
    )
    fix = (
        f"Set runner.concurrency = {level} in warden.toml (the action's input: parallel), or let "
        "the server take more at once."
    )
    wrong = failed[0].wrong(setting, None)
    finding = "too_many" if wrong == "refused" else f"{wrong}_at_once"
    return Outcome(False, finding, words, fix, detail)


def _said(failed: list[Told]) -> str:
    """What came instead of right answers: «got 429», «came empty»."""
    first = failed[0]
    answered = first.answered
    if not answered.ok:
        said = str(answered.status or "no reply")
        if answered.fault is not None and (answered.status is None or answered.status < 300):
            said = answered.fault.what.rstrip(".")
        return f"got {said}"
    if not answered.answer.strip():
        return "came empty"
    if answered.finish_reason in {None, "length"}:
        return "came without their end"
    if first.task.done(answered.answer):
        return f"came from another model («{one_line(answered.served_model or 'unnamed', 60)}»)"
    return f"came with another answer than was asked for («{one_line(answered.answer, 60)}»)"


def _alone(setting: Setting, alone: Told, failed: list[Told]) -> Outcome:
    answered = alone.answered
    if not answered.ok:
        return _otherwise(answered)
    if alone.wrong(setting, alone):
        words = (
            f"Of {setting.concurrency} requests at once {len(failed)} {_said(failed)}, and one "
            f"alone {_said([alone])} as well: how many are borne cannot be told."
        )
        return Outcome(None, "wrong_alone", words, fixes.OTHER_MODEL)
    detail: dict[str, str | int | float | bool | None] = {"asked": setting.concurrency, "borne": 1}
    return _too_many(setting, 1, failed, detail)


def _otherwise(answered: Answered) -> Outcome:
    """A failure that does not come from the crowd."""
    passing = of_the_moment(answered)
    if passing is not None:
        return passing
    fault = answered.fault
    if fault is None:
        return Outcome(None, "no_answer", "The endpoint did not answer rightly.")
    words = f"How many are borne cannot be told: {fault.what}"
    return Outcome(None, fault.code, words, fault.fix)
