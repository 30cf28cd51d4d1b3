"""What discovery finds: an endpoint, its models, and what is known of each, with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from core.errors import Fault

Source = Literal["server", "catalogue", "pattern", "default"]
"""Who says a fact: the server itself, a gateway's price list, the model's name, or nobody."""

Kind = Literal["chat", "embedding", "rerank", "audio", "image", "other", "unknown"]

Value = int | float | bool | str | None


class Fact(msgspec.Struct, frozen=True):
    """One thing known of a model. A guess is never of source ``server``."""

    value: Value
    source: Source
    note: str = ""
    """What to know about it, in words: «the smallest of 3 deployments»."""


class Model(msgspec.Struct, frozen=True):
    """One model as an endpoint lists it."""

    id: str
    """Verbatim: foreign text, to be made visible before it is shown."""
    kind: Kind
    """Taken for ``chat`` where nothing says otherwise; the fact ``kind`` has the source."""
    facts: dict[str, Fact]
    """By name; absent when nobody says.

    Tokens: ``context_window``, ``max_output_tokens``, and ``context_ceiling``, which is what the
    model could do if it were loaded so. Booleans: ``image_input``, ``tools``, ``reasoning``,
    ``loaded``. US dollars per million tokens: ``input_cost``, ``output_cost``,
    ``cache_read_cost``, ``cache_write_cost``. Text: ``kind``, ``upstream`` (what stands behind a
    proxy's name), ``wildcard`` (the entry of a proxy that serves the id). ``elsewhere``: present
    where what is sent to the model leaves its server; the host it goes to, or true.
    """

    def value(self, name: str) -> Value:
        """The value of a fact, None when it is absent."""
        fact = self.facts.get(name)
        return None if fact is None else fact.value


class EndpointInfo(msgspec.Struct, frozen=True):
    """What answers, and where."""

    base_url: str
    origin: str
    dialect: str
    """One of the presets' words; ``generic`` when no other was recognised."""
    version: str | None


class Discovery(msgspec.Struct, frozen=True):
    """Everything one look at an endpoint found. A failure is in it, never raised."""

    endpoint: EndpointInfo
    models: tuple[Model, ...]
    warnings: tuple[Fault, ...]
    error: Fault | None
    reachable: bool | None
    """Whether anything answered by HTTP."""
    authorised: bool | None
    """Whether the key (or none) was let in; None when that did not come to light."""
    changes: tuple[str, ...]
    """What was changed in the URL that was typed, in words."""
    seconds: float
