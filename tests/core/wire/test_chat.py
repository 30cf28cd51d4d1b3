from __future__ import annotations

import json

import pytest

from core.errors import Code, Fault
from core.wire.chat import ChatRequest, Tool, adapted, chat_body


def _body(request: ChatRequest) -> dict[str, object]:
    body: dict[str, object] = json.loads(chat_body(request))
    return body


def test_the_body_has_the_shape_that_pi_sends() -> None:
    assert _body(ChatRequest("m", "hello", system="Be brief.", max_tokens=256)) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "hello"}]},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 256,
    }


def test_what_was_not_asked_for_is_not_sent() -> None:
    body = _body(ChatRequest("m", "hello", include_usage=False))
    assert set(body) == {"model", "messages", "stream"}


def test_tools_running_usage_messages_and_extra_fields() -> None:
    request = ChatRequest(
        "m",
        running_usage=True,
        token_cap_field="max_completion_tokens",
        max_tokens=9,
        tools=(Tool("read", "Read a file", {"type": "object"}),),
        messages=({"role": "user", "content": "as it is"},),
        extra={"temperature": 0},
    )
    body = _body(request)
    assert body["stream_options"] == {"include_usage": True, "continuous_usage_stats": True}
    assert body["max_completion_tokens"] == 9
    assert "max_tokens" not in body
    assert body["messages"] == [{"role": "user", "content": "as it is"}]
    assert body["temperature"] == 0
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "read",
                "description": "Read a file",
                "parameters": {"type": "object"},
            },
        }
    ]


def _refused(words: str, code: Code = "parameter_refused") -> Fault:
    return Fault(code, "The server refuses a field.", words)


@pytest.mark.parametrize(
    ("words", "status", "change"),
    [
        ("Unrecognized request argument: stream_options", 400, {"include_usage": False}),
        ("body.stream_options: Extra inputs are not permitted", 422, {"include_usage": False}),
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            400,
            {"token_cap_field": "max_completion_tokens"},
        ),
        (
            "max_tokens: Extra inputs are not permitted",
            422,
            {"token_cap_field": "max_completion_tokens"},
        ),
        ("max_tokens is too large: 5000", 400, None),
        ("temperature is not supported", 400, None),
        ("stream_options is not supported", 500, None),
        ("stream_options is not supported", 401, None),
    ],
)
def test_a_refusal_that_names_a_field_is_answered_without_it(
    words: str, status: int, change: dict[str, object] | None
) -> None:
    request = ChatRequest("m", "x", max_tokens=5)
    other = adapted(request, _refused(words), status)
    if change is None:
        assert other is None
    else:
        assert other is not None
        assert {name: getattr(other, name) for name in change} == change


def test_nothing_is_adapted_twice() -> None:
    words = _refused("stream_options: unknown")
    request = adapted(ChatRequest("m", "x"), words, 400)
    assert request is not None
    assert adapted(request, words, 400) is None
    overflow = _refused("max_tokens cannot be so large; unknown", "context_overflow")
    assert adapted(ChatRequest("m", "x", max_tokens=5), overflow, 400) is None


def test_running_usage_goes_first_when_it_is_named() -> None:
    words = _refused("stream_options.continuous_usage_stats: Extra inputs are not permitted")
    request = adapted(ChatRequest("m", "x", running_usage=True), words, 400)
    assert request == ChatRequest("m", "x")
