"""Workspaces for tests of the core: a file in a folder, a keyring in memory, an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.workspace import Workspace, open_workspace
from tests.core.keys.fakes import Works, vault_at

if TYPE_CHECKING:
    from pathlib import Path

    from core.keys.backends import Backend
    from core.warden.config import Variant

GATEWAY: Final = """\
version = 1

[defaults.agent]
model = "litellm/qwen3"

[defaults.providers.litellm]
baseUrl = "https://gw.example/v1"

[[defaults.providers.litellm.models]]
id = "qwen3"
"""


def workspace_at(
    folder: Path,
    text: str | None = GATEWAY,
    *,
    env: dict[str, str] | None = None,
    backend: Backend | None = None,
    variant: Variant = "providers",
    base: str | None = None,
    state: Path | None = None,
) -> Workspace:
    """A workspace on ``warden.toml`` in ``folder``; ``text`` None: the file is not there."""
    path = folder / "warden.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    layer = None
    if base is not None:
        layer = folder / "base.toml"
        layer.write_text(base, encoding="utf-8")
    return open_workspace(
        path,
        env=env or {},
        vault=vault_at(folder, backend or Works()),
        variant=variant,
        state_folder=state,
        base=layer,
    )
