"""Token counts and clocks that a server reports about itself, under all the names they have."""

from __future__ import annotations

from typing import Final

import msgspec

_HUGE: Final = 1e15


class Usage(msgspec.Struct, frozen=True):
    """Token counts as the server gave them; None where it said nothing. Counts are cumulative."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """All that was generated: thinking, answer, calls, and markers that are never shown."""
    total_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cost: float | None = None
    """US dollars for this request, when a gateway says it."""


class Timings(msgspec.Struct, frozen=True):
    """llama.cpp's own clock (``timings``): counts in tokens, times in milliseconds."""

    prompt_n: int | None = None
    prompt_ms: float | None = None
    cache_n: int | None = None
    predicted_n: int | None = None
    predicted_ms: float | None = None


def read_usage(value: object) -> Usage | None:
    """A ``usage`` object; None when it counts nothing.

    Cached tokens stand in three places by server (badlogic/pi-mono packages/ai reads the same).
    """
    if not isinstance(value, dict):
        return None
    details = value.get("completion_tokens_details")
    prompt = value.get("prompt_tokens_details")
    usage = Usage(
        prompt_tokens=count(value.get("prompt_tokens", value.get("input_tokens"))),
        completion_tokens=count(value.get("completion_tokens", value.get("output_tokens"))),
        total_tokens=count(value.get("total_tokens")),
        reasoning_tokens=_first_count(
            details.get("reasoning_tokens") if isinstance(details, dict) else None,
            value.get("reasoning_tokens"),
        ),
        cached_tokens=_first_count(
            prompt.get("cached_tokens") if isinstance(prompt, dict) else None,
            value.get("prompt_cache_hit_tokens"),
            value.get("cached_tokens"),
        ),
        cost=number(value.get("cost")),
    )
    return None if usage.prompt_tokens is None and usage.completion_tokens is None else usage


def read_timings(value: object) -> Timings | None:
    """A ``timings`` object (ggml-org/llama.cpp tools/server/README.md); None without a count."""
    if not isinstance(value, dict):
        return None
    timings = Timings(
        prompt_n=count(value.get("prompt_n")),
        prompt_ms=number(value.get("prompt_ms")),
        cache_n=count(value.get("cache_n")),
        predicted_n=count(value.get("predicted_n")),
        predicted_ms=number(value.get("predicted_ms")),
    )
    return None if timings.predicted_n is None else timings


def count(value: object) -> int | None:
    """A count of tokens: a number that is whole and not negative."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < _HUGE else None
    if isinstance(value, float) and 0 <= value < _HUGE and value.is_integer():
        return int(value)
    return None


def _first_count(*values: object) -> int | None:
    return next((found for value in values if (found := count(value)) is not None), None)


def number(value: object) -> float | None:
    """A finite number of any kind, but no truth value."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < _HUGE else None
