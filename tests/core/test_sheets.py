"""Both layers edited at once: one step of undo, and what another program did to either of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import ConfigProblem
from core.warden.edits import rename_provider, rename_selectors, set_lane
from core.warden.save import Disk
from tests.core.desk import workspace_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.workspace import Workspace

REPO = """version = 1

[defaults.agent]
model = "org/m"
"""
BASE = """version = 1

[defaults.providers.org]
baseUrl = "http://gw.acme.lan:4000/v1"
models = [{ id = "m" }]
"""
RENAMED = BASE.replace("providers.org", "providers.house")
USED = REPO + '\n[defaults.auxiliary]\nmodel = "org/m"\n'
OWN = BASE.replace("org", "litellm")


@pytest.fixture
def both(tmp_path: Path) -> Workspace:
    return workspace_at(tmp_path, REPO, base=BASE)


def rename(both: Workspace) -> None:
    """The base layer's provider and the selectors that follow it, as the screens do it."""
    renamed = rename_provider(both.sheet("base"), "org", "house")
    both.edit_together({"base": renamed, "repo": rename_selectors(both.document, "org", "house")})


def use(both: Workspace) -> None:
    both.edit(set_lane(both.document, "auxiliary", "org/m"))


def layer_paths(both: Workspace) -> tuple[Path, Path]:
    return both.document.path, both.sheet("base").path


def test_an_edit_of_both_layers_is_one_step(both: Workspace) -> None:
    rename(both)
    assert (both.document.text, both.sheet("base").text) == (
        REPO.replace("org/", "house/"),
        RENAMED,
    )
    assert both.undo()
    assert not both.can_undo
    assert (both.document.text, both.sheet("base").text) == (REPO, BASE)
    assert both.redo()
    assert not both.can_redo
    assert both.sheet("base").text == RENAMED


@pytest.mark.parametrize(
    ("edit", "layer", "theirs"),
    [
        pytest.param(use, "base", RENAMED, id="they renamed what I begin to use"),
        pytest.param(use, "base", "version = 1\n", id="they removed what I begin to use"),
        pytest.param(rename, "repo", USED, id="I renamed what they begin to use"),
    ],
)
def test_what_the_other_layer_lost_is_a_conflict_and_nothing_is_written(
    both: Workspace, edit: Callable[[Workspace], None], layer: str, theirs: str
) -> None:
    edit(both)
    repo, base = layer_paths(both)
    (base if layer == "base" else repo).write_text(theirs)
    before = repo.read_text(), base.read_text()
    for act in (both.save, both.reload):
        with pytest.raises(ConfigProblem) as caught:
            act()
        assert caught.value.fault.code == "config_changed"
    assert (repo.read_text(), base.read_text()) == before
    assert both.unsaved


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(BASE + "\n[runner]\nconcurrency = 2\n", id="something else"),
        pytest.param(BASE + BASE.replace("version = 1\n", "").replace("org", "more"), id="more"),
        pytest.param("version = ", id="what cannot be read is not this save's affair"),
    ],
)
def test_a_change_of_the_other_layer_that_takes_nothing_away_stops_no_save(
    both: Workspace, theirs: str
) -> None:
    use(both)
    repo, base = layer_paths(both)
    base.write_text(theirs)
    both.save()
    assert (repo.read_text(), base.read_text()) == (USED, theirs)


def test_a_file_with_providers_of_its_own_needs_none_of_the_base(both: Workspace) -> None:
    both.edit(both.document.with_text(REPO.replace("org/", "litellm/") + OWN.partition("\n")[2]))
    both.edit(set_lane(both.document, "auxiliary", "litellm/m"))
    _, base = layer_paths(both)
    base.write_text(RENAMED)
    both.save()
    assert not both.unsaved


def test_a_file_that_warden_would_refuse_is_saved_all_the_same(both: Workspace) -> None:
    both.edit(both.document.with_text("defaults = 3\n"))
    _, base = layer_paths(both)
    base.write_text(RENAMED)
    both.save()
    assert both.document.path.read_text() == "defaults = 3\n"


def test_what_was_left_behind_already_is_no_conflict(both: Workspace) -> None:
    both.edit(both.document.with_text(REPO + "\n[runner]\nconcurrency = 2\n"))
    _, base = layer_paths(both)
    base.write_text(RENAMED)  # the saved agent names org by now, and that is not this edit's doing
    both.save()
    assert "concurrency" in both.document.path.read_text()


def test_neither_layer_is_written_where_the_other_has_changed(both: Workspace) -> None:
    rename(both)
    repo, base = layer_paths(both)
    base.write_text(BASE + "# theirs\n")
    with pytest.raises(ConfigProblem):
        both.save()
    assert (repo.read_text(), base.read_text()) == (REPO, BASE + "# theirs\n")
    both.reload()
    both.save()
    assert base.read_text() == RENAMED + "# theirs\n"
    assert repo.read_text() == REPO.replace("org/", "house/")


def test_a_base_layer_that_cannot_be_written_leaves_the_file_as_it_was(
    both: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(both)
    repo, base = layer_paths(both)
    create = Disk.create

    def refused(disk: Disk, path: Path, mode: int) -> int:
        if base.name in path.name:
            raise PermissionError(13, "no", str(path))
        return create(disk, path, mode)

    monkeypatch.setattr(Disk, "create", refused)
    with pytest.raises(ConfigProblem):
        both.save()
    assert (repo.read_text(), base.read_text()) == (REPO, BASE)


def test_a_base_layer_that_is_not_there_is_told_by_its_option(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem) as caught:
        workspace_at(tmp_path, REPO).open_base(tmp_path / "gone.toml")
    assert "--base" in caught.value.fault.fix
    assert "--config" not in caught.value.fault.fix
