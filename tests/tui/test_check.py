"""``turnkey check``: judged, and mended where it is asked for; keys leave the file unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tui.desk import KEY

if TYPE_CHECKING:
    from tests.tui.desk import Desk

OLD = """\
# ours
version = 1

[defaults]
model = "litellm/qwen3" # all
failOn = "critical"

[defaults.auxiliary]
model = "litellm/qwen3"

[defaults.providers.litellm]
baseUrl = "http://127.0.0.1:4000/v1"

[[defaults.providers.litellm.models]]
id = "qwen3"

[[skills]]
name = "code-review"
scope = "all"
"""


def test_old_spellings_are_upgraded_and_leftovers_stay(desk: Desk) -> None:
    desk.file.write_text(OLD)
    shown = desk.turnkey("check", "--fix", "--dry-run")
    assert "+failOn" in shown.out
    assert desk.file.read_text() == OLD
    done = desk.turnkey("check", "--fix", "--json")
    assert done.code == 0
    text = desk.file.read_text()
    assert 'model = "litellm/qwen3" # all' in text
    assert 'failOn = "high"' in text
    assert 'scope = "all"' in text
    codes = {str(one["code"]) for one in rows(done.json(), "problems")}
    assert "legacy_key" not in codes
    assert "leftover_key" in codes
    desk.turnkey("check", "--drop-leftovers")
    assert desk.file.read_text() == text.replace('scope = "all"\n', "")


def test_a_key_in_the_file_moves_to_the_keyring_and_is_never_shown(keyring_desk: Desk) -> None:
    desk = keyring_desk
    line = f'apiKey = "{KEY}"\n'
    text = OLD.replace('4000/v1"\n', f'4000/v1"\n{line}')
    desk.file.write_text(text)
    said = [desk.turnkey("check"), desk.turnkey("check", "--move-keys", "--dry-run")]
    assert said[0].code == 1
    assert desk.file.read_text() == text
    done = desk.turnkey("check", "--move-keys")
    assert desk.file.read_text() == OLD
    for one in (*said, done):
        assert KEY not in one.out + one.err
    listed = desk.turnkey("keys", "list", "--json")
    assert "WARDEN_LITELLM_API_KEY" in listed.out


def test_without_a_keyring_the_key_stays_where_it_is(desk: Desk) -> None:
    text = OLD.replace('4000/v1"\n', f'4000/v1"\napiKey = "sk-{"a" * 20}"\n')
    desk.file.write_text(text)
    done = desk.turnkey("check", "--move-keys")
    assert done.code == 1
    assert "stays in the file" in done.err
    assert desk.file.read_text() == text


def test_both_layers_are_judged_and_a_named_base_is_told_of(desk: Desk) -> None:
    desk.file.write_text(OLD)
    org = desk.folder / "org.toml"
    org.write_text('version = 1\n[defaults]\nfailOn = "hihg"\n')
    workflows = desk.folder / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (desk.folder / ".git").mkdir(exist_ok=True)
    (workflows / "w.yml").write_text("with:\n  base-config-path: org.toml\n")
    alone = desk.turnkey("check", "--json")
    assert "base_layer_named" in {str(one["code"]) for one in rows(alone.json(), "problems")}
    both = desk.turnkey("check", "--json", "--base", str(org))
    wrong = [one for one in rows(both.json(), "problems") if one["layer"] == "base"]
    assert [one["path"] for one in wrong if one["severity"] == "error"] == ["defaults.failOn"]
    assert desk.turnkey("check", "--base", str(desk.file)).code == 2


def rows(found: dict[str, object], name: str) -> list[dict[str, object]]:
    """The objects of a list in JSON."""
    listed = found[name]
    assert isinstance(listed, list)
    return [one for one in listed if isinstance(one, dict)]


def test_a_dry_run_of_moving_keys_shows_the_difference_without_the_key(desk: Desk) -> None:
    text = OLD.replace("http://127", "http://ann:hunter22@127")
    text = text.replace('4000/v1"\n', f'4000/v1"\napiKey = "sk-{"a" * 20}"\n')
    desk.file.write_text(text)
    shown = desk.turnkey("check", "--move-keys", "--dry-run")
    assert desk.file.read_text() == text
    assert '+baseUrl = "http://127.0.0.1:4000/v1"' in shown.out
    assert '+Authorization = "$WARDEN_LITELLM_AUTHORIZATION"' in shown.out
    assert "-apiKey" in shown.out
    for key in ("hunter22", "a" * 20):
        assert key not in shown.out + shown.err
    left = rows(desk.turnkey("check", "--move-keys", "--dry-run", "--json").json(), "problems")
    assert not {"secret_in_file", "base_url_credentials"} & {str(one["code"]) for one in left}


def test_old_spellings_that_hold_a_key_are_left_where_they_are(desk: Desk) -> None:
    key = f"sk-{'a' * 20}"
    text = f'version = 1\n[defaults]\nmodel = "{key}"\nfailOn = "critical"\n'
    desk.file.write_text(text)
    done = desk.turnkey("check", "--fix")
    assert done.code == 1
    assert desk.file.read_text() == text.replace("critical", "high")
    assert "defaults.model holds a key" in done.err
    for said in (done, desk.turnkey("check", "--json"), desk.turnkey("lanes", "--json")):
        assert key not in said.out + said.err


def test_a_base_layer_alone_is_judged_as_the_only_file(desk: Desk) -> None:
    org = desk.folder / "org.toml"
    org.write_text(OLD.replace('"critical"', '"hihg"'))
    assert desk.turnkey("check").code == 3
    found = desk.turnkey("check", "--base", str(org), "--json")
    assert found.code == 1
    layers = {one["layer"] for one in rows(found.json(), "problems") if one["path"]}
    assert layers == {"base"}
    assert not desk.file.exists()


@pytest.mark.parametrize("option", ["--fix", "--drop-leftovers", "--move-keys"])
def test_where_there_is_nothing_to_mend_the_file_stays(desk: Desk, option: str) -> None:
    text = 'version = 1\n[defaults]\nfailOn = "high"'
    desk.file.write_text(text)
    assert desk.turnkey("check", option).code == 0
    assert desk.file.read_text() == text
