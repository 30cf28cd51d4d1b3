"""A live test and a race, while they run and once they are over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.errors import Fault
from core.live.events import Ended, Failed, Headers, Started
from core.live.prompts import READY_PROMPTS
from screens.race import RaceScreen
from tests.screens.pictures import ANSWER, THINKING, words
from tests.screens.scenes.first import on
from tests.screens.stage import (
    FILLED,
    KEY,
    ScriptedAsker,
    Stage,
    arrive,
    events,
    stand,
    until,
    workspace,
)
from tui.widgets.fault import FaultBox
from tui.widgets.figure_panel import FigurePanel
from tui.widgets.inspector import Inspector
from tui.widgets.places import ToLive
from tui.widgets.stream_pane import StreamPane

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from core.live.events import Event
    from tests.screens.scenes import Staged

FORMED = (
    "## Finding\n\n" + ANSWER + "\n\n```python\nfor page in range(1, pages + 1):\n"
    "    rows += fetch(page)\n```\n\n- severity: **high**\n- PONG\n"
)
WHOLE = events(words(THINKING), words(FORMED))
UPSTREAM = Fault(
    "upstream",
    "The proxy cannot reach the server behind it.",
    "litellm.InternalServerError: OpenAIException - Connection error.",
    "Whoever runs the proxy looks at its log and at api_base.",
)
BROKEN: list[Event] = [
    Started(1000.0, connect_s=0.004),
    Headers(1000.2, 500, {}),
    Failed(1000.2, UPSTREAM, 500),
    Ended(1000.2, complete=False),
]


def part(count: int) -> list[Event]:
    """The first events, and an end that is held back."""
    return [*WHOLE[:count], WHOLE[-1]]


async def painted(pilot: Pilot[int], text: str) -> None:
    """All that came, ``text`` with it, is on the screen."""
    panes = pilot.app.screen.query(StreamPane)
    await until(pilot, lambda: text in "".join(pane.painted for pane in panes))
    await until(pilot, lambda: all(pane.settled for pane in panes))


def paused(script: list[Event], text: str) -> Staged:
    """A stream that stands still once ``text`` is on the screen."""

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        await painted(pilot, text)
        total = f"total  {script[-2].at - script[0].at:.3f} s"
        panel = pilot.app.screen.query_one(FigurePanel)
        await until(pilot, lambda: total in str(panel.content))

    asker = ScriptedAsker(events=script, pause=asyncio.Event())
    return Stage(workspace(FILLED, asker=asker), ToLive()), before


def live_empty() -> Staged:
    return Stage(workspace(FILLED), ToLive()), on("LiveScreen")


def live_waiting() -> Staged:
    return paused(part(2), "")


def live_thinking() -> Staged:
    return paused(part(50), "With pages = 3")


def live_answering() -> Staged:
    return paused(part(len(WHOLE) - 12), "for page in range")


async def ran(pilot: Pilot[int]) -> None:
    await stand(pilot, "LiveScreen")
    await pilot.press("enter")
    app = pilot.app
    assert isinstance(app, Stage)
    await until(pilot, lambda: len(app.on.history) == 1)


def done() -> Stage:
    return Stage(workspace(FILLED, asker=ScriptedAsker(events=WHOLE)), ToLive())


def live_done() -> Staged:
    return done(), ran


def live_failed() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await ran(pilot)
        await until(pilot, lambda: pilot.app.screen.query_one(FaultBox).has_class("-shown"))

    return Stage(workspace(FILLED, asker=ScriptedAsker(events=BROKEN)), ToLive()), before


def live_inspected() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await ran(pilot)
        inspector = pilot.app.screen.query_one(Inspector)
        if not inspector.display:
            await pilot.press("i")
        log = inspector.query_one("Log")
        await until(pilot, lambda: any("data:" in line for line in getattr(log, "lines", ())))

    env = {"WARDEN_LITELLM_API_KEY": KEY}
    return Stage(workspace(FILLED, asker=ScriptedAsker(events=WHOLE), env=env), ToLive()), before


def live_explained() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await ran(pilot)
        await pilot.press("equals_sign")
        await arrive(pilot, "ExplainFigures")

    return done(), before


def live_runs() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await ran(pilot)
        await pilot.press("enter")
        app = pilot.app
        assert isinstance(app, Stage)
        await until(pilot, lambda: len(app.on.history) == 2)
        await pilot.press("h")
        await arrive(pilot, "RunsScreen")

    return done(), before


# ------------------------------------------------------------------------------------------ race

QUICK = events(words(THINKING)[:30], words(ANSWER + " PONG"))
SLOW = events(words(THINKING), words(ANSWER + " PONG"), served="qwen3-mini")
PAIR = ("litellm/qwen3-coder", "litellm/qwen3-mini")


def race(asker: ScriptedAsker, ends: int | None, text: str = "") -> Staged:
    """A race to its end with so many runs, or (None) to where ``text`` stands in both lanes."""
    here = workspace(FILLED, asker=asker)
    screen = RaceScreen(here, PAIR, READY_PROMPTS[0])

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot)
        pilot.app.push_screen(screen)
        await arrive(pilot, "RaceScreen")
        if ends is None and not text:
            return
        await pilot.press("enter")
        if ends is None:
            await painted(pilot, text)
            names = [lane.query_one(".-name") for lane in screen.lanes]
            await until(pilot, lambda: all("answering" in str(one.render()) for one in names))
        else:
            await until(pilot, lambda: len(here.history) == ends)
            await until(pilot, lambda: screen.check_action("back", ()) is True)

    return Stage(here), before


def race_empty() -> Staged:
    return race(ScriptedAsker(), None)


def race_running() -> Staged:
    streams = {
        "qwen3-coder": [*QUICK[:60], QUICK[-1]],
        "qwen3-mini": [*SLOW[: len(words(THINKING)) + 12], SLOW[-1]],
    }
    return race(ScriptedAsker(streams=streams, pause=asyncio.Event()), None, "The loop ends")


def race_done() -> Staged:
    return race(ScriptedAsker(streams={"qwen3-coder": QUICK, "qwen3-mini": SLOW}), 2)


def race_failed() -> Staged:
    """One of them failed."""
    return race(ScriptedAsker(streams={"qwen3-coder": QUICK, "qwen3-mini": BROKEN}), 2)
