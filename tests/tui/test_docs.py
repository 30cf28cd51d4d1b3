"""What README, CHANGELOG, CONTRIBUTING and the help topics name: commands, options, keys exist.

And what the README lists of something is all there is of it.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import shlex
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import click
import pytest
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode

import screens
import tui.widgets
from core.doctor.rungs import Name
from core.export.setup import TARGETS
from core.topics import TOPICS
from tui.app import TurnkeyApp
from tui.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES: Final = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")
} | {
    f"help/{path.name}": path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "assets" / "help").glob("*.md"))
}
FOREIGN: Final = frozenset({"--model", "--runtime", "--effort", "--offline", "--snapshot-update"})
"""Options that pages name of other programs: Warden and pytest."""
_FENCE: Final = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")


def _blocks() -> Iterator[str]:
    for block in _FENCE.findall(README):
        for line in block.splitlines():
            found = re.match(r"turnkey\b[^#]*", line)
            if found:
                yield found[0].strip()


def _spoken() -> Iterator[tuple[str, str]]:
    """Every command that a page names in a sentence, a table or an example of a topic."""
    for page, text in PAGES.items():
        for code in _INLINE.findall(_FENCE.sub("", text)):
            line = " ".join(code.replace("\\|", "|").split())
            if re.match(r"turnkey( |$)", line):
                yield page, line
        if page.startswith("help/"):
            for found in re.finditer(r"^  (turnkey .*?)(?:  .*)?$", text, re.MULTILINE):
                yield page, found[1]


def _walk(line: str) -> tuple[click.Command, click.Context, list[str]]:
    """The command of a line, its context, and what is left of the line."""
    words = shlex.split(line)[1:]
    command: click.Command = cli
    context = click.Context(cli, info_name="turnkey")
    while words and isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        if found is None:
            break
        command, context = found, click.Context(found, info_name=words.pop(0), parent=context)
    return command, context, words


def _options(command: click.Command) -> set[str]:
    return {
        "--help",
        *(name for one in command.params for name in (*one.opts, *one.secondary_opts)),
    }


def _commands(command: click.Command, context: click.Context) -> Iterator[click.Command]:
    yield command
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        assert isinstance(command, click.Group)
        inner = command.get_command(context, name)
        assert inner is not None
        yield from _commands(inner, click.Context(inner, info_name=name, parent=context))


@pytest.mark.parametrize("line", sorted(set(_blocks())))
def test_a_command_of_the_readme_parses(line: str) -> None:
    command, _, words = _walk(line)
    command.make_context(command.name, words)


@pytest.mark.parametrize(("page", "line"), sorted(set(_spoken())))
def test_a_command_that_a_page_names_exists_with_its_options(page: str, line: str) -> None:
    parts = [part.split("|") for part in line.split()]
    for variant in product(*parts) if "-- " not in line else [tuple(line.split())]:
        command, _, words = _walk(" ".join(variant).removesuffix("…"))
        if isinstance(command, click.Group) and words:
            assert words[0].startswith("-"), f"{page}: {' '.join(variant)}"
        own = words[: words.index("--")] if "--" in words else words
        named = {word.partition("=")[0] for word in own if word.startswith("--")}
        assert named <= _options(command), f"{page}: {' '.join(variant)}"


def test_every_option_that_a_page_names_is_one() -> None:
    known = {option for one in _commands(cli, click.Context(cli)) for option in _options(one)}
    for page, text in PAGES.items():
        for code in _INLINE.findall(_FENCE.sub("", text)):
            named = re.match(r"--[a-z][a-z-]*", code)
            assert named is None or named[0] in known | FOREIGN, f"{page}: {code}"


def test_every_command_stands_in_the_readme() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert command.hidden or f"`turnkey {name}" in README, name
        for inner in command.list_commands(context) if isinstance(command, click.Group) else ():
            assert re.search(rf"turnkey {name}\b[^`]*\b{inner}\b", README), f"{name} {inner}"


# --- keys ---------------------------------------------------------------------------------------

_KEY: Final = re.compile(r"[A-Za-z?=]|ctrl\+[a-z]|esc|enter")
_NAMES: Final = {"?": "question_mark", "=": "equals_sign", "esc": "escape"}


def _bindings(node: type[DOMNode]) -> Iterator[str]:
    for one in node.BINDINGS:
        keys = one.key if isinstance(one, Binding) else one[0]
        yield from (key.strip() for key in keys.split(","))


def _bound() -> set[str]:
    """Every key that the app, a screen or a widget of turnkey's own binds."""
    found = {*_bindings(App), *_bindings(TurnkeyApp), TurnkeyApp.COMMAND_PALETTE_BINDING}
    for package in (screens, tui.widgets):
        for one in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for held in vars(importlib.import_module(one.name)).values():
                if isinstance(held, type) and issubclass(held, DOMNode):
                    found |= set(_bindings(held))
    return found


def test_every_key_that_the_readme_names_is_bound() -> None:
    bound = _bound()
    named = {code for code in _INLINE.findall(README) if _KEY.fullmatch(code)}
    assert len(named) > 12
    assert {key for key in named if not {key, _NAMES.get(key, key)} & bound} == set()


@pytest.mark.parametrize(
    ("module", "screen", "keys"),
    [
        ("home", "HomeScreen", "akxvtmles"),
        ("lanes", "LanesScreen", "ceVLts"),
        ("live", "LiveScreen", "iyr="),
        ("keys", "KeysScreen", "nrixc"),
        ("doctor", "DoctorScreen", "cr"),
        ("check", "CheckScreen", "f"),
    ],
)
def test_a_screen_has_the_keys_that_the_readme_gives_it(
    module: str, screen: str, keys: str
) -> None:
    held = getattr(importlib.import_module(f"screens.{module}"), screen)
    bound = set(_bindings(held))
    assert {key for key in keys if not {key, _NAMES.get(key, key)} & bound} == set()


# --- lists --------------------------------------------------------------------------------------


def _table(heading: str) -> list[str]:
    """The first cells of the README's table whose head row starts with ``heading``."""
    rows = README[README.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return [re.split(r"(?<!\\)\|", row)[1].strip() for row in rows]


def test_the_rungs_are_the_doctors() -> None:
    assert [cell.strip("`") for cell in _table("rung")] == list(get_args(Name))


def test_the_targets_are_the_exports() -> None:
    listed = [
        name for cell in _table("`turnkey export …`") for name in re.findall(r"`(.+?)`", cell)
    ]
    assert sorted(listed) == sorted(TARGETS)


def test_the_exit_codes_are_those_of_the_help() -> None:
    told = PAGES["help/exit-codes.md"]
    listed = re.findall(r"^  (\d+) ", told, re.MULTILINE)
    assert ", ".join(_table("exit code")).split(", ") == listed
    assert "exit-codes" in TOPICS


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_what_the_readme_links_to_is_there(link: str) -> None:
    assert (ROOT / link).is_file()
