"""The doctor's one-key fixes: what each mends, and where it leads."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import pytest
from textual.content import Content
from textual.widgets import Input, Static

from core.doctor.patient import Patient
from core.errors import Fault
from core.keys.secret import Secret
from screens.doctor import DoctorScreen, RungFault, mends
from tests.screens.stage import (
    FILLED,
    KEY,
    URL,
    ScriptedAsker,
    Stage,
    arrive,
    report,
    stand,
    until,
    workspace,
)
from tui.widgets.places import ToDoctor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from textual.pilot import Pilot

    from core.doctor.rungs import Report, Rung

UNTRUSTED = Fault(
    "tls",
    "The certificate of gw.acme.lan:443 is signed by «Acme Internal CA», which is not trusted"
    " here.",
    "It is made out for gw.acme.lan, valid to 2027-03-01.",
    "Name the signer's certificate with --ca-file or TURNKEY_CA_FILE for turnkey, and in"
    " NODE_EXTRA_CA_CERTS for Warden; one of them alone is not enough.",
)
WANTS_OURS = Fault("tls", "gw:443 wants a certificate from whoever connects.", "w", "f")
REFUSED = Fault("key_refused", "gw:443 refuses the key.", "w", "f")
DOWN = Fault("connection_refused", "Nothing answers at 127.0.0.1:4000.", "w", "f")
UNKNOWN = Fault("model_unknown", "gw:443 has no model «x».", "w", "f")


@dataclass
class Keeping(ScriptedAsker):
    """Keeps the environment that each look was given."""

    seen: list[dict[str, str]] = field(default_factory=list)

    async def examine(
        self, patient: Patient, env: Mapping[str, str], on_rung: Callable[[Rung], None]
    ) -> Report:
        self.seen.append(dict(env))
        return await super().examine(patient, env, on_rung)


def screen_of(pilot: Pilot[int]) -> DoctorScreen:
    found = pilot.app.screen
    assert isinstance(found, DoctorScreen)
    return found


def shown(pilot: Pilot[int]) -> str:
    return "\n".join(str(one.content) for one in screen_of(pilot).query(Static))


async def ended(pilot: Pilot[int]) -> None:
    await until(pilot, lambda: screen_of(pilot).check_action("back", ()) is True)
    await pilot.pause()


@pytest.mark.parametrize(
    ("rung", "fault", "actions"),
    [
        ("tls", UNTRUSTED, ("file",)),
        ("tls", WANTS_OURS, ("file",)),
        ("tls", Fault("tls", "No TLS connection to gw:443 came about."), ("url",)),
        ("key", REFUSED, ("keys",)),
        ("chat", REFUSED, ("keys",)),
        ("tcp", DOWN, ("url",)),
        ("models", Fault("path_wrong", "gw answers, but not at this path."), ("url",)),
        ("chat", UNKNOWN, ("models",)),
        ("stream", Fault("empty_answer", "The model stopped without an answer."), ("models",)),
        ("models", Fault("server_error", "gw failed (500)."), ()),
    ],
)
def test_what_a_key_press_can_mend(rung: str, fault: Fault, actions: tuple[str, ...]) -> None:
    base = report(None)
    rungs = tuple(
        msgspec.structs.replace(one, state="fail") if one.name == rung else one
        for one in base.rungs
    )
    assert mends(msgspec.structs.replace(base, rungs=rungs, error=fault)) == actions
    assert mends(base) == ()


async def test_c_takes_a_file_of_certificates_and_looks_again(tmp_path: Path) -> None:
    authority = tmp_path / "acme-ca.pem"
    authority.write_text("-----BEGIN CERTIFICATE-----\n")
    asker = Keeping(report=report("tls", UNTRUSTED))
    env: dict[str, str] = {}
    app = Stage(workspace(FILLED, asker=asker, env=env), ToDoctor(provider="litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "DoctorScreen")
        await ended(pilot)
        assert "c  choose the file" in shown(pilot)
        await pilot.press("c")
        await arrive(pilot, "AskText")
        await pilot.press("escape")
        await arrive(pilot, "DoctorScreen")
        await pilot.press("c")
        await arrive(pilot, "AskText")
        app.screen.query_one(Input).value = str(tmp_path / "no-such.pem")
        await pilot.press("enter")
        await arrive(pilot, "DoctorScreen")
        await until(pilot, lambda: any("no file" in one.message for one in app._notifications))
        assert len(asker.seen) == 1, "nothing is tried without a file"
        await pilot.press("c")
        await arrive(pilot, "AskText")
        asker.report = report(None)
        app.screen.query_one(Input).value = f'"{authority}"'
        await pilot.press("enter")
        await until(pilot, lambda: len(asker.seen) == 2 and "Every rung holds." in shown(pilot))
        assert f"TURNKEY_CA_FILE={authority}" in shown(pilot).replace("\n", "")
        assert "NODE_EXTRA_CA_CERTS" in shown(pilot)
    assert asker.seen[1]["TURNKEY_CA_FILE"] == str(authority)
    assert env["TURNKEY_CA_FILE"] == str(authority), "the other screens trust it, too"


async def test_c_asks_for_our_own_certificate_where_the_server_wants_one() -> None:
    asker = Keeping(report=report("tls", WANTS_OURS))
    app = Stage(workspace(FILLED, asker=asker), ToDoctor(provider="litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "DoctorScreen")
        await ended(pilot)
        await pilot.press("c")
        await arrive(pilot, "AskText")
        assert "to show to the server" in "".join(
            str(one.content) for one in app.screen.query(Static)
        )


@pytest.mark.parametrize(
    ("rung", "fault", "key", "screen"),
    [
        ("key", REFUSED, "k", "KeysScreen"),
        ("tcp", DOWN, "u", "ProviderScreen"),
        ("chat", UNKNOWN, "m", "ModelsScreen"),
    ],
)
async def test_a_key_leads_to_where_it_is_mended_and_the_way_back_looks_again(
    rung: str, fault: Fault, key: str, screen: str
) -> None:
    name = next(one.name for one in report(None).rungs if one.name == rung)
    asker = ScriptedAsker(report=report(name, fault))
    app = Stage(workspace(FILLED, asker=asker), ToDoctor(provider="litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "DoctorScreen")
        await ended(pilot)
        assert f"{key}  " in str(app.screen.query_one(RungFault).content)
        for other in {"k", "u", "m", "c"} - {key}:
            await pilot.press(other)
        await pilot.pause()
        assert type(app.screen).__name__ == "DoctorScreen"
        await pilot.press(key)
        await arrive(pilot, screen)
        asker.report = report(None)
        await pilot.press("escape")
        await arrive(pilot, "DoctorScreen")
        await until(pilot, lambda: "Every rung holds." in shown(pilot))
    assert len(asker.examined) == 2


async def test_what_was_typed_on_a_form_is_mended_on_the_form() -> None:
    asker = ScriptedAsker(report=report("tcp", DOWN))
    app = Stage(workspace(asker=asker), ToDoctor(patient=Patient(url=URL, key=Secret(KEY))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "DoctorScreen")
        await ended(pilot)
        await pilot.press("u")
        await arrive(pilot, "HomeScreen")
    assert len(asker.examined) == 1


async def test_a_stopped_look_can_be_copied_as_far_as_it_came() -> None:
    asker = ScriptedAsker(pause=asyncio.Event())
    patient = Patient(url=URL, key=Secret(KEY))
    app = Stage(workspace(FILLED, asker=asker), ToDoctor(patient=patient))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "DoctorScreen")
        await until(pilot, lambda: "✓ tcp" in shown(pilot))
        assert screen_of(pilot).check_action("copy", ()) is None, "not while it climbs"
        await pilot.press("escape")
        await ended(pilot)
        await pilot.press("y")
        await until(pilot, lambda: bool(app.clipboard))
        copied = app.clipboard
    assert "✓ tcp" in copied
    assert "· stream  not tried" in copied
    assert "interrupted: It was stopped" in copied
    assert KEY not in copied


async def test_a_provider_that_is_gone_is_told_and_nothing_is_waited_for() -> None:
    app = Stage(workspace(FILLED), ToDoctor(provider="nobody"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "DoctorScreen")
        await ended(pilot)
        assert "nobody" in shown(pilot)
        assert "…" not in str(screen_of(pilot).query_one("#rungs", Static).content)
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")


async def test_text_of_a_server_is_text_at_any_width_and_stays_while_resizing() -> None:
    hostile = Fault(
        "server_error", "gw failed.", "[red]日本語[/red] [link=x]y[/link] " + "長" * 200
    )
    asker = ScriptedAsker(report=report("models", hostile))
    wide = tuple(
        msgspec.structs.replace(one, evidence="[bold]日本[/bold] " + "長い" * 60)
        if one.name == "server"
        else one
        for one in asker.report.rungs
    )
    asker.report = msgspec.structs.replace(asker.report, rungs=wide)
    app = Stage(workspace(FILLED, asker=asker), ToDoctor(provider="litellm"))
    async with app.run_test(size=(60, 20)) as pilot:
        await stand(pilot, "DoctorScreen")
        await ended(pilot)
        for size in ((60, 20), (120, 40), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            text = shown(pilot)
            assert "[bold]日本[/bold]" in text
            assert "[red]日本語[/red] [link=x]y[/link]" in text
            rungs = screen_of(pilot).query_one("#rungs", Static)
            assert isinstance(rungs.content, Content)
            assert all(line.cell_length <= rungs.size.width for line in rungs.content.split())
