"""The footer of keys, built anew only when another key, or another state of one, is to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Footer

if TYPE_CHECKING:
    from textual.screen import Screen


class KeysFooter(Footer):
    """Textual 8.2 builds a widget a key anew with every focus change, most of them for nothing.

    That is 30 ms on a screen of nine keys: a stream that is painted meanwhile would stutter.
    """

    def __init__(self) -> None:
        super().__init__(show_command_palette=False, compact=True)
        self._shown_keys: tuple[tuple[str, str, bool], ...] | None = None

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Rebuild where there is something else to show."""
        shown = tuple(
            (binding.key, binding.description, enabled)
            for _, binding, enabled, _ in screen.active_bindings.values()
            if binding.show
        )
        if shown != self._shown_keys and screen.app.app_focus:
            self._shown_keys = shown
            super().bindings_changed(screen)
