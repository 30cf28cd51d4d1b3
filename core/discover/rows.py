"""Rows of a model list: the fields that servers put there, under all their spellings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.discover.facts import Fact, Kind, Model, Source
from core.discover.patterns import kind_by_name, shared_facts
from core.wire.bodies import Json, as_dict, as_list, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KINDS: Final[dict[str, Kind]] = {
    "chat": "chat",
    "responses": "chat",
    "completion": "chat",
    "llm": "chat",
    "vlm": "chat",
    "text-generation": "chat",
    "embedding": "embedding",
    "embeddings": "embedding",
    "rerank": "rerank",
    "image_generation": "image",
    "image_edit": "image",
    "image": "image",
    "audio_transcription": "audio",
    "audio_speech": "audio",
    "realtime": "audio",
    "audio": "audio",
    "video_generation": "other",
    "moderation": "other",
    "search": "other",
    "ocr": "other",
}
"""LiteLLM's ``mode`` (litellm/types/utils.py), LM Studio's and other servers' ``type``."""

_DECIMAL: Final = re.compile(r"\d{1,20}(?:\.\d{1,30})?(?:[eE]-?\d{1,2})?|\.\d{1,30}", re.ASCII)
_DEAREST: Final = 1_000.0
# US dollars for one token: more is no price.


def rows_of(value: Json) -> tuple[Mapping[str, Json], ...] | None:
    """The rows of a model list of any known shape; None when it is none.

    ``{"data": [...]}`` is OpenAI's; some gateways give ``{"models": [...]}`` or a bare list, and
    a row may be a string. Rows without an id, and an id's second row, are left out.
    """
    top = as_dict(value)
    listed = value if isinstance(value, list) else top.get("data", top.get("models"))
    if not isinstance(listed, list):
        return None
    rows = [{"id": row} if isinstance(row, str) else as_dict(row) for row in listed]
    by_id: dict[str, Mapping[str, Json]] = {}
    for row in rows:
        by_id.setdefault(row_id(row), row)
    by_id.pop("", None)
    return tuple(by_id.values())


def row_id(row: Mapping[str, Json]) -> str:
    """The id by which requests name the model; empty when the row has none."""
    return next(
        (text for key in ("id", "key", "model", "name") if (text := as_text(row.get(key)))), ""
    )


def tokens(value: Json) -> int | None:
    """A count of tokens, 1 or more; LiteLLM's group route gives floats. None when it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 1 <= value < 1e12 else None


def per_million(value: Json) -> float | None:
    """US dollars per token (a number, or a string as OpenRouter has it) as dollars per million.

    Null is unknown and stays None, zero is zero; a negative price says that none is known.
    """
    if isinstance(value, str):
        value = float(value) if _DECIMAL.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return round(value * 1_000_000, 9) if 0 <= value < _DEAREST else None


def flag(value: Json) -> bool | None:
    """A boolean, or None."""
    return value if isinstance(value, bool) else None


def kind_of(word: Json) -> Kind | None:
    """The kind behind a server's ``mode`` or ``type``; None for a word that is not known."""
    return _KINDS.get(as_text(word).lower())


class Facts:
    """Facts under collection: what is said first stands, and None is not a fact."""

    def __init__(self, source: Source = "server") -> None:
        self.found: dict[str, Fact] = {}
        self.kind: Kind | None = None
        self._source = source

    def add(
        self,
        name: str,
        value: float | bool | str | None,
        note: str = "",
        source: Source | None = None,
    ) -> None:
        """Keep a fact unless there is one of that name, or there is nothing to keep."""
        if value is not None and name not in self.found:
            self.found[name] = Fact(value, source or self._source, note)

    def set_kind(self, kind: Kind | None) -> None:
        """The server's own word for what the model is for; the first one stands."""
        if kind is not None and self.kind is None:
            self.kind = kind

    def model(self, model_id: str, *, known_as: Sequence[str] = ()) -> Model:
        """The finished model. What nobody said is filled in by name, marked ``pattern``.

        ``known_as`` are better names to judge by than a proxy's free public one; where there are
        several, only that is taken which holds for each.
        """
        names = known_as or (model_id,)
        kind = self.kind
        if kind is not None:
            self.add("kind", kind)
        else:
            kinds = {kind_by_name(name) for name in names}
            kind = kinds.pop() if len(kinds) == 1 else None
            self.add("kind", kind or "chat", source="default" if kind is None else "pattern")
            kind = kind or "chat"
        if kind == "chat":
            for fact_name, fact in shared_facts(names).items():
                self.found.setdefault(fact_name, fact)
        return Model(model_id, kind, self.found)


def row_facts(row: Mapping[str, Json], source: Source = "server") -> Facts:
    """What a row says by itself, whichever server it came from."""
    facts = Facts(source)
    top = as_dict(row.get("top_provider"))
    meta = as_dict(row.get("meta"))
    _openrouter_window(facts, tokens(row.get("context_length")), tokens(top.get("context_length")))
    for value in (
        row.get("max_model_len"),  # vLLM, SGLang
        row.get("max_input_tokens"),  # LiteLLM
        meta.get("n_ctx"),  # llama.cpp
        row.get("context_length"),  # OpenRouter, where only one of the two is told
        top.get("context_length"),
        row.get("context_window"),  # Groq and others
    ):
        facts.add("context_window", tokens(value))
    facts.add("context_ceiling", tokens(meta.get("n_ctx_train")))
    longest = tokens(row.get("max_context_length"))
    if any(field in row for field in ("state", "loaded_instances", "loaded_context_length")):
        # LM Studio: what the model's file allows; what it is loaded with is another field.
        facts.add("context_window", tokens(row.get("loaded_context_length")))
        facts.add("context_ceiling", longest)
    else:
        facts.add("context_window", longest)  # Mistral's API
    for value in (row.get("max_output_tokens"), top.get("max_completion_tokens")):
        facts.add("max_output_tokens", tokens(value))
    _modalities(facts, as_dict(row.get("architecture")))
    price = as_dict(row.get("pricing"))
    facts.add("input_cost", per_million(price.get("prompt")))
    facts.add("output_cost", per_million(price.get("completion")))
    facts.add("cache_read_cost", per_million(price.get("input_cache_read")))
    facts.add("cache_write_cost", per_million(price.get("input_cache_write")))
    parameters = row.get("supported_parameters")
    if isinstance(parameters, list):
        facts.add("tools", "tools" in parameters)
        thinks = "reasoning" in parameters or "include_reasoning" in parameters
        facts.add("reasoning", thinks)
    facts.set_kind(kind_of(row.get("mode")))
    facts.set_kind(kind_of(row.get("type")))
    return facts


def _openrouter_window(facts: Facts, models: int | None, served: int | None) -> None:
    """The window of the model, and of the provider that serves it first: the smaller one holds."""
    if models is not None and served is not None and served < models:
        facts.add("context_window", served, "at the provider that serves it first")
        facts.add("context_ceiling", models, "at the provider that gives it the most")


def _modalities(facts: Facts, architecture: Mapping[str, Json]) -> None:
    inputs = as_list(architecture.get("input_modalities"))
    if inputs:
        facts.add("image_input", "image" in inputs)
    outputs = as_list(architecture.get("output_modalities"))
    if outputs and "text" not in outputs:
        found: Kind = "image" if "image" in outputs else "audio" if "audio" in outputs else "other"
        facts.set_kind("embedding" if "embeddings" in outputs else found)
