"""Questions about keys: the key itself, never shown; and whether it may go somewhere else."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
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
    from textual.app import ComposeResult
    from textual.screen import Screen

    from core.errors import Fault
    from core.target import Target
    from core.warden.config import Provider
    from core.workspace import Workspace


class AskKey(ModalScreen[Cleaned | None]):
    """Asks for a key, behind dots; None when it was left."""

    DEFAULT_CSS = BOX.format(name="AskKey")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]

    def __init__(self, question: str, where: str, *, warning: str = "") -> None:
        """``where``: where the key will be; ``warning``: why not in a keyring."""
        super().__init__()
        self._question = question
        self._where = where
        self._warning = warning

    def compose(self) -> ComposeResult:
        """The question, the line, and where it goes."""
        with Vertical():
            yield Static(one_line(self._question, 300), markup=False)
            yield KeyInput(placeholder="paste or type it", id="key-value")
            yield Static(one_line(self._where, 300), markup=False, id="key-where")
            if self._warning:
                yield Static(
                    Content.styled(f"▲ {one_line(self._warning, 400)}", "$warning"), markup=False
                )
            yield Static(id="key-says", markup=False)

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
        """Enter gives the key back, if it is one."""
        event.stop()
        try:
            self.dismiss(clean_key(event.value))
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
