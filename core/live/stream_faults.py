"""What can go wrong with a stream, in words: the bounds it may reach, and replies that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Fault
from core.text import one_line
from core.wire.failures import error_words, fault_from_reply

if TYPE_CHECKING:
    from core.keys.secret import Secret
    from core.providers.base_url import BaseUrl


def not_done(base: BaseUrl, seconds: float) -> Fault:
    """The bound on the whole request was reached."""
    return Fault(
        "timeout",
        f"{base.host_port} was not done after {seconds:g} s.",
        "That is the limit for the request as a whole.",
        "Allow more time with --timeout.",
    )


def no_token(base: BaseUrl, seconds: float) -> Fault:
    """The bound on the first token was reached."""
    return Fault(
        "timeout",
        f"{base.host_port} took the request and sent no token in {seconds:g} s.",
        "It may be loading the model, busy with other requests, or stuck.",
        "Look at the server's log, and ask again once the model is loaded.",
    )


def fell_silent(base: BaseUrl, seconds: float) -> Fault:
    """The bound on silence within the answer was reached."""
    return Fault(
        "timeout",
        f"{base.host_port} fell silent for {seconds:.0f} s in the middle of the answer.",
        "The server is stuck, or a proxy on the way holds the rest back.",
        "Look at the server's log; stop other requests and ask again.",
    )


def broke_off(base: BaseUrl) -> Fault:
    """The connection went down within the answer."""
    return Fault(
        "stream_broken",
        f"{base.host_port} broke off in the middle of the answer.",
        "The server, or a proxy before it, closed the connection.",
        "Look at the server's log; a round number of seconds points to a proxy's limit.",
    )


def too_much(base: BaseUrl, size: int) -> Fault:
    """The bound on the size of an answer, in bytes, was reached."""
    return Fault(
        "too_large",
        f"{base.host_port} sent more than {size / 2**20:.3g} MiB for one answer.",
        "Reading was stopped.",
        "Set an output limit.",
    )


def sent_nothing(base: BaseUrl) -> Fault:
    """A stream without an event: LM Studio answers so without /v1, or to too long a prompt."""
    return Fault(
        "empty_answer",
        f"{base.host_port} answered 200 and then sent nothing.",
        "Some servers do so for a path they do not have, or a prompt that does not fit.",
        "Check that the base URL ends in /v1, and look at the server's log.",
    )


def no_stream(base: BaseUrl, body: bytes) -> Fault:
    """A whole reply without an error where a stream was asked for."""
    words = error_words(body) or one_line(body[:200].decode("utf-8", "replace"), 200)
    return Fault(
        "bad_shape",
        f"{base.host_port} answered a request for a stream with one plain reply.",
        words or "The reply is empty.",
        "Warden's engine reads streams alone: switch streaming on in the server or the gateway"
        " before it.",
    )


def told_in_stream(
    payload: bytes, status: int | None, base: BaseUrl, model: str | None, key: Secret | None
) -> Fault:
    """What a payload says that is no chunk: an error of ``status``, or (None) nothing one knows."""
    fault = None
    if status is not None:
        fault = fault_from_reply(status, {}, bytes(payload), base, model=model, key=key)
    if fault is not None:
        return fault
    words = payload.decode("utf-8", "replace")
    return Fault(
        "bad_shape",
        "The stream holds something that is not a chat chunk.",
        one_line(key.redact(words) if key is not None else words, 200),
        "Check that the base URL is that of an OpenAI-compatible API.",
    )
