"""A file of the old kind, with [[triggers]] at its top, is explained and never edited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.errors import ConfigProblem
from core.warden.config import ModelEntry, Provider
from core.warden.document import parse
from core.warden.edits import add_provider, remove_provider, rename_provider, set_key
from core.warden.lane_edits import set_lane, unset_lane

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.warden.document import Document

OLD = b"""\
version = 1

[[triggers]]
name = "x"

[defaults.agent]
model = "a/b"

[defaults.providers.a]
baseUrl = "http://127.0.0.1:1/v1"
models = [{ id = "b" }]
"""
NEW = Provider(name="n", base_url="http://127.0.0.1:2/v1", models=(ModelEntry(id="m"),))


@pytest.mark.parametrize(
    "edit",
    [
        lambda file: add_provider(file, NEW),
        lambda file: remove_provider(file, "a"),
        lambda file: rename_provider(file, "a", "c"),
        lambda file: set_lane(file, "agent", "a/c"),
        lambda file: unset_lane(file, "agent"),
        lambda file: set_key(file, ("defaults", "failOn"), "high"),
    ],
    ids=["add", "remove", "rename", "set lane", "unset lane", "set key"],
)
def test_old_format_is_not_edited(edit: Callable[[Document], Document]) -> None:
    file = parse(Path("warden.toml"), OLD, OLD)
    with pytest.raises(ConfigProblem, match=r"cannot make this change") as refused:
        edit(file)
    assert "[[triggers]]" in refused.value.fault.why
