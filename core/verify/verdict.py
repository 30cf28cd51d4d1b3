"""What a probe or a trial found, with its evidence, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.verify.compat import Compat, Variant
from core.verify.pi_shape import PiModel

if TYPE_CHECKING:
    from core.verify.exchange import Answered

Word = Literal["pass", "fail", "unsure"]

Flag = bool | int | str | dict[str, bool | str | dict[str, bool | str]]
"""A compat flag's value in JSON: Pi's switches for chat templates are objects of objects."""

MAX_EXCHANGES: Final = 6
"""How many requests with their replies a verdict keeps as evidence."""


class Evidence(msgspec.Struct, frozen=True):
    """Why a verdict is what it is."""

    text: str
    """One sentence, or a few, in words for a person."""
    exchanges: tuple[tuple[str, str], ...] = ()
    """Requests and replies, (sent, came), shortened, keys masked."""


class Earlier(msgspec.Struct, frozen=True):
    """Another run of a verdict's question, for the same config: told, so none is asked away."""

    at: str
    """UTC, ISO 8601 with ``Z``."""
    verdict: Word
    passed: int | None = None
    tried: int | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What one probe or trial found of one model behind one endpoint."""

    probe: str
    """Its name, as ``--only`` takes it."""
    provider: str
    model: str
    lane: str | None
    """None: it is true of the model whatever the lane."""
    verdict: Word
    evidence: Evidence
    fix: str = ""
    """What to do now; empty where nothing is to be done."""
    finding: str = ""
    """One machine word: ``accepted honoured ignored refused needed not_needed …``"""
    passed: int | None = None
    """Of ``tried`` runs, how many passed; None where it was not tried more than once."""
    tried: int | None = None
    requests: int = 0
    """Requests that it took."""
    tokens: int | None = None
    """Tokens in and out that the server counted for them; None when it counted nothing."""
    detail: dict[str, str | int | float | bool | None] = {}
    """What was measured, by name, for whoever reads the verdict by machine."""
    learned: dict[str, Flag] = {}
    """Compat flags under Pi's names: values that were needed, or that were seen to work."""
    others: tuple[Earlier, ...] = ()
    """Other runs that told otherwise, oldest first: those that it has outweighed, and later ones
    that did not outweigh it (:func:`core.verify.verified.outweighs`)."""
    shape: str = ""
    """``stock``: a digest of the flags and facts that the trial's requests were shaped by."""

    @property
    def flaky(self) -> bool:
        """It passed sometimes."""
        return self.passed is not None and self.tried is not None and 0 < self.passed < self.tried


def question_of(verdict: Verdict) -> tuple[str, str, str, str | None]:
    """What a verdict answers: probe, provider, model, lane."""
    return verdict.probe, verdict.provider, verdict.model, verdict.lane


class Subject(msgspec.Struct, frozen=True):
    """Who is asked: a model behind a provider, for a lane or for none, and whose Pi will ask it."""

    provider: str
    model: str
    lane: str | None = None
    variant: Variant = "providers"
    facts: PiModel | None = None
    """How the model is described to Pi; None: by Pi's defaults, thinking found out by asking."""
    written: Compat = Compat()
    """What is written for it now (``stock`` alone can)."""
    base_url: str = ""

    @property
    def described(self) -> PiModel:
        """The facts, or Pi's defaults."""
        return self.facts if self.facts is not None else PiModel(self.model)


def evidence(text: str, *answered: Answered) -> Evidence:
    """Evidence out of replies; of many, the first and the last ones are kept."""
    kept = answered
    if len(answered) > MAX_EXCHANGES:
        half = MAX_EXCHANGES // 2
        kept = (*answered[:half], *answered[-half:])
    return Evidence(text, tuple((one.sent, one.came) for one in kept))
