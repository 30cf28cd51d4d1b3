"""A file as read: what is said when it cannot be, and where everything stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import ConfigProblem
from core.warden.document import empty, load, load_or_empty, parse
from tests.core.warden.shapes import MARK, NAME, SAMPLES, document

if TYPE_CHECKING:
    from pathlib import Path

    from core.warden.scan import KeyPath


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"version = 1\nname = \n", "line 2, column 8"),
        (b"version = 1\r\nname = \r\n", "line 2, column 8"),
        (MARK + b"a = 1\na = 2\n", "line 2, column 6"),
        (b"[a]\n[a]\n", "line 2, column 3"),
        (b'a = "x', "line 1, column 7 (its end)"),
        (b"a = [1,\n 2", "line 2, column 3 (its end)"),
        (b"a = 1\rb = 2\n", "line 1, column 6"),
        ("a = 'é'\nb = '".encode() + b"\xff'\n", "line 2, column 6"),
        ("# é\n".encode("utf-16"), "line 1, column 1"),
    ],
)
def test_where_it_is_not_toml_is_said(raw: bytes, place: str) -> None:
    with pytest.raises(ConfigProblem) as caught:
        parse(NAME, raw, raw)
    fault = caught.value.fault
    assert fault.code == "config_unreadable"
    assert place in fault.what
    assert "warden.toml" in fault.what
    assert fault.fix
    assert caught.value.exit_code == 3


def test_nesting_without_end_is_an_error_in_words() -> None:
    with pytest.raises(ConfigProblem) as caught:
        document("a = " + "[" * 100_000 + "]" * 100_000)
    assert "nested too deeply" in caught.value.fault.what


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem) as caught:
        load(tmp_path / "warden.toml")
    assert caught.value.fault.code == "config_unreadable"
    new = load_or_empty(tmp_path / "warden.toml")
    assert new == empty(tmp_path / "warden.toml")
    assert (new.exists, new.digest, new.changed) == (False, None, False)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem) as caught:
        load(tmp_path)
    assert "is not a file" in caught.value.fault.what


def test_a_loaded_file_knows_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "warden.toml"
    path.write_bytes(MARK + b"version = 1\r\n")
    one = load(path)
    assert one.exists
    assert one.text == "version = 1\r\n"
    assert one.newline == "\r\n"
    assert one.data() == {"version": 1}
    assert one.config().version == 1
    assert one.with_text("version = 1 # x\r\n").raw == MARK + b"version = 1 # x\r\n"


@pytest.mark.parametrize(
    ("sample", "path", "place"),
    [
        ("lanes as tables", ("version",), (1, 1)),
        ("lanes as tables", ("defaults",), (3, 2)),
        ("lanes as tables", ("defaults", "agent", "model"), (9, 1)),
        ("lanes as tables", ("skills", 0), (22, 3)),
        ("lanes as tables", ("skills", 0, "paths", 1), (27, 3)),
        ("lanes as tables", ("skills", 0, "triggers", 0, "type"), (31, 1)),
        ("inline lanes", ("defaults", "agent", "maxTurns"), (3, 26)),
        ("dotted at the top", ("defaults", "agent", "maxTurns"), (4, 22)),
        ("dotted in defaults", ("defaults", "providers", "old", "models", 0, "id"), (6, 30)),
        ("provider tables", ("defaults", "providers", "old", "models", 1, "cost"), (17, 32)),
        ("provider tables", ("skills", 0, "triggers", 1, "model"), (31, 1)),
        ("version only", ("defaults",), None),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_where_a_key_stands(
    sample: str, path: KeyPath, place: tuple[int, int] | None, ending: str
) -> None:
    one = document(SAMPLES[sample].replace("\n", ending))
    assert one.position(path) == place
