"""What the Keys screen says and does, without a screen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from core.errors import KeyProblem
from core.key_board import (
    age_words,
    delete_key,
    import_key,
    origins_of_others,
    others,
    preflight_words,
    rebind,
    rows,
    run_line,
    set_key,
    why_others,
)
from core.keys.secret import Secret
from core.keys.source import KeySource
from core.left_over import left_over
from core.warden.document import Document
from core.workspace import Workspace
from tests.core.keys.fakes import CANARY, Works, vault_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.keys.vault import Vault

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GW = "http://gw.lan:4000"
FILE = """\
version = 1
[defaults.agent]
model = "litellm/m"
[defaults.providers.litellm]
baseUrl = "http://gw.lan:4000/v1"
[defaults.providers.ollama]
baseUrl = "http://127.0.0.1:11434/v1"
[defaults.providers.vllm]
baseUrl = "https://vllm.lan/v1"
apiKeyEnv = "TEAM_KEY"
"""


def workspace(vault: Vault, env: Mapping[str, str] | None = None, text: str = FILE) -> Workspace:
    document = Document(Path("warden.toml"), text.encode(), text.encode())
    return Workspace(document, document, {} if env is None else env, vault)


def test_what_a_header_reads_is_not_said_to_be_left_over(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, None)
    for variable in ("TEAM_TOKEN", "GONE_API_KEY", "WARDEN_LITELLM_API_KEY"):
        vault.allow_environment(variable, "http://gw.lan:4000")
    vault.allow_environment("TEAM_TOKEN", "http://old.lan:4000")
    base = 'baseUrl = "http://gw.lan:4000/v1"'
    text = FILE.replace(base, f'{base}\nheaders = {{ X-Team = "Bearer $TEAM_TOKEN" }}')
    found = left_over(workspace(vault, text=text), datetime.now(UTC))
    told = {(one.variable, one.origin): (one.reader, "No provider" in one.words) for one in found}
    assert told == {
        ("TEAM_TOKEN", "http://gw.lan:4000"): ("litellm", False),
        ("TEAM_TOKEN", "http://old.lan:4000"): ("", True),
        ("GONE_API_KEY", "http://gw.lan:4000"): ("", True),
    }


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (None, "–"),
        ("no time", "–"),
        ("2026-11-21T11:59:40Z", "now"),
        ("2026-11-21T11:58:00Z", "2 min"),
        ("2026-11-21T07:00:00Z", "5 h"),
        ("2026-11-18T12:00:00Z", "3 d"),
        ("2026-11-18T12:00:00", "3 d"),
        ("2027-01-01T00:00:00Z", "now"),
    ],
)
def test_age_is_told_in_one_unit(stored: str | None, words: str) -> None:
    assert age_words(stored, NOW) == words


def test_each_row_says_where_the_key_is_and_where_it_may_go(tmp_path: Path) -> None:
    on = workspace(vault_at(tmp_path, Works()), {"TEAM_KEY": CANARY})
    set_key(on, on.provider("litellm"), Secret(CANARY))
    litellm, ollama, vllm = rows(on, keyring="Secret Service", now=datetime.now(UTC))
    assert (litellm.where, litellm.origin, litellm.age) == ("Secret Service", GW, "now")
    assert litellm.preflight == "preflight passes under turnkey run"
    assert (ollama.where, ollama.state) == ("placeholder", "placeholder")
    assert ollama.preflight == "preflight passes"
    assert (vllm.where, vllm.state, vllm.variable) == ("bound elsewhere", "refused", "TEAM_KEY")
    assert vllm.fault is not None
    assert "Nobody agreed yet" in vllm.fault.what
    assert CANARY not in repr((litellm, ollama, vllm))


def test_a_base_url_that_cannot_be_meant_is_a_row_of_its_own(tmp_path: Path) -> None:
    on = workspace(
        vault_at(tmp_path, Works()), text='[defaults.providers.x]\nbaseUrl = "ftp://x/v1"\n'
    )
    (row,) = rows(on, now=NOW)
    assert (row.origin, row.state) == ("", "refused")
    assert row.fault is not None


def test_a_key_of_another_address_is_rebound_and_that_of_another_provider_stays(
    tmp_path: Path,
) -> None:
    vault = vault_at(tmp_path, Works())
    shared = FILE.replace('"TEAM_KEY"', '"WARDEN_LITELLM_API_KEY"')
    on = workspace(vault, text=shared)
    set_key(on, on.provider("vllm"), Secret(CANARY))
    assert origins_of_others(on, on.provider("litellm")) == ("https://vllm.lan",)
    vault.store("WARDEN_LITELLM_API_KEY", "http://old:4000", Secret("sk-old"))
    assert rebind(on, on.provider("litellm")) != ()
    assert set(vault.stored_for("WARDEN_LITELLM_API_KEY")) == {GW, "https://vllm.lan"}
    assert vault.fetch("WARDEN_LITELLM_API_KEY", GW) == Secret("sk-old")


def test_a_key_that_two_providers_share_is_kept_for_both_once_agreed(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, Works())
    on = workspace(vault, text=FILE.replace('"TEAM_KEY"', '"WARDEN_LITELLM_API_KEY"'))
    set_key(on, on.provider("vllm"), Secret(CANARY))
    fault = on.key_source(on.provider("litellm")).fault
    assert fault is not None
    assert "turnkey keys rebind litellm" in fault.fix  # and that does it:
    (done,) = rebind(on, on.provider("litellm"))
    assert "as well" in done
    assert set(vault.stored_for("WARDEN_LITELLM_API_KEY")) == {GW, "https://vllm.lan"}
    assert on.key_for(on.provider("litellm"))[1] == Secret(CANARY)
    assert on.key_for(on.provider("vllm"))[1] == Secret(CANARY)


def test_the_environments_key_is_imported_for_this_origin_alone(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, Works())
    on = workspace(vault, {"LITELLM_API_KEY": CANARY})
    assert import_key(on, on.provider("litellm"))[0] == "LITELLM_API_KEY"
    assert vault.stored_for("WARDEN_LITELLM_API_KEY") == (GW,)
    assert delete_key(on, on.provider("litellm"))
    assert not delete_key(on, on.provider("litellm"))


def test_a_variable_that_a_strangers_file_names_is_not_imported_unasked(tmp_path: Path) -> None:
    on = workspace(vault_at(tmp_path, Works()), {"TEAM_KEY": CANARY})
    with pytest.raises(KeyProblem) as caught:
        import_key(on, on.provider("vllm"))
    assert caught.value.fault.code == "key_bound_elsewhere"
    rebind(on, on.provider("vllm"))
    assert import_key(on, on.provider("vllm"))[1].kind == "keyring"


def test_without_a_key_in_the_environment_import_says_which_variable(tmp_path: Path) -> None:
    on = workspace(vault_at(tmp_path, Works()))
    with pytest.raises(KeyProblem, match="no key for «litellm» to import"):
        import_key(on, on.provider("litellm"))


def test_other_providers_keys_are_named_with_the_lanes_that_would_leave(tmp_path: Path) -> None:
    on = workspace(vault_at(tmp_path, Works()), {"ANTHROPIC_API_KEY": CANARY})
    on.variant = "stock"
    (other,) = others(on)
    assert (other.variable, other.provider) == ("ANTHROPIC_API_KEY", "Anthropic")
    assert "auxiliary" in other.lanes
    assert "auxiliary" in why_others((other,)).why
    assert run_line(on) == "turnkey run --variant stock --only-listed -- warden"


def test_pis_own_key_is_pointed_out(tmp_path: Path) -> None:
    pi = tmp_path / "home" / ".pi" / "agent"
    pi.mkdir(parents=True)
    (pi / "auth.json").write_text('{"litellm": {"type": "api_key", "key": "sk-other"}}')
    on = workspace(vault_at(tmp_path, Works()), {"HOME": str(tmp_path / "home")})
    litellm, *_ = rows(on, now=NOW)
    assert any("Pi sends that one" in note for note in litellm.notes)
    assert on.key_for(on.provider("litellm"), send=False)[0].owned_by_pi


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("keyring", "preflight passes under turnkey run"),
        ("memory", "preflight fails: this turnkey alone has the key"),
        ("none", "preflight fails"),
    ],
)
def test_what_is_said_of_wardens_own_check(
    source: Literal["keyring", "memory", "none"], words: str
) -> None:
    assert preflight_words(KeySource("gw", "WARDEN_GW_API_KEY", "http://gw", source)) == words
