"""Pictures of every screen, empty and filled, at 80x24 and 120x40."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from core.discover.discover import Found
from core.doctor.patient import Patient
from core.errors import Fault
from core.keys.backends import Surroundings
from core.keys.index import KeyIndex
from core.keys.secret import Secret
from core.keys.vault import Vault
from core.warden.edits import set_lane
from screens.add_provider import AddProviderScreen
from screens.keys import KeysScreen
from screens.live import LiveScreen
from screens.unreadable import UnreadableScreen
from tests.core.keys.fakes import Works
from tests.screens.stage import (
    FILLED,
    KEY,
    ScriptedAsker,
    Stage,
    arrive,
    discovery,
    draft,
    nowhere,
    report,
    stand,
    still,
    until,
    workspace,
)
from tui.widgets.fault import FaultBox
from tui.widgets.places import (
    ToAddProvider,
    ToCheck,
    ToDoctor,
    ToKeys,
    ToLanes,
    ToLive,
    ToModels,
    ToProvider,
    ToSave,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.app import App
    from textual.pilot import Pilot

    Scene = tuple[Stage, Callable[[Pilot[int]], Awaitable[None]]]


class SnapCompare(Protocol):
    """The fixture of pytest-textual-snapshot."""

    def __call__(
        self,
        app: App[int],
        *,
        terminal_size: tuple[int, int],
        run_before: Callable[[Pilot[int]], Awaitable[None]],
    ) -> bool:
        """Compare the picture of ``app`` with the one on record."""
        ...


REFUSED = Fault(
    "connection_refused",
    "Nothing answers at 127.0.0.1:4000.",
    "No program listens on that port.",
    "Start the server, or correct the address.",
)


def home_empty() -> Scene:
    return Stage(workspace()), stand


def home_filled() -> Scene:
    return Stage(workspace(FILLED, env={"ANTHROPIC_API_KEY": "x"})), stand


def add_empty() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "AddProviderScreen")
        await wait_for_place(pilot)

    return Stage(workspace(), ToAddProvider()), before


def add_failed() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "AddProviderScreen")
        await pilot.press("tab", "x", "tab", "tab", *KEY)
        await wait_for_place(pilot)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: pilot.app.screen.query_one(FaultBox).has_class("-shown"))
        await pilot.pause()

    failed = discovery((), REFUSED)
    return Stage(workspace(asker=ScriptedAsker(failed)), ToAddProvider()), before


async def wait_for_place(pilot: Pilot[int]) -> None:
    screen = pilot.app.screen
    assert isinstance(screen, AddProviderScreen)
    await until(pilot, lambda: screen.settled)
    await pilot.pause()


def add_found() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "AddProviderScreen")
        await wait_for_place(pilot)
        await pilot.press("ctrl+f")
        await pilot.pause()

    servers = (
        Found("http://127.0.0.1:4000/v1", "litellm", "LiteLLM proxy", None, wants_key=True),
        Found("http://127.0.0.1:11434/v1", "ollama", "Ollama", "0.12.3", wants_key=False),
    )
    env = {"VLLM_BASE_URL": "https://vllm.acme.lan/v1"}
    return Stage(workspace(asker=ScriptedAsker(servers=servers), env=env), ToAddProvider()), before


async def examined(pilot: Pilot[int]) -> None:
    await stand(pilot, "DoctorScreen")
    screen = pilot.app.screen
    await until(pilot, lambda: screen.check_action("back", ()) is True)
    await pilot.pause()


def doctor_well() -> Scene:
    return Stage(workspace(FILLED), ToDoctor(provider="litellm")), examined


def doctor_broken() -> Scene:
    fault = Fault(
        "tls",
        "The certificate of gw.acme.lan:443 is signed by «Acme Internal CA», which is not trusted"
        " here.",
        "It is made out for gw.acme.lan, valid to 2027-03-01.",
        "Name the signer's certificate with --ca-file or TURNKEY_CA_FILE for turnkey, and in"
        " NODE_EXTRA_CA_CERTS for Warden; one of them alone is not enough.",
    )
    asker = ScriptedAsker(report=report("tls", fault))
    patient = Patient(url="https://gw.acme.lan/v1")
    return Stage(workspace(FILLED, asker=asker), ToDoctor(patient=patient)), examined


def models_empty() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ModelsScreen")

    return Stage(workspace(), ToModels(draft=draft(discovery(())))), before


def models_filled() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ModelsScreen")
        await pilot.press("space", "down")
        await pilot.pause()

    return Stage(workspace(), ToModels(draft=draft())), before


def lanes_empty() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "LanesScreen")

    return Stage(workspace("version = 1\n"), ToLanes()), before


def lanes_filled() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "LanesScreen")

    env = {"ANTHROPIC_API_KEY": "x"}
    on = workspace(FILLED, env=env)
    on.variant = "stock"
    return Stage(on, ToLanes("synthesis")), before


def check_filled() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "CheckScreen")

    old = FILLED.replace('failOn = "high"', 'failOn = "critical"\nmaxTurns = 9')
    return Stage(workspace(old + 'scope = "all"\nmodel = "openai/x"\n'), ToCheck()), before


def check_empty() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "CheckScreen")

    env = {"WARDEN_LITELLM_API_KEY": "x"}
    return Stage(workspace(CLEAN, env=env), ToCheck()), before


def check_failed() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "CheckScreen")
        await pilot.press("down", "f")
        await arrive(pilot, "AskChoice")
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen.query_one(FaultBox).has_class("-shown"))
        await pilot.pause()

    leaked = FILLED.replace("[[defaults.providers", f'apiKey = "{KEY}"\n\n[[defaults.providers', 1)
    on = workspace(leaked, env={"WARDEN_LITELLM_API_KEY": "x"})
    here = Surroundings(platform="linux")  # what is advised depends on it
    on.vault = Vault(None, KeyIndex(nowhere() / "keys.json"), here=here)
    return Stage(on, ToCheck()), before


def provider_empty() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ProviderScreen")

    bare = 'version = 1\n\n[defaults.providers.gw]\nbaseUrl = ""\n'
    return Stage(workspace(bare), ToProvider("gw")), before


def provider_failed() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ProviderScreen")
        await pilot.press("/", "x", "enter")
        await until(pilot, lambda: pilot.app.screen.query_one(FaultBox).has_class("-shown"))
        await pilot.pause()

    return Stage(workspace(FILLED), ToProvider("litellm")), before


def provider_filled() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ProviderScreen")

    return Stage(workspace(FILLED), ToProvider("litellm")), before


def live_empty() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "LiveScreen")

    return Stage(workspace(FILLED), ToLive()), before


def live_filled() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "LiveScreen")
        await pilot.press("enter")
        screen = pilot.app.screen
        assert isinstance(screen, LiveScreen)
        await until(pilot, lambda: bool(screen.workspace.tried))
        await pilot.pause()

    return Stage(workspace(FILLED), ToLive()), before


def save_filled() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ModelsScreen")
        await pilot.press("space", "c")
        await arrive(pilot, "LanesScreen")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("s")
        await arrive(pilot, "SaveScreen")
        await pilot.app.workers.wait_for_complete(
            [worker for worker in pilot.app.workers if worker.group == "place"]
        )
        await pilot.pause()

    return Stage(workspace(), ToModels(draft=draft())), before


def save_empty() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "SaveScreen")

    return Stage(workspace(FILLED), ToSave()), before


def save_conflict() -> Scene:
    on = workspace(FILLED)
    on.edit(set_lane(on.document, "agent", "litellm/qwen3-mini"))

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "SaveScreen")
        on.document.path.parent.mkdir(parents=True)
        theirs = FILLED.replace('failOn = "high"', 'failOn = "off" # for now')
        on.document.path.write_text(theirs, encoding="utf-8")
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen.query_one(FaultBox).has_class("-shown"))
        await pilot.pause()

    return Stage(on, ToSave()), before


def keys_empty() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "KeysScreen")
        await wait_for_keyring(pilot)

    return Stage(workspace("version = 1\n"), ToKeys()), before


def keys_filled() -> Scene:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "KeysScreen")
        await wait_for_keyring(pilot)

    env = {"ANTHROPIC_API_KEY": "x", "VLLM_API_KEY": "x"}
    on = workspace(SEVERAL, env=env)
    on.vault = Vault(Works(), KeyIndex(nowhere() / "keys.json"))
    on.vault.store("WARDEN_LITELLM_API_KEY", "http://gw.acme.lan:4000", Secret(KEY))
    on.vault.store("WARDEN_CODER_API_KEY", "https://coder.old.lan", Secret(KEY))
    return Stage(on, ToKeys()), before


async def wait_for_keyring(pilot: Pilot[int]) -> None:
    screen = pilot.app.screen
    assert isinstance(screen, KeysScreen)
    await until(pilot, lambda: screen.settled)
    await pilot.press("down", "down", "down")
    await pilot.pause()


CLEAN = """\
version = 1

