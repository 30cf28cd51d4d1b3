"""Questions about keys: the key itself, never shown; and whether it may go somewhere else."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from core.errors import KeyProblem, TurnkeyError
from core.key_board import rebind
from core.keys.bounded import beside
from core.keys.clean import Cleaned, clean_key
from core.target import provider_target
from core.text import one_line
from tui.widgets.ask import BOX, AskChoice
from tui.widgets.key_input import KeyInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.screen import Screen

    from core.errors import Fault
    from core.keys.place import Place
    from core.target import Target
    from core.warden.config import Provider
    from core.workspace import Workspace


class AskKey(ModalScreen[Cleaned | None]):
    """Asks for a key, behind dots; None when it was left.

    The line is there at once, so that nothing typed reaches the screen below, while a throwaway
    entry shows where the key would go. Nothing is taken before that is known and can be read.
    """

    DEFAULT_CSS = BOX.format(name="AskKey")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]

    def __init__(self, question: str, find: Callable[[], Place], origin: str) -> None:
        """``find`` tells where the key will be, and may take its time; ``origin``: whose it is."""
        super().__init__()
        self._question = question
        self._find = find
        self._origin = origin
        self._place: Place | None = None
        self._entered = False

    def compose(self) -> ComposeResult:
        """The question, the line, and where it goes."""
        with Vertical():
            yield Static(one_line(self._question, 300), markup=False)
            yield KeyInput(placeholder="paste or type it", id="key-value")
            yield Static("looking for the keyring …", markup=False, id="key-where")
            yield Static(markup=False, id="key-warning")
            yield Static(id="key-says", markup=False)

    def on_mount(self) -> None:
        """Look where the key would go, beside the typing."""
        self.query_one("#key-warning").display = False
        self.set_focus(self.query_one(KeyInput))  # now, not when the screen is shown
        self.look()

    @work(exclusive=True, group="place", exit_on_error=False)
    async def look(self) -> None:
        """Say where the key would go; what was entered meanwhile is taken if a keyring has it."""
        place = await beside(self._find)
        self._place = place
        where = one_line(place.for_origin(self._origin), 300)
        self.query_one("#key-where", Static).update(where)
        if place.fault is not None:
            told = Content.styled(f"▲ {one_line(place.fault.fix, 400)}", "$warning")
            self.query_one("#key-warning", Static).update(told)
            self.query_one("#key-warning").display = True
        if self._entered and place.kind == "keyring":
            self._take(self.query_one(KeyInput).value)

    @on(Input.Changed)
    def judge(self, event: Input.Changed) -> None:
        """What would be cut off, or why it cannot be sent, while it is typed."""
        event.stop()
        says = self.query_one("#key-says", Static)
        if not event.value:
            says.update("")
            return
        try:
            notes = clean_key(event.value).notes
        except TurnkeyError as error:
            says.update(Content.styled(f"✗ {error.fault.what}", "$error"))
        else:
            says.update(Content.styled("\n".join(f"▲ {note}" for note in notes), "$warning"))

    @on(KeyInput.ManyLines)
    def tell_lines(self, event: KeyInput.ManyLines) -> None:
        """A key is one line: say what was left out."""
        event.stop()
        words = f"▲ {event.count} lines were pasted; only the first was taken."
        self.query_one("#key-says", Static).update(Content.styled(words, "$warning"))

    @on(Input.Submitted)
    def answer(self, event: Input.Submitted) -> None:
        """Enter gives the key back, if it is one, once it is known where it will be."""
        event.stop()
        if self._place is None:
            self._entered = True
        else:
            self._take(event.value)

    def _take(self, typed: str) -> None:
        try:
            self.dismiss(clean_key(typed))
        except TurnkeyError as error:
            self.query_one("#key-says", Static).update(
                Content.styled(f"✗ {error.fault.what}", "$error")
            )

    def action_leave(self) -> None:
        """Escape answers nothing."""
        self.dismiss(None)


class AskRebind(AskChoice):
    """Asks whether a key may go to another origin than before; ``r`` agrees."""

    DEFAULT_CSS = BOX.format(name="AskRebind")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "agree", "Re-bind")]

    def __init__(self, fault: Fault, origin: str) -> None:
        where = one_line(origin, 200)
        question = f"{fault.what}\n{fault.why}\n\nMay {where} have it from now on?"
        super().__init__(question, (("keep", "No, it stays as it is"), ("agree", "r  Re-bind it")))

    def action_agree(self) -> None:
        """The key may go there."""
        self.dismiss("agree")


async def may_go(
    screen: Screen[None], workspace: Workspace, provider: Provider, fault: Fault
) -> bool:
    """Ask whether the provider's key may go to its base URL, where ``fault`` says it may not yet.

    Names both origins; True once it was agreed to and recorded. Any other fault gives False and
    asks nothing.

    Raises:
        TurnkeyError: agreed to, and it could not be done.
    """
    from core.providers.base_url import read_base_url

    now = workspace.key_source(provider).fault
    if fault.code != "key_bound_elsewhere" or now is None or now.code != fault.code:
        return False  # a header's variable may be meant, which has to be agreed to by name
    origin = read_base_url(provider.base_url, exact=True).origin
    answer = await screen.app.push_screen_wait(AskRebind(fault, origin))
    if answer != "agree":
        return False
    await beside(partial(rebind, workspace, provider))
    return True


async def agreed_target(
    screen: Screen[None], workspace: Workspace, provider: Provider, model: str | None
) -> Target:
    """What a request to the provider goes to, asking first where its key is bound elsewhere.

    Raises:
        TurnkeyError: as ``provider_target``; so too when the answer was no.
    """
    find = partial(provider_target, workspace, provider, model)
    try:
        return await beside(find)
    except KeyProblem as problem:
        if not await may_go(screen, workspace, provider, problem.fault):
            raise
    return await beside(find)
