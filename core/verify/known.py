"""What is known of a workspace's config: its receipt, and the trials that «verified» stands for.

Reads the state folder; asks no endpoint and no keyring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.errors import Fault
from core.verify.fingerprint import fingerprint, place_mark
from core.verify.receipt import LANES, Standing, standing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.verify.receipt import Receipt
    from core.verify.receipts import Receipts
    from core.warden.config import Config, Variant
    from core.warden.lanes import LaneReport
    from core.warden.problems import Problem
    from core.workspace import Workspace


def standing_of(workspace: Workspace, variant: Variant, now: datetime) -> Standing:
    """What is known of the workspace's config for ``variant`` now. Unsaved edits count."""
    mark = fingerprint(workspace.config, workspace.base, variant)
    receipts = receipts_of(workspace)
    if receipts is None:
        return standing(None, mark, now)
    found = receipts.of(mark, place_mark(workspace.document.path), now)
    if found.worth != "fresh" or found.receipt is None:
        return _of_another_variant(workspace, variant, found)
    return as_of_now(found.receipt, resolve_now(workspace, variant))


def _of_another_variant(workspace: Workspace, variant: Variant, found: Standing) -> Standing:
    """``found``, told as what it is where this very config was verified, and for another Warden."""
    known = found.receipt
    if known is None or known.variant == variant:
        return found
    if known.config.fingerprint != fingerprint(workspace.config, workspace.base, known.variant):
        return found
    return Standing(
        "stale",
        known,
        Fault(
            "receipt_other_config",
            f"It was verified for the variant {known.variant}, and not for {variant}.",
            "The two ask in different ways, so a receipt counts for one of them.",
            f"Run «turnkey verify --variant {variant}».",
        ),
    )


def resolve_now(workspace: Workspace, variant: Variant) -> LaneReport:
    """What the lanes of ``variant`` resolve to, in this environment."""
    from core.warden.lanes import resolve

    return resolve(
        workspace.config,
        variant,
        env=workspace.env,
        base=workspace.base,
        base_only=workspace.base_only,
    )


def as_of_now(receipt: Receipt, report: LaneReport) -> Standing:
    """A fresh receipt, held against what the lanes resolve to now. Pure.

    ``WARDEN_MODEL`` and other variables are no part of the config, and can send a lane elsewhere:
    what was verified then is not what would run.
    """
    lanes = {lane: report.lanes[lane].selector for lane in LANES}
    gone = {(one.code, one.lane) for one in report.escapes}
    own = {one.selector for one in report.overrides} <= {one.selector for one in receipt.overrides}
    if lanes == receipt.lanes and own and gone <= {(one.code, one.lane) for one in receipt.escapes}:
        return Standing("fresh", receipt)
    moved = next((lane for lane in LANES if lanes[lane] != receipt.lanes.get(lane)), "")
    what = (
        f"The {moved} lane goes to another model than when it was verified."
        if moved
        else "A skill's own model was not tried."
        if not own
        else "A lane leaves your servers now, and did not when it was verified."
    )
    return Standing(
        "stale",
        receipt,
        Fault(
            "receipt_other_config",
            what,
            "The environment has a say in it: WARDEN_MODEL, WARDEN_*_BASE_URL, keys of others.",
            "turnkey lanes shows why; then run «turnkey verify» again.",
        ),
    )


def note_of(workspace: Workspace, now: datetime) -> Problem | None:
    """A note that the config is not verified; None where it is, or has nothing to be tried."""
    from core.warden.problems import Problem

    if not workspace.providers:
        return None
    found = standing_of(workspace, workspace.variant, now)
    if found.verified:
        return None
    layer = workspace.base_document if workspace.base_only else workspace.document
    first = ("defaults", "providers", workspace.providers[0].name)
    line, column = (layer.position(first) if layer is not None else None) or (1, 1)
    what = "This config is verified in part, or something failed."
    fault = found.fault or Fault("not_verified", what, "", "«turnkey verify» says what.")
    return Problem(
        fault.code,
        "note",
        "defaults.providers",
        line,
        column,
        fault.what,
        "",
        fault.fix,
        layer="base" if workspace.base_only else "repo",
    )


def receipts_of(workspace: Workspace) -> Receipts | None:
    """The receipts of the state folder; None where there is none."""
    from core.verify.receipts import Receipts

    if workspace.state_folder is None:
        return None
    return Receipts(workspace.state_folder, required_trials(workspace))


TRIALS_OF: Final[dict[str, tuple[str, ...]]] = {
    "agent": (
        *("stays_home", "served_model", "canary", "agent_loop"),
        *("output_room", "truncation", "concurrency"),
    ),
    "auxiliary": (
        *("stays_home", "served_model", "canary", "agent_loop", "bare_json"),
        *("output_room", "truncation", "concurrency"),
    ),
    "synthesis": (
        *("stays_home", "served_model", "canary", "merge"),
        *("output_room", "truncation", "concurrency"),
    ),
}
"""By lane the trials that are not optional. Written down here, since Home asks for them at the
start and the trials themselves bring httpx along; a test holds both together."""


COMPAT_PROBES: Final[tuple[str, ...]] = (
    *("stream", "parts", "finish", "tools", "strict", "store", "usage", "developer"),
    *("token-cap", "tool-result-name", "null-content", "user-after-tool", "tool-history"),
    *("thinking-replay", "reasoning-content", "thinking", "reasoning-effort", "levels"),
    *("thinking-format", "image"),
)
"""The compatibility probes that are not optional; written down for the same reason."""


def required_trials(workspace: Workspace) -> Mapping[str, tuple[str, ...]]:
    """By lane what «verified» stands for: the trials to be passed, the probes to be asked.

    The probes are in it for both variants: ``stock`` exports rest on what they found, and where no
    flag can be written (``providers``) a flag that is needed is a failure that only they show.
    """
    tools = verifies(workspace.config, workspace.base)
    return {
        lane: (
            *(name for name in names if tools or lane != "auxiliary" or name != "agent_loop"),
            *COMPAT_PROBES,
        )
        for lane, names in TRIALS_OF.items()
    }


def verifies(config: Config, base: Config | None) -> bool:
    """Whether any skill's findings are verified, in either layer; a skill's own word counts.

    Where none is, the auxiliary lane needs no tools. Broad on purpose: a trial too many is better
    than a lane that nobody tried.
    """
    layers = [one for one in (config, base) if one is not None]
    said = [
        *(one.defaults.verification_enabled for one in layers),
        *(skill.verification_enabled for one in layers for skill in one.skills),
        *(
            trigger.verification_enabled
            for one in layers
            for skill in one.skills
            for trigger in skill.triggers
        ),
    ]
    return any(said) or False not in said
