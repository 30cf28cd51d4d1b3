"""llama.cpp's ``llama-server``: one model, or a router over several.

Upstream: ggml-org/llama.cpp ``tools/server/server-context.cpp`` (``/props``),
``server-models.cpp`` (router), ``server-http.cpp`` (the ``Server`` header).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.discover.dialect import Answers, Ask, Match, Plain, Read
from core.discover.facts import Fact
from core.discover.rows import Facts, flag, row_facts, row_id, tokens
from core.wire.bodies import Json, as_dict, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.wire.client import Reply

_PROPS: Final = Ask("/props")


class LlamaCpp(Plain):
    """``n_ctx`` is per slot already; it is not divided again."""

    name = "llamacpp"
    marks = ("/version",)
    asks = (_PROPS,)

    def recognise(self, seen: Mapping[str, Reply]) -> Match | None:
        """By the ``Server`` header, which it sends on refusals too."""
        found = any(one.headers.get("server") == "llama.cpp" for one in seen.values())
        return Match() if found else None

    def owns(self, row: Mapping[str, Json]) -> bool:
        """By its name as owner."""
        return row.get("owned_by") == "llamacpp"

    def read(self, answers: Answers) -> Read:
        """Models; what ``/props`` says holds for the one model of a server that is no router."""
        props = as_dict(answers.get(_PROPS.name))
        router = props.get("role") == "router" or any("status" in row for row in answers.rows)
        models = []
        for row in answers.rows:
            facts = Facts() if router else _props_facts(props)
            said = row_facts(row)
            for name, fact in said.found.items():
                facts.found.setdefault(name, fact)
            facts.set_kind(said.kind)
            _state(facts, as_dict(row.get("status")))
            if not router:
                facts.add("loaded", value=True)
            models.append(facts.model(row_id(row)))
        return Read(tuple(models), version=as_text(props.get("build_info")) or None)


def _props_facts(props: Mapping[str, Json]) -> Facts:
    facts = Facts()
    settings = as_dict(props.get("default_generation_settings"))
    facts.add("context_window", tokens(settings.get("n_ctx")))
    facts.add("image_input", flag(as_dict(props.get("modalities")).get("vision")))
    caps = as_dict(props.get("chat_template_caps"))
    facts.add("tools", flag(caps.get("supports_tool_calls", caps.get("supports_tools"))))
    if "enable_thinking" in as_text(props.get("chat_template")):
        facts.add("reasoning", value=True, note="its chat template switches thinking")
    if caps.get("supports_reasoning_effort") is True:
        facts.add("reasoning", value=True, note="its chat template takes an effort")
    return facts


def _state(facts: Facts, status: Mapping[str, Json]) -> None:
    """What a router says of a model that it may not have loaded."""
    state = as_text(status.get("value"))
    if not state:
        return
    note = "" if state in {"loaded", "unloaded"} else state
    if status.get("failed") is True:
        note = f"it failed to load (exit code {status.get('exit_code', '?')})"
    facts.found["loaded"] = Fact(state == "loaded", "server", note)
