"""Rates out of counts and times, or the reason why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.live.figures import MIN_SECONDS, MIN_TOKENS, Reason

if TYPE_CHECKING:
    from core.live.counts import Timings, Usage


def phase_rate(
    name: str,
    tokens: int,
    intervals: int,
    seconds: float,
    forbidden: Reason | None,
    withheld: dict[str, Reason],
) -> float | None:
    """Tokens per second of one phase: ``intervals`` / ``seconds``.

    Below 8 ``tokens`` or 250 ms, or where something forbids it, None; the reason goes to
    ``withheld`` under ``name``.
    """
    if not tokens:
        withheld[name] = "nothing came"
    elif forbidden is not None:
        withheld[name] = forbidden
    elif tokens < MIN_TOKENS or seconds < MIN_SECONDS:
        withheld[name] = "too short"
    else:
        return intervals / seconds
    return None


def prefill_rate(
    first_token_s: float | None,
    usage: Usage | None,
    timings: Timings | None,
    forbidden: Reason | None,
    withheld: dict[str, Reason],
) -> float | None:
    """Prompt tokens per second: the server's own figure, else "at least" by the first token."""
    name = "prefill_tokens_per_s"
    if timings is not None and timings.prompt_n and timings.prompt_ms:
        return timings.prompt_n / timings.prompt_ms * 1000
    if usage is None or usage.prompt_tokens is None:
        withheld[name] = "no usage"
    elif first_token_s is None or first_token_s <= 0:
        withheld[name] = "nothing came"
    elif forbidden is not None:
        withheld[name] = forbidden
    else:
        return max(usage.prompt_tokens - (usage.cached_tokens or 0), 0) / first_token_s
    return None
