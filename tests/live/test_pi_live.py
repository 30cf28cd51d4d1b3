"""What ``export pi`` writes, read by real Pi: it loads, prompts and calls tools with it.

Each flag that differs from Pi's own choice was found by the probes, and is needed: with Pi's own
choice in its place the same Pi fails at the same server.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from core.export.facts import described
from core.export.gather import gather
from core.export.jsonc import parse
from core.export.make import make_export
from core.export.setup import refuse_unverified
from core.export.write import write_export
from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.verify.bench import Bench
from core.verify.compat import detected
from core.verify.exchange import HttpLine
from core.verify.probe import run_probe
from core.verify.registry import compat_probes
from core.verify.verdict import Subject
from core.wire.bounds import Bounds
from core.wire.client import open_client
from tests.core.desk import workspace_at
from tests.core.export.setups import verify
from tests.core.verify.habits import effort_means
from tests.live.lab import lab_folder
from tests.live.pi import NEW, OLD, NoNpmError, installed_pis
from tests.live.proxy import MASTER_KEY
from tests.servers.fake_model import FakeModel, fake_server, has, messages
from tests.servers.scripted import running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.verify.verdict import Verdict
    from core.workspace import Workspace
    from tests.live.pi import Pi
    from tests.live.proxy import Proxy
    from tests.servers.fake_model import Body

pytestmark = pytest.mark.live

BOUNDS: Final = Bounds(connect_s=5, first_byte_s=30, silence_s=15)
ENV: Final = {"LITELLM_API_KEY": MASTER_KEY}
SECRET_WORD: Final = "BUTTERNUT"


@pytest.fixture(scope="module")
def pis() -> dict[str, Pi]:
    """Both versions of Pi."""
    try:
        return installed_pis(lab_folder(os.environ))
    except NoNpmError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def through_proxy(litellm: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Pi folder for a model that thinks and calls tools, behind a real LiteLLM."""
    folder = tmp_path_factory.mktemp("through-proxy")
    return exported(folder, litellm.base_url, "demo-thinker", reasoning=True)


def exported(folder: Path, base_url: str, model: str, *, reasoning: bool = False) -> Path:
    """A verified setup's ``models.json`` in a Pi folder of its own; the probes are really asked."""
    lanes = "".join(
        f'[defaults.{lane}]\nmodel = "litellm/{model}"\n'
        for lane in ("agent", "auxiliary", "synthesis")
    )
    table = f'[defaults.providers.litellm]\nbaseUrl = "{base_url}"\n'
    entry = f'[[defaults.providers.litellm.models]]\nid = "{model}"\nreasoning = '
    text = f"version = 1\n{lanes}{table}{entry}{str(reasoning).lower()}\n"
    workspace = workspace_at(folder, text, state=folder / "state", env=dict(ENV), variant="stock")
    verdicts = asyncio.run(probed(workspace))
    verify(workspace, "stock", datetime.now(UTC), *verdicts)
    setup = gather(workspace, "pi")
    refuse_unverified(setup, unverified=False)
    made = make_export(setup, "pi", document=workspace.document)
    agent = folder / "agent"
    agent.mkdir()
    # no second try: a failure is what is looked for
    (agent / "settings.json").write_text('{"retry": {"enabled": false}}')
    write_export(setup, "pi", made, agent / "models.json", document=workspace.document)
    assert MASTER_KEY not in (agent / "models.json").read_text()
    return agent


async def probed(workspace: Workspace) -> list[Verdict]:
    """Every compatibility probe's verdict of the workspace's only model."""
    provider = workspace.providers[0]
    model = provider.models[0]
    base, key = read_base_url(provider.base_url, exact=True), Secret(MASTER_KEY)
    subject = Subject(
        provider.name, model.id, variant="stock", facts=described(model), base_url=base.url
    )
    async with open_client(base, BOUNDS, key=key) as client:
        line = HttpLine(client, base, BOUNDS, key)
        bench = Bench(line, subject)
        asked = (run_probe(one, subject, line, bench=bench) for one in compat_probes())
        return await asyncio.gather(*asked)


def compat_in(agent: Path) -> dict[str, object]:
    """The flags of the only model in a Pi folder."""
    data = parse((agent / "models.json").read_text()).data()
    assert isinstance(data, dict)
    found: dict[str, object] = data["providers"]["litellm"]["models"][0]["compat"]
    return found


def with_flags(agent: Path, flags: dict[str, object]) -> None:
    """The same Pi folder with these flags instead."""
    data = parse((agent / "models.json").read_text()).data()
    assert isinstance(data, dict)
    data["providers"]["litellm"]["models"][0]["compat"] = flags
    (agent / "models.json").write_text(json.dumps(data))


