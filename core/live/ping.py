"""One streamed request to see a model work, with an output limit that fits one that thinks.

Importing this module does not import httpx; :func:`ping` does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec

from core.live.figures import RunWarning
from core.live.remarks import CUT_IN_THOUGHT
from core.live.verdict import Run, ToolCall, Transcript, judge, not_tried
from core.wire.bounds import Bounds
from core.wire.chat import ChatRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from core.keys.secret import Secret
    from core.live.events import Event
    from core.providers.base_url import BaseUrl

__all__ = [
    "DEFAULT_MAX_TOKENS",
    "GROWN_MAX_TOKENS",
    "PONG",
    "PONG_PROMPT",
    "RATE_PROMPT",
    "READY_PROMPTS",
    "ReadyPrompt",
    "Run",
    "ToolCall",
    "expected",
    "judge",
    "not_tried",
    "ping",
]

PONG: Final = "PONG"
PONG_PROMPT: Final = "Reply with exactly one word: PONG"
"""Warden-sized proof of life: short, and with one right answer."""
RATE_PROMPT: Final = (
    "Explain in about 300 words of plain prose how a lighthouse works, and why its light turns."
)
"""Enough text for a rate that means something."""
DEFAULT_MAX_TOKENS: Final = 256
"""Output limit of the first try, in tokens."""
GROWN_MAX_TOKENS: Final = 2048
"""Output limit of the second try, when thinking used the first one up."""


class ReadyPrompt(msgspec.Struct, frozen=True):
    """A prompt to pick: its name, its words, and what it is good for."""

    name: str
    text: str
    why: str


READY_PROMPTS: Final = (
    ReadyPrompt("PONG", PONG_PROMPT, "One word: does the model answer, and rightly?"),
    ReadyPrompt("long answer", RATE_PROMPT, "Long enough for rates and gaps that mean something."),
    ReadyPrompt(
        "puzzle",
        "A snail climbs 3 m a day and slides back 2 m a night. The wall is 10 m. On which day"
        " is it up? Think it through, then answer with the number alone.",
        "Makes a reasoning model think: see both rates.",
    ),
    ReadyPrompt(
        "review",
        "Review this change in two sentences and name the bug:\n"
        "-    for page in range(1, pages + 1):\n+    for page in range(1, pages):\n"
        "         rows += fetch(page)",
        "What Warden's lanes do all day.",
    ),
)


def expected(prompt: str) -> str | None:
    """What the answer to ``prompt`` must hold: PONG for the default prompt, else anything."""
    return PONG if prompt == PONG_PROMPT else None


async def ping(
    client: httpx.AsyncClient,
    base: BaseUrl,
    model: str,
    *,
    prompt: str = PONG_PROMPT,
    max_tokens: int | None = None,
    bounds: Bounds | None = None,
    key: Secret | None = None,
    on_event: Callable[[Event], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Run:
    """Ask ``model`` once, and judge what came. Failures of the endpoint are in the run.

    Without ``max_tokens`` the output limit is 256, and once 2048 when thinking used it up (or
    the answer was cut before its point); a warning says so, and the figures are those of the
    second try. ``on_event`` sees every event of both tries as it comes, the key masked in it; each
    try begins with :class:`core.live.events.Started`. ``client`` is of
    :func:`core.wire.client.open_client`.
    """
    limit = DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens
    request = ChatRequest(model=model, prompt=prompt, max_tokens=limit)
    within = bounds if bounds is not None else Bounds()
    transcript, request = await _try(client, base, request, within, key, on_event, clock)
    run = transcript.run(expected(prompt))
    if max_tokens is not None or not _cut(run):
        return _masked(run, key)
    request = msgspec.structs.replace(request, max_tokens=GROWN_MAX_TOKENS)
    transcript, _ = await _try(client, base, request, within, key, on_event, clock)
    run = transcript.run(
        expected(prompt),
        (
            RunWarning(
                "budget_grown",
                f"With {limit} output tokens the model was cut off before it answered; these"
                f" are the figures of a second try with {GROWN_MAX_TOKENS}.",
                f"Give this model an output limit well above {limit} tokens.",
            ),
        ),
    )
    return _masked(run, key)


async def _try(
    client: httpx.AsyncClient,
    base: BaseUrl,
    request: ChatRequest,
    bounds: Bounds,
    key: Secret | None,
    on_event: Callable[[Event], None] | None,
    clock: Callable[[], float],
) -> tuple[Transcript, ChatRequest]:
    """The transcript of one stream, and the request as it was sent in the end."""
    from core.live.events import Adapted
    from core.live.run import stream
    from core.live.veil import EventVeil

    transcript = Transcript(request.model)
    veil = EventVeil(key)
    events = stream(client, base, request, bounds, clock=clock, key=key)
    try:
        async for event in events:
            transcript.apply(event)
            if isinstance(event, Adapted):
                request = event.request
            if on_event is not None:
                for shown in veil.take(event):
                    on_event(shown)
    finally:
        await events.aclose()
    return transcript, request


def _masked(run: Run, key: Secret | None) -> Run:
    """``run`` without ``key``: a server knows it, and may say it as its answer."""
    if not key:
        return run
    whole = msgspec.json.encode(run).decode()
    plain = key.redact(whole)
    return run if plain == whole else msgspec.json.decode(plain, type=Run)


def _cut(run: Run) -> bool:
    """Whether more room could have changed the result."""
    if run.has(CUT_IN_THOUGHT):
        return True
    return (
        run.finish_reason == "length"
        and run.error is not None
        and (run.error.code == "wrong_answer")
    )
