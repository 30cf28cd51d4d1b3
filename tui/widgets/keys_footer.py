"""The footer of keys: those that fit, built anew only when another one is to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from textual.widgets import Footer, Static

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.screen import Screen

REST: Final = "[bold $footer-key-foreground]?[/] all keys"
REST_WIDTH: Final = 10
OUT: Final = ("esc", "q")
"""The keys that lead out of a screen: shown at any width."""


class Shown(NamedTuple):
    """A key of the footer."""

    action: str
    key: str
    words: str
    enabled: bool

    @property
    def width(self) -> int:
        """Columns that it takes: key, blank, words, and two to the next one."""
        return len(self.key) + 1 + len(self.words) + 2


def fitting(keys: Sequence[Shown], width: int) -> list[Shown]:
    """The keys that ``width`` columns have room for, in their order.

    First those go that can do nothing now, then the others from the end; the ways out stay.
    """
    left = list(keys)
    room = width + 1  # the last one needs no distance
    if sum(key.width for key in left) <= room:
        return left
    room -= REST_WIDTH
    for spare in (False, True):
        for key in reversed(keys):
            if sum(one.width for one in left) <= room:
                return left
            if key.enabled == spare and key.key not in OUT:
                left.remove(key)
    return left


class Rest(Static):
    """Says which key shows the others; a click on it does the same."""

    DEFAULT_CSS = "Rest { width: auto; }"

    def on_click(self) -> None:
        """As if the key had been pressed."""
        self.app.simulate_key("question_mark")


class KeysFooter(Footer):
    """Textual 8.2 builds a widget a key anew with every focus change, most of them for nothing.

    That is 30 ms on a screen of nine keys: a stream that is painted meanwhile would stutter. And
    where there is no room it scrolls, so that nobody sees the last ones; help lists them all.
    """

    def __init__(self) -> None:
        super().__init__(show_command_palette=False, compact=True)
        self._shown_keys: tuple[tuple[str, str, bool], ...] | None = None
        self._fitting: list[Shown] = []

    def compose(self) -> ComposeResult:
        """The keys that fit, and how to see the rest."""
        keys = self._keys()
        self._fitting = fitting(keys, self.app.size.width)
        widgets = list(super().compose())
        for widget, key in zip(widgets, keys if widgets else (), strict=True):
            if key in self._fitting:
                yield widget
        if widgets and len(self._fitting) < len(keys):
            yield Rest(REST)

    def _keys(self) -> list[Shown]:
        """The keys in the footer's own order: one for each action."""
        keys: dict[str, Shown] = {}
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            if binding.show and binding.action not in keys:
                key = self.app.get_key_display(binding)
                keys[binding.action] = Shown(binding.action, key, binding.description, enabled)
        return list(keys.values())

    def on_resize(self) -> None:
        """Another width, other keys."""
        if self._fitting and fitting(self._keys(), self.app.size.width) != self._fitting:
            self.call_after_refresh(self.recompose)

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
