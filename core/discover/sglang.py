"""SGLang: one model a process; what it can do is in the options it was started with.

Upstream: sgl-project/sglang ``srt/entrypoints/http_server.py``, ``srt/server_args.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.discover.dialect import Answers, Ask, Match, Plain, Read, json_of
from core.discover.rows import Facts, flag, row_facts, row_id
from core.wire.bodies import Json, as_dict, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.wire.client import Reply

_MODEL: Final = Ask("/model_info")
_MODEL_OLD: Final = Ask("/get_model_info")
_SERVER: Final = Ask("/server_info")
_SERVER_OLD: Final = Ask("/get_server_info")


class SGLang(Plain):
    """Without a tool parser calls come as text; without a reasoning parser thinking does."""

    name = "sglang"
    marks = ("/",)
    asks = (_MODEL, _MODEL_OLD, _SERVER, _SERVER_OLD)

    def recognise(self, seen: Mapping[str, Reply]) -> Match | None:
        """By the text of its front page."""
        return Match() if json_of(seen.get("/")) == "SGLang is running" else None

    def owns(self, row: Mapping[str, Json]) -> bool:
        """By its name as owner."""
        return row.get("owned_by") == "sglang"

    def read(self, answers: Answers) -> Read:
        """Models, with the start options' word on tools and reasoning."""
        info = as_dict(answers.get(_MODEL.name) or answers.get(_MODEL_OLD.name))
        server = as_dict(answers.get(_SERVER.name) or answers.get(_SERVER_OLD.name))
        windows = [row_facts(row).found.get("context_window") for row in answers.rows]
        window = next((one for one in windows if one is not None), None)
        models = []
        for row in answers.rows:
            facts = row_facts(row)
            if window is not None:  # an adapter's row has none of its own
                facts.add("context_window", window.value, "that of the model it adapts")
            _started_with(facts, server)
            facts.add("image_input", flag(info.get("has_image_understanding")))
            if info.get("is_generation") is False:
                facts.set_kind("embedding")
            facts.add("loaded", value=True)
            models.append(facts.model(row_id(row)))
        return Read(tuple(models), version=as_text(server.get("version")) or None)


def _started_with(facts: Facts, server: Mapping[str, Json]) -> None:
    for name, option in (("tools", "tool_call_parser"), ("reasoning", "reasoning_parser")):
        if option in server:
            given = as_text(server[option])
            note = f"--{option.replace('_', '-')} was not given"
            facts.add(name, bool(given), "" if given else note)
