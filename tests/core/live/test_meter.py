from __future__ import annotations

import random
import tracemalloc

import pytest

from core.live.counts import Timings, Usage
from core.live.events import (
    Answer,
    AnswerWasThinking,
    Ended,
    Event,
    Finished,
    Headers,
    KeepAlive,
    Reasoning,
    Served,
    Started,
    TimingsSeen,
    ToolPiece,
    UsageSeen,
)
from core.live.figures import CountsFrom, Gaps
from core.live.meter import Meter
from tests.core.live.replay import metered, replayed


def _stream(
    thinking: int,
    answer: int,
    *,
    usage: Usage | None = None,
    every: float = 0.05,
    first: float = 0.5,
    text: str = "word ",
    finish: str = "stop",
) -> list[Event]:
    """A stream of one token an event, evenly."""
    at = first
    events: list[Event] = [Started(0.0, 0.01), Headers(first / 2, 200, {}), Served(at, "m")]
    for _ in range(thinking):
        events.append(Reasoning(at, text))
        at += every
    for _ in range(answer):
        events.append(Answer(at, text))
        at += every
    at -= every
    events.append(Finished(at, finish))
    if usage is not None:
        events.append(UsageSeen(at, usage))
    return [*events, Ended(at, complete=True)]


def _usage(completion: int, reasoning: int | None = None, prompt: int = 100) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion, reasoning_tokens=reasoning)


def _codes(meter: Meter) -> set[str]:
    return {warning.code for warning in meter.warnings()}


# ------------------------------------------------------------------ counts


@pytest.mark.parametrize(
    ("name", "counts_from", "thinking", "answer", "total"),
    [
        ("llamacpp/chat-stream-usage", "timings", 8, 5, 17),
        ("llamacpp/chat-stream-no-usage", "timings", 8, 5, 17),
        ("llamacpp/chat-stream-no-thinking", "timings", 0, 5, 6),
        ("llamacpp/tool-call-stream", "timings", 6, 5, 20),
        ("llamacpp/length-stream", "timings", 11, 10, 24),
        ("llamacpp/length-inside-thinking-stream", "timings", 3, 0, 4),
        ("llamacpp-variants/nokey-rawthink-chat-stream-usage", "timings", 8, 6, 17),
        ("vllm/chat-stream-usage", "usage", 8, 6, 17),
        ("vllm/chat-stream-no-thinking", "usage", 0, 5, 6),
        ("vllm/tool-call-stream", "usage", 8, 4, 20),
        ("vllm/length-stream", "usage", 8, 14, 24),
        ("vllm/length-inside-thinking-stream", "usage", 3, 0, 4),
        ("vllm/noparser-chat-stream-usage", "weight", 8, 6, 17),
        ("vllm/chat-stream-no-usage", "estimate", 8, 6, None),
        ("transformers/chat-stream-usage", "weight", 8, 5, 17),
        ("transformers/chat-stream-no-usage", "weight", 8, 5, 17),
        ("transformers/length-inside-thinking-stream", "usage", 3, 0, 4),
        ("litellm/chat-stream-usage", "weight", 8, 5, 17),
        ("litellm/lab-vllm-chat-stream-usage", "usage", 8, 6, 17),
        ("litellm/chat-stream-no-usage", "estimate", 8, 5, None),
    ],
)
def test_recorded_streams_are_counted_as_their_servers_count(
    name: str, counts_from: CountsFrom, thinking: int, answer: int, total: int | None
) -> None:
    meter = metered(replayed(name))
    figures = meter.figures(99.0)
    assert meter.counts_from == counts_from
    assert (figures.thinking_tokens, figures.answer_tokens) == (thinking, answer)
    assert figures.completion_tokens == total
    if total is not None:
        assert thinking + answer + (figures.unseen_tokens or 0) == total
        assert meter.usage is None or meter.usage.completion_tokens == total


