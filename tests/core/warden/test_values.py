"""Parsed values compared strictly, and changed by copying."""

from __future__ import annotations

import pytest

from core.warden.values import same, value_at, with_value, without


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1, True),
        (1, 1.0, False),
        (1, True, False),
        (float("nan"), float("nan"), True),
        (float("nan"), 1.0, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1, 2], [2, 1], False),
        ([{"a": [1.5]}], [{"a": [1.5]}], True),
    ],
)
def test_same(one: object, other: object, expected: bool) -> None:
    assert same(one, other) is expected


def test_a_change_leaves_the_original_alone() -> None:
    data: dict[str, object] = {"a": {"b": 1}, "c": [{"d": 1}]}
    assert with_value(data, ("a", "x", "y"), 2) == {
        "a": {"b": 1, "x": {"y": 2}},
        "c": [{"d": 1}],
    }
    assert with_value(data, ("c", 0, "d"), 2) == {"a": {"b": 1}, "c": [{"d": 2}]}
    assert without(data, ("a", "b")) == {"a": {}, "c": [{"d": 1}]}
    assert without(data, ("a", "b"), prune=1) == {"c": [{"d": 1}]}
    assert without(data, ("nothing", "here")) == data
    assert data == {"a": {"b": 1}, "c": [{"d": 1}]}


@pytest.mark.parametrize("path", [("c", 1, "d"), ("c", "d"), ("a", "b", "z")])
def test_a_path_through_something_else_is_an_error(path: tuple[str | int, ...]) -> None:
    with pytest.raises(KeyError):
        with_value({"a": {"b": 1}, "c": [{"d": 1}]}, path, 1)
    assert value_at({"a": {"b": 1}, "c": [{"d": 1}]}, path) is None
