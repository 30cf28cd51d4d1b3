"""The way in: home, a provider, its models."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from core.discover.discover import Found
from core.discover.facts import Fact
from core.draft import silent
from core.errors import Fault
from core.live.ping import judge
from screens.add_provider import AddProviderScreen
from tests.core.export.setups import verify
from tests.screens.stage import (
    FILLED,
    KEY,
    MODELS,
    ScriptedAsker,
    Stage,
    discovery,
    draft,
    events,
    model,
    nowhere,
    stand,
    until,
    workspace,
)
from tui.widgets.elapsed import Elapsed
from tui.widgets.fault import FaultBox
from tui.widgets.found import FoundServers
from tui.widgets.model_list import ModelList
from tui.widgets.places import ToAddProvider, ToModels, ToProvider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.pilot import Pilot

    from core.discover.facts import Discovery
    from core.keys.secret import Secret
    from core.providers.base_url import BaseUrl
    from tests.screens.scenes import Before, Staged

REFUSED = Fault(
    "connection_refused",
    "Nothing answers at 127.0.0.1:4000.",
    "No program listens on that port.",
    "Start the server, or correct the address.",
)
REFUSING = msgspec.structs.replace(
    silent(draft().base), reachable=False, error=REFUSED, seconds=0.012
)
"""What is known of an endpoint where nothing answers."""
SERVERS = (
    Found("http://127.0.0.1:4000/v1", "litellm", "LiteLLM proxy", None, wants_key=True),
    Found("http://127.0.0.1:11434/v1", "ollama", "Ollama", "0.12.3", wants_key=False),
    Found("http://127.0.0.1:30000/v1", "sglang", "SGLang", "0.5.23", wants_key=False),
)
TROUBLED = """\
version = 1

[defaults]
maxTurns = 9

[defaults.agent]
model = "litellm/qwen3-coder"

[defaults.synthesis]
model = "anthropic/claude-opus-4"

[defaults.providers.litellm]
baseUrl = "http://gw.acme.lan:4000/v1"

[[defaults.providers.litellm.models]]
id = "qwen3-coder"

[defaults.providers.ollama]
baseUrl = "http://127.0.0.1:11434/v1"
"""
ALL_SET = (
    "version = 1\n"
    + "".join(
        f'\n[defaults.{lane}]\nmodel = "litellm/qwen3-coder"\n'
        for lane in ("agent", "auxiliary", "synthesis")
    )
    + """
[defaults.providers.litellm]
baseUrl = "http://127.0.0.1:4000/v1"

[[defaults.providers.litellm.models]]
id = "qwen3-coder"
contextWindow = 131072
"""
)


class Silent(ScriptedAsker):
    """An endpoint that never answers, and a machine that is never looked over."""

    async def discover(
        self, url: str | BaseUrl, key: Secret | None, headers: Mapping[str, Secret | str]
    ) -> Discovery:
        await super().discover(url, key, headers)
        await asyncio.Event().wait()
        raise AssertionError

    async def find(self) -> tuple[Found, ...]:
        await asyncio.Event().wait()
        raise AssertionError


def on(screen: str) -> Before:
    """Nothing more than the screen itself."""

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, screen)

    return before


async def told(pilot: Pilot[int]) -> None:
    """A fault stands on the screen."""
    await until(pilot, lambda: pilot.app.screen.query_one(FaultBox).has_class("-shown"))


def three_seconds(pilot: Pilot[int]) -> None:
    """What is waited for has been waited for so long, and goes on to be."""
    line = pilot.app.screen.query_one(Elapsed)
    line.clock = lambda: line.since + 3.0


# ------------------------------------------------------------------------------------------ home


async def looked(pilot: Pilot[int]) -> None:
    await stand(pilot)
    found = pilot.app.screen.query_one(FoundServers)
    await until(pilot, lambda: "…" not in str(found.query_one("#found-title").render()))


def home_empty() -> Staged:
    return Stage(workspace()), looked


def home_looking() -> Staged:
    return Stage(workspace(asker=Silent())), on("HomeScreen")


def home_found() -> Staged:
    return Stage(workspace(asker=ScriptedAsker(servers=SERVERS))), looked


def home_filled() -> Staged:
    here = workspace(ALL_SET, env={"WARDEN_LITELLM_API_KEY": KEY})
    here.state_folder = nowhere()
    verify(here, here.variant, datetime.now(UTC) - timedelta(hours=2, minutes=20))
    here.remember("litellm/qwen3-coder", draft().base, judge(events(), "qwen3-coder", "PONG"))
    return Stage(here), on("HomeScreen")


def home_problems() -> Staged:
    here = workspace(TROUBLED, env={"ANTHROPIC_API_KEY": "x"})
    here.variant = "stock"
    return Stage(here), on("HomeScreen")


def home_failed() -> Staged:
    """The last test of a lane's model gave the wrong answer."""
    here = workspace(FILLED, env={"WARDEN_LITELLM_API_KEY": KEY})
    run = judge(events(answer=("no",)), "qwen3-coder", "PONG")
    here.remember("litellm/qwen3-coder", draft().base, run)
    return Stage(here), on("HomeScreen")


