"""How long three lanes of one endpoint take to verify, beside the least that it could take.

``python -m tests.benchmarks.verification [DELAY]`` verifies against a server in another process
that answers every request DELAY seconds late (0.5). The least is the larger of two: the longest
chain of requests that must wait for one another, as this very run made them, and all requests
divided by how many go out at once; both times DELAY. Printed is the ratio for both kinds of Warden
and for few and many requests at once. The aim: 1.25 at the most. Beyond it the exit code is 1.

What a chain is does not depend on how the run is arranged: the requests of one task after one
another (a loop's turns, a probe's questions), the plain ones that every probe of a model needs
first, for stock's trials the probes whose flags shape them, and at the end the trial that must
have the endpoint for itself.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
import tomllib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from core.providers.base_url import read_base_url
from core.verify.courtesy import Courtesy
from core.verify.exchange import CHAT, HttpLine
from core.verify.plan import make_plan
from core.verify.run import Began, run_plan
from core.warden.chains import LANES
from core.warden.config import Variant, read_config
from core.warden.lanes import resolve
from core.wire.bounds import Bounds
from core.wire.client import open_client
from tests.servers.lane_server import MODEL, lane_server
from tests.servers.scripted import Behaviour, Pause, Recorded, Route

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    from core.verify.exchange import Again, Answered, Line
    from core.verify.plan import Plan
    from core.verify.run import Event
    from core.verify.verdict import Verdict

AIM: Final = 1.25
DELAY_S: Final = 0.5
AT_ONCE: Final = (2, 4, 16)
CONFIG: Final = """\
version = 1
[runner]
concurrency = {at_once}
[defaults.agent]
model = "mine/{model}"
[defaults.auxiliary]
model = "mine/{model}"
[defaults.synthesis]
model = "mine/{model}"
[defaults.providers.mine]
baseUrl = "{url}"
[[defaults.providers.mine.models]]
id = "{model}"
reasoning = true
contextWindow = 32000
"""


NAME: Final[ContextVar[str]] = ContextVar("NAME")
"""Which probe or trial sends: a task of the event loop hands its context down to those it makes."""
FIRST: Final = 2
"""The plain request and the one that asks for usage: no probe's own question goes before them."""


class Chains:
    """A :class:`Line` that sees which requests waited for which.

    Within a probe, or one repetition of a trial, a request waits for those that were answered
    when it was made; that it then had to queue for a place is no reason of its own.
    """

    def __init__(self, line: Line, plan: Plan) -> None:
        self._line = line
        self._plan = plan
        self._probing = {task.name for task in plan.tasks if task.probe is not None}
        self._long: dict[tuple[str, int], int] = {}
        self._tasks: list[object] = []  # kept, so that no two have the same id
        self._first: tuple[str, int] | None = None

    async def send(
        self,
        body: Mapping[str, object],
        *,
        path: str = CHAT,
        once: bool = False,
        again: Again | None = None,
    ) -> Answered:
        name, task = NAME.get(), asyncio.current_task()
        self._tasks.append(task)
        unit = (name, 0 if name in self._probing else id(task))
        if name in self._probing and self._first is None:
            self._first = unit
        mine = self._long.get(unit, 0)
        answered = await self._line.send(body, path=path, once=once, again=again)
        self._long[unit] = max(self._long.get(unit, 0), mine + answered.tries)
        return answered

    @staticmethod
    def told(event: Event) -> None:
        if isinstance(event, Began):
            NAME.set(event.probe)

    @property
    def longest(self) -> int:
        """The longest chain of the run whose requests went over this line."""
        alone = {task.name for task in self._plan.tasks if task.alone}
        long = {"probe": 0, "trial": 0, "alone": 0}
        for unit, count in self._long.items():
            if unit[0] in self._probing:
                before = 0 if unit == self._first else FIRST
                long["probe"] = max(long["probe"], before + count)
                continue
            kind = "alone" if unit[0] in alone else "trial"
            long[kind] = max(long[kind], count)
        probes, trials = long["probe"], long["trial"]
        stock = self._plan.tasks[0].setting.variant == "stock"
        return (probes + trials if stock else max(probes, trials)) + long["alone"]


def delayed(seconds: float, route: Route) -> Route:
    """``route`` so many seconds late."""

    def late(request: Recorded) -> Behaviour:
        found = route if isinstance(route, Behaviour) else route(request)
        return Behaviour((Pause(seconds), *found.steps))

    return late


def serve(ready: Connection, seconds: float) -> None:
    """The server's process: tells its port, ends when it is told to."""

    async def run() -> None:
        server = lane_server(thinks=True)
        server.routes = {where: delayed(seconds, route) for where, route in server.routes.items()}
        async with server:
            ready.send(server.base_url)
            await asyncio.to_thread(ready.recv)

    asyncio.run(run())


def plan_of(url: str, variant: Variant, at_once: int) -> Plan:
    """What a verification of three lanes on one model asks."""
    config = read_config(tomllib.loads(CONFIG.format(at_once=at_once, model=MODEL, url=url)))
    report = resolve(config, variant, env={})
    return make_plan(config, report, lanes=LANES).at({"mine": "generic"}, {"mine": (MODEL,)})


async def verified(url: str, plan: Plan, at_once: int) -> tuple[float, int, int]:
    """Seconds that it took, requests, and the longest chain of them."""
    base = read_base_url(url)
    bounds = Bounds()
    verdicts: list[Verdict] = []
    async with open_client(base, bounds, key=None) as client:
        chains = Chains(HttpLine(client, base, bounds, courtesy=Courtesy(at_once)), plan)
        await client.get(f"{url}/models")  # the connection and its modules are not measured
        began = time.perf_counter()
        await run_plan(plan, {"mine": chains}, verdicts, chains.told)
        seconds = time.perf_counter() - began
    wrong = [one.probe for one in verdicts if one.verdict == "fail" and one.lane is not None]
    assert not wrong, f"the server is meant to be well: {wrong}"
    requests = sum(one.requests for one in verdicts)
    assert len(verdicts) == len(plan.tasks)
    return seconds, requests, chains.longest


def main() -> int:
    """Measure and print; 1 beyond the aim."""
    delay = float(sys.argv[1]) if len(sys.argv) > 1 else DELAY_S
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there, delay))
    process.start()
    worst = 0.0
    try:
        url: str = here.recv()
        print(  # noqa: T201  # the report is what this program is for
            f"answers {delay:.2f} s late; the least is the larger of chain and requests/at once\n"
            "warden     at once  requests  chain  least s  took s  ratio"
        )
        for variant in ("providers", "stock"):
            for at_once in AT_ONCE:
                plan = plan_of(url, variant, at_once)
                took, requests, chain = asyncio.run(verified(url, plan, at_once))
                least = delay * max(chain, requests / at_once)
                worst = max(worst, took / least)
                print(  # noqa: T201
                    f"{variant:<10} {at_once:>7} {requests:>9} {chain:>6} {least:>8.2f}"
                    f" {took:>7.2f} {took / least:>6.2f}",
                    flush=True,
                )
    finally:
        here.send(None)
        process.join(5)
        if process.is_alive():
            process.terminate()
    print(f"worst {worst:.2f}, aim {AIM}")  # noqa: T201
    return int(worst > AIM)


if __name__ == "__main__":
    sys.exit(main())
