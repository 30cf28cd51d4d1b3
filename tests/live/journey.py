"""The main job at the keyboard: the keys that a person presses, and what they wait to see."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from core.discover.words import FACT_NAMES
from screens.add_provider import AddProviderScreen
from screens.home import HomeScreen
from screens.lanes import LanesScreen
from screens.live import LiveScreen
from screens.models import ModelsScreen
from screens.save import SaveScreen
from tui.widgets.field import Field
from tui.widgets.model_list import ModelList
from tui.widgets.stream_pane import StreamPane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.pilot import Pilot
    from textual.screen import Screen

    from core.live.ping import Run
    from core.workspace import Workspace
    from tui.app import TurnkeyApp

LIMIT_S: Final = 60.0
"""Seconds that anything awaited may take; the machine may be busy with other tests."""
_LOOK_S: Final = 0.02

S = TypeVar("S", bound="Screen[object] | Screen[None] | Screen[bool]")


class Journey:
    """One person at one app."""

    def __init__(self, app: TurnkeyApp, pilot: Pilot[int], secret: str) -> None:
        self.app = app
        self.pilot = pilot
        self._secret = secret

    @property
    def workspace(self) -> Workspace:
        """What is worked on."""
        assert self.app.workspace is not None
        return self.app.workspace

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits until ``holds``, for a bounded time."""
        end = time.monotonic() + LIMIT_S
        while not holds():
            assert time.monotonic() < end, f"{what}; on screen:\n{self.painted()}"
            await self.pilot.pause(_LOOK_S)

    async def on(self, kind: type[S]) -> S:
        """Waits until a screen of that kind is the one in front."""
        await self.until(
            lambda: isinstance(self.app.screen, kind) and self.app.screen.is_mounted,
            f"waiting for {kind.__name__}",
        )
        await self.pilot.pause()
        assert self._secret not in self.painted(), "the key is on screen"
        screen = self.app.screen
        assert isinstance(screen, kind)
        return screen

    async def press(self, *keys: str) -> None:
        """Presses keys, one after the other."""
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Types ``text`` where the cursor is, in place of what stands there."""
        await self.pilot.press("end", "ctrl+u", *text)

    def painted(self) -> str:
        """The characters on screen now, line by line."""
        size = self.app.screen.size
        strips = self.app.screen._compositor.render_strips(size)
        return "\n".join(strip.text.rstrip() for strip in strips)

    async def add_provider(self, url: str, key: str) -> None:
        """From an empty home through the form, up to the models that the endpoint lists."""
        await self.on(HomeScreen)
        await self.press("a")
        form = await self.on(AddProviderScreen)
        await self.until(lambda: form.settled, "looking for the keyring")
        assert form.query_one("#name", Field).value == "litellm"
        await self.press("tab", "tab")
        await self.type(url)
        await self.press("tab")
        await self.type(key)
        await self.press("enter")

    async def pick(self, listed: Sequence[str], wanted: Sequence[str]) -> None:
        """Sees ``listed``, finds each of ``wanted`` by typing a part of it, and uses them."""
        screen = await self.on(ModelsScreen)
        models = screen.query_one(ModelList)
        await self.until(lambda: models.shown == len(listed), f"waiting for {listed}")
        for model_id in wanted:
            await self.press("slash")
            await self.type(model_id)
            await self.until(lambda: models.shown == 1, f"filtering {model_id}")
            await self.press("enter", "space")
            await self.until(partial(_picked, models, model_id), f"picking {model_id}")
            assert models.current is not None
            assert any(name in models.current.facts for name in FACT_NAMES)
            assert "(server" in self.painted()
            await self.press("escape")
            await self.until(lambda: models.shown == len(listed), "clearing the filter")
        assert models.picked == tuple(wanted)
        await self.press("c")

    async def choose_all_lanes(self, selector: str) -> None:
        """The first declared model for all three lanes, written explicitly."""
        await self.on(LanesScreen)
        await self.press("enter")
        await self.until(
            lambda: all(
                self.workspace.lanes().lanes[lane].selector == selector
                for lane in ("agent", "auxiliary", "synthesis")
            ),
            "choosing the lanes",
        )
        assert f"agent      → {selector}" in self.painted()

    async def test_choice(self, selector: str) -> Run:
        """A live test of the highlighted model, watched to its end; then back."""
        await self.press("t")
        screen = await self.on(LiveScreen)
        thinking = screen.query_one("#thinking", StreamPane)
        answer = screen.query_one("#answer", StreamPane)
        await self.press("enter")
        await self.until(
            lambda: bool(thinking.text or answer.text) or selector in self.workspace.tried,
            "waiting for the first token",
        )
        await self.until(lambda: selector in self.workspace.tried, "waiting for the end")
        run = self.workspace.tried[selector]
        await self.pilot.pause()
        assert (thinking.text, answer.text) == (run.reasoning, run.answer)
        assert run.answer in self.painted()
        await self.until(lambda: not screen._busy, "ending the stream")
        await self.press("escape")
        return run

    async def save(self) -> str:
        """Sees the difference, then writes it; returns the difference as shown."""
        await self.press("s")
        await self.on(SaveScreen)
        shown = self.workspace.pending_diff()
        assert not self.workspace.document.exists or self.workspace.unsaved
        assert "+version = 1" in self.painted() or "[defaults" in self.painted()
        await self.press("enter")
        await self.on(HomeScreen)
        assert not self.workspace.unsaved
        return shown


def _picked(models: ModelList, model_id: str) -> bool:
    return model_id in models.picked
