"""Which ``warden.toml`` is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.warden.locate import find_config, new_config_path, repository_root


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "a" / "b").mkdir(parents=True)
    return tmp_path / "repo"


def test_the_nearest_one_wins(repository: Path) -> None:
    (repository / "warden.toml").touch()
    assert find_config(repository / "a" / "b") == repository / "warden.toml"
    (repository / "a" / "warden.toml").touch()
    assert find_config(repository / "a" / "b") == repository / "a" / "warden.toml"


def test_nothing_above_the_repository_is_looked_at(repository: Path) -> None:
    (repository.parent / "warden.toml").touch()
    assert find_config(repository / "a") is None
    assert new_config_path(repository / "a") == repository / "warden.toml"


def test_a_worktree_has_a_file_for_its_root(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: elsewhere\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "warden.toml").touch()
    assert find_config(tmp_path / "sub") == tmp_path / "warden.toml"


def test_outside_a_repository_only_this_folder_counts(tmp_path: Path) -> None:
    if repository_root(tmp_path) is not None:
        pytest.skip("the temporary folder lies in a repository")
    (tmp_path / "sub").mkdir()
    (tmp_path / "warden.toml").touch()
    assert find_config(tmp_path) == tmp_path / "warden.toml"
    assert find_config(tmp_path / "sub") is None
    assert new_config_path(tmp_path / "sub") == tmp_path / "sub" / "warden.toml"


def test_a_file_that_may_not_be_looked_at_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_symlink", refused)
    monkeypatch.setattr(Path, "exists", refused)
    assert find_config(tmp_path) == tmp_path / "warden.toml"
