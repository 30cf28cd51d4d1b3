"""Samples of ``warden.toml`` in the shapes that people write, and a generator of more."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from core.warden.config import Cost, ModelEntry, Provider
from core.warden.document import Document, parse

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

NAME = Path("warden.toml")
MARK = b"\xef\xbb\xbf"

GATEWAY = Provider(
    name="gateway",
    base_url="http://127.0.0.1:4000/v1",
    api="openai-completions",
    headers={"X-Team": "tools", "X Odd": 'a "quoted" \\ value'},
    api_key_env="TEAM_KEY",
    models=(
        ModelEntry(
            id="qwen/qwen3:32b",
            name="Qwen",
            reasoning=True,
            input=("text", "image"),
            context_window=32768,
            max_tokens=16384,
            cost=Cost(0.1, 2, 0, 0.25),
        ),
        ModelEntry(id="small"),
    ),
)
PLAIN = Provider(name="plain", base_url="http://localhost:11434/v1", models=(ModelEntry("m"),))

SAMPLES: dict[str, str] = {
    "version only": "version = 1\n",
    "lanes as tables": """\
version = 1

[defaults]
runtime = "pi"
failOn = "off"

# What reads the repository.
[defaults.agent]
model = "hosted/big"      # our default
maxTurns = 8

[defaults.auxiliary]
model = "hosted/small"

[defaults.verification]
enabled = true

[runner]
# One at a time.
concurrency = 1

[[skills]]
name = "review"
model = "hosted/other"
paths = [
  "**/*.tsx",  # screens
  "**/*.css",
]

[[skills.triggers]]
type = "local"
""",
    "comments everywhere": """\
# Team configuration — reviewed monthly
#
# Ask before changing.

version = 1    # fixed

[defaults]
# first
runtime = "pi"

# failOn = "high"
# reportOn = "low"

# ------------------
# Reviews
# ------------------
[[skills]]
# where it lives
name = "./skills/review"
# remote = "owner/repo@sha"

failOn = "off"        # advisory
reportOn = "low"      # everything
""",
    "out of order": """\
version = 1

[defaults]
failOn = "high"

[defaults.chunking]
maxContextFiles = 25

[runner]
concurrency = 16

[[defaults.chunking.filePatterns]]
pattern = "docs/**"
mode = "whole-file"

[[defaults.chunking.filePatterns]]
pattern = "action.yml"

[[skills]]
name = "one"
""",
    "runner between skills": """\
version = 1
[[skills]]
name = "one"
[runner]
concurrency = 2
[[skills]]
name = "two"
""",
    "adjacent headers": """\
version = 1
[defaults]
[defaults.agent]
model = "a/b"
[defaults.auxiliary]
[[skills]]
name = "x"
[[skills.triggers]]
type = "local"
""",
    "layer without defaults": """\
# A profile for one more endpoint.
version = 1

# Two at a time.
[runner]
concurrency = 2

# A reasoning model.
[defaults.agent]
model = "other/large/model"
effort = "high"

# The verifier.
[defaults.auxiliary]
model = "other/judge"
""",
    "skills first": """\
[[skills]]
name = "*"
trigger = { type = "pull_request" }
""",
    "skills under a comment": """\
# The skills of this repository.
[[skills]]
name = "x"
""",
    "comment apart, then skills": """\
# This repository's warden.

# Skills
[[skills]]
name = "x"
""",
    "only comments": "# Nothing here yet.\n#   [[skills]]\n",
    "sleeping keys": """\
version = 1
[defaults]
runtime = "pi"
# failOn = "high"
[[skills]]
name = "x"
""",
    "inline lanes": """\
version = 1
[defaults]
agent = { model = "a/b", maxTurns = 3 }   # both
auxiliary = {}
providers = {}
""",
    "inline defaults": 'version = 1\ndefaults = { agent = { model = "a/b" } }\n',
    "inline defaults, providers in it": """\
version = 1
defaults = { providers = { old = { baseUrl = "http://x/v1", models = [{ id = "m" }] } } }
""",
    "inline with blanks": "version = 1\ndefaults = { }\n",
    "dotted at the top": """\
version = 1
defaults.runtime = "pi"
defaults.agent.model = "a/b"
defaults . "agent" . maxTurns = 3

[[skills]]
name = "x"
""",
    "dotted in defaults": """\
version = 1
[defaults]
  agent.model = "a/b"
  agent.maxTurns = 4
  providers.old.baseUrl = "http://x/v1"
  providers.old.models = [ { id = "m" } ]
""",
    "provider tables": """\
version = 1

[defaults.agent]
model = "old/m"

# The one in the cellar.
[defaults.providers.old]
baseUrl = "http://cellar:8000/v1"
# api = "openai-completions"

# big
[[defaults.providers.old.models]]
id = "m"

[[defaults.providers.old.models]]
id = 'n'
[defaults.providers.old.models.cost]
input = 1
output = 2
cacheRead = 0
cacheWrite = 0

[[skills]]
name = "x"
model = 'old/n'
[[skills.triggers]]
type = "local"
model = "old/m"
[[skills.triggers]]
type = "schedule"
model = "older/m"
""",
    "providers header": """\
version = 1
[defaults.providers]
# keys below
"old".baseUrl = "http://x/v1"
old.models = [
  { id = "m" }, # one
  { id = "n" }
]
""",
    "strings over lines": '''\
version = 1
note = """
[defaults.agent]
# not a comment \\"""
"""""
other = \'\'\'
[[skills]]\'\'\'
[defaults]
runtime = "pi"
''',
    "legacy model": 'version = 1\n\n[defaults]\nmodel = "a/b"  # everything\nfailOn = "off"\n',
    "indented tables": """\
