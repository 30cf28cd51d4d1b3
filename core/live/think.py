"""Thinking that a server left inside the answer: ``<think>`` … ``</think>``, cut anywhere.

Servers without a reasoning parser stream the tags as text. A tag opens thinking where a template
would put one: at the very beginning or at the start of a line, so that an answer which only
speaks of ``<think>`` stays an answer. A template that opens the tag inside the prompt leaves only
``</think>`` in the stream; then everything before it was thinking, which is known only when it
comes.
"""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal["reasoning", "answer", "was_reasoning"]
"""``was_reasoning`` carries no text: all answer text so far was thinking."""

_OPENING: Final = ("<think>", "<thinking>", "<thought>", "[THINK]", "<seed:think>")
_CLOSING: Final = ("</think>", "</thinking>", "</thought>", "[/THINK]", "</seed:think>")
_LONGEST: Final = max(len(tag) for tag in _CLOSING)
_STARTS: Final = "<["


class ThinkSplitter:
    """Text pieces in, pieces with their kind out; what may be half a tag waits for its rest.

    The joined text of each kind is the same however the text was cut into pieces.
    """

    __slots__ = ("_at_start", "_before", "_closing", "_held", "_may_close_alone")

    def __init__(self) -> None:
        self._held = ""
        self._closing: str | None = None
        self._at_start = True
        self._before = ""
        self._may_close_alone = True

    @property
    def thinking(self) -> bool:
        """Inside a tag that was opened in the text."""
        return self._closing is not None

    def separated(self) -> None:
        """The server gives thinking in a field of its own: a lone ``</think>`` is then text."""
        self._may_close_alone = False

    def feed(self, text: str) -> list[tuple[Kind, str]]:
        """The pieces that are certain after ``text``; neighbours of one kind are joined."""
        if not self._held:
            # Nearly every piece of a stream: no tag can begin in it.
            if "<" not in text and "[" not in text:
                if not text:
                    return []
                self._passed(text)
                return [("answer" if self._closing is None else "reasoning", text)]
        else:
            text = self._held + text
            self._held = ""
        return self._split(text)

    def flush(self) -> list[tuple[Kind, str]]:
        """What was held back as half a tag, now that no more comes."""
        text, self._held = self._held, ""
        if not text:
            return []
        self._passed(text)
        return [("answer" if self._closing is None else "reasoning", text)]

    def _split(self, text: str) -> list[tuple[Kind, str]]:
        pieces: list[tuple[Kind, str]] = []
        while text:
            found = self._next_tag(text)
            if found is None:
                keep = self._half_tag(text)
                self._emit(pieces, text[: len(text) - keep])
                self._held = text[len(text) - keep :]
                break
            at, tag = found
            self._emit(pieces, text[:at])
            text = text[at + len(tag) :]
            if self._closing is not None:
                self._closing = None
                # The next tag may follow at once.
                self._at_start, self._before = True, ""
            elif tag in _OPENING:
                self._closing = _CLOSING[_OPENING.index(tag)]
                self._may_close_alone = False
            else:
                self._may_close_alone = False
                self._at_start, self._before = True, ""
                pieces.append(("was_reasoning", ""))
        return pieces

    def _next_tag(self, text: str) -> tuple[int, str] | None:
        """The first tag that means something here: its place and itself."""
        if self._closing is not None:
            at = text.find(self._closing)
            return (at, self._closing) if at >= 0 else None
        tags = (*_OPENING, *_CLOSING) if self._may_close_alone else _OPENING
        at = -1
        while True:
            places = [place for sign in _STARTS if (place := text.find(sign, at + 1)) >= 0]
            if not places:
                return None
            at = min(places)
            for tag in tags:
                if text.startswith(tag, at) and self._counts(text, at, tag):
                    return at, tag

    def _half_tag(self, text: str) -> int:
        """How many characters at the end may be the beginning of a tag."""
        if self._closing is not None:
            tags: tuple[str, ...] = (self._closing,)
        else:
            tags = (*_OPENING, *_CLOSING) if self._may_close_alone else _OPENING
        for size in range(min(len(text), _LONGEST - 1), 0, -1):
            end = text[-size:]
            at = len(text) - size
            for tag in tags:
                if tag.startswith(end) and (
                    self._closing is not None or self._counts(text, at, tag)
                ):
                    return size
        return 0

    def _counts(self, text: str, at: int, tag: str) -> bool:
        """Whether a tag at this place would be markup, not the talk of it."""
        before = text[:at]
        if tag in _CLOSING:
            last = before[-1:] or self._before
            return last not in {"`", '"', "'"}
        line = before.rpartition("\n")
        if line[1]:
            return not line[2].strip()
        return self._at_start and not line[2].strip()

    def _emit(self, pieces: list[tuple[Kind, str]], text: str) -> None:
        if text:
            self._passed(text)
            pieces.append(("answer" if self._closing is None else "reasoning", text))

    def _passed(self, text: str) -> None:
        """Remember where the next piece begins: at a line's start or not."""
        if self._closing is None:
            self._before = text[-1]
            _, newline, rest = text.rpartition("\n")
            if newline:
                self._at_start = not rest.strip()
            elif self._at_start:
                self._at_start = not text.strip()
