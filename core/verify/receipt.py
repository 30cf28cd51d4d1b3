"""The receipt: the record of a verification, and what it is still worth.

It is a record and no proof: whoever can write the state folder can write one. It says what was
asked of what, when, and with which verdicts, for one config, for thirty days.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.errors import Fault
from core.verify.verdict import Verdict  # noqa: TC001 - msgspec reads the types at run time
from core.warden.config import Variant  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

SCHEMA: Final = 1
"""Of the receipt's JSON; another one is refused, older or newer."""
MAX_AGE: Final = timedelta(days=30)
_FUTURE: Final = timedelta(minutes=10)
"""How far a clock may be ahead before a receipt's time is not believed."""
LANES: Final = ("agent", "auxiliary", "synthesis")


class CoveredConfig(msgspec.Struct, frozen=True):
    """Which config was verified."""

    fingerprint: str
    file: str = "warden.toml"
    """The file's name alone; a path may hold names of people."""
    place: str = ""
    """:func:`core.verify.fingerprint.place_mark` of the file."""


class Asked(msgspec.Struct, frozen=True):
    """One endpoint that was asked. No key, no header, no login."""

    provider: str
    base_url: str
    origin: str
    dialect: str = ""
    version: str | None = None


class Gone(msgspec.Struct, frozen=True):
    """A lane that would leave the chosen providers: why the rest cannot make it verified."""

    code: str
    lane: str
    message: str


class Receipt(msgspec.Struct, frozen=True):
    """What was asked of what, when, and what was found."""

    turnkey: str
    at: str
    """When the last verdict in it came, UTC, ISO 8601 with ``Z``."""
    variant: Variant
    config: CoveredConfig
    endpoints: tuple[Asked, ...] = ()
    lanes: dict[str, str | None] = {}
    """Selector of each lane at that time; null: left to Pi."""
    verdicts: tuple[Verdict, ...] = ()
    escapes: tuple[Gone, ...] = ()
    verified: bool = False
    interrupted: bool = False
    """It was stopped: the next run goes on with what is not decided yet."""
    schema: int = SCHEMA


Worth = Literal["fresh", "stale", "none"]


class Standing(msgspec.Struct, frozen=True):
    """What can be said of a config now."""

    worth: Worth
    receipt: Receipt | None = None
    fault: Fault | None = None
    """Why it is stale or there is none, and what to do."""

    @property
    def verified(self) -> bool:
        """The one place where the word comes from."""
        return self.worth == "fresh" and self.receipt is not None and self.receipt.verified

    def lane_word(self, lane: str) -> Literal["verified", "failed", "partly", "stale", "not tried"]:
        """What may be said of one lane."""
        if self.receipt is None:
            return "not tried"
        words = [
            one.verdict
            for one in self.receipt.verdicts
            if one.lane == lane or (one.lane is None and self._asks(lane, one))
        ]
        tried = any(one.lane == lane for one in self.receipt.verdicts)
        if not tried:
            return "not tried"
        if self.worth == "stale":
            return "stale"
        if "fail" in words:
            return "failed"
        return "verified" if self.receipt.verified else "partly"

    def _asks(self, lane: str, verdict: Verdict) -> bool:
        receipt = self.receipt
        selector = receipt.lanes.get(lane) if receipt is not None else None
        return selector == f"{verdict.provider}/{verdict.model}"


def is_verified(
    verdicts: Sequence[Verdict],
    *,
    lanes: Mapping[str, str | None],
    required: Mapping[str, Collection[str]],
    escapes: Collection[Gone],
    optional: Collection[str] = (),
) -> bool:
    """Whether a config may be called verified.

    ``lanes``: lane to selector. ``required``: lane to the trials that it must have passed. Every
    lane has each of them, its own or its model's, n of n; nothing failed; no lane escapes. A
    compatibility probe may be unsure, a trial may not. ``optional`` probes are about features
    that nobody switched on: their failing says nothing of this config.
    """
    failed = any(one.verdict == "fail" and one.probe not in optional for one in verdicts)
    if escapes or failed:
        return False
    whole = {
        (one.probe, one.lane, f"{one.provider}/{one.model}")
        for one in verdicts
        if one.verdict == "pass" and _wholly(one)
    }
    return all(
        not whole.isdisjoint({(probe, lane, lanes.get(lane)), (probe, None, lanes.get(lane))})
        for lane in LANES
        for probe in required[lane]
    )


