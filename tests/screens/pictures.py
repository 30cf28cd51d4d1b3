"""Draws the README's pictures from the app itself: ``python -m tests.screens.pictures``."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.widgets import Static

from core.asker import NetworkAsker
from core.demo.serve import start_demo
from core.errors import Fault
from screens.live import LiveScreen
from tests.screens.stage import (
    FILLED,
    ScriptedAsker,
    Stage,
    arrive,
    discovery,
    draft,
    events,
    model,
    report,
    stand,
    until,
    workspace,
)
from tui.widgets.places import ToLanes, ToLive, ToModels

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    from core.demo.serve import Demo
    from core.workspace import Workspace

    Steps = Callable[[Pilot[int]], Awaitable[None]]

FOLDER: Final = Path(__file__).parents[2] / "assets"
SIZE: Final = (100, 26)
THINKING: Final = (
    "The change turns range(1, pages + 1) into range(1, pages). With pages = 3 the old loop "
    "fetched 1, 2 and 3; the new one stops after 2. So the last page is lost, in silence, "
    "because nothing checks how many rows came back. Is it meant? The name of the function "
    "says all pages, and no other line fetches the rest. It is a bug; two sentences will do."
)
ANSWER: Final = (
    "The loop ends one page early: `range(1, pages)` leaves out the last page, which the old "
    "line fetched. Use `range(1, pages + 1)`, and add a test whose last page is not full; it "
    "would have caught this."
)
LISTED: Final = (
    model(
        "qwen3-coder-30b",
        context_window=262144,
        max_output_tokens=32768,
        reasoning=True,
        tools=True,
        image_input=False,
        input_cost=0.0,
        output_cost=0.0,
    ),
    model("qwen3-vl-32b", context_window=131072, tools=True, image_input=True),
    model("gpt-oss-120b", context_window=131072, max_output_tokens=16384, reasoning=True),
    model("mistral-small", context_window=32768, tools=True, image_input=False),
    model("text-embedding-qwen", kind="embedding"),
)
AGENT_ONLY: Final = FILLED.replace('[defaults.auxiliary]\nmodel = "litellm/qwen3-mini"\n\n', "")
DOWN: Final = Fault(
    "upstream",
    "The proxy cannot reach the server behind it.",
    "litellm.InternalServerError: OpenAIException - Connection error.",
    "Whoever runs the proxy looks at its log and at api_base.",
)
REVIEW: Final = 3
"""How far down the review stands in the list of prompts."""


def without_fonts(svg: str) -> str:
    """The picture without its font faces, which would be asked of a host outside."""
    return re.sub(r"@font-face\s*\{.*?\}\s*", "", svg, flags=re.DOTALL)


def long_run() -> ScriptedAsker:
    """A thinker's healthy stream."""
    return ScriptedAsker(events=events(words(THINKING), words(ANSWER)))


def words(text: str) -> tuple[str, ...]:
    """The text as a server streams it, a word a piece."""
    return tuple(str(piece) for piece in re.findall(r"\s*\S+", text))


async def inherit(pilot: Pilot[int]) -> None:
    """The cursor on «inherit»: what the lane would be then."""
    await pilot.press("end")
    await pilot.pause()


async def run_it(pilot: Pilot[int]) -> None:
    """One live test of the review, to its end."""
    screen = pilot.app.screen
    assert isinstance(screen, LiveScreen)
    await pilot.press("p")
    await arrive(pilot, "AskPick")
    await pilot.press(*["down"] * REVIEW, "enter")
    await arrive(pilot, "LiveScreen")
    await pilot.press("enter")
    await until(pilot, lambda: bool(screen.workspace.tried))


async def home_after_run(pilot: Pilot[int]) -> None:
    """Home, once the agent's model was seen to work."""
    await pilot.press("t")
    await arrive(pilot, "LiveScreen")
    await run_it(pilot)
    live = pilot.app.screen
    await until(pilot, lambda: live.check_action("back", ()) is True)
    await pilot.press("escape")
    await arrive(pilot, "HomeScreen")


async def pick(pilot: Pilot[int]) -> None:
    """One model picked, the cursor on the next."""
    await pilot.press("space", "down")


async def to_save(pilot: Pilot[int]) -> None:
    """Pick, choose for all lanes, and look at the difference."""
    await pilot.press("space", "c")
    await arrive(pilot, "LanesScreen")
    await pilot.press("enter")
    await pilot.pause()
    await pilot.press("s")
    await arrive(pilot, "SaveScreen")


async def to_doctor(pilot: Pilot[int]) -> None:
    """The doctor on the agent's model, to the rung that breaks."""
    await pilot.press("x")
    await arrive(pilot, "DoctorScreen")
    doctor = pilot.app.screen
    await until(pilot, lambda: doctor.check_action("back", ()) is True)


def on_demo(demo: Demo) -> Workspace:
    """Three lanes on the demo provider, one of them on a model that fails it."""
    lanes = {"agent": "plain", "auxiliary": "leaky-think", "synthesis": "plain"}
    text = "version = 1\n" + "".join(
        f'[defaults.{lane}]\nmodel = "demo/demo-{model}"\n' for lane, model in lanes.items()
    )
    text += f'[defaults.providers.demo]\nbaseUrl = "{demo.base_url}"\n'
    for name in ("plain", "leaky-think"):
        text += f'[[defaults.providers.demo.models]]\nid = "demo-{name}"\n'
    found = workspace(text, env={"WARDEN_DEMO_API_KEY": demo.key.reveal()})
    found.asker = NetworkAsker()
    return found


async def verified(pilot: Pilot[int]) -> None:
    """A real verification, to its end; the cursor goes to what failed."""
    await pilot.press("v")
    await arrive(pilot, "VerifyScreen")
    await pilot.press("v")
    state = pilot.app.screen.query_one("#state", Static)
    await until(pilot, lambda: "Not verified" in str(state.render()), seconds=180)


async def draw(name: str, app: Stage, screen: str, steps: Steps) -> None:
    """Play the steps and write the picture."""
    async with app.run_test(size=SIZE) as pilot:
        await stand(pilot, screen)
        await steps(pilot)
        await pilot.app.workers.wait_for_complete(
            [worker for worker in pilot.app.workers if worker.group in {"keys", "place"}]
        )
        await pilot.pause()
        svg = without_fonts(app.export_screenshot(title="turnkey", simplify=True))
    (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")


async def main() -> None:
    """Draw them all."""
    await draw("home", Stage(workspace(FILLED, asker=long_run())), "HomeScreen", home_after_run)
    listed = draft(discovery(LISTED))
    await draw("models", Stage(workspace(), ToModels(draft=listed)), "ModelsScreen", pick)
    stock = workspace(AGENT_ONLY, env={"ANTHROPIC_API_KEY": "x"})
    stock.variant = "stock"
    await draw("lanes", Stage(stock, ToLanes("auxiliary")), "LanesScreen", inherit)
    live = workspace(FILLED, asker=long_run())
    await draw("live", Stage(live, ToLive()), "LiveScreen", run_it)
    down = ScriptedAsker(report=report("chat", DOWN))
    await draw("doctor", Stage(workspace(FILLED, asker=down)), "HomeScreen", to_doctor)
    with start_demo() as demo:
        await draw("verify", Stage(on_demo(demo)), "HomeScreen", verified)
    await draw("save", Stage(workspace(), ToModels(draft=listed)), "ModelsScreen", to_save)


if __name__ == "__main__":
    asyncio.run(main())