version = 1

[defaults]
\truntime = "pi"
\t[defaults.agent]
\t\tmaxTurns = 3

\t[defaults.ignore]
\t\tpaths = ["a"]
""",
    "blank lines at both ends": "\n\nversion = 1\n\n[[skills]]\nname = 'x'\n\n\n",
}


def in_all_bytes(text: str) -> list[bytes]:
    """One text as LF and CRLF, with and without a byte-order mark and a final newline."""
    forms: list[bytes] = []
    for body in (text, text.rstrip("\n")):
        for ending in ("\n", "\r\n"):
            raw = body.replace("\n", ending).encode()
            forms += [raw, MARK + raw]
    return forms


def document(source: str | bytes) -> Document:
    """A loaded document of ``source``."""
    raw = source.encode() if isinstance(source, str) else source
    return parse(NAME, raw, raw)


_TOP = [
    "version = 1",
    'note = "a # b"  # c',
    "stamp = 1979-05-27 07:32:00Z",
    "numbers = [ 1, 0x1F, 1_000, -2.5e3, inf, nan ]",
    'long = """\nfirst\n\n[defaults]\n"""',
    "raw = '''\n# none\n'''",
    'defaults.runtime = "pi"',
    'defaults.agent.model = "old/m"',
    'defaults.model = "old/legacy"',
    "defaults.agent.maxTurns = 3",
    "defaults.providers.dot.baseUrl = 'http://x/v1'",
    "defaults = {}",
    'defaults = { agent = { model = "old/m" }, "runtime" = "pi" }',
    "defaults = { agent.model = 'old/m',providers={} }",
    "defaults={providers={old={baseUrl='http://x/v1',models=[{id='m'}]}}}",
    'skills = [ { name = "a", model = "old/m" }, { name = "b" } ]',
    "skills = [\n  # first\n  { name = 'a' },\n  { name = 'b', model = 'old/x' }, # second\n]",
]
_TABLES = [
    "[defaults]",
    '[defaults]\nruntime = "pi"\n# failOn = "off"',
    '[defaults]\nmodel = "old/legacy" # all',
    "[defaults]\nagent = { maxTurns = 3 }",
    "[defaults]\nagent = { }\nproviders = { }",
    "[defaults]\n  auxiliary.model = 'old/aux'\n  auxiliary.effort = \"low\"",
    '[defaults]\nproviders = { old = { baseUrl = "http://x/v1", models = [ { id = "m" } ] } }',
    "[defaults]\nproviders.dot.baseUrl = 'u'\nproviders.dot.models = [{ id = 'm' }]",
    "[defaults.agent]",
    '[defaults.agent]\nmodel = "old/m" # why\nmaxTurns = 8',
    "[ defaults . 'agent' ]\n# about\nmaxTurns = 8",
    '[defaults.auxiliary]\n\n# model = "x/y"\nmaxRetries = 2\n# last word',
    "[defaults.synthesis]\nmodel = 'old/s'",
    "[defaults.ignore]\npaths = [\n  # made\n  'a',\n  \"b\",\n]",
    "[defaults.providers]",
    "[defaults.providers]\nother = { baseUrl = 'http://y/v1', models = [{ id = 'm' }] }",
    '[defaults.providers.old]\nbaseUrl = "http://x/v1"\nheaders = { A = "b" }',
    '[[defaults.providers.old.models]]\nid = "m"\n\n[[defaults.providers.old.models]]\nid="n"',
    (
        '[defaults.providers."odd one"]\nbaseUrl = "u"\n'
        '[[defaults.providers."odd one".models]]\nid="m"'
    ),
    "[[defaults.chunking.filePatterns]]\npattern = 'a'",
    "[runner]\nconcurrency = 2",
    '[[skills]]\nname = "a"\nmodel = "old/m"\n[[skills.triggers]]\ntype = "local"\nmodel = "old/t"',
    "[[skills]]\nname = 'b' # tail",
    "[logs]\n# nothing",
]
_GAPS = [
    "",
    "\n",
    "\n\n",
    "# about it\n",
    "# key = 1\n",
    "\n# key = 1\n\n",
    "\n# -----\n# Title\n# -----\n",
    "\n# apart\n\n",
    "\n \t\n",
]


@st.composite
def texts(draw: DrawFn) -> str:
    """Valid TOML in the shapes of ``warden.toml``: pieces in any order."""
    pieces = [
        *draw(st.lists(st.sampled_from(_TOP), max_size=4)),
        *draw(st.lists(st.sampled_from(_TABLES), max_size=7)),
    ]
    text = ""
    for piece in pieces:
        grown = text + draw(st.sampled_from(_GAPS)) + piece + "\n"
        try:
            tomllib.loads(grown)
        except tomllib.TOMLDecodeError:
            continue
        text = grown
    return text + draw(st.sampled_from(["", "", "\n", "# the end\n", "\n# key = 1\n"]))


@st.composite
def files(draw: DrawFn) -> bytes:
    """The bytes of a valid file: LF, CRLF or both, byte-order mark or not, final newline or not."""
    text = draw(texts())
    if draw(st.booleans()):
        text = text.rstrip("\n")
    odd, even = draw(st.sampled_from([("\n", "\n"), ("\r\n", "\r\n"), ("\n", "\r\n")]))
    lines = text.split("\n")
    ends = [odd if at % 2 else even for at in range(len(lines) - 1)]
    text = "".join(line + end for line, end in zip(lines, [*ends, ""], strict=True))
    return (MARK if draw(st.booleans()) else b"") + text.encode()
