"""A ``warden.toml`` to play with: in a folder that goes away when the demo ends."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.demo.models import DEMO_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

_START: Final = """\
# A scratch warden.toml of turnkey's demo. It goes away when the demo ends.
version = 1

[[skills]]
name = "code-review"

[[skills.triggers]]
type = "pull_request"
actions = ["opened", "synchronize"]
"""

_CONFIGURED: Final = """
[defaults.agent]
model = "{name}/demo-plain"

[defaults.auxiliary]
model = "{name}/demo-plain"

[defaults.synthesis]
model = "{name}/demo-thinker"

[defaults.providers.{name}]
baseUrl = "{base_url}"

[[defaults.providers.{name}.models]]
id = "demo-plain"
contextWindow = 131072
maxTokens = 16384

[[defaults.providers.{name}.models]]
id = "demo-thinker"
reasoning = true
contextWindow = 131072
maxTokens = 32768
"""


def scratch_toml(base_url: str | None = None) -> str:
    """The text of a small ``warden.toml``.

    Without ``base_url`` it has a skill and no provider, as on the first day; with it the demo is
    its provider, and every lane has a model.
    """
    if base_url is None:
        return _START
    return _START + _CONFIGURED.format(name=DEMO_NAME, base_url=base_url)


def scratch_config(folder: Path, base_url: str | None = None) -> Path:
    """Writes :func:`scratch_toml` into ``folder``, which must exist; returns the file's path."""
    path = folder / "warden.toml"
    path.write_text(scratch_toml(base_url), encoding="utf-8", newline="\n")
    return path


@contextlib.contextmanager
def scratch(base_url: str | None = None) -> Iterator[Path]:
    """A scratch ``warden.toml`` in a temporary folder, deleted afterwards."""
    # some systems hold files open a moment longer; leaving one behind is no reason to fail
    with tempfile.TemporaryDirectory(prefix="turnkey-demo-", ignore_cleanup_errors=True) as folder:
        yield scratch_config(Path(folder), base_url)
