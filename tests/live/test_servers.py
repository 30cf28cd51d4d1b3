"""Real llama.cpp, vLLM and LiteLLM: recognised, listed, and their facts those they were given."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest

from core.discover.discover import discover, find_servers
from core.doctor.examine import examine
from core.doctor.patient import Patient
from core.doctor.rungs import LADDER, report_text
from core.doctor.surroundings import Surroundings
from core.keys.secret import Secret
from tests.live import llama as llama_lab
from tests.live import vllm as vllm_lab
from tests.live.cli import at, empty_repository
from tests.live.lab import environment, lab_folder
from tests.live.llama import llama_server, running_llama
from tests.live.proxy import HOST, MASTER_KEY, PACKAGES, Upstream, passed_on, running_proxy
from tests.live.proxy import VERSION as LITELLM_VERSION
from tests.live.tiny_model import SAID, TEMPLATE, THINKING, TRAINED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.discover.facts import Model
    from core.doctor.rungs import Report
    from tests.live.proxy import Proxy
    from tests.live.served import Served

pytestmark = pytest.mark.live

WRONG: Final = "sk-live-not-the-key"
NOWHERE: Final = Surroundings()
"""No container, no proxy: what a report says must not depend on the machine."""
WELL: Final = {**dict.fromkeys(LADDER, "pass"), "name": "skip", "tls": "skip"}


def from_server(model: Model) -> dict[str, object]:
    """The facts that the server itself told."""
    return {name: fact.value for name, fact in model.facts.items() if fact.source == "server"}


async def report_on(url: str, key: str | None, model: str | None = None) -> Report:
    secret = None if key is None else Secret(key)
    return await examine(Patient(url=url, key=secret, model=model), NOWHERE)


def broke(report: Report) -> tuple[str, str]:
    told = report_text(report, "live")
    assert report.error is not None, told
    assert report.failed is not None, told
    return report.failed.name, report.error.code


# ---------------------------------------------------------------------------- llama.cpp


async def test_llama_is_recognised_with_what_it_was_started_with(llama: Served) -> None:
    found = await discover(llama.authority, Secret(llama.key))
    assert found.error is None
    assert found.endpoint.dialect == "llamacpp"
    assert found.endpoint.base_url == llama.base_url
    assert str(found.endpoint.version).startswith(f"b{llama_lab.BUILD}")
    (model,) = found.models
    assert (model.id, model.kind) == (llama_lab.ALIAS, "chat")
    assert from_server(model) == {
        "context_window": llama_lab.CONTEXT,
        "context_ceiling": TRAINED,
        "image_input": False,
        "tools": False,
        "reasoning": True,
        "loaded": True,
    }


async def test_llama_passes_every_rung_and_a_missing_key_breaks_at_its_own(llama: Served) -> None:
    report = await report_on(llama.authority, llama.key)
    assert {rung.name: rung.state for rung in report.rungs} == WELL, report_text(report, "live")
    assert f"«{SAID}»" in report.rungs[-1].evidence
    assert broke(await report_on(llama.authority, None)) == ("key", "key_missing")
    assert broke(await report_on(llama.authority, WRONG)) == ("key", "key_refused")
    nowhere = await report_on(f"{llama.authority}/not/here/v1", llama.key)
    assert broke(nowhere) == ("models", "path_wrong")


async def test_llama_is_found_on_this_machine_without_a_key(llama: Served) -> None:
    (found,) = await find_servers(ports=[llama.port])
    assert (found.dialect, found.base_url) == ("llamacpp", llama.base_url)
    assert found.wants_key


async def test_a_window_that_is_too_small_is_told_apart(
    tiny_model: tuple[Path, Path], tmp_path: Path
) -> None:
    program = llama_server(lab_folder(os.environ))
    wordy = "{{- '" + "so many words " * 40 + "' }}" + TEMPLATE  # a token a letter
    small = ("-c", "256", "-np", "1", "--chat-template", wordy)  # of equal options the last counts
    with running_llama(program, tiny_model[0], tmp_path, small, key="") as served:
        report = await report_on(served.authority, None)
        keyless = await find_servers(ports=[served.port])
    assert broke(report) == ("chat", "context_overflow")
    assert [found.wants_key for found in keyless] == [False]


def test_the_command_line_on_llama(llama: Served, tmp_path: Path) -> None:
    repository, key = empty_repository(tmp_path), {"GATEWAY_KEY": llama.key}
    target = ("--url", llama.authority, "--key-env", "GATEWAY_KEY", "--json")
    doctor = repository.turnkey("doctor", *target, **key)
    assert doctor.code == 0, doctor.err
    assert at(doctor.json(), "error") is None
    pinged = repository.turnkey("ping", "--model", llama_lab.ALIAS, *target, **key)
    assert pinged.code == 0, pinged.err
    run = at(pinged.json(), "runs", 0)
    assert at(run, "answer") == SAID
    assert str(at(run, "reasoning")).strip() == THINKING
    refused = repository.turnkey("doctor", *target, GATEWAY_KEY=WRONG)
    assert refused.code == 5
    assert WRONG not in refused.out + refused.err


# ---------------------------------------------------------------------------- vLLM


async def test_vllm_is_recognised_with_what_it_was_started_with(vllm: Served) -> None:
    found = await discover(vllm.authority, Secret(vllm.key))
    assert found.error is None
    assert found.endpoint.dialect == "vllm"
    assert str(found.endpoint.version).startswith(vllm_lab.VERSION)
    (model,) = found.models
    assert (model.id, model.kind) == (vllm_lab.SERVED, "chat")
    assert from_server(model)["context_window"] == vllm_lab.CONTEXT


async def test_vllm_passes_every_rung_and_a_wrong_key_breaks_at_its_own(vllm: Served) -> None:
    report = await report_on(vllm.authority, vllm.key)
    assert {rung.name: rung.state for rung in report.rungs} == WELL, report_text(report, "live")
    assert f"«{SAID}»" in report.rungs[-1].evidence
    assert broke(await report_on(vllm.authority, None)) == ("key", "key_missing")
    assert broke(await report_on(vllm.authority, WRONG)) == ("key", "key_refused")
    unknown = await report_on(vllm.authority, vllm.key, "no-such-model")
    assert broke(unknown) == ("chat", "model_unknown")


# ---------------------------------------------------------------------------- LiteLLM before them


@pytest.fixture(scope="module")
def before_llama(llama: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A LiteLLM proxy in front of llama.cpp, once rightly and three times wrongly."""
    closed = f"http://{HOST}:9/v1"  # discard: a port that nobody serves on
    entries = {
        "behind": Upstream(llama.base_url, llama.key),
        "behind-refused": Upstream(llama.base_url, WRONG),
        "behind-down": Upstream(closed, llama.key),
        "behind-nowhere": Upstream(f"{llama.base_url}/not/here", llama.key),
    }
    with environment(lab_folder(os.environ), "litellm", PACKAGES) as programs:
        folder = tmp_path_factory.mktemp("litellm-before-llama")
        given = passed_on(entries, llama_lab.ALIAS)
        with running_proxy(programs, folder, given, os.environ) as proxy:
            yield proxy


async def test_litellm_in_front_of_llama_tells_what_its_operator_said(
    before_llama: Proxy,
) -> None:
    found = await discover(before_llama.authority, Secret(MASTER_KEY))
    assert found.error is None
    assert (found.endpoint.dialect, found.endpoint.version) == ("litellm", LITELLM_VERSION)
    facts = {model.id: from_server(model) for model in found.models}
    assert sorted(facts) == ["behind", "behind-down", "behind-nowhere", "behind-refused"]
    assert facts["behind"]["context_window"] == 4_000
    assert facts["behind"]["input_cost"] == 0.25
    report = await report_on(before_llama.authority, MASTER_KEY, "behind")
    assert {rung.name: rung.state for rung in report.rungs} == WELL, report_text(report, "live")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("behind-down", "cannot reach the server behind it"),
        ("behind-refused", "refuses the proxy's own key"),
        ("behind-nowhere", "at a wrong path"),
    ],
)
async def test_what_breaks_behind_the_proxy_is_not_blamed_on_it(
    model: str, words: str, before_llama: Proxy
) -> None:
    report = await report_on(before_llama.authority, MASTER_KEY, model)
    assert broke(report) == ("chat", "upstream")
    assert report.error is not None
    assert words in report.error.what
