"""``turnkey ping``: the three results, the figures, and a run for every failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers.scripted import (
    Hang,
    chat_reply,
    error_reply,
    good_server,
    raw,
    running,
    text_reply,
)
from tests.tui.desk import KEY, VARIABLE, WRONG, Desk, all_lanes, at, provider_table, unkeyed

if TYPE_CHECKING:
    from tests.servers.scripted import Route

FIGURES = {
    *("headers_s", "first_token_s", "first_answer_s", "total_s"),
    *("thinking_tokens", "answer_tokens", "thinking_tokens_per_s", "answer_tokens_per_s"),
    *("gap_p50_s", "gap_p95_s", "longest_stall_s"),
}
RUN = {
    *("reachable", "authorised", "works", "ok", "served_model", "finish_reason", "reasoning"),
    *("answer", "tool_calls", "counts_from", "usage", "figures", "warnings", "error"),
}


def results(run: object) -> tuple[object, object, object]:
    assert at(run, "ok") == at(run, "works")
    return at(run, "reachable"), at(run, "authorised"), at(run, "works")


def chatting(route: Route) -> dict[tuple[str, str], Route]:
    return {("POST", "/v1/chat/completions"): route}


def test_the_json_of_ping(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    with running(good_server(["qwen3"], KEY)) as server:
        desk.write(provider_table(server.base_url, "qwen3", lanes=all_lanes("litellm/qwen3")))
        pinged = desk.turnkey("ping", "--json")
    assert pinged.code == 0, pinged.err
    told = pinged.json()
    assert told["target"] == {"base_url": server.base_url, "model": "qwen3"}
    assert list(told) == ["target", "runs"]
    run = at(told, "runs", 0)
    assert isinstance(run, dict)
    assert set(run) == RUN
    assert results(run) == (True, True, True)
    assert run["served_model"] == "qwen3"
    assert run["finish_reason"] == "stop"
    assert run["reasoning"] == "The user wants one word."
    assert run["answer"] == "PONG"
    assert run["tool_calls"] == []
    assert run["counts_from"] == "usage"
    assert at(run, "usage")
    assert set(run["figures"]) >= FIGURES
    assert run["error"] is None
    for warning in run["warnings"]:
        assert {"code", "message"} <= set(warning)


def test_a_person_sees_the_answer_and_the_figures(desk: Desk) -> None:
    with running(good_server(["m"], key=None)) as server:
        pinged = desk.turnkey("ping", "--url", server.base_url, "--model", "m")
    assert pinged.code == 0, pinged.err
    assert f"m at {server.base_url}" in pinged.out
    assert "reachable yes · authorised yes · works yes" in pinged.out
    assert "answer: PONG" in pinged.out
    assert "first token" in pinged.out
    assert "too short for a rate" in pinged.err
    assert "--runs 3" in pinged.err
    assert "turnkey help figures" in pinged.err


def test_several_runs_end_in_medians(desk: Desk) -> None:
    with running(good_server(["m"], key=None)) as server:
        options = ("ping", "--url", server.base_url, "--model", "m", "--runs", "3")
        told = desk.turnkey(*options, "--json").json()
        shown = desk.turnkey(*options)
    runs = told["runs"]
    assert isinstance(runs, list)
    assert len(runs) == 3
    assert "run 3 of 3" in shown.out
    assert "medians and range of 3 runs" in shown.out
    assert "3 of 3 runs" in shown.out
    assert "gaps p95" in shown.out.partition("medians and range")[2]
    assert "a single run" not in shown.err


def test_another_prompt_and_limit_are_sent_and_any_answer_is_right(desk: Desk) -> None:
    answer = ["Keep", " the\x1b[2J lamp", "\nturning."]
    with running(good_server(["m"], key=None, answer=answer)) as server:
        options = ("ping", "--url", server.base_url, "--model", "m")
        pinged = desk.turnkey(*options, "--prompt", "Why a lamp?", "--max-tokens", "77")
        wrong = desk.turnkey(*options, "--json")
        sent = server.seen("POST", "/v1/chat/completions")
    assert pinged.code == 0, pinged.err
    assert b"Why a lamp?" in sent[0].body
    assert 77 in (sent[0].field("max_tokens"), sent[0].field("max_completion_tokens"))
    assert "answer: Keep the\\x1b[2J lamp\n    turning." in pinged.out
    assert wrong.code == 4
    assert at(wrong.json(), "runs", 0, "error", "code") == "wrong_answer"
    assert results(at(wrong.json(), "runs", 0)) == (True, True, False)
    assert "error: " in wrong.err


def test_another_model_that_answers_does_not_work(desk: Desk) -> None:
    extra = chatting(chat_reply("something-else"))
    with running(good_server(["m"], key=None, extra=extra)) as server:
        pinged = desk.turnkey("ping", "--url", server.base_url, "--model", "m", "--json")
    assert pinged.code == 4
    assert at(pinged.json(), "runs", 0, "error", "code") == "wrong_model"
    assert at(pinged.json(), "runs", 0, "works") is False


def test_a_revision_of_the_asked_model_works(desk: Desk) -> None:
    extra = chatting(chat_reply("m@2026-01-01"))
    with running(good_server(["m"], key=None, extra=extra)) as server:
        pinged = desk.turnkey("ping", "--url", server.base_url, "--model", "m", "--json")
    assert pinged.code == 0, pinged.err


# ---------------------------------------------------------------------------- failures


def test_five_failures_have_five_codes(desk: Desk, closed_port: int) -> None:
    desk.export(GATEWAY=KEY, OTHER=WRONG)
    seen = {}
    with running(good_server(["m"], KEY)) as server:
        url = server.base_url
        cases = {
            "key_refused": (url, "m", "OTHER"),
            "model_unknown": (url, "no-such", "GATEWAY"),
            "connection_refused": (f"http://127.0.0.1:{closed_port}/v1", "m", "GATEWAY"),
            "path_wrong": (server.origin + "/not/here/v1", "m", "GATEWAY"),
            "name_unresolved": ("http://gateway.invalid:4000/v1", "m", "GATEWAY"),
        }
        for code, (where, model, variable) in cases.items():
            seen[code] = desk.turnkey(
                *("ping", "--url", where, "--model", model, "--key-env", variable, "--json")
            )
    fixes = set()
    for code, pinged in seen.items():
        error = at(pinged.json(), "runs", 0, "error")
        assert at(error, "code") == code
        assert pinged.code == (5 if code == "key_refused" else 4)
        assert at(error, "why")
        assert WRONG not in pinged.out + pinged.told()
        fixes.add((at(error, "what"), at(error, "fix")))
    assert len(fixes) == 5
    results_of = {code: results(at(ended.json(), "runs", 0)) for code, ended in seen.items()}
    assert results_of["key_refused"][:2] == (True, False)
    assert results_of["model_unknown"] == (True, True, False)
    assert results_of["connection_refused"][:2] == (False, None)
    assert results_of["name_unresolved"][:2] == (False, None)


def test_a_missing_key_still_gives_one_run_and_exits_5(desk: Desk) -> None:
    desk.write(provider_table("https://gw.invalid/v1", "m", lanes=all_lanes("litellm/m")))
    pinged = desk.turnkey("ping", "--json", "--runs", "4")
    assert pinged.code == 5
    told = pinged.json()
    assert told["target"] == {"base_url": "https://gw.invalid/v1", "model": "m"}
    assert len(list_of(told["runs"])) == 1
    run = at(told, "runs", 0)
    assert isinstance(run, dict)
    assert set(run) == RUN
    assert results(run) == (None, None, None)
    assert at(run, "error", "code") == "key_missing"
    assert "turnkey keys set litellm" in pinged.told()


def list_of(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 3),
        (("--provider", "x"), 3),
        (("--url", "localhost:1"), 2),
        (("--url", "ftp://x", "--model", "m"), 2),
        (("--url", "localhost:1", "--model", "m", "--key-env", "NOT_SET"), 5),
    ],
)
def test_every_failure_before_the_request_gives_one_run(
    options: tuple[str, ...], code: int, desk: Desk
) -> None:
    pinged = desk.turnkey("ping", *options, "--json")
    assert pinged.code == code
    assert len(list_of(pinged.json()["runs"])) == 1
    assert at(pinged.json(), "runs", 0, "error", "what")
    pinged.told()
    plain = desk.turnkey("ping", *options)
    assert (plain.code, plain.out) == (code, "")


def test_a_lane_that_is_unset_or_hosted_is_not_asked(desk: Desk) -> None:
    desk.write(provider_table("http://localhost:1/v1", "m"))
    unset = desk.turnkey("ping")
    assert unset.code == 2
    assert "turnkey lane set agent" in unset.told()
    desk.write(provider_table("http://localhost:1/v1", "m", lanes={"agent": "anthropic/claude"}))
    hosted = desk.turnkey("ping", "--lane", "agent")
    assert hosted.code == 2
    assert "anthropic/claude" in hosted.told()
    assert "defaults.agent.model" in hosted.err


def test_a_provider_with_several_models_wants_one_named(desk: Desk) -> None:
    desk.write(provider_table("http://localhost:1/v1", "a", "b"))
    asked = desk.turnkey("ping", "--provider", "litellm")
    assert asked.code == 2
    assert "a, b" in asked.told()


def test_a_time_limit_ends_a_silent_server(desk: Desk) -> None:
    with running(good_server(["m"], key=None, extra=chatting(raw(Hang())))) as server:
        pinged = desk.turnkey(
            *("ping", "--url", server.base_url, "--model", "m", "--timeout", "0.2", "--json")
        )
    assert pinged.code == 4
    assert at(pinged.json(), "runs", 0, "error", "code") == "timeout"


def test_a_server_that_echoes_the_key_shows_a_mask(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    for route in (
        error_reply(401, f"Invalid key {KEY}", "auth_error"),
        text_reply(500, f"<h1>{KEY}</h1>", "text/html"),
        chat_reply("m", ["PONG ", KEY], thinking=["so ", KEY[:9], KEY[9:]]),
        chat_reply(KEY, ["PONG"], finish=KEY),
    ):
        with running(good_server(["m"], KEY, extra=chatting(route))) as server:
            desk.write(provider_table(server.base_url, "m"))
            desk.turnkey("keys", "rebind", "litellm")
            desk.turnkey("ping", "--provider", "litellm", "--json")
            desk.turnkey("ping", "--provider", "litellm")


def test_a_changed_base_url_is_sent_no_key(keyring_desk: Desk) -> None:
    desk = keyring_desk
    with running(good_server(["m"], KEY)) as first, running(good_server(["m"], KEY)) as second:
        desk.write(provider_table(first.base_url, "m"))
        assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
        assert desk.turnkey("ping", "--provider", "litellm").code == 0
        desk.write(provider_table(second.base_url, "m"))
        pinged = desk.turnkey("ping", "--provider", "litellm", "--json")
        assert pinged.code == 5
        assert at(pinged.json(), "runs", 0, "error", "code") == "key_bound_elsewhere"
        assert unkeyed(second)


def test_headers_of_the_file_are_sent_with_their_values_filled_in(desk: Desk) -> None:
    desk.export(WARDEN_LITELLM_API_KEY=KEY)
    more = 'headers = { X-Team = "review", X-Pass = "$WARDEN_LITELLM_API_KEY" }'
    with running(good_server(["m"], KEY)) as server:
        desk.write(provider_table(server.base_url, "m", more=more))
        assert desk.turnkey("ping", "--provider", "litellm").code == 0
        sent = server.seen("POST", "/v1/chat/completions")[0]
    assert (sent.headers["x-team"], sent.headers["x-pass"]) == ("review", KEY)


@pytest.mark.parametrize("option", ["--model", "--prompt"])
def test_a_byte_that_is_no_letter_is_told_before_anything_is_sent(desk: Desk, option: str) -> None:
    with running(good_server(["qwen3"])) as server:
        given = {"--model": "qwen3", option: "m\udcff"}
        words = [word for pair in given.items() for word in pair]
        pinged = desk.turnkey("ping", "--url", server.base_url, *words)
        assert server.requests == []
    assert pinged.code == 2
    assert "no letter" in pinged.err
