from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.live.kept import HEAD, TAIL, KeptText


def kept(*pieces: str) -> KeptText:
    text = KeptText()
    for piece in pieces:
        text.add(piece)
    return text


@given(st.lists(st.text(max_size=20), max_size=50))
def test_what_is_not_too_long_is_kept_as_it_is(pieces: list[str]) -> None:
    text = kept(*pieces)
    assert str(text) == "".join(pieces)
    assert str(text) == "".join(pieces), "asking changes nothing"
    assert text.dropped == 0


def test_of_what_is_too_long_beginning_and_end_are_kept_and_the_rest_is_counted() -> None:
    words = [f"w{number} " for number in range(800_000)]
    whole = "".join(words)
    text = kept(*words)
    shown = str(text)
    head, gap, tail = shown.partition("\n[… ")
    assert gap
    count, _, end = tail.partition(" characters are not kept …]\n")
    assert head == whole[:HEAD]
    assert TAIL <= len(end) <= 2 * TAIL
    assert whole.endswith(end)
    assert int(count.replace(",", "")) == text.dropped == len(whole) - HEAD - len(end)


def test_one_text_goes_to_the_end_of_another() -> None:
    first, second = kept("a", "b"), kept("c", "d")
    first.take_all(second)
    assert (str(first), str(second)) == ("abcd", "")
    second.add("e")
    assert str(second) == "e"