@pytest.mark.parametrize(
    ("events", "counts_from", "split"),
    [
        (_stream(10, 20, usage=_usage(30, 10)), "usage", (10, 20, 0)),
        (_stream(10, 20, usage=_usage(30)), "weight", (10, 20, 0)),
        (_stream(10, 20, usage=_usage(34, 0)), "weight", (10, 20, 4)),
        (_stream(10, 20, usage=_usage(30, 31)), "weight", (10, 20, 0)),
        (_stream(0, 20, usage=_usage(21)), "usage", (0, 20, 1)),
        (_stream(10, 20), "estimate", (10, 20, None)),
        # chunks of four tokens each: markers cannot be told apart, nothing is unseen
        (_stream(10, 10, usage=_usage(80), text="four words in one"), "weight", (40, 40, 0)),
        (_stream(10, 10, usage=_usage(80, 50), text="four words in one"), "usage", (50, 30, 0)),
    ],
)
def test_the_best_grade_there_is(
    events: list[Event], counts_from: CountsFrom, split: tuple[int, int, int | None]
) -> None:
    meter = metered(events)
    figures = meter.figures(99.0)
    assert meter.counts_from == counts_from
    assert (figures.thinking_tokens, figures.answer_tokens, figures.unseen_tokens) == split


@pytest.mark.parametrize("timings", [False, True])
def test_running_counts_are_exact_per_phase(*, timings: bool) -> None:
    events: list[Event] = [Started(0.0)]
    total = 0
    for number in range(20):
        at = 0.5 + number * 0.1
        # three tokens a chunk of thinking, two a chunk of the answer
        thinking = number < 10
        total += 3 if thinking else 2
        events.append(Reasoning(at, "abc") if thinking else Answer(at, "a much longer text"))
        events.append(
            TimingsSeen(at, Timings(predicted_n=total)) if timings else UsageSeen(at, _usage(total))
        )
    end = TimingsSeen(3.0, Timings(predicted_n=51)) if timings else UsageSeen(3.0, _usage(51))
    meter = metered([*events, Finished(3.0, "stop"), end, Ended(3.0, complete=True)])
    figures = meter.figures(3.0)
    assert meter.counts_from == ("timings" if timings else "running")
    assert (figures.thinking_tokens, figures.answer_tokens) == (30, 20)
    assert (figures.unseen_tokens, figures.completion_tokens) == (1, 51)
    assert _codes(meter) == set()


def test_the_last_usage_holds_and_none_is_added_up() -> None:
    events = _stream(0, 10, usage=_usage(999))
    events[-1:] = [UsageSeen(1.0, _usage(10)), Ended(1.0, complete=True)]
    assert metered(events).figures(1.0).completion_tokens == 10


def test_a_proxys_guess_of_thinking_is_not_taken_for_a_count() -> None:
    events = _stream(10, 20, usage=_usage(30, 25))
    events[1] = Headers(0.2, 200, {"llm_provider-server": "llama.cpp"})
    meter = metered(events)
    assert meter.counts_from == "weight"
    assert meter.figures(9.0).thinking_tokens == 10


def test_bytes_per_token_learnt_from_one_run_serve_another_without_counts() -> None:
    learnt = metered(_stream(0, 20, usage=_usage(40, 0), text="two words ")).bytes_per_token
    assert learnt == 5.0
    meter = Meter(bytes_per_token=learnt)
    for event in _stream(0, 20, text="two words "):
        meter.apply(event)
    assert meter.counts_from == "estimate"
    assert meter.figures(9.0).answer_tokens == 40
    assert metered(_stream(0, 20)).bytes_per_token is None


# ------------------------------------------------------------------ times and rates


def test_every_time_starts_at_the_first_byte_of_the_request() -> None:
    meter = Meter()
    for event in _stream(10, 21, usage=_usage(31, 10)):
        meter.apply(event)
    figures = meter.figures(99.0)
    assert figures.connect_s == 0.01
    assert figures.headers_s == 0.25
    assert figures.first_token_s == 0.5
    assert figures.first_answer_s == pytest.approx(1.0)
    assert figures.total_s == pytest.approx(2.0)
    assert figures.thinking_s == pytest.approx(0.45)
    assert figures.answering_s == pytest.approx(1.05)
    assert figures.thinking_tokens_per_s == pytest.approx(9 / 0.45)
    assert figures.answer_tokens_per_s == pytest.approx(21 / 1.05)
    assert figures.tokens_per_s_end_to_end == pytest.approx(31 / 2.0)
    assert figures.itl_s == pytest.approx(0.05)
    assert figures.tpot_excl_first_s == pytest.approx(0.05)
    assert figures.prefill_tokens_per_s == pytest.approx(200)
    assert figures.gap_p50_s == pytest.approx(0.05)
    assert figures.withheld == {}


