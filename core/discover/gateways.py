"""Gateways in front of many models, and every server that no other module knows.

Upstream: openrouter.ai API reference (models), docs.anthropic.com (models list).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.discover.dialect import Answers, Ask, Match, Plain, Read
from core.discover.rows import Facts, flag, row_facts, row_id, tokens
from core.wire.bodies import Json, as_dict, as_list, as_text, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.discover.facts import Kind
    from core.wire.client import Reply

_TGI: Final = Ask("/info")
_TGI_ROUTER: Final = "text-generation-router"
_LOCALAI: Final = Ask("/.well-known/localai.json")
_LOCALAI_MODELS: Final = Ask("/v1/models/capabilities")
_LOCALAI_KINDS: Final[dict[str, Kind]] = {
    "embeddings": "embedding",
    "rerank": "rerank",
    "image": "image",
    "transcript": "audio",
    "tts": "audio",
}
"""LocalAI's word for a use -> the kind of a model that is for nothing else."""

_ANTHROPIC_FLAGS: Final = {"image_input": "image_input", "reasoning": "thinking"}


class Generic(Plain):
    """Any server with an OpenAI-style list: what its rows say, and three servers' own pages.

    Upstream: huggingface/text-generation-inference ``router/src/server.rs`` (``/info``),
    mudler/LocalAI ``core/http/routes/localai.go`` and ``docs/content/features/api-discovery.md``.
    """

    name = "generic"
    asks: Sequence[Ask] = (_TGI, _LOCALAI, _LOCALAI_MODELS)

    def read(self, answers: Answers) -> Read:
        """Models with the facts of their rows, and what the server says beside."""
        info = as_dict(answers.get(_TGI.name))
        tgi = info if info.get("router") == _TGI_ROUTER else {}
        about = as_dict(answers.get(_LOCALAI.name))
        localai = about if "endpoints" in about else {}
        capable = {
            as_text(as_dict(one).get("id")): as_dict(one)
            for one in as_list(as_dict(answers.get(_LOCALAI_MODELS.name)).get("data"))
        }
        models = []
        for row in answers.rows:
            facts = row_facts(row)
            if tgi and len(answers.rows) == 1:
                facts.add("context_window", tokens(tgi.get("max_total_tokens")))
                facts.add("loaded", True)
            _localai(facts, capable.get(row_id(row), {}))
            models.append(facts.model(row_id(row)))
        return Read(tuple(models), version=_product("TGI", tgi) or _product("LocalAI", localai))


def _product(name: str, said: Mapping[str, Json]) -> str | None:
    return f"{name} {as_text(said.get('version'))}".strip() if said else None


def _localai(facts: Facts, said: Mapping[str, Json]) -> None:
    """What LocalAI says a model can do."""
    can = as_list(said.get("capabilities"))
    inputs = as_list(said.get("input_modalities"))
    if can or inputs:
        facts.add("image_input", "vision" in can or "image" in inputs)
    facts.add("context_window", tokens(said.get("context_size")))
    if can and "chat" not in can and "completion" not in can:
        kinds = (kind for word, kind in _LOCALAI_KINDS.items() if word in can)
        facts.set_kind(next(kinds, "other"))


class OpenRouter(Generic):
    """Rows with prices as decimal strings, and the parameters each model takes."""

    name = "openrouter"
    asks = ()

    def owns(self, row: Mapping[str, Json]) -> bool:
        """By fields that only such gateways have."""
        return "canonical_slug" in row or bool(
            as_dict(row.get("pricing")) and as_list(row.get("supported_parameters"))
        )


class Anthropic(Generic):
    """A gateway that speaks as Anthropic does. Its chat path must still be OpenAI's for Warden."""

    name = "anthropic"
    asks = ()
    marks = ("/version",)

    def recognise(self, seen: Mapping[str, Reply]) -> Match | None:
        """By the shape of its refusals."""
        for one in seen.values():
            if one.status >= 400:
                try:
                    body = as_dict(read_json(one.body))
                except ValueError:
                    continue
                if body.get("type") == "error" and "request_id" in body:
                    return Match(sure=False)
        return None

    def read(self, answers: Answers) -> Read:
        """Models with what their rows tell: limits, and what each supports."""
        models = []
        for row in answers.rows:
            facts = row_facts(row)
            facts.add("max_output_tokens", tokens(row.get("max_tokens")))
            can = as_dict(row.get("capabilities"))
            for name, field in _ANTHROPIC_FLAGS.items():
                facts.add(name, flag(as_dict(can.get(field)).get("supported")))
            models.append(facts.model(row_id(row)))
        return Read(tuple(models))

    def owns(self, row: Mapping[str, Json]) -> bool:
        """By the type that it gives every row."""
        return row.get("type") == "model" and "display_name" in row
