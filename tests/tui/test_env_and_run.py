"""``turnkey env`` and ``run``: keys leave here alone, and only for whom they were stored."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.test_start import loaded
from tests.tui.desk import KEY, VARIABLE, Desk, provider_table
from tests.tui.test_keys import at_a_terminal

URL = "https://gw.example/v1"
LOCAL = "http://127.0.0.1:11434/v1"
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.fixture
def stored(keyring_desk: Desk) -> Desk:
    """A desk whose provider has a key in the keyring."""
    keyring_desk.write(provider_table(URL, "m"))
    assert keyring_desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
    return keyring_desk


# ---------------------------------------------------------------------------- env


@pytest.mark.parametrize(
    ("format_", "line"),
    [
        ("sh", f"export {VARIABLE}='{KEY}'\n"),
        ("fish", f"set -gx {VARIABLE} '{KEY}'\n"),
        ("powershell", f"$env:{VARIABLE} = '{KEY}'\n"),
        ("dotenv", f"{VARIABLE}={KEY}\n"),
    ],
)
def test_each_format_has_its_line(format_: str, line: str, stored: Desk) -> None:
    told = stored.turnkey("env", "--format", format_, secret=True)
    assert (told.code, told.out) == (0, line)
    assert KEY not in told.err


def test_json_in_both_spellings(stored: Desk) -> None:
    for options in (["--json"], ["--format", "json"]):
        assert stored.turnkey("env", *options, secret=True).json() == {VARIABLE: KEY}


def test_github_masks_the_values_in_a_workflow_alone(stored: Desk) -> None:
    told = stored.turnkey("env", "--format", "github", secret=True)
    name, value, end = told.out.splitlines()
    assert name.startswith(f"{VARIABLE}<<")
    assert value == KEY
    assert end == name.partition("<<")[2]
    assert told.err == ""
    stored.export(GITHUB_ACTIONS="true")
    inside = stored.turnkey("env", "--format", "github", secret=True)
    assert inside.err == f"::add-mask::{KEY}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_shell_takes_it(stored: Desk) -> None:
    done = subprocess.run(
        ["sh", "-c", f'eval "$("{sys.executable}" -c "$START" env)"; printf %s "${VARIABLE}"'],
        cwd=stored.folder,
        env={**stored.env, "START": "import sys; from tui.cli import main; sys.exit(main())"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == KEY


def test_names_alone_need_no_key(desk: Desk) -> None:
    more = '\n[defaults.providers.other]\nbaseUrl = "http://x.example/v1"\napiKeyEnv = "OTHER"\n'
    desk.write(provider_table(URL, "m") + more)
    assert desk.turnkey("env", "--names").out == f"{VARIABLE}\nOTHER\n"
    assert desk.turnkey("env", "--names", "--provider", "other").out == "OTHER\n"
    assert desk.turnkey("env", "--names", "--json").json() == {"names": [VARIABLE, "OTHER"]}
    stock = desk.turnkey("env", "--names", "--variant", "stock")
    assert stock.out == f"{VARIABLE}\nLITELLM_API_KEY\nOTHER\nOTHER_API_KEY\n"


def test_stock_gets_the_second_name_too(stored: Desk) -> None:
    told = stored.turnkey("env", "--json", "--variant", "stock", secret=True)
    assert told.json() == {VARIABLE: KEY, "LITELLM_API_KEY": KEY}


def test_what_is_missing_is_told_and_exits_5(stored: Desk) -> None:
    text = stored.file.read_text()
    stored.write(text + '\n[defaults.providers.other]\nbaseUrl = "http://x.example/v1"\n')
    told = stored.turnkey("env", secret=True)
    assert told.code == 5
    assert told.out == f"export {VARIABLE}='{KEY}'\n"
    assert "turnkey keys set other" in told.err
    assert stored.turnkey("env", "--allow-missing", secret=True).code == 0


def test_a_changed_base_url_gets_nothing_printed(stored: Desk) -> None:
    stored.write(provider_table("https://other.example/v1", "m"))
    told = stored.turnkey("env")
    assert (told.code, told.out) == (5, "")
    assert "turnkey keys rebind litellm" in told.told()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_no_key_unless_it_is_meant(stored: Desk) -> None:
    code, seen = at_a_terminal(stored, ["env"])
    assert code == 2
    assert "--reveal" in seen
    code, seen = at_a_terminal(stored, ["env", "--names"])
    assert (code, seen.strip()) == (0, VARIABLE)
    code, seen = at_a_terminal(stored, ["env", "--reveal"])
    stored.said.pop()
    assert code == 0
    assert KEY in seen


# ---------------------------------------------------------------------------- run


def child(desk: Desk, *options: str) -> tuple[int, dict[str, str], str]:
    done = desk.apart("run", *options, "--", sys.executable, "-c", SHOW, secret=True)
    environment: dict[str, str] = json.loads(done.out) if done.out else {}
    assert KEY not in done.err
    return done.code, environment, done.err


def test_the_key_is_in_the_childs_environment(stored: Desk) -> None:
    code, environment, _ = child(stored)
    assert code == 0
    assert environment[VARIABLE] == KEY
    assert "LITELLM_API_KEY" not in environment
    _, stock, _ = child(stored, "--variant", "stock")
    assert stock["LITELLM_API_KEY"] == KEY


def test_the_exit_code_is_the_commands(stored: Desk) -> None:
    ended = stored.apart("run", "--", sys.executable, "-c", "import sys; sys.exit(7)")
    assert ended.code == 7
    # the command's own options are its own, also without the two dashes
    ended = stored.apart("run", sys.executable, "-c", "import sys; sys.exit(8)", "--config", "x")
    assert ended.code == 8


def test_a_missing_key_ends_before_the_command_starts(desk: Desk) -> None:
    desk.write(provider_table(URL, "m"))
    marker = desk.home / "started"
    write = f"import pathlib; pathlib.Path({str(marker)!r}).touch()"
    ended = desk.apart("run", "--", sys.executable, "-c", write)
    assert ended.code == 5
    assert "turnkey keys set litellm" in ended.told()
    assert not marker.exists()
    allowed = desk.apart("run", "--allow-missing", "--", sys.executable, "-c", write)
    assert allowed.code == 0, allowed.err
    assert marker.exists()


def test_a_key_for_another_origin_is_never_given(stored: Desk) -> None:
    stored.write(provider_table("https://evil.example/v1", "m"))
    code, environment, told = child(stored, "--allow-missing")
    assert (code, environment) == (5, {})
    assert "turnkey keys rebind litellm" in told


def test_a_keyless_server_on_this_machine_gets_the_placeholder(desk: Desk) -> None:
    desk.write(provider_table(LOCAL, "m", name="ollama"))
    code, environment, _ = child(desk)
    assert code == 0
    assert environment["WARDEN_OLLAMA_API_KEY"] == "turnkey-no-key"


def test_only_some_providers_can_be_chosen(desk: Desk) -> None:
    desk.write(provider_table(URL, "m") + f'\n[defaults.providers.ollama]\nbaseUrl = "{LOCAL}"\n')
    code, environment, _ = child(desk, "--provider", "ollama")
    assert code == 0
    assert VARIABLE not in environment


def test_hosted_keys_can_be_withheld(desk: Desk) -> None:
    desk.write(provider_table(LOCAL, "m", name="ollama"))
    desk.export(ANTHROPIC_API_KEY="hosted")
    assert child(desk)[1]["ANTHROPIC_API_KEY"] == "hosted"
    assert "ANTHROPIC_API_KEY" not in child(desk, "--only-listed")[1]


def test_a_hosted_key_that_lets_a_lane_leave_is_pointed_out(desk: Desk) -> None:
    desk.write(provider_table(LOCAL, "m", name="ollama"))
    desk.export(ANTHROPIC_API_KEY="hosted")
    assert "--only-listed withholds it" in child(desk)[2]
    assert "withheld: ANTHROPIC_API_KEY" in child(desk, "--only-listed")[2]
    lanes = "".join(
        f'\n[defaults.{lane}]\nmodel = "ollama/m"\n' for lane in ("agent", "auxiliary", "synthesis")
    )
    desk.write(provider_table(LOCAL, "m", name="ollama") + lanes)
    assert "ANTHROPIC_API_KEY" not in child(desk)[2], "every lane is set"


def test_a_command_that_is_not_there_ends_as_in_a_shell(desk: Desk) -> None:
    desk.write(provider_table(LOCAL, "m", name="ollama"))
    assert desk.apart("run", "--", "no-such-command-here").code == 127
    assert desk.apart("run", "--", "").code == 127
    assert desk.apart("run", "--", str(desk.folder)).code == 126
    assert desk.apart("run").code == 2
    assert desk.apart("run", "--bogus", "true").code == 2


def test_starting_a_command_loads_no_screen_and_no_network_library(desk: Desk) -> None:
    desk.write(provider_table(LOCAL, "m", name="ollama"))
    arguments = ["run", "--config", str(desk.file), "--", "no-such-command-here"]
    found = loaded(f"from tui.cli import main\nassert main({arguments!r}) == 127")
    heavy = {"textual", "rich", "screens", "httpx", "httpcore", "asyncio", "uvicorn", "tomlkit"}
    assert sorted(found & heavy) == []


def test_the_first_origin_of_an_environments_key_is_recorded(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    desk.write(provider_table(URL, "m"))
    assert child(desk)[1][VARIABLE] == KEY
    assert desk.bound() == [(VARIABLE, "https://gw.example", "environment")]
    desk.write(provider_table("https://evil.example/v1", "m"))
    assert child(desk)[0] == 5


STOLEN = """
[defaults.providers.evil]
baseUrl = "https://evil.example/v1"
{extra}

