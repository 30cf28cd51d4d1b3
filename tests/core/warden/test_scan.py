"""The layout scanner on TOML at large: Python's own test files, and the corners of the grammar."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.warden.edits import add_provider, remove_provider
from core.warden.scan import scan
from core.warden.values import same, value_at
from tests.core.warden.shapes import PLAIN, document

if TYPE_CHECKING:
    from core.warden.scan import KeyPath


def valid_files() -> list[Path]:
    """The valid files that the standard library tests tomllib with, where they are installed."""
    try:
        found = importlib.util.find_spec("test.test_tomllib")
    except ModuleNotFoundError:
        return []
    if found is None or found.origin is None:
        return []
    return sorted((Path(found.origin).parent / "data" / "valid").rglob("*.toml"))


@pytest.mark.parametrize("path", valid_files(), ids=lambda path: path.stem)
def test_every_value_of_a_valid_file_is_found(path: Path) -> None:
    raw = path.read_bytes()
    one = document(raw)
    assert one.with_text(one.text).raw == raw
    for where, spot in one.layout.spots.items():
        if spot.value is not None:
            written = one.text[spot.value.start : spot.value.end]
            value = tomllib.loads(f"x = {written}")["x"]
            assert same(value, value_at(one.data(), where))
    if one.text.strip() and "defaults" not in one.data():
        added = add_provider(one, PLAIN)
        assert remove_provider(document(added.raw), "plain").raw == raw


@pytest.mark.parametrize(
    ("text", "path", "written"),
    [
        ('a = """""" # x', ("a",), '""""""'),
        ('a = """"x"""""', ("a",), '""""x"""""'),
        ("a = '''''''", ("a",), "'''''''"),
        ('a = "\\"#" # x', ("a",), '"\\"#"'),
        ("a=1#x", ("a",), "1"),
        ("a = 1979-05-27 07:32:00.5-07:00 # x", ("a",), "1979-05-27 07:32:00.5-07:00"),
        ("a = 1979-05-27 # x", ("a",), "1979-05-27"),
        ("a = [ 1979-05-27, 07:32:00 ]", ("a", 1), "07:32:00"),
        ("a = [\n# ]\n1 # ]\n, 2 ]", ("a", 1), "2"),
        ("a = [[1], [2, {b = [3]}]]", ("a", 1, 1, "b", 0), "3"),
        ("a . \"b.c\" . 'd' = {e.f=1}", ("a", "b.c", "d", "e", "f"), "1"),
        ('"\\u00e9" = 1', ("é",), "1"),
        ("[a]\n[[a.b]]\n[[a.b]]\n[a.b.c]\nd = 1", ("a", "b", 1, "c", "d"), "1"),
        ("[[a]]\n[[a.b]]\n[[a]]\n[[a.b]]\nc = 1", ("a", 1, "b", 0, "c"), "1"),
        ("a = []", ("a",), "[]"),
        ("a = { }", ("a",), "{ }"),
    ],
)
def test_corners_of_the_grammar(text: str, path: KeyPath, written: str) -> None:
    assert tomllib.loads(text)
    value = scan(text).spots[path].value
    assert value is not None
    assert text[value.start : value.end] == written


def test_what_is_not_toml_ends_in_an_error() -> None:
    for text in ("a", "a = ", "[a", "a = [1 2]", "= 1", "a = {b}"):
        with pytest.raises(ValueError, match="cannot be followed"):
            scan(text)
