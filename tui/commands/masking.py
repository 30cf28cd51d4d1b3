"""The one door by which commands that read ``warden.toml`` print: no key of the file passes it.

A key may stand anywhere in a file, as a host, a model's id, a header's name or a skill's. So what
is printed is masked as a whole, and no place has to think of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.leaked import Mask
from tui.commands import output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.errors import Fault
    from core.workspace import Workspace


class Door:
    """Prints as :mod:`tui.commands.output` does, with the keys of the workspace's files masked.

    Made before an edit, so that a key is hidden which the edit takes out.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._mask = Mask(*workspace.documents)

    def show(self, text: str = "") -> None:
        """A fact on stdout."""
        output.show(self._mask.text(text))

    def say(self, message: str) -> None:
        """Something to know, on stderr."""
        output.say(self._mask.text(message))

    def warn(self, message: str) -> None:
        """A warning on stderr."""
        output.warn(self._mask.text(message))

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Aligned columns on stdout."""
        output.print_table(headings, [[self._mask.text(cell) for cell in row] for row in rows])

    def json(self, value: object) -> None:
        """One JSON object on stdout."""
        output.print_json(self.data(value))

    def data(self, value: object) -> object:
        """Structs, mappings and lists as plain data, masked."""
        return self._mask.data(msgspec.to_builtins(value))

    def fault(self, fault: Fault) -> Fault:
        """A fault that may name what stands in the file."""
        what, why, fix = map(self._mask.text, (fault.what, fault.why, fault.fix))
        return msgspec.structs.replace(fault, what=what, why=why, fix=fix)

    def text(self, text: str) -> str:
        """``text``, masked."""
        return self._mask.text(text)
