from __future__ import annotations

import pytest

from core.demo.answers import say
from core.demo.models import DEMO_MODELS
from core.demo.script import Piece, script
from core.demo.tokens import count
from core.live.ping import DEFAULT_MAX_TOKENS
from core.live.prompts import RATE_PROMPT, READY_PROMPTS, ReadyPrompt
from tests.core.demo.helpers import ask, model, offer, system, user

PONG = user("Answer with the single word PONG and nothing else.")


@pytest.mark.parametrize("each", [m for m in DEMO_MODELS if m.mode == "chat"], ids=lambda m: m.id)
def test_every_chat_model_answers_pong(each: object) -> None:
    assert say(ask(PONG), each).text == "PONG"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "question",
    [
        "Reply with PONG",
        "answer with PONG",
        "Answer with exactly one word: PONG",
        "Please reply only with “PONG”.",
        "PONG",
        "If you can read this, the word is PONG; say it.",
    ],
)
def test_pong_is_understood_however_it_is_asked(question: str) -> None:
    assert say(ask(user(question)), model()).text == "PONG"


@pytest.mark.parametrize("role", ["system", "developer"])
def test_an_instruction_of_one_word_is_followed_the_latest_first(role: str) -> None:
    rules = {"role": role, "content": "Answer only KIWI."}
    assert say(ask(system("You review code."), rules, user("hello there")), model()).text == "KIWI"
    assert say(ask(rules, system("Say only PLUM."), user("hi")), model()).text == "PLUM"


def test_a_question_that_needs_no_looking_is_answered_though_tools_are_offered() -> None:
    said = say(ask(PONG, tools=offer()), model())
    assert (said.text, said.calls) == ("PONG", ())


@pytest.mark.parametrize(
    "question",
    [
        "Explain in about two hundred words how a token stream is measured.",
        "Write a short story about a lighthouse keeper and her radio, in plain words.",
        "Tell me everything that you know about time to first token and the gaps between tokens.",
    ],
)
def test_a_long_question_gets_an_answer_long_enough_for_a_rate(question: str) -> None:
    plain = say(ask(user(question)), model())
    assert count(plain.text) >= 150
    thinker = say(ask(user(question)), model("demo-thinker"))
    assert count(thinker.thinking) >= 30
    # both fit the first budget of a ping
    assert count(thinker.thinking) + count(thinker.text) <= 256


@pytest.mark.parametrize(
    "question", ["hello", "Explain rates at length please, in many words, with an example or two."]
)
def test_free_answers_say_that_this_is_a_demo(question: str) -> None:
    assert "demo provider" in say(ask(user(question)), model()).text


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Count from 1 to 5.", "1, 2, 3, 4, 5"),
        ("count to 3", "1, 2, 3"),
        ("What is 17 + 25?", "17 + 25 = 42"),
        ("What is 6*7?", "6 * 7 = 42"),
        ("The marker is heron-42. Lorem ipsum. What is the marker?", "heron-42"),
    ],
)
def test_small_questions_get_right_answers(question: str, answer: str) -> None:
    assert say(ask(user(question)), model()).text == answer


ANSWERED = [prompt for prompt in READY_PROMPTS if not prompt.tools]


@pytest.mark.parametrize("prompt", ANSWERED, ids=lambda prompt: prompt.name)
def test_the_prompts_of_the_live_screen_are_answered_well(prompt: ReadyPrompt) -> None:
    telling = {"PONG": "PONG", "puzzle": "8", "review": "one early", "long answer": "lens"}
    thinker = say(ask(user(prompt.text)), model("demo-thinker"))
    assert telling[prompt.name] in thinker.text
    assert thinker.thinking
    assert count(thinker.thinking) + count(thinker.text) <= DEFAULT_MAX_TOKENS


def test_the_prompt_that_wants_a_tool_call_gets_one() -> None:
    (prompt,) = [prompt for prompt in READY_PROMPTS if prompt.tools]
    (tool,) = prompt.tools
    offered = {"name": tool.name, "parameters": tool.parameters}
    asked = ask(user(prompt.text), tools=[{"type": "function", "function": offered}])
    (call,) = say(asked, model()).calls
    assert call.name == tool.name
    assert "pyproject.toml" in call.arguments


def test_the_long_prompt_gives_a_rate() -> None:
    assert count(say(ask(user(RATE_PROMPT)), model()).text) >= 150


def test_a_marker_is_found_at_the_head_of_a_long_prompt() -> None:
    text = "The code word is kestrel. " + "Filler text. " * 5000
    asked = ask(user(text + "What was the code word?"))
    assert say(asked, model()).text == "kestrel"


