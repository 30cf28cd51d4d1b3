"""The compatibility probes against real servers: each verdict what that server is known to do.

llama.cpp b11434, vLLM 0.32.0 (started without a parser for tool calls) and LiteLLM 1.106.2 before
them, before the demo, and with entries that answer by themselves under the names of known models.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest

from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.verify.bench import Bench
from core.verify.compat import Compat
from core.verify.exchange import HttpLine
from core.verify.learned import learned_compat, learned_model
from core.verify.pi_shape import Message, PiModel, System, User, shape
from core.verify.probe import run_probe
from core.verify.registry import compat_probes
from core.verify.verdict import Subject, Verdict
from core.wire.bounds import Bounds
from core.wire.client import open_client
from tests.live import llama as llama_lab
from tests.live import vllm as vllm_lab
from tests.live.lab import environment, lab_folder
from tests.live.proxy import MASTER_KEY, PACKAGES, running_proxy, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.verify.compat import Variant
    from tests.live.proxy import Proxy, Upstream
    from tests.live.served import Served

pytestmark = pytest.mark.live

BOUNDS: Final = Bounds(connect_s=5, first_byte_s=60, silence_s=30)
KNOWN: Final = {
    # taken by all of them as Pi sends it
    "stream": ("pass", "honoured"),
    "parts": ("pass", "honoured"),
    "finish": ("pass", "honoured"),
    "usage": ("pass", "honoured"),
    "store": ("pass", "ignored"),
    "reasoning-content": ("pass", "not_needed"),
    "prompt-cache-key": ("unsure", "ignored"),
    "cache-retention": ("unsure", "ignored"),
    "priority": ("unsure", "ignored"),
}
TINY: Final = {
    **KNOWN,
    # a model of a million weights, which answers one sentence whatever it is told
    "developer": ("pass", "counted"),
    "late-system": ("unsure", "not_followed"),
    "token-cap": ("unsure", "unproven"),
    "thinking": ("pass", "honoured"),
    "thinking-replay": ("pass", "honoured"),
    "reasoning-effort": ("pass", "honoured"),
    "thinking-format": ("pass", "honoured"),
    "image": ("pass", "refused"),
}
LLAMA: Final = {
    **TINY,
    "tools": ("unsure", "no_call"),
    "grammar-tools": ("fail", "refused"),
    "late-tools": ("fail", "refused"),
    "tool-result-name": ("pass", "not_needed"),
    "null-content": ("pass", "not_needed"),
    "user-after-tool": ("pass", "not_needed"),
    "tool-history": ("pass", "not_needed"),
    # any word for effort goes to the template; only none is known
    "levels": ("unsure", "any_word"),
    "cache-control": ("unsure", "unclear"),
}
VLLM: Final = {
    **TINY,
    "tools": ("fail", "refused"),
    "strict": ("unsure", "not_asked"),
    "grammar-tools": ("fail", "refused"),
    "tool-result-name": ("unsure", "both_refused"),
    "null-content": ("unsure", "both_refused"),
    "user-after-tool": ("unsure", "both_refused"),
    # an empty list of tools is refused since 0.20
    "tool-history": ("unsure", "empty_refused"),
    "levels": ("pass", "all"),
    "thinking-budget": ("pass", "honoured"),
    # a text where a number belongs is refused by the field's name
    "priority": ("pass", "accepted"),
}
MOCK: Final = {
    # LiteLLM's own canned answer: nothing is obeyed, and no limit holds
    **KNOWN,
    "developer": ("pass", "counted"),
    "token-cap": ("unsure", "unproven"),
    "tools": ("unsure", "no_call"),
    "thinking-replay": ("unsure", "no_thinking"),
    "thinking": ("unsure", "none"),
    "thinking-format": ("unsure", "no_thinking"),
    "tool-history": ("pass", "not_needed"),
}
CLAUDE: Final = {
    **MOCK,
    "store": ("fail", "refused"),
    "prompt-cache-key": ("fail", "refused"),
    "reasoning-effort": ("pass", "honoured"),
    "levels": ("pass", "all"),
}
MINI: Final = {
    **MOCK,
    "reasoning-effort": ("fail", "refused"),
    "levels": ("fail", "refused"),
}
DEMO: Final = {
    **KNOWN,
    "tools": ("pass", "honoured"),
    "strict": ("pass", "accepted"),
    "developer": ("pass", "honoured"),
    "late-system": ("pass", "honoured"),
    "token-cap": ("pass", "honoured"),
    "tool-result-name": ("pass", "not_needed"),
    "null-content": ("pass", "not_needed"),
    "user-after-tool": ("pass", "not_needed"),
    "tool-history": ("pass", "not_needed"),
    "thinking": ("pass", "none"),
    "image": ("pass", "refused"),
}


@pytest.fixture(scope="module")
def proxy(
    tmp_path_factory: pytest.TempPathFactory, llama: Served, demo: Upstream
) -> Iterator[Proxy]:
    """A LiteLLM whose entries differ in what stands behind them, and so in what they refuse."""

    def entry(name: str, model: str, **more: str) -> dict[str, object]:
        return {"model_name": name, "litellm_params": {"model": model, "api_key": "none", **more}}

    entries = [
        entry("claude", "anthropic/claude-sonnet-4-5", mock_response="PONG from mock"),
        entry("mini", "openai/gpt-4o-mini", mock_response="PONG from mock"),
        entry("own", f"openai/{llama_lab.ALIAS}", api_base=llama.base_url, api_key=llama.key),
        entry("demo-plain", "openai/demo-plain", api_base=demo.base_url, api_key=demo.key),
    ]
    with environment(lab_folder(os.environ), "litellm", PACKAGES) as programs:
        folder = tmp_path_factory.mktemp("litellm-probes")
        with running_proxy(programs, folder, settings_for(entries), os.environ) as running:
            yield running


async def all_verdicts(url: str, key: str, subject: Subject) -> dict[str, Verdict]:
    """Every probe's verdict by name."""
    base, secret = read_base_url(url), Secret(key)
    async with open_client(base, BOUNDS, key=secret) as client:
        line = HttpLine(client, base, BOUNDS, secret)
        bench = Bench(line, subject)
        verdicts = {
            probe.name: await run_probe(probe, subject, line, bench=bench)
            for probe in compat_probes(optional=True)
        }
    assert not [one for one in verdicts.values() if key in str(one)]
    return verdicts


