"""The main job through the screens on the demo provider, as ``turnkey --demo`` opens them."""

from __future__ import annotations

import tomllib
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from core.demo.models import DEMO_KEY, DEMO_MODELS
from screens.add_provider import AddProviderScreen
from screens.home import HomeScreen
from tests.live.journey import Journey
from tui.app import TurnkeyApp
from tui.launch import open_demo
from tui.widgets.field import Field

if TYPE_CHECKING:
    import pytest

    from core.workspace import Workspace

LISTED: Final = tuple(model.id for model in DEMO_MODELS)


async def test_a_newcomer_without_a_server_goes_all_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-of-the-user")
    opened: list[Workspace] = []
    with ExitStack() as stack:

        def opener() -> Workspace:
            opened.append(open_demo(stack))
            return opened[-1]

        app = TurnkeyApp(opener)
        async with app.run_test(size=(120, 40)) as pilot:
            person = Journey(app, pilot, DEMO_KEY.reveal())
            await person.on(HomeScreen)
            assert "DEMO" in person.painted()
            await person.press("a")
            form = await person.on(AddProviderScreen)
            await person.until(lambda: form.settled, "looking for the keyring")
            assert form.query_one("#name", Field).value == "demo"
            await person.press("ctrl+o")
            await person.pick(LISTED, ("demo-plain", "demo-thinker"))
            await person.choose_all_lanes("demo/demo-plain")
            run = await person.test_choice("demo/demo-plain")
            assert (run.works, run.answer) == (True, "PONG")
            await person.save()
        (workspace,) = opened
        assert workspace.demo is not None
        assert "ANTHROPIC_API_KEY" not in workspace.env
        path = workspace.document.path
        written = tomllib.loads(path.read_text(encoding="utf-8"))
        assert written["defaults"]["agent"] == {"model": "demo/demo-plain"}
        assert written["defaults"]["providers"]["demo"] == {
            "baseUrl": workspace.demo.base_url,
            "models": [
                {"id": "demo-plain", "contextWindow": 131_072, "maxTokens": 16_384},
                {
                    "id": "demo-thinker",
                    "reasoning": True,
                    "contextWindow": 131_072,
                    "maxTokens": 32_768,
                    "cost": {"input": 0.6, "output": 2.4, "cacheRead": 0, "cacheWrite": 0},
                },
            ],
        }
    assert not path.parent.exists()
