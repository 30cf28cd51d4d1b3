from __future__ import annotations

import pytest

from tests.core.discover import replay
from tests.core.discover.replay import look
from tests.servers.scripted import ScriptedProvider, json_reply, models_reply


@pytest.mark.parametrize(
    ("away", "said"),
    [
        ([], []),
        (["big:cloud"], ["«big:cloud» runs in Ollama's cloud"]),
        (["big:cloud", "huge:cloud"], ["«big:cloud» and 1 more run in Ollama's cloud"]),
    ],
)
async def test_models_that_run_in_the_cloud_are_told(away: list[str], said: list[str]) -> None:
    """As ollama/ollama ``api/types.go`` (``ListModelResponse``) names them."""
    host = "https://ollama.com:443"
    tags: list[dict[str, object]] = [{"name": "own:8b", "digest": "d"}]
    tags += [{"name": name, "digest": "d", "remote_host": host} for name in away]
    routes = replay.ollama()
    routes["GET", "/v1/models"] = models_reply([{"id": str(one["name"])} for one in tags])
    routes["GET", "/api/tags"] = json_reply(200, {"models": tags})
    routes["POST", "/api/show"] = json_reply(200, {"capabilities": ["completion"]})
    async with ScriptedProvider(routes) as server:
        found = await look(server)
    assert len(found.warnings) == len(said)
    for warning, words in zip(found.warnings, said, strict=True):
        assert warning.what.startswith(words)
    for model in found.models:
        assert (model.value("upstream") == host) is (model.id in away)
        assert ("loaded" in model.facts) is (model.id not in away)
        assert ("elsewhere" in model.facts) is (model.id in away)


@pytest.mark.parametrize(
    ("name", "tag", "shown", "value", "source"),
    [
        ("a:1b", {"remote_model": "a:1b"}, {}, "a:1b", "server"),
        ("a:1b", {}, {"remote_model": "a:1b"}, "a:1b", "server"),
        ("a:1b", {}, {"remote_host": "https://o.example"}, "https://o.example", "server"),
        ("a:1b-cloud", {}, {}, True, "pattern"),
        ("a:cloud", {}, {}, True, "pattern"),
        ("a-cloudy:1b", {}, {}, None, None),
    ],
)
async def test_a_cloud_model_is_known_by_either_field_and_suspected_by_its_name(
    name: str, tag: dict[str, str], shown: dict[str, str], value: object, source: str | None
) -> None:
    routes = replay.ollama()
    routes["GET", "/v1/models"] = models_reply([{"id": name}])
    routes["GET", "/api/tags"] = json_reply(200, {"models": [{"name": name, **tag}]})
    routes["GET", "/api/ps"] = json_reply(200, {"models": []})
    routes["POST", "/api/show"] = json_reply(200, {"capabilities": ["completion"], **shown})
    async with ScriptedProvider(routes) as server:
        found = await look(server)
    (model,) = found.models
    fact = model.facts.get("elsewhere")
    assert (fact and fact.value, fact and fact.source) == (value, source)
    assert ("loaded" in model.facts) is (value is None)
    assert len(found.warnings) == (0 if value is None else 1)
