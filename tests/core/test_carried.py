"""Where each key of a child's environment would be carried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.carried import Handed, Reader, carried_away, origins_of, pi_readers, variables_of
from core.keys.environment import PLACEHOLDER
from core.keys.index import KeyIndex
from core.keys.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

GW, EVIL = "http://gw:4000", "https://evil.example"
WARDENS, PLAIN = "WARDEN_LITELLM_API_KEY", "LITELLM_API_KEY"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(None, KeyIndex(tmp_path / "keys.json"))


@pytest.mark.parametrize(
    ("value", "variables"),
    [
        ("$A", ("A",)),
        ("x ${A}-$b-$A", ("A", "b")),
        ("SET", ("SET",)),
        ("set_too", ("set_too",)),  # older versions of Pi take any name
        ("UNSET", ()),
        ("$$A", ()),
        ("!echo $A", ()),
    ],
)
def test_the_variables_that_pi_fills_in(value: str, variables: tuple[str, ...]) -> None:
    assert variables_of(value, {"SET": "1", "set_too": "1"}) == variables


def reads(variable: str, origin: str = EVIL, *, own: bool = False) -> Reader:
    return Reader("evil", "a header", origin, (variable,), own=own)


@pytest.mark.parametrize(
    ("reader", "child", "stored", "refused"),
    [
        (reads(WARDENS), {WARDENS: "k"}, True, True),
        (reads(PLAIN), {WARDENS: "k"}, True, True),  # Warden copies it
        (reads(PLAIN), {WARDENS: "k", PLAIN: ""}, True, True),
        (reads(PLAIN), {WARDENS: "k", PLAIN: PLACEHOLDER}, True, False),
        (reads(WARDENS, GW), {WARDENS: "k"}, True, False),
        (reads(WARDENS), {WARDENS: PLACEHOLDER}, True, False),
        (reads(WARDENS), {}, True, False),
        (reads(PLAIN), {WARDENS: "k"}, False, True),
        (reads(PLAIN, own=True), {WARDENS: "k"}, False, True),
        (reads("OTHER"), {"OTHER": "k"}, False, True),  # nobody agreed
        (reads("OTHER", own=True), {"OTHER": "k"}, False, False),  # nothing of turnkey's
    ],
)
def test_what_would_be_carried_away(
    vault: Vault, reader: Reader, child: dict[str, str], stored: bool, refused: bool
) -> None:
    handed = {WARDENS: Handed((GW,), stored)}
    fault = carried_away([reader], child, handed, vault)
    assert (fault is not None) is refused
    if fault is not None:
        assert fault.code == "key_bound_elsewhere"
        assert EVIL in fault.what


def test_a_key_of_the_keyring_is_not_freed_by_what_was_agreed_of_the_environment(
    vault: Vault,
) -> None:
    vault.allow_environment(WARDENS, EVIL)
    for stored in (True, False):
        handed = {WARDENS: Handed((GW,), stored)}
        fault = carried_away([reads(WARDENS)], {WARDENS: "k"}, handed, vault)
        assert (fault is not None) is stored


def test_one_key_for_several_origins() -> None:
    handed = origins_of([("A", GW, True), ("A", EVIL, False), ("B", GW, False)])
    assert handed == {"A": Handed((GW, EVIL), True), "B": Handed((GW,), False)}


@pytest.mark.parametrize(
    "models", [None, [], {"providers": []}, {"providers": {"a": 1}}, {"providers": {"a": {}}}]
)
def test_a_models_file_of_another_shape_gives_nothing(models: object) -> None:
    assert pi_readers(models, "models.json", {}) == ()
