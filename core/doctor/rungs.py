"""The ladder as data: ten rungs from the URL to a stream, and what a report of them is. Pure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.errors import Fault  # a report can be decoded
from core.text import one_line, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Name = Literal["url", "name", "tcp", "tls", "http", "server", "key", "models", "chat", "stream"]
State = Literal["pass", "fail", "skip"]

LADDER: Final[Mapping[Name, str]] = {
    "url": "reading the base URL",
    "name": "looking the name up",
    "tcp": "connecting",
    "tls": "checking the certificate",
    "http": "waiting for a reply",
    "server": "finding out which server it is",
    "key": "showing the key",
    "models": "asking for the models",
    "chat": "asking a model for one word",
    "stream": "reading the answer as it comes",
}
"""Rung -> what is going on while it is climbed, in the order in which they are."""
NOT_TRIED: Final = "not tried"
SIGNS: Final[Mapping[State, str]] = {"pass": "✓", "fail": "✗", "skip": "·"}


class Rung(msgspec.Struct, frozen=True):
    """One check and how it went."""

    name: Name
    state: State
    """``skip``: it does not apply here, did not decide anything, or an earlier one failed."""
    seconds: float | None
    """How long it took, from what was seen before it; None on a rung that was skipped."""
    evidence: str
    """What was seen, one line. Server text in it is made visible; no key is in it."""


class Asked(msgspec.Struct, frozen=True):
    """What was examined."""

    base_url: str | None
    """As read; None when it could not be."""
    model: str | None
    provider: str | None = None


class Report(msgspec.Struct, frozen=True):
    """All ten rungs in order, and the fault of the first that failed."""

    target: Asked
    rungs: tuple[Rung, ...]
    error: Fault | None

    @property
    def failed(self) -> Rung | None:
        """The rung that broke; None when all held."""
        return next((rung for rung in self.rungs if rung.state == "fail"), None)

    @property
    def undecided(self) -> tuple[Rung, ...]:
        """Chat and stream where they show nothing, though no rung broke."""
        last = [rung for rung in self.rungs if rung.name in {"chat", "stream"}]
        return tuple(rung for rung in last if rung.state == "skip") if self.error is None else ()


def stopped(target: Asked, told: Sequence[Rung], fault: Fault) -> Report:
    """The report of a climb that was stopped after the rungs in ``told``; ``fault`` says so."""
    done = {rung.name: rung for rung in told}
    left = (done.get(name) or Rung(name, "skip", None, NOT_TRIED) for name in LADDER)
    return Report(target, tuple(left), fault)


class Ladder:
    """Rungs as they are climbed: each is told once, in order, to whoever watches."""

    def __init__(self, tell: Callable[[Rung], None] | None, mask: Callable[[str], str]) -> None:
        """``tell`` sees each rung as it finishes; ``mask`` takes keys out of any text.

        A rung that comes without a time of its own gets the one since the rung before it.
        """
        self._tell = tell
        self._mask = mask
        self._done: dict[Name, Rung] = {}
        self._last = time.perf_counter()
        self.error: Fault | None = None

    def told(self, name: Name) -> bool:
        """Whether that rung is behind us."""
        return name in self._done

    def passed(self, name: Name, evidence: str, seconds: float | None = None) -> None:
        """``name`` holds."""
        self._add(name, "pass", evidence, seconds)

    def skipped(self, name: Name, evidence: str) -> None:
        """``name`` has no place here, or decides nothing."""
        self._add(name, "skip", evidence, None)

    def failed(self, name: Name, fault: Fault, seconds: float | None = None) -> None:
        """``name`` breaks; nothing after it is tried."""
        masked = [self._mask(text) for text in (fault.what, fault.why, fault.fix)]
        self.error = Fault(fault.code, *masked)
        self._add(name, "fail", fault.what, seconds)

    def _add(self, name: Name, state: State, evidence: str, seconds: float | None) -> None:
        if name in self._done:
            return
        now = time.perf_counter()
        if seconds is None and state != "skip":
            seconds = now - self._last
        self._last = now
        rung = Rung(name, state, seconds, one_line(self._mask(evidence)))
        self._done[name] = rung
        if self._tell is not None:
            self._tell(rung)

    def report(self, target: Asked) -> Report:
        """The whole ladder; what was not reached is skipped."""
        rungs = [self._done.get(name) or Rung(name, "skip", None, NOT_TRIED) for name in LADDER]
        return Report(target, tuple(rungs), self.error)


def seconds_words(seconds: float | None) -> str:
    """A time as people read it: ``3 ms``, ``1.24 s``; empty where there is none to speak of."""
    if seconds is None or seconds < 0.0005:
        return ""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def rung_line(rung: Rung, width: int = 8) -> str:
    """One rung on one line, without its time."""
    return f"{SIGNS[rung.state]} {rung.name:<{width}}{rung.evidence}".rstrip()


def report_text(report: Report, version: str) -> str:
    """The report to paste into an issue or a chat. Like all of it, without keys."""
    target = report.target
    of = f", model {one_line(target.model, 120)}" if target.model else ""
    lines = [f"turnkey {version} doctor · {target.base_url or 'no base URL'}{of}"]
    for rung in report.rungs:
        took = seconds_words(rung.seconds)
        lines.append(rung_line(rung) + (f"  ({took})" if took else ""))
    if report.error is not None:
        error = report.error
        lines += ["", f"{error.code}: {visible(error.what)}"]
        lines += [f"{word}: {visible(text)}" for word, text in _details(error) if text]
    return "\n".join(lines) + "\n"


def _details(error: Fault) -> tuple[tuple[str, str], ...]:
    return (("why", error.why), ("fix", error.fix))
