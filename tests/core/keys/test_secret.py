"""Whatever is done with a key but reveal() shows a mask."""

from __future__ import annotations

import base64
import copy
import html
import json
import pickle
import re
import time
import traceback
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys.secret import MASK, Secret
from core.keys.spellings import _begins, begins

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "sk-canary/9f2+c1==\"'"


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, "{:>20}".format, ascii])
def test_every_text_form_is_a_mask(show: object) -> None:
    assert callable(show)
    assert CANARY not in show(Secret(CANARY))
    assert CANARY not in repr([Secret(CANARY)])


def test_it_is_never_pickled_copied_or_put_into_json() -> None:
    secret = Secret(CANARY)
    for refuse in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, msgspec.json.encode):
        with pytest.raises(TypeError):
            refuse(secret)


def test_a_traceback_does_not_show_it() -> None:
    try:
        raise ValueError(Secret(CANARY))
    except ValueError as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    assert CANARY not in shown


def test_equal_keys_are_equal_and_text_is_not() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert not Secret("")


@given(st.text(min_size=4, max_size=60))
def test_every_spelling_of_it_is_masked_in_foreign_text(value: str) -> None:
    raw = value.encode()
    for spelling in (
        value,
        quote(value, safe=""),
        quote_plus(value),
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
        json.dumps(value),
    ):
        shown = Secret(value).redact(f"<<{spelling}>>")
        assert MASK in shown
        if spelling not in MASK:
            assert spelling not in shown


@pytest.mark.parametrize("change", [str.upper, str.lower, lambda key: key[1:]])
def test_a_long_key_in_other_capitals_or_without_its_first_letter_is_masked(
    change: Callable[[str], str],
) -> None:
    said = change(LONG)
    assert Secret(LONG).redact(f"the key {said} is unknown") == f"the key {MASK} is unknown"
    veil = Secret(LONG).veil()
    assert "".join(map(veil.push, f"the key {said} is")) + veil.rest() == f"the key {MASK} is"


def test_a_short_key_is_no_word_in_capitals() -> None:
    assert Secret("ollama").redact("Ollama is running") == "Ollama is running"


LONG = "sk-canary/8d1f+VERY'SECRET=0"
HEADER = base64.b64encode(f"Bearer {LONG} and more".encode()).decode()
ECHOES = {
    "every byte percent-encoded": "".join(f"%{one:02x}" for one in LONG.encode()),
    "slashes as JSON may have them": LONG.replace("/", "\\/"),
    "HTML": html.escape(LONG),
    "numbers of HTML": "".join(f"&#{ord(one)};" for one in LONG),
    "hexadecimal numbers of HTML": "".join(f"&#x{ord(one):X};" for one in LONG),
    "escapes of JSON as text": "".join(f"\\u{ord(one):04x}" for one in LONG),
    "hex": LONG.encode().hex(),
    "backwards": LONG[::-1],
    "over lines": "\n".join((LONG[:9], LONG[9:])),
    "over lines, as text": "\\r\\n".join((LONG[:9], LONG[9:])),
    "zero-width": "\u200b".join(LONG),
    "controls": "\x00\x08".join((LONG[:9], LONG[9:])),
    "colours": "\x1b[31m".join((LONG[:5], LONG[5:])) + "\x1b[0m",
    "mixed": "".join(f"%{ord(one):02X}" if at % 2 else one for at, one in enumerate(LONG)),
}


def bare(text: str) -> str:
    """What is left of a text for whoever puts it together again."""
    return re.sub(r"\x1b\[[0-9;]*m|[\s\x00-\x1f\u200b]", "", text)


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_key_that_is_escaped_or_split_is_masked_at_once_and_in_pieces(echo: str) -> None:
    shown = Secret(LONG).redact(f"no such key <{echo}> here")
    assert shown.replace("\x1b[0m", "") == f"no such key <{MASK}> here"
    veil = Secret(LONG).veil()
    pieces = "".join(veil.push(letter) for letter in f"no <{echo}> here") + veil.rest()
    assert pieces.replace("\x1b[0m", "") == f"no <{MASK}> here"


@pytest.mark.parametrize("before", ["", "x", "Bearer ", "user:"])
@pytest.mark.parametrize("after", ["", "!", " and more"])
def test_base64_of_a_text_with_the_key_in_it_tells_nothing_of_it(before: str, after: str) -> None:
    coded = base64.b64encode(f"{before}{LONG}{after}".encode()).decode()
    shown = Secret(LONG).redact(coded)
    assert MASK in shown
    veil = Secret(LONG).veil()
    for masked in (shown, "".join(map(veil.push, coded)) + veil.rest()):
        left = masked.partition(MASK)
        # at most the letter that the key shares with what stands beside it
        assert len(left[0]) <= len(base64.b64encode(f"{before}?".encode()))
        assert len(left[2]) <= len(base64.b64encode(f"?{after}".encode()))


def test_what_is_no_key_is_left_alone_and_costs_little() -> None:
    text = "sk-canary is how keys begin & 100% of them; \\u0073\\u006b too. " * 4000
    began = time.perf_counter()
    assert Secret(LONG).redact(text) == text
    assert time.perf_counter() - began < 2
    veil = Secret(LONG).veil()
    assert "".join(map(veil.push, text[:20_000].split(" "))) + veil.rest() == text[:20_000].replace(
        " ", ""
    )


_ATOMS = ["a", "b", "sk-", "sk-abc", "%41", "%4", "\\u00", "\\u0061", "\\", "&amp;", "&#97;"]
_ATOMS += ["&#x6", "\x1b[31m", f"\x1b[{'0;' * 20}", "\x1b", " ", "\u200b", "word ", "1" * 20]


@given(
    st.sampled_from(["sk-abcdef12", "aaaaaabaaa", "a%41\\u0041bcd", "k&amp;ey;x"]),
    st.lists(st.sampled_from(_ATOMS), max_size=60),
    st.integers(0, 12),
)
def test_only_the_end_of_a_long_text_is_looked_at_and_the_same_is_found(
    value: str, atoms: list[str], more: int
) -> None:
    text = "".join(atoms) + value[:more]
    assert begins(text, value) == _begins(text, value)[1]
