"""The main job through the command line, against a real LiteLLM proxy and the demo provider."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from tests.live import keeper
from tests.live.cli import PROGRAM, Repository, at, empty_repository, scratch_environment
from tests.live.proxy import HOST, MASTER_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.proxy import Proxy

pytestmark = pytest.mark.live

VARIABLE: Final = "WARDEN_LITELLM_API_KEY"
EMPTY: Final = "version = 1\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return empty_repository(tmp_path)


def fact(value: object, name: str) -> tuple[object, object]:
    return at(value, name, "value"), at(value, name, "source")


def test_an_empty_folder_becomes_a_tested_warden_toml(
    litellm: Proxy, repository: Repository
) -> None:
    key = {VARIABLE: MASTER_KEY}

    listed = repository.turnkey(
        "models", "--url", litellm.authority, "--key-env", VARIABLE, "--json", **key
    )
    assert listed.code == 0, listed.err
    answer = listed.json()
    assert answer["error"] is None
    assert at(answer, "endpoint", "dialect") == "litellm"
    assert at(answer, "endpoint", "base_url") == litellm.base_url
    rows = at(answer, "models")
    assert isinstance(rows, list)
    facts = {str(at(row, "id")): at(row, "facts") for row in rows}
    assert list(facts) == ["mock-openai", "mock-own", "mock-off-topic", "demo-thinker"]
    assert fact(facts["mock-openai"], "context_window") == (128_000, "server")
    assert fact(facts["mock-openai"], "max_output_tokens") == (16_384, "server")
    assert fact(facts["mock-openai"], "image_input") == (True, "server")
    assert fact(facts["mock-openai"], "input_cost") == (0.15, "server")
    assert fact(facts["mock-openai"], "output_cost") == (0.6, "server")
    assert fact(facts["mock-own"], "reasoning") == (True, "server")
    assert "context_window" not in msgspec.convert(facts["mock-off-topic"], dict[str, object])
    assert not repository.file.exists()

    added = repository.turnkey(
        *("provider", "add", "litellm", "--url", litellm.authority),
        *("--model", "mock-openai", "--model", "mock-own", "--model", "demo-thinker"),
        **key,
    )
    assert added.code == 0, added.err
    chosen = repository.turnkey("lane", "set", "all", "litellm/mock-openai", **key)
    assert chosen.code == 0, chosen.err
    assert tomllib.loads(repository.file.read_text(encoding="utf-8")) == {
        "version": 1,
        "defaults": {
            "agent": {"model": "litellm/mock-openai"},
            "auxiliary": {"model": "litellm/mock-openai"},
            "synthesis": {"model": "litellm/mock-openai"},
            "providers": {
                "litellm": {
                    "baseUrl": litellm.base_url,
                    "models": [
                        {
                            "id": "mock-openai",
                            "input": ["text", "image"],
                            "contextWindow": 128_000,
                            "maxTokens": 16_384,
                            "cost": {
                                "input": 0.15,
                                "output": 0.6,
                                "cacheRead": 0.075,
                                "cacheWrite": 0,
                            },
                        },
                        {
                            "id": "mock-own",
                            "reasoning": True,
                            "contextWindow": 40_960,
                            "maxTokens": 8_192,
                            "cost": {
                                "input": 0.15,
                                "output": 0.6,
                                "cacheRead": 0,
                                "cacheWrite": 0,
                            },
                        },
                        {
                            "id": "demo-thinker",
                            "reasoning": True,
                            "contextWindow": 131_072,
                            "maxTokens": 32_768,
                        },
                    ],
                }
            },
        },
    }

    lanes = repository.turnkey("lanes", "--json", **key).json()
    for lane in ("agent", "auxiliary", "synthesis"):
        assert at(lanes, "lanes", lane, "selector") == "litellm/mock-openai"
        assert at(lanes, "lanes", lane, "provider") == "litellm"
        assert at(lanes, "lanes", lane, "won_by") == f"defaults.{lane}.model"
    assert lanes["escapes"] == []

    sources = repository.turnkey("keys", "source", "--json", **key)
    source = at(sources.json(), "keys", 0)
    assert at(source, "provider") == "litellm"
    assert at(source, "variable") == VARIABLE
    assert at(source, "origin") == litellm.origin
    assert at(source, "source") == "environment"
    assert at(source, "preflight") is True

    pinged = repository.turnkey("ping", "--lane", "agent", "--json", **key)
    assert pinged.code == 0, pinged.err
    run = at(pinged.json(), "runs", 0)
    assert at(run, "answer") == "PONG from mock"
    assert (at(run, "reachable"), at(run, "authorised"), at(run, "works")) == (True, True, True)
    assert at(run, "ok") is True
    assert at(run, "error") is None

    names = repository.turnkey("env", "--names", **key)
    assert names.out == f"{VARIABLE}\n"
    seen = repository.turnkey(
        *("run", "--", sys.executable, "-c", f"import os; print(os.environ[{VARIABLE!r}])"), **key
    )
    assert seen.code == 0, seen.err
    assert seen.out == f"{MASTER_KEY}\n"
    assert MASTER_KEY not in "".join(
        each.out + each.err for each in (listed, added, chosen, sources, pinged, names)
    )
    assert sorted(path.name for path in repository.folder.iterdir()) == [".git", "warden.toml"]


def test_thinking_comes_through_the_proxy_apart_from_the_answer(
    litellm: Proxy, repository: Repository
) -> None:
    pinged = repository.turnkey(
        *("ping", "--url", litellm.authority, "--model", "demo-thinker"),
        *("--key-env", VARIABLE, "--json"),
        **{VARIABLE: MASTER_KEY},
    )
    assert pinged.code == 0, pinged.err
    run = at(pinged.json(), "runs", 0)
    assert at(run, "answer") == "PONG"
    assert len(str(at(run, "reasoning")).split()) > 10
    assert at(run, "counts_from") in {"usage", "running"}
    thinking, answer = (at(run, "figures", f"{part}_tokens") for part in ("thinking", "answer"))
    assert isinstance(thinking, int)
    assert thinking > 10
    assert answer == 1
    first, begun = (at(run, "figures", f"first_{part}_s") for part in ("token", "answer"))
    assert isinstance(first, float)
    assert isinstance(begun, float)
    assert first < begun


def test_a_model_that_answers_something_else_is_reached_and_does_not_work(
    litellm: Proxy, repository: Repository
) -> None:
    pinged = repository.turnkey(
        *("ping", "--url", litellm.authority, "--model", "mock-off-topic"),
        *("--key-env", VARIABLE, "--json"),
        **{VARIABLE: MASTER_KEY},
    )
    assert pinged.code == 4, pinged.err
    run = at(pinged.json(), "runs", 0)
    assert (at(run, "reachable"), at(run, "authorised"), at(run, "works")) == (True, True, False)
    assert at(run, "answer") == "Good morning."


def test_without_a_model_the_ids_are_named_and_nothing_is_written(
    litellm: Proxy, repository: Repository
) -> None:
    added = repository.turnkey(
        "provider", "add", "litellm", "--url", litellm.authority, **{VARIABLE: MASTER_KEY}
    )
    assert added.code == 2
    assert "mock-openai" in added.err
    assert "mock-own" in added.err
    assert not repository.file.exists()


# ---------------------------------------------------------------------------- five failures


class Endpoint(msgspec.Struct, frozen=True):
    """A server that works, to be asked wrongly."""

    base_url: str
    key: str
    model: str


@pytest.fixture(scope="module")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """``turnkey demo-server`` as a process."""
    home = tmp_path_factory.mktemp("demo-home")
    server = subprocess.Popen(
        [sys.executable, keeper.__file__, PROGRAM, "demo-server"],
        env=scratch_environment(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    with server, contextlib.closing(server.stdin):
        line = msgspec.json.decode(server.stdout.readline(), type=dict[str, str])
        yield Endpoint(line["base_url"], line["key"], "demo-plain")


@pytest.fixture(params=["litellm", "demo"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    """The real proxy, and the demo."""
    if request.param == "demo":
        found: Endpoint = request.getfixturevalue("demo_server")
        return found
    proxy: Proxy = request.getfixturevalue("litellm")
    return Endpoint(proxy.base_url, MASTER_KEY, "mock-openai")


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of loopback that is taken and where nothing listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind((HOST, 0))
        yield taken.getsockname()[1]


class Failure(msgspec.Struct, frozen=True):
    """What a failed ping must say."""

    code: str
    exit: int
    reachable: bool | None
    authorised: bool | None


FAILURES: Final = {
    "wrong key": Failure("key_refused", 5, reachable=True, authorised=False),
    "unknown model": Failure("model_unknown", 4, reachable=True, authorised=True),
    "closed port": Failure("connection_refused", 4, reachable=False, authorised=None),
    "wrong path": Failure("path_wrong", 4, reachable=True, authorised=None),
    "no such host": Failure("name_unresolved", 4, reachable=False, authorised=None),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_five_failures_are_told_apart(
    failure: str, endpoint: Endpoint, closed_port: int, repository: Repository
) -> None:
    url, key, model = endpoint.base_url, endpoint.key, endpoint.model
    match failure:
        case "wrong key":
            key = "sk-this-is-not-the-key"
        case "unknown model":
            model = "no-such-model"
        case "closed port":
            url = f"http://{HOST}:{closed_port}/v1"
        case "wrong path":
            url = url.removesuffix("/v1") + "/not/here/v1"
        case "no such host":
            url = "http://litellm.invalid:4000/v1"
    want = FAILURES[failure]

    pinged = repository.turnkey(
        *("ping", "--url", url, "--model", model, "--key-env", VARIABLE, "--json"),
        **{VARIABLE: key},
    )

    assert pinged.code == want.exit, pinged.err
    assert "Traceback" not in pinged.err
    run = at(pinged.json(), "runs", 0)
    assert at(run, "error", "code") == want.code
    for part in ("what", "why", "fix"):
        words = at(run, "error", part)
        assert isinstance(words, str)
        assert words.strip()
        assert key not in words
    assert at(run, "reachable") is want.reachable
    assert at(run, "authorised") is want.authorised
    assert at(run, "works") is not True
    assert at(run, "ok") is False
    assert key not in pinged.err


@pytest.mark.parametrize("failure", ["wrong key", "unknown model"])
def test_the_same_words_stand_on_stderr_for_people(
    failure: str, endpoint: Endpoint, repository: Repository
) -> None:
    wrong_key = failure == "wrong key"
    pinged = repository.turnkey(
        *("ping", "--url", endpoint.base_url, "--key-env", VARIABLE),
        *("--model", endpoint.model if wrong_key else "no-such-model"),
        **{VARIABLE: "sk-this-is-not-the-key" if wrong_key else endpoint.key},
    )
    assert pinged.code == FAILURES[failure].exit
    for part in ("error: ", "why: ", "fix: "):
        assert part in pinged.err
