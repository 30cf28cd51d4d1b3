"""The four tools over a planted repository."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.verify.trials.planted import mentions, named, plant
from core.verify.trials.tools import TOOLS, arguments_of, matcher, run_tool

FILES = {
    "README.md": "# A\n\nHello.\n",
    "src/a.py": "def one():\n    return 1\n\n\ndef two():\n    return ONE + 1\n",
    "src/deep/b.toml": 'seal = "x-1-y"\n',
    "empty.txt": "",
}


@pytest.mark.parametrize(
    ("name", "given_", "expected"),
    [
        ("read", {"path": "src/a.py", "limit": 2}, "def one():\n    return 1\n\n[4 more lines."),
        ("read", {"path": "./src/../src/a.py", "offset": 6}, "    return ONE + 1"),
        ("read", {"path": "/src/a.py", "offset": "5", "limit": 1}, "def two():"),
        ("read", {"path": "empty.txt"}, "(empty file)"),
        ("read", {"path": "src/a.py", "offset": 99}, "Offset 99 is beyond"),
        ("read", {"path": "src"}, "src is a folder"),
        ("read", {"path": "../../etc/passwd"}, "File not found: etc/passwd"),
        ("grep", {"pattern": "def \\w+"}, "src/a.py:1: def one():\nsrc/a.py:5: def two():"),
        ("grep", {"pattern": "one", "ignoreCase": True, "limit": 1}, "src/a.py:1: def one():"),
        ("grep", {"pattern": "ONE", "context": 1}, "src/a.py-5- def two():\nsrc/a.py:6:"),
        ("grep", {"pattern": "(", "path": "src"}, "src/a.py:1: def one():"),
        ("grep", {"pattern": "def", "glob": "*.toml"}, "No matches found"),
        ("grep", {"pattern": "x", "path": "gone"}, "Path not found: gone"),
        ("grep", {"pattern": "seal", "path": "src/deep"}, 'src/deep/b.toml:1: seal = "x-1-y"'),
        ("find", {"pattern": "*.toml"}, "src/deep/b.toml"),
        ("find", {"pattern": "**/*.py", "path": "src"}, "a.py"),
        ("find", {"pattern": "*.rs"}, "No files found"),
        ("ls", {}, "empty.txt\nREADME.md\nsrc/"),
        ("ls", {"path": "src"}, "a.py\ndeep/"),
        ("ls", {"path": "README.md"}, "Not a directory"),
        ("ls", {"path": None}, "empty.txt"),
    ],
)
def test_a_call_gives(name: str, given_: dict[str, object], expected: str) -> None:
    result = run_tool(FILES, name, json.dumps(given_))
    assert result.valid
    assert result.text.startswith(expected)


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("read", "{}", "path is missing"),
        ("read", '{"path":["a"]}', "path is an array, not string"),
        ("read", '{"path":"a","limit":"many"}', "limit is text, not number"),
        ("grep", '{"path":"src"}', "pattern is missing"),
        ("write", '{"path":"a"}', "a tool that was not offered"),
        ("read", '{"path":', "arguments that are no JSON object"),
        ("read", "[1]", "arguments that are no JSON object"),
        ("ls", '{"path":{}}', "path is an object, not string"),
    ],
)
def test_a_call_that_pi_would_refuse_says_why(name: str, arguments: str, problem: str) -> None:
    result = run_tool(FILES, name, arguments)
    assert not result.valid
    assert result.problem == problem


@given(st.sampled_from([*(tool.name for tool in TOOLS), "other"]), st.text(max_size=60))
def test_no_arguments_make_a_tool_raise(name: str, arguments: str) -> None:
    assert run_tool(FILES, name, arguments).text


@given(
    st.sampled_from([tool.name for tool in TOOLS]),
    st.dictionaries(
        st.sampled_from(["path", "pattern", "glob", "offset", "limit", "context", "literal"]),
        st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.booleans(), st.none()),
    ),
)
def test_no_values_make_a_tool_raise(name: str, given_: dict[str, object]) -> None:
    assert run_tool(FILES, name, json.dumps(given_)).text


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|aa)+$", "(.*)*x", "a*a*a*a*a*b", "(?:a{1,99}){1,99}b", "(" * 150, "[" * 150],
)
def test_no_pattern_of_a_model_takes_long(pattern: str) -> None:
    files = {f"{number}.txt": "a" * 300 + "\n" for number in range(20)}
    began = time.process_time()
    assert run_tool(files, "grep", json.dumps({"pattern": pattern})).text
    assert run_tool(files, "find", json.dumps({"pattern": pattern * 3})).text
    assert time.process_time() - began < 2.0


def test_a_pattern_that_is_none_is_taken_for_its_longest_word() -> None:
    fits = matcher("settings(", literal=False, ignore_case=False)
    assert fits("rules = settings(name)")
    assert not fits("rules = other(name)")


@pytest.mark.parametrize("text", ["", "  ", "{}", '{"a": 1}'])
def test_empty_arguments_are_an_empty_object(text: str) -> None:
    assert arguments_of(text) is not None


# ---------------------------------------------------------------------------- the repository


@given(st.integers(0, 2**64))
def test_the_fact_is_found_by_following_the_files_and_never_told(seed: int) -> None:
    planted = plant(seed)
    assert not mentions(planted.question, planted.fact)
    holding = [path for path, text in planted.files.items() if mentions(text, planted.fact)]
    assert holding == [planted.place]
    assert planted.place in planted.files[planted.middle]
    assert planted.place not in planted.question
    assert planted.middle not in planted.question
    function = planted.question.partition("`")[2].partition("`")[0]
    where = run_tool(planted.files, "grep", json.dumps({"pattern": f"def {function}"}))
    assert where.text.startswith(f"{planted.middle}:")


@given(st.integers(0, 2**64))
def test_no_search_tells_which_of_the_values_it_is(seed: int) -> None:
    planted = plant(seed)
    found = run_tool(planted.files, "grep", '{"pattern": "seal"}').text
    assert mentions(found, planted.fact)
    assert all(mentions(found, one) for one in planted.others)
    place = planted.files[planted.place]
    assert sum(mentions(place, one) for one in (planted.fact, *planted.others)) == 2
    assert named(place, planted) == named(found, planted) == "several"


def test_only_a_short_answer_with_the_one_value_gives_it() -> None:
    planted = plant(3)
    told = f"The seal is {planted.fact}, in {planted.place}."
    assert named(told, planted) == "fact"
    assert named(f"{told} Not {planted.others[0]}.", planted) == "several"
    assert named(told + " la" * 800, planted) == "several"
    assert named(f"It is {planted.others[2]}.", planted) == "other"
    assert named("I do not know.", planted) == "none"


def test_each_run_plants_another_fact() -> None:
    planted = [plant(seed) for seed in range(50)]
    assert len({one.fact for one in planted}) == 50
    assert plant(7) == plant(7)


@pytest.mark.parametrize(
    ("answer", "given_"),
    [
        ("The seal is `cobalt-1234-bc`.", True),
        ("Cobalt\u20111234\u2011BC in settings/x.toml", True),
        ("cobalt 1234", False),
        ("copper-1234-bc", False),
    ],
)
def test_a_fact_is_told_whatever_its_dashes(answer: str, given_: bool) -> None:
    assert mentions(answer, "cobalt-1234-bc") is given_
