from __future__ import annotations

import tomllib

from core.demo.models import demo_model
from core.demo.scratch import scratch, scratch_toml


def test_the_scratch_file_starts_without_a_provider_and_goes_away() -> None:
    with scratch() as path:
        assert path.name == "warden.toml"
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    assert data["version"] == 1
    assert "defaults" not in data
    assert not path.parent.exists()


def test_configured_it_names_the_demo_and_a_model_for_every_lane() -> None:
    data = tomllib.loads(scratch_toml("http://127.0.0.1:1/v1"))
    defaults = data["defaults"]
    provider = defaults["providers"]["demo"]
    assert provider["baseUrl"] == "http://127.0.0.1:1/v1"
    declared = {model["id"]: model for model in provider["models"]}
    for lane in ("agent", "auxiliary", "synthesis"):
        name, _, model_id = defaults[lane]["model"].partition("/")
        assert (name, model_id in declared) == ("demo", True)
    for model_id, entry in declared.items():
        model = demo_model(model_id)
        assert model is not None
        assert entry["contextWindow"] == model.context_window
        assert entry["maxTokens"] == model.max_output_tokens
        assert entry.get("reasoning", False) is model.supports_reasoning