[defaults.agent]
model = "litellm/qwen3-coder"

[defaults.auxiliary]
model = "litellm/qwen3-coder"

[defaults.synthesis]
model = "litellm/qwen3-coder"

[defaults.providers.litellm]
baseUrl = "https://gw.acme.lan:4000/v1"

[[defaults.providers.litellm.models]]
id = "qwen3-coder"
"""


SEVERAL = """\
version = 1

[defaults.agent]
model = "litellm/qwen3-coder"

[defaults.providers.litellm]
baseUrl = "http://gw.acme.lan:4000/v1"

[defaults.providers.vllm]
baseUrl = "https://vllm.acme.lan/v1"

[defaults.providers.ollama]
baseUrl = "http://127.0.0.1:11434/v1"

[defaults.providers.coder]
baseUrl = "https://coder.acme.lan/v1"
"""


def unreadable() -> Scene:
    fault = Fault(
        "config_unreadable",
        "warden.toml is not valid TOML: line 4, column 9.",
        "A value is missing.",
        "Mend that line, then try again. The file was not touched.",
    )

    async def before(pilot: Pilot[int]) -> None:
        await arrive(pilot, "HomeScreen")
        pilot.app.push_screen(UnreadableScreen(fault))
        await arrive(pilot, "UnreadableScreen")
        still(pilot)

    return Stage(workspace()), before


SCENES: tuple[Callable[[], Scene], ...] = (
    home_empty,
    home_filled,
    add_empty,
    add_failed,
    add_found,
    doctor_well,
    doctor_broken,
    models_empty,
    models_filled,
    lanes_empty,
    lanes_filled,
    check_empty,
    check_failed,
    check_filled,
    provider_empty,
    provider_failed,
    provider_filled,
    live_empty,
    live_filled,
    save_conflict,
    save_empty,
    save_filled,
    keys_empty,
    keys_filled,
    unreadable,
)


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)  # where the list of keys is written


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: str(scene.__name__))
def test_screen_looks_as_on_record(
    scene: Callable[[], Scene], size: tuple[int, int], snap_compare: SnapCompare
) -> None:
    app, before = scene()
    assert snap_compare(app, terminal_size=size, run_before=before)
