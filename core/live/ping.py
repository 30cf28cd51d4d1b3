"""One streamed request to see a model work, with an output limit that fits one that thinks.

Importing this module does not import httpx; :func:`ping` does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from core.live.figures import RunWarning
from core.live.prompts import (
    PONG,
    PONG_PROMPT,
    RATE_PROMPT,
    READY_PROMPTS,
    ReadyPrompt,
    expected,
    own_prompt,
)
from core.live.remarks import CUT_IN_THOUGHT
from core.live.verdict import Run, ToolCall, Transcript, judge, not_tried
from core.wire.bounds import Bounds
from core.wire.chat import ChatRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from core.keys.secret import Secret
    from core.live.events import Event
    from core.providers.base_url import BaseUrl
    from core.wire.chat import Api

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

DEFAULT_MAX_TOKENS: Final = 256
"""Output limit of the first try, in tokens."""
GROWN_MAX_TOKENS: Final = 2048
"""Output limit of the second try, when thinking used the first one up."""


class Witness(Protocol):
    """Sees a request while it runs, from inside: each call must be quick."""

    def began(self, transcript: Transcript, request: ChatRequest) -> None:
        """A try begins; ``transcript`` is what :meth:`saw` is to feed."""
        ...

    def sent(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """The request goes out as this; the key is in ``headers``."""
        ...

    def read(self, data: bytes, at: float) -> None:
        """Raw bytes of the stream, with the time at which they arrived."""
        ...

    def saw(self, event: Event, shown: Sequence[Event]) -> None:
        """One event, to be applied to the transcript; ``shown``: the same with the key masked."""
        ...

    def settle(self) -> None:
        """The transcript is about to be judged: all events must be applied now."""
        ...


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
    api: Api = "openai-completions",
) -> Run:
    """Ask ``model`` once, and judge what came. Failures of the endpoint are in the run.

    Without ``max_tokens`` the output limit is 256, and once 2048 when thinking used it up (or
    the answer was cut before its point); a warning says so, and the figures are those of the
    second try. ``on_event`` sees every event of both tries as it comes, the key masked in it; each
    try begins with :class:`core.live.events.Started`. ``client`` is of
    :func:`core.wire.client.open_client`.
    """
    run = await ask(
        client,
        base,
        model,
        own_prompt(prompt),
        max_tokens=max_tokens,
        bounds=bounds if bounds is not None else Bounds(),
        key=key,
        witness=_Listener(on_event),
        clock=clock,
        api=api,
    )
    from core.wire.client import secrets_of

    return masked(run, key, *secrets_of(client))


async def ask(
    client: httpx.AsyncClient,
    base: BaseUrl,
    model: str,
    prompt: ReadyPrompt,
    *,
    max_tokens: int | None,
    bounds: Bounds,
    key: Secret | None,
    witness: Witness,
    api: Api = "openai-completions",
    clock: Callable[[], float] = time.perf_counter,
) -> Run:
    """:func:`ping` with a prompt that may have a system text and tools. The key is not masked."""
    limit = DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens
    request = ChatRequest(
        model=model,
        prompt=prompt.text,
        system=prompt.system,
        tools=prompt.tools,
        max_tokens=limit,
        api=api,
    )
    transcript, request = await _try(client, base, request, bounds, key, witness, clock)
    run = transcript.run(prompt.expects)
    if max_tokens is not None or not _cut(run):
        return run
    request = msgspec.structs.replace(request, max_tokens=GROWN_MAX_TOKENS)
    transcript, _ = await _try(client, base, request, bounds, key, witness, clock)
    return transcript.run(
        prompt.expects,
        (
            RunWarning(
                "budget_grown",
                f"With {limit} output tokens the model was cut off before it answered; these"
                f" are the figures of a second try with {GROWN_MAX_TOKENS}.",
                f"Give this model an output limit well above {limit} tokens.",
            ),
        ),
    )


class _Listener:
    """The witness of a run that nobody watches, or whose events somebody wants."""

    def __init__(self, on_event: Callable[[Event], None] | None) -> None:
        self._on_event = on_event
        self._transcript = Transcript()

    def began(self, transcript: Transcript, request: ChatRequest) -> None:
        del request
        self._transcript = transcript

    def sent(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        pass

    def read(self, data: bytes, at: float) -> None:
        pass

    def settle(self) -> None:
        pass

    def saw(self, event: Event, shown: Sequence[Event]) -> None:
        self._transcript.apply(event)
        if self._on_event is not None:
            for one in shown:
                self._on_event(one)


async def _try(
    client: httpx.AsyncClient,
    base: BaseUrl,
    request: ChatRequest,
    bounds: Bounds,
    key: Secret | None,
    witness: Witness,
    clock: Callable[[], float],
) -> tuple[Transcript, ChatRequest]:
    """The transcript of one stream, and the request as it was sent in the end."""
    from core.live.events import Adapted
    from core.live.run import stream
    from core.live.veil import EventVeil
    from core.wire.client import secrets_of

    transcript = Transcript(request.model)
    witness.began(transcript, request)
    veil = EventVeil(key, *(one for one in secrets_of(client) if one != key))
    events = stream(
        client,
        base,
        request,
        bounds,
        clock=clock,
        key=key,
        tap=witness.read,
        sent=witness.sent,
    )
    try:
        async for event in events:
            if isinstance(event, Adapted):
                request = event.request
            witness.saw(event, veil.take(event))
    finally:
        await events.aclose()
        witness.settle()
    return transcript, request


def masked(run: Run, *secrets: Secret | None) -> Run:
    """``run`` without what the request carried: a server knows it, and may say it as its answer."""
    whole = plain = msgspec.json.encode(run).decode()
    for secret in secrets:
        if secret:
            plain = secret.redact(plain)
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