def test_an_answer_without_thinking_has_one_interval_less_than_tokens() -> None:
    figures = metered(_stream(0, 21, usage=_usage(21))).figures(99.0)
    assert figures.answer_tokens_per_s == pytest.approx(20 / 1.0)
    assert figures.first_answer_s == figures.first_token_s
    assert figures.withheld["thinking_tokens_per_s"] == "nothing came"


@pytest.mark.parametrize(
    ("tokens", "every"), [(7, 0.1), (30, 0.005)], ids=["too few", "too short a time"]
)
def test_a_rate_below_the_floor_is_withheld(tokens: int, every: float) -> None:
    figures = metered(_stream(0, tokens, usage=_usage(tokens), every=every)).figures(9.0)
    assert figures.answer_tokens_per_s is None
    assert figures.withheld["answer_tokens_per_s"] == "too short"


def test_the_floor_itself_is_enough() -> None:
    figures = metered(_stream(0, 8, usage=_usage(8), every=0.25 / 6.99)).figures(9.0)
    assert figures.answer_tokens_per_s is not None


def test_stretches_of_thinking_add_up_without_what_lies_between() -> None:
    events: list[Event] = [Started(0.0)]
    events += [Reasoning(1 + n * 0.1, "word ") for n in range(6)]
    events += [Answer(2.0, "word ")]
    events += [Reasoning(5 + n * 0.1, "word ") for n in range(6)]
    figures = metered(events).figures(6.0)
    assert figures.thinking_s == pytest.approx(1.0)
    assert figures.thinking_tokens_per_s == pytest.approx(10 / 1.0)


def test_only_events_with_tokens_count_for_the_first_token() -> None:
    events: list[Event] = [
        Started(0.0),
        KeepAlive(0.1),
        Served(0.2, "m"),
        UsageSeen(0.3, _usage(0)),
        ToolPiece(0.4, 0, "a", "read", ""),
    ]
    figures = metered(events).figures(1.0)
    assert figures.first_token_s == figures.first_answer_s == 0.4
    assert figures.total_s == 1.0


def test_a_lone_closing_tag_moves_the_answer_so_far_to_thinking() -> None:
    events = _stream(0, 10)[:-2]
    at = 1.0
    events.append(AnswerWasThinking(at))
    events += [Answer(at + n * 0.1, "word ") for n in range(5)]
    meter = metered([*events, Finished(1.5, "stop"), Ended(1.5, complete=True)])
    figures = meter.figures(2.0)
    assert (figures.thinking_tokens, figures.answer_tokens) == (10, 5)
    assert figures.first_answer_s == 1.0
    assert figures.first_token_s == 0.5
    assert figures.thinking_s == pytest.approx(0.45)
    assert "thinking_in_answer" in _codes(meter)


def test_a_second_start_begins_anew() -> None:
    meter = metered(_stream(3, 3))
    meter.apply(Started(10.0))
    assert meter.figures(11.0).total_s == 1.0
    assert meter.figures(11.0).first_token_s is None
    assert meter.phase == "waiting"


def test_servers_own_prompt_speed_stands_for_ours() -> None:
    events = _stream(0, 9, usage=_usage(9))
    events.insert(-1, TimingsSeen(1.0, Timings(prompt_n=50, prompt_ms=100.0, predicted_n=9)))
    assert metered(events).figures(9.0).prefill_tokens_per_s == pytest.approx(500)


# ------------------------------------------------------------------ live


