"""No key in what is kept of a reply, however a server spells it and wherever it puts it."""

from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec
import pytest

from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.verify.exchange import HttpLine
from core.verify.trials.registry import run_trial, trials_for
from core.wire.bounds import Bounds
from core.wire.client import open_client
from tests.core.verify.trials.helpers import setting
from tests.servers.lane_server import Said, Turn, lane_server
from tests.servers.scripted import (
    Behaviour,
    ScriptedProvider,
    chat_reply,
    error_reply,
    json_reply,
    piece,
    sse_reply,
    tool_reply,
)

if TYPE_CHECKING:
    from collections.abc import Callable

BOUNDS: Final = Bounds(connect_s=5, first_byte_s=5, silence_s=5)
KEY: Final = "sk-l/ve+0451=Zq8rT2wX7yB3"
FORMS: Final[dict[str, str]] = {
    "as it is": KEY,
    "in a URL": quote(KEY, safe=""),
    "in JSON": json.dumps(KEY).replace("/", "\\/")[1:-1],
    "in JSON's numbers": "".join(f"\\u{ord(one):04x}" for one in KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 for a URL": base64.urlsafe_b64encode(KEY.encode()).decode().rstrip("="),
    "base64 of a header": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "base64 of a login": base64.b64encode(f"user:{KEY}".encode()).decode(),
    "hex": KEY.encode().hex(),
    "HTML": html.escape(KEY).replace("+", "&#43;"),
    "backwards": KEY[::-1],
}
"""How the key may be spelt."""


def halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def letters(text: str) -> Behaviour:
    return chat_reply("m", tuple(text))


def across(text: str) -> Behaviour:
    """One half is thinking, the other the answer."""
    first, second = halves(text)
    return chat_reply("m", (second,), thinking=(first,))


def between(text: str) -> Behaviour:
    """Thinking and answer by turns: neither holds what both hold together."""
    first, second = halves(text)
    deltas = [{"content": "So: "}, {"reasoning_content": first}, {"content": second}]
    return sse_reply([*(piece("m", one) for one in deltas), piece("m", {}, "stop")])


def two_calls(text: str) -> Behaviour:
    first, second = halves(text)
    calls = [
        {"index": place, "id": f"c{place}", "function": {"name": "read", "arguments": part}}
        for place, part in enumerate((first, second))
    ]
    return sse_reply(
        [*(piece("m", {"tool_calls": [one]}) for one in calls), piece("m", {}, "tool_calls")]
    )


def name_and_arguments(text: str) -> Behaviour:
    first, second = halves(text)
    return tool_reply("m", first, (second,))


def other_choice(text: str) -> Behaviour:
    """Said where nobody reads: the second choice, piece by piece."""
    events = [
        {"model": "m", "choices": [{"index": 1, "delta": {"content": part}}]}
        for part in (text[at : at + 5] for at in range(0, len(text), 5))
    ]
    return sse_reply([*events, piece("m", {"content": "PONG"}), piece("m", {}, "stop")])


def refusal_pieces(text: str) -> Behaviour:
    """Under a member that no reader knows."""
    first, second = halves(text)
    deltas = [{"refusal": first}, {"refusal": second}, {"content": "no"}]
    return sse_reply([*(piece("m", one) for one in deltas), piece("m", {}, "stop")])


PLACES: Final[dict[str, Callable[[str], Behaviour]]] = {
    "an error's words": lambda text: error_reply(400, f"Bad key: {text}."),
    "a header": lambda text: json_reply(400, {"error": {"message": "x"}}, {"x-echo": _flat(text)}),
    "the model's name": lambda text: chat_reply(f"m-{text}"),
    "the answer": lambda text: chat_reply("m", (f"It is {text}.",)),
    "the answer in pieces": lambda text: chat_reply("m", halves(text)),
    "the answer, letter by letter": letters,
    "thinking": lambda text: chat_reply("m", ("PONG",), thinking=halves(text)),
    "thinking and answer": across,
    "thinking and answer by turns": between,
    "a call": lambda text: tool_reply("m", "read", halves(text)),
    "two calls": two_calls,
    "a call's name and arguments": name_and_arguments,
    "another choice": other_choice,
    "an unknown member": refusal_pieces,
    "a finish reason": lambda text: sse_reply([piece("m", {}, text)]),
    "an error in the stream": lambda text: sse_reply([{"error": {"message": text, "code": 500}}]),
    "a comment": lambda text: sse_reply([f": {_flat(text)}\n\n".encode(), piece("m", {}, "stop")]),
}
"""Where it may stand."""


def _flat(text: str) -> str:
    return text.replace("\n", "")


def told(spelling: str) -> tuple[str, ...]:
    """What would give the key away: the spelling, and long pieces of it."""
    size = 12
    return tuple(spelling[at : at + size] for at in range(0, len(spelling) - size + 1, 3))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", FORMS)
async def test_a_key_is_in_no_form_at_no_place_of_what_is_kept(form: str, place: str) -> None:
    spelling = FORMS[form]
    body = {"model": "m", "messages": [], "stream": True}
    async with ScriptedProvider({("POST", "/v1/chat/completions"): PLACES[place](spelling)}) as one:
        base = read_base_url(one.base_url)
        async with open_client(base, BOUNDS, key=Secret(KEY)) as client:
            answered = await HttpLine(client, base, BOUNDS, Secret(KEY)).send(body)
    kept = [answered.came, answered.sent, msgspec.json.encode(answered).decode(), repr(answered)]
    joined = (
        answered.thinking
        + answered.answer
        + "".join(call.name + call.arguments for call in answered.calls)
    )
    own = told("Bearer user:sk-")  # what such spellings have beside the key
    for text in (*kept, joined):
        found = [one for one in told(spelling) if one in text and one not in own]
        assert not found or form.startswith("base64 of"), (found, text)
        assert spelling not in text
        assert KEY not in text


async def test_no_evidence_of_a_trial_holds_it_where_a_model_spells_it_out() -> None:
    def hook(turn: Turn) -> Said | None:
        if not turn.loops:
            return Said(FORMS["base64"], KEY)
        return None if turn.said.calls else Said(f"{turn.said.text} {KEY}")

    trials = [one for lane in ("agent", "auxiliary") for one in trials_for(lane)]
    async with lane_server(hook) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, BOUNDS, key=Secret(KEY)) as client:
            line = HttpLine(client, base, BOUNDS, Secret(KEY))
            for trial in trials:
                verdict = await run_trial(trial, setting(lane=trial.lanes[0]), line)
                text = repr(verdict)
                assert KEY not in text
                assert FORMS["base64"] not in text
