"""Streams as Anthropic-compatible gateways send them from ``/v1/messages``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.servers.scripted import sse_reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.servers.scripted import Behaviour


def named(payload: Mapping[str, object]) -> bytes:
    """One event: its name is the payload's type."""
    return f"event: {payload['type']}\ndata: {json.dumps(payload)}\n\n".encode()


def start(model: str = "m", usage: Mapping[str, object] | None = None) -> bytes:
    """The message begins."""
    counted = {"input_tokens": 12, "output_tokens": 1} if usage is None else dict(usage)
    message: dict[str, object] = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": counted,
    }  # fmt: skip
    return named({"type": "message_start", "message": message})


def block(index: int, kind: Mapping[str, object], deltas: Sequence[Mapping[str, object]]) -> bytes:
    """One block: opened, filled, closed."""
    opened = {"type": "content_block_start", "index": index, "content_block": dict(kind)}
    parts = [
        named({"type": "content_block_delta", "index": index, "delta": dict(delta)})
        for delta in deltas
    ]
    return named(opened) + b"".join(parts) + named({"type": "content_block_stop", "index": index})


def thinking(index: int, *texts: str) -> bytes:
    """A thinking block, signed."""
    deltas: list[Mapping[str, object]] = [
        {"type": "thinking_delta", "thinking": text} for text in texts
    ]
    kind = {"type": "thinking", "thinking": "", "signature": ""}
    return block(index, kind, [*deltas, {"type": "signature_delta", "signature": "EqoB"}])


def text(index: int, *texts: str) -> bytes:
    """A text block."""
    deltas = [{"type": "text_delta", "text": one} for one in texts]
    return block(index, {"type": "text", "text": ""}, deltas)


def tool(index: int, call: str, name: str, *parts: str) -> bytes:
    """A call, its input in pieces of JSON."""
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    return block(index, {"type": "tool_use", "id": call, "name": name, "input": {}}, deltas)


def stop(reason: str = "end_turn", usage: Mapping[str, object] | None = None) -> bytes:
    """Stop reason and counts, and the end."""
    counted = {"output_tokens": 20} if usage is None else dict(usage)
    changed = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": counted}
    return named(changed) + named({"type": "message_stop"})


PING = named({"type": "ping"})


def messages_reply(*parts: bytes) -> Behaviour:
    """These events, one HTTP chunk each part."""
    return sse_reply(list(parts), done=False)
