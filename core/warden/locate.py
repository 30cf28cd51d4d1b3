"""Which file is «the» ``warden.toml``: this folder's, or the nearest parent's in the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CONFIG_NAME = "warden.toml"


def find_config(start: Path) -> Path | None:
    """The nearest ``warden.toml`` from ``start`` up to the repository's root, or ``None``.

    The root is the folder that holds ``.git`` (a folder, or a file in worktrees and submodules).
    Outside a repository only ``start`` is looked at: a file that happens to lie in a shared
    parent folder belongs to somebody else.
    """
    for folder in _folders(start):
        candidate = folder / CONFIG_NAME
        # A dangling link is found too: loading it then says what is wrong.
        # So is one that may not be looked at.
        if _may_exist(candidate):
            return candidate
    return None


def new_config_path(start: Path) -> Path:
    """Where a ``warden.toml`` would be created: the repository's root, else ``start``.

    Warden's command line reads the file of the repository's root when it is told no other.
    """
    return _folders(start)[-1] / CONFIG_NAME


def repository_root(start: Path) -> Path | None:
    """The folder that holds ``.git``, at ``start`` or above it."""
    folder = start.absolute()
    for one in (folder, *folder.parents):
        if _exists(one / ".git"):
            return one
    return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _may_exist(path: Path) -> bool:
    try:
        return path.is_symlink() or path.exists()
    except OSError:
        return True


def _folders(start: Path) -> tuple[Path, ...]:
    folder = start.absolute()
    root = repository_root(folder)
    if root is None:
        return (folder,)
    chain = (folder, *folder.parents)
    return chain[: chain.index(root) + 1]
