"""The providers on Home: how each server is, its address, its models, and where its key is.

Approved servers are looked after: one light question now and then, while Home is what one looks
at. Nobody else is asked anything (:mod:`core.approvals`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import work
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from core.errors import TurnkeyError
from core.health import SIGNS, Rounds, base_of, key_at_hand, watched
from core.keys.bounded import beside
from core.providers.url_keys import shown_address
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.health import Health, State
    from core.live.ping import Run
    from core.providers.base_url import BaseUrl
    from core.warden.config import Provider
    from core.workspace import Workspace

LOOK_S: Final = 1.0
"""How often one sees whether a look is due."""
BUSY: Final = frozenset({"stream", "verify", "climb", "ask"})
"""Groups of workers that ask servers: while one is at it, nothing is looked after."""
_DIM: Final = "$foreground 75%"
_STYLES: Final[dict[State, str]] = {
    "unknown": "",
    "up": "$success",
    "slow": "$warning",
    "down": "$error",
    "refused": "$error",
}


class ProviderBoard(OptionList):
    """One provider in three lines each. The first look at a server comes after the first frame."""

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self.rounds = Rounds()
        self._workspace = workspace

    def on_mount(self) -> None:
        """Look after the approved servers from now on."""
        self.set_interval(LOOK_S, self.look_after)

    def draw(self) -> None:
        """Show the providers as the file has them; the cursor stays."""
        at = self.highlighted
        self.clear_options()
        self.add_options(
            Option(self._shown(provider), id=f"provider:{provider.name}")
            for provider in self._workspace.config.providers
        )
        if not self.option_count:
            self.add_option(Option("none yet – a adds one", id="add"))
        self.highlighted = min(at or 0, self.option_count - 1)

    def _shown(self, provider: Provider) -> Content:
        base = base_of(provider)
        health = None
        if base is not None and base.origin in watched(self._workspace):
            health = self.rounds.of(base.origin)
        runs = [
            run
            for selector, run in self._workspace.tried.items()
            if selector.startswith(provider.name + "/")
        ]
        return provider_lines(provider, one_line(self._key_words(provider), 200), runs, health)

    def _key_words(self, provider: Provider) -> str:
        from core.keys.words import source_words

        try:
            return source_words(self._workspace.key_source(provider))
        except TurnkeyError as error:
            return f"▲ {error.fault.what}"

    def look_after(self) -> None:
        """Ask the approved servers that are due; nobody while this is not what one looks at."""
        busy = any(not one.is_finished and one.group in BUSY for one in self.app.workers)
        if busy or not self.app.app_focus or self.app.screen is not self.screen:
            return
        for origin, (provider, base) in watched(self._workspace).items():
            if self.rounds.due(origin):
                self.look(provider, base)

    @work(group="health", exit_on_error=False)
    async def look(self, provider: Provider, base: BaseUrl) -> None:
        """One light question to one approved server; its line says what came."""
        workspace, health = self._workspace, None
        try:
            key = await beside(lambda: key_at_hand(workspace, provider, base))
            health = await workspace.asker.look(base, key)
        finally:
            if health is None:
                self.rounds.again(base.origin)
        if base.origin not in watched(workspace):
            return  # taken back meanwhile
        self.rounds.keep(base.origin, health)
        for at, other in enumerate(workspace.config.providers):
            there = base_of(other)
            if there is not None and there.origin == base.origin and at < self.option_count:
                self.replace_option_prompt_at_index(at, self._shown(other))

    def approve(self) -> None:
        """Approve the highlighted provider's server, or take that back."""
        providers = self._workspace.config.providers
        if not providers:
            return
        provider = providers[min(self.highlighted or 0, len(providers) - 1)]
        base = base_of(provider)
        if base is None:
            return  # the list of things to mend says what is wrong with it
        allowed = base.origin not in watched(self._workspace)
        fault = self._workspace.approvals.decide(base.origin, allowed=allowed)
        self.rounds.forget(base.origin)
        self.draw()
        if fault is not None:
            self.notify(f"{fault.why} {fault.fix}", title=fault.what, markup=False)
        self.look_after()


def provider_lines(
    provider: Provider, key: str, runs: Sequence[Run], health: Health | None
) -> Content:
    """A provider in three lines: how its server is, its address, its models and key.

    ``runs``: this session's live tests of its models. ``health``: None where it is not looked
    after, since nobody approved its address.
    """
    if health is not None and (health.state != "unknown" or not runs):
        sign, words, style = SIGNS[health.state], health.words, _STYLES[health.state]
    elif any(run.ok for run in runs):
        sign, words, style = "●", "answered", "$success"
    elif runs:
        sign, words, style = "▲", "last test failed", "$error"
    else:
        sign, words, style = "○", "not asked · w watches", ""
    count = len(provider.models)
    models = f"{count} model{'' if count == 1 else 's'}"
    return Content.assemble(
        (f"{sign} ", style),
        (one_line(provider.name, 40), "bold"),
        (f"  {words}\n", style or _DIM),
        (f"  {one_line(shown_address(provider.base_url), 200)}\n", _DIM),
        (f"  {models} · {key}", _DIM),
    )
