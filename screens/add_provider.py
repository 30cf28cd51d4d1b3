"""Add provider: a kind, a name, an address, a key; everything else is found out."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Static, Tab, Tabs

from core.draft import Draft, silent
from core.errors import TurnkeyError
from core.keys.bounded import beside
from core.keys.clean import clean_key
from core.providers.base_url import read_base_url
from core.providers.names import name_fault, name_warnings
from core.providers.presets import presets
from core.warden.config import Provider
from tui.widgets.ask_key import may_go
from tui.widgets.fault import FaultBox
from tui.widgets.field import Field, Tone
from tui.widgets.shell import ToModels, TurnkeyScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.discover.facts import Discovery
    from core.keys.place import Place
    from core.keys.secret import Secret
    from core.keys.source import KeySource
    from core.providers.presets import Preset
    from core.workspace import Workspace

OFFERED = {
    "litellm": "LiteLLM",
    "ollama": "Ollama",
    "vllm": "vLLM",
    "lmstudio": "LM Studio",
    "llamacpp": "llama.cpp",
    "generic": "other",
}
"""Dialect -> its short label on the form, in the order shown."""


class AddProviderScreen(TurnkeyScreen[None]):
    """The form, validated as it is typed, and the first question to the endpoint."""

    TITLE = "add a provider"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "connect", "Connect", id="connect", tooltip="Ask the endpoint"),
        Binding("escape", "back", "Back", id="back", tooltip="Back; nothing was written"),
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        offered = {preset.dialect: preset for preset in presets()}
        self._presets: tuple[Preset, ...] = tuple(offered[dialect] for dialect in OFFERED)
        self._preset = self._presets[0]
        self._place: Place | None = None
        self._source: KeySource | None = None
        self._stored: Secret | None = None
        self._asking = False

    def body(self) -> ComposeResult:
        """The kinds, three fields, and what came back."""
        with VerticalScroll(id="form"):
            yield Tabs(
                *(Tab(OFFERED[preset.dialect], id=preset.dialect) for preset in self._presets),
                id="preset",
            )
            yield Field("Name", id="name", placeholder="litellm")
            yield Field("Base URL", id="url", placeholder="http://localhost:4000/v1")
            yield Field("Key", id="key", placeholder="none", password=True)
            with Horizontal(id="buttons"):
                yield Button("Connect", id="connect", variant="primary", compact=True)
                yield Button("Continue without an answer", id="anyway", compact=True)
            yield Static(id="answer", markup=False)
            yield FaultBox(id="fault")

    def on_mount(self) -> None:
        """Fill in the first preset, or the demo's own address and key."""
        super().on_mount()
        self.query_one("#anyway").display = False
        suggestion = self.workspace.demo
        if suggestion is not None:
            self.query_one("#name", Field).value = suggestion.name
            self.query_one("#url", Field).value = suggestion.base_url
            self.query_one("#key", Field).value = suggestion.key.reveal()
        else:
            self._fill(self._preset)
        self.look_up_key()
        self.query_one("#preset").focus()

    @property
    def settled(self) -> bool:
        """True when it is known where a key would go, and whether one is there already."""
        return self._place is not None and not any(
            worker.group == "key" and worker.is_running
            for worker in self.workers
            if worker.node is self
        )

    def _fill(self, preset: Preset) -> None:
        name, url = self.query_one("#name", Field), self.query_one("#url", Field)
        if name.value in {"", self._preset.name}:
            name.value = preset.name
        if url.value in {"", self._preset.base_url}:
            url.value = preset.base_url
        self._preset = preset

    @on(Tabs.TabActivated)
    def choose_preset(self, event: Tabs.TabActivated) -> None:
        """A preset fills in name and base URL; what was typed stays."""
        chosen = next(preset for preset in self._presets if preset.dialect == event.tab.id)
        self._fill(chosen)

    @on(Input.Changed)
    def judge(self, event: Input.Changed) -> None:
        """Every field is judged as it is typed."""
        if event.input.id == "name-input":
            self._judge_name()
        elif event.input.id == "url-input":
            self._judge_url()
        self._judge_key()
        if event.input.id != "key-input":
            self.look_up_key()
        self.query_one("#anyway").display = False

    def _judge_name(self) -> bool:
        field = self.query_one("#name", Field)
        taken = [provider.name for provider in self.workspace.config.providers]
        fault = name_fault(field.value, taken)
        if fault is not None:
            field.say(("bad", f"{fault.what} {fault.fix}".strip()))
            return False
        notes: list[tuple[Tone, str]] = [
            ("warn", f"{warning.what} {warning.fix}".strip())
            for warning in name_warnings(field.value, taken)
        ]
        field.say(("quiet", f"selectors will read {field.value}/<model>"), *notes)
        return True

    def _judge_url(self) -> bool:
        field = self.query_one("#url", Field)
        try:
            base = read_base_url(field.value)
        except TurnkeyError as error:
            field.say(("bad", f"{error.fault.what} {error.fault.why}".strip()))
            return False
        notes: list[tuple[Tone, str]] = [("warn", words) for words in base.warnings]
        if base.changes:
            notes.insert(0, ("quiet", f"→ {base.url}  ({' '.join(base.changes)})"))
        elif not notes:
            notes.append(("quiet", "this machine" if base.loopback else f"origin {base.origin}"))
        field.say(*notes)
        return True

    def _judge_key(self) -> bool:
        field = self.query_one("#key", Field)
        if not field.value:
            field.say(*self._unset_key_words())
            return True
        try:
            notes = clean_key(field.value).notes
        except TurnkeyError as error:
            field.say(("bad", error.fault.what))
            return False
        lines: list[tuple[Tone, str]] = [("warn", note) for note in notes]
        field.say(("quiet", self._where()), *lines)
        return True

    def _where(self) -> str:
        if self._place is None:
            return "looking for the keyring …"
        try:
            origin = read_base_url(self.query_one("#url", Field).value).origin
        except TurnkeyError:
            return self._place.words
        return self._place.for_origin(origin)

    def _unset_key_words(self) -> list[tuple[Tone, str]]:
        from core.keys.words import source_words

        if self._source is None:
            return [("quiet", "no key")]
        if self._source.fault is not None and self._source.fault.code != "key_missing":
            return [("warn", self._source.fault.what)]
        return [("quiet", source_words(self._source))]

    @work(exclusive=True, group="key", exit_on_error=False)
    async def look_up_key(self) -> None:
        """Where a key would go, and whether one is known already; never blocks the form."""
        if self._place is None:
            self._place = await beside(self.workspace.vault.prepare)
        try:
            base = read_base_url(self.query_one("#url", Field).value)
        except TurnkeyError:
            return
        provider = Provider(name=self.query_one("#name", Field).value, base_url=base.url)
        look = partial(self.workspace.key_for, provider, base, send=False)
        self._source, self._stored = await beside(look)
        self._judge_key()

    @on(Input.Submitted)
    def next_field(self, event: Input.Submitted) -> None:
        """Enter goes to the next field; in the last one it connects."""
        if event.input.id == "key-input":
            self.action_connect()
        else:
            self.screen.focus_next()

    @on(Button.Pressed, "#connect")
    def press_connect(self) -> None:
        """The button does what the key does."""
        self.action_connect()

    def action_connect(self) -> None:
        """Ask the endpoint what it is and what it serves."""
        right = (self._judge_name(), self._judge_url(), self._judge_key())
        if all(right) and not self._asking:
            self.ask()

    def _key(self) -> tuple[Secret | None, bool]:
        typed = self.query_one("#key", Field).value
        if typed:
            return clean_key(typed).secret, True
        return self._stored, False

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def ask(self) -> None:
        """Discover; on an answer the models come next, on a failure its cause stands here."""

        answer = self.query_one("#answer", Static)
        fault = self.query_one(FaultBox)
        fault.clear()
        typed_url = self.query_one("#url", Field).value
        base = read_base_url(typed_url)
        self._asking = True
        answer.update(f"asking {base.url} …")
        try:
            key, typed = self._key()
            if not typed and await self._agreed():
                self._source, self._stored = await beside(
                    partial(self.workspace.key_for, self._provider(), base)
                )
                key = self._stored
            if not typed and self._source is not None and self._source.source == "environment":
                _, key = await beside(partial(self.workspace.key_for, self._provider(), base))
            found = await self.workspace.asker.discover(typed_url, key, {})
        except TurnkeyError as error:
            answer.update("")
            fault.show(error.fault)
            return
        except asyncio.CancelledError:
            answer.update("stopped")
            raise
        finally:
            self._asking = False
        answer.update(state_words(found))
        if found.error is not None:
            fault.show(found.error)
            self.query_one("#anyway").display = True
            return
        self._go_on(found)

    async def _agreed(self) -> bool:
        """Whether a key that belongs to another address may go to this one: asked, and said yes."""
        fault = None if self._source is None else self._source.fault
        if fault is None:
            return False
        return await may_go(self, self.workspace, self._provider(), fault)

    def _provider(self) -> Provider:
        url = read_base_url(self.query_one("#url", Field).value).url
        return Provider(name=self.query_one("#name", Field).value, base_url=url)

    @on(Button.Pressed, "#anyway")
    def continue_anyway(self) -> None:
        """The endpoint may be down today: its models can be typed."""
        self._go_on(silent(read_base_url(self.query_one("#url", Field).value)))

    def _go_on(self, found: Discovery) -> None:
        key, typed = self._key()
        name = self.query_one("#name", Field).value
        base = read_base_url(found.endpoint.base_url)
        self.open(ToModels(draft=Draft(name, base, key, typed, found)))


def state_words(found: Discovery) -> str:
    """The three results in a line: reachable, authorised, and that works needs a model."""
    signs = {True: "✓", False: "✗", None: "·"}
    version = f" {found.endpoint.version}" if found.endpoint.version else ""
    return (
        f"reachable {signs[found.reachable]} {found.seconds * 1000:.0f} ms   "
        f"authorised {signs[found.authorised]}   "
        + (
            f"works · try a model next   ({found.endpoint.dialect}{version})"
            if found.error is None
            else "works ·"
        )
    )
