"""How the live test and the race look: empty, waiting, thinking, answering, done and failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from core.errors import Fault
from core.live.events import Ended, Failed, Headers, Started
from core.live.prompts import READY_PROMPTS
from screens.race import RaceScreen
from tests.screens.pictures import ANSWER, THINKING, words
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
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from core.live.events import Event
    from tests.screens.test_snapshots import Scene, SnapCompare

FORMED = (
    "## Finding\n\n" + ANSWER + "\n\n```python\nfor page in range(1, pages + 1):\n"
    "    rows += fetch(page)\n```\n\n- severity: **high**\n- PONG\n"
)
WHOLE = events(words(THINKING), words(FORMED))


def part(count: int) -> list[Event]:
    """The first events, and an end that is held back."""
    return [*WHOLE[:count], WHOLE[-1]]


def paused(script: list[Event], painted: str) -> Scene:
    """A stream that stands still once ``painted`` is on the screen."""

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        screen = pilot.app.screen
        panes = screen.query(StreamPane)
        await until(pilot, lambda: painted in "".join(pane.painted for pane in panes))
        await until(pilot, lambda: all(pane.settled for pane in panes))
        total = f"total  {script[-2].at - script[0].at:.3f} s"
        panel = screen.query_one(FigurePanel)
        await until(pilot, lambda: total in str(panel.content))
        await pilot.pause()

    asker = ScriptedAsker(events=script, pause=asyncio.Event())
    return Stage(workspace(FILLED, asker=asker), ToLive()), before


def live_waiting() -> Scene:
    return paused(part(2), "")


def live_thinking() -> Scene:
    return paused(part(50), "With pages = 3")


def live_answering() -> Scene:
    return paused(part(len(WHOLE) - 12), "for page in range")


async def ran(pilot: Pilot[int]) -> None:
    await stand(pilot, "LiveScreen")
    await pilot.press("enter")
    app = pilot.app
    assert isinstance(app, Stage)
    await until(pilot, lambda: len(app.on.history) == 1)
    await pilot.pause()


def live_done() -> Scene:
    return Stage(workspace(FILLED, asker=ScriptedAsker(events=WHOLE)), ToLive()), ran


def live_failed() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await ran(pilot)
        await until(pilot, lambda: pilot.app.screen.query_one(FaultBox).has_class("-shown"))

    fault = Fault(
        "upstream",
        "The proxy cannot reach the server behind it.",
        "litellm.InternalServerError: OpenAIException - Connection error.",
        "Whoever runs the proxy looks at its log and at api_base.",
    )
    script: list[Event] = [
        Started(1000.0, connect_s=0.004),
        Headers(1000.2, 500, {}),
        Failed(1000.2, fault, 500),
        Ended(1000.2, complete=False),
    ]
    return Stage(workspace(FILLED, asker=ScriptedAsker(events=script)), ToLive()), before


def live_inspected() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await ran(pilot)
        inspector = pilot.app.screen.query_one(Inspector)
        if not inspector.display:
            await pilot.press("i")
        log = inspector.query_one("Log")
        await until(pilot, lambda: any("data:" in line for line in getattr(log, "lines", ())))
        await pilot.pause()

    env = {"WARDEN_LITELLM_API_KEY": KEY}
    return Stage(workspace(FILLED, asker=ScriptedAsker(events=WHOLE), env=env), ToLive()), before


def live_explained() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await ran(pilot)
        await pilot.press("equals_sign")
        await arrive(pilot, "ExplainFigures")

    return Stage(workspace(FILLED, asker=ScriptedAsker(events=WHOLE)), ToLive()), before


def live_runs() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await ran(pilot)
        await pilot.press("enter")
        app = pilot.app
        assert isinstance(app, Stage)
        await until(pilot, lambda: len(app.on.history) == 2)
        await pilot.press("h")
        await arrive(pilot, "RunsScreen")

    return Stage(workspace(FILLED, asker=ScriptedAsker(events=WHOLE)), ToLive()), before


def race_done() -> Scene:
    quick = events(words(THINKING)[:30], words(ANSWER + " PONG"))
    slow = events(words(THINKING), words(ANSWER + " PONG"), served="qwen3-mini")
    asker = ScriptedAsker(streams={"qwen3-coder": quick, "qwen3-mini": slow})
    on = workspace(FILLED, asker=asker)
    screen = RaceScreen(on, ("litellm/qwen3-coder", "litellm/qwen3-mini"), READY_PROMPTS[0])

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot)
        pilot.app.push_screen(screen)
        await arrive(pilot, "RaceScreen")
        await pilot.press("enter")
        await until(pilot, lambda: len(on.history) == 2)
        await until(pilot, lambda: screen.check_action("back", ()) is True)
        await pilot.pause()

    return Stage(on), before


SCENES: tuple[Callable[[], Scene], ...] = (
    live_waiting,
    live_thinking,
    live_answering,
    live_done,
    live_failed,
    live_inspected,
    live_explained,
    live_runs,
    race_done,
)


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)  # nothing of a folder's own settings is in a picture


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: str(scene.__name__))
def test_screen_looks_as_on_record(
    scene: Callable[[], Scene], size: tuple[int, int], snap_compare: SnapCompare
) -> None:
    app, before = scene()
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [(60, 20), (160, 45)], ids=["60x20", "160x45"])
@pytest.mark.parametrize(
    "scene", [live_done, live_failed, race_done], ids=lambda scene: str(scene.__name__)
)
def test_small_and_large_look_as_on_record(
    scene: Callable[[], Scene], size: tuple[int, int], snap_compare: SnapCompare
) -> None:
    app, before = scene()
    assert snap_compare(app, terminal_size=size, run_before=before)
