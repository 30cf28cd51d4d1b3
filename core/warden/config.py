"""What a ``warden.toml`` says, as typed values: the read that lanes, keys and exports rest on.

The reader is tolerant. A value of a wrong type is left out here and named by
:mod:`core.warden.problems`, so that a file which Warden would refuse can still be shown, resolved
and repaired. A string stays as it is written: ``""`` is kept, since a lane's chain tells the
reader that it counts as unset.

Source of the shape: getsentry/warden ``config/schema.ts`` and ``sdk/runtimes/custom-provider.ts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Variant = Literal["providers", "stock"]
"""Which Warden will read the file: the one that reads ``[defaults.providers]``, or merged Warden,
which drops that block in silence."""


class Cost(msgspec.Struct, frozen=True):
    """What tokens cost, in US dollars per **million** tokens.

    Warden's schema comment says per token; Pi divides by a million, so per million is what works.
    """

    input: float = 0.0
    output: float = 0.0
    cache_read: float = 0.0
    cache_write: float = 0.0


class ModelEntry(msgspec.Struct, frozen=True):
    """One entry of ``[[defaults.providers.<name>.models]]``."""

    id: str
    """Goes to the endpoint verbatim; may hold ``/`` and ``:``."""
    name: str | None = None
    reasoning: bool = False
    input: tuple[str, ...] = ("text",)
    context_window: int | None = None
    """Tokens; Warden takes 128000 when unset."""
    max_tokens: int | None = None
    """Tokens; Warden takes 8192 when unset."""
    cost: Cost | None = None


class Provider(msgspec.Struct, frozen=True):
    """One ``[defaults.providers.<name>]`` table."""

    name: str
    base_url: str
    """As written in the file; not normalised."""
    api: str | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """Values are Pi's small language (``$NAME``, ``!command``): data here, never resolved."""
    api_key_env: str | None = None
    models: tuple[ModelEntry, ...] = ()


class Trigger(msgspec.Struct, frozen=True):
    """One ``[[skills.triggers]]`` entry, as far as models are concerned."""

    type: str | None = None
    model: str | None = None
    actions: tuple[str, ...] = ()
    verification_enabled: bool | None = None


class Skill(msgspec.Struct, frozen=True):
    """One ``[[skills]]`` entry, as far as models are concerned."""

    name: str | None = None
    remote: str | None = None
    model: str | None = None
    verification_enabled: bool | None = None
    triggers: tuple[Trigger, ...] = ()


class Defaults(msgspec.Struct, frozen=True):
    """The ``[defaults]`` table, as far as models are concerned. ``None``: not in the file."""

    runtime: str | None = None
    model: str | None = None
    """The legacy spelling of ``agent.model``."""
    agent_model: str | None = None
    agent_effort: str | None = None
    agent_max_turns: int | None = None
    auxiliary_model: str | None = None
    auxiliary_effort: str | None = None
    auxiliary_max_retries: int | None = None
    synthesis_model: str | None = None
    verification_enabled: bool | None = None
    offline: bool | None = None
    max_turns: int | None = None
    providers: tuple[Provider, ...] = ()
    """In the order of the file."""


class Config(msgspec.Struct, frozen=True):
    """One ``warden.toml``: one layer."""

    version: int | None = None
    defaults: Defaults = msgspec.field(default_factory=Defaults)
    skills: tuple[Skill, ...] = ()
    concurrency: int | None = None
    """``runner.concurrency``; Warden takes 4 when unset."""

    @property
    def providers(self) -> tuple[Provider, ...]:
        """The providers of ``[defaults.providers]``, in the order of the file."""
        return self.defaults.providers

    def provider(self, name: str) -> Provider | None:
        """The provider of that exact name (names are case-sensitive), or ``None``."""
        return next((one for one in self.defaults.providers if one.name == name), None)


def split_selector(selector: str) -> tuple[str, str] | None:
    """``provider/model-id`` as its two parts, split at the first ``/``; ``None`` when not valid.

    Valid for Pi: at least one character on each side (getsentry/warden ``model-selectors.ts``).
    """
    provider, slash, model = selector.partition("/")
    return (provider, model) if provider and slash and model else None


