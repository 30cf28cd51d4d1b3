from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.discover.patterns import (
    family_of,
    kind_by_name,
    pattern_facts,
    prepare,
    shared_facts,
)


@pytest.mark.parametrize(
    ("model_id", "reasoning", "images", "context", "output"),
    [
        ("claude-opus-4", True, True, 200_000, 16_000),
        ("anthropic/claude-sonnet-4-5", False, True, 128_000, 16_000),
        ("claude-sonnet-with-reasoning", True, True, 128_000, 16_000),
        ("Gemini-2.5-pro", False, True, 1_000_000, 8_000),
        ("gemini-pro", False, True, 128_000, 8_000),
        ("openai/gpt-5.4-nano", True, True, 200_000, 32_000),
        ("gpt-4o-mini", False, True, 128_000, 16_000),
        ("o3-mini", True, False, 128_000, 16_000),
        ("amazon.nova-pro-v1:0", False, True, 128_000, 16_000),
        ("databricks-meta-llama", False, False, 128_000, 16_000),
    ],
)
def test_families_are_known_by_name(
    model_id: str, reasoning: bool, images: bool, context: int, output: int
) -> None:
    family = family_of(model_id)
    assert family is not None
    assert family.reasoning is reasoning
    assert family.image_input is images
    assert family.context_window == context
    assert family.max_output_tokens == output
    assert all(fact.source == "pattern" for fact in pattern_facts(model_id).values())


@pytest.mark.parametrize(
    "model_id",
    ["qwen3:8b", "supernova", "o12", "my-o3x", "llama-3.3-70b", "qwen3-non-thinking", ""],
)
def test_other_names_say_nothing(model_id: str) -> None:
    assert family_of(model_id) is None
    assert pattern_facts(model_id) == {}


@pytest.mark.parametrize(
    ("model_id", "facts"),
    [
        ("o4-mini", {"reasoning": True, "image_input": True}),
        ("openai/o4-mini-2025-04-16", {"reasoning": True}),
        ("gpt-oss-20b", {"reasoning": True, "image_input": None, "context_window": None}),
        ("deepseek-r1:8b", {"reasoning": True, "image_input": None}),
        ("Qwen/Qwen3-30B-A3B-Thinking-2507", {"reasoning": True, "image_input": None}),
        ("qwen3-vl-8b-thinking", {"reasoning": True, "image_input": True}),
        ("qwen2.5-vl-7b-instruct", {"reasoning": None, "image_input": True}),
        ("llava:13b", {"reasoning": None, "image_input": True}),
    ],
)
def test_a_name_tells_no_more_than_is_in_it(model_id: str, facts: dict[str, bool | None]) -> None:
    found = pattern_facts(model_id)
    for name, value in facts.items():
        assert (found[name].value if name in found else None) == value, name


def test_only_what_all_names_suggest_is_shared() -> None:
    assert shared_facts(["o3-mini"]) == pattern_facts("o3-mini")
    assert set(shared_facts(["o3-mini", "gpt-oss-20b"])) == {"reasoning"}
    assert shared_facts(["o3-mini", "llama3"]) == {}


def test_databricks_refuses_the_cache_key_whatever_stands_on_it() -> None:
    behind, direct = family_of("databricks-claude-sonnet-4"), family_of("claude-sonnet-4")
    assert behind is not None
    assert direct is not None
    assert behind.prompt_cache_key is False
    assert direct.prompt_cache_key is True


@pytest.mark.parametrize(
    ("model_id", "kind"),
    [
        ("text-embedding-3-small", "embedding"),
        ("nomic-embed-text:latest", "embedding"),
        ("BAAI/bge-m3", "embedding"),
        ("intfloat/e5-large", "embedding"),
        ("bge-reranker-v2", "rerank"),
        ("jina-reranker-v2", "rerank"),
        ("whisper-1", "audio"),
        ("tts-1-hd", "audio"),
        ("dall-e-3", "image"),
        ("black-forest/flux-1", "image"),
        ("omni-moderation-latest", "other"),
        ("gemini-2.5-flash-image-preview", "image"),
        ("qwen-image-edit", "image"),
        ("grok-2-image-1212", "image"),
        ("chatgpt-image-latest", "image"),
        ("stabilityai/sd3.5-large", "image"),
        ("nova-canvas-v1:0", "image"),
        ("voyage-3-large", "embedding"),
        ("imagenet-coder", None),
        ("qwen3-coder", None),
        ("deepseek-r1", None),
        ("mistral-small", None),
        ("fluxbox-coder", None),
    ],
)
def test_kinds_are_known_by_name(model_id: str, kind: str | None) -> None:
    assert kind_by_name(model_id) == kind


@given(st.text(max_size=400))
def test_any_name_is_judged(model_id: str) -> None:
    kind_by_name(model_id)
    pattern_facts(model_id)


@pytest.mark.parametrize(
    ("model_id", "kind", "thinks"),
    [
        (f"/cache/{'a-long-folder/' * 30}qwen3-vl-8b-thinking.gguf", None, True),
        (f"/cache/{'a-long-folder/' * 30}bge-large.gguf", "embedding", None),
        (f"openai/text-embedding-3-{'x' * 300}", "embedding", None),
        (f"/{'flux/' * 40}{'a-long-folder/' * 30}qwen3-8b.gguf", "image", None),
    ],
)
def test_of_a_long_id_its_start_and_its_end_are_read(
    model_id: str, kind: str | None, *, thinks: bool | None
) -> None:
    assert kind_by_name(model_id) == kind
    family = family_of(model_id)
    assert (family.reasoning if family is not None else None) is thinks


def test_how_long_an_id_is_does_not_matter() -> None:
    """Twenty thousand ids of hundreds of characters are read about as fast as those of 160."""

    def seconds(length: int) -> float:
        ids = [("vendor/" + "ab-cd." * 900)[:length] + f"{number:06d}" for number in range(300)]
        best = 9.0
        for _ in range(5):
            started = time.perf_counter()
            for model_id in ids:
                pattern_facts(model_id)
                kind_by_name(model_id)
            best = min(best, time.perf_counter() - started)
        return best

    prepare()
    assert seconds(5000) < 2 * seconds(154)
