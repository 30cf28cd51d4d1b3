"""The receipt: the record of a verification, and what it is still worth.

It is a record and no proof: whoever can write the state folder can write one. It says what was
asked of what, when, and with which verdicts, for one config, for thirty days.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import msgspec

from core.errors import Fault
from core.verify.verdict import Verdict  # noqa: TC001 - msgspec reads the types at run time
from core.warden.config import Variant  # noqa: TC001

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


class OwnModel(msgspec.Struct, frozen=True):
    """A skill or a trigger with a model of its own, in place of the agent lane's."""

    skill: str
    trigger: str | None
    selector: str


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
    overrides: tuple[OwnModel, ...] = ()
    """Skills and triggers with models of their own, at that time: each is tried as the agent
    lane's work."""
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
        mine = [one for one in self.receipt.verdicts if self._of(lane, one)]
        words = [one.verdict for one in mine]
        if not any(one.lane == lane for one in mine):
            return "not tried"
        if self.worth == "stale":
            return "stale"
        if "fail" in words:
            return "failed"
        return "verified" if self.receipt.verified else "partly"

    def _of(self, lane: str, verdict: Verdict) -> bool:
        """Whether a verdict says something of the lane's own model."""
        if self.receipt is None or verdict.lane not in {None, lane}:
            return False
        selector = f"{verdict.provider}/{verdict.model}"
        if selector == self.receipt.lanes.get(lane):
            return True
        # a lane that nobody of the file serves has a verdict, too; a skill's own model has not
        own = {one.selector for one in self.receipt.overrides}
        return verdict.lane == lane and selector not in own


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
