"""Pi's compat flags for chat completions: their names, types, and what Pi picks unasked.

A flag that is unset is left to Pi, which looks at the provider's id and at the base URL
(earendil-works/pi ``pi-ai`` 1.5.2 ``api/openai-completions`` ``detectCompat``; 0.78.0 keeps it in
``providers/openai-completions``). The names are Pi's own, since they go into ``models.json``: Pi
ignores a misspelt one, and drops the whole file over a wrong type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

ThinkingFormat = Literal[
    "openai",
    "openrouter",
    "deepseek",
    "together",
    "baseten",
    "zai",
    "qwen",
    "chat-template",
    "qwen-chat-template",
    "string-thinking",
    "ant-ling",
]
"""The shapes in which Pi 1.5.2 says how much a model shall think."""

OLD_FORMATS: Final = frozenset(
    {"openai", "openrouter", "deepseek", "together", "zai", "qwen", "qwen-chat-template"}
)
"""Those that the schema of 0.78.0 knows."""

BudgetField = Literal["thinking_token_budget", "thinking_budget", "thinking_budget_tokens"]
CapField = Literal["max_completion_tokens", "max_tokens"]
Level = Literal["off", "minimal", "low", "medium", "high", "xhigh", "max"]
"""Pi's thinking levels, least first."""

LEVELS: Final[tuple[Level, ...]] = ("off", "minimal", "low", "medium", "high", "xhigh", "max")

Variant = Literal["providers", "stock"]
"""Whose Pi: ``providers`` is 0.78.0 without any compat, ``stock`` 1.5.2 with what is exported."""


def _pi_name(name: str) -> str:
    first, *rest = name.split("_")
    written = "".join([first, *(word.capitalize() for word in rest)])
    return written.replace("Openai", "OpenAI")


class Compat(msgspec.Struct, frozen=True, omit_defaults=True, rename=_pi_name):
    """``compat`` of one model; None leaves a flag to Pi. In JSON the names are Pi's own."""

    supports_store: bool | None = None
    supports_developer_role: bool | None = None
    supports_reasoning_effort: bool | None = None
    supports_usage_in_streaming: bool | None = None
    supports_finish_reason: bool | None = None
    max_tokens_field: CapField | None = None
    requires_tool_result_name: bool | None = None
    requires_assistant_after_tool_result: bool | None = None
    requires_non_null_assistant_content: bool | None = None
    requires_tools_with_tool_history: bool | None = None
    requires_thinking_as_text: bool | None = None
    requires_reasoning_content_on_assistant_messages: bool | None = None
    thinking_format: ThinkingFormat | None = None
    chat_template_kwargs: dict[str, object] | None = None
    chat_template_args: dict[str, object] | None = None
    thinking_token_budget_field: BudgetField | None = None
    supports_strict_mode: bool | None = None
    supports_openai_grammar_tools: bool | None = None
    prompt_cache_key_mode: Literal["auto", "enabled", "disabled"] | None = None
    supports_long_cache_retention: bool | None = None
    cache_control_format: Literal["anthropic"] | None = None
    supports_mid_convo_system_messages: bool | None = None
    supports_mid_convo_tool_additions: bool | None = None
    send_session_affinity_headers: bool | None = None
    session_affinity_format: Literal["openai", "openai-nosession", "openrouter"] | None = None
    vllm_priority: int | None = None
    zai_tool_stream: bool | None = None

    def over(self, below: Compat) -> Compat:
        """These flags, and ``below``'s where they are unset: field by field, as Pi merges them."""
        mine: dict[str, object] = msgspec.structs.asdict(self)
        kept = {name: value for name, value in mine.items() if value is not None}
        return msgspec.structs.replace(below, **kept)

    def written(self) -> dict[str, object]:
        """The set flags under Pi's names, in a fixed order, as ``models.json`` takes them."""
        flags: object = msgspec.to_builtins(self)
        return flags if isinstance(flags, dict) else {}


def flag_names() -> tuple[str, ...]:
    """Every flag's name, as Pi spells it."""
    return tuple(_pi_name(name) for name in Compat.__struct_fields__)