def test_the_live_rate_looks_back_one_second() -> None:
    meter = Meter()
    events = [event for event in _stream(0, 60) if not isinstance(event, Ended)]
    for event in events[: 3 + 40]:
        meter.apply(event)
    last = 0.5 + 39 * 0.05
    assert meter.live_rate(last) == pytest.approx(20, rel=0.06)
    assert meter.live_rate(last + 0.5) == pytest.approx(10, rel=0.11)
    assert meter.live_rate(last + 2.0) == 0.0
    meter.apply(Ended(last, complete=True))
    assert meter.live_rate(last) is None


def test_there_is_no_live_rate_before_a_quarter_second_of_tokens() -> None:
    meter = metered([Started(0.0), Answer(1.0, "a")])
    assert meter.live_rate(1.1) is None
    assert Meter().live_rate(5.0) is None


def test_final_usage_rescales_the_past() -> None:
    events: list[Event] = _stream(0, 41, text="several words ")[:-1]
    meter = metered(events)
    assert sum(meter.rates(2.5, 10)) * 0.2 == pytest.approx(41)
    assert meter.live_rate(2.5) == pytest.approx(20, rel=0.06)
    meter.apply(UsageSeen(2.5, _usage(123)))
    assert sum(meter.rates(2.5, 10)) * 0.2 == pytest.approx(123)
    assert meter.live_rate(2.5) == pytest.approx(60, rel=0.06)
    assert Meter().rates(1.0, 10) == ()


# ------------------------------------------------------------------ memory


def test_percentiles_stay_right_beyond_what_is_kept() -> None:
    gaps = Gaps()
    dice = random.Random(7)
    values = [dice.expovariate(100) for _ in range(20_000)]
    for value in values:
        gaps.add(value)
    values.sort()
    for share in (0.5, 0.95):
        assert gaps.percentile(share) == pytest.approx(values[int(share * 19_999)], rel=0.02)
    assert gaps.longest == values[-1]
    assert Gaps().percentile(0.5) is None


def test_memory_is_bounded_over_a_long_stream() -> None:
    meter = Meter()
    meter.apply(Started(0.0))

    def more(start: int) -> None:
        for number in range(start, start + 20_000):
            meter.apply(Answer(number * 0.001, "word "))

    more(1)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        more(20_001)
        more(40_001)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 200_000
    assert meter.figures(60.0).answer_tokens == 60_000
    assert sum(meter.rates(60.0, 20)) * (60.0 - 0.001) / 20 == pytest.approx(60_000)


# ------------------------------------------------------------------ warnings


@pytest.mark.parametrize(
    "events",
    [
        _stream(10, 20, usage=_usage(34, 11)),
        _stream(0, 20, usage=_usage(21)),
        _stream(40, 60, usage=_usage(104)),
        # a short answer after a long prompt
        _stream(0, 10, usage=_usage(11), first=3.0, every=0.005),
        # two tokens a chunk
        _stream(30, 30, usage=_usage(120, 60), text="two words "),
        replayed("llamacpp/chat-stream-usage"),
        replayed("llamacpp/tool-call-stream"),
        replayed("llamacpp/length-stream"),
        replayed("vllm/chat-stream-usage"),
        replayed("vllm/tool-call-stream"),
        replayed("vllm/length-stream"),
        replayed("transformers/tool-call-stream"),
        replayed("litellm/chat-stream-usage"),
        replayed("litellm/tool-call-stream"),
    ],
)
def test_a_healthy_stream_is_left_in_peace(events: list[Event]) -> None:
    assert metered(events).warnings() == ()


def _burst(count: int, at: float) -> list[Event]:
    events: list[Event] = [Started(0.0)]
    events += [Answer(at + n * 1e-5, "word ") for n in range(count)]
    end = at + count * 1e-5
    return [
        *events,
        Finished(end, "stop"),
        UsageSeen(end, _usage(count)),
        Ended(end, complete=True),
    ]


def test_one_burst_at_the_end_is_blamed_on_a_proxy_and_rates_are_withheld() -> None:
    meter = metered(_burst(100, 4.0))
    assert _codes(meter) == {"buffered"}
    figures = meter.figures(9.0)
    assert figures.answer_tokens_per_s is None
    assert figures.withheld["answer_tokens_per_s"] == "buffered"
    assert figures.itl_s is None
    assert figures.first_token_s == 4.0


