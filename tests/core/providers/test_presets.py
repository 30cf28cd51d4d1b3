from __future__ import annotations

import pytest

from core.errors import UsageProblem
from core.providers.base_url import read_base_url
from core.providers.presets import dummy_keys, preset, presets, tab_of


def test_the_order_begins_with_what_most_people_have() -> None:
    assert [one.dialect for one in presets()] == [
        "litellm",
        "ollama",
        "vllm",
        "lmstudio",
        "llamacpp",
        "sglang",
        "generic",
        "openrouter",
        "anthropic",
    ]


def test_every_address_is_already_the_right_spelling() -> None:
    for one in presets():
        if one.base_url:
            base = read_base_url(one.base_url)
            assert base.changes == ()
            assert base.port == (one.port or base.port)
            assert base.loopback is (one.port != 0)


def test_names_are_all_different() -> None:
    names = [one.name for one in presets()]
    assert len(set(names)) == len(names)


def test_an_unknown_preset_names_those_that_there_are() -> None:
    with pytest.raises(UsageProblem) as caught:
        preset("lite")
    assert "litellm" in caught.value.fault.fix


def test_dummy_keys_of_other_tools_are_known() -> None:
    assert {"EMPTY", "ollama", "lm-studio", "sk-no-key-required"} <= dummy_keys()
    assert preset("vllm").label == "vLLM"


def test_every_kind_has_a_tab_or_shares_the_one_for_all_others() -> None:
    tabs = [one for one in presets() if one.tab]
    assert len(tabs) == 7
    assert all(tab_of(one.dialect) in tabs for one in presets())
    assert tab_of("vllm").dialect == "vllm"
    assert tab_of("openrouter").base_url == ""


def test_short_labels_fit_a_column() -> None:
    assert all(0 < len(one.short) <= 12 for one in presets())


def test_prefixes_and_variables_of_another_reader_are_all_different() -> None:
    own = [one.ml_intern for one in presets() if one.ml_intern is not None]
    assert len({prefix for prefix, _ in own}) == len({stem for _, stem in own}) == len(own) == 4
    assert all(prefix.endswith("/") and stem.isupper() for prefix, stem in own)
