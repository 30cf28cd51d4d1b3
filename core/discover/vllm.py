"""vLLM: one model a process, under one or more names, with adapters beside it.

Upstream: vllm-project/vllm ``entrypoints/openai/models/serving.py``,
``entrypoints/serve/instrumentator/basic.py``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.discover.dialect import Answers, Match, Plain, Read, json_of
from core.discover.facts import Fact
from core.discover.rows import row_facts, row_id
from core.wire.bodies import Json, as_dict, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.wire.client import Reply


class VLLM(Plain):
    """The window is exact; tools and reasoning cannot be read, only tried."""

    name = "vllm"
    marks = ("/version",)

    def recognise(self, seen: Mapping[str, Reply]) -> Match | None:
        """By ``/version``, which needs no key and holds nothing else. LocalAI's is alike."""
        value = as_dict(json_of(seen.get("/version")))
        version = as_text(value.get("version"))
        if len(value) == 1 and re.match(r"\d+\.\d+", version):
            return Match(version, sure=False)
        return None

    def owns(self, row: Mapping[str, Json]) -> bool:
        """By its name as owner."""
        return row.get("owned_by") == "vllm"

    def read(self, answers: Answers) -> Read:
        """Models; an adapter has the window of the model it sits on."""
        by_id = {row_id(row): row for row in answers.rows}
        models = []
        for row in answers.rows:
            facts = row_facts(row)
            parent = by_id.get(as_text(row.get("parent")))
            if parent is not None and "context_window" not in facts.found:
                window = row_facts(parent).found.get("context_window")
                if window is not None:
                    note = "that of the model it adapts"
                    facts.found["context_window"] = Fact(window.value, "server", note)
            facts.add("loaded", value=True)
            models.append(facts.model(row_id(row)))
        return Read(tuple(models))
