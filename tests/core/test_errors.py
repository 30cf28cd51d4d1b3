from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from core.errors import (
    Code,
    ConfigProblem,
    EndpointProblem,
    Fault,
    KeyProblem,
    Refusal,
    TurnkeyError,
    UsageProblem,
    error_for,
    exit_code_for,
)

CONTRACT = """
    key_refused key_missing key_bound_elsewhere model_unknown connection_refused
    path_wrong name_unresolved tls timeout bad_shape rate_limited upstream loading context_overflow
    parameter_refused config_unreadable config_changed usage
"""


def test_the_codes_that_scripts_rely_on_are_there() -> None:
    assert set(CONTRACT.split()) <= set(get_args(Code))


@pytest.mark.parametrize(
    ("kind", "code"),
    [(Refusal, 1), (UsageProblem, 2), (ConfigProblem, 3), (EndpointProblem, 4), (KeyProblem, 5)],
)
def test_each_kind_has_its_exit_code(kind: type[TurnkeyError], code: int) -> None:
    error = kind(Fault("usage", "It is so."))
    assert error.exit_code == code
    assert str(error) == "It is so."


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("usage", 2),
        ("config_unreadable", 3),
        ("config_changed", 3),
        ("config_unwritable", 3),
        ("key_missing", 5),
        ("key_refused", 5),
        ("key_bound_elsewhere", 5),
        ("keyring", 5),
        ("provider_exists", 1),
        ("default_model_stands", 1),
        ("connection_refused", 4),
        ("model_unknown", 4),
        ("wrong_answer", 4),
    ],
)
def test_a_fault_finds_its_error(code: Code, exit_code: int) -> None:
    fault = Fault(code, "It is so.")
    assert exit_code_for(fault) == exit_code
    assert error_for(fault).fault is fault


def test_every_code_finds_an_error() -> None:
    for code in get_args(Code):
        assert exit_code_for(Fault(code, "x")) in {1, 2, 3, 4, 5}


def test_a_fault_is_the_object_of_the_contract() -> None:
    told = msgspec.json.decode(msgspec.json.encode(Fault("tls", "a", "b", "c")))
    assert told == {"code": "tls", "what": "a", "why": "b", "fix": "c"}
