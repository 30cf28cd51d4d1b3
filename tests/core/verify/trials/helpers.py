"""A subject for trials, and a line to a server of this process."""

from __future__ import annotations

import tomllib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from core.providers.base_url import read_base_url
from core.verify.courtesy import Courtesy
from core.verify.exchange import HttpLine
from core.verify.pi_shape import PiModel
from core.verify.trials.registry import TRIALS, run_trial, trials_for
from core.verify.trials.setting import Setting, Step
from core.warden.chains import LANES, Lane
from core.warden.config import Config, Variant, read_config
from core.warden.lanes import LaneReport, resolve
from core.wire.bounds import Bounds
from core.wire.client import open_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from core.keys.secret import Secret
    from core.verify.verdict import Verdict

BOUNDS: Final = Bounds(connect_s=5.0, first_byte_s=10.0, silence_s=10.0, total_s=30.0)


def config_of(text: str) -> Config:
    """A config out of TOML."""
    return read_config(tomllib.loads(text))


def all_on(model: str, url: str = "http://127.0.0.1:9/v1", extra: str = "") -> str:
    """A file whose three lanes are on one model of one provider."""
    lanes = "".join(
        f'[defaults.{lane}]\nmodel = "mine/{model}"\n' for lane in ("agent", "auxiliary")
    )
    return (
        f'version = 1\n{lanes}[defaults.synthesis]\nmodel = "mine/{model}"\n'
        f'[defaults.providers.mine]\nbaseUrl = "{url}"\n'
        f'[[defaults.providers.mine.models]]\nid = "{model}"\n{extra}'
    )


def report_of(config: Config, variant: Variant = "providers") -> LaneReport:
    return resolve(config, variant, env={})


def setting(
    model: str = "good-model",
    lane: Lane = "agent",
    variant: Variant = "providers",
    **fields: object,
) -> Setting:
    """One lane of a setup whose lanes are all on one model."""
    base = Setting(
        provider="mine",
        lane=lane,
        pi=PiModel(model, context_window=32_000, max_tokens=8_192),
        variant=variant,
        listed=(model,),
        runs=1,
        report=report_of(config_of(all_on(model)), variant),
    )
    return msgspec.structs.replace(base, **fields)


@asynccontextmanager
async def line_to(base_url: str, key: Secret | None = None) -> AsyncIterator[HttpLine]:
    """A line to a server that runs."""
    base = read_base_url(base_url)

    async def at_once(_seconds: float) -> None:
        """No wait that a server asks for is waited."""

    async with open_client(base, BOUNDS, key=key) as client:
        courtesy = Courtesy(sleep=at_once, clock=lambda: 0.0, patience_s=0.0)
        yield HttpLine(client, base, BOUNDS, key, courtesy=courtesy)


async def verdicts(
    base_url: str,
    model: Setting,
    *,
    key: Secret | None = None,
    lanes: Iterable[Lane] = LANES,
    names: Iterable[str] | None = None,
    steps: list[Step] | None = None,
) -> list[Verdict]:
    """Every trial of these lanes, each kind of request once."""
    found: list[Verdict] = []
    seen: set[str] = set()
    async with line_to(base_url, key) as line:
        for lane in lanes:
            of_lane = msgspec.structs.replace(model, lane=lane)
            for trial in trials_for(lane, names=names):
                unlike = repr(trial.key(of_lane))
                if unlike in seen:
                    continue
                seen.add(unlike)
                tell = steps.append if steps is not None else None
                found.append(await run_trial(trial, of_lane, line, tell))
    return found


def every_name() -> tuple[str, ...]:
    return tuple(trial.name for trial in TRIALS)
