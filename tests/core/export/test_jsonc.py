"""One member set, every other byte kept, in files as people write them."""

from __future__ import annotations

import json
import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.export.jsonc import NotJson, parse, with_member

PATH: Final = ("providers", "mine")
VALUE: Final = {"baseUrl": "http://127.0.0.1:1/v1", "models": [{"id": "m"}]}

PEOPLES: Final = {
    "empty": "",
    "blank": " \n",
    "object": "{}",
    "no final newline": '{\n  "providers": {}\n}',
    "comment inside": '{\n  "providers": {\n    // none yet\n  }\n}\n',
    "another": '{\n  "providers": {\n    "other": {"apiKey": "$X"} // keep\n  }\n}\n',
    "trailing commas": '{\n\t"providers": {\n\t\t"other": {\n\t\t\t"a": [1,],\n\t\t},\n\t},\n}\n',
    "trailing comma, comment": '{\n  "providers": {\n    "other": 1, // one\n  },\n}\n',
    "one line": '{"providers": {"other": {"a": 1}}}',
    "CRLF": '{\r\n  "providers": {\r\n    "other": {}\r\n  }\r\n}\r\n',
    "mark": '\ufeff{\n  "$schema": "x",\n  "providers": {\n    "other": {}\n  }\n}\n',
    "mine is there": '{\n  "providers": {\n    "mine": {"old": 1}, // mine\n    "z": {}\n  }\n}\n',
    "twice": '{\n  "providers": {\n    "mine": 1,\n    "mine": 2\n  }\n}\n',
    "no providers": '{\n  "modelOverrides": {"a": "// no comment"}\n}\n',
}


def without_comments(text: str) -> object:
    """The text read by a reader of another making: comments and trailing commas cut out first."""
    kept = re.sub(r'("(?:[^"\\]|\\.)*")|//[^\r\n]*', lambda found: found[1] or "", text)
    kept = re.sub(r'("(?:[^"\\]|\\.)*")|,(\s*[}\]])', lambda f: f[1] or f[2], kept)
    return json.loads(kept.removeprefix("\ufeff") or "{}")


@pytest.mark.parametrize("name", PEOPLES)
def test_a_member_is_set_and_the_rest_stays(name: str) -> None:
    before = PEOPLES[name]
    after = with_member(before, PATH, VALUE)
    data, old = without_comments(after), without_comments(before.strip() or "{}")
    assert isinstance(data, dict)
    assert isinstance(old, dict)
    assert data["providers"]["mine"] == VALUE
    assert parse(after).data() == data
    assert {key: data[key] for key in old if key != "providers"} == {
        key: old[key] for key in old if key != "providers"
    }
    others = dict(old.get("providers", {}), mine=VALUE)
    assert data["providers"] == others
    for comment in re.findall(r"//[^\n\r\"]*", before):
        assert comment in after
    assert ("\r\n" in after) is ("\r\n" in before)
    assert after.count("\n") == after.count("\r\n") or "\r\n" not in before


@pytest.mark.parametrize("name", PEOPLES)
def test_setting_it_again_changes_nothing(name: str) -> None:
    once = with_member(PEOPLES[name], PATH, VALUE)
    assert with_member(once, PATH, VALUE) == once


def test_a_new_member_takes_the_indentation_of_its_siblings() -> None:
    after = with_member(PEOPLES["trailing commas"], PATH, {"a": 1})
    assert after == (
        '{\n\t"providers": {\n\t\t"other": {\n\t\t\t"a": [1,],\n\t\t},\n'
        '\t\t"mine": {\n\t\t  "a": 1\n\t\t},\n\t},\n}\n'
    )


@pytest.mark.parametrize(
    ("text", "why", "line"),
    [
        ("{", "too soon", 1),
        ('{"a": 1 "b": 2}', "comma", 1),
        ("{\n/* no */\n}", "name in quotes", 2),
        ("[1", "too soon", 1),
        ('{"a"}', "colon", 1),
        ("{'a': 1}", "name in quotes", 1),
        ('{"a": .5}', "value", 1),
        ('{"a": "\n"}', "string", 1),
        ("{} {}", "behind the end", 1),
        ('{"providers": []}', "no object", 1),
        ("[]", "no object", 1),
        ("[" * 500, "deeply", 1),
        pytest.param('{\n"a": ' + "9" * 5_000 + "}", "too long", 2, id="long number"),
    ],
)
def test_what_pi_could_not_read_is_refused_with_its_place(text: str, why: str, line: int) -> None:
    with pytest.raises(NotJson) as caught:
        with_member(text, PATH, VALUE)
    assert why in caught.value.why
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "path", "wanted"),
    [
        ('{"a": []}', ("a", 0), '{"a": [\n  1\n]}'),
        ('{"a": [7]}', ("a", 1), '{"a": [7, 1]}'),
        ('{"a": [\n  7, // x\n]}', ("a", 1), '{"a": [\n  7, // x\n  1,\n]}'),
        ('{"a": [\n  7 // x\n]}', ("a", 1), '{"a": [\n  7, // x\n  1\n]}'),
        ('{"a": [7, 8]}', ("a", 0), '{"a": [1, 8]}'),
        ('{"a": [{"b": 2}]}', ("a", 0, "c"), '{"a": [{"b": 2, "c": 1}]}'),
    ],
)
def test_an_item_of_a_list_is_set_or_goes_to_its_end(
    text: str, path: tuple[str | int, ...], wanted: str
) -> None:
    assert with_member(text, path, 1) == wanted


def test_a_number_needs_a_list() -> None:
    with pytest.raises(NotJson, match="a is no list"):
        with_member('{"a": {}}', ("a", 0), 1)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text(), JSON, max_size=4),
    st.sampled_from([None, 1, 2, "\t"]),
    st.booleans(),
    st.lists(st.text(), min_size=1, max_size=3),
    JSON,
)
def test_any_file_any_path(
    data: dict[str, object], indent: int | str | None, plain: bool, path: list[str], value: object
) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=plain)
    expected = json.loads(text)
    below = expected
    for key in path[:-1]:
        if isinstance(below, dict):
            below = below.setdefault(key, {})
    if not isinstance(below, dict):
        with pytest.raises(NotJson):
            with_member(text, path, value)
        return
    below[path[-1]] = value
    assert json.loads(with_member(text, path, value)) == expected
