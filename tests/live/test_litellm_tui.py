"""The main job through the screens, against a real LiteLLM proxy."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

import pytest

from core.keys.vault import open_vault
from core.workspace import open_workspace
from tests.core.keys.fakes import Works
from tests.live.cli import empty_repository
from tests.live.journey import Journey
from tests.live.proxy import MASTER_KEY
from tui.app import TurnkeyApp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.proxy import Proxy

pytestmark = pytest.mark.live

LISTED: Final = ("mock-openai", "mock-own", "mock-off-topic", "demo-thinker")


async def test_an_empty_folder_becomes_a_tested_warden_toml(litellm: Proxy, tmp_path: Path) -> None:
    repository, drawer = empty_repository(tmp_path), Works()
    user = f"WARDEN_LITELLM_API_KEY@{litellm.origin}"
    app = TurnkeyApp(
        lambda: open_workspace(
            repository.file, env={}, vault=open_vault(tmp_path / "state", env={}, backend=drawer)
        )
    )
    async with app.run_test(size=(120, 40)) as pilot:
        person = Journey(app, pilot, MASTER_KEY)
        await person.add_provider(litellm.authority, MASTER_KEY)
        await person.pick(LISTED, ("mock-openai", "demo-thinker"))
        await person.choose_all_lanes("litellm/mock-openai")

        run = await person.test_choice("litellm/mock-openai")
        assert run.answer == "PONG from mock"
        assert (run.reachable, run.authorised, run.works) == (True, True, True)

        await person.press("down")
        run = await person.test_choice("litellm/demo-thinker")
        assert run.answer == "PONG"
        assert len(run.reasoning.split()) > 10
        assert run.figures.thinking_tokens is not None
        assert run.figures.thinking_tokens > 10
        assert run.figures.first_token_s is not None
        assert run.figures.first_answer_s is not None
        assert run.figures.first_token_s < run.figures.first_answer_s

        assert not repository.file.exists()
        assert ("turnkey", user) not in drawer.kept
        difference = await person.save()

    written = repository.file.read_text(encoding="utf-8")
    assert tomllib.loads(written) == {
        "version": 1,
        "defaults": {
            "agent": {"model": "litellm/mock-openai"},
            "auxiliary": {"model": "litellm/mock-openai"},
            "synthesis": {"model": "litellm/mock-openai"},
            "providers": {
                "litellm": {
                    "baseUrl": litellm.base_url,
                    "models": [
                        {
                            "id": "mock-openai",
                            "input": ["text", "image"],
                            "contextWindow": 128_000,
                            "maxTokens": 16_384,
                            "cost": {
                                "input": 0.15,
                                "output": 0.6,
                                "cacheRead": 0.075,
                                "cacheWrite": 0,
                            },
                        },
                        {
                            "id": "demo-thinker",
                            "reasoning": True,
                            "contextWindow": 131_072,
                            "maxTokens": 32_768,
                        },
                    ],
                }
            },
        },
    }
    assert [line[1:] for line in difference.splitlines()[3:]] == written.splitlines()
    assert drawer.kept == {("turnkey", user): MASTER_KEY}
    assert sorted(path.name for path in repository.folder.iterdir()) == [".git", "warden.toml"]


async def test_a_wrong_key_is_told_on_the_form_and_nothing_is_lost(
    litellm: Proxy, tmp_path: Path
) -> None:
    repository = empty_repository(tmp_path)
    app = TurnkeyApp(
        lambda: open_workspace(
            repository.file, env={}, vault=open_vault(tmp_path / "state", env={}, find=None)
        )
    )
    async with app.run_test(size=(100, 30)) as pilot:
        person = Journey(app, pilot, MASTER_KEY)
        await person.add_provider(litellm.authority, "sk-this-is-not-the-key")
        await person.until(lambda: "does not know this key" in person.painted(), "the refusal")
        await person.type(MASTER_KEY)
        await person.press("enter")
        await person.pick(LISTED, ("mock-own",))
        await person.choose_all_lanes("litellm/mock-own")
    assert not repository.file.exists()
