"""Asking the demo as a client does, and reading its streams."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from core.demo.ask import Ask, Refused, read_ask
from core.demo.models import DEMO_KEY, DemoModel, demo_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from core.demo.serve import Demo

READ = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "offset": {"type": "integer"}},
    "required": ["path"],
}
GREP = {
    "type": "object",
    "properties": {"pattern": {"type": "string"}, "path": {"type": "string"}},
    "required": ["pattern"],
}
FIND = GREP
LS = {"type": "object", "properties": {"path": {"type": "string"}}}
TOOLS = {"read": READ, "grep": GREP, "find": FIND, "ls": LS}


def offer(names: Iterable[str] = ("read", "grep", "find", "ls")) -> list[dict[str, Any]]:
    return [
        {"type": "function", "function": {"name": name, "parameters": TOOLS[name]}}
        for name in names
    ]


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


def ask(*messages: Mapping[str, Any], **fields: Any) -> Ask:
    """A request as the demo reads it."""
    read = read_ask(msgspec.json.encode({"messages": messages, **fields}))
    assert not isinstance(read, Refused), read.message
    return read


def model(model_id: str = "demo-plain") -> DemoModel:
    found = demo_model(model_id)
    assert found is not None
    return found


class Instant:
    """A ``sleep`` that lets no time pass, and remembers how much was asked for."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


def client(demo: Demo, key: str | None = None) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {DEMO_KEY.reveal() if key is None else key}"}
    return httpx.AsyncClient(base_url=demo.base_url, headers=headers, trust_env=False, timeout=10)


@dataclass
class Read:
    """A stream, put together."""

    chunks: list[dict[str, Any]]
    done: bool
    thinking: str = ""
    answer: str = ""
    thinking_pieces: int = 0
    answer_pieces: int = 0
    call_pieces: int = 0
    calls: dict[int, dict[str, str]] = field(default_factory=dict)
    finish: str | None = None
    usage: dict[str, Any] | None = None


def read_stream(text: str) -> Read:
    payloads = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    done = payloads[-1] == "[DONE]"
    read = Read([json.loads(one) for one in payloads if one != "[DONE]"], done)
    for chunk in read.chunks:
        read.usage = chunk.get("usage", read.usage)
        choice = chunk["choices"][0]
        read.finish = choice.get("finish_reason", read.finish)
        delta = choice["delta"]
        if "reasoning_content" in delta:
            read.thinking += delta["reasoning_content"]
            read.thinking_pieces += 1
        if "content" in delta:
            read.answer += delta["content"]
            read.answer_pieces += 1
        for called in delta.get("tool_calls", ()):
            read.call_pieces += 1
            known = read.calls.setdefault(called["index"], {"name": "", "arguments": ""})
            known["id"] = called.get("id", known.get("id", ""))
            known["name"] += called["function"].get("name", "")
            known["arguments"] += called["function"]["arguments"]
    return read


async def stream(
    http: httpx.AsyncClient, messages: Sequence[Mapping[str, Any]], **fields: Any
) -> Read:
    body = {
        "model": "demo-plain",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": list(messages),
        **fields,
    }
    answer = await http.post("/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return read_stream(answer.text)
