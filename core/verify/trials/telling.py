"""Running a trial's repetitions side by side, and putting what they found into one verdict."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from core.text import one_line
from core.verify.exchange import CHAT, Answered
from core.verify.trials.setting import Outcome, Setting, Step, Tell
from core.verify.verdict import MAX_EXCHANGES, Evidence, Verdict, evidence

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from core.verify.exchange import Line
    from core.verify.trials.setting import Trial


class Ledger:
    """A line that remembers what went over it: one repetition's requests. A :class:`Line`."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.answered: list[Answered] = []

    async def send(
        self, body: Mapping[str, object], *, path: str = CHAT, once: bool = False
    ) -> Answered:
        """One request over the line beneath."""
        answered = await self._line.send(body, path=path, once=once)
        self.answered.append(answered)
        return answered

    @property
    def requests(self) -> int:
        """How many were sent, repetitions for the server's sake included."""
        return sum(one.tries for one in self.answered)

    @property
    def tokens(self) -> int | None:
        """What the server counted; None when it counted nothing."""
        counted = [one.tokens for one in self.answered if one.tokens is not None]
        return sum(counted) if counted else None


class Teller:
    """Steps of one trial, told to whoever listens."""

    def __init__(self, name: str, setting: Setting, tell: Tell, runs: int) -> None:
        self._name = name
        self._setting = setting
        self._tell = tell
        self._runs = runs

    def __call__(self, run: int, turn: int, words: str, *, passed: bool | None = None) -> None:
        """``run`` and ``turn`` count from 1; turn 0 ends a repetition."""
        setting = self._setting
        shown = one_line(words, 160)
        self._tell(
            Step(
                self._name, setting.model, setting.lane, run, self._runs, turn, shown, passed=passed
            )
        )


async def repeated(
    trial: str,
    per_lane: bool,
    setting: Setting,
    line: Line,
    tell: Tell,
    one: Callable[[int, Ledger, Callable[[int, str], None]], Awaitable[Outcome]],
    runs: int | None = None,
) -> Verdict:
    """``one`` so many times at once (``setting.runs``), as one verdict.

    ``one`` gets the number of its run (from 1), a line of its own, and a way to tell its turns.
    Cancelling this ends every repetition with its connection.
    """
    count = max(1, setting.runs if runs is None else runs)
    teller = Teller(trial, setting, tell, count)
    ledgers = [Ledger(line) for _ in range(count)]

    async def run(number: int) -> Outcome:
        outcome = await one(
            number, ledgers[number - 1], lambda turn, words: teller(number, turn, words)
        )
        teller(number, 0, outcome.words, passed=outcome.passed)
        return outcome

    tasks = [asyncio.ensure_future(run(number)) for number in range(1, count + 1)]
    try:
        outcomes = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return combined(trial, setting, outcomes, ledgers, lane=setting.lane if per_lane else None)


def combined(
    trial: str,
    setting: Setting,
    outcomes: Sequence[Outcome],
    ledgers: Sequence[Ledger],
    *,
    lane: str | None,
) -> Verdict:
    """All repetitions in one verdict: pass only when every one passed."""
    tried = len(outcomes)
    passed = sum(one.passed is True for one in outcomes)
    failures = [one for one in outcomes if one.passed is False]
    open_ones = [one for one in outcomes if one.passed is None]
    telling = failures or open_ones or list(outcomes)
    finding = _commonest(telling)
    shown = next(one for one in telling if one.finding == finding)
    place = next(place for place, one in enumerate(outcomes) if one is shown)
    flaky = bool(failures) and passed > 0
    count = "" if tried == 1 else f"{passed} of {tried} runs passed. "
    others = sorted({one.finding for one in failures} - {finding})
    also = f" Other runs: {', '.join(word.replace('_', ' ') for word in others)}." if others else ""
    detail = dict(shown.detail)
    if flaky:
        detail["reason"] = finding
    counted = [one.tokens for one in ledgers if one.tokens is not None]
    return Verdict(
        probe=trial,
        provider=setting.provider,
        model=setting.model,
        lane=lane,
        verdict="fail" if failures else "unsure" if open_ones else "pass",
        evidence=shown_evidence(f"{count}{shown.words}{also}", ledgers[place].answered),
        fix=shown.fix,
        finding="flaky" if flaky else finding,
        passed=passed,
        tried=tried,
        requests=sum(one.requests for one in ledgers),
        tokens=sum(counted) if counted else None,
        detail=detail,
    )


def shown_evidence(text: str, answered: Sequence[Answered]) -> Evidence:
    """The sentence, with the first request and the last ones: a loop's end tells most."""
    kept = list(answered)
    if len(kept) > MAX_EXCHANGES:
        kept = [kept[0], *kept[1 - MAX_EXCHANGES :]]
    return evidence(text, *kept)


def _commonest(outcomes: Sequence[Outcome]) -> str:
    counted = Counter(one.finding for one in outcomes)
    return counted.most_common(1)[0][0]


_PASSING: Final = frozenset(
    {
        "rate_limited",
        "loading",
        "timeout",
        "connection_refused",
        "connection_failed",
        "name_unresolved",
        "tls",
        "key_refused",
        "key_missing",
        "key_bound_elsewhere",
        "redirected",
    }
)
"""Faults that say something of the moment, the way or the key, and nothing of the model."""


def of_the_moment(answered: Answered) -> Outcome | None:
    """The outcome of a reply that decides nothing about the model; None when it does decide."""
    fault = answered.fault
    if fault is None or fault.code not in _PASSING:
        return None
    waited = f" It was sent {answered.tries} times." if answered.tries > 1 else ""
    return Outcome(None, fault.code, f"{fault.what}{waited} That decides nothing.", fault.fix)


def untried(trial: Trial, setting: Setting, words: str, finding: str, fix: str = "") -> Verdict:
    """The verdict of a trial that could not be run."""
    return Verdict(
        probe=trial.name,
        provider=setting.provider,
        model=setting.model,
        lane=setting.lane if trial.per == "lane" else None,
        verdict="unsure",
        evidence=Evidence(words),
        fix=fix,
        finding=finding,
    )


def replaced(verdict: Verdict, setting: Setting) -> Verdict:
    """The same verdict for another lane with the same requests (:meth:`Trial.key`)."""
    if verdict.lane is None:
        return verdict
    return msgspec.structs.replace(verdict, lane=setting.lane)
