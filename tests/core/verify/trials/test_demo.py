"""The real demo server: its good models pass every trial, each broken one fails for its reason."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from core.demo.serve import DemoServer
from core.verify.pi_shape import PiModel
from tests.core.verify.trials.helpers import every_name, setting, verdicts

if TYPE_CHECKING:
    from core.warden.config import Variant


async def _at_once(_seconds: float) -> None:
    """Tokens fly."""
    await asyncio.sleep(0)


@pytest.mark.parametrize("variant", ["providers", "stock"])
@pytest.mark.parametrize(
    ("model", "reasoning"), [("demo-plain", False), ("demo-thinker", True), ("demo-slow", False)]
)
async def test_a_good_model_passes_every_trial(
    model: str, reasoning: bool, variant: Variant
) -> None:
    asked = setting(
        model,
        variant=variant,
        runs=2,
        pi=PiModel(model, reasoning, context_window=30_000, max_tokens=2_048),
        listed=("demo-plain", "demo-thinker"),
    )
    async with DemoServer(sleep=_at_once) as demo:
        found = await verdicts(demo.base_url, asked, key=demo.key, names=every_name())
    assert {one.probe for one in found} == set(every_name())
    assert [(one.probe, one.evidence.text) for one in found if one.verdict != "pass"] == []


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("demo-broken-tools", {"agent_loop": "written_as_text"}),
        ("demo-leaky-think", {"bare_json": "thinking_leaks", "merge": "thinking_leaks"}),
    ],
)
async def test_a_broken_model_fails_for_its_own_reason(
    model: str, expected: dict[str, str]
) -> None:
    asked = setting(model, pi=PiModel(model, context_window=30_000), listed=("a", "b"), runs=2)
    async with DemoServer(sleep=_at_once) as demo:
        found = await verdicts(demo.base_url, asked, key=demo.key)
    assert {one.probe: one.finding for one in found if one.verdict != "pass"} == expected


async def test_the_demo_refuses_an_id_that_cannot_exist() -> None:
    asked = setting("demo-plain")
    async with DemoServer(sleep=_at_once) as demo:
        found = await verdicts(demo.base_url, asked, key=demo.key, names=["canary"])
    assert [(one.verdict, one.finding) for one in found] == [("pass", "refused")]


async def test_an_embedding_model_is_no_model_for_a_lane() -> None:
    asked = setting("demo-embed")
    async with DemoServer(sleep=_at_once) as demo:
        found = await verdicts(demo.base_url, asked, key=demo.key, names=["agent_loop"])
    assert {one.finding for one in found} == {"refused"}
    assert "does not support chat" in found[0].evidence.text


async def test_no_key_stands_in_any_verdict() -> None:
    asked = setting("demo-plain", runs=1)
    async with DemoServer(sleep=_at_once) as demo:
        found = await verdicts(demo.base_url, asked, key=demo.key)
        key = demo.key.reveal()
    assert key not in repr(found)
