"""``turnkey help``, ``info`` and ``completion``: what explains turnkey, and helps to type it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from core.topics import TOPICS
from tests.servers.scripted import good_server, running
from tests.tui.desk import KEY, ROOT, START, VARIABLE, Desk, provider_table

if TYPE_CHECKING:
    from pathlib import Path


def test_help_lists_its_topics(desk: Desk) -> None:
    told = desk.turnkey("help")
    assert told.code == 0
    for name in TOPICS:
        assert f"\n  {name} " in told.out


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["escapes"], "E7"),
        (["keys"], "«turnkey keys --help» explains the command."),
        (["keys", "set"], "Usage: turnkey keys set"),
        (["provider"], "Usage: turnkey provider"),
    ],
)
def test_help_explains_a_topic_or_a_command(words: list[str], shown: str, desk: Desk) -> None:
    told = desk.turnkey("help", *words)
    assert told.code == 0
    assert shown in told.out


@pytest.mark.parametrize(
    ("words", "said"), [(["escape"], "turnkey help escapes"), (["keys", "no"], "turnkey keys no")]
)
def test_help_on_nothing_exits_2(words: list[str], said: str, desk: Desk) -> None:
    told = desk.turnkey("help", *words)
    assert told.code == 2
    assert said in told.err


def test_info_names_places_and_variables_without_values(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    desk.write("version = 1\n")
    told = desk.turnkey("info")
    assert told.code == 0
    assert VARIABLE in told.out
    assert "warden.toml" in told.out
    assert "keyring" in told.out
    assert KEY not in told.out + told.err
    found = desk.turnkey("info", "--json").json()
    assert VARIABLE in str(found["variables"])
    assert found["variant"] == "providers"
    assert found["approved"] == 0


def test_info_counts_the_approved_servers_and_names_none(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    with running(good_server(["qwen"], KEY)) as server:
        desk.write(provider_table(server.base_url, "qwen", name="local"))
        desk.export(WARDEN_LOCAL_API_KEY=KEY)
        assert desk.turnkey("ping", "--provider", "local", "--model", "qwen").code == 0
        told = desk.turnkey("info")
    assert "1 approved" in told.out
    assert server.origin not in told.out


def test_adding_a_server_that_answers_approves_it(desk: Desk) -> None:
    desk.write("version = 1\n")
    with running(good_server(["qwen"], None)) as server:
        assert desk.turnkey("provider", "add", "local", "--url", server.base_url).code == 0
    assert desk.turnkey("info", "--json").json()["approved"] == 1


COMPLETED: Final = [
    (["turnkey", "pro"], ["provider"]),
    (["turnkey", "ping", "--provider", "local", "--model", "q"], ["qwen"]),
    (["turnkey", "ping", "--provider", "l"], ["local"]),
    (["turnkey", "ping", "--lane", "a"], ["agent", "auxiliary"]),
    (["turnkey", "help", "esc"], ["escapes"]),
    (["turnkey", "keys", "set", "l"], ["local"]),
    (["turnkey", "keys", "forget", ""], ["local"]),
    (["turnkey", "keys", "delete", "lo"], ["local"]),
    (["turnkey", "keys", "import", "--provider", ""], ["local"]),
    (["turnkey", "provider", "show", ""], ["local"]),
    (["turnkey", "provider", "remove", "x"], []),
    (["turnkey", "provider", "rename", "l"], ["local"]),
    (["turnkey", "lane", "set", "agent", "loc"], ["local/qwen"]),
    (["turnkey", "lane", "set", "s"], ["synthesis"]),
    (["turnkey", "lanes", "--model", "l"], ["local/qwen"]),
    (["turnkey", "models", "--provider", ""], ["local"]),
    (["turnkey", "doctor", "--model", ""], ["qwen"]),
    (["turnkey", "env", "--provider", "l"], ["local"]),
    (["turnkey", "run", "--provider", "l"], ["local"]),
    (["turnkey", "export", "git"], ["github"]),
    (["turnkey", "completion", "z"], ["zsh"]),
]


@pytest.mark.parametrize(("words", "wanted"), COMPLETED)
def test_the_shell_completes_names_of_the_file(
    words: list[str], wanted: list[str], desk: Desk
) -> None:
    desk.write(provider_table("http://127.0.0.1:1/v1", "qwen", name="local"))
    env = {
        "_TURNKEY_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", START],
        cwd=desk.folder,
        env=desk.env | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert [line.partition(",")[2] for line in done.stdout.split()] == wanted


@pytest.mark.parametrize(
    ("instruction", "cursor", "told"),
    [("zsh_complete", "3", "plain\nlocal\n_"), ("fish_complete", "lo", "plain,local")],
)
def test_zsh_and_fish_get_the_same_names(
    instruction: str, cursor: str, told: str, desk: Desk
) -> None:
    desk.write(provider_table("http://127.0.0.1:1/v1", "qwen", name="local"))
    desk.export(_TURNKEY_COMPLETE=instruction, COMP_WORDS="turnkey keys set lo", COMP_CWORD=cursor)
    assert desk.apart().out.strip() == told


def test_a_file_that_cannot_be_read_completes_nothing_and_says_nothing(desk: Desk) -> None:
    desk.write("version = [")
    desk.export(
        _TURNKEY_COMPLETE="bash_complete", COMP_WORDS="turnkey ping --provider x", COMP_CWORD="3"
    )
    told = desk.apart()
    assert (told.code, told.out.strip(), told.err) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["lane", "set", "all", "ollama/qw"], ["ollama/qwen3:8b", "ollama/qwen3:30b"]),
        (["lane", "set", "all", "ollama/qwen3", ":"], ["8b", "30b"]),
        (["lane", "set", "all", "ollama/qwen3", ":", "3"], ["30b"]),
        (["ping", "--model", "qwen3", ":", "8b", "--lane", "sy"], ["synthesis"]),
        (["verify", "--lane", "sy"], ["synthesis"]),
        (["la"], ["lane", "lanes"]),
    ],
)
def test_bash_completes_ids_with_a_colon(desk: Desk, words: list[str], offered: list[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash here")
    desk.write(
        "[defaults.providers.ollama]\nbaseUrl = 'http://127.0.0.1:11434/v1'\n"
        "models = [{id = 'qwen3:8b'}, {id = 'qwen3:30b'}]\n"
    )
    called = shlex.join([sys.executable, "-c", START])
    script = "\n".join(
        [
            f'turnkey() {{ {called} "$@"; }}',
            desk.turnkey("completion", "bash").out,
            f"COMP_WORDS=({shlex.join(['turnkey', *words])}); COMP_CWORD={len(words)}",
            '_turnkey_completion turnkey; printf "%s\\n" "${COMPREPLY[@]}"',
        ]
    )
    env = {**desk.env, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [bash, "-c", script], cwd=desk.folder, env=env, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert done.stdout.split() == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_is_code_of_that_shell(shell: str, desk: Desk, tmp_path: Path) -> None:
    told = desk.turnkey("completion", shell)
    assert told.code == 0
    assert "_TURNKEY_COMPLETE" in told.out
    if (found := shutil.which(shell)) is None:
        pytest.skip(f"there is no {shell} here to read it")
    script = tmp_path / "completion"
    script.write_text(told.out)
    subprocess.run([found, "-n", str(script)], check=True, timeout=30)
