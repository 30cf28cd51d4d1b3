"""Stuck, loading or slow: what waiting for a stream looks like, told apart as far as it shows.

Pure. While a request runs, :func:`waiting` says what is known; what it told once it is over says
:func:`waited`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.live.figures import RunWarning

LONG_S: Final = 10.0
"""Seconds without a token after which waiting is spoken of."""
_STALL_TIMES: Final = 20
"""How much longer than the median gap one must be to be called a stall."""
_AGAIN: Final = (
    "Ask again: if the first token then comes soon, the model was being loaded, and should stay"
    " loaded (Ollama keep_alive, LM Studio and llama-swap ttl). If not, look at the server's queue"
    " and at its speed in reading prompts."
)


class Signs(msgspec.Struct, frozen=True):
    """What came and when, in seconds of one clock. None: it did not."""

    now: float
    sent: float
    headers: float | None = None
    first_token: float | None = None
    last_token: float | None = None
    last_sign: float | None = None
    """The last keep-alive."""
    prefill: float | None = None
    """How much of the prompt was read, 0 to 1."""
    prefill_moved: float | None = None
    gap_p50_s: float | None = None
    longest_stall_s: float | None = None


def waiting(signs: Signs) -> RunWarning | None:
    """What to think of the silence just now; None while there is nothing to wonder at."""
    if signs.last_token is not None:
        return _silent(signs, signs.now - signs.last_token)
    since = signs.now - signs.sent
    if signs.prefill is not None and signs.prefill_moved is not None:
        still = signs.now - signs.prefill_moved
        if still < LONG_S:
            return None  # it moves, and the screen shows it
        return RunWarning(
            "stuck",
            f"The server has read {signs.prefill:.0%} of the prompt, and nothing more for"
            f" {still:.0f} s.",
            "It is stuck, or busy with another request: look at its log.",
        )
    if since < LONG_S:
        return None
    if signs.last_sign is not None and signs.now - signs.last_sign < LONG_S:
        return RunWarning(
            "slow",
            f"No token for {since:.0f} s, but the server gives signs of life.",
            "It is loading the model, reading a long prompt, or has others before this one.",
        )
    if signs.headers is not None:
        return RunWarning(
            "slow",
            f"The server accepted the request {signs.now - signs.headers:.0f} s ago, and no token"
            " came yet.",
            "It is reading the prompt, or has others before this one; without a sign of life that"
            " cannot be told from stuck.",
        )
    return RunWarning(
        "slow",
        f"The server took the request {since:.0f} s ago and has not begun to answer.",
        "It may be loading the model (minutes, for a large one), be busy, or be stuck: its log"
        " knows.",
    )


def waited(signs: Signs) -> list[RunWarning]:
    """What the waiting of a run that is over tells."""
    found: list[RunWarning] = []
    first = None if signs.first_token is None else signs.first_token - signs.sent
    if first is not None and first >= LONG_S:
        found.append(
            RunWarning("slow_start", f"The first token took {first:.0f} s to come.", _AGAIN)
        )
    longest, usual = signs.longest_stall_s, signs.gap_p50_s
    if longest is not None and usual is not None and longest >= max(LONG_S, _STALL_TIMES * usual):
        found.append(
            RunWarning(
                "stalled",
                f"In the middle of the answer nothing came for {longest:.0f} s.",
                "The server was busy with other requests, or ran out of memory for the context:"
                " look at its log at that time.",
            )
        )
    return found


def _silent(signs: Signs, since: float) -> RunWarning | None:
    usual = signs.gap_p50_s or 0.0
    if since < max(LONG_S, _STALL_TIMES * usual):
        return None
    beside = f" (usual: {usual * 1000:.0f} ms)" if usual else ""
    alive = signs.last_sign is not None and signs.now - signs.last_sign < LONG_S
    if alive:
        return RunWarning(
            "slow",
            f"No token for {since:.0f} s{beside}, but the server gives signs of life.",
            "It is busy with other requests.",
        )
    return RunWarning(
        "stuck",
        f"No token for {since:.0f} s{beside}, and no sign of life.",
        "The server is stuck, or a proxy on the way holds the rest back: look at their logs.",
    )
