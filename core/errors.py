"""One family of errors: what happened, why, and what to do.

::

    TurnkeyError
    ├── UsageProblem       the request to turnkey was off                      exit 2
    ├── ConfigProblem      warden.toml cannot be read or written               exit 3
    ├── EndpointProblem    the endpoint was not reached, or answered wrongly   exit 4
    ├── KeyProblem         a key is missing, refused, or bound elsewhere       exit 5
    └── Refusal            answered, and the answer is no                      exit 1

An error is made of a :class:`Fault`, which is plain data: it can stand in a result, be shown on
a screen or be printed as JSON without ever having been raised.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Code = Literal[
    "key_refused",
    "key_missing",
    "key_bound_elsewhere",
    "keyring",
    "model_unknown",
    "connection_refused",
    "connection_failed",
    "path_wrong",
    "name_unresolved",
    "tls",
    "timeout",
    "bad_shape",
    "rate_limited",
    "upstream",
    "loading",
    "context_overflow",
    "parameter_refused",
    "server_error",
    "stream_broken",
    "too_large",
    "redirected",
    "wrong_answer",
    "wrong_model",
    "empty_answer",
    "config_unreadable",
    "config_unwritable",
    "config_changed",
    "provider_exists",
    "provider_in_use",
    "default_model_stands",
    "hosted_provider",
    "usage",
    "interrupted",
    "not_verified",
    "receipt_other_config",
    "receipt_other_schema",
    "receipt_old",
    "receipt_damaged",
    "receipt_unwritable",
    "not_exportable",
    "would_be_lost",
]
"""Every ``error.code`` that scripts may meet."""


class Fault(msgspec.Struct, frozen=True):
    """One thing that went wrong, in words for a person, with a code for a script.

    Never holds a key: whoever makes one from a server's words masks them first.
    """

    code: Code
    what: str
    """What happened, one sentence, naming the thing: «Nothing answers at 127.0.0.1:4000.»"""
    why: str = ""
    """The likely cause, or the server's own words (control characters made visible)."""
    fix: str = ""
    """What to do now, as an instruction."""


class TurnkeyError(Exception):
    """Base of the family, around a :class:`Fault`; the command line ends with ``exit_code``."""

    exit_code: int = 1

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.what)
        self.fault: Final = fault


class Refusal(TurnkeyError):
    """turnkey could answer, and the answer is no (a name is taken, something would dangle)."""

    exit_code = 1


class UsageProblem(TurnkeyError):
    """What was asked of turnkey cannot be meant: a bad name, URL, selector or option."""

    exit_code = 2


class ConfigProblem(TurnkeyError):
    """``warden.toml`` cannot be read or written. The file is as it was."""

    exit_code = 3


class EndpointProblem(TurnkeyError):
    """The endpoint was not reached, or did not answer rightly."""

    exit_code = 4


class KeyProblem(TurnkeyError):
    """A key is missing, was refused, or belongs to another origin."""

    exit_code = 5


_KEY_CODES: Final = frozenset({"key_refused", "key_missing", "key_bound_elsewhere", "keyring"})
_CONFIG_CODES: Final = frozenset({"config_unreadable", "config_unwritable", "config_changed"})
_REFUSAL_CODES: Final = frozenset(
    {
        "provider_exists",
        "provider_in_use",
        "default_model_stands",
        "not_verified",
        "not_exportable",
        "would_be_lost",
    }
)


def error_for(fault: Fault) -> TurnkeyError:
    """The error class that a fault's code belongs to, ready to raise."""
    if fault.code == "usage":
        return UsageProblem(fault)
    if fault.code in _KEY_CODES:
        return KeyProblem(fault)
    if fault.code in _CONFIG_CODES:
        return ConfigProblem(fault)
    if fault.code in _REFUSAL_CODES:
        return Refusal(fault)
    return EndpointProblem(fault)


def exit_code_for(fault: Fault) -> int:
    """The exit code of the command line for a fault (1, 2, 3, 4 or 5)."""
    return error_for(fault).exit_code
