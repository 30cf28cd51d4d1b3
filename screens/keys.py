"""Keys: where each one is now, where it may go, and what Warden's own check says of it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.errors import Fault, KeyProblem, TurnkeyError
from core.key_board import (
    Other,
    Row,
    delete_key,
    import_key,
    others,
    rebind,
    rows,
    run_line,
    set_key,
    why_others,
)
from core.keys.bounded import beside
from core.left_over import LeftOver, drop, left_over
from core.text import one_line
from tui.clipboard import copy
from tui.widgets.ask import AskChoice, Explain
from tui.widgets.ask_key import AskKey, may_go
from tui.widgets.fault import FaultBox
from tui.widgets.key_rows import NARROW, left_over_lines, row_lines
from tui.widgets.shell import TurnkeyScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.keys.clean import Cleaned
    from core.keys.index import Entry
    from core.keys.place import Place
    from core.warden.config import Provider
    from core.workspace import Workspace

LOOK_S = 1.0
"""How often it is looked whether another turnkey changed the list of keys."""
EMPTY = "The file names no provider yet, so there is no key to keep. esc, then a adds one."


class KeysScreen(TurnkeyScreen[None]):
    """A line a provider. A value is never shown, and leaves by no key of this screen."""

    TITLE = "keys"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "set", "Set", id="set", tooltip="Type a key, for this origin alone"),
        Binding("r", "rebind", "Re-bind", id="rebind", tooltip="Let it go to this origin"),
        Binding("i", "import", "Import", id="import", tooltip="Keep the environment's key"),
        Binding("x", "delete", "Delete", id="delete", tooltip="Delete it from the keyring"),
        Binding("c", "copy", "Copy run line", id="copy", tooltip="turnkey run -- warden"),
        Binding("w", "why", "Why", id="why", tooltip="What other providers' keys let happen"),
        Binding("escape", "back", "Back", id="back"),
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._rows: tuple[Row, ...] = ()
        self._others: tuple[Other, ...] = ()
        self._keyring: Place | None = None
        self._left_over: tuple[LeftOver, ...] = ()
        self._seen: tuple[Entry, ...] = ()
        """The list of keys, as it is drawn."""
        self._told_at: int | None = None
        """The line that the fault on screen belongs to."""

    def body(self) -> ComposeResult:
        """Where keys go, the providers, the one at the cursor, and other providers' keys."""
        yield Static(id="keyring", markup=False)
        yield Static(id="heading", markup=False)
        yield OptionList(id="keys", markup=False)
        yield Static(id="detail", markup=False)
        yield FaultBox(id="fault")
        yield Static(id="others", markup=False)

    def on_mount(self) -> None:
        """The list of keys at once; the keyring is asked beside it."""
        super().on_mount()
        self.query_one("#keys").focus()
        self.workspace.vault.on_late = self._tell_late
        self.set_interval(LOOK_S, self._look_again)

    def _look_again(self) -> None:
        """Draw anew where a turnkey in another window changed the list meanwhile."""
        if self.is_current and self.settled and self.workspace.vault.index.entries != self._seen:
            self.draw()

    def _tell_late(self, words: str) -> None:
        """A keyring took a key after nobody waited any more; said from its thread."""

        def tell() -> None:
            self.notify(words, title="The keyring answered", markup=False)
            if self.is_mounted:
                self.draw()

        if self.app.is_running:
            self.app.call_later(tell)

    def draw(self) -> None:
        """Draw what the list of keys says, then look whether the keyring agrees."""
        super().draw()
        self._show(look=False)
        self.look()

    def on_resize(self) -> None:
        """The columns use the whole width."""
        super().on_resize()
        if self._rows:
            self._fill()

    @property
    def settled(self) -> bool:
        """True when it is known which keyring is here, and nothing is being done."""
        return self._keyring is not None and not any(
            worker.group in {"look", "act"} and worker.is_running
            for worker in self.workers
            if worker.node is self
        )

    @work(exclusive=True, group="look", exit_on_error=False)
    async def look(self) -> None:
        """Ask which keyring is here; its keys are only read when it is open, so nobody is asked."""
        vault = self.workspace.vault
        self._keyring = await beside(vault.keyring)
        if self._keyring.kind == "keyring" and self._keyring.fault is None:
            self._rows = await beside(partial(self._read, look=True))
            self._fill()
        else:
            self._show(look=False)
        self._say_keyring()

    def _read(self, *, look: bool) -> tuple[Row, ...]:
        place = self._keyring
        name = place.name if place is not None and place.kind == "keyring" else None
        return rows(self.workspace, keyring=name, look=look, now=datetime.now(UTC))

    def _show(self, *, look: bool) -> None:
        self._rows = self._read(look=look)
        self._others = others(self.workspace)
        self._left_over = left_over(self.workspace, datetime.now(UTC))
        self._seen = self.workspace.vault.index.entries
        self._fill()
        self._say_keyring()
        self._say_others()

    def _say_keyring(self) -> None:
        place = self._keyring
        line = self.query_one("#keyring", Static)
        if self.workspace.demo is not None:
            line.update("The demo's keys live in memory, for this run.")
        elif place is None:
            line.update("looking for the keyring …")
        elif place.kind == "keyring":
            closed = "" if place.fault is None else f"▲ {place.fault.fix}"
            line.update(f"{place.name} {place.words}. {closed}".strip())
        else:
            fix = "" if place.fault is None else place.fault.fix
            line.update(Content.styled(f"▲ Keys are {one_line(place.words)}. {fix}", "$warning"))

    def _fill(self) -> None:
        found = self.query_one("#keys", OptionList)
        at = found.highlighted or 0
        width = self.app.size.width
        widths = (18, 36, 22) if width >= 100 else (12, 30, 18) if width >= 76 else NARROW
        age = "" if widths == NARROW else "  age"
        heading = "  ".join(
            word.ljust(width)
            for word, width in zip(("provider", "variable", "where now"), widths, strict=True)
        )
        self.query_one("#heading", Static).update(
            f"    {heading}{age}" if self._rows or self._left_over else ""
        )
        self.set_class(not (self._rows or self._left_over), "-empty")
        found.clear_options()
        found.add_options([Option(row_lines(row, widths)) for row in self._rows])
        found.add_options([Option(left_over_lines(one, widths)) for one in self._left_over])
        if found.option_count:
            found.highlighted = min(at, found.option_count - 1)
        self._describe()

    def _say_others(self) -> None:
        shown = [
            f"▲ {other.variable} {'has a key' if other.stored else 'is set here'}: an unset lane "
            f"would go to {other.provider}"
            for other in self._others[:2]
        ]
        if len(self._others) > 2:
            shown[-1] += f", and {len(self._others) - 2} more"
        if shown:
            shown[-1] += "   w why"
        self.query_one("#others", Static).update(Content.styled("\n".join(shown), "$warning"))

    def _describe(self) -> None:
        row = self._row()
        detail = self.query_one("#detail", Static)
        if row is None:
            left = self._left()
            detail.update(EMPTY if left is None else left.words)
            return
        lines = list(row.notes)
        fault = row.fault
        if fault is not None:
            lines[:0] = [part for part in (fault.what, fault.why, _how(fault)) if part]
        detail.update("\n".join(one_line(line, 400) for line in lines))

    @on(OptionList.OptionHighlighted, "#keys")
    def describe(self) -> None:
        """What there is to know of the provider at the cursor."""
        if self._told_at not in {None, self.query_one("#keys", OptionList).highlighted}:
            self.query_one(FaultBox).clear()
            self._told_at = None
        self._describe()

    @on(OptionList.OptionSelected, "#keys")
    def choose(self) -> None:
        """Enter does what the line needs most."""
        row = self._row()
        if row is None:
            self._tell_left()
            return
        bound = row.fault is not None and row.fault.code == "key_bound_elsewhere"
        (self.action_rebind if bound else self.action_set)()

    def _row(self) -> Row | None:
        at = self.query_one("#keys", OptionList).highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    def _left(self) -> LeftOver | None:
        at = self.query_one("#keys", OptionList).highlighted
        number = -1 if at is None else at - len(self._rows)
        return self._left_over[number] if 0 <= number < len(self._left_over) else None

    def _provider(self) -> Provider | None:
        row = self._row()
        return None if row is None else self.workspace.provider(row.provider)

    def _tell(self, fault: Fault) -> None:
        self._told_at = self.query_one("#keys", OptionList).highlighted
        self.query_one(FaultBox).show(fault)

    def _tell_left(self) -> None:
        """A line that no provider uses can only be deleted: say so."""
        left = self._left()
        if left is not None:
            shown = one_line(left.variable, 60)
            what = f"{shown} is the key of no provider of this file at that address."
            why = "A key is set, re-bound and imported for a provider."
            self._tell(Fault("usage", what, why, "x deletes it from the list."))

    def _done(self, title: str, words: str) -> None:
        self.query_one(FaultBox).clear()
        self.notify(words, title=title, markup=False)
        self.draw()

    def _done_in(self, place: Place, row: Row, title: str) -> None:
        self._done(title, f"{row.variable}: {place.for_origin(row.origin)}")
        if place.fault is not None:
            self._tell(place.fault)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a provider there is nothing to do; without such keys nothing to explain."""
        if not self.is_mounted:
            return True
        if action in {"set", "rebind", "import"}:
            return True if self._rows else None
        if action == "delete":
            return True if self._rows or self._left_over else None
        if action == "why":
            return bool(self._others)
        return True

    # What the keys do

    def action_set(self) -> None:
        """Ask for the key, and keep it there.

        The question is there before the next key is pressed: a key that is pasted early must not
        be read as commands.
        """
        provider, row = self._provider(), self._row()
        if provider is None or row is None:
            self._tell_left()
            return
        if not row.origin:
            self._tell(row.fault or Fault("usage", row.preflight))
            return
        vault = self.workspace.vault
        patience = vault.patience()

        def answered(cleaned: Cleaned | None) -> None:
            if cleaned is None:
                patience.stop()  # nobody waits for the keyring's answer any more
            else:
                self.keep(provider, row, cleaned)

        question = f"Key for {provider.name}, filed as {row.variable}"
        find = partial(vault.prepare, patience, variable=row.variable)
        self.app.push_screen(AskKey(question, find, row.origin), answered)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def keep(self, provider: Provider, row: Row, cleaned: Cleaned) -> None:
        """Store what was typed, and say where it went."""
        self.query_one("#keyring", Static).update("storing the key …")
        try:
            kept = await beside(partial(set_key, self.workspace, provider, cleaned.secret))
        except TurnkeyError as error:
            self._tell(error.fault)
            return
        self._done_in(kept, row, "The key is kept")

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_rebind(self) -> None:
        """Ask whether the key may go to this origin, both origins named; then record it."""
        provider, row = self._provider(), self._row()
        if provider is None or row is None:
            self._tell_left()
            return
        try:
            if row.fault is None or row.fault.code != "key_bound_elsewhere":
                self._tell(
                    Fault(
                        "usage",
                        f"There is nothing to re-bind for {provider.name}.",
                        "Its key may go to this origin, or there is none.",
                    )
                )
                return
            kept = self.workspace.vault.stored_for(row.variable)
            if len(kept) > 1:
                await self._rebind_one_of(provider, row, kept)
            elif await may_go(self, self.workspace, provider, row.fault):
                self._done("Re-bound", f"{row.variable} may go to {row.origin} now")
        except TurnkeyError as error:
            self._tell(error.fault)

    async def _rebind_one_of(self, provider: Provider, row: Row, kept: tuple[str, ...]) -> None:
        answer = await self.app.push_screen_wait(
            AskChoice(
                f"{row.variable} is kept for several origins.\n"
                f"Which of these keys may go to {row.origin} from now on?",
                (
                    ("none", "None"),
                    *((f"from-{number}", origin) for number, origin in enumerate(kept)),
                ),
            )
        )
        if answer is None or answer == "none":
            return
        chosen = kept[int(answer.removeprefix("from-"))]
        await beside(partial(rebind, self.workspace, provider, from_origin=chosen))
        self._done("Re-bound", f"{row.variable} may go to {row.origin} now, not to {chosen}")

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_import(self) -> None:
        """Take the environment's key into the keyring."""
        provider, row = self._provider(), self._row()
        if provider is None or row is None:
            self._tell_left()
            return
        take = partial(import_key, self.workspace, provider)
        try:
            try:
                found, place = await beside(take)
            except KeyProblem as problem:
                if not await may_go(self, self.workspace, provider, problem.fault):
                    raise
                found, place = await beside(take)
        except TurnkeyError as error:
            self._tell(error.fault)
            return
        self._done_in(place, row, f"${found} is kept")

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_delete(self) -> None:
        """Ask, then delete the key for this origin."""
        provider, row = self._provider(), self._row()
        left = self._left()
        if left is not None:
            await self._drop(left)
        if provider is None or row is None:
            return
        answer = await self.app.push_screen_wait(
            AskChoice(
                f"Delete the key of {one_line(provider.name, 60)} for {one_line(row.origin, 200)}?"
                "\nIt cannot be had back from here. The environment stays as it is.",
                (("keep", "Keep it"), ("delete", "Delete it")),
            )
        )
        if answer != "delete":
            return
        try:
            deleted = await beside(partial(delete_key, self.workspace, provider))
        except TurnkeyError as error:
            self._tell(error.fault)
            return
        self._done("Deleted" if deleted else "Nothing deleted", f"{row.origin} has no key now")

    async def _drop(self, left: LeftOver) -> None:
        stored = left.source == "keyring"
        answer = await self.app.push_screen_wait(
            AskChoice(
                f"{'Delete the key' if stored else 'Forget the environment’s'} "
                f"{one_line(left.variable, 60)} for {one_line(left.origin, 200)}?\n"
                + ("Another file may use it. " if stored else "")
                + "It cannot be had back from here.",
                (("keep", "Keep it"), ("delete", "Delete it" if stored else "Forget it")),
            )
        )
        if answer != "delete":
            return
        try:
            await beside(partial(drop, self.workspace, left))
        except TurnkeyError as error:
            self._tell(error.fault)
            return
        self._done("Deleted" if stored else "Forgotten", f"{left.variable} for {left.origin}")

    def action_copy(self) -> None:
        """Send the command that starts Warden with these keys to the terminal's clipboard."""
        copy(self.app, run_line(self.workspace), self.workspace.env)

    def action_why(self) -> None:
        """What other providers' keys would let happen, all of them, and what to do."""
        if self._others:
            fault = why_others(self._others)
            self.app.push_screen(Explain(fault.what, fault.why, fault.fix))


def _how(fault: Fault) -> str:
    if fault.code == "key_bound_elsewhere":
        return "r  re-binds it, after naming both addresses"
    if fault.code == "key_missing":
        return "n  sets it for this origin alone"
    return fault.fix
