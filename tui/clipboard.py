"""Copying over any terminal: OSC 52, wrapped where tmux or screen stands in between."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App


def osc52(text: str, env: Mapping[str, str]) -> str:
    """The sequence that asks the terminal to take ``text`` into its clipboard.

    ``env`` tells tmux and GNU screen, which only pass on what is wrapped for them.
    """
    coded = base64.b64encode(text.encode()).decode("ascii")
    plain = f"\x1b]52;c;{coded}\x07"
    if env.get("TMUX"):
        return "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if env.get("TERM", "").startswith("screen"):
        return "\x1bP" + plain + "\x1b\\"
    return plain


def copy(app: App[int], text: str, env: Mapping[str, str], *, says: str | None = None) -> None:
    """Send ``text`` to the terminal's clipboard, and say so: nobody can tell whether it took it.

    ``says`` stands in the message instead of a long text.
    """
    if not env.get("TMUX") and not env.get("TERM", "").startswith("screen"):
        app.copy_to_clipboard(text)
    else:
        driver = app._driver  # noqa: SLF001  # Textual 8.2 writes OSC 52 unwrapped
        if driver is not None:
            driver.write(osc52(text, env))
    app.notify(
        text if says is None else says, title="Sent to the terminal's clipboard", markup=False
    )
