"""Models that a server lists and does not run: what is sent to them leaves it.

Ollama passes requests for its cloud models on to another host; a model's own page or tag names it
(``remote_host``, ``remote_model`` in ollama/ollama ``api/types.go``), and by its ``docs/cloud.mdx``
their names end in ``:cloud`` or ``-cloud``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.discover.facts import Model
    from core.discover.rows import Facts

FACT: Final = "elsewhere"
_BY_NAME: Final = re.compile(r"[-:]cloud\Z", re.IGNORECASE)
_NOTE: Final = "runs in Ollama's cloud, not on this server"


def cloud_by_name(model_id: str) -> bool:
    """Whether the id is spelled like those of Ollama's cloud models: no proof, but reason enough
    not to send it anything that nobody asked to send."""
    return _BY_NAME.search(model_id) is not None


def add_elsewhere(facts: Facts, model_id: str, host: str, remote_model: str) -> None:
    """Note that a model runs in Ollama's cloud: the server's word for it, else its name's."""
    if host or remote_model:
        facts.add(FACT, host or remote_model, _NOTE)
        facts.add("upstream", host or remote_model, _NOTE)
    elif cloud_by_name(model_id):
        facts.add(FACT, True, f"by its name it {_NOTE}", "pattern")


def goes_elsewhere(model: Model) -> bool:
    """Whether what is sent to the model leaves its server, as far as that is known."""
    return model.value(FACT) not in {None, False}


def staying(models: Iterable[Model]) -> list[Model]:
    """Those that nothing says of that they run elsewhere."""
    return [model for model in models if not goes_elsewhere(model)]
