"""From what an endpoint says of a model to what is written in ``warden.toml``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.warden.config import Cost, ModelEntry

if TYPE_CHECKING:
    from core.discover.facts import Model

_TOLD: Final = frozenset({"server", "catalogue"})


def model_entry(model: Model) -> ModelEntry:
    """The entry for ``model``: only what the server or its catalogue said is written.

    A pattern by name and a default stay out of the file: Warden's own defaults then hold, and
    nobody takes a guess for a limit. Costs are US dollars per million tokens, because Pi divides
    by a million (pi-ai ``models.js``); they are written when input and output are both known and
    one of them is not zero.
    """
    return ModelEntry(
        id=model.id,
        reasoning=_value(model, "reasoning") is True,
        input=("text", "image") if _value(model, "image_input") is True else ("text",),
        context_window=_count(model, "context_window"),
        max_tokens=_count(model, "max_output_tokens"),
        cost=_cost(model),
    )


def _value(model: Model, name: str) -> int | float | bool | str | None:
    fact = model.facts.get(name)
    return fact.value if fact is not None and fact.source in _TOLD else None


def _count(model: Model, name: str) -> int | None:
    value = _value(model, name)
    return value if isinstance(value, int) and value > 0 else None


def _price(model: Model, name: str) -> float | None:
    value = _value(model, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return round(float(value), 6)


def _cost(model: Model) -> Cost | None:
    given, taken = _price(model, "input_cost"), _price(model, "output_cost")
    if given is None or taken is None or not (given or taken):
        return None
    return Cost(
        input=given,
        output=taken,
        cache_read=_price(model, "cache_read_cost") or 0.0,
        cache_write=_price(model, "cache_write_cost") or 0.0,
    )
