"""The pure judges, case by case: a reply in, an outcome out."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec
import pytest

from core.errors import Fault
from core.live.counts import Usage
from core.live.verdict import ToolCall
from core.providers.presets import presets
from core.verify.exchange import Answered
from core.verify.pi_shape import PiModel
from core.verify.trials import fixes
from core.verify.trials.home import lane_home, stays_home
from core.verify.trials.identity import canary, served
from core.verify.trials.limits import held, read_whole, room_left, window_said
from core.verify.trials.long_text import long_prompt
from core.verify.trials.loop import judged
from core.verify.trials.structured import outcome
from core.verify.trials.tasks import extraction, merging
from core.verify.trials.written_calls import SHAPES
from tests.core.verify.trials.helpers import all_on, config_of, report_of, setting

if TYPE_CHECKING:
    from core.verify.trials.setting import Setting

_GOOD = Answered(status=200, finish_reason="stop", complete=True)


def reply(answer: str = "", **fields: object) -> Answered:
    return msgspec.structs.replace(_GOOD, answer=answer, **fields)


def refusal(code: str, status: int | None, why: str = "", **fields: object) -> Answered:
    fault = Fault("usage", "It failed.", why, "Do this.")
    fault = msgspec.structs.replace(fault, code=code)
    return Answered(status=status, fault=fault, **fields)  # type: ignore[arg-type]


_CALL = ToolCall("c1", "read", '{"path":"a"}')
_HALF = ToolCall("c1", "read", '{"path":"')


@pytest.mark.parametrize(
    ("answered", "ending"),
    [
        (reply("Done."), "answer"),
        (reply(calls=(_CALL,), finish_reason="tool_calls"), "calls"),
        # Pi goes by the content, not by the reason
        (reply(calls=(_CALL,)), "calls"),
        (reply(calls=(_CALL,), finish_reason="length"), "length_on_calls"),
        (reply(calls=(_HALF,), finish_reason="length"), "cut_in_call"),
        (reply(message_chunks=True), "message_not_delta"),
        (reply("Done", finish_reason="length"), "cut"),
        (reply(finish_reason="length", thinking="hm"), "cut_in_thought"),
        (reply(thinking="hm"), "thinking_only"),
        (reply(), "empty"),
        (reply("Done.", finish_reason=None, complete=False), "no_finish"),
        (reply("Done.", finish_reason="end_turn"), "odd_finish"),
        (reply("Done.", list_content=True), "list_content"),
        (reply(calls=(_CALL,), object_arguments=True), "object_arguments"),
        (reply(calls=(ToolCall("c", "read", '{"a":1}{"a":1}'),)), "broken_arguments"),
        (reply(calls=(ToolCall("c", "", "{}"),)), "broken_arguments"),
        (reply("<tool_call>{}</tool_call>"), "written_as_text"),
        (reply(thinking="<tool_call>{}</tool_call>"), "written_in_thinking"),
        (refusal("server_error", 500), "fault"),
    ],
)
def test_a_reply_is_to_pi(answered: Answered, ending: str) -> None:
    assert judged(answered).ending == ending


@pytest.mark.parametrize("code", ["rate_limited", "timeout", "connection_refused", "loading"])
def test_what_says_nothing_of_the_model_decides_nothing(code: str) -> None:
    answered = refusal(code, 429 if code == "rate_limited" else None)
    task = extraction(random.Random(1))
    prompt = long_prompt(2000, 1)
    outcomes = [
        outcome(setting(), task, answered),
        read_whole(setting(), prompt, answered),
        held(setting(), answered),
        room_left(setting(), answered),
        served(setting(), answered),
        canary(setting(), "no-such", answered),
    ]
    assert {one.passed for one in outcomes} == {None}
    assert {one.finding for one in outcomes} == {code}


# ---------------------------------------------------------------------------- who answers


@pytest.mark.parametrize(
    ("listed", "named", "passed", "finding"),
    [
        (("good-model",), "good-model", True, "one_model"),
        (("good-model",), None, True, "one_model"),
        (("good-model",), "good-model@main", True, "one_model"),
        (("/models/good-model.gguf",), "/models/good-model.gguf", True, "one_model"),
        (("good-model",), "turnkey-canary-x", True, "one_model"),
        (("good-model",), "something-else", False, "accepted"),
        (("good-model", "b"), "good-model", False, "accepted"),
        (("good-model", "b"), "turnkey-canary-x", False, "accepted"),
        (None, "good-model", None, "accepted"),
        ((), "good-model", True, "one_model"),
    ],
)
def test_a_canary_that_is_answered(
    listed: tuple[str, ...] | None, named: str | None, passed: bool | None, finding: str
) -> None:
    asked = setting(listed=listed)
    found = canary(asked, "turnkey-canary-x", reply("PONG", served_model=named))
    assert (found.passed, found.finding) == (passed, finding)


@pytest.mark.parametrize(
    ("answered", "passed"),
    [
        (refusal("model_unknown", 404), True),
        (refusal("parameter_refused", 400, came="no model named no-such"), True),
        # a refusal of something else proves nothing about ids
        (refusal("parameter_refused", 400, came="store is not permitted"), None),
        (refusal("server_error", 500), None),
        # an answer of another form bears the name that was asked for, and refuses nothing
        (refusal("bad_shape", 200, came='{"model": "no-such", "choices": []}'), None),
    ],
)
def test_a_canary_that_is_refused(answered: Answered, passed: bool | None) -> None:
    assert canary(setting(), "no-such", answered).passed is passed


@pytest.mark.parametrize(
    ("answered", "passed", "finding"),
    [
        (reply("PONG", served_model="good-model"), True, "ok"),
        (reply("PONG", served_model="good-model:latest"), True, "ok"),
        (reply("PONG", served_model="other"), False, "other_model"),
        (reply("PONG"), None, "not_said"),
        (
            reply("P", served_model="good-model", headers={"x-litellm-attempted-fallbacks": "1"}),
            False,
            "fallback",
        ),
        (
            reply("P", served_model="good-model", headers={"x-litellm-model-group": "spare"}),
            False,
            "other_model",
        ),
        (
            reply("P", served_model="good-model", headers={"x-litellm-attempted-fallbacks": "²"}),
            True,
            "ok",
        ),
        (
            reply(
                "P",
                served_model="good-model",
                headers={"x-litellm-attempted-fallbacks": "9" * 5_000},
            ),
            False,
            "fallback",
        ),
        (refusal("model_unknown", 404), False, "refused"),
    ],
)
def test_who_served(answered: Answered, passed: bool | None, finding: str) -> None:
    found = served(setting(), answered)
    assert (found.passed, found.finding) == (passed, finding)


# ---------------------------------------------------------------------------- limits

_PROMPT = long_prompt(40_000, 3)
_ALL = Usage(prompt_tokens=11_000)


@pytest.mark.parametrize(
    ("answered", "passed", "finding"),
    [
        (reply(f"{_PROMPT.head} {_PROMPT.middle}", usage=_ALL), True, "ok"),
        (reply(f"{_PROMPT.head} {_PROMPT.middle}"), True, "ok"),
        (reply(_PROMPT.middle, usage=Usage(prompt_tokens=4096)), False, "cut_silently"),
        (reply("None.", usage=Usage(prompt_tokens=2048)), False, "cut_silently"),
        # the middle is what some servers cut
        (reply(_PROMPT.head, usage=Usage(prompt_tokens=4096)), False, "cut_silently"),
        # a proxy may count what it sent, and not what was read
        (reply(_PROMPT.middle, usage=_ALL), False, "cut_silently"),
        (reply(_PROMPT.middle), False, "cut_silently"),
        (reply("I see none.", usage=_ALL), None, "not_told"),
        (reply(_PROMPT.head, usage=_ALL), None, "not_told"),
        (reply(), False, "empty_on_long"),
        (reply(thinking="hm", finish_reason="length", usage=_ALL), None, "cut_in_thought"),
        (refusal("context_overflow", 400, came="n_ctx = 4096"), False, "window_smaller"),
        (refusal("parameter_refused", 400), False, "refused"),
    ],
)
def test_a_long_prompt(answered: Answered, passed: bool | None, finding: str) -> None:
    found = read_whole(setting(), _PROMPT, answered)
    assert (found.passed, found.finding) == (passed, finding)
    assert found.passed is True or found.fix


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("This model's maximum context length is 8192 tokens. However, ...", 8192),
        ('{"error":{"code":400,"n_prompt_tokens":9000,"n_ctx": 4096}}', 4096),
        ("input (9000 tokens) is longer than the model's context length (2048 tokens)", 2048),
        ("context window of 32768", 32768),
        ("Bad request", None),
        pytest.param(f"maximum context length is {'9' * 5_000} tokens", None, id="no number"),
    ],
)
def test_a_window_is_read_out_of_the_servers_words(text: str, window: int | None) -> None:
    assert window_said(text) == window


@pytest.mark.parametrize(
    ("answered", "passed", "finding"),
    [
        (reply("1", finish_reason="length", usage=Usage(completion_tokens=8192)), True, "ok"),
        (reply("1", usage=Usage(completion_tokens=9000)), True, "ok"),
        (
            reply("1", finish_reason="length", usage=Usage(completion_tokens=4096)),
            False,
            "limit_smaller",
        ),
        (reply("1", finish_reason="length"), None, "not_counted"),
        (reply("1", usage=Usage(completion_tokens=90)), None, "ended_early"),
        (refusal("parameter_refused", 400), False, "limit_refused"),
    ],
)
def test_the_output_limit(answered: Answered, passed: bool | None, finding: str) -> None:
    found = held(setting(), answered)
    assert (found.passed, found.finding) == (passed, finding)


# ---------------------------------------------------------------------------- structured


@pytest.mark.parametrize("seed", range(20))
def test_a_task_takes_the_right_answer_and_no_other(seed: int) -> None:
    rows = [
        {"path": line.split()[1].rpartition(":")[0], "line": int(line.split()[1].split(":")[1]),
         "severity": line.split()[2].rstrip(":"), "title": "t"}
        for line in extraction(random.Random(seed)).prompt.splitlines()
        if line.startswith("- ")
    ]  # fmt: skip
    check = extraction(random.Random(seed)).check
    assert check({"findings": rows}) is None
    assert "missing" in (check({"findings": rows[1:]}) or "")
    assert "made up" in (check({"findings": [*rows, {**rows[0], "line": 9999}]}) or "")
    merge = merging(random.Random(seed)).check
    assert "lost" in (merge({"groups": []}) or "")


# ---------------------------------------------------------------------------- home


def test_a_lane_that_stays_is_told_with_what_decided() -> None:
    found = stays_home(setting(lane="synthesis"))
    assert (found.verdict, found.requests) == ("pass", 0)
    assert "mine/good-model" in found.evidence.text


def _escaping(allowed: frozenset[str] = frozenset()) -> Setting:
    text = (
        'version = 1\n[defaults.agent]\nmodel = "mine/m"\n[defaults.auxiliary]\n'
        'model = "openai/gpt-5"\n[defaults.providers.mine]\nbaseUrl = "http://127.0.0.1:9/v1"\n'
        '[[defaults.providers.mine.models]]\nid = "m"\n'
    )
    return setting("m", "auxiliary", report=report_of(config_of(text)), allowed=allowed)


def test_a_lane_that_leaves_fails_with_the_code_and_the_cure() -> None:
    found = stays_home(_escaping())
    assert (found.verdict, found.finding) == ("fail", "escapes")
    assert "E9" in found.evidence.text
    assert found.fix


def test_an_allowed_escape_passes_and_is_told() -> None:
    report = _escaping().report
    assert report is not None
    allowed = frozenset(f"{one.code}:{one.lane}" for one in report.escapes)
    found = stays_home(_escaping(allowed))
    assert found.verdict == "pass"
    assert "allowed by you" in found.evidence.text


def test_a_lane_that_nobody_set_is_judged_without_a_setting() -> None:
    text = all_on("m").replace('[defaults.auxiliary]\nmodel = "mine/m"\n', "")
    config = config_of(text)
    found = lane_home(report_of(config, "stock"), "auxiliary")
    assert (found.verdict, found.lane) == ("fail", "auxiliary")
    assert "E1" in found.evidence.text
    assert lane_home(report_of(config, "stock"), "agent").verdict == "pass"


def test_without_a_config_nothing_is_said_of_lanes() -> None:
    assert stays_home(setting(report=None)).verdict == "unsure"


# ---------------------------------------------------------------------------- cures


@pytest.mark.parametrize("dialect", [*(one.dialect for one in presets()), "a server of tomorrow"])
def test_every_cure_is_a_sentence_for_its_server(dialect: str) -> None:
    asked = setting(dialect=dialect)
    told = [fixes.parse_calls(asked, shape) for shape in SHAPES]
    told += [fixes.tools_off(asked), fixes.forced_none(asked), fixes.more_room(asked)]
    told += [fixes.split_reasoning(asked, what="leaks"), fixes.larger_window(asked)]
    told.append(fixes.split_reasoning(asked, what="swallows"))
    assert all(one.endswith(".") and len(one) < 320 for one in told), told


def test_only_stock_can_write_tool_choice() -> None:
    assert "samplingParams" in fixes.forced_none(setting(variant="stock"))
    assert "samplingParams" not in fixes.forced_none(setting(variant="providers"))


def test_more_room_is_more_than_there_was() -> None:
    asked = setting(pi=PiModel("m", True, max_tokens=40_000))
    assert "80000" in fixes.more_room(asked)
    assert "effort" in fixes.more_room(asked)


def test_a_window_too_small_for_pis_own_caution_is_named() -> None:
    small = setting(variant="stock", pi=PiModel("m", context_window=8_192))
    assert "larger window" in fixes.more_room(small)
    assert "maxTokens" in fixes.more_room(msgspec.structs.replace(small, variant="providers"))
