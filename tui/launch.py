"""Starts the app on a workspace, with the demo provider beside it where it is wanted."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.workspace import Workspace


def launch(opener: Callable[[], Workspace], *, demo: bool, mouse: bool = True) -> int:
    """Run the app until it is left; the exit code. A demo that was opened ends with it.

    What is wrong with the settings is told behind the screens, where it can be read at leisure.
    """
    from core.paths import settings_file
    from core.settings import read_settings
    from tui.app import TurnkeyApp
    from tui.terminal import GONE, forget_terminal

    path = settings_file()
    settings, faults = read_settings(path)
    with ExitStack() as stack:
        app = TurnkeyApp(
            (lambda: open_demo(stack)) if demo else opener,
            demo=lambda: open_demo(stack),
            settings=settings,
        )
        app.keep_settings_in(path)
        code = app.run(mouse=mouse and settings.mouse)
    if GONE in {code, app.return_code}:
        forget_terminal()
    for fault in faults:
        from tui.commands.output import warn_of

        warn_of(fault)
    return code or app.return_code or 0


def open_demo(stack: ExitStack) -> Workspace:
    """Start the demo provider and open a scratch file; both go when ``stack`` closes.

    The provider runs in a thread of this process, so that painting does not hold its stream up.
    Its key stays in memory: the vault has no keyring behind it. No other key of the environment
    is seen, so that nothing but the demo can be asked.
    """
    from core.demo.scratch import scratch
    from core.demo.serve import start_demo
    from core.keys.steering import looks_like_key
    from core.keys.vault import open_vault
    from core.workspace import Suggestion, open_workspace

    server = stack.enter_context(start_demo())
    path = stack.enter_context(scratch())
    env = {name: value for name, value in os.environ.items() if not looks_like_key(name)}
    return open_workspace(
        path,
        env=env,
        vault=open_vault(path.parent, env=env, find=None),
        state_folder=path.parent / "state",  # receipts of the demo go with it
        demo=Suggestion(server.name, server.base_url, server.key),
    )
