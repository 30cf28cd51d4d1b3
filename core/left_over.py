"""Lines of the list of keys that are no provider's own key at its present address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from core.errors import Fault, KeyProblem, UsageProblem
from core.key_board import age_words, of_headers
from core.keys.environment import key_variables
from core.providers.base_url import read_base_url
from core.text import one_line

if TYPE_CHECKING:
    from datetime import datetime

    from core.workspace import Workspace


class LeftOver(msgspec.Struct, frozen=True):
    """A line of the list of keys that no provider of the file has as its key where it is now."""

    variable: str
    origin: str
    source: Literal["keyring", "environment"]
    age: str
    reader: str = ""
    """The provider that has it in a header, at this address; empty: nobody in this file."""

    @property
    def words(self) -> str:
        """Who uses it, and what can be done."""
        if self.reader:
            return f"A header of {one_line(self.reader, 60)} reads it. x deletes it from the list."
        return (
            "No provider of this file uses it at its present address. x deletes it from the list."
        )


def left_over(workspace: Workspace, now: datetime) -> tuple[LeftOver, ...]:
    """What is kept for headers, for other files, for removed providers or earlier addresses."""
    used: set[tuple[str, str]] = set()
    readers: dict[tuple[str, str], str] = {}
    for provider in workspace.providers:
        try:
            origin = read_base_url(provider.base_url, exact=True).origin
        except UsageProblem:
            continue
        used |= {(one, origin) for one in key_variables(provider.name, provider.api_key_env)}
        for variable in of_headers(provider, workspace.env):
            readers.setdefault((variable, origin), provider.name)
    return tuple(
        LeftOver(
            entry.variable,
            entry.origin,
            entry.source,
            age_words(entry.stored_at, now),
            readers.get((entry.variable, entry.origin), ""),
        )
        for entry in workspace.vault.index.entries
        if (entry.variable, entry.origin) not in used
    )


def drop(workspace: Workspace, one: LeftOver) -> None:
    """Delete a key that is left over, or forget where the environment's went.

    Raises:
        KeyProblem: the keyring could not be asked, or the list not be written.
    """
    if one.source == "keyring":
        workspace.vault.delete(one.variable, one.origin)
        return
    fault = workspace.vault.forget_environment(one.variable, (one.origin,))
    if fault is not None:
        raise KeyProblem(Fault("keyring", fault.what, fault.why, fault.fix))
