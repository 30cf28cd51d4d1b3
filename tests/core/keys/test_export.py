"""Keys on their way out: real shells read back what was written, whatever it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.errors import KeyProblem, UsageProblem
from core.keys import export
from core.keys.dotenv import read_dotenv
from core.keys.export import Assignment, Format
from core.keys.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

HARD = "a'b\"c $HOME `id` $(id) \\ \\n\n\r\t!x %d ~ # é 漢 🔑 ‘curly’ \x1b[31m *?[] ;&|<>\n"
values = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=40)
# Real shells are processes: a few dozen values, many in one of them.
batches = st.lists(values, min_size=1, max_size=25)
quick = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def numbered(batch: list[str]) -> tuple[Assignment, ...]:
    return tuple(Assignment(f"TK_{n}", Secret(value)) for n, value in enumerate(batch))


def read_back(shell: list[str], script: str, dump: str, count: int, folder: Path) -> list[str]:
    """The values as a child of the shell sees them in its environment."""
    report = folder / "report.py"
    report.write_text(
        "import os, json, sys\n"
        "names = [f'TK_{n}' for n in range(int(sys.argv[1]))]\n"
        "print(json.dumps([os.environb[n.encode()].decode() for n in names]))\n"
    )
    source = folder / "source.txt"
    source.write_bytes(script.encode())
    command = dump.format(source=source, python=sys.executable, report=report, count=count)
    done = subprocess.run([*shell, command], capture_output=True, timeout=60, check=True)
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shells")


POSIX = '. "{source}"; "{python}" "{report}" {count}'


def where_there_is(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not here")


@pytest.mark.parametrize(
    "shell",
    [
        pytest.param(shell, marks=where_there_is(shell))
        for shell in ("sh", "bash", "dash", "zsh", "busybox")
    ],
)
@quick
@given(batch=batches)
@example(batch=[HARD, "'", "\\", "\n", "$", '"', "`", "-n", "''", "a'", "\\'", " ", "!", "=", "\r"])
def test_posix_shells_read_the_same(folder: Path, shell: str, batch: list[str]) -> None:
    command = [shell, "sh", "-c"] if shell == "busybox" else [shell, "-c"]
    script = export.render(numbered(batch), "sh")
    assert read_back(command, script, POSIX, len(batch), folder) == batch


def test_eval_as_people_write_it_reads_the_same(folder: Path) -> None:
    script = export.render(numbered([HARD]), "sh")
    dump = 'eval "$(cat "{source}")"; "{python}" "{report}" {count}'
    assert read_back(["/bin/sh", "-c"], script, dump, 1, folder) == [HARD]


@where_there_is("fish")
@quick
@given(batch=batches)
@example(batch=[HARD, "'", "\\", "\\'", "\\\\'", "\n", "$x", "*", "(id)"])
def test_fish_reads_the_same(folder: Path, batch: list[str]) -> None:
    script = export.render(numbered(batch), "fish")
    dump = 'source "{source}"; "{python}" "{report}" {count}'
    assert read_back(["fish", "--no-config", "-c"], script, dump, len(batch), folder) == batch


def powershell_value(expression: str) -> str:
    """What PowerShell makes of literals and ``[char]`` joined by ``+``.

    Its grammar: in a single-quoted literal any of five quotes ends it, and two are one.
    """
    units = b""
    rest = expression
    while True:
        literal = re.match(r"(['‘’‚‛])((?:[^'‘’‚‛]|['‘’‚‛]{2})*)['‘’‚‛]", rest)
        number = re.match(r"\[char\]0x([0-9a-f]{1,4})", rest)
        if literal:
            text = re.sub(r"(['‘’‚‛])['‘’‚‛]", r"\1", literal[2])
            units += text.encode("utf-16-be")
        else:
            assert number, rest
            units += int(number[1], 16).to_bytes(2, "big")
        rest = rest[(literal or number).end() :]  # type: ignore[union-attr]
        if not rest:
            return units.decode("utf-16-be")
        assert rest.startswith(" + ")
        rest = rest[3:]


@given(values)
@example(HARD)
def test_powershell_gets_one_ascii_line_that_means_the_value(value: str) -> None:
    text = export.render((Assignment("K", Secret(value)),), "powershell")
    assert text.isascii()
    assert text.count("\n") == 1
    assert "\r" not in text
    expression = text.removeprefix("$env:K = ").removesuffix("\n")
    assert expression.startswith("'")  # a number first would add numbers
    assert powershell_value(expression) == value


@where_there_is("pwsh")
@quick
@given(batch=batches)
@example(batch=[HARD])
def test_a_real_powershell_reads_the_same(folder: Path, batch: list[str]) -> None:
    script = export.render(numbered(batch), "powershell")
    dump = 'Get-Content "{source}" | Invoke-Expression; & "{python}" "{report}" {count}'
    assert read_back(["pwsh", "-NoProfile", "-Command"], script, dump, len(batch), folder) == batch


@given(values)
@example(HARD)
def test_json_reads_the_same(value: str) -> None:
    text = export.render((Assignment("K", Secret(value)),), "json")
    assert json.loads(text) == {"K": value}


printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60)


def for_dotenv(value: str) -> str | None:
    """The file, or None where the value is refused."""
    both = (Assignment("K", Secret(value)), Assignment("L", Secret("l")))
    try:
        return export.render(both, "dotenv")
    except UsageProblem:
        return None


def docker_reads(text: str) -> dict[str, str]:
    """``docker run --env-file``: no quotes, no escapes (docker/cli ``pkg/kvfile``)."""
    lines = [line.lstrip() for line in text.splitlines()]
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


@given(printable)
@example("a'b")
@example('a"b c\\n\\')
@example("sk-!x=%^&*(){}|;<>?~,.")
def test_readers_of_dotenv_files_agree_or_it_is_refused(value: str) -> None:
    text = for_dotenv(value)
    if text is None:
        assert set(value) & set("#$") or value[0] in " \"'`" or value[-1] == " "
        return
    assert read_dotenv(text) == docker_reads(text) == {"K": value, "L": "l"}


@where_there_is("node")
@quick
@given(batch=st.lists(printable, min_size=1, max_size=25))
@example(batch=["a'b", "a`b\\n", 'x"y"', "= = =", "\\", "a b"])
def test_node_reads_a_dotenv_file_the_same(folder: Path, batch: list[str]) -> None:
    kept = [value for value in batch if for_dotenv(value) is not None]
    file = folder / "env"
    file.write_text(export.render(numbered(kept), "dotenv"))
    numbers = f"[...Array({len(kept)}).keys()]"
    show = f"console.log(JSON.stringify({numbers}.map(n => process.env['TK_' + n])))"
    done = subprocess.run(
        ["node", f"--env-file={file}", "-e", show], capture_output=True, timeout=60, check=False
    )
    if b"bad option" in done.stderr:
        pytest.skip("this node is older than --env-file")
    assert json.loads(done.stdout) == kept


@pytest.mark.parametrize("value", ["a#b", "a$b", "'a'", '"a"', " a", "a ", "é", "a\nb"])
def test_what_dotenv_readers_read_differently_is_refused_by_name(value: str) -> None:
    with pytest.raises(UsageProblem, match=r"node|Docker|python-dotenv"):
        export.render((Assignment("K", Secret(value)),), "dotenv")


@given(values)
@example("turnkey_t")
@example("turnkey_t\nEVIL=1")
def test_github_reads_the_same(value: str) -> None:
    text = export.render((Assignment("K", Secret(value)),), "github", token="t")
    name, _, rest = text.partition("<<")
    delimiter, _, body = rest.partition("\n")
    assert name == "K"
    assert delimiter not in value
    assert body == f"{value}\n{delimiter}\n"


def test_github_delimiters_cannot_be_guessed() -> None:
    one = (Assignment("K", Secret("k")),)
    assert export.render(one, "github") != export.render(one, "github")


def test_github_masks_each_line() -> None:
    text = export.github_masks((Assignment("K", Secret("100%\ntwo")),))
    assert text == "::add-mask::100%25%0Atwo\n::add-mask::100%\n::add-mask::two\n".replace(
        "::100%\n", "::100%25\n"
    )


@pytest.mark.parametrize("format_", export.FORMATS)
@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_what_no_environment_can_hold_is_refused(format_: Format, value: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        export.render((Assignment("K", Secret(value)),), format_)
    assert value not in repr(caught.value.fault)


@pytest.mark.parametrize("format_", [f for f in export.FORMATS if f not in {"json", "github"}])
@pytest.mark.parametrize("name", ["1ST_API_KEY", "A-B", "A;id", "", "A=B", "Ä"])
def test_a_name_that_no_shell_can_export_is_refused(format_: Format, name: str) -> None:
    with pytest.raises(UsageProblem):
        export.render((Assignment(name, Secret("k")),), format_)


@pytest.mark.parametrize("name", ["A\nB", "A=B", "A<<B", ""])
def test_github_names_cannot_smuggle_another_variable(name: str) -> None:
    with pytest.raises(UsageProblem):
        export.render((Assignment(name, Secret("k")),), "github")


def test_names_alone_and_the_type_itself_show_no_value() -> None:
    chosen = export.assignments("litellm", None, Secret("sk-canary"), "stock")
    assert export.names(chosen) == "WARDEN_LITELLM_API_KEY\nLITELLM_API_KEY\n"
    assert "sk-canary" not in repr(chosen)


def test_a_child_gets_the_chosen_keys_and_the_rest_unchanged() -> None:
    parent = {"PATH": "/bin", "ANTHROPIC_API_KEY": "x", "WARDEN_OPENAI_API_KEY": "y"}
    chosen = export.assignments("litellm", None, Secret("k"), "providers")
    assert export.child_environment(parent, chosen) == {**parent, "WARDEN_LITELLM_API_KEY": "k"}
    listed = export.child_environment(parent, chosen, only_listed=True)
    assert listed == {"PATH": "/bin", "WARDEN_LITELLM_API_KEY": "k"}
    named = export.assignments("corp", "ANTHROPIC_API_KEY", Secret("k"), "providers")
    kept = export.child_environment(parent, named, only_listed=True)
    assert kept["ANTHROPIC_API_KEY"] == "k"
    assert "ANTHROPIC_API_KEY" in parent


def test_two_providers_cannot_have_two_keys_in_one_variable() -> None:
    one = export.assignments("lm-studio", None, Secret("a"), "providers")
    same = export.assignments("lm_studio", None, Secret("a"), "providers")
    other = export.assignments("lm_studio", None, Secret("b"), "providers")
    assert len(export.merge([one, same])) == 1
    with pytest.raises(KeyProblem):
        export.merge([one, other])
