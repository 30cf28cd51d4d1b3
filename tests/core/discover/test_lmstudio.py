from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.discover.dialect import Answers
from core.discover.lmstudio import LMStudio

if TYPE_CHECKING:
    from core.wire.bodies import Json


def instance(name: str, window: int) -> Json:
    return {"id": name, "config": {"context_length": window}}


@pytest.mark.parametrize(
    ("model_id", "instances", "window"),
    [
        ("q", [instance("q", 4096), instance("q:2", 65536)], 4096),
        ("q:2", [instance("q", 4096), instance("q:2", 65536)], 65536),
        ("q", [instance("mine", 8192), instance("other", 2048)], 2048),
        ("q", [], None),
    ],
)
def test_an_id_that_names_an_instance_has_that_ones_window(
    model_id: str, instances: list[Json], window: int | None
) -> None:
    """As lmstudio-ai/docs ``2_rest/list.md`` shows ``loaded_instances``."""
    own: Json = {
        "models": [{"key": "q", "type": "llm", "loaded_instances": instances, "capabilities": {}}]
    }
    (model,) = LMStudio().read(Answers(({"id": model_id},), {"/api/v1/models": own})).models
    assert model.value("context_window") == window
    assert model.value("loaded") is bool(instances)


@pytest.mark.parametrize(
    ("capabilities", "thinks"),
    [
        ({"vision": False, "trained_for_tool_use": True}, None),
        ({"reasoning": None}, False),
        ({"reasoning": {"allowed_options": ["on"], "default": "on"}}, True),
    ],
)
def test_what_is_not_said_of_thinking_is_no_fact(
    capabilities: dict[str, Json], thinks: bool | None
) -> None:
    own: Json = {"models": [{"key": "q", "loaded_instances": [], "capabilities": capabilities}]}
    (model,) = LMStudio().read(Answers(({"id": "q"},), {"/api/v1/models": own})).models
    assert model.value("reasoning") is thinks
