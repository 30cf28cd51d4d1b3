"""Gateways in front of many models, and every server that no other module knows.

Upstream: openrouter.ai API reference (models), docs.anthropic.com (models list).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.discover.dialect import Answers, Match, Plain, Read
from core.discover.rows import row_facts, row_id
from core.wire.bodies import Json, as_dict, as_list, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.wire.client import Reply


class Generic(Plain):
    """Any server with an OpenAI-style list: what its rows say is all there is."""

    name = "generic"

    def read(self, answers: Answers) -> Read:
        """Models with the facts of their rows."""
        return Read(tuple(row_facts(row).model(row_id(row)) for row in answers.rows))


class OpenRouter(Generic):
    """Rows with prices as decimal strings, and the parameters each model takes."""

    name = "openrouter"

    def owns(self, row: Mapping[str, Json]) -> bool:
        """By fields that only such gateways have."""
        return "canonical_slug" in row or bool(
            as_dict(row.get("pricing")) and as_list(row.get("supported_parameters"))
        )


class Anthropic(Generic):
    """A gateway that speaks as Anthropic does. Its chat path must still be OpenAI's for Warden."""

    name = "anthropic"
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

    def owns(self, row: Mapping[str, Json]) -> bool:
        """By the type that it gives every row."""
        return row.get("type") == "model" and "display_name" in row