def test_a_whole_answer_in_one_piece_is_buffered_too() -> None:
    events: list[Event] = [Started(0.0), Answer(4.0, "word " * 100), Finished(4.0, "stop")]
    meter = metered([*events, UsageSeen(4.0, _usage(100)), Ended(4.0, complete=True)])
    assert "buffered" in _codes(meter)


@pytest.mark.parametrize(
    ("events", "code"),
    [
        (_stream(20, 0, usage=_usage(20, 20), finish="length"), "thinking_used_budget"),
        (replayed("vllm/length-inside-thinking-stream"), "thinking_used_budget"),
        (_stream(0, 0, usage=_usage(256), finish="length"), "thinking_used_budget"),
        (_stream(10, 0, usage=_usage(10, 10)), "empty_answer"),
        (_stream(0, 1, usage=_usage(1), text="\n\n"), "empty_answer"),
        (_stream(5, 5), "no_usage"),
        (replayed("vllm/chat-stream-no-usage"), "no_usage"),
        (_stream(0, 10, usage=_usage(90, 80)), "hidden_thinking"),
        (_stream(0, 10, usage=_usage(400)), "usage_disagrees"),
        (_stream(10, 40, usage=_usage(3)), "usage_disagrees"),
        (replayed("vllm/noparser-chat-stream-usage"), "thinking_in_answer"),
        (replayed("llamacpp-variants/nokey-rawthink-chat-stream-usage"), "thinking_in_answer"),
    ],
)
def test_what_a_run_tells(events: list[Event], code: str) -> None:
    meter = metered(events)
    assert _codes(meter) == {code}
    (warning,) = meter.warnings()
    assert warning.message
    assert warning.fix


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "read"}\n</tool_call>',
        "I shall read it.\n<function=read>",
        '[TOOL_CALLS][{"name": "read"}]',
        '{"name": "read", "arguments": {}}',
        '```json\n{"name": "read", "parameters": {}}\n```',
    ],
)
def test_a_call_written_as_text_is_recognised(text: str) -> None:
    events: list[Event] = [Started(0.0), Answer(1.0, text[:9]), Answer(1.1, text[9:])]
    events += [Finished(1.2, "stop"), UsageSeen(1.2, _usage(12)), Ended(1.2, complete=True)]
    assert _codes(metered(events)) == {"tool_call_as_text"}


@pytest.mark.parametrize(
    ("asked", "served", "other"),
    [
        ("m", "m", False),
        ("tiny-qwen3", "tiny-qwen3@main", False),
        ("Qwen/Qwen3-8B", "qwen/qwen3-8b", False),
        ("qwen3", "qwen3:latest", False),
        ("gpt-4o", "gpt-4o-2024-08-06", False),
        ("openai/gpt-4o", "gpt-4o", False),
        ("tiny", "models/tiny.gguf", False),
        ("no-such-model", "tiny-qwen3", True),
        ("qwen3:4b", "qwen3:8b", True),
        ("gpt-4o", "gpt-4o-mini", True),
    ],
)
def test_another_model_is_named(asked: str, served: str, *, other: bool) -> None:
    meter = metered([Started(0.0), Served(1.0, served)], asked)
    assert _codes(meter) == ({"served_other_model"} if other else set())


def test_hidden_thinking_keeps_the_first_token_and_withholds_prefill() -> None:
    figures = metered(_stream(0, 40, usage=_usage(120, 80))).figures(9.0)
    assert (figures.thinking_tokens, figures.answer_tokens) == (80, 40)
    assert figures.first_token_s == 0.5
    assert figures.prefill_tokens_per_s is None
    assert figures.withheld["prefill_tokens_per_s"] == "hidden thinking"
    assert figures.withheld["thinking_tokens_per_s"] == "hidden thinking"
    assert figures.answer_tokens_per_s == pytest.approx(39 / 1.95)
