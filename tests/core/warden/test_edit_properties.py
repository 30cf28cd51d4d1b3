"""What holds for every file and every edit: the bytes nobody spoke of stay."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.warden.config import ModelEntry, Provider
from core.warden.edits import (
    LANES,
    add_provider,
    remove_provider,
    rename_provider,
    replace_provider,
    selectors,
    set_key,
    set_lane,
    set_models,
    unset_key,
    unset_lane,
)
from core.warden.render import whole_provider
from core.warden.values import same, value_at
from tests.core.warden.shapes import GATEWAY, PLAIN, SAMPLES, document, files, in_all_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.warden.document import Document
    from core.warden.edits import LaneName
    from core.warden.scan import KeyPath

EVERY_FORM = [
    pytest.param(raw, id=f"{name}-{number}")
    for name, text in SAMPLES.items()
    for number, raw in enumerate(in_all_bytes(text))
]
many = settings(max_examples=int(os.environ.get("TURNKEY_EXAMPLES", "100")), deadline=None)


def leaves(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, (*path, key))
    elif isinstance(value, list):
        yield path, value
        for at, below in enumerate(value):
            yield from leaves(below, (*path, at))
    else:
        yield path, value


def lines_of(one: Document) -> list[bytes]:
    return one.raw.split(b"\n")


def added_only(old: list[bytes], new: list[bytes], *, changed: int) -> bool:
    """Whether ``new`` is ``old`` but for lines added in one place, and ``changed`` there."""
    old, new = list(old), list(new)
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return len(old) <= changed


def names_of(one: Document) -> list[str]:
    providers = value_at(one.data(), ("defaults", "providers"))
    return list(providers) if isinstance(providers, dict) else []


# --- for every sample, in every spelling of its bytes -----------------------------------------


@pytest.mark.parametrize("raw", EVERY_FORM)
def test_a_provider_added_and_removed_leaves_the_very_bytes(raw: bytes) -> None:
    added = add_provider(document(raw), GATEWAY)
    assert same(
        value_at(added.data(), ("defaults", "providers", "gateway")), whole_provider(GATEWAY)
    )
    assert remove_provider(document(added.raw), "gateway").raw == raw


@pytest.mark.parametrize("raw", EVERY_FORM)
def test_two_providers_added_and_removed_in_either_order_leave_the_very_bytes(raw: bytes) -> None:
    both = add_provider(add_provider(document(raw), GATEWAY), PLAIN)
    for order in (("gateway", "plain"), ("plain", "gateway")):
        left = both
        for name in order:
            left = remove_provider(document(left.raw), name)
        assert left.raw == raw


def test_in_two_processes_too() -> None:
    """One process adds, another one that knows nothing of it removes."""
    program = (
        "import sys, pathlib\n"
        "from core.warden import document, edits, config\n"
        "raw = sys.stdin.buffer.read()\n"
        "one = document.parse(pathlib.Path('warden.toml'), raw, raw)\n"
        "new = config.Provider('gateway', 'http://h/v1', models=(config.ModelEntry('m'),))\n"
        "one = edits.add_provider(one, new) if sys.argv[1] == 'add' else "
        "edits.remove_provider(one, 'gateway')\n"
        "sys.stdout.buffer.write(one.raw)\n"
    )

    def run(what: str, raw: bytes) -> bytes:
        command = [sys.executable, "-c", program, what]
        return subprocess.run(command, input=raw, capture_output=True, check=True).stdout

    for name in ("comments everywhere", "inline with blanks"):
        raw = in_all_bytes(SAMPLES[name])[-1]
        added = run("add", raw)
        assert added != raw
        assert run("remove", added) == raw


@pytest.mark.parametrize("raw", EVERY_FORM)
@pytest.mark.parametrize("lane", LANES)
def test_setting_a_lane_changes_one_line_or_adds_a_few(raw: bytes, lane: str) -> None:
    old = document(raw)
    new = set_lane(old, _lane(lane), "gateway/m", default_model="keep")
    assert value_at(new.data(), ("defaults", lane, "model")) == "gateway/m"
    # A file without a final newline has its last line ended when lines come behind it.
    assert added_only(lines_of(old), lines_of(new), changed=1)


# --- for every file that can be thought of ----------------------------------------------------


@many
@given(files())
def test_a_file_that_is_not_edited_stays(raw: bytes) -> None:
    one = document(raw)
    assert one.with_text(one.text).raw == raw
    assert not one.changed


@many
@given(files())
def test_every_value_is_found_where_it_stands(raw: bytes) -> None:
    one = document(raw)
    for path, value in leaves(one.data()):
        if path == ("skills",) and one.layout.spots[path].value is None:
            continue
        spot = one.layout.spots[path]
        if spot.value is None:
            assert isinstance(value, list)
            continue
        written = one.text[spot.value.start : spot.value.end]
        assert same(tomllib.loads(f"x = {written}")["x"], value)
        assert one.position(path) is not None


@many
@given(files(), st.data())
def test_a_changed_value_changes_its_own_lines(raw: bytes, data: st.DataObject) -> None:
    one = document(raw)
    found = [
        path for path, value in leaves(one.data()) if isinstance(path[-1], str) and value != "new"
    ]
    found = [path for path in found if one.layout.spots[path].value is not None]
    if not found:
        return
    path = data.draw(st.sampled_from(found))
    spot = one.layout.spots[path]
    assert spot.value is not None
    changed = set_key(one, path, "new")
    first, last = one.layout.line_at(spot.value.start), one.layout.line_at(spot.value.end - 1)
    old, new = lines_of(one), lines_of(changed)
    assert old[:first] == new[:first]
    assert old[last + 1 :] == new[first + 1 :]


@many
@given(files())
def test_add_and_remove_restore_the_bytes(raw: bytes) -> None:
    one = document(raw)
    if not one.text.strip():
        return
    added = add_provider(one, GATEWAY)
    assert added_only(lines_of(one), lines_of(added), changed=1)
    assert remove_provider(document(added.raw), "gateway").raw == raw


@many
@given(files(), st.permutations(LANES))
def test_lanes_can_be_set_in_any_order_and_unset(raw: bytes, order: Sequence[str]) -> None:
    one = document(raw)
    for lane in order:
        one = set_lane(one, _lane(lane), f"gateway/{lane}", default_model="move")
        assert value_at(one.data(), ("defaults", lane, "model")) == f"gateway/{lane}"
    assert value_at(one.data(), ("defaults", "model")) in (None, "")
    for lane in order:
        one = unset_lane(one, _lane(lane))
        assert value_at(one.data(), ("defaults", lane, "model")) is None


@many
@given(files())
def test_renaming_carries_every_selector_and_back_again(raw: bytes) -> None:
    one = document(raw)
    for name in names_of(one):
        renamed = rename_provider(one, name, "brand new")
        said = [selector for _, selector in selectors(renamed.data())]
        assert not any(selector.startswith(f"{name}/") for selector in said)
        assert same(rename_provider(renamed, "brand new", name).data(), one.data())
        assert len(lines_of(renamed)) == len(lines_of(one))


@many
@given(files())
def test_any_provider_can_be_removed(raw: bytes) -> None:
    one = document(raw)
    for name in names_of(one):
        one = remove_provider(one, name)
    assert names_of(one) == []


@many
@given(files(), st.lists(st.sampled_from(["m", "n", "o", "p"]), unique=True, min_size=1))
def test_models_become_what_is_asked_for(raw: bytes, wanted: list[str]) -> None:
    one = document(raw)
    models = tuple(
        ModelEntry(id=name, reasoning=name == "o", context_window=9 if name in "mn" else None)
        for name in wanted
    )
    for name in names_of(one):
        changed = set_models(one, name, models)
        provider = changed.config().provider(name)
        assert provider is not None
        assert provider.models == models
        assert set_models(changed, name, models).raw == changed.raw


@many
@given(files(), st.booleans())
def test_a_replaced_provider_says_what_was_asked_for(raw: bytes, full: bool) -> None:
    one = document(raw)
    for name in names_of(one):
        wanted = msgspec.structs.replace(GATEWAY if full else PLAIN, name=name)
        changed = replace_provider(one, wanted)
        assert _semantic(changed.config().provider(name)) == _semantic(wanted)
        assert replace_provider(changed, wanted).raw == changed.raw


@many
@given(files())
def test_a_key_set_and_unset_again_is_gone(raw: bytes) -> None:
    one = document(raw)
    for path in (("runner", "concurrency"), ("defaults", "verification", "enabled")):
        changed = set_key(one, path, 7)
        assert value_at(changed.data(), path) == 7
        assert value_at(unset_key(changed, path).data(), path) is None


def _semantic(provider: Provider | None) -> Provider | None:
    if provider is None:
        return None
    models = tuple(
        msgspec.structs.replace(one, name=one.name if one.name != one.id else None)
        for one in provider.models
    )
    return msgspec.structs.replace(provider, models=models)


def _lane(name: str) -> LaneName:
    return next(lane for lane in LANES if lane == name)
