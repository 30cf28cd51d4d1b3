"""A watched request as a shell command: it runs, and no key is in it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys.secret import MASK
from core.live.curl import curl_command
from core.live.watching import Exchange

if TYPE_CHECKING:
    from pathlib import Path

HEADERS = (
    ("host", "gw.acme.lan"),
    ("content-type", "application/json"),
    ("user-agent", "turnkey/1"),
    ("authorization", MASK),
)


def sent(
    body: str = '{\n  "model": "m"\n}', headers: tuple[tuple[str, str], ...] = HEADERS
) -> Exchange:
    return Exchange(
        url="https://gw.acme.lan/v1/chat/completions", request_headers=headers, body=body
    )


def words(command: str, env: dict[str, str], folder: Path | str = "/tmp") -> list[str]:
    """The words that curl would get from a shell."""
    told = "curl() { for word; do printf '%s\\0' \"$word\"; done; }\n" + command
    done = subprocess.run(
        ["/bin/sh", "-c", told], env=env, cwd=folder, capture_output=True, check=True
    )
    assert done.stderr == b""
    return done.stdout.decode().split("\0")[:-1]


def test_nothing_sent_is_nothing_to_copy() -> None:
    assert curl_command(Exchange(), "X") == ""


def test_the_key_is_a_variable_and_the_headers_of_the_connection_are_left_to_curl() -> None:
    command = curl_command(sent(), "WARDEN_LITELLM_API_KEY")
    assert '"$WARDEN_LITELLM_API_KEY"' in command
    assert MASK not in command
    found = words(command, {"WARDEN_LITELLM_API_KEY": "sk-1 $(x)`'\""})
    assert found == [
        "-sS",
        "-N",
        "https://gw.acme.lan/v1/chat/completions",
        "-H",
        "content-type: application/json",
        "-H",
        "authorization: Bearer sk-1 $(x)`'\"",
        "--data-raw",
        '{"model":"m"}',
    ]


@pytest.mark.parametrize(
    ("headers", "declared", "expected"),
    [
        ((("x-api-key", MASK),), {}, "x-api-key: k"),
        ((("X-Team", MASK),), {"x-team": "team $TEAM$$"}, "X-Team: team blue$"),
        ((("X-Team", MASK),), {"x-team": "${TEAM}'s"}, "X-Team: blue's"),
        ((("X-Other", MASK),), {}, "X-Other: other"),
        ((("X-Plain", "a'b $HOME"),), {}, "X-Plain: a'b $HOME"),
        ((("X-Command", MASK),), {"x-command": "!cat secret"}, "X-Command: run"),
    ],
    ids=["api key", "variable", "braces", "unknown", "plain", "command"],
)
def test_every_header_reaches_curl_as_it_was_sent(
    headers: tuple[tuple[str, str], ...], declared: dict[str, str], expected: str
) -> None:
    command = curl_command(sent(headers=headers), "KEY", headers=declared)
    env = {"KEY": "k", "TEAM": "blue", "X_OTHER": "other", "X_COMMAND": "run"}
    assert words(command, env)[4] == expected
    assert MASK not in command


@pytest.mark.parametrize(
    ("variable", "placeholder", "expected"),
    [
        ("a b;rm", None, '"$API_KEY"'),
        (None, None, '"$API_KEY"'),
        ("KEY", "turnkey-no-key", "'authorization: Bearer turnkey-no-key'"),
    ],
)
def test_what_is_no_variable_is_not_written_as_one(
    variable: str | None, placeholder: str | None, expected: str
) -> None:
    assert expected in curl_command(sent(), variable, placeholder=placeholder)


def test_this_machine_is_asked_past_every_proxy() -> None:
    assert "--noproxy '*'" in curl_command(sent(), "K", direct=True)
    assert "--noproxy" not in curl_command(sent(), "K")


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")))
def test_any_prompt_arrives_as_it_was(text: str) -> None:
    body = json.dumps({"model": "m", "prompt": text}, indent=2, ensure_ascii=False)
    found = words(curl_command(sent(body), "K"), {"K": "k"})
    assert json.loads(found[-1]) == {"model": "m", "prompt": text}
