"""Settings: read with care, written without losing a comment."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import fields

from core.errors import ConfigProblem
from core.settings import MEANING, Settings, read_settings, write_setting

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "settings", "faults"),
    [
        ("", Settings(), 0),
        ('theme = "light"\nmouse = false\n', Settings(theme="light", mouse=False), 0),
        ('\ufefftheme = "contrast"\r\n', Settings(theme="contrast"), 0),
        ('theme = "pink"\nmouse = false\n', Settings(mouse=False), 1),
        ("mouse = 1\nthem = 2\n", Settings(), 2),
        ("theme = [", Settings(), 1),
        ("\x00", Settings(), 1),
    ],
)
def test_what_cannot_be_is_told_and_the_rest_holds(
    text: str, settings: Settings, faults: int, tmp_path: Path
) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(text.encode())
    found, told = read_settings(path)
    assert found == settings
    assert len(told) == faults
    for fault in told:
        assert fault.what
        assert fault.fix


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_no_file_is_no_fault(kind: str, tmp_path: Path) -> None:
    assert read_settings(tmp_path if kind == "folder" else tmp_path / "x") == (Settings(), ())


def test_a_setting_is_written_and_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "turnkey" / "settings.toml"
    write_setting(path, "theme", "light")
    path.write_text("# mine\n" + path.read_text() + "mouse = false # here\n")
    write_setting(path, "theme", "contrast")
    assert path.read_text() == '# mine\ntheme = "contrast"\nmouse = false # here\n'
    assert tomllib.loads(path.read_text()) == {"theme": "contrast", "mouse": False}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"theme = [", b"\xff"])
def test_a_file_that_cannot_be_read_is_not_overwritten(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigProblem):
        write_setting(path, "theme", "light")
    assert path.read_bytes() == content


def test_every_setting_is_explained() -> None:
    assert [field.name for field in fields(Settings)] == list(MEANING)
