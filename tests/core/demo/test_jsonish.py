"""Bare JSON that fits the schema in the prompt: what Warden's structured lanes ask for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.demo.answers import say
from tests.core.demo.helpers import ask, model, system, user

FINDINGS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "severity": {"enum": ["high", "medium", "low"]},
                    "title": {"type": "string"},
                    "location": {
                        "type": "object",
                        "properties": {
                            "path": {"type": "string"},
                            "startLine": {"type": "integer"},
                        },
                        "required": ["path", "startLine"],
                    },
                },
                "required": ["severity", "title", "location"],
            },
        }
    },
    "required": ["findings"],
    "additionalProperties": False,
}
RULES = f"Return only JSON that matches this schema, no prose:\n{json.dumps(FINDINGS)}"


def answer(*messages: dict[str, Any], **fields: Any) -> Any:
    return json.loads(say(ask(*messages, **fields), model()).text)


def test_nothing_to_report_is_an_empty_list() -> None:
    assert answer(system(RULES), user("No problems were seen.")) == {"findings": []}


def test_places_named_in_prose_become_findings() -> None:
    text = (
        "I looked at everything.\nsrc/pages.py:12: high: leaves out the last page\nThat is all.\n"
    )
    (finding,) = answer(system(RULES), user(text))["findings"]
    assert finding["location"] == {"path": "src/pages.py", "startLine": 12}
    assert finding["severity"] == "high"
    assert "last page" in finding["title"]


def test_findings_are_merged_and_doubles_fall_together() -> None:
    def row(title: str, path: str, line: int, severity: str) -> dict[str, Any]:
        where = {"path": path, "startLine": line}
        return {"id": title, "severity": severity, "title": title, "location": where}

    given = [
        row("a", "x.py", 1, "low"),
        row("b", "x.py", 1, "low"),
        row("c", "y.py", 2, "high"),
    ]
    merged = answer(system(RULES), user("Merge these findings:\n" + json.dumps(given)))
    assert merged == {"findings": [given[0], given[2]]}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ('Reply with JSON only, like {"findings": []}.', {"findings": []}),
        ("Answer in valid JSON: an object with a `problems` array.", {"problems": []}),
        ("Respond with a JSON object and nothing else.", {"findings": []}),
        (
            'Output only JSON: {"verdict": "keep|drop", "sure": true, "score": 1}',
            {"verdict": "keep", "sure": False, "score": 0},
        ),
    ],
)
def test_schemas_by_example(rules: str, expected: object) -> None:
    assert answer(system(rules), user("Go on.")) == expected


def test_a_schema_in_response_format_is_taken_too() -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": FINDINGS}}
    assert answer(user("hello"), response_format=wanted) == {"findings": []}
    assert answer(user("hello"), response_format={"type": "json_object"}) == {"findings": []}


def test_references_unions_and_bounds_are_kept() -> None:
    schema = {
        "type": "object",
        "$defs": {"kind": {"enum": ["a", "b"]}},
        "properties": {
            "kind": {"$ref": "#/$defs/kind"},
            "note": {"anyOf": [{"type": "null"}, {"type": "string", "minLength": 6}]},
            "version": {"const": 3},
            "steps": {"type": "array", "minItems": 2, "items": {"type": "integer", "minimum": 1}},
        },
    }
    built = answer(system(f"Return JSON for this schema only: {json.dumps(schema)}"), user("go"))
    assert built["kind"] == "a"
    assert built["version"] == 3
    assert built["steps"] == [1, 1]
    assert len(built["note"]) >= 6


def test_a_schema_that_refers_to_itself_ends() -> None:
    schema = {"type": "object", "properties": {"inner": {"$ref": "#"}}}
    built = answer(system(f"Return JSON for this schema only: {json.dumps(schema)}"), user("go"))
    assert "inner" in built


def test_talk_about_json_is_not_a_wish_for_it() -> None:
    said = say(ask(user("Is this file JSON, by the way?")), model())
    assert not said.text.startswith("{")


def test_prose_full_of_braces_stays_cheap() -> None:
    text = "Return only JSON. " + "{[" * 50_000
    assert answer(user(text)) == {"findings": []}
