"""Keys on their way out: the environment of a child, and code that a shell or workflow reads.

Quoting is exact for any value but one with a null character, which no environment can hold.
Nothing here prints; the command line decides whether a terminal may see values.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from core.errors import Fault, KeyProblem, UsageProblem
from core.keys.environment import (
    Variant,
    child_variables,
    is_exportable,
)
from core.keys.hosted_keys import others_found
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from core.keys.secret import Secret

Format = Literal["sh", "fish", "powershell", "dotenv", "json", "github"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)

_DOTENV_LIMITS: Final = (
    (re.compile(r"[^ -~]"), "Docker's --env-file takes one line of plain characters."),
    (re.compile(r"\A\s|\s\Z"), "python-dotenv and node cut off spaces at its ends."),
    (re.compile(r"""\A["'`]"""), "python-dotenv and node take the quote at its start away."),
    (re.compile(r"#"), "to node a # begins a comment."),
    (re.compile(r"\$"), "python-dotenv and Compose replace what follows a $."),
)
"""What readers read in different ways, and who."""
# PowerShell takes the curly ones for the straight one.
_PS_QUOTES: Final = "'‘’‚‛"


class Assignment(msgspec.Struct, frozen=True):
    """One variable to set, and the key it gets."""

    variable: str
    secret: Secret


def assignments(
    name: str, api_key_env: str | None, secret: Secret, variant: Variant
) -> tuple[Assignment, ...]:
    """What ``run`` and ``env`` set for one provider: the first candidate, for stock one more."""
    return tuple(
        Assignment(variable, secret) for variable in child_variables(name, api_key_env, variant)
    )


def merge(groups: Iterable[Sequence[Assignment]]) -> tuple[Assignment, ...]:
    """The assignments of several providers as one list, in order, each variable once.

    Raises:
        KeyProblem: two providers want different keys in one variable.
    """
    merged: dict[str, Assignment] = {}
    for group in groups:
        for one in group:
            known = merged.setdefault(one.variable, one)
            if known.secret != one.secret:
                raise KeyProblem(
                    Fault(
                        "key_bound_elsewhere",
                        f"Two providers want different keys in {one.variable}.",
                        "Their names differ in punctuation or case only, or share an apiKeyEnv.",
                        "Rename one of them, or give it an apiKeyEnv of its own.",
                    )
                )
    return tuple(merged.values())


def child_environment(
    parent: Mapping[str, str],
    chosen: Iterable[Assignment],
    *,
    only_listed: bool = False,
    unlisted: Collection[str] = (),
) -> dict[str, str]:
    """The environment of a child: the parent's with the chosen keys in it.

    ``only_listed`` withholds the keys of hosted providers that nobody chose, so that an unset
    lane fails loudly instead of going there, and ``unlisted``: the variables of the file's
    providers that were not chosen.
    """
    chosen = tuple(chosen)
    child = dict(parent)
    if only_listed:
        for name in withheld(parent, chosen, unlisted):
            del child[name]
    for one in chosen:
        child[one.variable] = _value(one)
    return child


def withheld(
    parent: Mapping[str, str], chosen: Iterable[Assignment], unlisted: Collection[str] = ()
) -> tuple[str, ...]:
    """The variables of ``parent`` that ``only_listed`` keeps from a child, each once."""
    names = {one.variable for one in chosen}
    hosted = (name for other in others_found(parent, names, claude=True) for name in other.withheld)
    found = dict.fromkeys((*hosted, *unlisted))
    return tuple(name for name in found if name in parent and name not in names)