# --------------------------------------------------------------------------------- add a provider


async def settled(pilot: Pilot[int]) -> None:
    screen = pilot.app.screen
    assert isinstance(screen, AddProviderScreen)
    await until(pilot, lambda: screen.settled)
    await pilot.pause()


def add_empty() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "AddProviderScreen")
        await settled(pilot)

    return Stage(workspace(), ToAddProvider()), before


def add_found() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "AddProviderScreen")
        await settled(pilot)
        await pilot.press("ctrl+f")

    env = {"VLLM_BASE_URL": "https://vllm.acme.lan/v1"}
    asker = ScriptedAsker(servers=SERVERS[:2])
    return Stage(workspace(asker=asker, env=env), ToAddProvider()), before


def add_filled() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "AddProviderScreen")
        await settled(pilot)
        await pilot.press("ctrl+f", "down", "down", "enter")
        await settled(pilot)

    return Stage(workspace(asker=ScriptedAsker(servers=SERVERS)), ToAddProvider()), before


def add_loading() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "AddProviderScreen")
        await pilot.press("tab", "tab", "tab", *KEY, "ctrl+o")
        await until(pilot, lambda: bool(asker.asked))
        three_seconds(pilot)

    asker = Silent()
    return Stage(workspace(asker=asker), ToAddProvider()), before


def add_failed() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "AddProviderScreen")
        await pilot.press("tab", "x", "tab", "tab", *KEY)
        await settled(pilot)
        await pilot.press("ctrl+o")
        await told(pilot)

    return Stage(workspace(asker=ScriptedAsker(REFUSING)), ToAddProvider()), before


# -------------------------------------------------------------------------------------- provider


def provider_empty() -> Staged:
    bare = 'version = 1\n\n[defaults.providers.gw]\nbaseUrl = ""\n'
    return Stage(workspace(bare), ToProvider("gw")), on("ProviderScreen")


def provider_filled() -> Staged:
    return Stage(workspace(FILLED), ToProvider("litellm")), on("ProviderScreen")


def provider_failed() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ProviderScreen")
        await pilot.press("/", "x", "enter")
        await told(pilot)

    return Stage(workspace(FILLED), ToProvider("litellm")), before


# ---------------------------------------------------------------------------------------- models


def models_empty() -> Staged:
    return Stage(workspace(), ToModels(draft=draft(discovery(())))), on("ModelsScreen")


def models_loading() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ModelsScreen")
        await until(pilot, lambda: bool(asker.asked))
        three_seconds(pilot)

    asker = Silent()
    return Stage(workspace(FILLED, asker=asker), ToModels(name="litellm")), before


def models_filled() -> Staged:
    """More warnings than lines for them, and a model with facts of every source."""

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ModelsScreen")
        await pilot.press("space")

    told_by = {
        "context_window": Fact(4096, "server", "the smallest of 2 deployments"),
        "context_ceiling": Fact(131_072, "server"),
        "reasoning": Fact(True, "pattern", "judged by its name"),
        "input_cost": Fact(0.25, "catalogue"),
        "upstream": Fact("hosted_vllm/qwen3, openai/x", "server", "2 deployments behind one name"),
    }
    mixed = msgspec.structs.replace(MODELS[0], facts=told_by)
    warnings = tuple(
        Fault("model_unknown", f"The entry «p{n}/*» serves any name under it.") for n in range(6)
    )
    found = msgspec.structs.replace(discovery((mixed, *MODELS[1:])), warnings=warnings)
    return Stage(workspace(), ToModels(draft=draft(found))), before


def models_filtered() -> Staged:
    """Thousands, of which a few letters leave hundreds."""

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ModelsScreen")
        await pilot.press("slash", *"qwen 7", "enter", "space", "down", "space")

    kinds = ("qwen3", "llama-4", "mistral", "gemma-3")
    many = tuple(
        model(f"acme/{kinds[n % 4]}-{n:04d}", context_window=32_768 * (1 + n % 4), tools=n % 3 > 0)
        for n in range(4000)
    )
    return Stage(workspace(), ToModels(draft=draft(discovery(many)))), before


def models_failed() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ModelsScreen")
        await told(pilot)
        await until(pilot, lambda: pilot.app.screen.query_one(ModelList).shown > 0)

    here = workspace(FILLED, asker=ScriptedAsker(REFUSING))
    return Stage(here, ToModels(name="litellm")), before
