"""LM Studio: what is downloaded, what is loaded, and with which window.

Upstream: lmstudio-ai/docs ``1_developer/2_rest/list.md`` (v1) and ``endpoints.mdx`` (v0); the
200 on unknown paths: lmstudio-ai/lmstudio-bug-tracker issues 618, 1323, 2085.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.discover.dialect import Answers, Ask, Match, Plain, Read
from core.discover.rows import Facts, flag, kind_of, row_facts, row_id, tokens
from core.wire.bodies import Json, as_dict, as_list, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.wire.client import Reply

_V1: Final = Ask("/api/v1/models")
_V0: Final = Ask("/api/v0/models")
_CEILING: Final = "what the model allows; LM Studio may load it with less"


class LMStudio(Plain):
    """The window is known only of what is loaded; for the rest there is a ceiling."""

    name = "lmstudio"
    marks = ("/version", "/health/liveliness")
    asks = (_V1, _V0)

    def recognise(self, seen: Mapping[str, Reply]) -> Match | None:
        """By what it answers to any path that it does not have."""
        if any(b"Unexpected endpoint or method" in one.body[:500] for one in seen.values()):
            return Match()
        return None

    def owns(self, row: Mapping[str, Json]) -> bool:
        """By the owner it gives every model."""
        return row.get("owned_by") == "organization_owner"

    def read(self, answers: Answers) -> Read:
        """Models of the list, with what the newer and the older API of its own say of them."""
        new = _by_id(as_dict(answers.get(_V1.name)).get("models"))
        old = _by_id(as_dict(answers.get(_V0.name)).get("data"))
        models = []
        for row in answers.rows:
            model_id = row_id(row)
            facts = Facts()
            _from_v1(facts, new.get(model_id, {}), model_id)
            _from_v0(facts, old.get(model_id, {}))
            said = row_facts(row)
            for name, fact in said.found.items():
                facts.found.setdefault(name, fact)
            facts.set_kind(said.kind)
            models.append(facts.model(model_id))
        return Read(tuple(models))


def _by_id(value: Json) -> dict[str, Mapping[str, Json]]:
    """Rows by id; in v1 a loaded instance's own id names the model too."""
    found: dict[str, Mapping[str, Json]] = {}
    for one in as_list(value):
        row = as_dict(one)
        for instance in as_list(row.get("loaded_instances")):
            found.setdefault(as_text(as_dict(instance).get("id")), row)
        found[row_id(row)] = row
    return found


def _from_v1(facts: Facts, row: Mapping[str, Json], model_id: str) -> None:
    """An id that names one instance has its window; else the smallest of all is what holds."""
    if not row:
        return
    instances = [as_dict(one) for one in as_list(row.get("loaded_instances"))]
    named = [one for one in instances if as_text(one.get("id")) == model_id]
    windows = [
        found
        for one in named or instances
        if (found := tokens(as_dict(one.get("config")).get("context_length"))) is not None
    ]
    if windows:
        several = "; the smallest of its instances" if len(set(windows)) > 1 else ""
        facts.add("context_window", min(windows), f"as it is loaded now{several}")
    facts.add("context_ceiling", tokens(row.get("max_context_length")), _CEILING)
    facts.add("loaded", bool(instances))
    can = as_dict(row.get("capabilities"))
    facts.add("image_input", flag(can.get("vision")))
    facts.add("tools", flag(can.get("trained_for_tool_use")))
    if "reasoning" in can:  # absent says nothing: it is newer than the rest
        facts.add("reasoning", bool(can.get("reasoning")))
    facts.set_kind(kind_of(row.get("type")))


def _from_v0(facts: Facts, row: Mapping[str, Json]) -> None:
    if not row:
        return
    facts.add("context_window", tokens(row.get("loaded_context_length")), "as it is loaded now")
    facts.add("context_ceiling", tokens(row.get("max_context_length")), _CEILING)
    state = as_text(row.get("state"))
    if state:
        facts.add("loaded", state == "loaded")
    kind = as_text(row.get("type"))
    facts.set_kind(kind_of(kind))
    if kind in {"llm", "vlm"}:
        facts.add("image_input", kind == "vlm")
    can = row.get("capabilities")
    if isinstance(can, list):
        facts.add("tools", "tool_use" in can)
