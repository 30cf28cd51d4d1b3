"""Authorised is said only where the server let the key pass, and not because a status was 200."""

from __future__ import annotations

import pytest

from core.errors import Fault
from core.live.events import Answer, Ended, Event, Failed, Finished, Headers, Served, Started
from core.live.verdict import judge

JSON = {"content-type": "application/json"}
PAGE = {"content-type": "text/html; charset=utf-8"}
STREAM = {"content-type": "text/event-stream"}


def failed(status: int, headers: dict[str, str], fault: Fault) -> list[Event]:
    return [
        Started(0.0),
        Headers(0.1, status, headers),
        Failed(0.2, fault, status),
        Ended(0.2, complete=False),
    ]


@pytest.mark.parametrize(
    ("events", "authorised"),
    [
        (failed(400, JSON, Fault("model_unknown", "no such model")), True),
        (failed(500, JSON, Fault("upstream", "the server behind is down")), True),
        (failed(502, PAGE, Fault("upstream", "a web proxy does not reach the server")), None),
        (failed(200, PAGE, Fault("bad_shape", "a login page")), None),
        (failed(200, STREAM, Fault("too_large", "an endless line")), None),
        (failed(401, JSON, Fault("key_refused", "wrong key")), False),
        ([Started(0.0), Headers(0.1, 200, STREAM), Ended(0.2, complete=False)], None),
        (
            [
                Started(0.0),
                Headers(0.1, 200, STREAM),
                Served(0.2, "m"),
                Answer(0.2, "PONG"),
                Finished(0.3, "stop"),
                Ended(0.3, complete=True),
            ],
            True,
        ),
    ],
)
def test_authorised_follows_what_the_server_said(
    events: list[Event], authorised: bool | None
) -> None:
    assert judge(events, "m", "PONG").authorised is authorised


def test_answer_without_a_model_name_is_remarked_on() -> None:
    events: list[Event] = [
        Started(0.0),
        Headers(0.1, 200, STREAM),
        Answer(0.2, "PONG"),
        Finished(0.3, "stop"),
        Ended(0.3, complete=True),
    ]
    run = judge(events, "m", "PONG")
    assert run.works is True
    assert run.has("served_model_unknown")
