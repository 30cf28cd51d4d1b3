"""What an encoding lacks gets a letter that is near, in as many columns."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len

from tui.plain_letters import draw_with_plain_letters, plain


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("╭─ Lanes ─╮", "+- Lanes -+"),
        ("● verified", "* verified"),
        ("▲ leaves", "! leaves"),
        ("✓ url ✗ tls", "+ url x tls"),
        ("模型 é", "???? ?"),
        ("plain", "plain"),
    ],
)
def test_signs_have_letters_near_them(text: str, told: str) -> None:
    assert plain(text) == told
    assert cell_len(told) == cell_len(text)


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("ascii", b"|. caf?"),
        ("latin-1", b"|\xb7 caf\xe9"),
        ("utf-8", "│· café".encode()),
    ],
)
def test_a_stream_writes_what_it_can(encoding: str, written: bytes) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    draw_with_plain_letters(stream)
    stream.write("│· café")
    stream.flush()
    assert raw.getvalue() == written
