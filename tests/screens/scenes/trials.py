"""The doctor, a verification, and what leaves the house after it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from core.doctor.patient import Patient
from core.doctor.rungs import Rung
from core.errors import Fault
from core.keys.vault import open_vault
from core.warden.document import load_or_empty
from screens.doctor import DoctorScreen
from tests.screens.scenes.first import on, told
from tests.screens.stage import (
    FILLED,
    ScriptedAsker,
    Stage,
    arrive,
    nowhere,
    report,
    stand,
    until,
    workspace,
)
from tests.screens.test_export import FILE as EXPORTED
from tests.screens.test_export import SERVER, at, verified
from tests.screens.test_verify import DOWN, FILE, LEAK, PROBES, Script, listed, opened, says
from tui.widgets.places import ToDoctor, ToExport

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from core.doctor.rungs import Report
    from core.workspace import Workspace
    from tests.screens.scenes import Staged

UNTRUSTED: Final = Fault(
    "tls",
    "The certificate of gw.acme.lan:443 is signed by «Acme Internal CA», which is not trusted"
    " here.",
    "It is made out for gw.acme.lan, valid to 2027-03-01.",
    "Name the signer's certificate with --ca-file or TURNKEY_CA_FILE for turnkey, and in"
    " NODE_EXTRA_CA_CERTS for Warden; one of them alone is not enough.",
)


# ---------------------------------------------------------------------------------------- doctor


def doctor_of(pilot: Pilot[int]) -> DoctorScreen:
    found = pilot.app.screen
    assert isinstance(found, DoctorScreen)
    return found


async def climbed(pilot: Pilot[int]) -> None:
    await stand(pilot, "DoctorScreen")
    screen = doctor_of(pilot)
    await until(pilot, lambda: screen.check_action("back", ()) is True)


async def climbing(pilot: Pilot[int]) -> None:
    """Up to the third rung, where nothing comes any more, for no time at all."""
    await stand(pilot, "DoctorScreen")
    screen = doctor_of(pilot)
    await until(pilot, lambda: "✓ tcp" in str(screen.query_one("#rungs").render()))
    screen.clock = lambda: 0.0


def examined(found: Report) -> Stage:
    asker = ScriptedAsker(report=found)
    return Stage(workspace(FILLED, asker=asker), ToDoctor(provider="litellm"))


def stuck() -> Stage:
    asker = ScriptedAsker(pause=asyncio.Event())
    return Stage(workspace(FILLED, asker=asker), ToDoctor(provider="litellm"))


def doctor_running() -> Staged:
    return stuck(), climbing


def doctor_stopped() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await climbing(pilot)
        await pilot.press("escape")
        screen = doctor_of(pilot)
        await until(pilot, lambda: screen.check_action("back", ()) is True)

    return stuck(), before


def doctor_done() -> Staged:
    return examined(report(None)), climbed


def doctor_undecided() -> Staged:
    base = report(None)
    last = Rung("stream", "skip", None, "not decided: thinking alone, first token after 0.41 s")
    return examined(msgspec.structs.replace(base, rungs=(*base.rungs[:-1], last))), climbed


def doctor_failed() -> Staged:
    found = report("tls", UNTRUSTED)
    there = {"url": "https://gw.acme.lan/v1", "name": "10.20.0.14", "tcp": "port 443 is open"}
    rungs = tuple(
        msgspec.structs.replace(one, state="pass", evidence=there[one.name])
        if one.name in there
        else one
        for one in found.rungs
    )
    asker = ScriptedAsker(report=msgspec.structs.replace(found, rungs=rungs))
    patient = Patient(url="https://gw.acme.lan/v1")
    return Stage(workspace(FILLED, asker=asker), ToDoctor(patient=patient)), climbed


# ---------------------------------------------------------------------------------------- verify


def verify(script: Script, *keys: str, until_says: str = "") -> Staged:
    """The screen on a scripted verification, after these keys."""

    async def before(pilot: Pilot[int]) -> None:
        screen = await opened(pilot, script)
        for key in keys:
            if key == "escape":
                await until(pilot, lambda: sum(one[:1] == "✓" for one in listed(screen)) >= 6)
            await pilot.press(key)
        await until(pilot, lambda: until_says in says(screen, "#state"))
        if "Waiting" in until_says:
            await until(pilot, lambda: sum(one[:1] == "✓" for one in listed(screen)) >= 6)

    return Stage(workspace(FILE)), before


def verify_empty() -> Staged:
    return verify(Script())


def verify_running() -> Staged:
    return verify(Script(pause_after=PROBES + 6), "v", until_says="Waiting")


def verify_stopped() -> Staged:
    return verify(Script(pause_after=PROBES + 6), "v", "escape", until_says="Stopped")


def verify_done() -> Staged:
    return verify(Script(), "v", until_says="Verified")


def verify_failed() -> Staged:
    return verify(Script((LEAK,)), "v", until_says="Not verified")


def verify_down() -> Staged:
    """The endpoint is gone."""
    staged, before = verify(Script(error=DOWN), "v", until_says="Not verified")

    async def and_told(pilot: Pilot[int]) -> None:
        await before(pilot)
        await told(pilot)

    return staged, and_told


def verify_evidence() -> Staged:
    staged, before = verify(Script((LEAK,)), "v", until_says="Not verified")

    async def and_opened(pilot: Pilot[int]) -> None:
        await before(pilot)
        await pilot.press("enter")
        await arrive(pilot, "EvidenceView")

    return staged, and_opened


# ---------------------------------------------------------------------------------------- export


def exporting(text: str, env: dict[str, str] | None = None) -> Workspace:
    here = workspace(text, env={"HOME": "/home/me", **(env or {})})
    here.state_folder = nowhere()
    return here


def export_empty() -> Staged:
    return Stage(exporting("version = 1\n"), ToExport()), on("ExportScreen")


def export_unverified() -> Staged:
    async def before(pilot: Pilot[int]) -> None:
        await at(pilot, "pi")

    return Stage(exporting(EXPORTED + SERVER), ToExport()), before


def export_verified() -> Staged:
    here = exporting(EXPORTED + SERVER)
    verified(here)

    async def before(pilot: Pilot[int]) -> None:
        await at(pilot, "github")

    return Stage(here, ToExport()), before


def export_failed() -> Staged:
    """A key stands in the file: nothing leaves."""
    text = f'{EXPORTED}{SERVER}apiKey = "sk-{"a1B2" * 8}"\n'

    async def before(pilot: Pilot[int]) -> None:
        await at(pilot, "pi")
        await told(pilot)

    return Stage(exporting(text), ToExport()), before


def export_conflict() -> Staged:
    """Another provider's key stands in the file that would be written over."""
    here = workspace(env={"HOME": "home"})
    path = Path("acme/api/warden.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(EXPORTED + SERVER, encoding="utf-8")
    here.document = here.saved = load_or_empty(path)
    here.state_folder = nowhere()
    here.vault = open_vault(nowhere(), env=here.env, find=None)
    verified(here)
    held = Path("home/.pi/agent/auth.json")
    held.parent.mkdir(parents=True, exist_ok=True)
    held.write_text('{"litellm": {"type": "api_key", "key": "sk-theirs-alone"}}')

    async def before(pilot: Pilot[int]) -> None:
        await at(pilot, "pi")
        await pilot.press("A", "enter")
        await arrive(pilot, "AskText")
        await pilot.press("enter")
        await arrive(pilot, "AskChoice")

    return Stage(here, ToExport()), before
