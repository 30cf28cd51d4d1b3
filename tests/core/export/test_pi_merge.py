"""Merging into a ``models.json`` of somebody's: nothing of theirs goes, or nothing is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.export.jsonc import parse
from core.export.pi_models import auth_json, is_current, lost_by, models_json
from core.export.setup import Learned, Setup
from core.verify.compat import Compat
from tests.core.export.setups import CODER, GATEWAY, setup

if TYPE_CHECKING:
    from collections.abc import Mapping

OURS: Final = {"baseUrl": "https://gw.acme.lan/v1", "api": "openai-completions"}
CODERS: Final = {"id": "qwen3-coder"}
PROBED: Final = replace(setup(), learned={"litellm/qwen3-coder": Learned(Compat())})


def file_of(entry: Mapping[str, object]) -> str:
    return json.dumps({"providers": {"litellm": {**OURS, **entry}}}, indent=2)


def merged(entry: Mapping[str, object], asked: Setup = PROBED) -> dict[str, object]:
    text = models_json(asked, file_of(entry)).text
    data = parse(text).data()
    assert isinstance(data, dict)
    found: dict[str, object] = data["providers"]["litellm"]
    return found


@pytest.mark.parametrize(
    "entry",
    [
        {"headers": {"X-Team": "sk-theirs"}},
        {"modelOverrides": {"qwen3-coder": {"name": "Mine"}, "gpt": {"contextWindow": 1}}},
        {"models": [{"id": "theirs", "contextWindow": 7}, "no object"]},
        {"name": "Our gateway", "authHeader": True, "compat": {"supportsStore": False}},
        {"models": [{**CODERS, "samplingParams": {"temperature": 0.1}, "headers": {"X": "$Y"}}]},
        {"models": [{**CODERS, "compat": {"sendSessionAffinityHeaders": True}}]},
    ],
)
def test_what_the_config_does_not_speak_of_stays_and_is_named(entry: dict[str, object]) -> None:
    assert not lost_by(PROBED, file_of(entry))
    after = merged(entry)
    for field, value in entry.items():
        if field == "models":
            assert isinstance(value, list)
            models = after["models"]
            assert isinstance(models, list)
            for one in value:
                assert any(
                    found == one or (isinstance(found, dict) and _holds(found, one))
                    for found in models
                )
        else:
            assert after[field] == value
    notes = models_json(PROBED, file_of(entry)).notes
    assert any("keeps what no trial had" in note for note in notes)
    assert "sk-theirs" not in " ".join(notes)
    assert is_current(PROBED, models_json(PROBED, file_of(entry)).text)
    alone = models_json(PROBED, file_of(entry), replace=True).text
    assert parse(alone).data() == parse(models_json(PROBED).text).data()


def _holds(found: object, wanted: object) -> bool:
    """Whether all of ``wanted`` stands in ``found``."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return all(key in found and _holds(found[key], one) for key, one in wanted.items())
    return found == wanted


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ({"apiKey": "sk-theirs"}, "a key in apiKey"),
        ({"baseUrl": "http://old.lan/v1", "headers": {"X-Team": "sk-theirs"}}, "header X-Team"),
        ({"baseUrl": "http://old.lan/v1", "models": [{"id": "theirs"}]}, "model theirs"),
        ({"models": [{**CODERS, "baseUrl": "https://hosted.example/v1"}]}, "qwen3-coder: baseUrl"),
        ({"models": [{**CODERS, "api": "anthropic-messages"}]}, "qwen3-coder: api"),
        (
            {"modelOverrides": {"qwen3-coder": {"baseUrl": "https://hosted.example/v1"}}},
            "modelOverrides of qwen3-coder: baseUrl",
        ),
        (
            {"modelOverrides": {"qwen3-coder": {"compat": {"thinkingFormat": "qwen"}}}},
            "modelOverrides of qwen3-coder: compat thinkingFormat",
        ),
        (
            {"modelOverrides": {"qwen3-coder": {"maxTokens": 5, "reasoning": False}}},
            "modelOverrides of qwen3-coder: maxTokens",
        ),
        (
            {"modelOverrides": {"qwen3-coder": {"thinkingLevelMap": {"medium": "high"}}}},
            "modelOverrides of qwen3-coder: thinkingLevelMap",
        ),
        (
            {"modelOverrides": {"qwen3-coder": {"samplingParams": {"model": "gpt"}}}},
            "modelOverrides of qwen3-coder: samplingParams",
        ),
        ({"models": [{**CODERS, "samplingParams": {"model": "gpt"}}]}, "names another model"),
        (
            {"models": [{**CODERS, "samplingParamsByThinkingLevel": {"low": {"model": "gpt"}}}]},
            "names another model",
        ),
        ({"compat": {"requiresToolResultName": True}}, "compat requiresToolResultName of the"),
        ({"headers": ["no", "object"]}, "headers, which is no object"),
        ({"models": [{"id": "t", "baseUrl": "https://hosted.example"}]}, "this key at its own"),
        ({"models": [{**CODERS, "compat": {"thinkingFormat": "qwen"}}]}, "compat thinkingFormat"),
        ({"models": [{**CODERS, "thinkingLevelMap": {"off": None}}]}, "thinkingLevelMap"),
        ({"models": {}}, "models, which is no list"),
    ],
)
def test_what_would_go_or_go_elsewhere_is_named_without_its_value(
    entry: dict[str, object], word: str
) -> None:
    told = " ".join(lost_by(PROBED, file_of(entry)))
    assert word in told
    assert "sk-theirs" not in told
    assert not is_current(PROBED, file_of(entry))


