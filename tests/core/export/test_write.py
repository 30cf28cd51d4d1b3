"""Writing an export: permissions, links, foreign bytes, and nothing lost unasked."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

import pytest
from msgspec.structs import replace

from core.errors import ConfigProblem, Refusal
from core.export.make import make_export, refuse_keys, target_named
from core.export.setup import TARGETS, Target
from core.export.write import place_for, read_existing, write_export, write_text
from core.warden.document import Document, load, parse
from tests.core.export.setups import setup

if TYPE_CHECKING:
    from pathlib import Path

POSIX: Final = pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
OWN: Final = b'version = 1\n[defaults.agent]\nmodel = "litellm/qwen3-coder"\n'


def own(folder: Path) -> Document:
    path = folder / "warden.toml"
    path.write_bytes(OWN)
    return load(path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@POSIX
def test_a_private_file_is_its_owners_alone_and_one_that_is_there_keeps_its_mode(
    tmp_path: Path,
) -> None:
    document = own(tmp_path)
    auth = make_export(setup(), "pi", document=document, auth=True)
    place = tmp_path / "pi" / "auth.json"
    write_export(setup(), "pi", auth, place, document=document, auth=True)
    assert mode(place) == 0o600
    models = tmp_path / "models.json"
    models.write_text("{}")
    models.chmod(0o640)
    made = make_export(setup(), "pi", document=document)
    write_export(setup(), "pi", made, models, document=document)
    assert mode(models) == 0o640


@POSIX
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "models.json"
    real.parent.mkdir()
    real.write_text("{} // mine\n")
    link = tmp_path / "models.json"
    link.symlink_to(real)
    write_text(link, "{}\n", seen="{} // mine\n")
    assert link.is_symlink()
    assert real.read_text() == "{}\n"


def test_what_another_program_wrote_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text("theirs")
    with pytest.raises(ConfigProblem) as caught:
        write_text(path, "ours", seen="before")
    assert caught.value.fault.code == "config_changed"
    assert path.read_text() == "theirs"
    assert [one.name for one in tmp_path.iterdir()] == ["models.json"]


@pytest.mark.parametrize("target", [name for name in TARGETS if name not in {"pi", "warden"}])
def test_a_file_that_says_something_else_stays_unless_it_may_go(
    tmp_path: Path, target: str
) -> None:
    document, name = own(tmp_path), target_named(target)
    made = make_export(setup(), name, document=document)
    place = tmp_path / "there.env"
    place.write_text("OWN=1\n")
    with pytest.raises(Refusal) as caught:
        write_export(setup(), name, made, place, document=document)
    assert caught.value.fault.code == "would_be_lost"
    assert place.read_text() == "OWN=1\n"
    written = write_export(setup(), name, made, place, document=document, replace=True)
    assert place.read_text() == made.text
    assert written.replaced
    assert not write_export(setup(), name, made, place, document=document).replaced


@pytest.mark.parametrize("auth", [False, True])
def test_a_key_of_the_file_is_not_lost_unasked_and_never_shown(tmp_path: Path, auth: bool) -> None:
    document = own(tmp_path)
    held = '{"litellm": {"type": "api_key", "key": "sk-theirs-only"}}'
    place = tmp_path / "file.json"
    place.write_text(held if auth else '{"providers": {"litellm": {"apiKey": "sk-theirs-only"}}}')
    before = place.read_text()
    made = make_export(setup(), "pi", document=document, auth=auth)
    with pytest.raises(Refusal) as caught:
        write_export(setup(), "pi", made, place, document=document, auth=auth)
    fault = caught.value.fault
    assert "sk-theirs-only" not in f"{fault.what}{fault.why}{fault.fix}"
    assert place.read_text() == before
    write_export(setup(), "pi", made, place, document=document, auth=auth, replace=True)
    assert "sk-theirs-only" not in place.read_text()


def test_foreign_entries_stay_in_the_file_and_out_of_the_export(tmp_path: Path) -> None:
    document = own(tmp_path)
    place = tmp_path / "models.json"
    foreign = '"other": {"apiKey": "sk-of-another"} // keep\n'
    place.write_text('{"providers": {\n  ' + foreign + "}}\n")
    made = make_export(setup(), "pi", document=document)
    write_export(setup(), "pi", made, place, document=document)
    assert '"other": {"apiKey": "sk-of-another"}, // keep\n' in place.read_text()
    assert "sk-of-another" not in made.text


def test_the_own_file_is_edited_in_place_and_another_gets_the_lanes(tmp_path: Path) -> None:
    document = own(tmp_path)
    made = make_export(replace(setup(), concurrency=2), "warden", document=document)
    write_export(replace(setup(), concurrency=2), "warden", made, document.path, document=document)
    assert b"\n" + OWN in b"\n" + document.path.read_bytes()
    assert load(document.path).config().concurrency == 2
    other = tmp_path / "other.toml"
    write_export(setup(), "warden", made, other, document=load(document.path))
    assert load(other).config().defaults.synthesis_model == "litellm/qwen3-coder"


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_what_is_no_text_is_left_alone(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigProblem):
        read_existing(path)


def test_a_folder_stands_for_the_usual_file_in_it(tmp_path: Path) -> None:
    wanted = {"pi": "models.json", "github": "warden.yml", "guidellm": "guidellm.sh"}
    for target, name in wanted.items():
        made = make_export(setup(), target_named(target), document=own(tmp_path))
        assert place_for(str(tmp_path), made) == tmp_path / name
        assert place_for(f"{tmp_path}/new/", made) == tmp_path / "new" / name
        assert place_for(f"{tmp_path}/x.y", made) == tmp_path / "x.y"


@pytest.mark.parametrize("target", list(TARGETS))
def test_no_export_leaves_a_file_that_holds_a_key(tmp_path: Path, target: Target) -> None:
    key = "sk-" + "a1B2" * 8
    text = f'version = 1\n[defaults.providers.x]\nbaseUrl = "http://x/v1"\napiKey = "{key}"\n'
    held = parse(tmp_path / "warden.toml", text.encode(), None)
    with pytest.raises(Refusal) as caught:
        refuse_keys([held])
    assert key not in f"{caught.value.fault.what}{caught.value.fault.fix}"
    refuse_keys([own(tmp_path)])
    assert make_export(setup(), target, document=own(tmp_path)).text.endswith("\n")