def differing(
    verdicts: dict[str, Verdict], known: dict[str, tuple[str, str]]
) -> dict[str, tuple[str, str, str]]:
    """Where a verdict is another than the known one, with its evidence."""
    found = {name: verdicts[name] for name in known}
    return {
        name: (one.verdict, one.finding, one.evidence.text)
        for name, one in found.items()
        if (one.verdict, one.finding) != known[name]
    }


def subject_for(
    model: str, window: int, variant: Variant = "providers", *, reasoning: bool = True
) -> Subject:
    facts = PiModel(model, reasoning=reasoning, context_window=window, max_tokens=512)
    return Subject("lab", model, variant=variant, facts=facts)


async def test_llama_cpp_is_found_to_do_what_it_does(llama: Served) -> None:
    subject = subject_for(llama_lab.ALIAS, llama_lab.CONTEXT)
    verdicts = await all_verdicts(llama.base_url, llama.key, subject)
    assert differing(verdicts, LLAMA) == {}
    assert verdicts["thinking"].detail["field"] == "reasoning_content"
    assert learned_model(verdicts.values(), subject).thinking_level_map == {"off": "none"}


async def test_vllm_is_found_to_do_what_it_does(vllm: Served) -> None:
    subject = subject_for(vllm_lab.SERVED, vllm_lab.CONTEXT)
    verdicts = await all_verdicts(vllm.base_url, vllm.key, subject)
    assert differing(verdicts, VLLM) == {}
    assert verdicts["thinking"].detail["field"] == "reasoning"
    assert "--tool-call-parser" in verdicts["tools"].evidence.text
    assert verdicts["thinking-budget"].learned == {
        "thinkingTokenBudgetField": "thinking_token_budget"
    }


@pytest.mark.parametrize(
    ("model", "known", "reasoning"),
    [
        ("claude", CLAUDE, True),
        ("mini", MINI, True),
        ("own", LLAMA, True),
        ("demo-plain", DEMO, False),
    ],
)
async def test_one_proxy_has_another_answer_for_each_model(
    proxy: Proxy, model: str, known: dict[str, tuple[str, str]], reasoning: bool
) -> None:
    window = llama_lab.CONTEXT if model == "own" else 128_000
    subject = subject_for(model, window, reasoning=reasoning)
    verdicts = await all_verdicts(proxy.base_url, MASTER_KEY, subject)
    assert differing(verdicts, known) == {}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude", Compat(supports_store=False)),
        ("mini", Compat(supports_reasoning_effort=False)),
        ("own", Compat()),
    ],
)
async def test_a_model_that_refuses_pis_defaults_takes_the_learned_ones(
    proxy: Proxy, model: str, expected: Compat
) -> None:
    """And the defaults are refused; so each flag that differs was needed."""
    subject = subject_for(model, llama_lab.CONTEXT if model == "own" else 128_000, "stock")
    base, secret = read_base_url(proxy.base_url), Secret(MASTER_KEY)
    async with open_client(base, BOUNDS, key=secret) as client:
        line = HttpLine(client, base, BOUNDS, secret)
        bench = Bench(line, subject)
        verdicts = [await run_probe(one, subject, line, bench=bench) for one in compat_probes()]
        learned = learned_compat(verdicts, subject)
        assert learned.written() == expected.written()
        assert not [one.probe for one in verdicts if one.verdict == "fail"]
        for written, taken in ((learned, True), (Compat(), learned == Compat())):
            talk: list[Message] = [System("Be brief."), User("Say PONG.")]
            body = shape("stock", subject.described, written, talk, max_tokens=256)
            answered = await line.send(body)
            assert answered.ok is taken, answered.fault
