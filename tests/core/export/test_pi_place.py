"""Whether Pi's ``models.json`` is there and current, and what ``check`` says of it for stock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.export.gather import gather
from core.export.make import make_export
from core.export.pi_place import pi_note, pi_state
from core.warden.edits import set_key
from tests.core.desk import workspace_at
from tests.core.export.setups import setup
from tests.core.export.test_gather import FILE

if TYPE_CHECKING:
    from pathlib import Path

    from core.warden.config import Variant
    from core.workspace import Workspace


def notes(workspace: Workspace) -> list[str]:
    return [one.message for one in workspace.problems() if one.code == "pi_export"]


def at(folder: Path, variant: Variant = "stock", text: str = FILE) -> Workspace:
    return workspace_at(folder, text, variant=variant, env={"HOME": str(folder)})


def test_stock_is_told_of_a_file_that_is_missing_older_or_broken(tmp_path: Path) -> None:
    workspace = at(tmp_path)
    (told,) = notes(workspace)
    assert "models.json is not there" in told
    (found,) = (one for one in workspace.problems() if one.code == "pi_export")
    assert FILE.splitlines()[(found.line or 0) - 1] == "[defaults.providers.litellm]"
    place = tmp_path / ".pi" / "agent" / "models.json"
    place.parent.mkdir(parents=True)
    place.write_text(make_export(gather(workspace, "pi"), "pi", document=workspace.document).text)
    assert notes(workspace) == []
    path = ("defaults", "providers", "litellm", "baseUrl")
    workspace.edit(set_key(workspace.document, path, "https://gw2.example/v1"))
    (told,) = notes(workspace)
    assert "does not say what the config says now" in told
    place.write_bytes(b"\xff")
    (told,) = notes(workspace)
    assert "cannot be read" in told


def test_the_folder_that_the_environment_names_is_looked_at(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PI_CODING_AGENT_DIR": "~/scratch"}
    (told,) = notes(workspace_at(tmp_path, FILE, variant="stock", env=env))
    assert str(tmp_path / "scratch" / "models.json") in told


@pytest.mark.parametrize(
    ("variant", "text"), [("providers", FILE), ("stock", "version = 1\n"), ("stock", None)]
)
def test_others_are_told_nothing(tmp_path: Path, variant: Variant, text: str | None) -> None:
    assert notes(workspace_at(tmp_path, text, variant=variant, env={"HOME": str(tmp_path)})) == []


def test_it_is_a_note_and_names_the_command() -> None:
    assert pi_note("current", "x") is None
    assert pi_state(setup(), None) == "missing"
    for state in ("missing", "older", "unreadable"):
        found = pi_note(state, "/home/x/models.json")
        assert found is not None
        assert found.severity == "note"
        assert "/home/x/models.json" in found.message
