"""What is in the file: lanes, what is wrong, saving, and a file that cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Fault
from core.keys.backends import Surroundings
from core.keys.index import KeyIndex
from core.keys.vault import Vault
from core.warden.edits import set_lane
from screens.unreadable import UnreadableScreen
from tests.screens.scenes.first import TROUBLED, on, told
from tests.screens.stage import FILLED, KEY, Stage, arrive, draft, nowhere, stand, workspace
from tui.widgets.places import ToCheck, ToLanes, ToModels, ToSave

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from core.workspace import Workspace
    from tests.screens.scenes import Staged

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


def lanes_empty() -> Staged:
    return Stage(workspace("version = 1\n"), ToLanes()), on("LanesScreen")


def lanes_filled() -> Staged:
    return Stage(workspace(CLEAN), ToLanes()), on("LanesScreen")


def lanes_escaping() -> Staged:
    here = workspace(TROUBLED, env={"ANTHROPIC_API_KEY": "x"})
    here.variant = "stock"
    return Stage(here, ToLanes("auxiliary")), on("LanesScreen")


def lanes_failed() -> Staged:
    """A lane that cannot be written: the file's own table stands in the way."""
    table = '[defaults.agent]\nmodel = "litellm/qwen3-coder"\n'
    broken = FILLED.replace(table, "").replace("[defaults]\n", '[defaults]\nagent = "x"\n')
    return Stage(workspace(broken), ToLanes("agent")), on("LanesScreen")


def lanes_older_line() -> Staged:
    """An older spelling stands in the file: what is to become of it."""
    older = FILLED.replace("[defaults.agent]\n", "")

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "LanesScreen")
        await pilot.press("down", "enter")
        await arrive(pilot, "AskChoice")

    return Stage(workspace(older), ToLanes("agent")), before


def lanes_effort() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "LanesScreen")
        await pilot.press("e")
        await arrive(pilot, "AskChoice")

    return Stage(workspace(FILLED), ToLanes("agent")), before


def check_filled() -> Staged:
    old = FILLED.replace('failOn = "high"', 'failOn = "critical"\nmaxTurns = 9')
    return Stage(workspace(old + 'scope = "all"\nmodel = "openai/x"\n'), ToCheck()), on(
        "CheckScreen"
    )


def check_empty() -> Staged:
    env = {"WARDEN_LITELLM_API_KEY": "x"}
    return Stage(workspace(CLEAN, env=env), ToCheck()), on("CheckScreen")


def check_failed() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "CheckScreen")
        await pilot.press("down", "f")
        await arrive(pilot, "AskChoice")
        await pilot.press("enter")
        await arrive(pilot, "CheckScreen")
        await told(pilot)

    leaked = FILLED.replace("[[defaults.providers", f'apiKey = "{KEY}"\n\n[[defaults.providers', 1)
    here = workspace(leaked, env={"WARDEN_LITELLM_API_KEY": "x"})
    linux = Surroundings(platform="linux")  # what is advised depends on it
    here.vault = Vault(None, KeyIndex(nowhere() / "keys.json"), here=linux)
    return Stage(here, ToCheck()), before


# ------------------------------------------------------------------------------------------ save


async def place_known(pilot: Pilot[int]) -> None:
    """Where the typed keys will go is on the screen."""
    await pilot.app.workers.wait_for_complete(
        [worker for worker in pilot.app.workers if worker.group == "place"]
    )


def save_filled() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "ModelsScreen")
        await pilot.press("space", "c")
        await arrive(pilot, "LanesScreen")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("s")
        await arrive(pilot, "SaveScreen")
        await place_known(pilot)

    return Stage(workspace(), ToModels(draft=draft())), before


def save_empty() -> Staged:
    return Stage(workspace(FILLED), ToSave()), on("SaveScreen")


def edited() -> Workspace:
    here = workspace(FILLED)
    here.edit(set_lane(here.document, "agent", "litellm/qwen3-mini"))
    return here


def save_conflict() -> Staged:
    here = edited()

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "SaveScreen")
        here.document.path.parent.mkdir(parents=True, exist_ok=True)
        theirs = FILLED.replace('failOn = "high"', 'failOn = "off" # for now')
        here.document.path.write_text(theirs, encoding="utf-8")
        await pilot.press("enter")
        await told(pilot)

    return Stage(here, ToSave()), before


def save_failed() -> Staged:
    """A file stands where the folder should be."""
    here = edited()
    Path("acme").write_text("", encoding="utf-8")

    async def before(pilot: Pilot[int]) -> None:
        await stand(pilot, "SaveScreen")
        await pilot.press("enter")
        await told(pilot)

    return Stage(here, ToSave()), before


def unreadable_failed() -> Staged:
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

    return Stage(workspace()), before
