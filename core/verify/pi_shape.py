"""Request bodies as Pi shapes them, for both of Warden's Pis.

``providers`` is Pi 0.78.0, where Warden registers providers without any compat; ``stock`` is
1.5.2, which reads the exported ``models.json``. The order and shape of fields follow
earendil-works/pi ``pi-ai`` (``buildParams``, ``convertMessages``, ``convertTools``). Pure.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Final

import msgspec

from core.live.verdict import ToolCall  # noqa: TC001  # what Assistant is made of
from core.verify.compat import LEVELS, Compat, Level, Variant, detected
from core.verify.pi_reader import FIELDS
from core.verify.pi_schema import strict_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.wire.chat import Tool

DEFAULT_LEVEL: Final[Level] = "medium"
"""What Pi takes where nobody says how much to think."""
SAFETY_TOKENS: Final = 4096
"""Pi 1.5.2 keeps this many tokens of the window free beside its estimate of the input."""
_ROOM_KEPT: Final = 32768
_BUDGETS: Final[dict[Level, int]] = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384}
_ANSWER_ROOM: Final = 1024
_BRIDGE: Final = "I have processed the tool results."


class PiModel(msgspec.Struct, frozen=True):
    """A model as Pi's ``models.json`` describes it, with the defaults that Pi gives it."""

    id: str
    reasoning: bool = False
    thinking_level_map: dict[str, str | None] = {}
    """Level to the word that is sent; None takes the level from the choice."""
    image: bool = False
    context_window: int = 128_000
    max_tokens: int = 16_384


class System(msgspec.Struct, frozen=True):
    """Instructions. One at the beginning; later ones only where Pi is told they may be."""

    text: str


class User(msgspec.Struct, frozen=True):
    """A user's message: text, then images."""

    text: str
    images: tuple[tuple[str, bytes], ...] = ()
    """(media type, bytes) of each."""


class Assistant(msgspec.Struct, frozen=True):
    """What the model said, to be sent back."""

    text: str = ""
    thinking: str = ""
    thinking_field: str | None = None
    """The field it came in; Pi sends it back under the same one."""
    calls: tuple[ToolCall, ...] = ()


class Result(msgspec.Struct, frozen=True):
    """What a tool gave."""

    call_id: str
    name: str
    text: str


Message = System | User | Assistant | Result


def shape(
    variant: Variant,
    model: PiModel,
    compat: Compat,
    messages: Sequence[Message],
    tools: Sequence[Tool] = (),
    level: Level | None = None,
    *,
    provider: str = "",
    base_url: str = "",
    max_tokens: int | None = None,
) -> dict[str, object]:
    """The JSON body of one request, as that variant's Pi sends it.

    ``compat`` is what is written for the model; unset flags are what Pi detects by ``provider``
    and ``base_url``. ``providers`` has no way to write any, so there ``compat`` is not looked at.
    ``level`` None is Pi's own choice, medium; a model without reasoning is not told any.
    ``max_tokens`` stands for a limit that the caller sets (a probe saves tokens by it); without
    it 1.5.2 sends its own and 0.78.0 none.
    """
    found = detected(provider, base_url, model.id, variant)
    flags = found if variant == "providers" else compat.over(found)
    body: dict[str, object] = {
        "model": model.id,
        "messages": pi_messages(model, flags, messages),
        "stream": True,
    }
    if flags.prompt_cache_key_mode == "enabled":
        body["prompt_cache_key"] = "turnkey"
    if flags.supports_usage_in_streaming is not False:
        body["stream_options"] = {"include_usage": True}
    if flags.supports_store:
        body["store"] = False
    cap = max_tokens
    if cap is None and variant == "stock":
        cap = capped(model, messages, tools)
    if cap is not None:
        body[flags.max_tokens_field or "max_completion_tokens"] = cap
    if tools:
        body["tools"] = pi_tools(flags, tools, variant)
        if flags.zai_tool_stream:
            body["tool_stream"] = True
    elif flags.requires_tools_with_tool_history and _has_tool_history(messages):
        body["tools"] = []
    if flags.cache_control_format == "anthropic":
        _mark_cache(body, variant)
    if flags.vllm_priority is not None:
        body["priority"] = flags.vllm_priority
    thinking_on = clamp_level(model, level if level is not None else DEFAULT_LEVEL)
    body.update(thinking_fields(model, flags, thinking_on, variant, cap))
    return body


