"""Lane trials against real servers: what each is known to do, and nothing else."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from core.demo.serve import start_demo
from core.keys.secret import Secret
from core.verify.pi_shape import PiModel
from tests.core.verify.trials.helpers import setting, verdicts
from tests.live.lab import environment, lab_folder
from tests.live.llama import ALIAS, CONTEXT
from tests.live.proxy import MASTER_KEY, PACKAGES, Proxy, running_proxy, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live.served import Served

pytestmark = pytest.mark.live

MODELS = ("demo-plain", "demo-thinker", "demo-broken-tools", "demo-leaky-think")


async def _at_once(_seconds: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A real LiteLLM before the demo's models, whose tokens fly."""
    with start_demo(sleep=_at_once) as demo:
        entries = [
            {
                "model_name": name,
                "litellm_params": {
                    "model": f"openai/{name}",
                    "api_base": demo.base_url,
                    "api_key": demo.key.reveal(),
                },
            }
            for name in MODELS
        ]
        with (
            environment(lab_folder(os.environ), "litellm", PACKAGES) as programs,
            running_proxy(
                programs, tmp_path_factory.mktemp("lanes"), settings_for(entries), os.environ
            ) as running,
        ):
            yield running


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("demo-plain", {}),
        ("demo-thinker", {}),
        ("demo-broken-tools", {"agent_loop": "written_as_text"}),
        ("demo-leaky-think", {"bare_json": "thinking_leaks", "merge": "thinking_leaks"}),
    ],
)
async def test_through_litellm_each_model_does_what_it_does_alone(
    proxy: Proxy, model: str, expected: dict[str, str]
) -> None:
    asked = setting(
        model,
        pi=PiModel(model, model == "demo-thinker", context_window=30_000, max_tokens=2_048),
        dialect="litellm",
        listed=MODELS,
        runs=2,
    )
    found = await verdicts(proxy.base_url, asked, key=Secret(MASTER_KEY))
    assert {one.probe: one.finding for one in found if one.verdict != "pass"} == expected
    told = {one.probe: one.finding for one in found}
    assert told["canary"] == "refused"


async def test_a_llama_server_is_called_what_it_is(llama: Served) -> None:
    """One model whatever is asked, a small window, and a model that can only say PONG."""
    asked = setting(
        ALIAS,
        pi=PiModel(ALIAS, False, context_window=32_000, max_tokens=512),
        dialect="llamacpp",
        listed=(ALIAS,),
    )
    found = await verdicts(llama.base_url, asked, key=Secret(llama.key))
    told = {one.probe: (one.verdict, one.finding) for one in found}
    assert told["served_model"] == ("pass", "ok")
    assert told["canary"] == ("pass", "one_model")
    assert told["truncation"] == ("fail", "window_smaller")
    assert told["agent_loop"] == ("fail", "context_overflow")
    assert told["bare_json"] == ("fail", "no_json")
    # it has two slots, lets the others wait, and says PONG to everybody: nobody's own answer
    assert told["concurrency"] == ("unsure", "wrong_alone")
    window = next(one for one in found if one.probe == "truncation")
    assert window.detail["window"] == CONTEXT
    assert f"contextWindow = {CONTEXT}" in window.fix


async def test_a_vllm_without_a_tool_parser_is_told_its_switches(vllm: Served) -> None:
    """vLLM refuses tools unless it is started for them, and checks ids."""
    from tests.live.vllm import SERVED as NAME

    asked = setting(
        NAME,
        pi=PiModel(NAME, False, context_window=2_000, max_tokens=256),
        dialect="vllm",
        listed=(NAME,),
    )
    found = await verdicts(vllm.base_url, asked, key=Secret(vllm.key))
    told = {one.probe: (one.verdict, one.finding) for one in found}
    assert told["served_model"] == ("pass", "ok")
    assert told["canary"] == ("pass", "refused")
    assert told["agent_loop"] == ("fail", "refused")
    # all are answered, with the one word that this model can say
    assert told["concurrency"] == ("unsure", "wrong_alone")
    loop = next(one for one in found if one.probe == "agent_loop")
    assert "--enable-auto-tool-choice" in loop.fix
