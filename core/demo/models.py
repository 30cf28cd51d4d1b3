"""The demo's models as data: what they say of themselves, how fast they are, how they misbehave."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from core.keys.secret import Secret

DEMO_NAME: Final = "demo"
"""The provider name that the demo suggests; selectors read ``demo/demo-plain``."""
DEMO_KEY_ENV: Final = "WARDEN_DEMO_API_KEY"
"""The variable that Warden would read for a provider called ``demo``."""
DEMO_KEY: Final = Secret("sk-demo-turnkey")
"""The only key that the demo accepts. It opens nothing else, and never enters a keyring."""


class Pace(msgspec.Struct, frozen=True):
    """How a model's tokens come, before the jitter that makes them look real."""

    first_token_s: float
    """Seconds from the request to the first token."""
    thinking_per_s: float
    """Tokens per second while thinking."""
    answer_per_s: float
    """Tokens per second of answer text and of tool calls."""


class DemoModel(msgspec.Struct, frozen=True):
    """One model of the demo. ``None`` in a fact is what a server says that does not know it."""

    id: str
    summary: str
    """What it is good for, one sentence; ``/model/info`` carries it as ``description``."""
    pace: Pace
    mode: Literal["chat", "embedding"] = "chat"
    says_mode: bool = True
    """Whether the list names its ``mode``: self-hosted upstreams usually have none."""
    context_window: int | None = 131_072
    max_output_tokens: int | None = 16_384
    input_cost: float | None = 0.0
    """US dollars per token, as LiteLLM writes it; zero is a fact, None is unknown."""
    output_cost: float | None = 0.0
    supports_tools: bool | None = True
    supports_reasoning: bool | None = False
    thinking: Literal["never", "field", "tags"] = "never"
    """Where its thinking goes: nowhere, ``reasoning_content``, or into the answer as tags."""
    tools: Literal["calls", "text"] = "calls"
    """How its tool calls come out: as calls, or as text that looks like one."""


DEMO_MODELS: Final[tuple[DemoModel, ...]] = (
    DemoModel(
        id="demo-plain",
        summary="Quick and well-behaved: the one to start with.",
        pace=Pace(0.15, 80, 80),
    ),
    DemoModel(
        id="demo-thinker",
        summary="Thinks aloud, then answers: shows thinking and answer apart.",
        pace=Pace(0.35, 48, 56),
        max_output_tokens=32_768,
        # invented, so that the price columns have something in them; nothing is ever billed
        input_cost=6e-7,
        output_cost=2.4e-6,
        supports_reasoning=True,
        thinking="field",
    ),
    DemoModel(
        id="demo-slow",
        summary="Silent for four seconds, like a cold model, then streams.",
        pace=Pace(4.0, 32, 32),
        says_mode=False,
        context_window=32_768,
        max_output_tokens=None,
        input_cost=None,
        output_cost=None,
        supports_tools=None,
        supports_reasoning=None,
    ),
    DemoModel(
        id="demo-broken-tools",
        summary="Broken on purpose: writes its tool calls as text, so no tool ever runs.",
        pace=Pace(0.2, 70, 70),
        context_window=65_536,
        max_output_tokens=8_192,
        tools="text",
    ),
    DemoModel(
        id="demo-leaky-think",
        summary="Broken on purpose: its thinking leaks into the answer between <think> tags.",
        pace=Pace(0.2, 60, 60),
        says_mode=False,
        context_window=65_536,
        max_output_tokens=None,
        input_cost=None,
        output_cost=None,
        supports_reasoning=None,
        thinking="tags",
    ),
    DemoModel(
        id="demo-embed",
        summary="Not a chat model: it stands in the list as embedding models do.",
        pace=Pace(0.05, 1, 1),
        mode="embedding",
        context_window=8_192,
        max_output_tokens=None,
        supports_tools=None,
        supports_reasoning=None,
    ),
)
"""In the order in which the endpoint lists them."""


def demo_model(model_id: object) -> DemoModel | None:
    """The model with exactly this id, or None: the demo refuses unknown ids."""
    return next((model for model in DEMO_MODELS if model.id == model_id), None)