def read_config(data: Mapping[str, object]) -> Config:
    """The typed read of a parsed file. Never fails: what has a wrong type is left out.

    ``data`` is what ``tomllib`` gives. A provider is kept when it is a table; a model entry when
    its id is text; missing or mistyped values take the struct's default.
    """
    defaults = _table(data.get("defaults"))
    runner = _table(data.get("runner"))
    return Config(
        version=_integer(data.get("version")),
        defaults=_read_defaults(defaults),
        skills=tuple(_read_skill(entry) for entry in _tables(data.get("skills"))),
        concurrency=_integer(runner.get("concurrency")),
    )


def read_provider(name: str, table: Mapping[str, object]) -> Provider:
    """One provider's table, read as tolerantly as the whole file."""
    headers = _table(table.get("headers"))
    return Provider(
        name=name,
        base_url=_text(table.get("baseUrl")) or "",
        api=_text(table.get("api")),
        headers={key: value for key, value in headers.items() if isinstance(value, str)},
        api_key_env=_text(table.get("apiKeyEnv")) or None,
        models=tuple(
            _read_model(identifier, entry)
            for entry in _tables(table.get("models"))
            if (identifier := _text(entry.get("id")))
        ),
    )


def _read_defaults(table: Mapping[str, object]) -> Defaults:
    agent = _table(table.get("agent"))
    auxiliary = _table(table.get("auxiliary"))
    synthesis = _table(table.get("synthesis"))
    verification = _table(table.get("verification"))
    providers = _table(table.get("providers"))
    return Defaults(
        runtime=_text(table.get("runtime")),
        model=_text(table.get("model")),
        agent_model=_text(agent.get("model")),
        agent_effort=_text(agent.get("effort")),
        agent_max_turns=_integer(agent.get("maxTurns")),
        auxiliary_model=_text(auxiliary.get("model")),
        auxiliary_effort=_text(auxiliary.get("effort")),
        auxiliary_max_retries=_integer(auxiliary.get("maxRetries")),
        synthesis_model=_text(synthesis.get("model")),
        verification_enabled=_flag(verification.get("enabled")),
        offline=_flag(table.get("offline")),
        max_turns=_integer(table.get("maxTurns")),
        providers=tuple(
            read_provider(name, entry)
            for name, entry in providers.items()
            if isinstance(entry, Mapping)
        ),
    )


def _read_skill(table: Mapping[str, object]) -> Skill:
    return Skill(
        name=_text(table.get("name")),
        remote=_text(table.get("remote")),
        model=_text(table.get("model")),
        verification_enabled=_flag(_table(table.get("verification")).get("enabled")),
        triggers=tuple(
            Trigger(
                type=_text(entry.get("type")),
                model=_text(entry.get("model")),
                actions=_texts(entry.get("actions")),
                verification_enabled=_flag(_table(entry.get("verification")).get("enabled")),
            )
            for entry in _tables(table.get("triggers"))
        ),
    )


def _read_model(identifier: str, table: Mapping[str, object]) -> ModelEntry:
    kinds = _texts(table.get("input"))
    cost = table.get("cost")
    return ModelEntry(
        id=identifier,
        name=_text(table.get("name")),
        reasoning=_flag(table.get("reasoning")) or False,
        input=kinds or ("text",),
        context_window=_integer(table.get("contextWindow")),
        max_tokens=_integer(table.get("maxTokens")),
        cost=_read_cost(cost) if isinstance(cost, Mapping) else None,
    )


def _read_cost(table: Mapping[str, object]) -> Cost:
    return Cost(
        input=_number(table.get("input")),
        output=_number(table.get("output")),
        cache_read=_number(table.get("cacheRead")),
        cache_write=_number(table.get("cacheWrite")),
    )


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _tables(value: object) -> tuple[Mapping[str, object], ...]:
    if not isinstance(value, list):
        return ()
    return tuple(entry for entry in value if isinstance(entry, Mapping))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(entry for entry in value if isinstance(entry, str))


def _integer(value: object) -> int | None:
    # 4.0 is a whole number to Warden: JavaScript has one kind of number.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value)
