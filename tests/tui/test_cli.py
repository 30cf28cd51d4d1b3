"""The door: help, exit codes, files that cannot be read, interruption, and no traceback ever."""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import sys

import click
import pytest

from tests.tui.desk import START, Desk, at, provider_table
from tui import cli as door
from tui.cli import COMMANDS, main

READING = [
    *(["lanes"], ["check"], ["provider", "list"], ["provider", "show", "x"]),
    *(["provider", "rename", "x", "y"], ["provider", "remove", "x"]),
    *(["lane", "set", "all", "x/y"], ["lane", "unset", "all"]),
    *(["models"], ["ping"], ["ping", "--provider", "x"]),
    *(["keys", "set", "x"], ["keys", "source"], ["keys", "rebind", "x"], ["keys", "import"]),
    *(["env"], ["env", "--names"], ["run", "--", "true"]),
]
WRITING = [
    ["provider", "add", "x", "--url", "localhost:1", "--model", "m"],
    ["keys", "list"],
    ["keys", "delete", "x"],
]


def commands() -> dict[str, click.Command]:
    """Every command that has no commands below it, by its whole name."""
    found: dict[str, click.Command] = {}

    def walk(name: str, command: click.Command) -> None:
        if isinstance(command, click.Group):
            for below, one in command.commands.items():
                walk(f"{name} {below}", one)
        else:
            found[name] = command

    for name, (where, _) in COMMANDS.items():
        module, _, attribute = where.partition(":")
        walk(name, getattr(importlib.import_module(module), attribute))
    return found


def test_every_command_of_the_contract_is_there() -> None:
    assert set(commands()) >= {
        *("provider add", "provider list", "provider show", "provider rename", "provider remove"),
        *("lane set", "lane unset", "lanes", "check", "models", "ping", "env", "run"),
        *("keys set", "keys list", "keys source", "keys rebind", "keys delete", "keys import"),
        "demo-server",
    }


def test_the_common_options_are_on_every_command() -> None:
    for name, command in commands().items():
        options = {option for one in command.params for option in one.opts}
        wanted = {"--config", "--base", "--variant", "--json", "--no-color"}
        if name == "run":
            wanted -= {"--json"}
        elif name == "demo-server":
            wanted = {"--no-color", "--port"}
        elif name in {"help", "completion"}:
            wanted = set()  # they ask no file, and print text for people or a shell
        assert wanted <= options, name
        if name in {"provider add", "models", "ping"}:
            assert "--timeout" in options, name
        assert not {"--key", "--api-key", "--token", "--password"} & options


@pytest.mark.parametrize("name", [*COMMANDS, "provider add", "keys set", "lane set"])
def test_help_exits_0(name: str, desk: Desk) -> None:
    told = desk.turnkey(*name.split(), "--help")
    assert told.code == 0
    assert told.out.startswith(f"Usage: turnkey {name}")
    assert told.err == ""


def test_the_listed_line_is_the_commands_own(desk: Desk) -> None:
    told = desk.turnkey("--help")
    for name, (_, line) in COMMANDS.items():
        assert f"{name} " in told.out
        assert line in told.out
    assert desk.turnkey("--version").out.startswith("turnkey, version ")


def test_without_a_terminal_the_screens_do_not_open(desk: Desk) -> None:
    for options in ([], ["--demo"]):
        told = desk.turnkey(*options)
        assert (told.code, told.out) == (2, "")
        assert "terminal" in told.told()
        assert "turnkey --help" in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["lanes", "--nonsense"],
        ["provider"],
        ["provider", "add"],
        ["ping", "--runs", "0"],
        ["lanes", "--variant", "other"],
        ["--config", "x.toml", "lanes"],
        ["--demo", "lanes"],
    ],
)
def test_usage_mistakes_exit_2(arguments: list[str], desk: Desk) -> None:
    told = desk.turnkey(*arguments)
    assert told.code == 2
    assert told.err
    assert "Traceback" not in told.err


# ---------------------------------------------------------------------------- the file


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_without_a_file_what_needs_one_exits_3_and_says_what_to_do(
    arguments: list[str], desk: Desk
) -> None:
    told = desk.turnkey(*arguments)
    assert told.code == 3
    assert "There is no warden.toml here." in told.told()
    assert "turnkey provider add" in told.err
    assert not desk.file.exists()
    words = 2 if arguments[0] in {"provider", "lane", "keys"} else 1
    named = desk.turnkey(*arguments[:words], "--config", "other.toml", *arguments[words:])
    assert named.code == 3
    assert "other.toml" in named.told()


@pytest.mark.parametrize("arguments", [*READING, *WRITING], ids=" ".join)
def test_a_file_that_cannot_be_parsed_exits_3_and_is_not_touched(
    arguments: list[str], desk: Desk
) -> None:
    before = desk.write("version = 1\n[defaults\nmodel = 1\n")
    told = desk.turnkey(*arguments)
    assert told.code == 3
    assert "line 2, column" in told.told()
    assert desk.file.read_bytes() == before