_STANDARD: Final = Compat(
    supports_store=True,
    supports_developer_role=True,
    supports_reasoning_effort=True,
    supports_usage_in_streaming=True,
    supports_finish_reason=True,
    max_tokens_field="max_completion_tokens",
    requires_tool_result_name=False,
    requires_assistant_after_tool_result=False,
    requires_non_null_assistant_content=False,
    requires_tools_with_tool_history=False,
    requires_thinking_as_text=False,
    requires_reasoning_content_on_assistant_messages=False,
    thinking_format="openai",
    supports_strict_mode=False,
    supports_openai_grammar_tools=False,
    prompt_cache_key_mode="auto",
    supports_long_cache_retention=True,
    supports_mid_convo_system_messages=False,
    supports_mid_convo_tool_additions=False,
    send_session_affinity_headers=False,
    session_affinity_format="openai",
    zai_tool_stream=False,
)

# Host parts are looked for anywhere in the base URL, as Pi does it.
_KNOWN: Final[dict[str, tuple[frozenset[str], tuple[str, ...]]]] = {
    "zai": (frozenset({"zai", "zai-coding-cn"}), ("api.z.ai", "open.bigmodel.cn")),
    "together": (frozenset({"together"}), ("api.together.ai", "api.together.xyz")),
    "moonshot": (frozenset({"moonshotai", "moonshotai-cn"}), ("api.moonshot.",)),
    "openrouter": (frozenset({"openrouter"}), ("openrouter.ai",)),
    "workers": (frozenset({"cloudflare-workers-ai"}), ("api.cloudflare.com",)),
    "gateway": (frozenset({"cloudflare-ai-gateway"}), ("gateway.ai.cloudflare.com",)),
    "nvidia": (frozenset({"nvidia"}), ("integrate.api.nvidia.com",)),
    "ant-ling": (frozenset({"ant-ling"}), ("api.ant-ling.com",)),
    "cerebras": (frozenset({"cerebras"}), ("cerebras.ai",)),
    "deepseek": (frozenset({"deepseek"}), ("deepseek.com",)),
    "xai": (frozenset({"xai"}), ("api.x.ai",)),
    "chutes": (frozenset(), ("chutes.ai",)),
    "opencode": (frozenset({"opencode"}), ("opencode.ai",)),
}
_ONLY_NEW: Final = frozenset({"nvidia", "ant-ling"})
_FORMATS: Final[dict[str, ThinkingFormat]] = {
    "deepseek": "deepseek",
    "zai": "zai",
    "together": "together",
    "ant-ling": "ant-ling",
    "openrouter": "openrouter",
}


def detected(provider: str, base_url: str, model: str = "", variant: Variant = "stock") -> Compat:
    """What Pi picks for a provider's id and URL when nothing is written. All flags are set."""
    url = base_url.lower()
    known = {
        name
        for name, (ids, hosts) in _KNOWN.items()
        if provider in ids or any(host in url for host in hosts)
    }
    old = variant == "providers"
    if old:
        known -= _ONLY_NEW
    odd = bool(known - {"openrouter"})
    vendor = model.startswith(("anthropic/", "openai/"))
    developer = not odd and "openrouter" not in known
    if old:
        developer = not odd
    elif "openrouter" in known and vendor:
        developer = True
    effortless = {"xai", "zai", "moonshot", "together", "gateway", "nvidia", "ant-ling"}
    short_cap = {"chutes", "moonshot", "gateway", "together"}
    if not old:
        short_cap |= {"deepseek", "nvidia", "ant-ling", "zai"}
    strictless = {"moonshot", "together", "gateway"}
    brief_cache = {"together", "workers", "gateway", "nvidia", "ant-ling"}
    router = provider == "openrouter" and model.startswith("anthropic/")
    return msgspec.structs.replace(
        _STANDARD,
        supports_store=not odd,
        supports_developer_role=developer,
        supports_reasoning_effort=not known & effortless,
        max_tokens_field="max_tokens" if known & short_cap else "max_completion_tokens",
        requires_reasoning_content_on_assistant_messages="deepseek" in known,
        requires_tools_with_tool_history=old,
        thinking_format=_format(known),
        supports_strict_mode=old and not known & strictless,
        cache_control_format="anthropic" if router else None,
        send_session_affinity_headers=not old and "openrouter" in known,
        session_affinity_format="openrouter" if not old and "openrouter" in known else "openai",
        supports_long_cache_retention=not known & brief_cache,
    )


def effective(
    written: Compat,
    provider: str,
    base_url: str,
    model: str = "",
    variant: Variant = "stock",
) -> Compat:
    """What Pi goes by: ``written`` over what it detects. ``providers`` can have nothing written."""
    found = detected(provider, base_url, model, variant)
    return found if variant == "providers" else written.over(found)


def _format(known: Iterable[str]) -> ThinkingFormat:
    names = set(known)
    return next((form for name, form in _FORMATS.items() if name in names), "openai")
