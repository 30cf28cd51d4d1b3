"""``turnkey keys``: what is stored, for which origin, and that no value is ever told."""

from __future__ import annotations

import os
import re
import shlex
import sys
import threading

import pytest

from tests.servers.scripted import good_server, running
from tests.tui.desk import KEY, START, VARIABLE, WRONG, Desk, at, provider_table, unkeyed

URL = "http://gw.example:4000/v1"
ORIGIN = "http://gw.example:4000"
ENTRY = f"turnkey/{VARIABLE}@{ORIGIN}"


# ---------------------------------------------------------------------------- set


@pytest.mark.parametrize("typed", [KEY, f"{KEY}\n", f"{KEY}\r\n", f'export X_KEY="{KEY}"\n'])
def test_set_stores_what_is_piped_in(typed: str, keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m"))
    done = desk.turnkey("keys", "set", "litellm", stdin=typed)
    assert done.code == 0, done.err
    assert desk.kept() == {ENTRY: KEY}
    assert desk.bound() == [(VARIABLE, ORIGIN, "keyring")]
    assert ORIGIN in done.err


def test_set_tells_as_json_where_it_went(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m", more='apiKeyEnv = "OUR_GATEWAY"'))
    done = desk.turnkey("keys", "set", "litellm", "--json", stdin=KEY)
    told = done.json()
    assert (told["provider"], told["variable"], told["origin"]) == (
        "litellm",
        "OUR_GATEWAY",
        ORIGIN,
    )
    assert told["place"]


def test_set_without_a_keyring_exits_5_before_it_reads(desk: Desk) -> None:
    desk.write(provider_table(URL, "m"))
    done = desk.turnkey("keys", "set", "litellm", "--json", stdin=KEY)
    assert done.code == 5
    assert at(done.json(), "error", "code") == "keyring"
    assert sys.stdin.read() == KEY
    assert "fix: " in done.told()
    assert desk.bound() == []


@pytest.mark.parametrize("typed", ["", "\n", "two\nlines\n", "sk-ünïcode\n"])
def test_what_is_no_key_exits_5_and_stores_nothing(typed: str, keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m"))
    done = desk.turnkey("keys", "set", "litellm", stdin=typed)
    assert done.code == 5
    done.told()
    assert desk.kept() == {}


def test_set_remarks_on_another_tools_dummy(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m"))
    done = desk.turnkey("keys", "set", "litellm", stdin="EMPTY\n")
    assert done.code == 0
    assert "no key is checked" in done.err


def test_set_says_when_the_environment_wins(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.export(**{VARIABLE: WRONG})
    desk.write(provider_table(URL, "m"))
    done = desk.turnkey("keys", "set", "litellm", stdin=KEY)
    assert done.code == 0
    assert f"{VARIABLE} is set in this environment, and wins" in done.err
    assert WRONG not in done.err


def test_set_for_nobody_exits_2_and_without_a_file_3(keyring_desk: Desk) -> None:
    desk = keyring_desk
    assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 3
    desk.write(provider_table(URL, "m"))
    assert desk.turnkey("keys", "set", "other", stdin=KEY).code == 2


def test_there_is_no_argument_for_a_value(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m"))
    assert desk.turnkey("keys", "set", "litellm", "sk-typed").code == 2
    assert desk.turnkey("keys", "set", "litellm", "--key", "sk-typed").code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_set_asks_at_a_terminal_without_echo(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m"))
    code, seen = at_a_terminal(desk, ["keys", "set", "litellm"], answer=KEY)
    assert code == 0, seen
    assert f"Key for litellm ({ORIGIN})" in seen
    assert KEY not in seen
    assert desk.kept() == {ENTRY: KEY}


def at_a_terminal(desk: Desk, arguments: list[str], answer: str | None = None) -> tuple[int, str]:
    """Run ``turnkey`` on a pseudo-terminal; ``answer`` is typed once it asks."""
    import pty
    import select
    import time

    child, terminal = pty.fork()
    if child == 0:
        os.chdir(desk.folder)
        os.execve(sys.executable, [sys.executable, "-c", START, *arguments], desk.env)
    seen = b""
    asked = False
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            data = os.read(terminal, 4096)
        except OSError:  # the child has closed its side
            break
        if not data:
            break
        seen += data
        if answer is not None and not asked and seen.endswith(b": "):
            asked = True
            os.write(terminal, answer.encode() + b"\n")
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    text = seen.decode()
    desk.said.append(text)
    return os.waitstatus_to_exitcode(status), text


# ---------------------------------------------------------------------------- source, list


def test_the_json_of_source(keyring_desk: Desk) -> None:
    desk = keyring_desk
    text = provider_table(URL, "m") + "".join(
        f'\n[defaults.providers.{name}]\nbaseUrl = "{url}"\n'
        for name, url in {
            "enved": "https://enved.example/v1",
            "local": "http://127.0.0.1:11434/v1",
            "nowhere": "https://none.example/v1",
            "odd": "not a url",
        }.items()
    )
    desk.write(text)
    desk.export(ENVED_API_KEY=KEY)
    assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
    told = desk.turnkey("keys", "source", "--json")
    assert told.code == 0
    rows = told.json()["keys"]
    assert isinstance(rows, list)
    shape = {"provider", "variable", "origin", "source", "stored_at", "preflight"}
    assert all(shape <= set(row) for row in rows)
    brief = [(row["provider"], row["variable"], row["source"], row["preflight"]) for row in rows]
    assert brief == [
        ("litellm", VARIABLE, "keyring", False),
        ("enved", "ENVED_API_KEY", "environment", True),
        ("local", "WARDEN_LOCAL_API_KEY", "placeholder", True),
        ("nowhere", "WARDEN_NOWHERE_API_KEY", "none", False),
        ("odd", "WARDEN_ODD_API_KEY", "none", False),
    ]
    assert rows[0]["origin"] == ORIGIN
    assert str(rows[0]["stored_at"]).endswith("Z")
    shown = desk.turnkey("keys", "source")
    assert "Warden's preflight" in shown.out
    assert "turnkey keys set nowhere" in shown.err
    # looking binds nothing
    assert desk.bound() == [(VARIABLE, ORIGIN, "keyring")]


def test_source_of_the_runtime_claude_has_no_preflight_to_fail(desk: Desk) -> None:
    text = provider_table(URL, "m")
    desk.write(text)
    assert at(desk.turnkey("keys", "source", "--json").json(), "keys", 0, "preflight") is False
    desk.write(text + '\n[defaults]\nruntime = "claude"\n')
    told = desk.turnkey("keys", "source", "--json").json()
    assert (at(told, "keys", 0, "preflight"), told["runtimes"]) == (True, ["claude"])
    assert "none (runtime claude)" in desk.turnkey("keys", "source").out


def test_source_says_where_pi_has_a_key_of_its_own(desk: Desk) -> None:
    desk.write(provider_table(URL, "m"))
    folder = desk.home / ".pi" / "agent"
    folder.mkdir(parents=True)
    (folder / "auth.json").write_text('{"litellm": {"type": "api_key"}}', encoding="utf-8")
    assert "Pi's auth.json" in desk.turnkey("keys", "source").err


def test_list_shows_what_is_known_also_without_a_file(keyring_desk: Desk) -> None:
    desk = keyring_desk
    empty = desk.turnkey("keys", "list")
    assert (empty.code, empty.out) == (0, "")
    desk.write(provider_table(URL, "m"))
    assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
    told = desk.turnkey("keys", "list", "--json").json()
    row = at(told, "keys", 0)
    assert isinstance(row, dict)
    assert row.pop("stored_at")
    assert row == {
        "provider": "litellm",
        "variable": VARIABLE,
        "origin": ORIGIN,
        "source": "keyring",
    }
    desk.file.unlink()
    shown = desk.turnkey("keys", "list")
    assert shown.code == 0
    assert f"-         {VARIABLE}" in shown.out


# ---------------------------------------------------------------------------- delete


def test_delete_takes_the_key_out_of_the_keyring(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m"))
    assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
    gone = desk.turnkey("keys", "delete", "litellm", "--json")
    assert gone.code == 0
    assert gone.json()["deleted"] is True
    assert (desk.kept(), desk.bound()) == ({}, [])
    again = desk.turnkey("keys", "delete", "litellm")
    assert again.code == 5
    assert "There was no key" in again.told()


def test_delete_works_for_a_provider_that_was_removed(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m"))
    assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
    removed = desk.turnkey("provider", "remove", "litellm")
    assert "turnkey keys delete litellm" in removed.err
    assert desk.turnkey("keys", "delete", "litellm").code == 0
    assert desk.kept() == {}
    assert desk.turnkey("keys", "delete", "litellm").code == 2


def test_delete_names_the_other_origins_of_a_key(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m"))
    assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
    desk.write(provider_table("http://new.example/v1", "m"))
    missed = desk.turnkey("keys", "delete", "litellm")
    assert ORIGIN in missed.err
    assert desk.kept() == {ENTRY: KEY}
    spelled = "HTTP://GW.example:4000/v1/"  # as people write it
    assert desk.turnkey("keys", "delete", "litellm", "--origin", spelled).code == 0
    assert desk.kept() == {}
    assert desk.turnkey("keys", "delete", "litellm", "--origin", "not an origin").code == 2


def test_what_is_left_of_removed_providers_can_be_deleted(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m", more='apiKeyEnv = "TEAM_KEY"'))
    assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
    desk.export(TEAM_KEY=KEY)
    assert desk.turnkey("keys", "rebind", "litellm").code == 0
    desk.write("version = 1\n")
    listed = desk.turnkey("keys", "list")
    assert "turnkey keys delete VARIABLE" in listed.err
    assert desk.turnkey("keys", "delete", "TEAM_KEY").code == 0
    assert desk.kept() == {}
    assert desk.bound() == [("TEAM_KEY", ORIGIN, "environment")]
    elsewhere = desk.turnkey("keys", "forget", "TEAM_KEY", "--origin", "http://never.example")
    assert elsewhere.code == 5
    gone = desk.turnkey("keys", "forget", "TEAM_KEY", "--json")
    assert gone.json()["forgotten"] == [{"variable": "TEAM_KEY", "origin": ORIGIN}]
    assert desk.bound() == []
    assert desk.turnkey("keys", "forget", "TEAM_KEY").code == 5


def test_a_damaged_list_stops_the_environments_key_until_it_is_repaired(desk: Desk) -> None:
    with running(good_server(["m"], KEY)) as server:
        desk.write(provider_table(server.base_url, "m"))
        desk.export(**{VARIABLE: KEY})
        path = desk.state / "keys.json"
        path.parent.mkdir(parents=True)
        path.write_text("{", encoding="utf-8")
        for command in (["ping", "--provider", "litellm"], ["env"], ["run", "--", "true"]):
            refused = desk.turnkey(*command)
            assert refused.code == 5
            assert "turnkey keys repair" in refused.told()
        assert server.requests == []
        assert path.read_text(encoding="utf-8") == "{"
        assert desk.turnkey("keys", "repair").code == 0
        assert path.with_name("keys.json.damaged").read_text(encoding="utf-8") == "{"
        assert desk.turnkey("ping", "--provider", "litellm").code == 0
        assert "Nothing is wrong" in desk.turnkey("keys", "repair").err


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("rest", ["sk-second\n", "the rest has no line end"])
def test_a_paste_of_several_lines_is_refused_and_said(keyring_desk: Desk, rest: str) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m"))
    code, seen = at_a_terminal(desk, ["keys", "set", "litellm"], answer=f"{KEY}\n{rest}")
    assert code == 5
    assert "Several lines were pasted. Nothing was stored." in seen
    assert "rest" not in seen
    assert "sk-second" not in seen
    assert desk.kept() == {}


def test_a_key_given_as_the_name_of_its_variable_is_shown_by_no_command(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.export(**{VARIABLE: "sk-other"})
    written = desk.write(provider_table(URL, "m", more=f'apiKeyEnv = "{KEY}"'))
    for command in (
        ["keys", "set", "litellm"],
        ["keys", "source"],
        ["keys", "source", "--json"],
        ["keys", "list"],
        ["keys", "rebind", "litellm"],
        ["keys", "delete", "litellm"],
        ["keys", "forget", "litellm"],
        ["keys", "import"],
        ["provider", "show", "litellm"],
        ["provider", "show", "litellm", "--json"],
        ["provider", "list", "--json"],
        ["env"],
        ["env", "--names"],
        ["run", "--", "true"],
        ["check"],
        ["check", "--json"],
        ["lanes"],
        ["ping", "--provider", "litellm"],
        ["models", "--provider", "litellm"],
        ["doctor", "--provider", "litellm"],
        ["models", "--url", URL, "--key-env", KEY],
        ["provider", "add", "b", "--url", URL, "--key-env", KEY, "--model", "m"],
    ):
        desk.turnkey(*command, stdin="sk-typed")  # the desk looks through all that is said
    assert desk.bound() == []
    assert desk.kept() == {}
    assert desk.file.read_bytes() == written
    desk.file.unlink()  # where it stood from the start, and the desk looks for it


# ---------------------------------------------------------------------------- rebind


def test_rebind_moves_a_stored_key_to_the_origin_of_the_file(keyring_desk: Desk) -> None:
    desk = keyring_desk
    with running(good_server(["m"], KEY)) as server:
        desk.write(provider_table(URL, "m"))
        assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
        desk.write(provider_table(server.base_url, "m"))
        assert desk.turnkey("ping", "--provider", "litellm").code == 5
        assert unkeyed(server)
        done = desk.turnkey("keys", "rebind", "litellm", "--json")
        assert done.code == 0, done.err
        assert done.json()["origin"] == server.origin
        assert desk.kept() == {f"turnkey/{VARIABLE}@{server.origin}": KEY}
        assert desk.turnkey("ping", "--provider", "litellm").code == 0
    assert "already" in desk.turnkey("keys", "rebind", "litellm").err


def test_what_is_said_of_a_headers_variable_is_a_command_that_works(
    keyring_desk: Desk,
) -> None:
    desk = keyring_desk
    desk.monkeypatch.setenv("TEAM_TOKEN", WRONG)
    desk.monkeypatch.setenv(VARIABLE, KEY)
    with running(good_server(["m"], KEY)) as server:
        desk.write(
            provider_table(server.base_url, "m", more='headers = {"X-Team" = "$TEAM_TOKEN"}')
        )
        refused = desk.turnkey("ping", "--provider", "litellm")
        assert WRONG not in str(server.requests)
        found = re.search(r"«turnkey (keys rebind [^»]*)»", refused.err)
        assert found is not None, refused.err
        done = desk.turnkey(*shlex.split(found[1]))
        assert done.code == 0, done.err
        assert "TEAM_TOKEN" in done.err
        assert ("TEAM_TOKEN", server.origin, "environment") in desk.bound()
        assert "litellm   TEAM_TOKEN" in desk.turnkey("keys", "list").out
        assert desk.turnkey("ping", "--provider", "litellm").code == 0
        assert server.requests[-1].headers["x-team"] == WRONG
    stranger = desk.turnkey("keys", "rebind", "litellm", "--variable", "AWS_SECRET_ACCESS_KEY")
    assert stranger.code == 2
    assert "AWS_SECRET_ACCESS_KEY" not in str(desk.bound())


def test_rebind_of_nothing_exits_5(desk: Desk) -> None:
    desk.write(provider_table(URL, "m"))
    assert desk.turnkey("keys", "rebind", "litellm").code == 5
    unknown = desk.turnkey("keys", "rebind", "litellm", "--from", "http://never.example")
    assert unknown.code == 2
    pasted = desk.turnkey(
        "keys", "rebind", "litellm", "--variable", KEY, "--from", "http://never.example"
    )
    assert pasted.code == 2
    assert KEY not in pasted.told()


def test_rebind_asks_which_key_is_meant_where_there_are_several(keyring_desk: Desk) -> None:
    desk = keyring_desk
    for number, url in enumerate((URL, "http://two.example/v1")):
        desk.write(provider_table(url, "m"))
        assert desk.turnkey("keys", "set", "litellm", stdin=f"{KEY}{number}").code == 0
    desk.write(provider_table("http://three.example/v1", "m"))
    assert desk.turnkey("keys", "rebind", "litellm").code == 2
    done = desk.turnkey("keys", "rebind", "litellm", "--from", "http://two.example/")
    assert done.code == 0, done.err
    assert desk.kept() == {
        ENTRY: f"{KEY}0",
        f"turnkey/{VARIABLE}@http://three.example": f"{KEY}1",
    }


def test_a_strangers_variable_needs_consent_once(desk: Desk) -> None:
    desk.export(GITHUB_PAT=KEY)
    with running(good_server(["m"], KEY)) as server:
        desk.write(provider_table(server.base_url, "m", more='apiKeyEnv = "GITHUB_PAT"'))
        for command in (["ping", "--provider", "litellm"], ["models"], ["env"]):
            refused = desk.turnkey(*command)
            assert refused.code == 5
            assert "turnkey keys rebind litellm" in refused.told()
        assert unkeyed(server)
        assert desk.turnkey("keys", "rebind", "litellm").code == 0
        assert desk.turnkey("ping", "--provider", "litellm").code == 0


# ---------------------------------------------------------------------------- import


def test_import_stores_what_stands_in_the_environment(keyring_desk: Desk) -> None:
    desk = keyring_desk
    text = provider_table(URL, "m") + '\n[defaults.providers.o]\nbaseUrl = "http://o.example/v1"\n'
    desk.write(text)
    desk.export(LITELLM_API_KEY=f" {KEY}\n")
    done = desk.turnkey("keys", "import", "--json")
    assert done.code == 0, done.err
    assert done.json() == {
        "imported": [
            {
                "provider": "litellm",
                "variable": VARIABLE,
                "origin": ORIGIN,
                "from": "LITELLM_API_KEY",
            }
        ],
        "errors": [],
    }
    assert desk.kept() == {ENTRY: KEY}
    assert "o: no key stands in" in done.err
    desk.export(LITELLM_API_KEY=None)
    assert at(desk.turnkey("keys", "source", "--json").json(), "keys", 0, "source") == "keyring"


def test_import_takes_no_key_that_is_not_the_providers(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m", more='apiKeyEnv = "GITHUB_PAT"'))
    desk.export(GITHUB_PAT=KEY)
    done = desk.turnkey("keys", "import")
    assert done.code == 5
    assert "GITHUB_PAT" in done.told()
    assert desk.kept() == {}
    assert desk.turnkey("keys", "import", "--provider", "nobody").code == 2


@pytest.mark.parametrize(
    "line", [f"LITELLM_API_KEY={KEY}", f'export WARDEN_LITELLM_API_KEY="{KEY}" # mine']
)
def test_import_reads_a_dotenv_file_on_request_and_leaves_it(line: str, keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m"))
    file = desk.folder.parent / "project.env"  # beside what may never hold the key
    file.write_text(f"OTHER=1\n{line}\n")
    before = file.read_bytes()
    assert desk.turnkey("keys", "import").code == 0
    assert desk.kept() == {}, "not read unasked"
    done = desk.turnkey("keys", "import", "--dotenv", str(file))
    assert done.code == 0, done.err
    assert desk.kept() == {ENTRY: KEY}
    assert file.read_bytes() == before
    assert "wins" not in done.err


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"A=1\n" * 300_000])
def test_a_dotenv_file_that_cannot_be_read_exits_3(
    content: bytes | None, keyring_desk: Desk
) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m"))
    file = desk.folder / "project.env"
    if content is not None:
        file.write_bytes(content)
    done = desk.turnkey("keys", "import", "--dotenv", str(file))
    assert done.code == 3
    assert "project.env cannot be read" in done.told()


def test_a_keyring_that_asks_to_be_unlocked_is_waited_for_in_words(
    keyring_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.keys.backends import LibraryBackend
    from tests.tui.file_keyring import Keyring

    def slowly(self: Keyring, service: str, username: str) -> str | None:  # noqa: ARG001
        assert told.wait(30)
        return None

    def locked(self: LibraryBackend) -> bool:  # noqa: ARG001
        return True

    told = threading.Event()
    desk = keyring_desk
    desk.write(provider_table(URL, "m"))
    assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
    monkeypatch.setattr(Keyring, "get_password", slowly)
    monkeypatch.setattr(LibraryBackend, "locked", locked)
    desk.export(DISPLAY=":9")  # where the question can be seen
    said: list[str] = []

    def say(words: str) -> None:
        said.append(words)
        told.set()

    monkeypatch.setattr("tui.commands.output.say", say)
    assert desk.turnkey("keys", "source").code == 0
    assert any("is waiting to be unlocked" in words and "Ctrl-C" in words for words in said)


def test_import_without_a_keyring_exits_5(desk: Desk) -> None:
    desk.write(provider_table(URL, "m"))
    desk.export(**{VARIABLE: KEY})
    assert desk.turnkey("keys", "import").code == 5


def test_a_config_that_names_a_variable_which_steers_programs_gets_none(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table(URL, "m", more='apiKeyEnv = "BASH_ENV"'))
    assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 2
    assert desk.turnkey("run", "--", "true").code == 5
    assert desk.kept() == {}


def test_a_broken_index_is_told(desk: Desk) -> None:
    desk.state.mkdir(parents=True)
    (desk.state / "keys.json").write_text("not json", encoding="utf-8")
    listed = desk.turnkey("keys", "list")
    assert listed.code == 0
    assert "damaged" in listed.err
    assert "No key is stored" not in listed.err, "nobody knows"