def thinking_fields(
    model: PiModel,
    flags: Compat,
    level: Level,
    variant: Variant = "stock",
    cap: int | None = None,
) -> dict[str, object]:
    """The fields that say how much to think; none for a model without reasoning.

    ``flags`` are complete (:func:`core.verify.compat.effective`); ``level`` ``off`` is off.
    ``cap`` is the output limit that a budget of thinking must leave room in.
    """
    if not model.reasoning:
        return {}
    form = flags.thinking_format or "openai"
    on = level != "off"
    mapped = model.thinking_level_map
    effort = mapped.get(level) or level if on else None
    fields: dict[str, object] = {}
    efforts: dict[str, object] = (
        {"reasoning_effort": effort} if on and flags.supports_reasoning_effort else {}
    )
    off_word = mapped.get("off", "none")
    if form == "zai" and variant == "providers":
        fields = {"enable_thinking": on}
    elif form == "zai":
        shown: dict[str, object] = {"type": "enabled", "clear_thinking": False}
        fields = {"thinking": shown if on else {"type": "disabled"}, **efforts}
    elif form == "qwen":
        fields = {"enable_thinking": on, **(efforts if variant == "stock" else {})}
    elif form == "qwen-chat-template":
        fields = {"chat_template_kwargs": {"enable_thinking": on, "preserve_thinking": True}}
    elif form == "chat-template":
        filled = _template_values(flags.chat_template_kwargs, model, level, cap)
        fields = {"chat_template_kwargs": filled} if filled else {}
    elif form == "baseten":
        filled = _template_values(flags.chat_template_args, model, level, cap)
        fields = {"chat_template_args": filled} if filled else {}
        word = effort if on else mapped.get("off")
        if flags.supports_reasoning_effort and word is not None:
            fields["reasoning_effort"] = word
    elif form == "deepseek":
        if on:
            fields = {"thinking": {"type": "enabled"}}
        elif off_word is not None or variant == "providers":
            fields = {"thinking": {"type": "disabled"}}
        fields |= efforts
    elif form == "openrouter":
        if on or off_word is not None:
            fields = {"reasoning": {"effort": effort if on else off_word}}
    elif form == "ant-ling":
        if on and mapped.get(level):
            fields = {"reasoning": {"effort": mapped[level]}}
    elif form == "together":
        fields = {"reasoning": {"enabled": on}, **efforts}
    elif form == "string-thinking":
        if on or off_word is not None:
            fields = {"thinking": effort if on else off_word}
    elif flags.supports_reasoning_effort:
        if on:
            fields = efforts
        elif isinstance(mapped.get("off"), str):
            fields = {"reasoning_effort": mapped["off"]}
    budget = _budget(model, level, cap) if flags.thinking_token_budget_field else None
    if flags.thinking_token_budget_field and budget:
        fields[flags.thinking_token_budget_field] = budget
    return fields


def clamp_level(model: PiModel, level: Level) -> Level:
    """The level that Pi takes: one that is mapped to null is skipped, upward first, then down.

    ``xhigh`` and ``max`` exist only where they are mapped. A model without reasoning has ``off``.
    """
    if not model.reasoning:
        return "off"
    mapped = model.thinking_level_map

    def exists(one: Level) -> bool:
        if one in {"xhigh", "max"}:
            return mapped.get(one) is not None
        return one not in mapped or mapped[one] is not None

    place = LEVELS.index(level)
    order = (*LEVELS[place:], *reversed(LEVELS[:place]))
    return next((one for one in order if exists(one)), "off")


