"""``models.json``: what Pi needs, merged into what people have, and no key in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from msgspec.structs import replace

from core.errors import ConfigProblem, Refusal
from core.export.jsonc import parse
from core.export.pi_models import auth_json, is_current, lost_by, models_json
from core.export.setup import Learned, refuse_unverified, words_of
from core.verify.compat import Compat
from tests.core.export.setups import FAILED, GATEWAY, LOCAL, NOTHING, VERIFIED, setup

if TYPE_CHECKING:
    from core.warden.config import Provider

UNPROBED: Final = {
    "supportsStore": False,
    "supportsDeveloperRole": False,
    "supportsReasoningEffort": False,
    "supportsUsageInStreaming": True,
    "maxTokensField": "max_completion_tokens",
    "supportsStrictMode": False,
    "supportsLongCacheRetention": False,
}


def test_a_provider_is_written_whole_with_its_key_by_name() -> None:
    made = models_json(setup())
    data = parse(made.text).data()
    assert data == {
        "providers": {
            "litellm": {
                "baseUrl": "https://gw.acme.lan/v1",
                "api": "openai-completions",
                "apiKey": "$LITELLM_API_KEY",
                "models": [
                    {
                        "id": "qwen3-coder",
                        "reasoning": True,
                        "input": ["text"],
                        "contextWindow": 131072,
                        "maxTokens": 16384,
                        "compat": UNPROBED,
                    },
                    {
                        "id": "org/small:4b",
                        "name": "Small",
                        "reasoning": False,
                        "input": ["text", "image"],
                        "contextWindow": 128000,
                        "maxTokens": 16384,
                        "cost": {"input": 1.0, "output": 2.0, "cacheRead": 0.0, "cacheWrite": 0.0},
                        "compat": UNPROBED,
                    },
                ],
            }
        }
    }
    assert made.variables == ("LITELLM_API_KEY",)
    assert made.text.startswith("// turnkey: Verified by turnkey 1.2.3 on 2026-11-20")
    assert made.text.endswith("}\n")


@pytest.mark.parametrize(
    ("provider", "reference"),
    [
        (GATEWAY, "$LITELLM_API_KEY"),
        (replace(GATEWAY, name="lm-studio"), "$LM_STUDIO_API_KEY"),
        (replace(GATEWAY, api_key_env="GW_KEY"), "$GW_KEY"),
        (LOCAL, "turnkey-no-key"),
        (replace(LOCAL, api_key_env="OLLAMA_PROXY_KEY"), "$OLLAMA_PROXY_KEY"),
    ],
)
def test_the_key_is_a_name_or_the_placeholder(provider: Provider, reference: str) -> None:
    data = parse(models_json(setup(provider)).text).data()
    assert isinstance(data, dict)
    assert data["providers"][provider.name]["apiKey"] == reference
    stored = parse(auth_json(setup(provider)).text).data()
    assert stored == {provider.name: {"type": "api_key", "key": reference}}


def test_what_was_learned_goes_over_what_adds_nothing() -> None:
    found = Learned(
        Compat(supports_store=True, max_tokens_field="max_tokens", thinking_format="qwen"),
        {"off": None},
        reasoning=True,
        max_tokens=4000,
    )
    learned = replace(setup(), learned={"litellm/qwen3-coder": found})
    data = parse(models_json(learned).text).data()
    assert isinstance(data, dict)
    coder, small = data["providers"]["litellm"]["models"]
    assert coder["compat"] == {
        "supportsStore": True,
        "maxTokensField": "max_tokens",
        "thinkingFormat": "qwen",
    }
    assert coder["thinkingLevelMap"] == {"off": None}
    assert coder["maxTokens"] == 4000
    assert small["compat"] == UNPROBED


EXISTING: Final = """{
  // mine
  "providers": {
    "other": {"apiKey": "$OTHER"}, // keep
    "litellm": {"baseUrl": "http://old"}
  },
  "modelOverrides": {}
}
"""


def test_other_providers_and_comments_of_an_existing_file_stay() -> None:
    made = models_json(setup(), EXISTING)
    assert '    "other": {"apiKey": "$OTHER"}, // keep\n' in made.text
    assert "  // mine\n" in made.text
    assert '"modelOverrides": {}' in made.text
    assert "http://old" not in made.text
    assert "The entry litellm that stood there was brought up to date." in made.notes


def test_exporting_again_changes_only_turnkeys_own_words() -> None:
    once = models_json(setup(standing=NOTHING), EXISTING).text
    assert once.startswith("// turnkey: NOT VERIFIED")
    again = models_json(setup(), once).text
    assert "NOT VERIFIED" not in again
    assert again.partition("{")[2] == once.partition("{")[2]
    assert models_json(setup(), again).text == again


@pytest.mark.parametrize("existing", [EXISTING, "", "\ufeff{}", EXISTING.replace("\n", "\r\n")])
def test_an_export_knows_whether_it_is_current(existing: str) -> None:
    assert not is_current(setup(), existing)
    made = models_json(setup(), existing).text
    assert is_current(setup(), made)
    assert not is_current(setup(replace(GATEWAY, base_url="https://gw.acme.lan/v2")), made)


@pytest.mark.parametrize("existing", ["{", '{"providers": []}', "[1]", "{/* no */}"])
def test_a_file_that_pi_would_drop_is_not_touched(existing: str) -> None:
    with pytest.raises(ConfigProblem) as caught:
        models_json(setup(), existing)
    assert "line 1" in caught.value.fault.what


def test_an_address_with_a_login_is_refused_without_telling_it() -> None:
    with pytest.raises(Refusal) as caught:
        models_json(setup(replace(GATEWAY, base_url="https://me:hunter2@gw.lan/v1")))
    fault = caught.value.fault
    assert "hunter2" not in f"{fault.what} {fault.why} {fault.fix}"


@pytest.mark.parametrize(
    ("entry", "auth", "lost"),
    [
        ('{"apiKey": "sk-own-literal-key"}', False, True),
        ('{"apiKey": "$OTHER_NAME"}', False, False),
        ('{"apiKey": "!pass show gw"}', False, True),
        ('{"apiKey": "$LITELLM_API_KEY-and-more"}', False, True),
        ('{"apiKey": "turnkey-no-key"}', False, False),
        ('{"baseUrl": "http://old"}', False, False),
        ('{"type": "api_key", "key": "sk-own-literal-key"}', True, True),
        ('{"type": "api_key", "key": "$LITELLM_API_KEY"}', True, False),
        ('{"type": "oauth", "refresh": "r", "access": "a"}', True, True),
    ],
)
def test_a_key_that_stands_nowhere_else_is_named_before_it_is_lost(
    entry: str, auth: bool, lost: bool
) -> None:
    existing = f'{{"litellm": {entry}}}' if auth else f'{{"providers": {{"litellm": {entry}}}}}'
    told = lost_by(setup(), existing, auth=auth)
    assert bool(told) is lost
    assert "sk-own" not in " ".join(told)
    assert lost_by(setup(LOCAL), existing, auth=auth) == ()


def test_images_that_were_refused_are_not_declared() -> None:
    blind = Learned(Compat(), image=False)
    made = models_json(replace(setup(), learned={"litellm/org/small:4b": blind}))
    data = parse(made.text).data()
    assert isinstance(data, dict)
    assert [one["input"] for one in data["providers"]["litellm"]["models"]] == [["text"]] * 2


def test_the_provider_of_a_skills_own_model_is_written_too() -> None:
    made = models_json(replace(setup(GATEWAY, LOCAL), overrides=("ollama/qwen3:4b",)))
    data = parse(made.text).data()
    assert isinstance(data, dict)
    assert list(data["providers"]) == ["litellm", "ollama"]


def test_only_providers_that_a_lane_uses_are_written() -> None:
    made = models_json(setup(GATEWAY, LOCAL))
    assert "ollama" not in made.text


@pytest.mark.parametrize(
    ("standing", "word"),
    [
        (VERIFIED, "Verified by turnkey"),
        (NOTHING, "NOT VERIFIED: nobody has tried"),
        (FAILED, "these failed: bare_json"),
        (replace(VERIFIED, worth="stale"), "NOT VERIFIED"),
    ],
)
def test_an_export_says_what_was_verified(standing: object, word: str) -> None:
    made = models_json(replace(setup(), standing=standing))
    assert word in made.text


def test_an_unverified_setup_leaves_only_when_that_is_meant() -> None:
    refuse_unverified(setup(), unverified=False)
    refuse_unverified(setup(standing=NOTHING), unverified=True)
    for standing in (NOTHING, FAILED, replace(VERIFIED, worth="stale")):
        asked = setup(standing=standing)
        with pytest.raises(Refusal) as caught:
            refuse_unverified(asked, unverified=False)
        assert "--unverified" in caught.value.fault.fix
        assert "--variant stock" not in caught.value.fault.fix
        assert caught.value.exit_code == 1
        assert words_of(asked)[0].startswith("NOT VERIFIED")


def test_what_stock_reads_is_to_be_verified_for_stock() -> None:
    asked = replace(setup(standing=NOTHING), variant="stock")
    with pytest.raises(Refusal) as caught:
        refuse_unverified(asked, unverified=False)
    assert "turnkey verify --variant stock" in caught.value.fault.fix
    assert "turnkey verify --variant stock" in words_of(asked)[0]
