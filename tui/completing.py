"""What the shell may complete beside commands and options: names that the nearest file holds.

Nothing is asked of any server, and no keyring is opened; a file that cannot be read completes
nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

    from core.warden.config import Config


def complete_provider(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The providers of the file."""
    names = (provider.name for provider in _config(ctx).providers)
    return [name for name in names if name.startswith(incomplete)]


def complete_selector(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """``provider/model-id`` of every model that the file declares."""
    config = _config(ctx)
    return [
        selector
        for provider in config.providers
        for model in provider.models
        if (selector := f"{provider.name}/{model.id}").startswith(incomplete)
    ]


def complete_model(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The model ids that the chosen provider declares, else those of all."""
    chosen = ctx.params.get("provider")
    return [
        model.id
        for provider in _config(ctx).providers
        if chosen in (None, provider.name)
        for model in provider.models
        if model.id.startswith(incomplete)
    ]


def _config(ctx: click.Context) -> Config:
    from core.errors import TurnkeyError
    from core.warden.config import Config
    from core.warden.document import find_config, load

    named: object = ctx.params.get("config")
    path = Path(named) if isinstance(named, str) else find_config(Path.cwd())
    try:
        return Config() if path is None else load(path).config()
    except (TurnkeyError, OSError):
        return Config()
