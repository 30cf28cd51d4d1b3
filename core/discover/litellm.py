"""LiteLLM's proxy: public names, each with one or more deployments behind it.

Upstream: BerriAI/litellm ``proxy/health_endpoints``, ``proxy/proxy_server.py`` (``/model/info``),
``router.py`` (``/model_group/info``), ``types/utils.py`` (fields and modes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.discover.dialect import Answers, Ask, Match, Plain, Read, json_of, text_of
from core.discover.rows import Facts, flag, kind_of, per_million, row_facts, row_id, tokens
from core.errors import Fault
from core.text import one_line
from core.wire.bodies import Json, as_dict, as_list, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.discover.facts import Model
    from core.wire.client import Reply

_INFO: Final = Ask("/model/info")
_GROUPS: Final = Ask("/model_group/info")
_CREATED: Final = 1677610602
# The date that LiteLLM gives every model (proxy/auth/model_checks.py, DEFAULT_MODEL_CREATED_AT).

_FLAGS: Final = {
    "image_input": "supports_vision",
    "tools": "supports_function_calling",
    "reasoning": "supports_reasoning",
}
_LIMITS: Final = {"context_window": "max_input_tokens", "max_output_tokens": "max_output_tokens"}
_COSTS: Final = {
    "input_cost": "input_cost_per_token",
    "output_cost": "output_cost_per_token",
    "cache_read_cost": "cache_read_input_token_cost",
    "cache_write_cost": "cache_creation_input_token_cost",
}


class LiteLLM(Plain):
    """Facts come from ``/model/info``; where a key may not ask it, from what remains."""

    name = "litellm"
    marks = ("/health/liveliness", "/")
    asks = (_INFO, _GROUPS)

    def recognise(self, seen: Mapping[str, Reply]) -> Match | None:
        """By the words of its liveliness page, or the title of its front page."""
        alive = json_of(seen.get("/health/liveliness")) == "I'm alive!"
        titled = "LiteLLM API" in text_of(seen.get("/"))[:4000]
        version = next(
            (found for one in seen.values() if (found := one.headers.get("x-litellm-version"))),
            None,
        )
        return Match(version) if alive or titled or version else None

    def owns(self, row: Mapping[str, Json]) -> bool:
        """Its rows all have one date and one owner."""
        return row.get("created") == _CREATED and row.get("owned_by") == "openai"

    def read(self, answers: Answers) -> Read:
        """Models of the list, with the facts of the deployments behind each."""
        deployments: dict[str, list[Mapping[str, Json]]] = {}
        for one in as_list(as_dict(answers.get(_INFO.name)).get("data")):
            entry = as_dict(one)
            deployments.setdefault(as_text(entry.get("model_name")), []).append(entry)
        groups = {
            as_text(as_dict(one).get("model_group")): as_dict(one)
            for one in as_list(as_dict(answers.get(_GROUPS.name)).get("data"))
        }
        wildcards = [name for name in deployments if name.endswith("*")]
        models = tuple(
            _model(row, deployments, groups.get(row_id(row), {}), wildcards) for row in answers.rows
        )
        return Read(models, tuple(_wildcard_warnings(wildcards, models)))


def _model(
    row: Mapping[str, Json],
    deployments: Mapping[str, Sequence[Mapping[str, Json]]],
    group: Mapping[str, Json],
    wildcards: Sequence[str],
) -> Model:
    model_id = row_id(row)
    facts = Facts()
    behind = deployments.get(model_id, ())
    wildcard = "" if behind else _wildcard_for(model_id, wildcards)
    if behind:
        _deployed(facts, behind)
    if wildcard:
        note = "listed from a price list; the server behind may not have it"
        facts.add("wildcard", wildcard, note)
    # What /model/info did not say: the group's limits, costs and mode. Its booleans are no
    # evidence: false stands there for unknown too.
    for name, field in _LIMITS.items():
        facts.add(name, tokens(group.get(field)))
    for name, field in _COSTS.items():
        facts.add(name, per_million(group.get(field)))
    for name, field in _FLAGS.items():
        if group.get(field) is True:
            facts.add(name, value=True)
    facts.set_kind(kind_of(group.get("mode")))
    said = row_facts(row)
    for name, fact in said.found.items():
        facts.found.setdefault(name, fact)
    facts.set_kind(said.kind)
    upstream = facts.found.get("upstream")
    return facts.model(model_id, known_as=str(upstream.value) if upstream else None)


def _deployed(facts: Facts, behind: Sequence[Mapping[str, Json]]) -> None:
    """Facts of the deployments that share a public name: the smallest limit, what all can do."""
    infos = [as_dict(one.get("model_info")) for one in behind]
    names = [as_text(as_dict(one.get("litellm_params")).get("model")) for one in behind]
    count = len(behind)
    several = f"{count} deployments behind one name" if count > 1 else ""
    facts.add("upstream", names[0] or None, several)
    for name, field in _LIMITS.items():
        read = [found for info in infos if (found := tokens(info.get(field))) is not None]
        if not read and name == "max_output_tokens":
            read = [found for info in infos if (found := tokens(info.get("max_tokens")))]
        _add(facts, name, read, count, min, "the smallest")
    for name, field in _COSTS.items():
        costs = [cost for info in infos if (cost := per_million(info.get(field))) is not None]
        _add(facts, name, costs, count, max, "the highest")
    for name, field in _FLAGS.items():
        flags = [flag(info.get(field)) for info in infos]
        if False in flags:
            facts.add(name, value=False, note="" if count == 1 else "not every deployment can")
        elif None not in flags:
            facts.add(name, value=True)
    for info in infos:
        facts.set_kind(kind_of(info.get("mode")))


def _add(
    facts: Facts,
    name: str,
    values: Sequence[float],
    count: int,
    choose: Callable[[Sequence[float]], float],
    word: str,
) -> None:
    if not values:
        return
    notes: list[str] = []
    if len(set(values)) > 1:
        notes.append(f"{word} of {len(values)} deployments")
    if len(values) < count:
        notes.append(f"{count - len(values)} of {count} deployments do not say")
    facts.add(name, choose(values), "; ".join(notes))


def _wildcard_for(model_id: str, wildcards: Sequence[str]) -> str:
    """The most exact wildcard entry that serves an id, or nothing."""
    fitting = [name for name in wildcards if model_id.startswith(name[:-1])]
    return max(fitting, key=len, default="")


def _wildcard_warnings(wildcards: Sequence[str], models: Sequence[Model]) -> list[Fault]:
    found: list[Fault] = []
    for name in wildcards:
        listed = sum(1 for one in models if one.value("wildcard") == name)
        shown = one_line(name, 60)
        why = (
            f"{listed} of the ids listed come from LiteLLM's own price list."
            if listed
            else "LiteLLM has no list for what is behind it, so none of its models is listed."
        )
        found.append(
            Fault(
                "model_unknown",
                f"The entry «{shown}» serves any name under it.",
                why,
                "Ping a model before you choose it; an id may be typed.",
            )
        )
    return found
