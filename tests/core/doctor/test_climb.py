"""What holds when nothing is broken: each rung once and in order, which model is asked, the end."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final

import pytest
import trustme

from core.doctor.examine import examine
from core.doctor.patient import Patient
from core.doctor.rungs import LADDER
from core.doctor.surroundings import Surroundings
from core.keys.secret import Secret
from core.wire.network import Network
from tests.servers.scripted import (
    Hang,
    Routes,
    ScriptedProvider,
    chat_reply,
    good_server,
    json_reply,
    models_reply,
    piece,
    raw,
    sse_reply,
    text_reply,
)

if TYPE_CHECKING:
    from pathlib import Path

KEY: Final = "sk-canary-doctor-0453"
PLAIN: Final = Surroundings()
MODELS: Final = ("GET", "/v1/models")
CHAT: Final = ("POST", "/v1/chat/completions")


async def test_an_endpoint_that_works_passes_every_rung_and_tells_each_once_in_order() -> None:
    told: list[str] = []
    async with good_server(["good-model"], KEY) as server:
        report = await examine(
            Patient(url=server.base_url, key=Secret(KEY), key_from="$LITELLM_API_KEY"),
            PLAIN,
            on_rung=lambda rung: told.append(rung.name),
        )
    assert report.error is None
    states = {rung.name: rung.state for rung in report.rungs}
    assert states == {**dict.fromkeys(LADDER, "pass"), "name": "skip", "tls": "skip"}
    assert told == list(LADDER)
    assert report.target.model == "good-model"
    evidence = {rung.name: rung.evidence for rung in report.rungs}
    assert evidence["server"] == "LiteLLM proxy"
    assert evidence["key"] == "the key ($LITELLM_API_KEY) is taken; without it came 401"
    assert evidence["models"] == "1 model"
    assert evidence["stream"].startswith("«PONG», first token after")
    assert all((rung.seconds is None) is (rung.state == "skip") for rung in report.rungs)


async def test_the_key_goes_with_no_request_before_its_rung() -> None:
    async with good_server(["good-model"], KEY) as server:
        await examine(Patient(url=server.base_url, key=Secret(KEY)), PLAIN)
        assert server.requests[0].path == "/v1/models"
        assert "authorization" not in server.requests[0].headers
        assert len(server.seen(*CHAT)) == 1


async def test_the_name_and_the_certificate_are_rungs_of_their_own(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = good_server(["good-model"], KEY)
    server.tls = context
    trusting = Surroundings(network=Network(ca_file=str(tmp_path / "ca.pem")), own_ca=True)
    async with server:
        url = f"https://localhost:{server.port}/v1"
        report = await examine(Patient(url=url, key=Secret(KEY)), trusting)
    assert report.error is None
    rungs = {rung.name: rung for rung in report.rungs}
    assert rungs["name"].state == "pass"
    assert "127.0.0.1" in rungs["name"].evidence
    assert rungs["tls"].state == "pass"
    assert rungs["tls"].seconds is not None
    assert "NODE_EXTRA_CA_CERTS" in rungs["tls"].evidence


async def test_a_typed_address_may_turn_out_to_be_a_near_one() -> None:
    routes: Routes = {
        ("GET", "/models"): models_reply(["good-model"]),
        ("POST", "/chat/completions"): chat_reply("good-model"),
    }
    async with ScriptedProvider(routes) as server:
        report = await examine(Patient(url=f"127.0.0.1:{server.port}"), PLAIN)
    assert report.error is None
    models = next(rung for rung in report.rungs if rung.name == "models")
    assert f"▲ at http://127.0.0.1:{server.port}: use that" in models.evidence


async def test_without_a_chat_model_the_last_two_rungs_are_left_out() -> None:
    async with ScriptedProvider({MODELS: models_reply([])}) as server:
        report = await examine(Patient(url=server.base_url), PLAIN)
    assert report.error is None
    last = [(rung.name, rung.state) for rung in report.rungs[-2:]]
    assert last == [("chat", "skip"), ("stream", "skip")]


async def test_a_declared_model_is_asked_before_one_that_is_only_listed() -> None:
    async with good_server(["first", "second"], None) as server:
        report = await examine(Patient(url=server.base_url, declared=("second",)), PLAIN)
        assert [one.field("model") for one in server.seen(*CHAT)] == ["second"]
    assert report.target.model == "second"


async def test_a_declared_model_is_asked_though_it_is_not_listed() -> None:
    async with good_server(["first"], None) as server:
        report = await examine(Patient(url=server.base_url, declared=("gone",)), PLAIN)
        assert [one.field("model") for one in server.seen(*CHAT)] == ["gone"]
    assert report.error is not None
    assert report.error.code == "model_unknown"


@pytest.mark.parametrize(
    ("ids", "declared", "asked", "posted"),
    [
        (["a:1b-cloud", "q:4b"], (), None, ["q:4b"]),
        (["a:1b-cloud"], (), None, []),
        (["a:1b-cloud", "q:4b"], ("a:1b-cloud", "q:4b"), None, ["q:4b"]),
        (["a:1b-cloud", "q:4b"], ("a:1b-cloud",), None, []),
        (["q:4b"], ("gone:cloud",), None, []),
        (["a:1b-cloud", "q:4b"], (), "a:1b-cloud", ["a:1b-cloud"]),
    ],
)
async def test_nothing_is_sent_to_a_model_elsewhere_unless_it_is_named(
    ids: list[str], declared: tuple[str, ...], asked: str | None, posted: list[str]
) -> None:
    tags = [{"name": one, **({"remote_model": "a"} if "cloud" in one else {})} for one in ids]
    routes: Routes = {
        MODELS: models_reply([{"id": one} for one in ids]),
        ("GET", "/"): text_reply(200, "Ollama is running"),
        ("GET", "/api/tags"): json_reply(200, {"models": tags}),
        ("POST", "/api/show"): json_reply(200, {"capabilities": ["completion"]}),
        CHAT: chat_reply(posted[0] if posted else "none"),
    }
    async with ScriptedProvider(routes) as server:
        patient = Patient(url=server.base_url, model=asked, declared=declared)
        report = await examine(patient, PLAIN)
        assert [one.field("model") for one in server.seen(*CHAT)] == posted
    assert report.error is None
    chat = next(rung for rung in report.rungs if rung.name == "chat")
    assert chat.state == ("pass" if posted else "skip")
    assert posted or "nothing was sent: «" in chat.evidence


async def test_a_server_that_lists_all_it_has_and_has_no_model_is_not_well() -> None:
    async with good_server([], KEY) as server:
        report = await examine(Patient(url=server.base_url, key=Secret(KEY)), PLAIN)
        named = await examine(Patient(url=server.base_url, key=Secret(KEY), model="m"), PLAIN)
        assert [one.field("model") for one in server.seen(*CHAT)] == ["m"]
    assert report.error is not None
    assert report.failed is not None
    assert (report.failed.name, report.error.code) == ("chat", "model_unknown")
    assert "lists no model that can chat" in report.error.what
    assert named.target.model == "m"


@pytest.mark.parametrize(
    ("deltas", "state", "code"),
    [
        ([{"reasoning_content": "hm"}], "skip", None),
        ([], "fail", "empty_answer"),
    ],
)
async def test_an_answer_that_the_limit_cut_off_before_it_began_is_no_pass(
    deltas: list[dict[str, str]], state: str, code: str | None
) -> None:
    cut = sse_reply([*(piece("good-model", one) for one in deltas),
                     piece("good-model", {}, "length")])  # fmt: skip
    async with good_server(["good-model"], KEY, extra={CHAT: cut}) as server:
        report = await examine(Patient(url=server.base_url, key=Secret(KEY)), PLAIN)
    assert report.rungs[-1].state == state
    assert (report.error.code if report.error else None) == code
    assert [rung.name for rung in report.undecided] == ([] if code else ["stream"])


async def test_cancelling_hangs_up() -> None:
    async with ScriptedProvider({}, default=raw(Hang())) as server:
        task = asyncio.create_task(examine(Patient(url=server.base_url), PLAIN))
        await server.until(lambda one: bool(one.requests))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.until(lambda one: one.hang_ups == 1)
