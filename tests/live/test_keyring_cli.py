"""The command line on a real Secret Service: from the prompt to the child's environment."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.live.secret_service import SecretService, State, missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.live.keyring_cli import Came, Step

    Commands = Callable[..., list[Came]]

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is Linux's"),
]

KEY: Final = "sk-canary-CLI-41c2-WXYZ"
VARIABLE: Final = "WARDEN_LITELLM_API_KEY"
GW: Final = "http://gw.example:4000"
NEW: Final = "https://new.example"
SHOW: Final = f"import os; print(os.environ.get('{VARIABLE}'))"
RUN: Final = ["run", "--", sys.executable, "-c"]


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    """gnome-keyring and dbus, installed where that is possible."""
    why = missing()
    if why is not None:
        pytest.skip(why)


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    """Runs steps of ``keyring_cli`` on a file that names ``origin``."""
    service = SecretService(tmp_path)
    file = tmp_path / "warden.toml"

    def run(*steps: Step, state: State = "unlocked", origin: str = GW) -> list[Came]:
        file.write_text(f'version = 1\n[defaults.providers.litellm]\nbaseUrl = "{origin}/v1"\n')
        named = [{**step, "argv": with_config(step["argv"], file)} for step in steps]
        program = [sys.executable, "-m", "tests.live.keyring_cli"]
        done = service.run(state, program, stdin=json.dumps(named))
        assert done.returncode == 0, done.stderr
        came: list[Came] = json.loads(done.stdout)
        return came

    return run


def with_config(argv: list[str], file: Path) -> list[str]:
    """The command on that file."""
    words = 2 if argv[0] == "keys" else 1
    return [*argv[:words], "--config", str(file), *argv[words:]]


def test_a_key_goes_in_by_prompt_and_out_into_one_childs_environment(
    commands: Commands, tmp_path: Path
) -> None:
    asked, listed, source, shown, printed = commands(
        {"argv": ["keys", "set", "litellm"], "terminal": f"{KEY}\n"},
        {"argv": ["keys", "list", "--json"]},
        {"argv": ["keys", "source", "--json"]},
        {"argv": [*RUN, SHOW]},
        {"argv": ["env"]},
    )
    assert asked["code"] == 0, asked
    assert "Secret Service" in asked["out"]
    assert KEY not in asked["out"], "the terminal shows what is typed"
    assert [(one["variable"], one["origin"]) for one in json.loads(listed["out"])["keys"]] == [
        (VARIABLE, GW)
    ]
    (row,) = json.loads(source["out"])["keys"]
    assert (row["source"], row["preflight"]) == ("keyring", False)
    assert (shown["code"], shown["out"]) == (0, f"{KEY}\n")
    assert printed["out"] == f"export {VARIABLE}='{KEY}'\n"
    for came in (asked, listed, source):
        assert KEY not in came["out"] + came["err"]
    held = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "login.keyring" for path in held)
    assert all(KEY.encode() not in path.read_bytes() for path in held)


def test_the_child_behaves_as_if_the_shell_had_started_it(commands: Commands) -> None:
    ask = "print(input('name?'), __import__('sys').stdin.isatty())"
    wait = "import time; print('ready', flush=True); time.sleep(60)"
    _, seven, ended, spoke, job = commands(
        {"argv": ["keys", "set", "litellm"], "stdin": KEY},
        {"argv": [*RUN, "raise SystemExit(7)"]},
        {"argv": [*RUN, wait], "interrupt": True},
        {"argv": [*RUN, ask], "terminal": "Ada\n"},
        {
            "argv": [*RUN, "import os; print(os.tcgetpgrp(0) == os.getpgrp(), end=':')"],
            "terminal": "",
        },
    )
    assert seven["code"] == 7
    assert (ended["code"], ended["out"]) == (-2, "ready\n")
    assert "KeyboardInterrupt" in ended["err"], "the child's own words"
    assert spoke["code"] == 0
    assert "Ada True" in spoke["out"]
    assert job["out"] == "True:"


def test_a_key_is_rebound_and_deleted_by_command(commands: Commands) -> None:
    commands({"argv": ["keys", "set", "litellm"], "stdin": KEY})
    refused, none, bound, shown, gone, missed = commands(
        {"argv": [*RUN, SHOW]},
        {"argv": ["env"]},
        {"argv": ["keys", "rebind", "litellm"]},
        {"argv": [*RUN, SHOW]},
        {"argv": ["keys", "delete", "litellm"]},
        {"argv": [*RUN, SHOW]},
        origin=NEW,
    )
    for came in (refused, none):
        assert (came["code"], came["out"]) == (5, "")
        assert GW in came["err"]
        assert NEW in came["err"]
    assert bound["code"] == 0, bound
    assert shown["out"] == f"{KEY}\n"
    assert gone["code"] == 0, gone
    assert missed["code"] == 5


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("locked", "Secret Service is locked"),
        ("empty", "has no keyring to store in yet"),
        ("absent", "There is no keyring here"),
    ],
)
def test_a_keyring_that_does_not_work_takes_no_key_and_says_why(
    state: State, words: str, commands: Commands
) -> None:
    if state == "locked":
        commands({"argv": ["keys", "set", "litellm"], "stdin": KEY})
    stored, ran = commands(
        {"argv": ["keys", "set", "litellm"], "stdin": KEY},
        {"argv": [*RUN, SHOW]},
        state=state,
    )
    assert stored["code"] == 5
    assert words in stored["err"]
    assert "fix:" in stored["err"]
    assert ran["code"] == 5
    assert ran["out"] == ""
