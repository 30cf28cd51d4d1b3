"""A workspace verified: its lanes planned, their endpoints asked, the receipt kept.

Importing this module imports httpx.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import msgspec

from core import __version__
from core.discover.discover import discover
from core.errors import ConfigProblem, Fault, TurnkeyError, UsageProblem, error_for
from core.keys.secret import Secret
from core.target import provider_target, told_of_key
from core.verify.courtesy import Courtesy
from core.verify.exchange import HttpLine
from core.verify.fingerprint import fingerprint, place_mark
from core.verify.known import receipts_of, required_trials, verifies
from core.verify.plan import make_plan, outgrown
from core.verify.receipt import (
    Asked,
    CoveredConfig,
    Gone,
    OwnModel,
    Receipt,
    refusal,
    stamp,
)
from core.verify.registry import compat_probes, optional_probes
from core.verify.run import Decided, Down, Waits, run_plan
from core.verify.trials.home import NAME as STAYS_HOME
from core.verify.trials.home import lane_home, stays_home
from core.verify.trials.registry import TRIALS
from core.verify.trials.setting import CONCURRENCY, RUNS
from core.verify.verdict import Evidence, Verdict, question_of
from core.verify.verified import merged
from core.warden.chains import LANES, Lane
from core.wire.client import open_client

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence

    import httpx

    from core.target import Target
    from core.verify.courtesy import Held
    from core.verify.exchange import Line
    from core.verify.plan import Plan, Task
    from core.verify.run import Event
    from core.wire.bounds import Bounds
    from core.wire.network import Network
    from core.workspace import Workspace


_T = TypeVar("_T")
Found: TypeAlias = "tuple[Target, Asked, tuple[str, ...] | None]"
DEAR: Final = tuple(trial.name for trial in TRIALS if trial.optional)


TRIED: Final = tuple(trial.name for trial in TRIALS if not trial.optional)
LONGEST_S: Final = 600.0
"""One request as a whole, in seconds: a cold model takes minutes, none of them asks for much."""
KEEP_S: Final = 5.0
"""How often what is decided is kept while a verification runs."""
MOST_BYTES: Final = 256 * 1024
"""Of a reply that is read whole; a stream has 64 times that (:mod:`core.live.run`)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be verified."""

    lanes: tuple[Lane, ...] = LANES
    only: tuple[str, ...] = ()
    runs: int = RUNS
    afresh: bool = False
    """Ask everything again, also what an interrupted run has decided."""

    @property
    def whole(self) -> bool:
        """Whether it is all that there is to verify."""
        return set(self.lanes) == set(LANES) and not self.only


class Verification:
    """One verification of a workspace. :attr:`plan` costs nothing; :meth:`run` asks."""

    def __init__(self, workspace: Workspace, wanted: Wanted, now: datetime | None = None) -> None:
        """Raises UsageProblem for unknown names, and where no lane has anything to be tried."""
        self._workspace = workspace
        self._wanted = wanted
        self._now = now
        self._report = workspace.lanes()
        self._print = fingerprint(workspace.config, workspace.base, workspace.variant)
        self._old = self._fresh()
        seen = msgspec.structs.replace(
            workspace.config,
            defaults=msgspec.structs.replace(
                workspace.config.defaults, providers=workspace.providers
            ),
        )
        verified = verifies(workspace.config, workspace.base)

        def planned(only: tuple[str, ...], lanes: tuple[Lane, ...] = wanted.lanes) -> Plan:
            return make_plan(
                seen,
                self._report,
                lanes=lanes,
                only=only,
                verifies=verified,
                runs=wanted.runs,
            )

        whole = self.whole = planned(wanted.only)
        self.dear = planned(DEAR)
        """Trials that cost as many tokens as they try, run by name only."""
        self._every = planned((*TRIED, *DEAR), LANES)
        self._decided = self._resumable()
        self.plan: Plan = whole.without(self._decided)
        self.resumed = len(whole.tasks) - len(self.plan.tasks)
        """Questions that an interrupted run has answered well already."""
        self.limit = workspace.config.concurrency or CONCURRENCY
        """Requests at once to one origin."""
        self.sent = 0
        """Requests of the plan that went out, repetitions included."""
        self.counted = 0
        """Tokens that the servers counted for them, as far as they came to a verdict."""
        self.receipt: Receipt | None = None
        """What :meth:`run` has kept, also where it was stopped."""
        if not whole.tasks and not whole.homeless:
            raise UsageProblem(
                Fault(
                    "usage",
                    "Nothing of this is tried on the chosen lanes.",
                    "Each trial belongs to certain lanes: turnkey help verify.",
                    "Leave --lane or --only out.",
                )
            )

    @property
    def now(self) -> datetime:
        """The time, or the one that was given."""
        return self._now if self._now is not None else datetime.now(UTC)

    async def run(
        self,
        tell: Callable[[Event], None],
        bounds: Bounds,
        *,
        network: Network | None = None,
    ) -> Receipt:
        """Ask everything, and keep the receipt; cancelled, what was decided is kept all the same.

        Where one provider of several cannot be asked, its lanes fail with the cause. Raises
        KeyProblem and EndpointProblem where none can, and ConfigProblem when the receipt cannot
        be kept.
        """
        # Every question is small: an answer without end would be read to the general bounds.
        small = msgspec.structs.replace(
            bounds, total_s=bounds.total_s or LONGEST_S, body_bytes=MOST_BYTES
        )
        names = tuple(dict.fromkeys(task.setting.provider for task in self.plan.tasks))
        verdicts: list[Verdict] = [
            *self._decided,
            *(lane_home(self._report, lane) for lane in self.plan.homeless),
        ]
        asked: list[Asked] = []
        courtesy = Courtesy(self.limit, tell=lambda held: tell(_waits(held)))
        told = self._keeping(verdicts, asked, tell)
        whole = False
        receipt = self._receipt(verdicts, asked, stopped=True)
        try:
            async with AsyncExitStack() as stack:
                lines: dict[str, Line] = {}
                dialects: dict[str, str] = {}
                listed: dict[str, tuple[str, ...] | None] = {}
                found = await _all(self._endpoint(name, bounds, network) for name in names)
                down = {
                    name: one
                    for name, one in zip(names, found, strict=True)
                    if isinstance(one, TurnkeyError)
                }
                if len(names) > 1:
                    for name, error in down.items():
                        tell(Down(name, error.fault))
                if len(down) == len(names):
                    for error in down.values():
                        raise error
                for name, one in zip(names, found, strict=True):
                    if isinstance(one, TurnkeyError):
                        continue
                    target, endpoint, ids = one
                    asked.append(endpoint)
                    dialects[name], listed[name] = endpoint.dialect, ids
                    client = await stack.enter_async_context(
                        open_client(
                            target.base,
                            small,
                            key=target.key,
                            headers=target.headers,
                            network=network,
                        )
                    )
                    client.event_hooks = {"request": [self._count]}
                    secrets = [one for one in target.headers.values() if isinstance(one, Secret)]
                    lines[name] = HttpLine(
                        client, target.base, small, target.key, courtesy=courtesy, secrets=secrets
                    )
                plan = self.plan.at(dialects, listed)
                verdicts += [
                    unasked(task, down[task.setting.provider].fault)
                    for task in plan.tasks
                    if task.setting.provider in down
                ]
                for verdict in verdicts[len(self._decided) :]:
                    tell(Decided(verdict, 0, len(self.plan.tasks)))
                known = self._old.verdicts if self._old is not None else ()
                await run_plan(plan.without(verdicts), lines, verdicts, told, known)
            whole = True
        finally:
            if len(verdicts) > len(self._decided) or whole:
                new = [one for one in verdicts if one not in self._decided]
                self.counted = sum(one.tokens or 0 for one in new)
                receipt = self.receipt = self._receipt(verdicts, asked, stopped=not whole)
                self._keep(receipt)
        return receipt

    def _keeping(
        self, verdicts: list[Verdict], asked: list[Asked], tell: Callable[[Event], None]
    ) -> Callable[[Event], None]:
        """``tell``, keeping what is decided now and then: power fails, and processes are killed."""
        kept = time.monotonic()

        def told(event: Event) -> None:
            nonlocal kept
            tell(event)
            if isinstance(event, Decided) and time.monotonic() - kept > KEEP_S:
                with suppress(ConfigProblem):  # told at the end, when it counts
                    self._keep(self._receipt(verdicts, asked, stopped=True))
                kept = time.monotonic()

        return told

    async def _count(self, _request: httpx.Request) -> None:
        self.sent += 1

    def asked(self, receipt: Receipt) -> tuple[Verdict, ...]:
        """Those verdicts of a receipt that answer what was wanted here."""
        questions = {task.question for task in self.whole.tasks}
        return tuple(
            one
            for one in receipt.verdicts
            if question_of(one) in questions
            or (one.lane in self.whole.homeless and one.probe == STAYS_HOME)
        )

    def failed(self, receipt: Receipt) -> bool:
        """Whether something that was wanted here failed, or a lane of the whole config leaves."""
        if self._wanted.whole and receipt.escapes:
            return True
        return any(one.verdict == "fail" for one in self.asked(receipt))

    # ------------------------------------------------------------------ what is asked

    async def _endpoint(
        self, name: str, bounds: Bounds, network: Network | None
    ) -> Found | TurnkeyError:
        """Where a provider is, what answers there, and the ids that it lists (None: none).

        The error where it cannot be asked: one provider that is down does not end the others.
        """
        workspace = self._workspace
        try:
            target = provider_target(workspace, workspace.provider(name), None)
            return target, *await self._discovered(name, target, bounds, network)
        except TurnkeyError as error:
            return error

    async def _discovered(
        self, name: str, target: Target, bounds: Bounds, network: Network | None
    ) -> tuple[Asked, tuple[str, ...] | None]:
        """Raises EndpointProblem or KeyProblem where it cannot be asked."""
        if network is None:
            found = await self._workspace.asker.discover(target.base, target.key, target.headers)
        else:
            found = await discover(
                target.base, target.key, bounds=bounds, headers=target.headers, network=network
            )
        fatal = found.error is not None and (
            found.reachable is not True or found.error.code in {"key_refused", "key_missing"}
        )
        if found.error is not None and fatal:
            raise error_for(told_of_key(found.error, target.source))
        endpoint = found.endpoint
        ids = tuple(model.id for model in found.models) or None
        said = Asked(name, target.base.url, target.base.origin, endpoint.dialect, endpoint.version)
        return said, ids

    # ------------------------------------------------------------------ the receipt

    def _fresh(self) -> Receipt | None:
        """The receipt of this very config, while it counts."""
        store = receipts_of(self._workspace)
        if store is None:
            return None
        found, _ = store.load(store.path(self._print))
        if found is None or refusal(found, self._print, self.now) is not None:
            return None
        return found

    def _resumable(self) -> tuple[Verdict, ...]:
        """What a stopped run has found and need not be asked again: what passed.

        A failure is asked again, since whoever goes on may have mended it; and so is all that is
        asked for by name.
        """
        if self._old is None or not self._old.interrupted:
            return ()
        if self._wanted.afresh or self._wanted.only:
            return ()
        often = {task.question: task.setting.runs for task in self.whole.tasks if task.repeated}
        return tuple(
            one
            for one in self._old.verdicts
            if one.verdict == "pass" and (one.tried or 1) >= often.get(question_of(one), 1)
        )

    def _receipt(
        self, verdicts: Sequence[Verdict], asked: Collection[Asked], *, stopped: bool
    ) -> Receipt:
        workspace = self._workspace
        path = workspace.document.path
        now = self.now
        new = Receipt(
            __version__,
            stamp(now),
            workspace.variant,
            CoveredConfig(self._print, path.name, place_mark(path)),
            tuple(asked),
            {lane: self._report.lanes[lane].selector for lane in LANES},
            tuple(one for one in verdicts if one not in self._decided),
            tuple(
                dict.fromkeys(Gone(one.code, one.lane, one.message) for one in self._report.escapes)
            ),
            overrides=tuple(
                dict.fromkeys(
                    OwnModel(one.skill, one.trigger, one.selector) for one in self._report.overrides
                )
            ),
        )
        old = self._old
        if old is not None:
            now_known = (*old.verdicts, *new.verdicts)
            other = outgrown(self._every, now_known)
            kept = tuple(one for one in old.verdicts if one not in other)
            old = msgspec.structs.replace(old, verdicts=kept)
        # A run of everything, to its end, stands for itself but for failures that it did not
        # outweigh; any other adds to what is known.
        whole = merged(
            old,
            new,
            required=required_trials(workspace),
            now=now,
            probes=[probe.name for probe in compat_probes()],
            optional=optional_probes(),
            alone=self._wanted.whole and not stopped and not self._decided,
        )
        goes_on = bool(stopped and self.whole.without(whole.verdicts).tasks)
        if self._old is not None and not self._wanted.whole:
            goes_on = goes_on or self._old.interrupted
        return msgspec.structs.replace(whole, interrupted=goes_on)

    def _keep(self, receipt: Receipt) -> None:
        store = receipts_of(self._workspace)
        if store is not None:
            store.keep(receipt)


async def _all(asked: Iterable[Coroutine[object, object, _T]]) -> list[_T]:
    """All of them at once; where one fails, the others are ended."""
    tasks = [asyncio.ensure_future(one) for one in asked]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def unasked(task: Task, fault: Fault) -> Verdict:
    """The verdict of a task whose provider cannot be asked at all. Pure.

    A trial fails, since the lane cannot work; of what the server takes, nothing is known.
    """
    setting = task.setting
    if task.name == STAYS_HOME:
        return stays_home(setting)
    words = " ".join(filter(None, ("Not tried:", fault.what, fault.why)))
    trial = task.trial is not None
    return Verdict(
        task.name,
        setting.provider,
        setting.model,
        task.lane,
        "fail" if trial else "unsure",
        Evidence(words),
        fault.fix,
        fault.code if trial else "not_asked",
    )


def _waits(held: Held) -> Waits:
    return Waits(held.seconds, held.why)
