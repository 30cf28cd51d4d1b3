"""What a lane trial is told, what it tells, and what it costs: plain values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.verify.compat import LEVELS, Compat, Level, Variant
from core.verify.pi_shape import Message, PiModel, shape
from core.warden.chains import LANES, Lane
from core.warden.config import split_selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.verify.exchange import Line
    from core.verify.verdict import Verdict
    from core.warden.config import Config
    from core.warden.lanes import LaneReport
    from core.wire.chat import Tool

RUNS: Final = 3
"""How often a trial is repeated unless told otherwise."""
CONCURRENCY: Final = 4
"""Warden's ``runner.concurrency`` where the file has none."""
DEFAULT_WINDOW: Final = 128_000
DEFAULT_MAX_TOKENS: Final[dict[Variant, int]] = {"providers": 8_192, "stock": 16_384}
"""What Warden (``providers``) and Pi's ``models.json`` (``stock``) take when nothing is written."""


class Setting(msgspec.Struct, frozen=True):
    """One lane of one setup: the model behind it, and how Warden would ask it."""

    provider: str
    lane: Lane
    pi: PiModel
    """The model, with the window and the output limit that the config declares."""
    variant: Variant = "providers"
    base_url: str = ""
    compat: Compat = Compat()
    """Looked at for ``stock`` only: ``providers`` cannot have any."""
    level: Level | None = None
    """Effort of the lane's structured work; None: Pi's own, medium."""
    loop_level: Level | None = None
    """Effort of the lane's work with tools: analysis, or verification on ``auxiliary``."""
    dialect: str = "generic"
    """Which kind of server answers; the cures are named for it."""
    listed: tuple[str, ...] | None = None
    """The ids that the endpoint lists; None where nobody knows."""
    concurrency: int = CONCURRENCY
    window_declared: bool = True
    """Whether the config itself says the window; a default is told as one."""
    max_tokens_declared: bool = True
    runs: int = RUNS
    report: LaneReport | None = None
    """What every lane resolves to; None where there is no config."""
    allowed: frozenset[str] = frozenset()
    """Escapes that are meant, as ``CODE:LANE``."""

    @property
    def model(self) -> str:
        """The model's id, as it goes to the endpoint."""
        return self.pi.id

    @property
    def ends_itself(self) -> bool:
        """Whether the lane's Pi takes a stream without a finish reason for a whole one."""
        return self.variant == "stock" and self.compat.supports_finish_reason is False

    def body(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        level: Level | None = None,
        max_tokens: int | None = None,
    ) -> dict[str, object]:
        """A request of this lane, as its Pi shapes it."""
        return shape(
            self.variant,
            self.pi,
            self.compat,
            messages,
            tools,
            level,
            provider=self.provider,
            base_url=self.base_url,
            max_tokens=max_tokens,
        )


class Cost(msgspec.Struct, frozen=True):
    """What a trial takes, before it is run."""

    requests: int
    """What to expect of a model that does well."""
    most_requests: int
    """What it can take at most."""
    tokens: int
    """Tokens in and out together; an upper estimate."""
    chain: int
    """Requests that must wait for one another, at the most: the rest can go out at once."""

    def plus(self, other: Cost) -> Cost:
        """Both; they do not wait for each other."""
        return Cost(
            self.requests + other.requests,
            self.most_requests + other.most_requests,
            self.tokens + other.tokens,
            max(self.chain, other.chain),
        )


class Step(msgspec.Struct, frozen=True):
    """One thing that a trial has just begun or ended."""

    trial: str
    model: str
    lane: str | None
    run: int
    """Which repetition, counted from 1."""
    runs: int
    turn: int
    """Which request of the repetition, counted from 1; 0: the repetition is over."""
    words: str
    """For a person: «turn 3: reads lib/queues/heron.py»."""
    passed: bool | None = None
    """How the repetition ended; None while it runs, or where that is not decided."""


Tell = Callable[[Step], None]


class Outcome(msgspec.Struct, frozen=True):
    """How one repetition ended."""

    passed: bool | None
    """None: not decided, as where the server asked to wait for too long."""
    finding: str
    """One machine word: ``ok written_as_text no_calls …``"""
    words: str
    """One sentence for a person."""
    fix: str = ""
    detail: dict[str, str | int | float | bool | None] = {}


Per = Literal["lane", "model", "config"]
"""What a verdict is true of: one lane; the model, whichever lane asks; the whole config."""


class Trial(msgspec.Struct, frozen=True):
    """One trial, as data for a planner."""

    name: str
    """What ``--only`` takes, and a verdict's ``probe``."""
    title: str
    """What it asks, in words for a person."""
    lanes: tuple[Lane, ...]
    per: Per
    cost: Callable[[Setting], Cost]
    run: Callable[[Setting, Line, Tell], Awaitable[Verdict]]
    repeated: bool = False
    """It is run ``setting.runs`` times, and told as k of n."""
    optional: bool = False
    """Run only when it is asked for by name: it is expensive."""
    alone: bool = False
    """It measures what the endpoint bears: nothing else may ask the origin in the meantime."""

    def key(self, setting: Setting) -> tuple[object, ...]:
        """Two settings with the same key make the same requests: one verdict is true of both."""
        if self.per == "config":
            return (self.name, setting.variant, setting.lane)
        asked = (self.name, setting.provider, setting.base_url, setting.pi, setting.variant)
        return (*asked, setting.lane) if self.per == "lane" else asked


def settings_for(
    config: Config,
    report: LaneReport,
    *,
    compat: dict[str, Compat] | None = None,
    dialects: dict[str, str] | None = None,
    listed: dict[str, tuple[str, ...]] | None = None,
    runs: int = RUNS,
    allowed: frozenset[str] = frozenset(),
    lanes: Sequence[Lane] = LANES,
) -> tuple[Setting, ...]:
    """The settings of the lanes that resolve to a provider of the file, in the order of the lanes.

    ``compat`` by selector, ``dialects`` and ``listed`` by provider name. A lane without a model,
    or with one of a provider that the file does not have, has no setting: nothing of it can be
    tried here, and it stands among the escapes or the problems.
    """
    found: list[Setting] = []
    for lane in lanes:
        resolution = report.lanes[lane]
        parts = split_selector(resolution.selector or "")
        provider = config.provider(parts[0]) if parts else None
        if parts is None or provider is None:
            continue
        entry = next((one for one in provider.models if one.id == parts[1]), None)
        variant = report.variant
        window = entry.context_window if entry else None
        most = entry.max_tokens if entry else None
        work = "verification" if lane == "auxiliary" else lane
        found.append(
            Setting(
                provider=provider.name,
                lane=lane,
                pi=PiModel(
                    parts[1],
                    reasoning=entry.reasoning if entry else False,
                    image="image" in entry.input if entry else False,
                    context_window=window or DEFAULT_WINDOW,
                    max_tokens=most or DEFAULT_MAX_TOKENS[variant],
                ),
                variant=variant,
                base_url=provider.base_url,
                compat=(compat or {}).get(resolution.selector or "", Compat()),
                level=_level(report, lane),
                loop_level=_level(report, work),
                dialect=(dialects or {}).get(provider.name, "generic"),
                listed=(listed or {}).get(provider.name),
                concurrency=config.concurrency or CONCURRENCY,
                window_declared=window is not None,
                max_tokens_declared=most is not None,
                runs=runs,
                report=report,
                allowed=allowed,
            )
        )
    return tuple(found)


def _level(report: LaneReport, work: str) -> Level | None:
    choice = report.efforts.get(work)
    effort = choice.effort if choice is not None else None
    return next((level for level in LEVELS if level == effort), None)
