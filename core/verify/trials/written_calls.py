"""Tool calls that were written out as text, and which server switch reads them instead.

Every family of models has a way of its own to write a call; a server that does not know it hands
the text on as an answer, and nothing is ever called.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection


class Shape(msgspec.Struct, frozen=True):
    """One way to write a call."""

    name: str
    """How a person would call it: «<tool_call> tags»."""
    pattern: str
    """A regular expression that only such text fits."""
    parser: str
    """vLLM's and SGLang's usual parser for it, by vLLM's name (``--tool-call-parser``)."""


SHAPES: Final[tuple[Shape, ...]] = (
    Shape("<function=...> tags", r"<function=[\w.-]+>", "qwen3_coder"),
    Shape("<tool_call> tags", r"<tool_call>", "hermes"),
    Shape("[TOOL_CALLS]", r"\[TOOL_CALLS\]", "mistral"),
    Shape("DeepSeek's call tokens", r"<\uff5ctool\u2581calls?\u2581begin", "deepseek_v3"),
    Shape("Kimi's call tokens", r"<\|tool_calls?_section_begin\|>", "kimi_k2"),
    Shape("harmony channels", r"<\|channel\|>|to=functions\.\w+", "openai"),
    Shape("<|python_tag|>", r"<\|python_tag\|>", "llama3_json"),
    Shape("<|tool_call|> tokens", r"<\|tool_call\|?>", "granite"),
    Shape("<function_call> tags", r"<function_?call>", "hermes"),
    Shape("<invoke> tags", r"<invoke name=", "minimax_m1"),
    Shape("a tool_code block", r"```tool_code", "pythonic"),
)
"""The most telling first: some models put one inside the other."""

_COMPILED: Final = tuple((shape, re.compile(shape.pattern, re.IGNORECASE)) for shape in SHAPES)
_JSON_CALL: Final = Shape("JSON that names a tool", "", "llama3_json")
_PYTHON_CALL: Final = Shape("a call written as code", "", "pythonic")
_NAME: Final = re.compile(r"[\"'](?:name|tool|function|tool_name)[\"']\s*:\s*[\"']([\w.-]+)[\"']")
_ARGUMENTS: Final = re.compile(r"[\"'](?:arguments|parameters|args|input|tool_input)[\"']\s*:")


def written_call(text: str, offered: Collection[str]) -> Shape | None:
    """The way in which ``text`` writes a call of one of the ``offered`` tools; None: it does not.

    Talking about a tool is no call: markup, or JSON with a name and arguments, must stand there.
    """
    for shape, pattern in _COMPILED:
        if pattern.search(text):
            return shape
    named = {match.group(1).rpartition(".")[2] for match in _NAME.finditer(text)}
    if named & set(offered) and _ARGUMENTS.search(text):
        return _JSON_CALL
    bare = re.fullmatch(r"\s*(?:```\w*\s*)?\[?\s*(\w+)\([^\n]*\)\s*\]?\s*(?:```)?\s*", text)
    if bare is not None and bare.group(1) in offered:
        return _PYTHON_CALL
    return None