[[defaults.providers.evil.models]]
id = "m"
"""


@pytest.mark.parametrize(
    "extra",
    [
        'headers = { X-Steal = "$WARDEN_LITELLM_API_KEY" }',
        'headers = { X-Run = "!id" }',
        'apiKeyEnv = "WARDEN_LITELLM_API_KEY"',
    ],
    ids=["header", "command", "variable"],
)
@pytest.mark.parametrize("only", [(), ("--provider", "litellm")], ids=["all", "chosen"])
def test_a_provider_that_nobody_chose_carries_no_key_away(
    stored: Desk, extra: str, only: tuple[str, ...]
) -> None:
    stored.write(provider_table(URL, "m") + STOLEN.format(extra=extra))
    for command in (("run", *only, "--", "true"), ("env", *only)):
        refused = stored.turnkey(*command)
        assert refused.code == 5, refused
        assert KEY not in refused.out


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process began with")
def test_the_childs_environment_is_the_shells_with_the_keys_and_nothing_else(desk: Desk) -> None:
    desk.write(provider_table(LOCAL, "m", name="ollama"))
    for name in ("LANG", "LC_ALL", "LC_CTYPE"):
        desk.export(**{name: None})
    show = "import json, sys; print(open('/proc/self/environ', 'rb').read().decode())"
    done = desk.apart("run", "--", sys.executable, "-c", show)
    seen = dict(entry.split("=", 1) for entry in done.out.strip().split("\0") if "=" in entry)
    assert seen == {**desk.env, "WARDEN_OLLAMA_API_KEY": "turnkey-no-key"}


def test_only_listed_withholds_the_files_other_providers_too(desk: Desk) -> None:
    desk.write(
        provider_table(LOCAL, "m", name="ollama")
        + '\n[defaults.providers.gw]\nbaseUrl = "http://gw.example/v1"\n'
    )
    desk.export(WARDEN_GW_API_KEY=KEY, AWS_PROFILE="corp", OPENAI_API_KEY="sk-hosted", OTHER="x")
    show = "import os; print(sorted(os.environ))"
    python = [sys.executable, "-c", show]
    done = desk.apart("run", "--provider", "ollama", "--only-listed", "--", *python)
    assert done.code == 0, done.err
    for name in ("WARDEN_GW_API_KEY", "AWS_PROFILE", "OPENAI_API_KEY"):
        assert f"'{name}'" not in done.out
        assert name in done.err  # said, by name alone
    assert "'OTHER'" in done.out


def test_a_key_in_pis_own_store_is_pointed_out_though_nothing_withholds_it(desk: Desk) -> None:
    desk.write(provider_table(LOCAL, "m", name="ollama"))
    store = desk.home / ".pi" / "agent" / "auth.json"
    store.parent.mkdir(parents=True)
    store.write_text('{"anthropic": {"type": "api_key", "key": "sk-stored"}}')
    done = desk.apart("run", "--only-listed", "--variant", "stock", "--", "true")
    assert "Pi's auth.json has a key" in done.err
    assert "PI_CODING_AGENT_DIR" in done.err
    assert "sk-stored" not in done.err
