"""The setup of a workspace: what its lanes resolve to, what its receipt says, what was learned.

Reads the receipts in the state folder; asks no endpoint and no keyring.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from core.errors import TurnkeyError
from core.export.facts import borne, learned_models
from core.export.setup import Setup, Target, read_setup
from core.verify.known import standing_of
from core.warden.lanes import resolve

if TYPE_CHECKING:
    from core.warden.config import Variant
    from core.workspace import Workspace

STOCK_TARGETS: Final[frozenset[Target]] = frozenset({"pi", "stock-env"})
"""What only stock Warden reads, so that its rules and its receipt count, whichever is in use."""


def gather(
    workspace: Workspace, target: Target | None = None, *, now: datetime | None = None
) -> Setup:
    """The setup as ``target`` takes it (None: as the workspace's own variant does).

    Unsaved edits are in it, as everywhere. What the probes found of a model holds for both
    variants, for their requests are the same; whether it is verified does not.
    """
    variant: Variant = "stock" if target in STOCK_TARGETS else workspace.variant
    now = now if now is not None else datetime.now(UTC)
    own = standing_of(workspace, variant, now)
    other: Variant = "providers" if variant == "stock" else "stock"
    known = [
        one.receipt.verdicts
        for one in (standing_of(workspace, other, now), own)
        if one.worth == "fresh" and one.receipt is not None
    ]
    verdicts = [verdict for found in known for verdict in found]  # of equal ones the last counts
    report = resolve(
        workspace.config,
        variant,
        env=workspace.env,
        base=workspace.base,
        base_only=workspace.base_only,
    )
    return read_setup(
        report,
        workspace.providers,
        own,
        learned=learned_models(workspace.providers, verdicts),
        keyless=keyless(workspace),
        concurrency=borne(own.receipt.verdicts) if own.receipt is not None else None,
    )


def keyless(workspace: Workspace) -> frozenset[str]:
    """The providers on this machine that have no key anywhere: the placeholder stands for one."""
    found = set()
    for provider in workspace.providers:
        try:
            source = workspace.key_source(provider)
        except TurnkeyError:
            continue  # its address cannot be meant; whoever exports it says so
        if source.source == "placeholder":
            found.add(provider.name)
    return frozenset(found)
