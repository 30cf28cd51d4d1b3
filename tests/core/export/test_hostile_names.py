"""No field that a stranger can write ends a line, a string or a command in anything exported.

Model ids come from servers; providers' names, headers and what a receipt says come from files of
others. Each format is read back by what reads it: a shell, a JSON reader, and line by line.
"""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from core.errors import Refusal
from core.export.jsonc import parse
from core.export.make import make_export
from core.export.setup import TARGETS, Setup, Target
from core.verify.receipt import Standing
from core.verify.verdict import Evidence, Verdict
from core.warden.config import ModelEntry, Provider
from core.warden.document import empty
from core.warden.document import parse as read_toml
from tests.core.export.setups import receipt, setup

CANARY: Final = "echo OWNED"
PIECES: Final = [
    *("\n", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1b[2J", "\u202e"),
    *(
        "-->",
        "*/",
        "${{ secrets.X }}",
        "$(",
        "`",
        "'",
        '"',
        "\\",
        "#",
        "|",
        ": ",
        "!",
        "%",
        "{",
        "}",
    ),
    *("TURNKEY_MODELS_JSON", "EOF", " ", "\t", "ü", "$HOME", "//", "/*", CANARY, "a", "b/c"),
]
HOSTILE = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)


def a_setup(model: str, name: str, header: str, said: str, variant: str) -> Setup:
    """A setup in which everything that another can write is theirs."""
    provider = Provider(
        name or "gw",
        "https://gw.acme.lan/v1",
        models=(ModelEntry(model, name=header),),
        headers={"X-Team": header},
    )
    failed = Verdict(said, name, model, "agent", "fail", Evidence(said))
    known = receipt(failed, verified=False)
    found = setup(
        provider,
        selector=f"{provider.name}/{model}",
        standing=Standing("fresh", replace(known, at=said, turnkey=said)),
    )
    return replace(found, variant="stock" if variant == "stock" else "providers")


def text_of(asked: Setup, target: Target, *, auth: bool = False) -> str | None:
    """What is exported; None: it was refused."""
    try:
        return make_export(asked, target, document=empty(Path("warden.toml")), auth=auth).text
    except Refusal:
        return None


def sourced(text: str) -> str:
    """What a real shell prints when it reads ``text``, with nothing that it could find to run."""
    assert "\0" not in text
    script = f"set -f; guidellm() {{ :; }}; TOKENIZER=t\n{text}"
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PATH": "/nonexistent"},
        check=False,
    )
    assert done.returncode == 0, (text, done.stderr)
    return done.stdout + done.stderr


@pytest.mark.parametrize("target", ["stock-env", "ml-intern", "gateway", "guidellm"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(model=HOSTILE, name=HOSTILE, header=HOSTILE, said=HOSTILE)
@example(model=f"a'\n{CANARY}\n'", name=f"x\n{CANARY}", header=f"\n{CANARY}", said=f"\r{CANARY}")
def test_a_shell_runs_nothing_of_it(
    target: Target, model: str, name: str, header: str, said: str
) -> None:
    text = text_of(a_setup(model, name, header, said, "stock"), target)
    if text is None:
        return
    assert sourced(text) == ""
    if target != "guidellm":
        for line in text.splitlines():
            assert line.startswith("#") or shlex.split(line)[0].partition("=")[0].isupper(), line


@given(model=HOSTILE, name=HOSTILE, header=HOSTILE, said=HOSTILE)
def test_pi_reads_the_names_as_they_are_and_no_other(
    model: str, name: str, header: str, said: str
) -> None:
    asked = a_setup(model, name, header, said, "stock")
    text = text_of(asked, "pi")
    assert (text is None) is header.startswith("!")  # a command
    if text is None:
        return
    data = parse(text).data()
    assert isinstance(data, dict)
    assert list(data) == ["providers"]
    assert list(data["providers"]) == [name]
    assert [one["id"] for one in data["providers"][name]["models"]] == [model]
    stored = text_of(asked, "pi", auth=True)
    assert stored is not None
    found = parse(stored).data()
    assert isinstance(found, dict)
    assert list(found) == [name]


@pytest.mark.parametrize("variant", ["providers", "stock"])
@given(model=HOSTILE, name=HOSTILE, header=HOSTILE, said=HOSTILE)
def test_a_workflow_has_the_lines_that_turnkey_writes_and_no_other(
    variant: str, model: str, name: str, header: str, said: str
) -> None:
    text = text_of(a_setup(model, name, header, said, variant), "github")
    if text is None:
        return
    assert "${{ secrets.X }}" not in text
    outside = True
    for line in text.splitlines():
        if line.strip() == "TURNKEY_MODELS_JSON":
            outside = True
        if outside and not line.lstrip().startswith("#"):
            assert CANARY not in line
        if line.endswith("<<'TURNKEY_MODELS_JSON'"):
            outside = False
    assert outside


@given(model=HOSTILE, name=HOSTILE, header=HOSTILE, said=HOSTILE)
def test_warden_toml_says_the_same_after_it(model: str, name: str, header: str, said: str) -> None:
    before = b'version = 1\n[defaults.agent]\nmodel = "x/y"\n'
    document = read_toml(Path("warden.toml"), before, None)
    asked = a_setup(model, name, header, said, "providers")
    made = make_export(asked, "warden", document=document)
    assert read_toml(Path("warden.toml"), made.text.encode(), None).data() == document.data()


@pytest.mark.parametrize("target", list(TARGETS))
@given(model=HOSTILE, said=HOSTILE)
def test_nothing_exported_steers_a_terminal(target: Target, model: str, said: str) -> None:
    text = text_of(a_setup(model, "gw", "h", said, "stock"), target) or ""
    assert all(one == "\n" or one.isprintable() for one in text), ascii(text)
