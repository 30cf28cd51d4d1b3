"""Files of others: the public TOML test-suite, and real ``warden.toml`` files where they are."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.warden.document import Document, load, parse
from core.warden.edits import LANES, add_provider, remove_provider, set_lane, unset_lane
from core.warden.history import History
from core.warden.problems import problems
from core.warden.save import save
from core.warden.values import same, value_at
from tests.core.warden.shapes import GATEWAY, in_all_bytes

if TYPE_CHECKING:
    from core.warden.config import Variant

SUITE = Path(__file__).parents[2] / "data" / "toml-test" / "valid"
VALID = sorted(SUITE.rglob("*.toml"))
CORPUS = Path(os.environ.get("TURNKEY_CORPUS") or Path(__file__).parents[4] / "shared" / "corpus")
REAL = sorted(CORPUS.glob("*.toml"))
corpus = pytest.mark.skipif(not REAL, reason="no corpus of real files beside the repository")


def parsed(path: Path) -> Document | None:
    """The document, or None where this Python's parser does not take the file."""
    raw = path.read_bytes()
    try:
        tomllib.loads(raw.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    return parse(path, raw, raw)


def test_the_suite_is_here_and_read() -> None:
    assert len(VALID) > 80
    assert sum(parsed(path) is not None for path in VALID) == len(VALID)


@pytest.mark.parametrize("path", VALID, ids=lambda path: str(path.relative_to(SUITE)))
def test_a_file_of_the_suite_loads_and_saves_unchanged(path: Path, tmp_path: Path) -> None:
    raw = path.read_bytes()
    copy = tmp_path / "warden.toml"
    copy.write_bytes(raw)
    one = load(copy)
    assert one.with_text(one.text).raw == raw
    save(one)
    assert copy.read_bytes() == raw
    # Every top-level key is found where it stands.
    assert all(one.position((name,)) is not None for name in one.data())


@pytest.mark.parametrize("path", VALID, ids=lambda path: str(path.relative_to(SUITE)))
def test_a_file_of_the_suite_takes_a_provider_and_gives_it_back(path: Path) -> None:
    one = parsed(path)
    assert one is not None
    if not one.text.strip():
        return
    added = add_provider(one, GATEWAY)
    assert added.config().provider("gateway") is not None
    assert remove_provider(parse(path, added.raw, added.raw), "gateway").raw == one.raw


@corpus
@pytest.mark.parametrize("path", REAL, ids=lambda path: str(path.name))
def test_a_real_file_in_every_spelling_of_its_bytes_stays_itself(path: Path) -> None:
    text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    for raw in (path.read_bytes(), *in_all_bytes(text)):
        one = parse(path, raw, raw)
        assert one.with_text(one.text).raw == raw
        added = add_provider(one, GATEWAY)
        assert remove_provider(parse(path, added.raw, added.raw), "gateway").raw == raw
        for lane in LANES:
            edited = set_lane(one, lane, "gateway/m", default_model="move")
            assert value_at(edited.data(), ("defaults", lane, "model")) == "gateway/m"
            history = History(one).edited(edited).undo()
            assert history.now.raw == raw
            back = unset_lane(edited, lane)
            assert value_at(back.data(), ("defaults", lane, "model")) is None
        assert same(one.data(), tomllib.loads(one.text))


@corpus
@pytest.mark.parametrize("path", REAL, ids=lambda path: str(path.name))
def test_a_real_file_is_checked_with_places(path: Path) -> None:
    one = load(path)
    variants: tuple[Variant, ...] = ("stock", "providers")
    for variant in variants:
        for problem in problems(one.data(), one.position, variant, {}):
            assert problem.line is not None
            assert problem.column is not None
