"""Keys in the file go to the keyring and out of the file, and are never shown."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from core.errors import KeyProblem
from core.keys.vault import Vault, open_vault
from core.leaked import Leak, holds_keys, leaks, masked, masked_data, masked_diff, move
from core.warden.difference import diff
from core.warden.secrets import secret_paths
from tests.core.keys.fakes import Works
from tests.core.warden.shapes import document

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-canary-0123456789abcdef"
HEAD = 'version = 1\n\n[defaults.providers.gw] # ours\nbaseUrl = "http://gw.acme.lan:4000/v1"\n'
TAIL = '\n[[defaults.providers.gw.models]]\nid = "m"\n'
ORIGIN = "http://gw.acme.lan:4000"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return open_vault(tmp_path, env={}, backend=Works())


@pytest.mark.parametrize(
    ("line", "variable", "stored", "after"),
    [
        (f'apiKey = "{KEY}"\n', "WARDEN_GW_API_KEY", KEY, ""),
        (f'apiKeyEnv = "{KEY}"\n', "WARDEN_GW_API_KEY", KEY, ""),
        (f'apiKeyEnv = "TEAM"\ntoken = "{KEY}"\n', "TEAM", KEY, 'apiKeyEnv = "TEAM"\n'),
        (f'headers = {{ Authorization = "Bearer {KEY}" }}\n', "WARDEN_GW_API_KEY", KEY,
         "headers = {}\n"),
        (f'headers = {{ X-Api-Key = "{KEY}" }} # one\n', "WARDEN_GW_X_API_KEY", KEY,
         'headers = { X-Api-Key = "$WARDEN_GW_X_API_KEY" } # one\n'),
        (f'[defaults.providers.gw.headers]\nAuthorization = "Basic {KEY}"\n',
         "WARDEN_GW_AUTHORIZATION", f"Basic {KEY}",
         '[defaults.providers.gw.headers]\nAuthorization = "$WARDEN_GW_AUTHORIZATION"\n'),
    ],
)  # fmt: skip
def test_a_key_moves_to_the_keyring_and_leaves_its_line(
    vault: Vault, line: str, variable: str, stored: str, after: str
) -> None:
    one = document(HEAD + line + TAIL)
    (leak,) = leaks(one)
    edited, place = move(one, leak, vault)
    assert place.kind == "keyring"
    assert edited.text == HEAD + after + TAIL
    secret = vault.fetch(variable, ORIGIN)
    assert secret is not None
    assert secret.reveal() == stored
    assert not holds_keys(edited)
    assert KEY not in leak.says + repr(leak)


def test_two_keys_of_one_provider_do_not_overwrite_each_other(vault: Vault) -> None:
    line = f'apiKey = "{KEY}1"\nheaders = {{ Authorization = "Bearer {KEY}2" }}\n'
    one = document(HEAD + line + TAIL)
    found = leaks(one)
    assert len({leak.variable for leak in found}) == 2
    for leak in found:
        one, _ = move(one, leak, vault)
    assert not list(secret_paths(one.data()))


def test_without_a_keyring_the_file_keeps_its_key(tmp_path: Path) -> None:
    one = document(HEAD + f'apiKey = "{KEY}"\n' + TAIL)
    (leak,) = leaks(one)
    with pytest.raises(KeyProblem) as caught:
        move(one, leak, open_vault(tmp_path, env={}, find=None))
    assert "stays in the file" in caught.value.fault.what
    assert KEY not in str(caught.value.fault)


@pytest.mark.parametrize(
    ("login", "variable", "stored", "header"),
    [
        ("ann:hunter22", "WARDEN_GW_AUTHORIZATION", "Basic YW5uOmh1bnRlcjIy", True),
        ("ann:hunter%40", "WARDEN_GW_AUTHORIZATION", "Basic YW5uOmh1bnRlckA=", True),
        (f":{KEY}", "WARDEN_GW_API_KEY", KEY, False),
        (f"ann:{KEY}", "WARDEN_GW_API_KEY", KEY, False),
        (KEY, "WARDEN_GW_API_KEY", KEY, False),
    ],
)
def test_a_password_in_an_address_moves_too(
    vault: Vault, login: str, variable: str, stored: str, header: bool
) -> None:
    one = document(HEAD.replace("//gw", f"//{login}@gw") + TAIL)
    (leak,) = leaks(one)
    edited, _ = move(one, leak, vault)
    line = 'headers = { Authorization = "$WARDEN_GW_AUTHORIZATION" }\n'
    assert tomllib.loads(edited.text) == tomllib.loads(HEAD + (line if header else "") + TAIL)
    secret = vault.fetch(variable, ORIGIN)
    assert secret is not None
    assert secret.reveal() == stored
    assert not holds_keys(edited)
    shown = masked_diff(one, edited) + leak.says
    assert not any(part in shown for part in (KEY, "hunter"))


def test_a_password_beside_an_authorization_header_is_left_to_its_owner() -> None:
    line = 'headers = { authorization = "$MINE" }\n'
    (leak,) = leaks(document(HEAD.replace("//gw", "//ann:hunter22@gw") + line + TAIL))
    assert leak.way == "none"


@pytest.mark.parametrize(
    "text",
    [
        f"# {KEY}\n",
        f"[x]\n{KEY} = 1\n",
        f'[x]\ntoken = """\n{KEY}\nand-a-second-line"""\n',
        f'[defaults]\nmodel = "{KEY}"\n',
        '[x]\npassword = "pa\\"ss\\\\w0rd"\n',
        "# apiKey = 'correct-h0rse-battery'\n",
    ],
)
def test_nothing_that_is_shown_of_a_file_has_its_keys(text: str) -> None:
    one, other = document(text), document("version = 1\n")
    assert holds_keys(one)
    shown = masked_diff(other, one) + str(masked_data(one.data(), one))
    parts = (KEY, "second-line", "w0rd", "h0rse")
    assert not any(part in shown for part in parts)


@pytest.mark.parametrize(
    "text",
    [
        f'version = 1\n[[skills]]\nname = "a"\ntoken = "{KEY}"\n',
        HEAD.replace("http://gw.acme.lan:4000/v1", "gw") + f'apiKey = "{KEY}"\n' + TAIL,
    ],
)
def test_a_key_that_fits_no_provider_is_left_to_its_owner(vault: Vault, text: str) -> None:
    one = document(text)
    (leak,) = leaks(one)
    assert leak == Leak(leak.path, "none")
    with pytest.raises(KeyProblem):
        move(one, leak, vault)


def test_no_difference_shows_a_key() -> None:
    before = document(HEAD + f'headers = {{ Authorization = "Bearer {KEY}" }}\n' + TAIL)
    after = document(HEAD + TAIL)
    shown = masked(diff(before.raw, after.raw, "warden.toml"), before, after)
    assert KEY not in shown
    assert "-headers" in shown
    tomllib.loads(after.text)


@pytest.mark.parametrize(
    ("url", "address", "stored"),
    [
        ("http://gw.acme.lan:4000/v1?api_key=QueryS3cret", "http://gw.acme.lan:4000/v1",
         "QueryS3cret"),
        ("http://gw.acme.lan:4000/v1?v=1&subscription-key=9f8e7d6c5b4a39281706f5e4d3c2b1a0",
         "http://gw.acme.lan:4000/v1?v=1", "9f8e7d6c5b4a39281706f5e4d3c2b1a0"),
        ("http://gw.acme.lan:4000/v1?key=a%2Fbcdefgh&v=1", "http://gw.acme.lan:4000/v1?v=1",
         "a/bcdefgh"),
    ],
)  # fmt: skip
def test_a_key_in_a_query_becomes_the_providers_key(
    vault: Vault, url: str, address: str, stored: str
) -> None:
    one = document(HEAD.replace("http://gw.acme.lan:4000/v1", url) + TAIL)
    assert holds_keys(one)
    (leak,) = leaks(one)
    assert "sent as the provider's key" in leak.says
    edited, _ = move(one, leak, vault)
    assert edited.config().providers[0].base_url == address
    assert not holds_keys(edited)
    secret = vault.fetch("WARDEN_GW_API_KEY", ORIGIN)
    assert secret is not None
    assert secret.reveal() == stored
    assert stored not in masked_diff(one, edited) + leak.says
    assert stored not in str(masked_data({"url": url, "keys": [stored]}, one))


def test_a_key_in_a_path_is_found_and_masked_and_moved_where_one_asks(vault: Vault) -> None:
    key = "tok_PathSecret1234567890abcdefghijklmn"
    comment = f"# see http://h/x?token={key}\n"
    one = document(HEAD.replace("4000/v1", f"4000/{key}/v1") + TAIL + comment)
    (leak,) = leaks(one)
    assert leak.origin == ORIGIN
    assert "wants it in the path" in leak.says
    assert key not in masked(one.text, one) + leak.says
    assert key not in masked(f"http://other.lan/{key}/v1")
    edited, _ = move(one, leak, vault)
    assert edited.config().providers[0].base_url == "http://gw.acme.lan:4000/v1"
    secret = vault.fetch("WARDEN_GW_API_KEY", ORIGIN)
    assert secret is not None
    assert secret.reveal() == key


def test_two_keys_in_one_address_are_left_to_the_person() -> None:
    key = "tok_PathSecret1234567890abcdefghijklmn"
    one = document(HEAD.replace("4000/v1", f"4000/{key}/v1?api_key=QueryS3cret") + TAIL)
    assert [leak.way for leak in leaks(one)] == ["none"]


def test_a_key_as_a_name_is_masked_in_every_form_of_the_name() -> None:
    one = document(f'version = 1\n[defaults.providers.{KEY}]\nbaseUrl = "http://h/v1"\n')
    stem = KEY.upper().replace("-", "_")
    shown = masked(f"{KEY} {KEY.upper()} WARDEN_{stem}_API_KEY", one)
    assert "CANARY" not in shown.upper()