def test_an_override_that_says_the_same_stays() -> None:
    found = Learned(Compat(supports_store=False, max_tokens_field="max_tokens"))
    asked = replace(PROBED, learned={"litellm/qwen3-coder": found})
    same = {"compat": {"supportsStore": False}, "contextWindow": CODER.context_window}
    shared = {"compat": {"maxTokensField": "max_completion_tokens"}}
    entry = {"modelOverrides": {"qwen3-coder": same, "theirs": {"reasoning": True}}, **shared}
    assert not lost_by(asked, file_of(entry))
    other = {"modelOverrides": {"qwen3-coder": {"compat": {"supportsStore": True}}}}
    assert "compat supportsStore" in " ".join(lost_by(asked, file_of(other)))
    assert not lost_by(setup(), file_of(other))  # nobody has asked


def test_a_headers_own_value_is_lost_only_where_the_config_has_another() -> None:
    asked = setup(replace(GATEWAY, headers={"x-team": "$TEAM", "X-New": "1"}))
    assert "header X-Team" in " ".join(lost_by(asked, file_of({"headers": {"X-Team": "sk-a"}})))
    known = {"headers": {"X-Team": "$OLD"}}
    assert not lost_by(asked, file_of(known))
    assert merged(known, asked)["headers"] == {"X-Team": "$TEAM", "X-New": "1"}


def test_flags_and_limits_that_nobody_tried_stay_as_somebody_set_them() -> None:
    bare = setup(replace(GATEWAY, models=(replace(CODER, context_window=None),)))
    theirs = {**CODERS, "contextWindow": 9, "compat": {"maxTokensField": "max_tokens"}}
    models = merged({"models": [theirs]}, bare)["models"]
    assert isinstance(models, list)
    assert models[0]["contextWindow"] == 9
    assert models[0]["maxTokens"] == 16384
    assert models[0]["compat"]["maxTokensField"] == "max_tokens"
    found = replace(bare, learned={"litellm/qwen3-coder": Learned(Compat(max_tokens_field=None))})
    assert lost_by(found, file_of({"models": [theirs]}))


def test_comments_inside_an_entry_stay() -> None:
    text = models_json(setup()).text.replace(
        '"api": ', '// which one\n      "headers": {}, // none\n      "api": '
    )
    other = setup(replace(GATEWAY, models=(*GATEWAY.models, replace(CODER, id="third"))))
    after = models_json(other, text).text
    assert "// which one\n" in after
    assert "// none\n" in after
    assert '"id": "third"' in after


def test_what_stands_beside_a_stored_key_stays() -> None:
    entry = {"type": "api_key", "key": "$OLD", "env": {"HTTPS_PROXY": "http://p"}}
    existing = json.dumps({"litellm": entry, "other": {"type": "oauth"}})
    assert not lost_by(setup(), existing, auth=True)
    assert parse(auth_json(setup(), existing).text).data() == {
        "litellm": {**entry, "key": "$LITELLM_API_KEY"},
        "other": {"type": "oauth"},
    }
    alone = parse(auth_json(setup(), existing, replace=True).text).data()
    assert isinstance(alone, dict)
    assert "env" not in alone["litellm"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "headers", "compat", "baseUrl", "x"]), inner)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["models", "headers", "apiKey", "compat", "baseUrl", "modelOverrides", "name", "authHeader"]
)


@given(st.dictionaries(FIELDS, JSON | st.lists(st.fixed_dictionaries({"id": JSON}), max_size=2)))
def test_any_entry_is_kept_whole_or_named(entry: dict[str, object]) -> None:
    existing = file_of(entry)
    if lost_by(PROBED, existing):
        return
    text = models_json(PROBED, existing).text
    assert is_current(PROBED, text)
    assert models_json(PROBED, text).text == text
    after = merged(entry)
    for field in ("modelOverrides", "compat", "name", "authHeader"):
        assert after.get(field) == entry.get(field)
