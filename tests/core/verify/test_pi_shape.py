"""Bodies as Pi 0.78.0 and 1.5.2 shape them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.live.verdict import ToolCall
from core.verify.compat import (
    LEVELS,
    Compat,
    Level,
    ThinkingFormat,
    Variant,
    detected,
    effective,
    flag_names,
)
from core.verify.pi_schema import strict_schema
from core.verify.pi_shape import (
    Assistant,
    Message,
    PiModel,
    Result,
    System,
    User,
    capped,
    clamp_level,
    pi_messages,
    shape,
    thinking_fields,
)
from core.wire.chat import Tool

if TYPE_CHECKING:
    from collections.abc import Sequence

READ: Final = Tool(
    "read",
    "Read a file",
    {
        "type": "object",
        "properties": {"path": {"type": "string"}, "limit": {"type": "number"}},
        "required": ["path"],
    },
)
TALK: Final[Sequence[Message]] = (System("Be brief."), User("Hello."))
CALLED: Final[Sequence[Message]] = (
    *TALK,
    Assistant(calls=(ToolCall("c1", "read", '{"path":"a"}'),)),
    Result("c1", "read", "text"),
)
THINKER: Final = PiModel("m", reasoning=True)
HOME: Final = "http://127.0.0.1:4000/v1"


def test_stock_asks_as_the_command_line_of_pi_1_5_2_did() -> None:
    body = shape("stock", PiModel("fast-mock"), Compat(), TALK, [READ])
    assert list(body) == [
        *("model", "messages", "stream", "stream_options", "store"),
        *("max_completion_tokens", "tools"),
    ]
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hello."}]},
    ]
    assert (body["store"], body["max_completion_tokens"]) == (False, 16384)
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "read",
                "description": "Read a file",
                "parameters": READ.parameters,
            },
        }
    ]


def test_a_reasoning_model_gets_the_developer_role_and_medium_unasked() -> None:
    body = shape("stock", THINKER, Compat(), TALK)
    messages = body["messages"]
    assert isinstance(messages, list)
    assert messages[0]["role"] == "developer"
    assert body["reasoning_effort"] == "medium"


def test_providers_asks_as_0_78_0_and_takes_no_compat() -> None:
    wish = Compat(supports_store=False, max_tokens_field="max_tokens", supports_strict_mode=False)
    body = shape("providers", PiModel("m"), wish, TALK, [READ])
    assert body["store"] is False
    assert not {"max_tokens", "max_completion_tokens"} & body.keys()
    tools = body["tools"]
    assert isinstance(tools, list)
    assert tools[0]["function"]["strict"] is False


def test_a_history_without_tools_gets_an_empty_list_in_0_78_0_alone() -> None:
    assert shape("providers", PiModel("m"), Compat(), CALLED)["tools"] == []
    assert "tools" not in shape("stock", PiModel("m"), Compat(), CALLED)
    flag = Compat(requires_tools_with_tool_history=True)
    assert shape("stock", PiModel("m"), flag, CALLED)["tools"] == []


@pytest.mark.parametrize(
    ("written", "member", "value"),
    [
        (Compat(supports_store=False), "store", None),
        (Compat(supports_usage_in_streaming=False), "stream_options", None),
        (Compat(max_tokens_field="max_tokens"), "max_tokens", 16384),
        (Compat(vllm_priority=3), "priority", 3),
        (Compat(prompt_cache_key_mode="enabled"), "prompt_cache_key", "turnkey"),
        (Compat(zai_tool_stream=True), "tool_stream", True),
    ],
)
def test_a_flag_changes_its_own_field(written: Compat, member: str, value: object) -> None:
    plain = shape("stock", PiModel("m"), Compat(), TALK, [READ])
    body = shape("stock", PiModel("m"), written, TALK, [READ])
    assert body.get(member) == value
    assert plain.get(member) != value


SWITCH: Final[dict[str, object]] = {"enable_thinking": {"$var": "thinking.enabled"}}
FORMATS: Final[tuple[tuple[ThinkingFormat, dict[str, object], dict[str, object]], ...]] = (
    ("openai", {"reasoning_effort": "medium"}, {}),
    ("openrouter", {"reasoning": {"effort": "medium"}}, {"reasoning": {"effort": "none"}}),
    (
        "deepseek",
        {"thinking": {"type": "enabled"}, "reasoning_effort": "medium"},
        {"thinking": {"type": "disabled"}},
    ),
    (
        "together",
        {"reasoning": {"enabled": True}, "reasoning_effort": "medium"},
        {"reasoning": {"enabled": False}},
    ),
    (
        "zai",
        {"thinking": {"type": "enabled", "clear_thinking": False}, "reasoning_effort": "medium"},
        {"thinking": {"type": "disabled"}},
    ),
    (
        "qwen",
        {"enable_thinking": True, "reasoning_effort": "medium"},
        {"enable_thinking": False},
    ),
    (
        "baseten",
        {"chat_template_args": {"enable_thinking": True}, "reasoning_effort": "medium"},
        {"chat_template_args": {"enable_thinking": False}},
    ),
    (
        "chat-template",
        {"chat_template_kwargs": {"enable_thinking": True}},
        {"chat_template_kwargs": {"enable_thinking": False}},
    ),
    (
        "qwen-chat-template",
        {"chat_template_kwargs": {"enable_thinking": True, "preserve_thinking": True}},
        {"chat_template_kwargs": {"enable_thinking": False, "preserve_thinking": True}},
    ),
    ("string-thinking", {"thinking": "medium"}, {"thinking": "none"}),
    ("ant-ling", {}, {}),
)


@pytest.mark.parametrize(("form", "on", "off"), FORMATS, ids=lambda value: str(value)[:12])
def test_each_thinking_format_has_its_bodies(
    form: ThinkingFormat, on: dict[str, object], off: dict[str, object]
) -> None:
    written = Compat(thinking_format=form, chat_template_kwargs=SWITCH, chat_template_args=SWITCH)
    flags = effective(written, "p", HOME)
    assert thinking_fields(THINKER, flags, "medium") == on
    assert thinking_fields(THINKER, flags, "off") == off
    assert thinking_fields(PiModel("m"), flags, "medium") == {}


def test_the_old_zai_switch_was_another() -> None:
    flags = detected("zai", HOME, variant="providers")
    assert thinking_fields(THINKER, flags, "medium", "providers") == {"enable_thinking": True}


@pytest.mark.parametrize(
    ("level", "cap", "budget"),
    [("minimal", 16384, 1024), ("high", 16384, 15360), ("medium", 4096, 3072), ("low", 900, None)],
)
def test_a_budget_leaves_room_for_the_answer(level: Level, cap: int, budget: int | None) -> None:
    flags = effective(Compat(thinking_token_budget_field="thinking_budget"), "p", HOME)
    assert thinking_fields(THINKER, flags, level, "stock", cap).get("thinking_budget") == budget


@pytest.mark.parametrize(
    ("mapped", "asked", "taken"),
    [
        ({}, "medium", "medium"),
        ({"medium": None}, "medium", "high"),
        ({"medium": None, "high": None}, "medium", "low"),
        ({}, "max", "high"),
        ({"max": "ultra"}, "max", "max"),
        ({"off": None}, "off", "minimal"),
    ],
)
def test_a_level_that_is_not_there_becomes_the_next(
    mapped: dict[str, str | None], asked: Level, taken: Level
) -> None:
    assert clamp_level(PiModel("m", reasoning=True, thinking_level_map=mapped), asked) == taken


@given(st.sampled_from(LEVELS), st.dictionaries(st.sampled_from(LEVELS), st.none(), max_size=6))
def test_a_level_taken_is_never_one_that_is_mapped_away(
    asked: Level, mapped: dict[Level, None]
) -> None:
    taken = clamp_level(
        PiModel("m", reasoning=True, thinking_level_map={str(k): v for k, v in mapped.items()}),
        asked,
    )
    exists = [one for one in LEVELS if one not in mapped and one not in {"xhigh", "max"}]
    assert taken in exists or not exists


@pytest.mark.parametrize(("window", "cap"), [(8192, 4095), (4096, 1), (128_000, 16384), (0, 16384)])
def test_the_limit_leaves_what_the_window_has(window: int, cap: int) -> None:
    assert capped(PiModel("m", context_window=window), [User("abcd")]) == cap


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (Compat(), {"content": None}),
        (Compat(requires_non_null_assistant_content=True), {"content": ""}),
        (Compat(requires_assistant_after_tool_result=True), {"content": ""}),
    ],
)
def test_a_message_that_only_calls_has_no_content(flags: Compat, expected: object) -> None:
    said = pi_messages(PiModel("m"), effective(flags, "p", HOME), CALLED)[2]
    assert {"content": said["content"]} == expected


def test_thinking_goes_back_where_it_came_from_or_as_text() -> None:
    past = (*TALK, Assistant("Hi.", "Hm.", "reasoning"), User("More."))
    flags = effective(Compat(), "p", HOME)
    assert pi_messages(THINKER, flags, past)[2] == {
        "role": "assistant",
        "content": "Hi.",
        "reasoning": "Hm.",
    }
    as_text = effective(Compat(requires_thinking_as_text=True), "p", HOME)
    assert pi_messages(THINKER, as_text, past)[2]["content"] == [
        {"type": "text", "text": "Hm."},
        {"type": "text", "text": "Hi."},
    ]
    tags = (*TALK, Assistant("Hi.", "Hm.", "tags"))
    assert pi_messages(THINKER, flags, tags)[2] == {"role": "assistant", "content": "Hi."}


def test_flags_of_the_conversation_change_it() -> None:
    flags = effective(
        Compat(
            requires_tool_result_name=True,
            requires_assistant_after_tool_result=True,
            requires_reasoning_content_on_assistant_messages=True,
            cache_control_format="anthropic",
        ),
        "p",
        HOME,
    )
    written = pi_messages(THINKER, flags, (*CALLED, User("And?")))
    assert [one["role"] for one in written] == [
        *("developer", "user", "assistant", "tool", "assistant", "user")
    ]
    assert written[3]["name"] == "read"
    assert written[2]["reasoning_content"] == ""


def test_later_instructions_join_the_first_unless_told_otherwise() -> None:
    talk = (System("A"), User("u"), System("B"))
    flags = effective(Compat(), "p", HOME)
    folded = pi_messages(PiModel("m"), flags, talk)
    assert [one["content"] for one in folded if one["role"] == "system"] == ["A\n\nB"]
    kept = effective(Compat(supports_mid_convo_system_messages=True), "p", HOME)
    assert [one["role"] for one in pi_messages(PiModel("m"), kept, talk)] == [
        *("system", "user", "system")
    ]


def test_images_go_only_to_a_model_that_sees() -> None:
    talk = (User("See.", (("image/png", b"x"),)),)
    flags = effective(Compat(), "p", HOME)
    seen = pi_messages(PiModel("m", image=True), flags, talk)[0]["content"]
    assert isinstance(seen, list)
    assert seen[1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}}
    blind = pi_messages(PiModel("m"), flags, talk)[0]["content"]
    assert isinstance(blind, list)
    assert "image_url" not in str(blind)


def test_cache_markers_stand_on_instructions_the_last_tool_and_the_last_text() -> None:
    body = shape("stock", PiModel("m"), Compat(cache_control_format="anthropic"), TALK, [READ])
    assert str(body).count("'cache_control': {'type': 'ephemeral'}") == 3


@pytest.mark.parametrize(
    ("provider", "url", "flag", "value"),
    [
        ("deepseek", HOME, "thinking_format", "deepseek"),
        ("deepseek", HOME, "supports_store", False),
        ("p", "https://openrouter.ai/api/v1", "thinking_format", "openrouter"),
        ("p", "https://api.x.ai/v1", "supports_reasoning_effort", False),
        ("moonshotai", HOME, "max_tokens_field", "max_tokens"),
        ("nvidia", HOME, "supports_developer_role", False),
    ],
)
def test_a_name_that_pi_knows_changes_what_it_picks(
    provider: str, url: str, flag: str, value: object
) -> None:
    assert getattr(detected(provider, url), flag) == value
    assert getattr(detected("p", HOME), flag) != value


@pytest.mark.parametrize("variant", ["stock", "providers"])
@pytest.mark.parametrize("url", [HOME, "http://10.0.0.7:8000/v1", "https://llm.corp.example/v1"])
def test_an_unknown_name_gets_the_defaults_wherever_it_is(variant: Variant, url: str) -> None:
    assert detected("litellm", url, variant=variant) == detected("p", HOME, variant=variant)


def test_flags_are_written_under_the_names_that_pi_reads() -> None:
    assert Compat(supports_openai_grammar_tools=True, vllm_priority=1).written() == {
        "supportsOpenAIGrammarTools": True,
        "vllmPriority": 1,
    }
    assert {"maxTokensField", "chatTemplateKwargs", "supportsMidConvoSystemMessages"} <= set(
        flag_names()
    )


def test_a_strict_schema_requires_all_and_lets_the_optional_be_null() -> None:
    strict = strict_schema(READ.parameters)
    assert strict == {
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "limit": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        },
        "required": ["path", "limit"],
        "additionalProperties": False,
    }
    assert READ.parameters["required"] == ["path"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "object", "properties": {"a": {"$ref": "#/x"}}},
        {"type": "object", "additionalProperties": True},
        {"type": "object", "properties": {}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"anyOf": [{"type": "object"}]}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": True}}},
    ],
)
def test_what_strict_cannot_say_has_no_strict_form(schema: dict[str, object]) -> None:
    assert strict_schema(schema) is None
