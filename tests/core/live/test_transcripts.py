"""Every recorded stream of every server: its pieces, counts, grade, residual and remarks."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from core.live.events import Answer, Ended, Finished, Reasoning, Served, ToolPiece
from core.live.figures import GRADES
from tests.core.live.replay import WIRE, metered, recorded, replayed

if TYPE_CHECKING:
    from core.live.events import Event

# Pieces of (thinking, answer, tool call), finish reason, grade, tokens of (thinking, answer,
# unseen, all), and what is remarked. Counts of grade V are split by weight: their sum is exact.
RECORDED = [
    ("litellm/chat-findings-stream", (8, 3, 0), "stop", "V", (8, 3, 4, 15), ""),
    ("litellm/chat-stream-no-thinking", (0, 5, 0), "stop", "U", (0, 5, 1, 6), ""),
    ("litellm/chat-stream-no-usage", (8, 5, 0), "stop", "E", (8, 5, None, None), "no_usage"),
    ("litellm/chat-stream-usage", (8, 5, 0), "stop", "V", (8, 5, 4, 17), ""),
    ("litellm/lab-vllm-chat-stream-usage", (8, 6, 0), "stop", "U", (8, 6, 3, 17), ""),
    ("litellm/lab-vllm-openai-chat-stream-usage", (8, 6, 0), "stop", "U", (8, 6, 3, 17), ""),
    ("litellm/lab-vllm-openai-tool-call-stream", (8, 1, 3), "tool_calls", "U", (8, 4, 8, 20), ""),
    ("litellm/lab-vllm-tool-call-stream", (8, 1, 3), "tool_calls", "U", (8, 4, 8, 20), ""),
    (
        "litellm/length-inside-thinking-stream",
        (3, 0, 0),
        "length",
        "U",
        (3, 0, 1, 4),
        "thinking_used_budget",
    ),
    ("litellm/length-stream", (8, 13, 0), "length", "V", (11, 10, 3, 24), ""),
    (
        "litellm/mock-claude-chat-stream-no-usage",
        (0, 5, 0),
        "stop",
        "E",
        (0, 5, None, None),
        "no_usage",
    ),
    ("litellm/mock-claude-chat-stream-usage", (0, 5, 0), "stop", "U", (0, 4, 0, 4), ""),
    (
        "litellm/mock-openai-chat-stream-no-usage",
        (0, 5, 0),
        "stop",
        "E",
        (0, 5, None, None),
        "no_usage",
    ),
    ("litellm/mock-openai-chat-stream-usage", (0, 5, 0), "stop", "U", (0, 4, 0, 4), ""),
    ("litellm/tool-call-required-stream", (8, 0, 3), "tool_calls", "V", (6, 5, 9, 20), ""),
    ("litellm/tool-call-stream", (8, 0, 3), "tool_calls", "V", (6, 5, 9, 20), ""),
    ("litellm/tool-result-stream", (8, 4, 0), "stop", "V", (8, 4, 4, 16), ""),
    ("llamacpp/chat-findings-stream", (8, 3, 0), "stop", "T", (8, 3, 4, 15), ""),
    ("llamacpp/chat-stream-no-thinking", (0, 5, 0), "stop", "T", (0, 5, 1, 6), ""),
    ("llamacpp/chat-stream-no-usage", (8, 5, 0), "stop", "T", (8, 5, 4, 17), ""),
    ("llamacpp/chat-stream-usage", (8, 5, 0), "stop", "T", (8, 5, 4, 17), ""),
    ("llamacpp/error-unknown-model-stream", (8, 5, 0), "stop", "T", (8, 5, 4, 17), ""),
    (
        "llamacpp/length-inside-thinking-stream",
        (3, 0, 0),
        "length",
        "T",
        (3, 0, 1, 4),
        "thinking_used_budget",
    ),
    ("llamacpp/length-stream", (8, 13, 0), "length", "T", (11, 10, 3, 24), ""),
    ("llamacpp/tool-call-required-stream", (8, 0, 3), "tool_calls", "T", (6, 5, 9, 20), ""),
    ("llamacpp/tool-call-stream", (8, 0, 3), "tool_calls", "T", (6, 5, 9, 20), ""),
    ("llamacpp/tool-result-stream", (8, 4, 0), "stop", "T", (8, 4, 4, 16), ""),
    (
        "llamacpp-variants/nokey-rawthink-chat-stream-usage",
        (8, 6, 0),
        "stop",
        "T",
        (8, 6, 3, 17),
        "thinking_in_answer",
    ),
    (
        "llamacpp-variants/nokey-rawthink-tool-call-stream",
        (8, 1, 3),
        "tool_calls",
        "T",
        (7, 5, 8, 20),
        "thinking_in_answer",
    ),
    (
        "llamacpp-variants/router-tiny-a-chat-stream-usage",
        (8, 5, 0),
        "stop",
        "T",
        (8, 5, 4, 17),
        "",
    ),
    ("transformers/chat-findings-stream", (8, 3, 0), "stop", "V", (7, 4, 4, 15), ""),
    ("transformers/chat-stream-no-thinking", (1, 5, 0), "stop", "V", (0, 6, 0, 6), ""),
    ("transformers/chat-stream-no-usage", (8, 5, 0), "stop", "V", (8, 5, 4, 17), ""),
    ("transformers/chat-stream-usage", (8, 5, 0), "stop", "V", (8, 5, 4, 17), ""),
    ("transformers/error-context-overflow-stream", (8, 5, 0), "stop", "V", (8, 5, 4, 17), ""),
    (
        "transformers/length-inside-thinking-stream",
        (3, 0, 0),
        "length",
        "U",
        (3, 0, 1, 4),
        "thinking_used_budget",
    ),
    ("transformers/length-stream", (8, 13, 0), "length", "V", (11, 10, 3, 24), ""),
    ("transformers/responses", (0, 0, 0), "", "E", (0, 0, None, None), ""),
    ("transformers/tool-call-required-stream", (8, 0, 1), "tool_calls", "V", (5, 4, 11, 20), ""),
    ("transformers/tool-call-stream", (8, 0, 1), "tool_calls", "V", (5, 4, 11, 20), ""),
    ("transformers/tool-result-stream", (8, 4, 0), "stop", "V", (8, 4, 4, 16), ""),
    ("vllm/chat-findings-stream", (8, 4, 0), "stop", "U", (8, 4, 3, 15), ""),
    ("vllm/chat-stream-no-thinking", (0, 5, 0), "stop", "U", (0, 5, 1, 6), ""),
    ("vllm/chat-stream-no-usage", (8, 6, 0), "stop", "E", (8, 6, None, None), "no_usage"),
    ("vllm/chat-stream-usage", (8, 6, 0), "stop", "U", (8, 6, 3, 17), ""),
    (
        "vllm/length-inside-thinking-stream",
        (3, 0, 0),
        "length",
        "U",
        (3, 0, 1, 4),
        "thinking_used_budget",
    ),
    ("vllm/length-stream", (8, 14, 0), "length", "U", (8, 14, 2, 24), ""),
    (
        "vllm/noparser-chat-stream-usage",
        (8, 6, 0),
        "stop",
        "V",
        (8, 6, 3, 17),
        "thinking_in_answer",
    ),
    ("vllm/tool-call-required-stream", (8, 0, 3), "tool_calls", "U", (8, 3, 8, 19), ""),
    ("vllm/tool-call-stream", (8, 1, 3), "tool_calls", "U", (8, 4, 8, 20), ""),
    ("vllm/tool-result-stream", (8, 5, 0), "stop", "U", (8, 5, 3, 16), ""),
]

Counts = tuple[int, int, int | None, int | None]


def chunks(body: bytes) -> list[dict[str, object]]:
    """The JSON of a stream's data lines, read by nothing of ours."""
    lines = [line[6:] for line in body.decode().splitlines() if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


def said_by_server(body: bytes) -> int | None:
    """The last count of generated tokens in the bytes themselves."""
    count = None
    for chunk in chunks(body):
        usage, timings = chunk.get("usage"), chunk.get("timings")
        if isinstance(usage, dict):
            count = usage.get("completion_tokens", count)
        elif isinstance(timings, dict):
            count = timings["predicted_n"]
    return count


def test_every_recorded_stream_is_in_the_table() -> None:
    found = {str(path.relative_to(WIRE).with_suffix("")) for path in WIRE.glob("*/*.sse")}
    assert found == {row[0] for row in RECORDED}


@pytest.mark.parametrize(
    ("name", "pieces", "finish", "grade", "counts", "remarks"),
    RECORDED,
    ids=[row[0] for row in RECORDED],
)
def test_a_recorded_stream_gives_its_figures(
    name: str, pieces: tuple[int, int, int], finish: str, grade: str, counts: Counts, remarks: str
) -> None:
    events: list[Event] = replayed(name)
    kinds = Counter(type(event) for event in events)
    assert (kinds[Reasoning], kinds[Answer], kinds[ToolPiece]) == pieces
    assert [event.reason for event in events if isinstance(event, Finished)] == [finish] * bool(
        finish
    )
    assert isinstance(events[-1], Ended)
    assert events[-1].complete is bool(finish)
    served = next((event.model for event in events if isinstance(event, Served)), None)
    meter = metered(events, served)
    figures = meter.figures(99.0)
    assert GRADES[meter.counts_from] == grade
    thinking, answer, unseen, total = counts
    assert (figures.thinking_tokens, figures.answer_tokens) == (thinking, answer)
    assert (figures.unseen_tokens, figures.completion_tokens) == (unseen, total)
    assert " ".join(one.code for one in meter.warnings()) == remarks
    if total is not None:
        assert total == said_by_server(recorded(name)[1])
        assert thinking + answer + (unseen or 0) == total
    else:
        assert said_by_server(recorded(name)[1]) is None


@pytest.mark.parametrize("name", [row[0] for row in RECORDED if row[2]])
def test_a_recorded_streams_texts_are_whole(name: str) -> None:
    """What stands in the fields of the bytes is what the events hold, in the same order."""
    events = replayed(name)
    told = ""
    for chunk in chunks(recorded(name)[1]):
        choices = chunk.get("choices")
        assert isinstance(choices, list)
        for choice in choices:
            delta = choice.get("delta") or {}
            for field in ("reasoning_content", "reasoning", "content"):
                told += delta.get(field) or ""
    for tag in ("<think>", "</think>"):
        told = told.replace(tag, "")
    texts = [event.text for event in events if isinstance(event, Reasoning | Answer)]
    assert "".join(texts).split() == told.split()
