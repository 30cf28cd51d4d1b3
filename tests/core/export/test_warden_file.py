"""``warden.toml`` as an export: edits, and every other byte as it was."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.errors import Refusal
from core.export.setup import Setup, with_header
from core.export.warden_file import warden_toml
from core.warden.document import Document, empty, parse
from core.warden.lanes import resolve
from tests.core.export.setups import GATEWAY, LOCAL, NOTHING, setup

OWN: Final = """# mine
version = 1

[defaults.agent]
model = "litellm/qwen3-coder" # all

[runner]
concurrency = 4 # as ever

[[skills]]
name = "x"
"""


def document(text: str) -> Document:
    raw = text.encode()
    return parse(Path("warden.toml"), raw, raw)


def body(text: str) -> str:
    """What stands under turnkey's own words."""
    return "".join(line for line in text.splitlines(True) if not line.startswith("# turnkey: "))


@pytest.mark.parametrize(
    ("number", "wanted"),
    [(None, OWN), (4, OWN), (2, OWN.replace("concurrency = 4", "concurrency = 2"))],
)
def test_its_own_file_gets_the_word_and_the_number(number: int | None, wanted: str) -> None:
    made = warden_toml(replace(setup(), concurrency=number), document(OWN), own=True)[1]
    assert made.text.startswith("# turnkey: Verified by turnkey 1.2.3 on 2026-11-20")
    assert body(made.text) == wanted


def test_the_usual_number_is_not_written_where_the_file_has_none() -> None:
    text = 'version = 1\n[defaults.agent]\nmodel = "litellm/qwen3-coder"\n'
    made = warden_toml(replace(setup(), concurrency=4), document(text), own=True)[1]
    assert body(made.text) == text


def test_exporting_again_renews_the_word_and_nothing_else() -> None:
    once, made = warden_toml(setup(standing=NOTHING), document(OWN), own=True)
    assert made.text.startswith("# turnkey: NOT VERIFIED")
    again = warden_toml(setup(), once, own=True)[1].text
    assert "NOT VERIFIED" not in again
    assert body(again) == OWN


OTHER: Final = """# theirs
version = 1

[defaults]
failOn = "high"   # keep
model = "anthropic/claude"

[defaults.synthesis]
model = "litellm/qwen3-coder"

[defaults.providers.litellm]
baseUrl = "http://old/v1"

[[defaults.providers.litellm.models]]
id = "qwen3-coder"
"""


def both() -> Setup:
    """Two providers, lanes on each, efforts."""
    lanes: dict[str, str | None] = {
        "agent": "litellm/qwen3-coder",
        "auxiliary": "ollama/qwen3:4b",
        "synthesis": "litellm/qwen3-coder",
    }
    made = replace(setup(GATEWAY, LOCAL), lanes=lanes, concurrency=2)
    return replace(made, efforts={"agent": "low", "auxiliary": "high"})


@pytest.mark.parametrize("start", [OTHER, "", "version = 1\n"])
def test_another_file_gets_providers_lanes_effort_and_number(start: str) -> None:
    there = document(start) if start else empty(Path("warden.toml"))
    edited, made = warden_toml(both(), there, own=False)
    config = edited.config()
    assert config.provider("litellm") == GATEWAY
    assert config.provider("ollama") == LOCAL
    assert config.concurrency == 2
    assert config.defaults.agent_effort == "low"
    assert config.defaults.auxiliary_effort is None  # this Warden refuses the whole file for it
    found = resolve(config, "providers", env={}).lanes
    assert {lane: found[lane].selector for lane in both().lanes} == both().lanes
    assert tomllib.loads(made.text)["version"] == 1
    if start == OTHER:
        assert 'failOn = "high"   # keep' in made.text
        assert made.text.partition("\n# theirs")[2]
        assert any("litellm" in note and "replaced" in note for note in made.notes)


def test_stock_gets_the_auxiliary_effort_too() -> None:
    edited = warden_toml(replace(both(), variant="stock"), document(OTHER), own=False)[0]
    assert edited.config().defaults.auxiliary_effort == "high"


def test_a_lane_that_is_left_to_pi_is_in_no_other_file() -> None:
    gone = replace(both(), lanes={**both().lanes, "synthesis": None})
    with pytest.raises(Refusal) as caught:
        warden_toml(gone, document(OTHER), own=False)
    assert "synthesis" in caught.value.fault.what


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.sampled_from(["# turnkey: ", "//x "]))
def test_a_header_is_renewed_and_the_text_below_it_stays(text: str, mark: str) -> None:
    bare = text.lstrip("\ufeff")
    while bare.startswith(mark):
        bare = bare[1:]
    once = with_header(bare, ["one", "two\nlines"], mark)
    assert once.endswith(bare)
    assert len(once.split(mark)) - len(bare.split(mark)) == 2
    assert with_header(once, [], mark) == bare
