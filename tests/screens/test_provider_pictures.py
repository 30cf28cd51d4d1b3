"""How the way from an address to its models looks while it is gone, and when it fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from core.discover.discover import Found
from core.discover.facts import Fact
from core.errors import Fault
from tests.screens.stage import (
    FILLED,
    KEY,
    MODELS,
    ScriptedAsker,
    Stage,
    discovery,
    draft,
    stand,
    until,
    workspace,
)
from tests.screens.test_snapshots import REFUSED, wait_for_place
from tui.widgets.fault import FaultBox
from tui.widgets.model_list import ModelList
from tui.widgets.places import ToAddProvider, ToModels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from textual.pilot import Pilot

    from core.discover.facts import Discovery
    from core.keys.secret import Secret
    from core.providers.base_url import BaseUrl
    from tests.screens.test_snapshots import Scene, SnapCompare


class Silent(ScriptedAsker):
    """An endpoint that never answers, and a machine that is never looked over."""

    async def discover(
        self, url: str | BaseUrl, key: Secret | None, headers: Mapping[str, Secret | str]
    ) -> Discovery:
        await super().discover(url, key, headers)
        await asyncio.Event().wait()
        raise AssertionError

    async def find(self) -> tuple[Found, ...]:
        await asyncio.Event().wait()
        raise AssertionError


def add_loading() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "AddProviderScreen")
        await pilot.press("tab", "tab", "tab", *KEY, "ctrl+o")
        await until(pilot, lambda: bool(asker.asked))
        await pilot.pause()

    asker = Silent()
    return Stage(workspace(asker=asker), ToAddProvider()), before


def add_filled() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "AddProviderScreen")
        await wait_for_place(pilot)
        await pilot.press("ctrl+f", "down", "enter")
        await wait_for_place(pilot)

    servers = (
        Found("http://127.0.0.1:4000/v1", "litellm", "LiteLLM proxy", None, wants_key=True),
        Found("http://127.0.0.1:30000/v1", "sglang", "SGLang", "0.5.23", wants_key=False),
    )
    return Stage(workspace(asker=ScriptedAsker(servers=servers)), ToAddProvider()), before


def models_loading() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ModelsScreen")
        await until(pilot, lambda: bool(asker.asked))
        await pilot.pause()

    asker = Silent()
    on = workspace(FILLED, asker=asker)
    return Stage(on, ToModels(name="litellm")), before


def models_failed() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ModelsScreen")
        await until(pilot, lambda: pilot.app.screen.query_one(FaultBox).has_class("-shown"))
        await until(pilot, lambda: pilot.app.screen.query_one(ModelList).shown > 0)
        await pilot.pause()

    on = workspace(FILLED, asker=ScriptedAsker(discovery((), REFUSED)))
    return Stage(on, ToModels(name="litellm")), before


def models_warned() -> Scene:
    """More warnings than lines for them, and a model with facts of every source."""

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ModelsScreen")
        await pilot.pause()

    told = {
        "context_window": Fact(4096, "server", "the smallest of 2 deployments"),
        "context_ceiling": Fact(131_072, "server"),
        "reasoning": Fact(True, "pattern", "judged by its name"),
        "input_cost": Fact(0.25, "catalogue"),
        "upstream": Fact("hosted_vllm/qwen3, openai/x", "server", "2 deployments behind one name"),
    }
    mixed = msgspec.structs.replace(MODELS[0], facts=told)
    warnings = tuple(
        Fault("model_unknown", f"The entry «p{n}/*» serves any name under it.") for n in range(6)
    )
    found = msgspec.structs.replace(discovery((mixed, *MODELS[1:])), warnings=warnings)
    return Stage(workspace(), ToModels(draft=draft(found))), before


SCENES: tuple[Callable[[], Scene], ...] = (
    add_loading,
    add_filled,
    models_loading,
    models_failed,
    models_warned,
)


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: str(scene.__name__))
def test_screen_looks_as_on_record(
    scene: Callable[[], Scene], size: tuple[int, int], snap_compare: SnapCompare
) -> None:
    app, before = scene()
    assert snap_compare(app, terminal_size=size, run_before=before)
