"""A chat model behind the scripted provider whose every habit can be set, for the probes.

It reads a request as a server would: refuses what it is told to refuse, drops what it is told to
drop, counts words for tokens, thinks, calls tools, obeys. Each habit is one field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tests.servers.scripted import (
    Behaviour,
    Recorded,
    ScriptedProvider,
    error_reply,
    json_reply,
    piece,
    sse_reply,
    usage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Body: TypeAlias = dict[str, Any]
Rule: TypeAlias = Callable[[Body], bool]

THOUGHTS: Final = "Let me see what is wanted here and say it plainly. "
CHAT: Final = ("POST", "/v1/chat/completions")
PIXEL_WORDS: Final = 40
"""What an image costs, in this model's tokens."""


def has(name: str) -> Rule:
    """Bodies with this top-level field."""
    return lambda body: name in body


def messages(body: Body) -> list[Body]:
    """The body's messages."""
    return list(body["messages"])


@dataclass(slots=True)
class FakeModel:
    """One model's habits. The defaults are a good plain model that does not think."""

    refuses: Mapping[str, Rule] = field(default_factory=dict)
    """Message of a 400, and when it is said."""
    breaks: Mapping[str, Rule] = field(default_factory=dict)
    """The same with a 500."""
    thinks: Callable[[Body], int] = lambda _: 0
    """How many sentences it thinks."""
    field_name: str = "reasoning_content"
    """Where thinking goes; ``tags``, ``parts``, or a field of the delta."""
    counts: bool = True
    """Whether usage is given when it is asked for."""
    counts_cached: Callable[[Body, int], int] = lambda _body, _seen: 0
    """Cached prompt tokens, by the body and how often this very body came before."""
    finish: Callable[[Body, str], str | None] = lambda _, usual: usual
    drops: Rule = lambda _: False
    """Messages that never reach the model."""
    sees_images: bool = False
    obeys: Callable[[Body], bool] = lambda _: True
    """Whether the instruction in a message is followed."""
    caps: tuple[str, ...] = ("max_tokens", "max_completion_tokens")
    """The names of the output limit that hold."""
    calls: Callable[[Body], str] = lambda body: "call" if body.get("tools") else ""
    """``call``, ``strange``, ``text``, ``broken``, ``object`` or nothing, by the request."""
    says_in: str = "delta"
    """Under which member a chunk's choice says it."""
    streams: bool = True
    silent: bool = False
    """Streams hold no text at all."""
    seen: dict[str, int] = field(default_factory=dict)

    def chat(self, request: Recorded) -> Behaviour:
        body = request.json()
        assert isinstance(body, dict)
        for status, rules in ((400, self.refuses), (500, self.breaks)):
            for words, rule in rules.items():
                if rule(body):
                    return error_reply(status, words)
        key = repr({name: value for name, value in body.items() if name != "model"})
        self.seen[key] = self.seen.get(key, 0) + 1
        return self._answer(body, self.seen[key] - 1)

    def _answer(self, body: Body, before: int) -> Behaviour:
        read = [one for one in messages(body) if not self.drops(one)]
        prompt = sum(self._words(one) for one in read)
        thinking = THOUGHTS * self.thinks(body)
        text, call = self._says(body, read), self.calls(body)
        cap = min((body[name] for name in self.caps if name in body), default=10_000)
        written = [*thinking.split(), *text.split()]
        finish = "tool_calls" if call not in {"", "text"} else "stop"
        if len(written) > cap:
            finish = "length"
            thought = thinking.split()[:cap]
            thinking = " ".join(thought)
            text = " ".join(text.split()[: cap - len(thought)])
        deltas: list[Body] = []
        if thinking and self.field_name == "tags":
            text = f"<think>{thinking}</think>{text}"
        elif thinking and self.field_name == "parts":
            part = {"type": "reasoning", "summary": [{"type": "summary_text", "text": thinking}]}
            deltas.append({"content": [part]})
        elif thinking and self.field_name != "hidden":
            deltas.append({self.field_name: thinking})
        if call == "text":
            text = '<tool_call>{"name": "read", "arguments": {"path": "README.md"}}</tool_call>'
        elif call:
            deltas.append(_call(body, call))
            text = ""
        deltas += [{"content": part} for part in (text[:3], text[3:]) if part]
        if self.silent:
            deltas = []
        counted = usage(prompt, min(len(written), cap), len(thinking.split()) or None)
        cached = self.counts_cached(body, before)
        if cached:
            counted["prompt_tokens_details"] = {"cached_tokens": cached}
        asked = (body.get("stream_options") or {}).get("include_usage")
        if not self.streams:
            said = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": said, "finish_reason": finish}
            return json_reply(200, {"model": body["model"], "choices": [choice]})
        last = self.finish(body, finish)
        events: list[Body] = [dict(piece("m", one)) for one in ({"role": "assistant"}, *deltas)]
        if last is not None:
            events.append(dict(piece("m", {}, last)))
        for event in events:
            for choice in event["choices"]:
                choice[self.says_in] = choice.pop("delta")
        return sse_reply(events, usage=counted if asked and self.counts else None)

    def _words(self, message: Body) -> int:
        content = message.get("content")
        total = 2 + len(str(message.get("reasoning_content") or "").split())
        if isinstance(content, str):
            return total + len(content.split())
        for part in content or []:
            if part["type"] == "text":
                total += len(part["text"].split())
            elif self.sees_images:
                total += PIXEL_WORDS
        return total

    def _says(self, body: Body, read: list[Body]) -> str:
        told = " ".join(_text(one) for one in read if self.obeys(one))
        last = _text(messages(body)[-1])
        if "KIWI" in told:
            return "KIWI"
        if "Count from 1" in last:
            return " ".join(str(number) for number in range(1, 301))
        if "colour" in last and self.sees_images:
            return _colour(messages(body)[-1])
        if "17 + 26" in last:
            return "43"
        return "PONG" if "PONG" in last else "Good morning."


def _call(body: Body, kind: str) -> Body:
    offered = body.get("tools") or [{"type": "function", "function": {"name": "read"}}]
    name = (offered[0].get("function") or offered[0].get("custom"))["name"]
    arguments: object = '{"path": "README.md"}'
    if kind == "strange":
        name = "open_file"
    if kind == "broken":
        arguments = '{"path": "READ'
    elif kind == "deep":
        arguments = "[" * 20_000
    elif kind == "object":
        arguments = {"path": "README.md"}
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]}


def _text(message: Body) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content or [])


def _colour(message: Body) -> str:
    """The colour of the square, read out of the PNG as a model that sees would."""
    import base64
    import zlib

    urls = [part["image_url"]["url"] for part in message["content"] if "image_url" in part]
    if not urls:
        return "white"
    data = base64.b64decode(urls[0].split(",")[1])
    start = data.index(b"IDAT")
    size = int.from_bytes(data[start - 4 : start], "big")
    row = zlib.decompress(data[start + 4 : start + 4 + size])
    return "red" if row[1] > row[3] else "blue"


def fake_server(model: FakeModel) -> ScriptedProvider:
    """The model as a server; its requests are on the server."""
    return ScriptedProvider({CHAT: model.chat})
