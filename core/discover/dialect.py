"""What a dialect is: how a kind of server is recognised, asked and understood.

A dialect decides and does nothing: it names the requests that it wants made
(:class:`Ask`) and reads their answers. :mod:`core.discover.discover` makes the requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from core.wire.bodies import Json, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.discover.facts import Model
    from core.errors import Fault
    from core.wire.client import Reply


class Ask(msgspec.Struct, frozen=True):
    """A request that a dialect wants made with the key, once there is a list of models."""

    path: str
    """Below the root: the base URL without its ``/v1``."""
    method: Literal["GET", "POST"] = "GET"
    body: bytes = b""

    @property
    def name(self) -> str:
        """How its answer is found again."""
        return f"{self.path} {self.body.decode()}" if self.body else self.path


class Match(msgspec.Struct, frozen=True):
    """A recognised server."""

    version: str | None = None
    sure: bool = True
    """False when others look alike, so that what its models say decides."""


class Answers(msgspec.Struct, frozen=True):
    """What a server said: the rows of its list, and JSON by the name of the ask that got it."""

    rows: tuple[Mapping[str, Json], ...]
    named: Mapping[str, Json]

    def get(self, name: str) -> Json:
        """The JSON that an ask got; None when it got none or an error."""
        return self.named.get(name)


class Read(msgspec.Struct, frozen=True):
    """What a dialect made of the answers."""

    models: tuple[Model, ...]
    warnings: tuple[Fault, ...] = ()
    version: str | None = None


class Dialect(Protocol):
    """One kind of server. Implementations are stateless."""

    @property
    def name(self) -> str:
        """Its word in the presets."""

    @property
    def marks(self) -> Sequence[str]:
        """Paths below the root that are asked without a key to recognise it."""

    @property
    def asks(self) -> Sequence[Ask]:
        """What is asked with the key, once the list of models is there."""

    def recognise(self, seen: Mapping[str, Reply]) -> Match | None:
        """Whether keyless answers, by path, prove this kind. A 200 alone proves nothing."""

    def owns(self, row: Mapping[str, Json]) -> bool:
        """Whether a row of the model list is this kind's own."""

    def asks_about(self, rows: Sequence[Mapping[str, Json]]) -> Sequence[Ask]:
        """What is asked of single models of the list, at the same time as ``asks``."""

    def read(self, answers: Answers) -> Read:
        """The models with their facts."""


class Plain:
    """What most dialects share: nothing to ask beyond the list."""

    name = ""
    marks: Sequence[str] = ()
    asks: Sequence[Ask] = ()

    def recognise(self, seen: Mapping[str, Reply]) -> Match | None:  # noqa: ARG002
        """Recognised by its rows alone."""
        return None

    def owns(self, row: Mapping[str, Json]) -> bool:  # noqa: ARG002
        """No row is its own."""
        return False

    def asks_about(self, rows: Sequence[Mapping[str, Json]]) -> Sequence[Ask]:  # noqa: ARG002
        """Nothing."""
        return ()


def json_of(reply: Reply | None) -> Json:
    """The JSON of a 200 without an error in it; None otherwise."""
    if reply is None or reply.status != 200:
        return None
    try:
        return read_json(reply.body)
    except ValueError:
        return None


def text_of(reply: Reply | None) -> str:
    """The text of a 200, at most 20 kB of it."""
    if reply is None or reply.status != 200:
        return ""
    return reply.body[:20_000].decode("utf-8", "replace").strip()
