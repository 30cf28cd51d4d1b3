"""Ollama: models that load when they are asked for, with a window that is seldom the model's own.

Upstream: ollama/ollama ``api/types.go``, ``docs/api.md``, ``docs/context-length.mdx``,
``server/routes.go``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from core.discover.dialect import Answers, Ask, Match, Plain, Read, json_of, text_of
from core.discover.elsewhere import FACT, add_elsewhere
from core.discover.rows import Facts, row_id, tokens
from core.errors import Fault
from core.text import one_line
from core.wire.bodies import Json, as_dict, as_list, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.wire.client import Reply

_TAGS: Final = Ask("/api/tags")
_LOADED: Final = Ask("/api/ps")
MOST_SHOWN: Final = 200
"""How many models are asked about one by one; the rest keep what the list says."""


class Ollama(Plain):
    """The window in force is in ``/api/ps`` while a model is loaded; else only the ceiling is."""

    name = "ollama"
    marks = ("/", "/api/version")
    asks = (_TAGS, _LOADED)

    def recognise(self, seen: Mapping[str, Reply]) -> Match | None:
        """By the text of its front page. SGLang can be told to say the same."""
        version = as_text(as_dict(json_of(seen.get("/api/version"))).get("version"))
        if text_of(seen.get("/")) == "Ollama is running":
            return Match(version or None, sure=False)
        return None

    def asks_about(self, rows: Sequence[Mapping[str, Json]]) -> Sequence[Ask]:
        """Each model's own page, of the first of them."""
        return [_show(row_id(row)) for row in rows[:MOST_SHOWN]]

    def read(self, answers: Answers) -> Read:
        """Models with their capabilities and, where one is loaded, the window in force."""
        tags = _by_name(answers.get(_TAGS.name))
        loaded = _by_name(answers.get(_LOADED.name))
        knows_loaded = answers.get(_LOADED.name) is not None
        models = []
        for row in answers.rows:
            model_id = row_id(row)
            full = model_id if ":" in model_id else f"{model_id}:latest"
            tag = tags.get(full, {})
            shown = as_dict(answers.get(_show(model_id).name))
            running = loaded.get(full)
            facts = Facts()
            _capabilities(facts, shown.get("capabilities", tag.get("capabilities")))
            _window(facts, running, shown)
            host, remote = (
                as_text(tag.get(field)) or as_text(shown.get(field))
                for field in ("remote_host", "remote_model")
            )
            add_elsewhere(facts, model_id, host, remote)
            if knows_loaded and (running is not None or FACT not in facts.found):
                facts.add("loaded", running is not None)
            models.append(facts.model(model_id))
        warnings: list[Fault] = []
        away = [model.id for model in models if FACT in model.facts]
        if away:
            warnings.append(_away(away))
        left_out = len(answers.rows) - MOST_SHOWN
        if left_out > 0:
            warnings.append(_left_out(left_out))
        return Read(tuple(models), tuple(warnings))


def _away(ids: Sequence[str]) -> Fault:
    first = one_line(ids[0], 60)
    more = f" and {len(ids) - 1} more run" if len(ids) > 1 else " runs"
    return Fault(
        "upstream",
        f"«{first}»{more} in Ollama's cloud: what is sent to it leaves this server.",
        "The server passes on what is sent to such models; they are told by what it says of them, "
        "or by their names.",
        "Choose another model for code that must stay with you.",
    )


def _left_out(count: int) -> Fault:
    return Fault(
        "empty_answer",
        f"{count} of the models were not asked about: Ollama lists more than {MOST_SHOWN}.",
        f"Of those after the first {MOST_SHOWN} only what its list says is shown.",
        "Ping one before you choose it.",
    )


def _show(model_id: str) -> Ask:
    return Ask("/api/show", "POST", msgspec.json.encode({"model": model_id}))


def _by_name(value: Json) -> dict[str, Mapping[str, Json]]:
    rows = [as_dict(one) for one in as_list(as_dict(value).get("models"))]
    return {as_text(row.get("name")) or as_text(row.get("model")): row for row in rows}


def _capabilities(facts: Facts, value: Json) -> None:
    if not isinstance(value, list):
        return
    facts.add("image_input", "vision" in value)
    facts.add("tools", "tools" in value)
    facts.add("reasoning", "thinking" in value)
    if "completion" in value:
        facts.set_kind("chat")
    elif "embedding" in value:
        facts.set_kind("embedding")


def _window(facts: Facts, running: Mapping[str, Json] | None, shown: Mapping[str, Json]) -> None:
    if running is not None:
        window = tokens(running.get("context_length"))
        facts.add("context_window", window, "as it is loaded now")
    setting = re.search(r"^num_ctx\s+(\d{1,9})\s*$", as_text(shown.get("parameters")), re.MULTILINE)
    if setting:
        facts.add("context_window", tokens(int(setting[1])), "num_ctx of its Modelfile")
    info = as_dict(shown.get("model_info"))
    arch = as_text(info.get("general.architecture"))
    note = "what the model was trained for; Ollama may load it with less"
    facts.add("context_ceiling", tokens(info.get(f"{arch}.context_length")), note)
