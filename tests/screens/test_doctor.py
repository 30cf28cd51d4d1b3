"""The doctor shows each rung as it finishes, stops when told to, and copies a report."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button, Input, Static

from core.doctor.patient import Patient
from core.errors import Fault
from core.keys.secret import Secret
from core.providers.base_url import BaseUrl
from screens.doctor import DoctorScreen
from tests.screens.stage import (
    FILLED,
    KEY,
    URL,
    ScriptedAsker,
    Stage,
    arrive,
    discovery,
    report,
    stand,
    until,
    workspace,
)
from tui.widgets.fault import FaultBox
from tui.widgets.field import Field
from tui.widgets.places import ToAddProvider, ToDoctor

if TYPE_CHECKING:
    from textual.pilot import Pilot

DOWN = Fault(
    "upstream",
    "The proxy cannot reach the server behind it.",
    "Connection error.",
    "Whoever runs the proxy looks at its log and at api_base.",
)
REFUSED = Fault("connection_refused", "Nothing answers at 127.0.0.1:4000.", "w", "f")


def screen_of(pilot: Pilot[int]) -> DoctorScreen:
    found = pilot.app.screen
    assert isinstance(found, DoctorScreen)
    return found


def shown(pilot: Pilot[int]) -> str:
    parts = [str(one.content) for one in screen_of(pilot).query(Static)]
    return "\n".join(parts)


async def ended(pilot: Pilot[int]) -> None:
    await until(pilot, lambda: screen_of(pilot).check_action("back", ()) is True)
    await pilot.pause()


@pytest.mark.parametrize("focus", ["lanes", "providers"])
async def test_x_on_home_examines_what_is_highlighted(focus: str) -> None:
    asker = ScriptedAsker()
    on = workspace(FILLED, asker=asker)
    app = Stage(on)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        app.screen.query_one(f"#{focus}").focus()
        await pilot.pause()
        await pilot.press("x")
        await arrive(pilot, "DoctorScreen")
        await ended(pilot)
        assert "Every rung holds." in shown(pilot)
    (patient,) = asker.examined
    assert isinstance(patient.url, BaseUrl), "a base URL of the file is meant exactly"
    assert patient.url.url == URL
    assert patient.provider == "litellm"
    assert patient.model == ("qwen3-coder" if focus == "lanes" else None)
    assert patient.declared == ("qwen3-coder", "qwen3-mini")


async def test_x_has_no_place_without_a_provider() -> None:
    app = Stage(workspace())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        await pilot.press("x")
        await pilot.pause()
        assert type(app.screen).__name__ == "HomeScreen"


async def test_the_first_rung_that_breaks_and_what_to_change() -> None:
    asker = ScriptedAsker(report=report("chat", DOWN))
    app = Stage(workspace(FILLED, asker=asker), ToDoctor(provider="litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "DoctorScreen")
        await ended(pilot)
        text = shown(pilot)
    assert "✗ chat" in text
    assert "· stream   not tried" in text
    assert DOWN.what in text
    assert DOWN.fix in text


async def test_rungs_are_shown_as_they_finish_and_escape_stops() -> None:
    asker = ScriptedAsker(pause=asyncio.Event())
    app = Stage(workspace(FILLED, asker=asker), ToDoctor(provider="litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "DoctorScreen")
        await until(pilot, lambda: "✓ tcp" in shown(pilot))
        assert "… tls" in shown(pilot)
        assert "· http · server" in shown(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: asker.stopped)
        await ended(pilot)
        assert "stopped" in shown(pilot)
        assert "✓ tcp" in shown(pilot), "what was found stays"
        assert "not tried" in shown(pilot)
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")


async def test_r_climbs_again_from_the_start() -> None:
    asker = ScriptedAsker(report=report("chat", DOWN))
    app = Stage(workspace(FILLED, asker=asker), ToDoctor(provider="litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "DoctorScreen")
        await ended(pilot)
        asker.report = report(None)
        await pilot.press("r")
        await until(pilot, lambda: "Every rung holds." in shown(pilot))
        await ended(pilot)
        assert DOWN.what not in shown(pilot)
    assert len(asker.examined) == 2


async def test_y_copies_the_report_without_a_key() -> None:
    asker = ScriptedAsker(report=report("chat", DOWN))
    patient = Patient(url=URL, key=Secret(KEY))
    app = Stage(workspace(FILLED, asker=asker), ToDoctor(patient=patient))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "DoctorScreen")
        await ended(pilot)
        await pilot.press("y")
        await until(pilot, lambda: bool(app.clipboard))
        copied = app.clipboard
    assert f"doctor · {URL}, model qwen3-coder" in copied
    assert "✗ chat" in copied
    assert DOWN.fix in copied
    assert KEY not in copied


async def test_a_base_url_that_cannot_be_meant_is_the_first_rung() -> None:
    text = FILLED.replace(URL, "gw.acme.lan:4000")
    asker = ScriptedAsker()
    app = Stage(workspace(text, asker=asker), ToDoctor(provider="litellm"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "DoctorScreen")
        await ended(pilot)
    (patient,) = asker.examined
    assert patient.url_fault is not None
    assert patient.url_fault.code == "usage"


# ---------------------------------------------------------------------------- from the form


async def test_a_failed_form_leads_to_the_doctor_with_what_was_typed() -> None:
    asker = ScriptedAsker(discovery((), REFUSED), report=report("tcp", REFUSED))
    on = workspace(asker=asker)
    app = Stage(on, ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        assert app.screen.check_action("doctor", ()) is False
        app.screen.query_one("#url", Field).query_one(Input).value = "localhost:4000"
        app.screen.query_one("#key", Field).query_one(Input).value = KEY
        await pilot.pause()
        await pilot.press("ctrl+o")
        box = app.screen.query_one(FaultBox)
        await until(pilot, lambda: box.has_class("-shown"))
        assert app.screen.check_action("doctor", ()) is True
        app.screen.query_one("#doctor", Button).press()
        await arrive(pilot, "DoctorScreen")
        await ended(pilot)
        assert "✗ tcp" in shown(pilot)
        assert KEY not in shown(pilot)
        await pilot.press("escape")
        await arrive(pilot, "AddProviderScreen")
        assert app.screen.query_one("#key", Field).value == KEY, "nothing is lost"
    (patient,) = asker.examined
    assert patient.url == "localhost:4000", "as it was typed"
    assert patient.key == Secret(KEY)
    assert not on.unsaved


async def test_x_examines_when_no_field_takes_it() -> None:
    asker = ScriptedAsker(discovery((), REFUSED))
    app = Stage(workspace(asker=asker), ToAddProvider())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "AddProviderScreen")
        await pilot.press("ctrl+o")
        box = app.screen.query_one(FaultBox)
        await until(pilot, lambda: box.has_class("-shown"))
        app.screen.query_one("#preset").focus()
        await pilot.press("x")
        await arrive(pilot, "DoctorScreen")
