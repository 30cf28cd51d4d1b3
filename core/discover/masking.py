"""A key that a server sends back is masked, wherever in a discovery it put it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.errors import Fault

if TYPE_CHECKING:
    from core.discover.facts import Discovery, Fact, Model
    from core.keys.secret import Secret


def masked(found: Discovery, key: Secret) -> Discovery:
    """``found`` without ``key``, in any of its spellings. Pure.

    A server knows the key that it was sent, and may name a model after it.
    """
    whole = msgspec.json.encode(found).decode()
    if key.redact(whole) == whole:
        return found
    mask = key.redact
    end = found.endpoint
    return msgspec.structs.replace(
        found,
        endpoint=msgspec.structs.replace(
            end, version=None if end.version is None else mask(end.version)
        ),
        models=tuple(_model(model, key) for model in found.models),
        warnings=tuple(_fault(fault, key) for fault in found.warnings),
        error=None if found.error is None else _fault(found.error, key),
    )


def _fault(fault: Fault, key: Secret) -> Fault:
    mask = key.redact
    return Fault(fault.code, mask(fault.what), mask(fault.why), mask(fault.fix))


def _model(model: Model, key: Secret) -> Model:
    facts = {name: _fact(fact, key) for name, fact in model.facts.items()}
    return msgspec.structs.replace(model, id=key.redact(model.id), facts=facts)


def _fact(fact: Fact, key: Secret) -> Fact:
    value = key.redact(fact.value) if isinstance(fact.value, str) else fact.value
    return msgspec.structs.replace(fact, value=value, note=key.redact(fact.note))
