"""Where turnkey keeps what is its own, on each platform (platformdirs, application ``turnkey``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def state_folder() -> Path:
    """The platform's state folder for turnkey: the key index (no values) and saved versions."""
    from platformdirs import user_state_path

    return user_state_path("turnkey", appauthor=False)


def settings_file() -> Path:
    """Where a person's own settings stand, in the platform's configuration folder."""
    from platformdirs import user_config_path

    return user_config_path("turnkey", appauthor=False) / "settings.toml"
