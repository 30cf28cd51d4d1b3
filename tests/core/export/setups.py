"""Setups to export: one server with a key, one on this machine without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.export.setup import Setup
from core.verify.fingerprint import fingerprint, place_mark
from core.verify.known import receipts_of, required_trials, resolve_now
from core.verify.receipt import CoveredConfig, Receipt, Standing, stamp
from core.verify.verdict import Evidence, Verdict
from core.warden.config import Cost, ModelEntry, Provider

if TYPE_CHECKING:
    from datetime import datetime

    from core.warden.config import Variant
    from core.workspace import Workspace

CODER: Final = ModelEntry("qwen3-coder", reasoning=True, context_window=131_072, max_tokens=16_384)
SMALL: Final = ModelEntry(
    "org/small:4b", name="Small", input=("text", "image"), cost=Cost(1.0, 2.0, 0.0, 0.0)
)
GATEWAY: Final = Provider("litellm", "https://gw.acme.lan/v1", models=(CODER, SMALL))
LOCAL: Final = Provider("ollama", "http://127.0.0.1:11434/v1", models=(ModelEntry("qwen3:4b"),))


def receipt(*verdicts: Verdict, verified: bool = True) -> Receipt:
    """A receipt of some day."""
    return Receipt(
        "1.2.3",
        "2026-11-20T08:00:00Z",
        "providers",
        CoveredConfig("sha256:" + "0" * 64),
        verdicts=verdicts,
        verified=verified,
    )


VERIFIED: Final = Standing("fresh", receipt())
FAILED: Final = Standing(
    "fresh",
    receipt(
        Verdict("bare_json", "litellm", "small", "auxiliary", "fail", Evidence("x")), verified=False
    ),
)
NOTHING: Final = Standing("none")


def setup(*providers: Provider, selector: str = "", standing: Standing = VERIFIED) -> Setup:
    """All lanes on one model of the first provider."""
    chosen = providers or (GATEWAY,)
    selector = selector or f"{chosen[0].name}/{chosen[0].models[0].id}"
    return Setup(
        "providers",
        chosen,
        dict.fromkeys(("agent", "auxiliary", "synthesis"), selector),
        {},
        standing,
        keyless=frozenset({"ollama"}),
        dialects={"litellm": "litellm", "ollama": "ollama"},
    )


def provider_of(selector: str | None) -> str:
    """The part of a selector before its first slash."""
    return (selector or "").partition("/")[0]


def model_of(selector: str | None) -> str:
    """The part of a selector after its first slash."""
    return (selector or "").partition("/")[2]


def verify(
    workspace: Workspace, variant: Variant, now: datetime, *more: Verdict, borne: int = 4
) -> None:
    """Keep a receipt in which every trial that must pass has passed, of the lanes as they are."""
    store = receipts_of(workspace)
    assert store is not None
    resolved = resolve_now(workspace, variant)
    lanes = {lane: resolved.lanes[lane].selector for lane in required_trials(workspace)}
    trials = [
        Verdict(
            name,
            provider_of(lanes[lane]),
            model_of(lanes[lane]),
            lane,
            "pass",
            Evidence("x"),
            detail={"borne": borne} if name == "concurrency" else {},
        )
        for lane, names in required_trials(workspace).items()
        for name in names
    ]
    mark = fingerprint(workspace.config, workspace.base, variant)
    covered = CoveredConfig(mark, place=place_mark(workspace.document.path))
    store.keep(
        Receipt(
            "1.0",
            stamp(now),
            variant,
            covered,
            lanes=lanes,
            verdicts=(*trials, *more),  # of equal ones the last counts
            verified=True,
        )
    )
