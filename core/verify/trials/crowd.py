"""Requests at once: does the endpoint bear as many as Warden's runner sends?"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

from core.verify.pi_shape import System, User
from core.verify.trials.setting import CONCURRENCY, Cost, Outcome
from core.verify.trials.telling import of_the_moment, repeated

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.verify.exchange import Answered, Line
    from core.verify.trials.setting import Setting, Tell
    from core.verify.trials.telling import Ledger
    from core.verify.verdict import Verdict

NAME: Final = "concurrency"
_TOKENS: Final = 400
_TOO_MANY: Final = frozenset({429, 503, 529})
"""How servers and gateways say that they are asked too much at once."""


def cost(setting: Setting) -> Cost:
    """So many requests at once; where they are not borne, fewer and fewer, down to two."""
    many = setting.concurrency
    fewer = sum(range(2, many)) + many  # between two levels one request waits for the all-clear
    return Cost(many, many + fewer, _TOKENS * many, 1)


async def run(setting: Setting, line: Line, tell: Tell) -> Verdict:
    """As many at once as the runner sends; if that fails, the highest number that does not."""

    async def one(_number: int, ledger: Ledger, told: Callable[[int, str], None]) -> Outcome:
        many = setting.concurrency
        failed: list[Answered] = []
        for turn, level in enumerate(range(many, 0, -1), start=1):
            if turn > 1:
                # a polite one in between waits for as long as the server asks to
                alone = await ledger.send(_body(setting))
                if not alone.ok or level == 1:
                    return _alone(setting, alone, failed)
            told(turn, f"{level} at once")
            replies = await asyncio.gather(
                *(ledger.send(_body(setting), once=True) for _ in range(level))
            )
            bad = [reply for reply in replies if not reply.ok]
            if not bad:
                return _borne(setting, level, list(replies), failed)
            failed = failed or bad
            if not any(_crowded(reply) for reply in bad):
                return _otherwise(bad[0])
        return _otherwise(failed[0])

    return await repeated(NAME, False, setting, line, tell, one, 1)


def _body(setting: Setting) -> dict[str, object]:
    start = 100 + secrets.randbelow(800)
    messages = (
        System("You do what is asked, without comment."),
        # long enough that the answers are under way at the same time
        User(f"Count from {start} to {start + 40}, one number after another."),
    )
    return setting.body(messages, (), setting.level)


def _crowded(answered: Answered) -> bool:
    fault = answered.fault
    moment = fault is not None and fault.code in {"rate_limited", "timeout", "connection_failed"}
    return answered.status in _TOO_MANY or moment


def _borne(
    setting: Setting, level: int, replies: list[Answered], failed: list[Answered]
) -> Outcome:
    many = setting.concurrency
    slowest = max(reply.seconds for reply in replies)
    detail: dict[str, str | int | float | bool | None] = {
        "asked": many,
        "borne": level,
        "slowest_s": round(slowest, 3),
    }
    if level == many:
        words = f"{many} requests at once are borne; the slowest took {slowest:.1f} s."
        return Outcome(True, "ok", words, "", detail)
    return _too_many(setting, level, failed, detail)


def _too_many(
    setting: Setting,
    level: int,
    failed: list[Answered],
    detail: dict[str, str | int | float | bool | None],
) -> Outcome:
    many = setting.concurrency
    first = failed[0]
    said = f"{first.status}" if first.status else (first.fault.what if first.fault else "nothing")
    default = "Warden's default" if many == CONCURRENCY else "runner.concurrency"
    words = (
        f"Of {many} requests at once ({default}), {len(failed)} got {said}; {level} at once "
        f"{'are' if level > 1 else 'is'} borne."
    )
    fix = (
        f"Set runner.concurrency = {level} in warden.toml (the action's input: parallel), or let "
        "the server take more at once."
    )
    return Outcome(False, "too_many", words, fix, detail)


def _alone(setting: Setting, alone: Answered, failed: list[Answered]) -> Outcome:
    if alone.ok:
        detail: dict[str, str | int | float | bool | None] = {
            "asked": setting.concurrency,
            "borne": 1,
        }
        return _too_many(setting, 1, failed, detail)
    return _otherwise(alone)


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
