"""A workspace verified: its lanes planned, their endpoints asked, the receipt kept.

Importing this module imports httpx.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from core import __version__
from core.discover.discover import discover
from core.errors import Fault, UsageProblem, error_for
from core.keys.secret import Secret
from core.target import provider_target, told_of_key
from core.verify.courtesy import Courtesy
from core.verify.exchange import HttpLine
from core.verify.fingerprint import fingerprint, place_mark
from core.verify.known import receipts_of, required_trials, verifies
from core.verify.plan import make_plan
from core.verify.receipt import Asked, CoveredConfig, Gone, Receipt, merged, refusal, stamp
from core.verify.registry import optional_probes
from core.verify.run import Decided, Waits, run_plan
from core.verify.trials.home import NAME as STAYS_HOME
from core.verify.trials.home import lane_home
from core.verify.trials.registry import TRIALS
from core.verify.trials.setting import CONCURRENCY, RUNS
from core.warden.chains import LANES, Lane
from core.wire.client import open_client

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence

    from core.target import Target
    from core.verify.courtesy import Held
    from core.verify.exchange import Line
    from core.verify.plan import Plan
    from core.verify.run import Event
    from core.verify.verdict import Verdict
    from core.wire.bounds import Bounds
    from core.wire.network import Network
    from core.workspace import Workspace


_T = TypeVar("_T")
DEAR: Final = tuple(trial.name for trial in TRIALS if trial.optional)


LONGEST_S: Final = 600.0
"""One request as a whole, in seconds: a cold model takes minutes, none of them asks for much."""
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

        def planned(only: tuple[str, ...]) -> Plan:
            return make_plan(
                seen,
                self._report,
                lanes=wanted.lanes,
                only=only,
                verifies=verified,
                runs=wanted.runs,
            )

        whole = self.whole = planned(wanted.only)
        self.dear = planned(DEAR)
        """Trials that cost as many tokens as they try, run by name only."""
        self._decided = self._resumable()
        self.plan: Plan = whole.without(self._decided)
        self.resumed = len(whole.tasks) - len(self.plan.tasks)
        """Questions that an interrupted run has answered well already."""
        self.limit = workspace.config.concurrency or CONCURRENCY
        """Requests at once to one origin."""
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

        Raises KeyProblem and EndpointProblem where an endpoint cannot be asked at all, and
        ConfigProblem when the receipt cannot be kept.
        """
        # Every question is small: an answer without end would be read to the general bounds.
        small = msgspec.structs.replace(
            bounds, total_s=bounds.total_s or LONGEST_S, body_bytes=MOST_BYTES
        )
        targets = self._targets()
        verdicts: list[Verdict] = [
            *self._decided,
            *(lane_home(self._report, lane) for lane in self.plan.homeless),
        ]
        asked: list[Asked] = []
        courtesy = Courtesy(self.limit, tell=lambda held: tell(_waits(held)))
        whole = False
        receipt = self._receipt(verdicts, asked, stopped=True)
        try:
            async with AsyncExitStack() as stack:
                lines: dict[str, Line] = {}
                dialects: dict[str, str] = {}
                listed: dict[str, tuple[str, ...] | None] = {}
                found = await _all(self._endpoint(*one, bounds, network) for one in targets.items())
                for (name, target), (endpoint, ids) in zip(targets.items(), found, strict=True):
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
                    secrets = [one for one in target.headers.values() if isinstance(one, Secret)]
                    lines[name] = HttpLine(
                        client, target.base, small, target.key, courtesy=courtesy, secrets=secrets
                    )
                for verdict in verdicts[len(self._decided) :]:
                    tell(Decided(verdict, 0, len(self.plan.tasks)))
                known = self._old.verdicts if self._old is not None else ()
                await run_plan(self.plan.at(dialects, listed), lines, verdicts, tell, known)
            whole = True
        finally:
            if len(verdicts) > len(self._decided) or whole:
                receipt = self._receipt(verdicts, asked, stopped=not whole)
                self._keep(receipt)
        return receipt

    def asked(self, receipt: Receipt) -> tuple[Verdict, ...]:
        """Those verdicts of a receipt that answer what was wanted here."""
        questions = {task.question for task in self.whole.tasks}
        return tuple(
            one
            for one in receipt.verdicts
            if (one.probe, one.provider, one.model, one.lane) in questions
            or (one.lane in self.whole.homeless and one.probe == STAYS_HOME)
        )

    def failed(self, receipt: Receipt) -> bool:
        """Whether something that was wanted here failed, or a lane of the whole config leaves."""
        if self._wanted.whole and receipt.escapes:
            return True
        return any(one.verdict == "fail" for one in self.asked(receipt))

    # ------------------------------------------------------------------ what is asked

    def _targets(self) -> dict[str, Target]:
        workspace = self._workspace
        names = dict.fromkeys(task.setting.provider for task in self.plan.tasks)
        return {name: provider_target(workspace, workspace.provider(name), None) for name in names}

    async def _endpoint(
        self, name: str, target: Target, bounds: Bounds, network: Network | None
    ) -> tuple[Asked, tuple[str, ...] | None]:
        """What answers there, and the ids that it lists; None where it lists none.

        Raises EndpointProblem or KeyProblem where it cannot be asked.
        """
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
        return tuple(one for one in self._old.verdicts if one.verdict == "pass")

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
        )
        # A run of everything, to its end, stands for itself; any other adds to what is known.
        alone = self._wanted.whole and not stopped and not self._decided
        keep = None if alone else self._old
        whole = merged(
            keep,
            new,
            required=required_trials(workspace),
            now=now,
            optional=optional_probes(),
        )
        goes_on = bool(stopped and self.whole.without(whole.verdicts).tasks)
        if keep is not None and not self._wanted.whole:
            goes_on = goes_on or keep.interrupted
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


def _waits(held: Held) -> Waits:
    return Waits(held.seconds, held.why)