def test_an_unreadable_file_is_an_object_too(desk: Desk) -> None:
    desk.write("version =\n")
    for command in (["lanes"], ["check"], ["models"], ["provider", "list"], ["keys", "source"]):
        told = desk.turnkey(*command, "--json")
        assert at(told.json(), "error", "code") == "config_unreadable"
        assert "line 1, column" in told.told()
    ping = desk.turnkey("ping", "--json")
    assert at(ping.json(), "runs", 0, "error", "code") == "config_unreadable"


def test_a_folder_is_no_config(desk: Desk) -> None:
    told = desk.turnkey("lanes", "--config", str(desk.folder))
    assert told.code == 3
    told.told()


def test_the_nearest_file_is_found_from_below(desk: Desk) -> None:
    desk.write(provider_table("http://gw/v1", "m"))
    deep = desk.folder / "src" / "deep"
    deep.mkdir(parents=True)
    desk.monkeypatch.chdir(deep)
    assert "litellm" in desk.turnkey("provider", "list").out


def test_a_file_that_cannot_be_written_exits_3(desk: Desk) -> None:
    told = desk.turnkey(
        *("provider", "add", "x", "--url", "localhost:1", "--model", "m"),
        *("--config", "no/such/folder/warden.toml"),
    )
    assert told.code == 3
    told.told()


# ---------------------------------------------------------------------------- the end


@pytest.mark.parametrize("error", [KeyboardInterrupt, click.Abort])
def test_an_interruption_exits_130(error: type[BaseException], desk: Desk) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise error

    desk.monkeypatch.setattr("tui.commands.lanes.open_here", interrupted)
    told = desk.turnkey("lanes")
    assert told.code == 130
    assert told.err.strip() == "interrupted"


def test_a_mistake_in_turnkey_is_told_by_kind_and_place_alone(desk: Desk) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise ValueError("sk-something-private")

    desk.export(TURNKEY_TRACEBACK=None)
    desk.monkeypatch.setattr("tui.commands.lanes.open_here", wrong)
    told = desk.turnkey("lanes")
    assert told.code == 70
    assert "ValueError in tui.commands.lanes" in told.told()
    assert "private" in told.err
    assert "sk-something-private" not in told.err
    desk.export(TURNKEY_TRACEBACK="1")
    with pytest.raises(ValueError, match="private"):
        main(["lanes"])


def test_a_folder_that_is_gone_is_no_traceback(desk: Desk) -> None:
    desk.export(TURNKEY_TRACEBACK=None)

    def gone(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    desk.monkeypatch.setattr("tui.commands.lanes.open_here", gone)
    assert "No such file or directory" in desk.turnkey("lanes").told()


def test_a_reader_that_leaves_is_no_traceback(desk: Desk) -> None:
    desk.write(provider_table("http://gw/v1", *(f"model-{n}" for n in range(3000))))
    with subprocess.Popen(
        [sys.executable, "-c", START, "provider", "show", "litellm"],
        cwd=desk.folder,
        env=desk.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
    assert "Traceback" not in told


def test_a_narrow_encoding_gets_everything_written_out(desk: Desk) -> None:
    desk.write(provider_table("http://gw/v1", "日本"))
    desk.export(PYTHONIOENCODING="cp1252")
    told = desk.apart("provider", "show", "litellm")
    assert told.code == 0, told.err
    assert "\\u65e5\\u672c" in told.out


# ---------------------------------------------------------------------------- demo-server


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_the_demo_server_prints_one_line_and_ends_when_interrupted(desk: Desk) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START, "demo-server"],
        cwd=desk.folder,
        env=desk.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        assert set(line) == {"base_url", "key_env", "key"}
        desk.export(**{line["key_env"]: line["key"]})
        pinged = desk.turnkey(
            *("ping", "--url", line["base_url"], "--model", "demo-plain"),
            *("--key-env", line["key_env"], "--json"),
            secret=True,
        )
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert pinged.code == 0, pinged.err
    assert line["key"] not in pinged.out + pinged.err
    assert process.returncode == 130
    assert (out, err.strip()) == ("", "interrupted")


def test_a_port_that_is_taken_exits_2(desk: Desk, closed_port: int) -> None:
    told = desk.turnkey("demo-server", "--port", str(closed_port))
    assert told.code == 2
    assert str(closed_port) in told.told()


def test_the_table_of_commands_is_what_runs() -> None:
    group = door.cli
    assert isinstance(group, click.Group)
    for name in COMMANDS:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        assert command.name == name
    assert group.get_command(click.Context(group), "nonsense") is None
