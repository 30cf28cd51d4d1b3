"""Which text becomes Markdown, and how: a server's words are data, also when they are formatted.

Links, images and HTML stay the text that they are: nothing can be followed, and an address is
seen in full. Entities stay written out too, or they would put back the invisible characters that
:func:`core.text.visible` shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LONGEST: Final = 12_000
"""Characters that are shown as Markdown at most: every block of it is a widget of its own, which
costs about 80 ms a thousand characters."""
_LINES: Final = 400
_CELLS: Final = 600
_OFF: Final = ("link", "image", "autolink", "linkify", "html_inline", "html_block", "reference")


def data_parser() -> MarkdownIt:
    """A Markdown parser without links, images, HTML and entities."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return parser.disable([*_OFF, "entity"], ignoreInvalid=True)


def dear(text: str) -> bool:
    """Whether ``text`` is too much to be shown as Markdown."""
    return len(text) > LONGEST or text.count("\n") > _LINES or text.count("|") > _CELLS


def formed_from(text: str) -> int:
    """Where the part of ``text`` begins that can be Markdown; what is before stays plain.

    It begins after a blank line outside of a code fence; at the end when there is no such place.
    """
    if not dear(text):
        return 0
    at, fence = 0, ""
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        if fence:
            if bare.startswith(fence) and not bare.strip(fence[0]):
                fence = ""
        elif bare.startswith(("```", "~~~")):
            fence = bare[: len(bare) - len(bare.lstrip(bare[0]))]
        at += len(line)
        if not bare and not fence and not dear(text[at:]):
            return at
    return len(text)
