from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.providers.names import (
    default_name,
    env_stem,
    name_fault,
    name_warnings,
    suggest_name,
)
from core.providers.presets import presets


@pytest.mark.parametrize(
    ("name", "stem"),
    [("litellm", "LITELLM"), ("lm-studio", "LM_STUDIO"), ("1st", "1ST"), ("a.b c", "A_B_C")],
)
def test_the_key_variable_is_named_as_warden_names_it(name: str, stem: str) -> None:
    assert env_stem(name) == stem


@pytest.mark.parametrize(
    "name", ["", "a/b", "a b", "a\tb", "a\x1bb", "openai", "llama.cpp", "__proto__"]
)
def test_names_that_cannot_work_are_refused_with_another(name: str) -> None:
    fault = name_fault(name)
    assert fault is not None
    assert fault.code == "usage"
    assert "Use for example" in fault.fix


def test_a_taken_name_says_so() -> None:
    fault = name_fault("litellm", ["litellm"])
    assert fault is not None
    assert fault.code == "provider_exists"


@pytest.mark.parametrize("name", ["litellm", "LiteLLM", "lm-studio", "1st", "together"])
def test_legal_names_are_let_through(name: str) -> None:
    assert name_fault(name, ["other"]) is None


@pytest.mark.parametrize(
    ("name", "taken", "word"),
    [
        ("LiteLLM", (), "capital"),
        ("lm-studio", (), "WARDEN_LM-STUDIO_BASE_URL"),
        ("1st", (), "digit"),
        ("together", (), "Pi knows"),
        ("cloudflare-ai-gateway", (), "Pi knows"),
        ("OpenAI", (), "OPENAI_API_KEY"),
        ("constructor", (), "JavaScript"),
        ("prototype", (), "JavaScript"),
        ("toString", (), "JavaScript"),
        ("lm_studio", ("lm-studio",), "same key variable"),
        ("schlüssel", (), "nobody will guess"),
    ],
)
def test_legal_but_unwise_names_are_warned_of(name: str, taken: tuple[str, ...], word: str) -> None:
    assert any(word in fault.what + fault.why for fault in name_warnings(name, taken))


def test_every_preset_has_a_name_without_a_flaw() -> None:
    for preset in presets():
        if preset.name:
            assert name_fault(preset.name) is None
            assert name_warnings(preset.name) == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My GPU box", "mygpubox"),
        ("openrouter", "openroutergw"),
        ("anthropic", "anthropicgw"),
        ("1st", "st"),
        ("__proto__", "proto"),
        ("constructor", "constructorgw"),
        ("日本", "provider"),
        ("", "provider"),
    ],
)
def test_suggestions(text: str, name: str) -> None:
    assert suggest_name(text) == name


@given(st.text())
def test_a_suggestion_is_always_a_good_name(text: str) -> None:
    name = suggest_name(text)
    assert re.fullmatch(r"[a-z][a-z0-9]*", name)
    assert name_fault(name) is None
    assert name_warnings(name) == ()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("gpu-box.lan", "gpubox"),
        ("localhost", "local"),
        ("127.0.0.1", "local"),
        ("10.0.0.7", "provider"),
    ],
)
def test_a_generic_provider_is_named_after_its_host(host: str, name: str) -> None:
    assert default_name("", host) == name
    assert default_name("vllm", host) == "vllm"


@pytest.mark.parametrize(
    ("names", "fixes"),
    [
        (("gw", "GW"), ("Rename «GW».", "«gw2» has none of this trouble.")),
        (("lm-studio", "lm_studio"), ("«lmstudio»", "«lmstudio2»")),
    ],
)
def test_names_that_share_a_variable_are_sent_to_different_ones(
    names: tuple[str, str], fixes: tuple[str, str]
) -> None:
    for name, words in zip(names, fixes, strict=True):
        found = [one for one in name_warnings(name, names) if "same key variable" in one.what]
        assert words in found[0].fix
