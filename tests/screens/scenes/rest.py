"""Keys, and what stands over every screen: help, the palette, the question before leaving."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from textual.command import CommandList

from core.keys.backends import Surroundings
from core.keys.bounded import Patience
from core.keys.index import KeyIndex
from core.keys.secret import Secret
from core.keys.vault import Vault
from core.warden.edits import set_lane
from screens.keys import KeysScreen
from tests.core.keys.fakes import Works
from tests.screens.stage import FILLED, KEY, Stage, arrive, nowhere, stand, until, workspace
from tui.widgets.places import ToKeys
from tui.widgets.waiting import WaitScreen

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from core.keys.place import Place
    from core.workspace import Workspace
    from tests.screens.scenes import Staged

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


async def looked(pilot: Pilot[int]) -> None:
    await stand(pilot, "KeysScreen")
    screen = pilot.app.screen
    assert isinstance(screen, KeysScreen)
    await until(pilot, lambda: screen.settled)


def keys_empty() -> Staged:
    here = workspace("version = 1\n")
    here.vault = bare()
    return Stage(here, ToKeys()), looked


def bare() -> Vault:
    """No keyring, on a machine whose kind is known: what is advised depends on it."""
    return Vault(None, KeyIndex(nowhere() / "keys.json"), here=Surroundings(platform="linux"))


class Searching(Vault):
    """Still looks which keyring is here, until nobody waits for it any more."""

    def __init__(self) -> None:
        super().__init__(Works(), KeyIndex(nowhere() / "keys.json"))
        self.over = Event()

    def keyring(self, patience: Patience | None = None) -> Place:
        self.over.wait(30)
        return super().keyring(patience)


def several(vault: Vault) -> Workspace:
    here = workspace(SEVERAL, env={"ANTHROPIC_API_KEY": "x", "VLLM_API_KEY": "x"})
    here.vault = vault
    return here


def storing() -> Vault:
    """A keyring that works, with two keys in it."""
    vault = Vault(Works(), KeyIndex(nowhere() / "keys.json"))
    vault.store("WARDEN_LITELLM_API_KEY", "http://gw.acme.lan:4000", Secret(KEY))
    vault.store("WARDEN_CODER_API_KEY", "https://coder.old.lan", Secret(KEY))
    return vault


def keys_filled() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await looked(pilot)
        await pilot.press("down", "down", "down")

    return Stage(several(storing()), ToKeys()), before


def keys_bare() -> Staged:
    """No keyring on this machine: keys live in memory and in the environment."""
    here = workspace(SEVERAL)
    here.vault = bare()
    return Stage(here, ToKeys()), looked


def keys_loading() -> Staged:
    """Which keyring is here is being looked for."""

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "KeysScreen")
        screen = pilot.app.screen
        await until(pilot, lambda: "looking" in str(screen.query_one("#keyring").render()))

    return Stage(several(Searching()), ToKeys()), before


def keys_locked() -> Staged:
    """The keyring asks to be unlocked, over the screen that wants it."""

    async def before(pilot: Pilot[int]) -> None:
        await looked(pilot)
        words = "Secret Service is waiting to be unlocked."
        pilot.app.push_screen(WaitScreen(words, Patience(), clock=lambda: 0.0))
        await arrive(pilot, "WaitScreen")

    return Stage(several(storing()), ToKeys()), before


def keys_asked() -> Staged:
    """A key is typed, behind dots."""

    async def before(pilot: Pilot[int]) -> None:
        await looked(pilot)
        await pilot.press("n")
        await arrive(pilot, "AskKey")
        await pilot.press(*KEY)
        where = pilot.app.screen.query_one("#key-where")
        await until(pilot, lambda: "looking" not in str(where.render()))

    return Stage(several(storing()), ToKeys()), before


# ---------------------------------------------------------------------------- over every screen


def help_filled() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot)
        await pilot.press("question_mark")
        await arrive(pilot, "HelpScreen")

    return Stage(workspace(FILLED)), before


def help_topic() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot)
        await pilot.press("question_mark")
        await arrive(pilot, "HelpScreen")
        await pilot.press("right", "right")

    return Stage(workspace(FILLED)), before


def palette_filled() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot)
        await pilot.press("ctrl+p")
        await arrive(pilot, "CommandPalette")

    return Stage(workspace(FILLED)), before


def palette_filtered() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot)
        await pilot.press("ctrl+p")
        await arrive(pilot, "CommandPalette")
        await pilot.press(*"lane")

    return Stage(workspace(FILLED)), before


def palette_empty() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot)
        await pilot.press("ctrl+p")
        await arrive(pilot, "CommandPalette")
        await pilot.press(*"zzqq")
        found = pilot.app.screen.query_one(CommandList)
        await until(pilot, lambda: found.option_count == 1)

    return Stage(workspace(FILLED)), before


def quit_asked() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot)
        await pilot.press("q")
        await arrive(pilot, "AskChoice")

    here = workspace(FILLED)
    here.edit(set_lane(here.document, "agent", "litellm/qwen3-mini"))
    return Stage(here), before
