from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from core.paths import state_folder

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_state_folder_is_the_platforms_and_turnkeys_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = state_folder()
    assert folder.name == "turnkey"
    if sys.platform == "linux":
        assert folder == tmp_path / "turnkey"
        assert not folder.exists()  # asking makes nothing
