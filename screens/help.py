"""Help: what each key of the screen in front does, and the concepts behind it."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Static, Tab, Tabs

from core.topics import topic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.screen import Screen

TOPICS: Final[dict[str, tuple[str, ...]]] = {
    "HomeScreen": ("lanes", "escapes", "variants", "keys"),
    "AddProviderScreen": ("servers", "keys", "variants"),
    "ModelsScreen": ("servers", "figures"),
    "LanesScreen": ("lanes", "escapes", "variants"),
    "LiveScreen": ("figures", "servers"),
    "RaceScreen": ("figures",),
    "DoctorScreen": ("servers", "warden-errors", "keys"),
    "KeysScreen": ("keys", "escapes"),
    "CheckScreen": ("escapes", "lanes", "variants", "warden-errors"),
    "ProviderScreen": ("servers", "keys", "variants"),
    "SaveScreen": ("variants", "keys"),
    "VerifyScreen": ("verify", "lanes", "warden-errors"),
    "ExportScreen": ("export", "variants", "keys"),
}
"""Screen -> the topics of ``turnkey help`` that it rests on; another screen gets «lanes»."""

EVERYWHERE: Final = (
    ("esc", "back, losing nothing"),
    ("tab", "to the next field or list; shift+tab to the one before"),
    ("↑ ↓ j k g G", "move in a list, to its first or last line"),
    ("/", "find a line of the list by a part of it"),
    ("ctrl+p", "every action by its name, themes too"),
    ("ctrl+y", "copy the error on the screen, for a report; keys are masked"),
    ("ctrl+z", "to the shell and back with fg"),
    ("ctrl+q", "leave turnkey; unsaved edits are asked about"),
)


def rows_of(screen: Screen[object]) -> tuple[tuple[str, str], ...]:
    """The keys that ``screen`` has for its own, with what each does."""
    found: dict[str, str] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        telling = binding.tooltip or binding.description
        # What has no id is Textual's own, or told below for every screen.
        if active.node is not screen or not binding.id or binding.id in _GENERAL or not telling:
            continue
        key = screen.app.get_key_display(binding)
        words = telling if active.enabled else f"{telling} – not now"
        found[words] = f"{found[words]} {key}" if words in found else key
    return tuple((keys, words) for words, keys in found.items())


_GENERAL: Final = frozenset({"help", "copy-fault", "find"})


def _key_line(key: str, words: str, wide: int, room: int) -> Content:
    beside = f"\n{'':{wide}}  ".join(wrap(words, room))
    return Content.assemble((key.rjust(wide), "bold $primary"), f"  {beside}\n")


class HelpScreen(ModalScreen[None]):
    """Explains the screen below it; it asks nobody and changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Back", id="back"),
        Binding("j,down", "scroll('down')", "Down", show=False),
        Binding("k,up", "scroll('up')", "Up", show=False),
        Binding("pagedown,space", "scroll('page_down')", "Page down", show=False),
        Binding("pageup", "scroll('page_up')", "Page up", show=False),
        Binding("g,home", "scroll('home')", "First", show=False),
        Binding("G,end", "scroll('end')", "Last", show=False),
    ]

    def __init__(self, title: str, kind: str, keys: Iterable[tuple[str, str]]) -> None:
        """``kind``: the class name of the screen that is explained."""
        super().__init__()
        self._title = title
        self._keys = tuple(keys)
        self._topics = TOPICS.get(kind, ("lanes",))

    def compose(self) -> ComposeResult:
        """A tab for the keys, one for each topic, and the text below."""
        with Vertical(id="help") as box:
            box.border_title = f"Help: {self._title}"
            yield Tabs(
                Tab("this screen", id="keys"),
                *(Tab(name, id=f"topic-{name}") for name in self._topics),
            )
            with VerticalScroll(id="text", can_focus=False):
                yield Static(id="words", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    @on(Tabs.TabActivated)
    def show(self, event: Tabs.TabActivated) -> None:
        """Show the text of the chosen tab."""
        name = (event.tab.id or "keys").removeprefix("topic-")
        words = self._key_words() if event.tab.id == "keys" else self._topic_words(name)
        self.query_one("#words", Static).update(words)
        self.query_one("#text").scroll_home(animate=False)

    def action_scroll(self, way: str) -> None:
        """Move through the text."""
        text = self.query_one("#text")
        moves = {
            "down": text.scroll_down,
            "up": text.scroll_up,
            "page_down": text.scroll_page_down,
            "page_up": text.scroll_page_up,
            "home": text.scroll_home,
            "end": text.scroll_end,
        }
        moves[way](animate=False)

    def on_resize(self) -> None:
        """The words of a key stay beside it at any width."""
        if self.query_one(Tabs).active == "keys":
            self.call_after_refresh(
                lambda: self.query_one("#words", Static).update(self._key_words())
            )

    def _key_words(self) -> Content:
        wide = max(len(key) for key, _ in (*self._keys, *EVERYWHERE)) + 2
        room = max(20, self.query_one("#words").size.width - wide - 2)
        lines = [_key_line(key, words, wide, room) for key, words in self._keys]
        lines.append(Content.styled("\nEverywhere\n", "bold"))
        lines += [_key_line(key, words, wide, room) for key, words in EVERYWHERE]
        return Content("").join(lines)

    @staticmethod
    def _topic_words(name: str) -> Content:
        found = topic(name)
        return Content.assemble((found.title, "bold"), "\n\n", found.text)
