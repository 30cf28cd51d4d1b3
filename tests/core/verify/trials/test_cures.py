"""What to do at which kind of server: words by the presets' names, and nowhere else."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

import core.verify
from core.providers.presets import presets
from core.verify.trials.cures import Name, cure, cures
from core.verify.trials.written_calls import SHAPES

NAMES: tuple[Name, ...] = get_args(Name)
DIALECTS = [one.dialect for one in presets()]


@pytest.mark.parametrize("dialect", [*DIALECTS, "a server of tomorrow"])
@pytest.mark.parametrize("name", NAMES)
def test_every_dialect_has_words_for_everything(dialect: str, name: Name) -> None:
    told = cure(dialect, name, "hermes")
    assert told.endswith(".")
    assert "{" not in told


def test_the_tables_are_dialects_that_the_presets_name() -> None:
    assert set(cures()) - {"any"} <= set(DIALECTS)


def test_a_parser_is_called_what_its_server_calls_it() -> None:
    assert "--tool-call-parser hermes" in cure("vllm", "parse_calls", "hermes")
    assert "--tool-call-parser qwen25" in cure("sglang", "parse_calls", "hermes")
    assert "--tool-call-parser mistral" in cure("sglang", "parse_calls", "mistral")
    known = {shape.parser for shape in SHAPES} | {"llama3_json", "pythonic"}
    assert all(set(one.parsers) <= known for one in cures().values())


def test_no_code_of_verification_names_a_dialect() -> None:
    """Presets and tables do; a name in the code is one that the next server is not in."""
    own = set(DIALECTS) - {"generic", "openai", "anthropic", "other"}
    for path in sorted(Path(core.verify.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value not in own or _of_pi(path), (path.name, node.value)


def _of_pi(path: Path) -> bool:
    """Pi's own words for formats and providers happen to be alike."""
    return bool(re.search(r"compat|pi_shape|pi_schema|formats", path.name))
