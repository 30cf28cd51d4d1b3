"""The palette has every action that a key has, on every screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.binding import Binding

from tests.screens.stage import FILLED, Stage, draft, stand, until, workspace
from tui.palette import commands
from tui.widgets.places import (
    ToAddProvider,
    ToCheck,
    ToDoctor,
    ToExport,
    ToKeys,
    ToLanes,
    ToLive,
    ToModels,
    ToProvider,
    ToSave,
    ToVerify,
)

if TYPE_CHECKING:
    from textual.app import App

    from tui.widgets.places import Place

PLACES: dict[str, Place | None] = {
    "HomeScreen": None,
    "AddProviderScreen": ToAddProvider(),
    "ModelsScreen": ToModels(draft=draft()),
    "LanesScreen": ToLanes(),
    "LiveScreen": ToLive(),
    "KeysScreen": ToKeys(),
    "DoctorScreen": ToDoctor(provider="litellm"),
    "CheckScreen": ToCheck(),
    "ProviderScreen": ToProvider("litellm"),
    "VerifyScreen": ToVerify(),
    "ExportScreen": ToExport(),
    "SaveScreen": ToSave(),
}
MOVES = ("move(", "page(", "scroll", "app.focus", "cursor", "app.quit", "back", "leave")
"""Actions that only move, or close: a name in a list is no quicker way to them."""


def offered(app: App[int]) -> set[tuple[str, str]]:
    """Key and action of each binding that works now and does something by itself."""
    screen = app.screen
    return {
        (active.binding.id or "", active.binding.action)
        for active in screen.active_bindings.values()
        if active.enabled
        and active.node is not app
        and type(active.node).__module__.startswith(("screens.", "tui."))
        and not active.binding.action.startswith(MOVES)
        and any(active.binding in found for found in own(active.node).values())
    }


def own(node: object) -> dict[str, list[Binding]]:
    """The bindings that turnkey's own classes give a node, not Textual's."""
    found: dict[str, list[Binding]] = {}
    for kind in type(node).__mro__:
        if kind.__module__.startswith(("screens.", "tui.")):
            given = [one for one in kind.__dict__.get("BINDINGS", []) if isinstance(one, Binding)]
            for one in given:
                found.setdefault(kind.__name__, []).extend(Binding.make_bindings([one]))
    return found


@pytest.mark.parametrize("name", PLACES)
async def test_the_palette_has_what_the_keys_have(name: str) -> None:
    on = workspace(FILLED)
    app = Stage(on, PLACES[name])
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.workspace is not None)
        on.edit(on.document.with_text(FILLED + "# more\n"))
        await stand(pilot, name)
        found = offered(app)
        assert found
        nameless = [action for identity, action in found if not identity]
        assert not nameless, "an action without an id is in no palette"
        entries = [one.title for one in commands(app, app.screen)]
        assert len(entries) == len(set(entries)), "two entries of one name"
        shown = {one.help for one in commands(app, app.screen)}
        for active in app.screen.active_bindings.values():
            if (active.binding.id or "", active.binding.action) in found:
                words = active.binding.tooltip or active.binding.description
                assert any(words in one for one in shown), words
