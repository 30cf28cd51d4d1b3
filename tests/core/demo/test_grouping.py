"""How the demo merges findings, and what else its models do for lane trials."""

from __future__ import annotations

import json

import pytest

from core.demo.answers import say
from core.demo.ask import Ask, Message
from core.demo.grouping import grouped, id_lists
from core.demo.models import demo_model
from core.demo.tooluse import _paths

_ROWS = [
    {"id": 7, "path": "a.py", "line": 1, "severity": "low", "title": "`load` is wrong"},
    {"id": 8, "path": "b.py", "line": 2, "severity": "high", "title": "Again `load`"},
    {"id": 9, "path": "c.py", "line": 3, "severity": "medium", "title": "No name at all"},
]


def test_rows_that_name_the_same_come_together_with_the_worst_severity() -> None:
    groups = grouped(_ROWS, ["ids"])
    assert [one["ids"] for one in groups] == [[7, 8], [9]]
    assert [one["severity"] for one in groups] == ["high", "medium"]
    assert "a.py:1, b.py:2" in str(groups[0]["summary"])


def test_rows_without_ids_are_counted_from_one() -> None:
    rows = [{"title": "`aa`"}, {"title": "`bb`"}, {"title": "`aa` too"}]
    assert [one["members"] for one in grouped(rows, ["members"])] == [[1, 3], [2]]


def test_the_property_that_lists_numbers_is_found() -> None:
    schema = {
        "ids": {"type": "array", "items": {"type": "integer"}},
        "tags": {"type": "array", "items": {"type": "string"}},
        "title": {"type": "string"},
    }
    assert id_lists(schema) == ["ids"]


def _ask(system: str, question: str) -> Ask:
    return Ask(messages=[Message("system", system), Message("user", question)])


def _said(model: str, ask: Ask) -> tuple[str, str]:
    found = demo_model(model)
    assert found is not None
    said = say(ask, found)
    return said.text, said.thinking


def test_the_leaking_model_drafts_json_before_it_writes_it() -> None:
    ask = _ask('Answer with only JSON: {"findings": [{"path": "a"}]}', "x.py:3 is wrong")
    text, thinking = _said("demo-leaky-think", ask)
    assert json.loads(text)["findings"]
    assert "{}" in thinking
    _, other = _said("demo-thinker", ask)
    assert "{}" not in other


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("The first codeword is abc-1. The second codeword is def-2. Which codewords?", "abc-1"),
        ("The codeword is abc-1. Which codeword was it?", "abc-1"),
    ],
)
def test_one_codeword_or_all_of_them(question: str, answer: str) -> None:
    text, _ = _said("demo-plain", _ask("You answer.", question))
    assert answer in text
    assert ("def-2" in text) is ("codewords" in question)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("self.store.put(job.key) in lib/a.py", ["lib/a.py"]),
        ("read README.md and x/y/z.weird, not job.payload", ["README.md", "x/y/z.weird"]),
        ("Makefile", ["Makefile"]),
    ],
)
def test_a_dotted_name_is_no_path(text: str, paths: list[str]) -> None:
    assert _paths(text) == paths