def capped(model: PiModel, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
    """The output limit that Pi 1.5.2 sends: ``maxTokens``, or what the window leaves; at least 1.

    Its estimate of the input is four characters a token (``utils/estimate``).
    """
    if model.context_window <= 0:
        return max(1, model.max_tokens)
    size = sum(_size(message) for message in messages)
    size += sum(len(msgspec.json.encode(tool)) for tool in tools)
    taken = math.ceil(size / 4)
    room = model.context_window - taken - max(SAFETY_TOKENS, math.ceil(taken * 0.15))
    if room < _ROOM_KEPT:
        room = min(_ROOM_KEPT, model.context_window - taken - SAFETY_TOKENS)
    return min(model.max_tokens, max(1, room))


def pi_messages(
    model: PiModel, flags: Compat, messages: Sequence[Message]
) -> list[dict[str, object]]:
    """The conversation as Pi writes it; ``flags`` complete."""
    if not flags.supports_mid_convo_system_messages:
        messages = _folded(messages)
    role = "developer" if model.reasoning and flags.supports_developer_role else "system"
    written: list[dict[str, object]] = []
    after_result = False
    for message in messages:
        match message:
            case System(text=text):
                written.append({"role": role, "content": text})
            case User():
                if after_result and flags.requires_assistant_after_tool_result:
                    written.append({"role": "assistant", "content": _BRIDGE})
                written.append({"role": "user", "content": _parts(model, message)})
            case Assistant():
                said = _assistant(model, flags, message)
                if said is not None:
                    written.append(said)
            case Result(call_id=call_id, name=name, text=text):
                given = {"role": "tool", "content": text or "(no tool output)"}
                given["tool_call_id"] = call_id
                if flags.requires_tool_result_name and name:
                    given["name"] = name
                written.append(dict(given))
        after_result = isinstance(message, Result)
    return written


def pi_tools(flags: Compat, tools: Sequence[Tool], variant: Variant) -> list[dict[str, object]]:
    """Tools as Pi offers them; ``flags`` complete.

    With strict mode 0.78.0 says ``strict: false`` of each; 1.5.2 says true of its own tools, with
    a schema made strict for it, and false of one whose schema cannot be made so.
    """
    written: list[dict[str, object]] = []
    for tool in tools:
        function: dict[str, object] = {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        }
        if flags.supports_strict_mode:
            strict = strict_schema(tool.parameters) if variant == "stock" else None
            if strict is not None:
                function["parameters"] = strict
            function["strict"] = strict is not None
        written.append({"type": "function", "function": function})
    return written


def _folded(messages: Sequence[Message]) -> list[Message]:
    """Later system messages joined to the first."""
    texts = [one.text for one in messages if isinstance(one, System)]
    rest: list[Message] = [one for one in messages if not isinstance(one, System)]
    return [System("\n\n".join(texts)), *rest] if texts else rest


def _parts(model: PiModel, message: User) -> list[dict[str, object]]:
    parts: list[dict[str, object]] = [{"type": "text", "text": message.text}]
    for kind, data in message.images:
        if model.image:
            url = f"data:{kind};base64,{base64.b64encode(data).decode()}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        else:
            parts.append({"type": "text", "text": "(image omitted: model does not support images)"})
    return parts


def _assistant(model: PiModel, flags: Compat, message: Assistant) -> dict[str, object] | None:
    empty = flags.requires_assistant_after_tool_result or flags.requires_non_null_assistant_content
    said: dict[str, object] = {"role": "assistant", "content": "" if empty else None}
    if message.text.strip():
        said["content"] = message.text
    if message.thinking.strip():
        if flags.requires_thinking_as_text:
            parts = [message.thinking, *([message.text] if message.text.strip() else [])]
            said["content"] = [{"type": "text", "text": text} for text in parts]
        elif message.thinking_field in FIELDS:
            said[message.thinking_field] = message.thinking
    if message.calls:
        said["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.calls
        ]
    if flags.requires_reasoning_content_on_assistant_messages and model.reasoning:
        said.setdefault("reasoning_content", "")
    return said if said["content"] or message.calls else None


def _mark_cache(body: dict[str, object], variant: Variant) -> None:
    """Anthropic's cache marker on instructions, the last tool and the last text."""
    marker = {"type": "ephemeral"}
    messages = body["messages"]
    tools = body.get("tools")
    if isinstance(tools, list) and tools:
        tools[-1]["cache_control"] = marker
    if not isinstance(messages, list):
        return
    for message in messages:
        if message["role"] in {"system", "developer"}:
            _mark_text(message, marker)
            break
    marked = {"user", "assistant"} | ({"tool"} if variant == "stock" else set())
    for message in reversed(messages):
        if message["role"] in marked and _mark_text(message, marker):
            break


def _mark_text(message: dict[str, object], marker: Mapping[str, object]) -> bool:
    content = message["content"]
    if isinstance(content, str) and content:
        message["content"] = [{"type": "text", "text": content, "cache_control": marker}]
        return True
    if isinstance(content, list):
        for part in reversed(content):
            if isinstance(part, dict) and part.get("type") == "text":
                part["cache_control"] = marker
                return True
    return False


def _template_values(
    values: Mapping[str, object] | None, model: PiModel, level: Level, cap: int | None
) -> dict[str, object]:
    filled: dict[str, object] = {}
    for name, value in (values or {}).items():
        if not isinstance(value, dict):
            filled[name] = value
            continue
        if level == "off" and value.get("omitWhenOff"):
            continue
        word: object
        if value.get("$var") == "thinking.enabled":
            word = level != "off"
        elif value.get("$var") == "thinking.budget":
            word = _budget(model, level, cap)
        else:
            word = model.thinking_level_map.get(level, None if level == "off" else level)
        if word is not None:
            filled[name] = word
    return filled


def _budget(model: PiModel, level: Level, cap: int | None) -> int | None:
    if level == "off":
        return None
    wanted = _BUDGETS[level if level in _BUDGETS else "high"]
    limit = model.max_tokens if cap is None else cap
    return min(wanted, max(0, limit - _ANSWER_ROOM)) or None


def _has_tool_history(messages: Sequence[Message]) -> bool:
    return any(
        isinstance(one, Result) or (isinstance(one, Assistant) and one.calls) for one in messages
    )


def _size(message: Message) -> int:
    match message:
        case Assistant():
            calls = sum(len(call.name) + len(call.arguments) for call in message.calls)
            return len(message.text) + len(message.thinking) + calls
        case User():
            return len(message.text) + 4800 * len(message.images)
        case _:
            return len(message.text)