def render(chosen: Sequence[Assignment], format_: Format, *, token: str | None = None) -> str:
    """The assignments as text in a format, with a line end after the last.

    ``sh`` (any POSIX shell), ``fish``, ``powershell`` (one line a variable, ASCII alone, for
    ``Invoke-Expression``), ``dotenv`` (what all readers of such files read alike), ``json`` (one
    object), ``github`` (for ``>> "$GITHUB_ENV"``). ``token`` sets what is random in it, the
    ``github`` delimiter.

    Raises:
        UsageProblem: a name cannot be set in that format, a value has a null character, or one
            that ``dotenv`` readers disagree about.
    """
    if format_ == "json":
        return json.dumps({one.variable: _value(one) for one in chosen}, indent=1) + "\n"
    if format_ == "github":
        return _github(chosen, token or os.urandom(16).hex())
    for one in chosen:
        if not is_exportable(one.variable):
            raise UsageProblem(
                Fault(
                    "usage",
                    f"No shell can export the name {one_line(one.variable, 60)}.",
                    "Names are letters, digits and «_», and begin with no digit.",
                    "Give the provider another name or an apiKeyEnv, or use --format json.",
                )
            )
    line = _LINES[format_]
    return "".join(line(one.variable, _value(one)) + "\n" for one in chosen)


def names(chosen: Sequence[Assignment]) -> str:
    """The names alone, one a line."""
    return "".join(f"{one.variable}\n" for one in chosen)


def github_masks(chosen: Sequence[Assignment]) -> str:
    """Workflow commands that make GitHub mask the values in its log; to print to the runner.

    Upstream: GitHub's «workflow commands», ``add-mask``; a value of several lines is masked
    line by line as well.
    """
    parts: dict[str, None] = {}
    for one in chosen:
        value = _value(one)
        for part in (value, *value.splitlines()):
            if part.strip():
                parts[part] = None
    escaped = (p.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A") for p in parts)
    return "".join(f"::add-mask::{part}\n" for part in escaped)


def _value(one: Assignment) -> str:
    value = one.secret.reveal()
    if "\0" in value or not _encodable(value):
        raise UsageProblem(
            Fault(
                "usage",
                f"The key for {one_line(one.variable, 60)} cannot be put into an environment.",
                "It has a null character or something that is no text in it.",
                "Store the key again.",
            )
        )
    return value


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _sh(name: str, value: str) -> str:
    quoted = value.replace("'", "'\\''")
    return f"export {name}='{quoted}'"


def _fish(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}'"


def _powershell(name: str, value: str) -> str:
    # Everything but printable ASCII goes by number: line ends would end the statement where
    # lines are evaluated one by one, and other letters depend on the console's code page.
    parts: list[str] = ["''"] if not value or not " " <= value[0] <= "~" else []
    for run in re.findall(r"[ -~]+|[^ -~]", value):
        if " " <= run[0] <= "~":
            quoted = re.sub(f"[{_PS_QUOTES}]", r"\g<0>\g<0>", run)
            parts.append(f"'{quoted}'")
        else:
            units = run.encode("utf-16-be")
            parts += [f"[char]0x{units[i] << 8 | units[i + 1]:x}" for i in range(0, len(units), 2)]
    return f"$env:{name} = {' + '.join(parts)}"


def _dotenv(name: str, value: str) -> str:
    """One line that means the same to python-dotenv, node's dotenv and --env-file, and Docker.

    Docker's ``--env-file`` knows no quotes, so nothing is quoted: a value that would need it is
    refused. Upstream: python-dotenv ``parser.py``, motdotla/dotenv ``main.js``, docker/cli
    ``pkg/kvfile``.
    """
    for limit, why in _DOTENV_LIMITS:
        if limit.search(value):
            fix = "Take --format sh or json, or start the program with turnkey run."
            what = f"The key for {name} cannot be written for all readers of .env files: {why}"
            raise UsageProblem(Fault("usage", what, "No quoting means the same to them all.", fix))
    return f"{name}={value}"


def _github(chosen: Sequence[Assignment], token: str) -> str:
    lines: list[str] = []
    for one in chosen:
        value = _value(one)
        if not one.variable or any(c in one.variable for c in "=<\r\n\0"):
            raise UsageProblem(
                Fault("usage", f"GitHub takes no variable «{one_line(one.variable, 60)}».")
            )
        delimiter = f"turnkey_{token}"
        while delimiter in value:
            delimiter += "_"
        lines.append(f"{one.variable}<<{delimiter}\n{value}\n{delimiter}\n")
    return "".join(lines)


_LINES: Final[dict[Format, Callable[[str, str], str]]] = {
    "sh": _sh,
    "fish": _fish,
    "powershell": _powershell,
    "dotenv": _dotenv,
}
