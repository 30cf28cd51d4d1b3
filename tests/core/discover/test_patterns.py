from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.discover.patterns import family_of, kind_by_name, pattern_facts


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
    "model_id", ["qwen3:8b", "supernova", "o12", "my-o3x", "llama-3.3-70b", "gpt-oss-20b", ""]
)
def test_other_names_say_nothing(model_id: str) -> None:
    assert family_of(model_id) is None
    assert pattern_facts(model_id) == {}


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
