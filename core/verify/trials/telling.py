"""Running a trial's repetitions side by side, and putting what they found into one verdict."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from core.text import one_line
from core.verify.answered import failed_server
from core.verify.exchange import CHAT, Answered
from core.verify.trials.setting import Outcome, Setting, Step, Tell
from core.verify.verdict import MAX_EXCHANGES, Evidence, Verdict, evidence

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from core.verify.exchange import Again, Line
    from core.verify.trials.setting import Trial


MOST_REPEATED: Final = 6
"""Requests that one repetition of a trial sends again: two that fail to the end, as Pi has it."""
STEADY: Final = 1
"""Requests that may take a second try because the server failed; more of them are a finding."""


class Ledger:
    """A line that remembers what went over it: one repetition's requests. A :class:`Line`."""

    def __init__(self, line: Line, setting: Setting) -> None:
        self._line = line
        self._ends_itself = setting.ends_itself
        self._left = MOST_REPEATED
        self.answered: list[Answered] = []

    async def send(
        self,
        body: Mapping[str, object],
        *,
        path: str = CHAT,
        once: bool = False,
        again: Again | None = None,
    ) -> Answered:
        """One request over the line beneath; asked again after a failure of the server, as by Pi.

        A stream without a finish reason is read as the lane's Pi reads it.
        """
        answered = await self._line.send(body, path=path, once=once, again=again or self._again)
        if self._ends_itself and _endless(answered):
            reason = "tool_calls" if answered.calls else "stop"
            answered = msgspec.structs.replace(answered, finish_reason=reason, complete=True)
        self.answered.append(answered)
        return answered

    def _again(self, answered: Answered) -> bool:
        if self._left == 0:
            return False
        if not (failed_server(answered) or (_endless(answered) and not self._ends_itself)):
            return False
        self._left -= 1
        return True

    @property
    def stumbles(self) -> list[Answered]:
        """Answers that took more than one try."""
        return [one for one in self.answered if one.stumbles]

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
    ledgers = [Ledger(line, setting) for _ in range(count)]

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
    stumbled = [one for ledger in ledgers for one in ledger.stumbles]
    told = f"{count}{shown.words}{also}{_stumbling(stumbled)}"
    failing = [one for one in stumbled if not set(one.stumbles) <= _BUSY]
    unsteady = len(failing) > STEADY and not failures and not open_ones
    counted = [one.tokens for one in ledgers if one.tokens is not None]
    return Verdict(
        probe=trial,
        provider=setting.provider,
        model=setting.model,
        lane=lane,
        verdict="fail" if failures or unsteady else "unsure" if open_ones else "pass",
        evidence=shown_evidence(told, ledgers[place].answered),
        fix=_UNSTEADY if unsteady else shown.fix,
        finding="unsteady" if unsteady else "flaky" if flaky else finding,
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


_BUSY: Final = frozenset({"429", "503"})
_UNSTEADY: Final = (
    "Look at the log of the server, and of the proxy before it, for what it failed with. Pi asks "
    "up to four times, so a run gets through as long as this is rare, and is slow."
)


def _stumbling(answered: Sequence[Answered]) -> str:
    """« One request was answered at the 2nd try (502).»; empty where all went at the first."""
    if not answered:
        return ""
    why = ", ".join(dict.fromkeys(word for one in answered for word in one.stumbles))
    if len(answered) > 1:
        return f" {len(answered)} requests took more than one try ({why})."
    one = answered[0]
    at = len(one.stumbles) + 1
    th = {2: "2nd", 3: "3rd"}.get(at, f"{at}th")
    what = "was answered at the" if one.fault is None else "failed still at the"
    return f" One request {what} {th} try ({why})."


def _endless(answered: Answered) -> bool:
    """A stream that came to an end without saying why."""
    good = answered.status is not None and 200 <= answered.status < 300
    return good and answered.fault is None and answered.finish_reason is None


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