REPEATED: Final = frozenset({"agent_loop", "bare_json", "merge"})
"""Trials that count for «verified» when they were tried twice at the least."""


def _wholly(verdict: Verdict) -> bool:
    """Every run passed, and of what is repeated there was more than one."""
    if verdict.tried is None:
        return True
    return verdict.passed == verdict.tried >= (2 if verdict.probe in REPEATED else 1)


def merged(
    old: Receipt | None,
    new: Receipt,
    *,
    required: Mapping[str, Collection[str]],
    now: datetime,
    optional: Collection[str] = (),
) -> Receipt:
    """``new`` with those verdicts of a fresh ``old`` that it did not ask again.

    So ``--lane`` and ``--only`` add to what is known; alone they never make a config verified. The
    time is the oldest one that still counts, so that what was found first decides when it ends.
    """
    keep: tuple[Verdict, ...] = ()
    at = new.at
    if old is not None and refusal(old, new.config.fingerprint, now) is None:
        mine = {_question(one) for one in new.verdicts}
        keep = tuple(one for one in old.verdicts if _question(one) not in mine)
        at = min(old.at, new.at) if keep else new.at
    verdicts = (*keep, *new.verdicts)
    endpoints = {one.provider: one for one in (*(old.endpoints if keep and old else ()),)}
    endpoints |= {one.provider: one for one in new.endpoints}
    return msgspec.structs.replace(
        new,
        at=at,
        verdicts=verdicts,
        endpoints=tuple(endpoints.values()),
        verified=is_verified(
            verdicts,
            lanes=new.lanes,
            required=required,
            escapes=new.escapes,
            optional=optional,
        ),
    )


def refusal(receipt: Receipt, fingerprint: str, now: datetime) -> Fault | None:
    """Why ``receipt`` says nothing about the config of ``fingerprint`` now; None when it does."""
    again = "Run «turnkey verify» again."
    if receipt.schema != SCHEMA:
        return Fault(
            "receipt_other_schema",
            f"The receipt is of schema {receipt.schema}; this turnkey reads {SCHEMA}.",
            "It was written by another version of turnkey.",
            again,
        )
    if receipt.config.fingerprint != fingerprint:
        return Fault(
            "receipt_other_config",
            "The config has changed since it was verified.",
            "A receipt counts only for the very config that was tried.",
            again,
        )
    try:
        at = datetime.fromisoformat(receipt.at)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at > now + _FUTURE:
        return Fault(
            "receipt_damaged",
            "The receipt's time cannot be right.",
            "It is missing, or in the future.",
            again,
        )
    if now - at > MAX_AGE:
        return Fault(
            "receipt_old",
            f"The receipt is {(now - at).days} days old.",
            f"After {MAX_AGE.days} days a server may be another; a receipt is a record, no proof.",
            again,
        )
    return None


def standing(
    receipt: Receipt | None, fingerprint: str, now: datetime, fault: Fault | None = None
) -> Standing:
    """What ``receipt`` is worth; ``fault`` when one was there and could not be read."""
    if receipt is None:
        return Standing(
            "none",
            None,
            fault
            or Fault(
                "not_verified",
                "This config has not been verified.",
                "No receipt covers it.",
                "Run «turnkey verify», or press v on Home.",
            ),
        )
    why = refusal(receipt, fingerprint, now)
    return Standing("fresh", receipt) if why is None else Standing("stale", receipt, why)


def stamp(now: datetime) -> str:
    """``now`` as receipts write it: UTC, seconds, ``Z``."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _question(verdict: Verdict) -> tuple[str, str, str, str | None]:
    return verdict.probe, verdict.provider, verdict.model, verdict.lane
