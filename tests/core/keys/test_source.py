"""Which source wins, and where its key may go."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import msgspec
import pytest

from core.errors import KeyProblem, exit_code_for
from core.keys.environment import PLACEHOLDER, child_variables
from core.keys.headers import Variable, read_value, resolve_headers
from core.keys.index import KeyIndex
from core.keys.secret import Secret
from core.keys.source import (
    KeySource,
    ProviderKey,
    allow,
    environment_fault,
    find_key,
    key_sources,
    rebind_key,
    rename_key,
    resolve_key,
)
from core.keys.vault import Vault, open_vault
from core.providers.base_url import read_base_url
from tests.core.keys.fakes import CANARY, LOCKED, VARIABLE, Raises, Works, vault_at

if TYPE_CHECKING:
    from pathlib import Path

    from core.errors import Fault
    from core.providers.base_url import BaseUrl

GW = read_base_url("http://gw:4000/v1")
EVIL = read_base_url("https://evil.example/v1")
LOCAL = read_base_url("http://127.0.0.1:11434/v1")
KEY = Secret(CANARY)


class Unwritable(KeyIndex):
    """A list in a folder of a file system that is mounted for reading alone."""

    def _write(self, content: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(content))


PLAIN = "LITELLM_API_KEY"


def code(fault: Fault | None) -> str | None:
    return None if fault is None else fault.code


@pytest.mark.parametrize(
    ("env", "api_key_env", "stored", "source", "variable"),
    [
        ({VARIABLE: "e"}, None, False, "environment", VARIABLE),
        ({PLAIN: "e"}, None, False, "environment", PLAIN),
        ({VARIABLE: "e", PLAIN: "x"}, None, False, "environment", VARIABLE),
        ({VARIABLE: "", PLAIN: "e"}, None, False, "environment", PLAIN),
        ({VARIABLE: "e"}, None, True, "environment", VARIABLE),
        ({}, None, True, "keyring", VARIABLE),
        ({VARIABLE: ""}, None, True, "keyring", VARIABLE),
        ({}, None, False, "none", VARIABLE),
        # apiKeyEnv is exclusive
        ({VARIABLE: "x"}, "CORP_KEY", False, "none", "CORP_KEY"),
    ],
)
def test_the_environment_wins_then_the_keyring(
    tmp_path: Path,
    env: dict[str, str],
    api_key_env: str | None,
    stored: bool,
    source: str,
    variable: str,
) -> None:
    vault = vault_at(tmp_path, Works())
    if stored:
        vault.store(VARIABLE, GW.origin, Secret("k"))
    found, secret = resolve_key("litellm", api_key_env, GW, env, vault)
    assert (found.source, found.variable, found.origin) == (source, variable, GW.origin)
    expected = {"environment": Secret("e"), "keyring": Secret("k"), "none": None}[source]
    assert secret == expected
    assert found.preflight is (source == "environment")
    assert (code(found.fault) == "key_missing") is (source == "none")


def test_both_sources_are_shown(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, Works())
    vault.store(VARIABLE, GW.origin, KEY)
    found, _ = find_key("litellm", None, GW, {VARIABLE: "e", PLAIN: "x"}, vault)
    assert found.also_in == (PLAIN, "keyring")


def test_stock_reads_the_plain_variable_first(tmp_path: Path) -> None:
    env = {VARIABLE: "warden", PLAIN: "plain"}
    found, secret = find_key("litellm", None, GW, env, vault_at(tmp_path, None), variant="stock")
    assert (found.variable, secret) == (PLAIN, Secret("plain"))


def test_a_key_that_is_missing_says_where_it_was_looked_for(tmp_path: Path) -> None:
    found, _ = resolve_key("litellm", None, GW, {PLAIN: ""}, vault_at(tmp_path, Works()))
    assert found.fault is not None
    assert exit_code_for(found.fault) == 5
    assert f"{VARIABLE} is not set and {PLAIN} is empty" in found.fault.why
    assert "turnkey keys set litellm" in found.fault.fix


def test_a_keyless_server_on_this_machine_gets_the_placeholder(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, Works())
    found, secret = resolve_key("ollama", None, LOCAL, {}, vault)
    assert (found.source, found.preflight, found.fault) == ("placeholder", True, None)
    assert secret == Secret(PLACEHOLDER)
    assert secret.reveal() == secret.reveal().lower()
    assert vault.index.entries == ()


def test_the_first_origin_of_an_environments_key_is_recorded_and_no_other_gets_it(
    tmp_path: Path,
) -> None:
    env = {VARIABLE: CANARY}
    found, secret = resolve_key("litellm", None, GW, env, vault_at(tmp_path, None))
    assert secret == KEY
    assert found.stored_at is not None
    found, secret = resolve_key("litellm", None, EVIL, env, vault_at(tmp_path, None))
    assert secret is None
    assert code(found.fault) == "key_bound_elsewhere"
    assert found.fault is not None
    assert GW.origin in found.fault.what
    assert EVIL.origin in found.fault.what
    assert "turnkey keys rebind litellm" in found.fault.fix
    assert rebind_key("litellm", None, EVIL, env, vault_at(tmp_path, None))
    assert resolve_key("litellm", None, EVIL, env, vault_at(tmp_path, None))[1] == KEY
    assert resolve_key("litellm", None, GW, env, vault_at(tmp_path, None))[1] is None
    assert all(CANARY.encode() not in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


def test_a_folder_that_cannot_be_written_stops_no_key_of_the_providers_own(tmp_path: Path) -> None:
    told: list[Fault] = []
    vault = Vault(None, Unwritable(tmp_path / "none" / "keys.json"), find=None)
    vault.index.on_unkept = told.append
    env = {VARIABLE: CANARY, "OTHER": CANARY}
    for _ in range(2):
        found, secret = resolve_key("litellm", None, GW, env, vault)
        assert (secret, found.fault, found.stored_at) == (KEY, None, None)
    assert [one.code for one in told] == ["config_unwritable"]
    found, secret = resolve_key("litellm", None, EVIL, env, vault)
    assert (secret, code(found.fault)) == (None, "key_bound_elsewhere")
    found, secret = resolve_key("litellm", "OTHER", GW, env, vault)
    assert (secret, code(found.fault)) == (None, "key_bound_elsewhere")


def test_what_a_list_that_cannot_be_written_says_still_holds(tmp_path: Path) -> None:
    env = {VARIABLE: CANARY}
    assert resolve_key("litellm", None, GW, env, vault_at(tmp_path, None))[1] == KEY
    kept = vault_at(tmp_path, None).index.path
    found, secret = resolve_key(
        "litellm", None, EVIL, env, Vault(None, Unwritable(kept), find=None)
    )
    assert (secret, code(found.fault)) == (None, "key_bound_elsewhere")


def test_a_variable_whose_stored_key_belongs_elsewhere_is_bound_there_too(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, Works())
    vault.store(VARIABLE, GW.origin, KEY)
    found, secret = resolve_key("litellm", None, EVIL, {VARIABLE: CANARY}, vault)
    assert (secret, code(found.fault)) == (None, "key_bound_elsewhere")
    assert resolve_key("litellm", None, GW, {VARIABLE: CANARY}, vault)[1] == KEY


@pytest.mark.parametrize("base", [EVIL, LOCAL])
def test_a_stored_key_does_not_follow_an_edited_base_url(tmp_path: Path, base: BaseUrl) -> None:
    vault = vault_at(tmp_path, Works())
    vault.store(VARIABLE, GW.origin, KEY)
    found, secret = resolve_key("litellm", None, base, {}, vault)
    assert secret is None
    assert (found.source, code(found.fault)) == ("none", "key_bound_elsewhere")


def test_looking_records_nothing(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, None)
    assert find_key("litellm", None, GW, {VARIABLE: CANARY}, vault)[1] == KEY
    resolve_key("litellm", None, GW, {VARIABLE: CANARY}, vault, record=False)
    key_sources([ProviderKey("litellm", None, GW)], {VARIABLE: CANARY}, vault)
    assert vault.index.entries == ()


def test_a_foreign_variable_needs_consent_once(tmp_path: Path) -> None:
    env = {"AWS_SECRET_ACCESS_KEY": CANARY}
    vault = vault_at(tmp_path, None)

    def go(*, consent: bool = False, record: bool = True) -> tuple[KeySource, Secret | None]:
        return resolve_key(
            "litellm", "AWS_SECRET_ACCESS_KEY", GW, env, vault, consent=consent, record=record
        )

    found, secret = go()
    assert secret is None
    assert found.fault is not None
    assert exit_code_for(found.fault) == 5
    assert "AWS_SECRET_ACCESS_KEY" in found.fault.what
    assert go(consent=True, record=False)[1] == KEY
    assert go()[1] is None  # one command line's agreement is for that command alone
    assert go(consent=True)[1] == KEY
    assert go()[1] == KEY
    found, secret = resolve_key("litellm", "AWS_SECRET_ACCESS_KEY", EVIL, env, vault)
    assert (secret, code(found.fault)) == (None, "key_bound_elsewhere")


@pytest.mark.parametrize("variable", ["PATH", "BASH_ENV", "NODE_OPTIONS", "A=B", "A B", " ", "A\0"])
@pytest.mark.parametrize("base", [GW, LOCAL])
def test_a_variable_that_steers_programs_is_never_a_keys(
    tmp_path: Path, variable: str, base: BaseUrl
) -> None:
    env = {variable: "/bin"}
    found, secret = resolve_key(
        "litellm",
        variable,
        base,
        env,
        vault_at(tmp_path, None),
        consent=True,
    )
    assert (secret, code(found.fault)) == (None, "key_refused")
    with pytest.raises(KeyProblem):
        rebind_key("litellm", variable, GW, env, vault_at(tmp_path, None))


def test_the_placeholder_goes_into_no_variable_that_is_not_a_keys(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, None)
    assert resolve_key("ollama", "RUSTC_WRAPPER", LOCAL, {}, vault)[1] is None
    assert resolve_key("ollama", "MY_OLLAMA_KEY", LOCAL, {}, vault)[1] == Secret(PLACEHOLDER)


@pytest.mark.parametrize(
    ("value", "sent"), [("k\n", "k"), (" k ", "k"), ("k\nk", None), ("kö", None)]
)
def test_an_environments_key_has_to_fit_a_header(
    tmp_path: Path, value: str, sent: str | None
) -> None:
    found, secret = resolve_key("litellm", None, GW, {VARIABLE: value}, vault_at(tmp_path, None))
    assert secret == (None if sent is None else Secret(sent))
    assert code(found.fault) == (None if sent else "key_refused")


def test_a_locked_keyring_is_the_fault(tmp_path: Path) -> None:
    vault_at(tmp_path, Works()).store(VARIABLE, GW.origin, KEY)
    found, secret = find_key("litellm", None, GW, {}, vault_at(tmp_path, Raises(LOCKED)))
    assert (secret, found.source, code(found.fault)) == (None, "none", "keyring")
    assert found.stored_at is not None


def test_a_quick_look_asks_the_list_alone(tmp_path: Path) -> None:
    vault_at(tmp_path, Works()).store(VARIABLE, GW.origin, KEY)
    keyring = Works()
    vault = vault_at(tmp_path, keyring)
    found, secret = find_key("litellm", None, GW, {}, vault, look=False)
    assert (found.source, secret) == ("keyring", None)
    found, _ = find_key("litellm", None, EVIL, {}, vault, look=False)
    assert code(found.fault) == "key_bound_elsewhere"
    found, _ = find_key("ollama", None, LOCAL, {}, vault, look=False)
    assert found.source == "placeholder"
    assert keyring.calls == []


def test_memory_is_a_source_of_its_own(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, None)
    vault.store(VARIABLE, GW.origin, KEY)
    found, secret = resolve_key("litellm", None, GW, {}, vault)
    assert (found.source, secret) == ("memory", KEY)


def test_pis_own_store_is_said_to_win(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, None)
    found, _ = find_key("litellm", None, GW, {}, vault, pi_stored={"litellm"})
    assert found.owned_by_pi


def test_rows_are_json_without_values(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, Works())
    vault.store(VARIABLE, GW.origin, KEY)
    rows = key_sources(
        [ProviderKey("litellm", None, GW), ProviderKey("ollama", None, LOCAL)],
        {"OLLAMA_API_KEY": CANARY},
        vault,
    )
    raw = msgspec.json.encode({"keys": rows})
    assert CANARY.encode() not in raw
    first = msgspec.json.decode(raw)["keys"][0]
    expected = {"provider", "variable", "origin", "source", "stored_at", "preflight"}
    assert expected <= first.keys()


def test_rebind_moves_a_stored_key_and_says_so(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, Works())
    vault.store(VARIABLE, GW.origin, KEY)
    done = rebind_key("litellm", None, EVIL, {}, vault)
    assert done == (f"The key {VARIABLE} is bound to {EVIL.origin} now, in Secret Service.",)
    assert resolve_key("litellm", None, EVIL, {}, vault)[1] == KEY
    assert rebind_key("litellm", None, EVIL, {}, vault) == ()


def test_rebind_without_a_key_says_it_is_missing(tmp_path: Path) -> None:
    with pytest.raises(KeyProblem) as caught:
        rebind_key("litellm", None, GW, {}, vault_at(tmp_path, Works()))
    assert caught.value.fault.code == "key_missing"


def test_a_renamed_provider_takes_its_key_along(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, Works())
    vault.store(VARIABLE, GW.origin, KEY)
    assert rename_key("litellm", "proxy", None, GW, vault) is not None
    assert resolve_key("proxy", None, GW, {}, vault)[1] == KEY
    assert resolve_key("litellm", None, GW, {}, vault)[1] is None
    assert rename_key("proxy", "other", "CORP_KEY", GW, vault) is None


# Header values


@pytest.mark.parametrize(
    ("value", "pieces"),
    [
        ("plain", ("plain",)),
        ("", ()),
        ("!rm -rf /", None),
        ("$A", (Variable("A"),)),
        ("Bearer ${A_B}x", ("Bearer ", Variable("A_B"), "x")),
        ("$$A", ("$", "A")),
        ("$!x", ("!", "x")),
        ("cost $5", ("cost $5",)),
        ("SET", (Variable("SET"),)),
        ("UNSET", ("UNSET",)),
    ],
)
def test_a_header_value_is_read_as_pi_reads_it(
    value: str, pieces: tuple[str | Variable, ...] | None
) -> None:
    assert read_value(value, {"SET": "x"}) == pieces


def headers(
    vault: Vault, env: dict[str, str], **values: str
) -> tuple[dict[str, object], list[str]]:
    ready, faults = resolve_headers("litellm", values, GW, env, vault)
    return dict(ready), [fault.code for fault in faults]


def test_a_commands_header_is_left_out_and_never_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    ready, codes = headers(vault_at(tmp_path, None), {}, x=f"!touch {marker}", y="plain")
    assert (ready, codes) == ({"y": "plain"}, ["key_refused"])
    assert not marker.exists()


def test_a_variable_in_a_header_is_a_key(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, None)
    env = {"GATE_TOKEN": CANARY, PLAIN: "own", "PATH": "/bin"}
    assert headers(vault, env, x="$GATE_TOKEN") == ({}, ["key_bound_elsewhere"])
    assert headers(vault, env, x="$PATH") == ({}, ["key_refused"])
    assert headers(vault, env, x="$NOT_SET") == ({}, ["key_missing"])
    assert headers(vault, env, x=f"Token ${PLAIN}") == ({"x": Secret("Token own")}, [])
    side, _ = headers(vault, {PLAIN: CANARY}, x=f"Token ${PLAIN}")
    assert isinstance(side["x"], Secret)
    assert CANARY not in side["x"].redact(f"the server says {CANARY} alone")
    vault.allow_environment("GATE_TOKEN", GW.origin)
    assert headers(vault, env, x="${GATE_TOKEN}") == ({"x": KEY}, [])
    vault.store("KEPT_TOKEN", GW.origin, Secret("kept"))
    assert headers(vault, env, x="$KEPT_TOKEN") == ({"x": Secret("kept")}, [])
    ready, codes = headers(vault, env, x="a\r\nHost: evil")
    assert (ready, codes) == ({}, ["key_refused"])


def test_what_is_recorded_of_one_of_a_providers_variables_counts_for_the_other(
    tmp_path: Path,
) -> None:
    vault = open_vault(tmp_path, env={}, find=None)
    vault.remember("WARDEN_GOOD_API_KEY", "http://127.0.0.1:1", Secret("sk-x"))
    moved = read_base_url("http://127.0.0.1:2/v1")
    found, secret = find_key("good", None, moved, {"GOOD_API_KEY": "sk-x"}, vault)
    assert secret is None
    assert found.fault is not None
    assert found.fault.code == "key_bound_elsewhere"


@pytest.mark.parametrize("variable", ["ANTHROPIC_API_KEY", "WARDEN_ANTHROPIC_API_KEY"])
def test_a_hosted_services_variable_is_nobodys_own(tmp_path: Path, variable: str) -> None:
    vault = open_vault(tmp_path, env={}, find=None)
    base = read_base_url("http://127.0.0.1:1/v1")
    found, secret = find_key("anthropic", None, base, {variable: "sk-x"}, vault)
    assert secret is None
    assert found.fault is not None


# A list of keys that cannot be used


def spoil(folder: Path, how: str) -> None:
    path = folder / "turnkey" / "keys.json"
    path.parent.mkdir(parents=True)
    match how:
        case "damaged":
            path.write_text("{")
        case "newer":
            path.write_text('{"version": 99, "entries": []}')
        case "folder":
            path.mkdir()
        case "unwritable":
            path.parent.rmdir()
            path.parent.write_text("a file where the folder should be")


@pytest.mark.parametrize("how", ["damaged", "newer", "folder", "unwritable"])
def test_without_a_usable_list_no_environments_key_leaves(tmp_path: Path, how: str) -> None:
    spoil(tmp_path, how)
    vault = vault_at(tmp_path, Works())
    for _ in range(2):  # and not the second time, either
        found, secret = resolve_key("litellm", None, GW, {VARIABLE: CANARY}, vault)
        assert secret is None
        assert found.fault is not None
        assert exit_code_for(found.fault) == 5
        assert VARIABLE in found.fault.what
        assert "keys.json" in found.fault.why or "turnkey" in found.fault.why
        assert f"--url {GW.origin} --key-env {VARIABLE}" in found.fault.fix
        ready, faults = resolve_headers(
            "litellm", {"x": f"Token ${PLAIN}"}, GW, {PLAIN: CANARY}, vault
        )
        assert (ready, len(faults)) == ({}, 1)


def test_a_stored_key_needs_no_list_to_stay_with_its_origin(tmp_path: Path) -> None:
    keyring = Works()
    vault_at(tmp_path / "before", keyring).store(VARIABLE, GW.origin, KEY)
    spoil(tmp_path, "damaged")
    assert resolve_key("litellm", None, GW, {}, vault_at(tmp_path, keyring))[1] == KEY
    assert resolve_key("litellm", None, EVIL, {}, vault_at(tmp_path, keyring))[1] is None


def test_what_was_agreed_to_just_now_holds_for_this_run(tmp_path: Path) -> None:
    spoil(tmp_path, "unwritable")
    vault = vault_at(tmp_path, None)
    assert resolve_key("litellm", None, GW, {VARIABLE: CANARY}, vault, consent=True)[1] == KEY


# A keyring that cannot be asked


def test_a_locked_keyring_is_not_taken_for_one_that_has_no_key(tmp_path: Path) -> None:
    found, secret = resolve_key("litellm", None, GW, {}, vault_at(tmp_path, Raises(LOCKED)))
    assert (secret, code(found.fault)) == (None, "keyring")


def test_a_keyless_server_works_beside_a_locked_keyring_and_that_is_told(tmp_path: Path) -> None:
    found, secret = resolve_key("ollama", None, LOCAL, {}, vault_at(tmp_path, Raises(LOCKED)))
    assert (found.source, secret) == ("placeholder", Secret(PLACEHOLDER))
    assert found.unasked is not None
    assert found.unasked.what == "Secret Service is locked."
    listed = vault_at(tmp_path / "b", Works())
    listed.store("WARDEN_OLLAMA_API_KEY", LOCAL.origin, KEY)
    vault = vault_at(tmp_path / "b", Raises(LOCKED))
    assert resolve_key("ollama", None, LOCAL, {}, vault)[1] is None  # it has a key: no placeholder


def test_where_there_is_no_keyring_nobody_says_that_it_has_none(tmp_path: Path) -> None:
    found, _ = resolve_key("litellm", None, GW, {}, vault_at(tmp_path, None))
    assert found.fault is not None
    assert found.fault.why.endswith("There is no keyring here.")


# A key where the name of its variable belongs


@pytest.mark.parametrize(
    "pasted",
    [
        CANARY,
        "sk-1234",
        "gsk_abcdefghij0123456789XYZ",
        "a8f3b2c1d4e5f6a7b8c9d0e1f2a3b4c5",
        "123e4567-e89b-12d3-a456-426614174000",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_1",
    ],
)
def test_a_key_pasted_as_apikeyenv_is_refused_and_never_shown(tmp_path: Path, pasted: str) -> None:
    vault = vault_at(tmp_path, Works())
    found, secret = resolve_key("litellm", pasted, GW, {pasted: "x"}, vault, consent=True)
    assert secret is None
    assert code(found.fault) == "key_refused"
    with pytest.raises(KeyProblem) as caught:
        rebind_key("litellm", pasted, GW, {pasted: "x"}, vault)
    assert pasted not in f"{found!r}{caught.value.fault!r}"
    assert pasted.encode() not in msgspec.json.encode(found)
    for variant in ("providers", "stock"):
        assert pasted not in child_variables("litellm", pasted, variant)
    assert vault.index.entries == ()


def test_two_that_saw_an_empty_list_do_not_both_get_leave(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, None)
    decided = environment_fault(PLAIN, "litellm", EVIL.origin, vault)
    assert decided is None  # nobody had sent it anywhere
    vault_at(tmp_path, None).allow_environment(PLAIN, GW.origin)
    fault = allow(PLAIN, "litellm", EVIL.origin, vault)
    assert code(fault) == "key_bound_elsewhere"
    assert vault.sent_to(PLAIN) == (GW.origin,)


@pytest.mark.parametrize("base", [GW, LOCAL])
def test_spaces_alone_are_told_and_never_sent_as_an_empty_key(
    tmp_path: Path, base: BaseUrl
) -> None:
    env = {VARIABLE: "  ", PLAIN: CANARY}
    found, secret = resolve_key("litellm", None, base, env, vault_at(tmp_path, None))
    assert secret is None
    assert code(found.fault) == "key_refused"
