"""The line a prompt is written in, beside a stream that is painted."""

from __future__ import annotations

from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input


class PromptLine(Input):
    """An input that never asks for a new layout: it is as wide as its place, whatever is typed.

    Textual's lays the whole screen out anew with every letter, since the text's length is its
    virtual size (8.2); that was half of what a letter waited for while a fast stream came.
    """

    virtual_size = Reactive(Size(0, 0), layout=False)
