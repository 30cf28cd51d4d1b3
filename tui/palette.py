"""The command palette: every action of the screen in front, every place, every look, by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from core.settings import LOOKS
from tui.widgets.places import (
    ToAddProvider,
    ToCheck,
    ToDoctor,
    ToExport,
    ToHelp,
    ToHome,
    ToKeys,
    ToLanes,
    ToLive,
    ToSave,
    ToVerify,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.screen import Screen

    from tui.app import TurnkeyApp
    from tui.widgets.places import Place

PLACES: tuple[tuple[str, str, Place], ...] = (
    ("home", "The state of the whole, and the next step", ToHome()),
    ("add provider", "A server: its address, its key, its models", ToAddProvider()),
    ("lanes", "A model for each lane, and why each gets what it gets", ToLanes()),
    ("keys", "Where each key is, and where it may go", ToKeys()),
    ("live test", "Watch an answer stream", ToLive()),
    ("doctor", "Find the first thing that breaks on the way", ToDoctor()),
    ("check", "All that is wrong with the file", ToCheck()),
    ("verify", "Each lane tried as Warden will use it", ToVerify()),
    ("export", "The setup for Pi, CI and other readers", ToExport()),
    ("save", "See the difference, then write it", ToSave()),
)


def commands(app: TurnkeyApp, screen: Screen[object]) -> Iterator[SystemCommand]:
    """What the palette offers on ``screen``: its own actions first.

    An entry runs the same action as its key does.
    """
    area = str(screen.title or screen.TITLE or "here")
    seen = set()
    for key, active in screen.active_bindings.items():
        binding = active.binding
        name = binding.id or ""
        offered = active.node is not app and active.enabled and not binding.system
        if not name or not offered or name in seen:
            continue
        seen.add(name)
        words = binding.tooltip or binding.description
        run = partial(app.run_action, binding.action, active.node)
        yield SystemCommand(f"{area}: {binding.description}", f"{words} ({key})", run)
    for name, words, place in PLACES:
        yield SystemCommand(f"go to: {name}", words, partial(app.go, place))
    for look in LOOKS:
        yield SystemCommand(f"theme: {look}", "Keeps for next time", partial(app.wear, look))
    yield SystemCommand("help: this screen", "Its keys and concepts (?)", partial(app.go, ToHelp()))
    yield SystemCommand("turnkey: quit", "Unsaved edits are asked about (ctrl+q)", app.leave)
