"""A keyring that asks to be unlocked: the wait is seen, counted, and ended by Escape."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from core.keys.bounded import Patience
from core.text import one_line
from tui.widgets.ask import BOX

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App, ComposeResult


class WaitScreen(ModalScreen[None]):
    """Stands over any screen while the keyring asks to be unlocked."""

    DEFAULT_CSS = BOX.format(name="WaitScreen")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stop", "Stop waiting")]

    def __init__(
        self, words: str, patience: Patience, *, clock: Callable[[], float] = monotonic
    ) -> None:
        """``clock`` gives seconds: it counts the wait."""
        super().__init__()
        self._words = words
        self._patience = patience
        self._clock = clock
        self._since = clock()
        self._over = False

    def compose(self) -> ComposeResult:
        """What is waited for, and for how long."""
        with Vertical():
            yield Static(one_line(self._words, 300), markup=False)
            yield Static(id="clock", markup=False)

    def on_mount(self) -> None:
        """The clock runs."""
        self._tick()
        self.set_interval(0.2, self._tick)

    def _tick(self) -> None:
        seconds = min(self._clock() - self._since, self._patience.prompt_s)
        self.query_one("#clock", Static).update(
            f"\n{seconds:.0f} s of at most {self._patience.prompt_s:.0f} s\n"
            "esc  stops the wait; nothing is lost"
        )

    def action_stop(self) -> None:
        """Escape: whoever waits is told that the wait was ended."""
        self._patience.stop()

    def over(self) -> None:
        """The wait has ended: leave, at once or as soon as this screen is in front again."""
        self._over = True
        if self.is_current:
            self.dismiss()

    def on_screen_resume(self) -> None:
        """What stood above is gone; so is the wait, perhaps."""
        if self._over:
            self.dismiss()


class Waiting:
    """Makes the patience of keyring calls: the app shows :class:`WaitScreen` while one waits."""

    def __init__(self, app: App[int]) -> None:
        self._app = app

    def __call__(self) -> Patience:
        """A new patience; its wait shows itself once it is certain that there is one."""
        shown: list[WaitScreen] = []

        def begin(words: str) -> None:
            shown.append(WaitScreen(words, patience))
            self._post(lambda: self._app.push_screen(shown[0]))

        def end() -> None:
            self._post(shown[0].over)

        patience = Patience(on_wait=begin, on_end=end)
        return patience

    def _post(self, work: Callable[[], object]) -> None:
        # The call waits in a thread of its own; the app may have ended meanwhile.
        if self._app.is_running:
            self._app.call_later(work)