@pytest.mark.parametrize(
    ("fields", "thinks"),
    [
        ({}, True),
        ({"reasoning_effort": "low"}, True),
        ({"reasoning_effort": "none"}, False),
        ({"chat_template_kwargs": {"enable_thinking": False}}, False),
    ],
)
def test_thinking_obeys_its_switches(fields: dict[str, object], thinks: bool) -> None:
    assert bool(say(ask(PONG, **fields), model("demo-thinker")).thinking) is thinks


def test_low_effort_thinks_less() -> None:
    low = say(ask(PONG, reasoning_effort="low"), model("demo-thinker"))
    high = say(ask(PONG, reasoning_effort="high"), model("demo-thinker"))
    assert 0 < count(low.thinking) < count(high.thinking)


def test_a_cap_cuts_and_says_length_and_the_counts_are_what_is_left() -> None:
    asked = ask(user("Count from 1 to 300"), max_tokens=16)
    made = script(say(asked, model()), asked, model())
    assert (len(made.pieces), made.finish, made.counts.completion) == (16, "length", 16)


def test_the_newer_name_of_the_cap_wins() -> None:
    asked = ask(user("Count from 1 to 300"), max_tokens=200, max_completion_tokens=5)
    assert len(script(say(asked, model()), asked, model()).pieces) == 5


def test_a_cap_inside_the_thinking_leaves_no_answer() -> None:
    asked = ask(PONG, max_tokens=8)
    made = script(say(asked, model("demo-thinker")), asked, model("demo-thinker"))
    assert {piece.kind for piece in made.pieces} == {"thinking"}
    assert (made.counts.thinking, made.counts.answer, made.finish) == (8, 0, "length")


def test_an_answer_that_just_fits_the_cap_ends_with_stop() -> None:
    asked = ask(PONG, max_tokens=1)
    assert script(say(asked, model()), asked, model()).finish == "stop"


def test_the_thinker_streams_at_a_pace_that_is_pleasant_to_watch() -> None:
    thinker = model("demo-thinker")
    asked = ask(user("Explain at length, in some two hundred words, what a token is."))
    made = script(say(asked, thinker), asked, thinker)
    for kind in ("thinking", "answer"):
        waits = [p.wait_s for p in made.pieces[1:] if p.kind == kind]
        assert 40 <= len(waits) / sum(waits) <= 60
        assert max(waits) < 2.5 * min(waits)


def test_the_slow_one_waits_some_four_seconds_before_its_first_token() -> None:
    asked = ask(PONG)
    slow = script(say(asked, model("demo-slow")), asked, model("demo-slow"))
    quick = script(say(asked, model()), asked, model())
    assert slow.pieces[0].wait_s == pytest.approx(4)
    assert quick.pieces[0].wait_s < 0.5


def test_the_broken_one_writes_its_calls_as_text_and_stops() -> None:
    asked = ask(user("Read the file README.md"), tools=offer())
    broken = model("demo-broken-tools")
    made = script(say(asked, broken), asked, broken)
    text = "".join(piece.text for piece in made.pieces)
    assert text == (
        '<tool_call>\n{"name": "read", "arguments": {"path":"README.md"}}\n</tool_call>'
    )
    assert made.finish == "stop"
    assert {piece.kind for piece in made.pieces} == {"answer"}


def test_the_leaky_one_thinks_inside_its_answer_and_cannot_count_it() -> None:
    leaky = model("demo-leaky-think")
    made = script(say(ask(PONG), leaky), ask(PONG), leaky)
    text = "".join(piece.text for piece in made.pieces)
    assert text.startswith("<think>\n")
    assert text.endswith("</think>\n\nPONG")
    assert (made.counts.thinking, made.counts.reports_thinking) == (0, False)


def test_a_call_opens_with_its_name_and_its_arguments_follow_in_pieces() -> None:
    asked = ask(user("Read a.py and b.py"), tools=offer())
    made = script(say(asked, model()), asked, model())
    openers = [piece for piece in made.pieces if piece.opens]
    assert [(piece.call, piece.opens, piece.text) for piece in openers] == [
        (0, "read", ""),
        (1, "read", ""),
    ]
    assert _arguments(made.pieces, 1) == '{"path":"b.py"}'
    assert made.finish == "tool_calls"
    assert made.counts.answer == len(made.pieces)


def _arguments(pieces: tuple[Piece, ...], call: int) -> str:
    return "".join(p.text for p in pieces if p.kind == "call" and p.call == call)
