"""All lane trials as data, and the one way to run them.

::

    for trial in trials_for("auxiliary"):
        cost = trial.cost(setting)
        verdict = await run_trial(trial, setting, line, tell)

Trials do not depend on each other: a planner runs as many at once as the line's courtesy bears,
but one that is ``alone`` only while nothing else asks its origin.
What can be resumed is the verdict: a trial that has one need not be run again. Stopping is
cancelling the task; open connections close with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.verify.trials import agent, crowd, home, identity, limits, structured
from core.verify.trials.setting import Cost, Setting, Step, Tell, Trial
from core.warden.chains import LANES, Lane

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.verify.exchange import Line
    from core.verify.verdict import Verdict

TRIALS: Final[tuple[Trial, ...]] = (
    Trial(
        home.NAME,
        "The lane stays with the chosen providers",
        LANES,
        "lane",
        home.cost,
        home.run,
    ),
    Trial(
        identity.SERVED,
        "The model that answers is the one that was asked for",
        LANES,
        "model",
        identity.cost,
        identity.run_served,
    ),
    Trial(
        identity.CANARY,
        "An id that cannot exist is refused",
        LANES,
        "model",
        identity.cost,
        identity.run_canary,
    ),
    Trial(
        agent.NAME,
        "The model finds a planted fact with read, grep, find and ls",
        ("agent", "auxiliary"),
        "lane",
        agent.cost,
        agent.run,
        repeated=True,
    ),
    Trial(
        structured.BARE_JSON,
        "Bare JSON for a schema in the instructions",
        ("auxiliary",),
        "lane",
        structured.cost_of(structured.BARE_JSON),
        structured.run_bare_json,
        repeated=True,
    ),
    Trial(
        structured.MERGE,
        "Findings with one cause merged, as a longer JSON",
        ("synthesis",),
        "lane",
        structured.cost_of(structured.MERGE),
        structured.run_merge,
        repeated=True,
    ),
    Trial(
        limits.OUTPUT_ROOM,
        "An answer is left after the thinking",
        LANES,
        "lane",
        limits.output_room_cost,
        limits.run_output_room,
    ),
    Trial(
        limits.TRUNCATION,
        "A long prompt is read from its head on",
        LANES,
        "model",
        limits.truncation_cost,
        limits.run_truncation,
    ),
    Trial(
        crowd.NAME,
        "As many requests at once as Warden sends are borne",
        LANES,
        "model",
        crowd.cost,
        crowd.run,
        alone=True,
    ),
    Trial(
        limits.WINDOW,
        "The declared context window holds for a prompt near it",
        LANES,
        "model",
        limits.window_cost,
        limits.run_window,
        optional=True,
    ),
    Trial(
        limits.OUTPUT_LIMIT,
        "The declared output limit holds for an answer near it",
        LANES,
        "model",
        limits.output_limit_cost,
        limits.run_output_limit,
        optional=True,
    ),
)
"""In the order in which they are told."""


def trials_for(
    lane: Lane, *, names: Iterable[str] | None = None, verifies: bool = True
) -> tuple[Trial, ...]:
    """The trials of a lane, without the optional ones unless ``names`` has them.

    ``names`` None: all that are not optional. ``verifies`` false: findings are not verified, so
    the auxiliary lane needs no tools.
    """
    wanted = None if names is None else frozenset(names)
    return tuple(
        trial
        for trial in TRIALS
        if lane in trial.lanes
        and (trial.name in wanted if wanted is not None else not trial.optional)
        and (verifies or lane != "auxiliary" or trial.name != agent.NAME)
    )


def trial_names() -> tuple[str, ...]:
    """What ``--only`` takes for trials."""
    return tuple(trial.name for trial in TRIALS)


def estimate(wanted: Iterable[tuple[Trial, Setting]]) -> Cost:
    """What these take together; those with the same key (:meth:`Trial.key`) count once."""
    total = Cost(0, 0, 0, 0)
    seen: set[tuple[object, ...]] = set()
    for trial, setting in wanted:
        key = tuple(repr(part) for part in trial.key(setting))
        if key not in seen:
            seen.add(key)
            total = total.plus(trial.cost(setting))
    return total


async def run_trial(
    trial: Trial, setting: Setting, line: Line, tell: Tell | None = None
) -> Verdict:
    """One trial of one lane, with all its repetitions at once as the line's courtesy allows.

    ``tell`` is called for every step, from the running loop. Never raises for what the endpoint
    does; cancelling it closes its connections.
    """
    return await trial.run(setting, line, tell if tell is not None else _silent)


def _silent(_step: Step) -> None:
    """Nobody listens."""
