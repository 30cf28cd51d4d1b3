"""An app that ends by an error, or has a developer console, shows no key."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console
from textual import constants, events
from textual.widgets import Input

from tests.screens.stage import KEY, Stage, stand, workspace

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Falls(Stage):
    """Ends by an error while a key is in a variable."""

    def fall(self) -> None:
        typed = KEY
        raise ValueError(f"{len(typed)} characters")


async def test_the_traceback_of_an_error_has_no_variables() -> None:
    app = Falls(workspace())
    said = io.StringIO()
    app.error_console = Console(file=said, width=200)
    try:
        async with app.run_test() as pilot:
            await stand(pilot)
            app.call_later(app.fall)
            await pilot.pause()
    except ValueError:
        pass
    app._print_error_renderables()
    assert "ValueError: " in said.getvalue()
    assert "typed = KEY" in said.getvalue()
    assert KEY not in said.getvalue()


async def test_nothing_is_logged_of_what_is_typed_or_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "textual.log"
    monkeypatch.setitem(vars(constants), "LOG_FILE", str(log))

    class Devtools:
        is_connected = True
        verbose = True

        def __init__(self) -> None:
            self.said: list[str] = []

        def log(self, *said: object) -> None:
            self.said.append(repr(said))

    app = Stage(workspace())
    async with app.run_test() as pilot:
        await stand(pilot)
        await pilot.press("a")
        box = Input()
        await app.screen.mount(box)
        tools = Devtools()
        monkeypatch.setattr(app, "devtools", tools)
        box.focus()
        box.post_message(events.Paste(KEY))
        await pilot.pause()
        app.log(box.value)
        monkeypatch.setattr(app, "devtools", None)
    assert tools.said == []
    assert not log.exists()
