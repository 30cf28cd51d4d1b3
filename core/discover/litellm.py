"""LiteLLM's proxy: public names, each with one or more deployments behind it.

Upstream: BerriAI/litellm ``proxy/health_endpoints``, ``proxy/proxy_server.py`` (``/model/info``),
``router.py`` (``/model_group/info``), ``types/utils.py`` (fields and modes).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.discover.dialect import Answers, Ask, Match, Plain, Read, json_of, text_of
from core.discover.elsewhere import add_elsewhere, cloud_by_name
from core.discover.rows import Facts, flag, kind_of, per_million, row_facts, row_id, tokens
from core.discover.wildcards import Patterns
from core.wire.bodies import Json, as_dict, as_list, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.discover.facts import Model, Source
    from core.wire.client import Reply

_INFO: Final = Ask("/model/info")
_GROUPS: Final = Ask("/model_group/info")
_DETAILS: Final = Ask("/health/readiness/details")
_READY: Final = Ask("/health/readiness")
# The version: behind the key, in old versions at the open route; some show it to everybody.
_PUBLIC: Final = "/public/model_hub/info"
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
_NAMED: Final = 3


class LiteLLM(Plain):
    """Facts come from ``/model/info``; where a key may not ask it, from what remains."""

    name = "litellm"
    marks = ("/health/liveliness", "/", _PUBLIC)
    asks = (_INFO, _GROUPS, _DETAILS, _READY)

    def recognise(self, seen: Mapping[str, Reply]) -> Match | None:
        """By the words of its liveliness page, or the title of its front page."""
        alive = json_of(seen.get("/health/liveliness")) == "I'm alive!"
        titled = "LiteLLM API" in text_of(seen.get("/"))[:4000]
        version = next(
            (found for one in seen.values() if (found := one.headers.get("x-litellm-version"))),
            None,
        )
        if not (alive or titled or version):
            return None
        public = as_dict(json_of(seen.get(_PUBLIC))).get("litellm_version")
        return Match(version or as_text(public) or None)

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
        ids = [row_id(row) for row in answers.rows]
        # A pattern is no model that a request could name, though some lists hold them.
        patterns = Patterns([*deployments, *(one for one in ids if "*" in one)])
        models = tuple(
            _model(row, deployments.get(name, ()), groups.get(name, {}), patterns)
            for name, row in zip(ids, answers.rows, strict=True)
            if "*" not in name
        )
        return Read(models, tuple(patterns.warnings(models)), _version(answers))


def _version(answers: Answers) -> str | None:
    told = (as_dict(answers.get(ask.name)).get("litellm_version") for ask in (_DETAILS, _READY))
    return next((version for one in told if (version := as_text(one))), None)


def _model(
    row: Mapping[str, Json],
    behind: Sequence[Mapping[str, Json]],
    group: Mapping[str, Json],
    patterns: Patterns,
) -> Model:
    model_id = row_id(row)
    wildcard = "" if behind else patterns.serving(model_id)
    source: Source = "catalogue" if wildcard else "server"
    facts = Facts(source)
    names = _deployed(facts, behind) if behind else ()
    if wildcard:
        note = "listed from a price list; the server behind may not have it"
        facts.add("wildcard", wildcard, note, "server")
    if len(behind) < 2:
        _grouped(facts, group, alone=not behind)
    facts.set_kind(kind_of(group.get("mode")))
    said = row_facts(row, source)
    for name, fact in said.found.items():
        facts.found.setdefault(name, fact)
    facts.set_kind(said.kind)
    return facts.model(model_id, known_as=names)


def _grouped(facts: Facts, group: Mapping[str, Json], *, alone: bool) -> None:
    """What the group says of a name, where ``/model/info`` has not said it.

    Its false and its zero price are no evidence: they stand there for unknown too. Where it is
    ``alone``, it may be of several deployments, of which it gives the largest limit.
    """
    several = len(as_list(group.get("providers"))) > 1
    note = "at the best of several deployments" if alone and several else ""
    for name, field in _LIMITS.items():
        facts.add(name, tokens(group.get(field)), note)
    for name, field in _COSTS.items():
        facts.add(name, per_million(group.get(field)) or None)
    for name, field in _FLAGS.items():
        if group.get(field) is True:
            facts.add(name, True, note)


def _deployed(facts: Facts, behind: Sequence[Mapping[str, Json]]) -> tuple[str, ...]:
    """Facts of the deployments that share a public name: what holds whichever of them answers.

    Returns the names that they have upstream.
    """
    infos = [as_dict(one.get("model_info")) for one in behind]
    upstream = (as_text(as_dict(one.get("litellm_params")).get("model")) for one in behind)
    names = tuple(dict.fromkeys(name for name in upstream if name))
    count = len(behind)
    several = f"{count} deployments behind one name" if count > 1 else ""
    hosts = dict.fromkeys(
        host for one in behind if (host := _host(as_dict(one.get("litellm_params"))))
    )
    where = f"at {', '.join(list(hosts)[:_NAMED])}" if hosts else ""
    told = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" * (len(names) > _NAMED))
    facts.add("upstream", told or None, "; ".join(part for part in (several, where) if part))
    cloud = next((name for name in names if name.startswith("ollama") and cloud_by_name(name)), "")
    if cloud:
        add_elsewhere(facts, cloud, "", "")
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
            every = all(one is False for one in flags)
            facts.add(name, False, "" if every else "not every deployment can")
        elif None not in flags:
            facts.add(name, True)
    kinds = dict.fromkeys(kind for info in infos if (kind := kind_of(info.get("mode"))) is not None)
    other = next((kind for kind in kinds if kind != "chat"), None)
    if other is not None and len(kinds) > 1:
        facts.add("kind", other, f"its {count} deployments are of several kinds")
    facts.set_kind(other or next(iter(kinds), None))
    return names


def _host(params: Mapping[str, Json]) -> str:
    """Host and port that a deployment is reached at, without what else an address may hold."""
    found = re.match(r"https?://(?:[^/?#@]*@)?([^/?#@]+)", as_text(params.get("api_base")))
    return found[1] if found else ""


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