@pytest.mark.parametrize("version", [NEW, OLD])
def test_pi_prompts_and_calls_a_tool_through_a_real_proxy(
    pis: dict[str, Pi], through_proxy: Path, tmp_path: Path, version: str
) -> None:
    pi, agent = pis[version], through_proxy
    listed = pi.run(agent, tmp_path, "--list-models", env=ENV)
    rows = [line.split()[:2] for line in (listed.stdout + listed.stderr).splitlines()]
    assert ["litellm", "demo-thinker"] in rows
    assert "arning" not in listed.stderr
    assert not pi.run(agent, tmp_path, "--list-models").stdout.count("demo-thinker")

    said = pi.ask(agent, tmp_path, "litellm/demo-thinker", "Reply with one word: PONG", env=ENV)
    assert said.returncode == 0, said.stderr
    assert "PONG" in said.stdout
    assert "custom model id" not in said.stdout + said.stderr

    (tmp_path / "notes.md").write_text(f"# Notes\n\nThe password of the day is {SECRET_WORD}.\n")
    prompt = "Read the file notes.md and tell me the password of the day."
    told = pi.ask(agent, tmp_path, "litellm/demo-thinker", prompt, env=ENV)
    assert told.returncode == 0, told.stderr
    assert SECRET_WORD in told.stdout


def calls_once(body: Body) -> str:
    """One call of a tool, and an answer when its result has come."""
    last = messages(body)[-1]
    wanted = "read the file" in str(last.get("content")).lower()
    return "call" if body.get("tools") and (wanted or last.get("content") is None) else ""


def says_developer(body: Body) -> bool:
    """A message has the role that only newer servers know."""
    return any(one.get("role") == "developer" for one in messages(body))


def nameless_result(body: Body) -> bool:
    """A tool's result does not say which tool."""
    return any(one.get("role") == "tool" and not one.get("name") for one in messages(body))


@dataclass(frozen=True, slots=True)
class Case:
    """A server at which Pi's own choice fails, and what the export must say instead."""

    refuses: dict[str, Callable[[Body], bool]]
    flags: dict[str, object]
    thinks: bool = False
    finish: bool = True
    prompt: str = "Reply with exactly one word: PONG"


CASES: Final = {
    "good": Case({}, {}),
    "store": Case(
        {"store: Extra inputs are not permitted": has("store")}, {"supportsStore": False}
    ),
    "cap": Case(
        {
            "Unrecognized request argument supplied: max_completion_tokens": has(
                "max_completion_tokens"
            )
        },
        {"maxTokensField": "max_tokens"},
    ),
    "usage": Case(
        {"stream_options: Extra inputs are not permitted": has("stream_options")},
        {"supportsUsageInStreaming": False},
    ),
    "developer": Case(
        {"Unexpected message role.": says_developer}, {"supportsDeveloperRole": False}, thinks=True
    ),
    "effort": Case(
        {"reasoning_effort: Extra inputs are not permitted": has("reasoning_effort")},
        {"supportsReasoningEffort": False},
        thinks=True,
    ),
    "finish": Case({}, {"supportsFinishReason": False}, finish=False),
    "result-name": Case(
        {"messages: tool: name: Field required": nameless_result},
        {"requiresToolResultName": True},
        prompt="Read the file README.md",
    ),
    "three": Case(
        {
            "store: Extra inputs are not permitted": has("store"),
            "Unexpected message role.": says_developer,
            "max_completion_tokens is not supported": has("max_completion_tokens"),
        },
        {
            "supportsStore": False,
            "supportsDeveloperRole": False,
            "maxTokensField": "max_tokens",
        },
        thinks=True,
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_where_pis_choice_fails_the_export_works_and_every_flag_was_needed(
    pis: dict[str, Pi], tmp_path: Path, name: str
) -> None:
    case, pi = CASES[name], pis[NEW]
    (tmp_path / "README.md").write_text("Nothing much.\n")
    model = FakeModel(
        refuses=case.refuses,
        thinks=effort_means if case.thinks else lambda _: 0,
        finish=lambda _, usual: usual if case.finish else None,
        calls=calls_once,
    )

    def works() -> bool:
        done = pi.ask(agent, tmp_path, "litellm/m", case.prompt, env=ENV)
        return done.returncode == 0 and bool(done.stdout.strip())

    with running(fake_server(model)) as server:
        agent = exported(tmp_path, server.base_url, "m", reasoning=case.thinks)
        written = compat_in(agent)
        default = detected("litellm", server.base_url, "m").written()
        different = {flag: value for flag, value in written.items() if default[flag] != value}
        assert different == case.flags
        assert works()
        for flag in different:
            with_flags(agent, {**written, flag: default[flag]})
            assert not works(), f"{flag} was not needed"
        if different:
            with_flags(agent, {})
            assert not works()
