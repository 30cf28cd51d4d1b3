"""The tolerant read: what is there is typed, what is mistyped is left out, nothing raises."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.warden.config import (
    Cost,
    ModelEntry,
    Provider,
    Skill,
    Trigger,
    read_config,
    split_selector,
)

WHOLE = """
version = 1
[defaults]
runtime = "pi"
model = "a/old"
maxTurns = 9
offline = true
[defaults.agent]
model = "litellm/qwen3"
effort = "high"
maxTurns = 8
[defaults.auxiliary]
model = "litellm/mini"
effort = "low"
maxRetries = 3
[defaults.synthesis]
model = "litellm/big"
[defaults.verification]
enabled = false
[defaults.providers.litellm]
baseUrl = "http://gw:4000/v1"
api = "openai-completions"
apiKeyEnv = "GW_KEY"
headers = { X-Team = "core" }
[[defaults.providers.litellm.models]]
id = "qwen3"
name = "Qwen"
reasoning = true
input = ["text", "image"]
contextWindow = 131072
maxTokens = 16384.0
cost = { input = 1, output = 2.5, cacheRead = 0, cacheWrite = 0 }
[[defaults.providers.litellm.models]]
id = "vendor/mini:4b"
[runner]
concurrency = 2
[[skills]]
name = "a"
remote = "o/r"
model = "litellm/skill"
[skills.verification]
enabled = true
[[skills.triggers]]
type = "pull_request"
actions = ["opened"]
model = "litellm/trigger"
"""


def test_a_whole_file_is_read() -> None:
    config = read_config(tomllib.loads(WHOLE))
    defaults = config.defaults
    assert (config.version, config.concurrency) == (1, 2)
    assert (defaults.model, defaults.max_turns, defaults.offline) == ("a/old", 9, True)
    assert (defaults.agent_model, defaults.agent_effort) == ("litellm/qwen3", "high")
    assert (defaults.auxiliary_model, defaults.auxiliary_max_retries) == ("litellm/mini", 3)
    assert (defaults.synthesis_model, defaults.verification_enabled) == ("litellm/big", False)
    assert config.providers == (
        Provider(
            "litellm",
            "http://gw:4000/v1",
            "openai-completions",
            {"X-Team": "core"},
            "GW_KEY",
            (
                ModelEntry(
                    "qwen3",
                    "Qwen",
                    reasoning=True,
                    input=("text", "image"),
                    context_window=131072,
                    max_tokens=16384,
                    cost=Cost(1.0, 2.5, 0.0, 0.0),
                ),
                ModelEntry("vendor/mini:4b"),
            ),
        ),
    )
    assert config.skills == (
        Skill(
            "a",
            "o/r",
            "litellm/skill",
            verification_enabled=True,
            triggers=(Trigger("pull_request", "litellm/trigger", ("opened",)),),
        ),
    )


def test_names_of_providers_are_matched_letter_by_letter() -> None:
    config = read_config(tomllib.loads(WHOLE))
    assert config.provider("litellm") is not None
    assert config.provider("LiteLLM") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "defaults = 3",
        "skills = 'no'",
        "skills = [1, 'two']",
        "[defaults]\nproviders = []",
        "[defaults.providers]\nlitellm = 'x'",
        "[defaults.providers.litellm]\nbaseUrl = 3\nmodels = 'x'",
        "[defaults.providers.litellm]\nbaseUrl = 'http://x'\nmodels = [{ id = 3 }, 4]",
        "[defaults]\nagent = 'x'\nruntime = 1\nmodel = true",
        "version = true\n[runner]\nconcurrency = 'x'",
    ],
)
def test_what_is_mistyped_is_left_out(text: str) -> None:
    config = read_config(tomllib.loads(text))
    assert config.version is None
    assert config.concurrency is None
    assert config.defaults.agent_model is None
    assert all(provider.models == () for provider in config.providers)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
KNOWN = st.sampled_from(
    ["version", "defaults", "skills", "runner", "providers", "models", "agent", "model", "id"]
)


@given(st.dictionaries(KNOWN, st.recursive(JSON, lambda one: st.dictionaries(KNOWN, one))))
def test_no_file_makes_the_reader_raise(data: dict[str, object]) -> None:
    read_config(data)


@pytest.mark.parametrize(
    ("selector", "parts"),
    [
        ("litellm/qwen3", ("litellm", "qwen3")),
        ("thirdparty/openai/gpt-oss-120b", ("thirdparty", "openai/gpt-oss-120b")),
        ("ollama/qwen3:4b", ("ollama", "qwen3:4b")),
        ("qwen3", None),
        ("/qwen3", None),
        ("litellm/", None),
        ("", None),
    ],
)
def test_a_selector_is_split_at_its_first_slash(
    selector: str, parts: tuple[str, str] | None
) -> None:
    assert split_selector(selector) == parts
