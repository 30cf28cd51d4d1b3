"""What starting costs: in fresh interpreters, each part of turnkey imports only what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tui.cli import COMMANDS

ROOT: Final = Path(__file__).resolve().parents[1]
HEAVY: Final = frozenset(
    {
        *("textual", "rich", "httpx", "httpcore", "ssl", "keyring", "tomlkit", "msgspec"),
        *("uvicorn", "asyncio", "platformdirs"),
    }
)
SCREENS: Final = frozenset({"textual", "rich", "screens", "tui.app"})

_LOADED: Final = """
import runpy, sys
before = set(sys.modules)
try:
{code}
finally:
    found = sorted(set(sys.modules) - before)
    sys.stderr.write("\\nLOADED " + " ".join(found))
"""


def loaded(code: str) -> frozenset[str]:
    """The modules that ``code`` makes a fresh interpreter load, beyond those it starts with."""
    indented = "\n".join(f"    {line}" for line in code.splitlines())
    done = subprocess.run(
        [sys.executable, "-c", _LOADED.format(code=indented)],
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    _, marked, modules = done.stderr.rpartition("\nLOADED ")
    assert marked, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return frozenset(modules.split())


def modules_of(package: str) -> list[str]:
    """The modules of a package of this repository, by their files."""
    folder = ROOT / package
    return sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in folder.rglob("*.py")
    )


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["-h"]])
def test_version_and_help_load_nothing_heavy(arguments: list[str]) -> None:
    found = loaded(f"from tui.door import main\nassert main({arguments!r}) == 0")
    assert sorted(found & HEAVY) == []
    assert [name for name in found if name.startswith("tui.commands.")] == []


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["-h"]])
def test_version_and_help_load_no_command_line(arguments: list[str]) -> None:
    found = loaded(f"from tui.door import main\nassert main({arguments!r}) == 0")
    assert sorted(found & (HEAVY | {"click", "tui.cli"})) == []


def test_the_way_to_the_first_frame_loads_what_a_frame_needs_alone() -> None:
    found = loaded("import tui.door, tui.commands.screens, tui.launch, tui.app")
    late = {"click", "httpx", "keyring", "tomlkit", "uvicorn", "core.workspace", "core.warden"}
    assert sorted(found & late) == []
    assert [name for name in found if name.startswith("screens")] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    found = loaded(f"from tui.door import main\nassert main([{command!r}, '--help']) == 0")
    assert sorted(found & (HEAVY - {"msgspec", "asyncio", "ssl"})) == []
    assert sorted(found & SCREENS) == []


def test_no_module_of_the_core_loads_a_screen() -> None:
    names = modules_of("core")
    assert len(names) > 20
    # httpx loads its own command line, and rich with it, wherever rich is installed (0.28.1);
    # with that switched off, whatever still loads rich is the core
    without = "import sys\nsys.modules['httpx._main'] = None\n"
    found = loaded(without + "\n".join(f"import {name}" for name in names))
    assert set(names) <= found
    assert sorted(found & SCREENS) == []


def test_no_command_loads_a_screen() -> None:
    names = modules_of("tui/commands")
    found = loaded("\n".join(f"import {name}" for name in names))
    assert set(names) <= found
    assert sorted(found & (SCREENS | {"httpx", "keyring", "uvicorn", "tomlkit"})) == []


def test_the_first_frame_needs_no_network_library() -> None:
    found = loaded("import tui.app\nimport screens.home")
    assert "textual" in found
    assert sorted(found & {"httpx", "uvicorn", "keyring", "tomlkit"}) == []


def test_a_headless_edit_of_the_file_loads_no_network_library(tmp_path: Path) -> None:
    file = tmp_path / "warden.toml"
    file.write_text("version = 1\n", encoding="utf-8")
    code = f"from tui.door import main\nassert main(['lanes', '--config', {str(file)!r}]) == 0"
    assert sorted(loaded(code) & (SCREENS | {"httpx", "uvicorn", "keyring"})) == []
