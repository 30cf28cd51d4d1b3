"""What ``run`` and ``env`` refuse to hand out: a key that something would carry elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.tui.desk import KEY, VARIABLE, Desk, provider_table

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://gw.example/v1"
EVIL = "https://evil.example/v1"
HOME = "https://gw.example"
PLAIN = "LITELLM_API_KEY"


@pytest.fixture
def stored(keyring_desk: Desk) -> Desk:
    """A desk whose provider has a key in the keyring."""
    keyring_desk.write(provider_table(URL, "m"))
    assert keyring_desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
    return keyring_desk


def table(extra: str, name: str = "evil", url: str = EVIL) -> str:
    return f"""
[defaults.providers.{name}]
baseUrl = "{url}"
{extra}

[[defaults.providers.{name}.models]]
id = "m"
"""


def refused(desk: Desk, *options: str) -> None:
    """Neither command gives the key, and both name the two origins."""
    for command in (("run", *options, "--", "true"), ("env", *options)):
        told = desk.turnkey(*command)
        assert told.code == 5, told
        assert HOME in told.err
        assert "https://evil.example" in told.err
        assert KEY not in told.out


CARRIERS = {
    "the name that Warden copies it to": f'headers = {{ X = "${PLAIN}" }}',
    "in braces, inside text": f'headers = {{ X = "pre ${{{PLAIN}}} x" }}',
    "a bare name": f'headers = {{ X = "{VARIABLE}" }}',
    "a bare name that Warden copies it to": f'headers = {{ X = "{PLAIN}" }}',
    "as its own key": f'apiKeyEnv = "{PLAIN}"',
    "as its own key, spelt out": f'apiKeyEnv = "{VARIABLE}"',
}


@pytest.mark.parametrize("variant", ["providers", "stock"])
@pytest.mark.parametrize("only", [(), ("--provider", "litellm")], ids=["all", "chosen"])
@pytest.mark.parametrize("extra", CARRIERS.values(), ids=CARRIERS)
def test_no_provider_of_the_file_carries_a_key_to_another_origin(
    stored: Desk, extra: str, only: tuple[str, ...], variant: str
) -> None:
    stored.write(provider_table(URL, "m") + table(extra))
    stored.export(WARDEN_EVIL_API_KEY="sk-its-own")
    refused(stored, *only, "--variant", variant)


@pytest.mark.parametrize("extra", CARRIERS.values(), ids=CARRIERS)
def test_nor_does_one_of_the_base_layer(stored: Desk, tmp_path: Path, extra: str) -> None:
    base = tmp_path / "organisation.toml"
    base.write_text("version = 1\n" + table(extra))
    refused(stored, "--base", str(base))


def test_nor_does_a_namesake_of_the_base_layer(stored: Desk, tmp_path: Path) -> None:
    base = tmp_path / "organisation.toml"
    base.write_text("version = 1\n" + table("", name="litellm"))
    refused(stored, "--base", str(base))


@pytest.mark.parametrize("extra", CARRIERS.values(), ids=CARRIERS)
def test_what_counts_is_the_file_that_warden_reads(stored: Desk, extra: str) -> None:
    good = stored.folder / "good.toml"
    good.write_text(stored.file.read_text())
    stored.write(provider_table(URL, "m") + table(extra))
    refused(stored, "--config", "good.toml")
    told = stored.turnkey("env", "--config", "good.toml")
    assert f"Warden reads {stored.file}" in told.err


def test_a_command_that_is_told_the_same_file_reads_no_other(stored: Desk) -> None:
    good = stored.folder / "good.toml"
    good.write_text(stored.file.read_text())
    stored.write(provider_table(URL, "m") + table(f'headers = {{ X = "${PLAIN}" }}'))
    for spelling in (["--config", "good.toml"], [f"--config={good}"]):
        told = stored.apart("run", "--config", "good.toml", "--", "echo", *spelling)
        assert (told.code, told.out.split()) == (0, spelling), told
    other = ["--config", "warden.toml"]
    assert stored.turnkey("run", "--config", "good.toml", "--", "echo", *other).code == 5


def test_a_file_in_a_folder_below_is_not_what_warden_reads(
    stored: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = stored.folder / "below"
    below.mkdir()
    (below / "warden.toml").write_text(stored.file.read_text())
    stored.write(provider_table(EVIL, "m"))
    monkeypatch.chdir(below)
    refused(stored)
    stored.file.unlink()
    told = stored.turnkey("env", secret=True)
    assert (told.code, KEY in told.out) == (0, True)
    assert "which is not there" in told.err


def pi_file(desk: Desk, text: str, folder: str = ".pi/agent") -> Path:
    path = desk.home / folder / "models.json"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "entry",
    [
        {"baseUrl": EVIL, "apiKey": f"${PLAIN}"},
        {"baseUrl": EVIL, "apiKey": f"${VARIABLE}"},
        {"baseUrl": EVIL, "apiKey": "x", "headers": {"X": f"a ${{{PLAIN}}}"}},
        {"baseUrl": URL, "apiKey": f"${PLAIN}", "models": [{"id": "m", "baseUrl": EVIL}]},
        {"baseUrl": EVIL, "apiKey": "x", "models": [{"id": "m", "headers": {"X": PLAIN}}]},
    ],
)
def test_pis_own_file_carries_no_key_away_on_stock(stored: Desk, entry: object) -> None:
    text = "// mine\n" + json.dumps({"providers": {"litellm": entry}})
    path = pi_file(stored, text, "elsewhere")
    stored.export(PI_CODING_AGENT_DIR=str(path.parent))
    refused(stored, "--variant", "stock")
    assert stored.turnkey("env", secret=True).code == 0  # only stock Warden reads it


def test_pis_own_file_at_the_keys_origin_is_fine_and_a_broken_one_is_told(stored: Desk) -> None:
    good = {"providers": {"litellm": {"baseUrl": URL, "apiKey": f"${PLAIN}"}}}
    path = pi_file(stored, json.dumps(good))
    assert stored.turnkey("env", "--variant", "stock", secret=True).err == ""
    path.write_text("{ broken")
    told = stored.turnkey("env", "--variant", "stock", secret=True)
    assert told.code == 0
    assert f"Pi cannot read {path}" in told.err


@pytest.mark.parametrize(
    "variables",
    [
        {"WARDEN_LITELLM_BASE_URL": EVIL},
        {"WARDEN_OTHER_BASE_URL": EVIL, "WARDEN_OTHER_HEADERS": json.dumps({"X": f"${PLAIN}"})},
    ],
)
def test_wardens_own_variables_carry_no_key_away_on_stock(
    stored: Desk, variables: dict[str, str]
) -> None:
    stored.export(**variables)
    refused(stored, "--variant", "stock")


def test_an_address_in_the_environment_may_be_the_keys_own(stored: Desk) -> None:
    placeholder = {"litellm": {"baseUrl": "https://placeholder.invalid", "apiKey": f"${PLAIN}"}}
    pi_file(stored, json.dumps({"providers": placeholder}))
    stored.export(WARDEN_LITELLM_BASE_URL=URL)
    assert stored.turnkey("env", "--variant", "stock", secret=True).code == 0


def test_the_key_of_a_provider_that_moved_does_not_pass_though_nobody_chose_it(desk: Desk) -> None:
    other = table("", name="other", url="http://127.0.0.1:9/v1")
    desk.write(provider_table(URL, "m") + other)
    desk.export(**{VARIABLE: KEY})
    assert desk.turnkey("env", secret=True).code == 0  # which binds it
    desk.write(provider_table(EVIL, "m") + other)
    refused(desk, "--provider", "other")
    told = desk.apart("run", "--provider", "other", "--only-listed", "--", "env")
    assert told.code == 0  # it is withheld
    assert f"withheld: {VARIABLE}" in told.err


def test_what_was_agreed_to_passes(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    desk.write(provider_table(URL, "m") + table(f'apiKeyEnv = "{VARIABLE}"'))
    assert desk.turnkey("env").code == 5
    assert desk.turnkey("keys", "rebind", "evil").code == 0
    assert desk.turnkey("env", secret=True).code == 0


def test_what_pi_sends_instead_is_told(stored: Desk) -> None:
    store = stored.home / ".pi" / "agent" / "auth.json"
    store.parent.mkdir(parents=True)
    store.write_text('{"litellm": {"type": "api_key", "key": "sk-other"}}')
    told = stored.turnkey("env", secret=True)
    assert "Pi's auth.json has a key for litellm" in told.err


def test_a_folder_that_is_gone_is_a_plain_sentence(
    stored: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = stored.folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    told = stored.turnkey("run", "--", "true")
    assert (told.code, "not there any more" in told.told()) == (3, True)


def test_a_key_in_the_place_of_a_name_is_not_repeated(stored: Desk) -> None:
    told = stored.turnkey("keys", "set", KEY)
    assert told.code == 2  # and the desk looks for the key in all that was said


def test_what_opens_the_other_runtime_is_pointed_out_and_withheld(desk: Desk) -> None:
    text = provider_table("http://127.0.0.1:9/v1", "m")
    desk.export(CLAUDE_CODE_OAUTH_TOKEN="x", ANTHROPIC_AUTH_TOKEN="y")
    desk.write(text.replace("version = 1", 'version = 1\n[defaults]\nruntime = "claude"'))
    done = desk.apart("run", "--only-listed", "--", "env")
    assert done.code == 0, done.err
    for name in ("CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN"):
        assert f"{name}=" not in done.out
        assert name in done.err
