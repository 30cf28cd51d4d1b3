"""A chat request as the demo reads it: foreign JSON in, typed values out."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_TAGS: Final = re.compile(r"\s+")


class Part(msgspec.Struct, frozen=True):
    """One part of a message whose content is a list."""

    type: str = "text"
    text: str | None = None


class CalledFunction(msgspec.Struct, frozen=True):
    """Name and arguments of a tool call in the history; arguments are JSON in a string."""

    name: str = ""
    arguments: str = ""


class Called(msgspec.Struct, frozen=True):
    """A tool call that an earlier turn made."""

    id: str = ""
    function: CalledFunction = CalledFunction()


class Message(msgspec.Struct, frozen=True):
    """One message of the conversation."""

    role: str
    content: str | list[Part] | None = None
    tool_calls: list[Called] | None = None
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """The content as text; parts that are not text count for nothing here."""
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content)
        return self.content or ""

    @property
    def has_image(self) -> bool:
        """Whether a part is an image, which no model of the demo reads."""
        if not isinstance(self.content, list):
            return False
        return any(part.type in {"image_url", "input_image", "image"} for part in self.content)


class Function(msgspec.Struct, frozen=True):
    """What is offered: a function with a JSON schema of its arguments."""

    name: str
    description: str | None = None
    parameters: dict[str, object] | None = None


class Tool(msgspec.Struct, frozen=True):
    """An offered tool; other kinds than ``function`` are read and left unused."""

    type: str = "function"
    function: Function | None = None


class StreamOptions(msgspec.Struct, frozen=True):
    """``stream_options``."""

    include_usage: bool | None = False


class Ask(msgspec.Struct, frozen=True):
    """The body of ``POST /chat/completions``. Unknown fields are ignored, as by LiteLLM."""

    messages: list[Message]
    model: object = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    tools: list[Tool] | None = None
    tool_choice: object = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None
    response_format: dict[str, object] | None = None
    chat_template_kwargs: dict[str, object] | None = None

    @property
    def cap(self) -> int | None:
        """The asked limit of output tokens; the newer name wins when both are there (vLLM)."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    @property
    def wants_usage(self) -> bool:
        """Whether a stream is to end with a usage chunk."""
        return self.stream_options is not None and self.stream_options.include_usage is True

    @property
    def thinking_off(self) -> bool:
        """Whether thinking was switched off, by effort or by the template's switch."""
        switch = (self.chat_template_kwargs or {}).get("enable_thinking")
        return self.reasoning_effort == "none" or switch is False

    @property
    def instructions(self) -> str:
        """All system and developer messages, one after another."""
        return "\n".join(m.text for m in self.messages if m.role in {"system", "developer"})

    @property
    def question(self) -> str:
        """The last user message."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def since_question(self) -> list[Message]:
        """What came after the last user message: the turns of a tool loop."""
        for place in range(len(self.messages) - 1, -1, -1):
            if self.messages[place].role == "user":
                return self.messages[place + 1 :]
        return list(self.messages)

    @property
    def functions(self) -> dict[str, Function]:
        """The offered functions by name; empty when the choice of tools is none."""
        if self.tool_choice == "none":
            return {}
        return {tool.function.name: tool.function for tool in self.tools or () if tool.function}

    @property
    def named_choice(self) -> str | None:
        """The function that ``tool_choice`` names, if it names one."""
        choice = self.tool_choice
        function = choice.get("function") if isinstance(choice, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        return name if isinstance(name, str) else None


class Refused(msgspec.Struct, frozen=True):
    """Why a body was not taken: the words and the field that LiteLLM would name."""

    message: str
    param: str | None = None


def read_ask(body: bytes) -> Ask | Refused:
    """The request in ``body``, or LiteLLM's words for what is wrong with it."""
    try:
        raw: object = msgspec.json.decode(body or b"{}")
    except msgspec.DecodeError as error:
        return Refused(f"Invalid JSON payload: {error}", "request_body")
    if not isinstance(raw, dict):
        return Refused("Invalid JSON payload: expected an object", "request_body")
    if "messages" not in raw:
        return Refused("/chat/completions: Missing required parameter: 'messages'.", "messages")
    try:
        return msgspec.convert(raw, Ask)
    except msgspec.ValidationError as error:
        words = _TAGS.sub(" ", str(error))
        return Refused(f"Invalid request format: {words}")
