"""The good models hold a tool loop over a small planted repository."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import pytest

from core.demo.answers import say
from core.demo.tooluse import next_calls
from tests.core.demo.helpers import TOOLS, ask, model, offer, system, user

REPOSITORY = {
    "README.md": "# Ledger\n\nA small ledger. See src for the code.",
    "pyproject.toml": '[project]\nname = "ledger"',
    "src/pages.py": (
        "def pages(total, size):\n"
        "    # leaves out the last page\n"
        "    return [page(n) for n in range(1, total // size)]\n"
    ),
    "src/money.py": "def add_tax(amount):\n    return amount * 1.19\n",
    "docs/release.md": "The release codename is BLUE-HERON-7.\nShipped on a Tuesday.",
}


def run_tool(name: str, arguments: dict[str, Any]) -> str:
    path = str(arguments.get("path", ".")).removeprefix("./")
    if name == "read":
        return REPOSITORY.get(path, f"Error: no such file: {path}")
    if name == "ls":
        prefix = "" if path in {".", ""} else path + "/"
        inside = [name.removeprefix(prefix) for name in REPOSITORY if name.startswith(prefix)]
        return "\n".join(sorted({re.sub(r"/.*", "/", entry) for entry in inside}))
    pattern = str(arguments["pattern"])
    if name == "find":
        return "\n".join(name for name in REPOSITORY if fnmatch.fnmatch(name, pattern))
    return "\n".join(
        f"{name}:{number}: {line}"
        for name, text in REPOSITORY.items()
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    )


def loop(
    question: str, names: tuple[str, ...] = ("read", "grep", "find", "ls"), rules: str = ""
) -> tuple[list[tuple[str, dict[str, Any]]], str]:
    """Calls made, and the answer, as Warden's agent lane would drive it."""
    messages: list[dict[str, Any]] = [system(rules or "You review code."), user(question)]
    made: list[tuple[str, dict[str, Any]]] = []
    for turn in range(12):
        said = say(ask(*messages, tools=offer(names)), model())
        if not said.calls:
            return made, said.text
        calls = [
            {
                "id": f"c{turn}_{place}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for place, call in enumerate(said.calls)
        ]
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
        for given, call in zip(calls, said.calls, strict=True):
            arguments = json.loads(call.arguments)
            _valid(call.name, arguments)
            made.append((call.name, arguments))
            messages.append(
                {
                    "role": "tool",
                    "tool_call_id": given["id"],
                    "content": run_tool(call.name, arguments),
                }
            )
    raise AssertionError("the loop never ended")


def _valid(name: str, arguments: dict[str, Any]) -> None:
    schema: dict[str, Any] = TOOLS[name]
    assert set(schema.get("required", ())) <= set(arguments) <= set(schema["properties"])


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("Look into this repository and tell me the release codename.", "BLUE-HERON-7"),
        ("Read docs/release.md and tell me the codename.", "BLUE-HERON-7"),
        ("Which tax rate does `add_tax` use? Find it in the code.", "1.19"),
        ("Review src/pages.py: is there a bug in the last page?", "range(1, total // size)"),
        ("Find the bug in the paging function of this repository.", "range(1, total // size)"),
    ],
)
def test_the_planted_fact_is_found_and_quoted(question: str, fact: str) -> None:
    made, answer = loop(question)
    assert fact in answer
    assert made


@pytest.mark.parametrize(
    "names", [("read", "ls"), ("read", "find"), ("read", "grep"), ("grep",), ("ls", "read", "grep")]
)
def test_it_manages_with_fewer_tools(names: tuple[str, ...]) -> None:
    made, answer = loop("Look into the repository: what is its release codename?", names)
    assert {name for name, _ in made} <= set(names)
    assert "BLUE-HERON-7" in answer


def test_a_file_that_points_to_another_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REPOSITORY, "START.md", "The answer is in deep/er/facts.txt")
    monkeypatch.setitem(REPOSITORY, "deep/er/facts.txt", "The colour is heliotrope.")
    made, answer = loop("Read START.md and tell me the colour.")
    assert [arguments["path"] for _, arguments in made] == ["START.md", "deep/er/facts.txt"]
    assert "heliotrope" in answer


def test_the_first_call_reads_what_the_question_names() -> None:
    made, _ = loop("Read src/money.py")
    assert made == [("read", {"path": "src/money.py"})]


def test_nothing_is_asked_twice() -> None:
    made, _ = loop("Review the code of this repository for bugs.")
    asked = [json.dumps(call) for call in made]
    assert len(asked) == len(set(asked)) > 3


def test_a_missing_file_does_not_end_in_a_loop() -> None:
    made, answer = loop("Read nowhere.txt")
    assert made == [("read", {"path": "nowhere.txt"})]
    assert "no such file" in answer


def test_an_agent_that_must_answer_in_json_does_so_after_looking() -> None:
    rules = 'Return only JSON: {"findings": [{"path": "x", "line": 1, "title": "text"}]}'
    made, answer = loop("Review src/pages.py for a bug in the last page.", rules=rules)
    (finding,) = json.loads(answer)["findings"]
    assert made
    assert finding["path"] == "src/pages.py"


@pytest.mark.parametrize("question", ["hello", "What do you think of Mondays?"])
def test_no_tool_is_called_for_small_talk(question: str) -> None:
    assert next_calls(ask(user(question), tools=offer())) == ()


def test_two_files_are_read_at_once_unless_parallel_calls_are_off() -> None:
    question = user("Read a.py and src/b.py")
    both = next_calls(ask(question, tools=offer()))
    assert [call.arguments for call in both] == ['{"path":"a.py"}', '{"path":"src/b.py"}']
    assert len(next_calls(ask(question, tools=offer(), parallel_tool_calls=False))) == 1


def test_the_choice_of_tools_is_obeyed() -> None:
    hello = user("hello")
    assert next_calls(ask(user("Read a.py"), tools=offer(), tool_choice="none")) == ()
    assert len(next_calls(ask(hello, tools=offer(), tool_choice="required"))) == 1
    named = {"type": "function", "function": {"name": "grep"}}
    (call,) = next_calls(ask(hello, tools=offer(), tool_choice=named))
    assert call.name == "grep"


def test_another_tool_gets_arguments_that_its_schema_takes() -> None:
    parameters = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"enum": ["C", "F"]},
            "days": {"type": "integer", "minimum": 2},
            "note": {"type": ["string", "null"]},
        },
        "required": ["city", "unit", "days", "note"],
    }
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": parameters}}
    (call,) = next_calls(ask(user("weather in Graz"), tools=[tool]))
    assert json.loads(call.arguments) == {
        "city": "weather in Graz",
        "unit": "C",
        "days": 2,
        "note": None,
    }


def test_tools_of_other_kinds_are_left_alone() -> None:
    custom = {"type": "custom", "custom": {"name": "patch", "format": {"type": "grammar"}}}
    assert next_calls(ask(user("Read a.py"), tools=[custom])) == ()
