"""JSON as Warden finds it, its schema, and calls that are written out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.verify.trials.found_json import find_json
from core.verify.trials.schema import problem_of
from core.verify.trials.written_calls import written_call


@pytest.mark.parametrize(
    ("text", "value", "how"),
    [
        ('{"a": 1}', {"a": 1}, "bare"),
        ("  [1, 2]\n", [1, 2], "bare"),
        ('```json\n{"a": [1]}\n```', {"a": [1]}, "fenced"),
        ('Here it is:\n\n{"a": "}"} I hope so.', {"a": "}"}, "in prose"),
        ('<think>None yet.</think>{"a": 1}', {"a": 1}, "in prose"),
        # the first that parses wins, whatever comes later
        ('First {} and then {"a": 1}', {}, "in prose"),
        ('Item [1] says {"a": 1}', [1], "in prose"),
        ('A {brace} and {"a": 1}', {"a": 1}, "in prose"),
        ('"text"', "text", "bare"),
    ],
)
def test_warden_takes(text: str, value: object, how: str) -> None:
    found = find_json(text)
    assert found is not None
    assert (found.value, found.how) == (value, how)


@pytest.mark.parametrize(
    "text", ["", "   ", "No findings.", '{"a": 1', "{'a': 1}", '{"a": NaN}', "{a: 1}", "}{"]
)
def test_warden_finds_none(text: str) -> None:
    assert find_json(text) is None


@given(st.text(alphabet='{}[]"\\,:1a \n', max_size=120))
def test_any_text_can_be_looked_through(text: str) -> None:
    find_json(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
        max_leaves=8,
    ).filter(lambda value: isinstance(value, dict | list))
)
def test_json_in_a_fence_is_found_whole(value: object) -> None:
    found = find_json(f"```json\n{json.dumps(value)}\n```\nThat is all.")
    assert found is not None
    assert found.value == value


_SCHEMA = {
    "type": "object",
    "properties": {
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "line": {"type": "integer", "minimum": 1},
                    "level": {"type": "string", "enum": ["high", "low"]},
                    "title": {"type": "string", "minLength": 1},
                },
                "required": ["line", "level"],
            },
        }
    },
    "required": ["rows"],
}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"rows": []}, None),
        ({"rows": [{"line": 3, "level": "low", "title": "x", "more": 1}]}, None),
        ({"rows": [{"line": 3.0, "level": "low"}]}, None),
        ([], "the whole is an array, not object"),
        ({}, "rows is missing"),
        ({"rows": {}}, "rows is an object, not array"),
        ({"rows": [{"line": "3", "level": "low"}]}, "rows[0].line is text, not integer"),
        ({"rows": [{"line": True, "level": "low"}]}, "rows[0].line is true or false, not integer"),
        ({"rows": [{"line": 0, "level": "low"}]}, "rows[0].line is below 1"),
        ({"rows": [{"line": 1, "level": "High"}]}, "rows[0].level is none of high, low"),
        ({"rows": [{"line": 1}]}, "rows[0].level is missing"),
        ({"rows": [{"line": 1, "level": "low", "title": ""}]}, "rows[0].title is empty"),
        ({"rows": [None]}, "rows[0] is null, not object"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(value: object, problem: str | None) -> None:
    assert problem_of(value, _SCHEMA) == problem


_OFFERED = ("read", "grep", "find", "ls")


@pytest.mark.parametrize(
    ("text", "parser"),
    [
        ('<tool_call>\n{"name": "read", "arguments": {}}\n</tool_call>', "hermes"),
        ("<tool_call><function=read><parameter=path>a</parameter></function>", "qwen3_coder"),
        ('[TOOL_CALLS][{"name": "read", "arguments": {}}]', "mistral"),
        ('<|python_tag|>{"name": "read", "parameters": {}}', "llama3_json"),
        ('{"name": "read", "parameters": {"path": "a"}}', "llama3_json"),
        ('```json\n{"function": "functions.read", "arguments": {}}\n```', "llama3_json"),
        ("<\uff5ctool\u2581calls\u2581begin\uff5c>function", "deepseek_v3"),
        ("<|channel|>commentary to=functions.read <|message|>{}", "openai"),
        ("<|tool_calls_section_begin|>", "kimi_k2"),
        ('read(path="lib/a.py")', "pythonic"),
        ('[ls(path=".")]', "pythonic"),
    ],
)
def test_a_call_written_as_text_is_known_by_its_parser(text: str, parser: str) -> None:
    shape = written_call(text, _OFFERED)
    assert shape is not None
    assert shape.parser == parser


@pytest.mark.parametrize(
    "text",
    [
        "I would use the read tool for that, with a path.",
        "The seal is cobalt-1234-bc, in settings/x.toml.",
        '{"name": "Anna", "arguments": "none"}',
        '{"findings": [{"title": "read() can fail", "name": "read"}]}',
        "It calls read(path) and then returns.",
        "",
    ],
)
def test_talking_about_a_tool_is_no_call(text: str) -> None:
    assert written_call(text, _OFFERED) is None
