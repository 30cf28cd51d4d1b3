"""When «verified» may be said, and which of two answers to one question counts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core.verify.receipt import LANES, refusal
from core.verify.verdict import Earlier, question_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from core.verify.receipt import Gone, OwnModel, Receipt
    from core.verify.verdict import Verdict

REPEATED: Final = frozenset({"agent_loop", "bare_json", "merge"})
"""Trials that count for «verified» when they were tried twice at the least."""
MOST_RUNS: Final = 20
"""As often as a trial can be repeated in one run."""
STAYS_HOME: Final = "stays_home"
_MOST_OTHERS: Final = 5


def is_verified(
    verdicts: Sequence[Verdict],
    *,
    lanes: Mapping[str, str | None],
    required: Mapping[str, Collection[str]],
    escapes: Collection[Gone],
    probes: Collection[str] = (),
    optional: Collection[str] = (),
    overrides: Collection[OwnModel] = (),
) -> bool:
    """Whether a config may be called verified.

    ``lanes``: lane to selector. ``required``: lane to what it must have been asked. Of these each
    trial was passed n of n, the lane's own or its model's; each of ``probes`` (compatibility, on
    which the exports rest) was asked, and may be unsure. The model of a skill or trigger
    (``overrides``) does the agent lane's work, and has passed its trials. Nothing failed; no lane
    escapes. ``optional`` probes are about features that nobody switched on: their failing says
    nothing of this config.
    """
    failed = any(one.verdict == "fail" and one.probe not in optional for one in verdicts)
    if escapes or failed:
        return False
    whole = {
        (one.probe, one.lane, f"{one.provider}/{one.model}")
        for one in verdicts
        if one.verdict == "pass" and _wholly(one)
    }
    asked = {
        (one.probe, f"{one.provider}/{one.model}")
        for one in verdicts
        if one.probe in probes and one.finding != "not_asked"
    }
    wanted = [(lane, lanes.get(lane), name) for lane in LANES for name in required[lane]]
    wanted += [
        ("agent", one.selector, name)
        for one in overrides
        for name in required["agent"]
        if name != STAYS_HOME  # the escapes say whether it leaves
    ]
    return all(
        (name, selector) in asked
        if name in probes
        else not whole.isdisjoint({(name, lane, selector), (name, None, selector)})
        for lane, selector, name in wanted
    )


def _wholly(verdict: Verdict) -> bool:
    """Every run passed, and of what is repeated there was more than one."""
    if verdict.tried is None:
        return True
    return verdict.passed == verdict.tried >= (2 if verdict.probe in REPEATED else 1)


def needed(verdict: Verdict) -> int:
    """How many runs, all of them passed, outweigh ``verdict``; at most :data:`MOST_RUNS`.

    As many as it had; of one that failed sometimes twice as many, for as many pass by luck. Where
    other failures are told beside a failure, it is the one that takes most: asking once more, and
    less, makes none of them smaller.
    """
    most = _runs_against(verdict)
    if verdict.verdict == "fail":
        told = (_runs_against(one) for one in verdict.others if one.verdict == "fail")
        most = max(most, *told, 0)
    return min(MOST_RUNS, most)


def _runs_against(one: Verdict | Earlier) -> int:
    tried = one.tried or 1
    flaky = one.passed is not None and 0 < one.passed < tried
    return 2 * tried if flaky else tried


def outweighs(new: Verdict, old: Verdict) -> bool:
    """Whether ``new`` takes the place of ``old``, which answered the same question before.

    A failure always does. A failure gives way to a pass of enough runs (:func:`needed`), and to
    nothing that is unsure. What passed gives way to a pass of as many runs.
    """
    if new.verdict == "fail" or old.verdict == "unsure":
        return True
    if new.verdict == "unsure":
        return old.verdict != "fail"
    return (new.tried or 1) >= needed(old)


def merged(
    old: Receipt | None,
    new: Receipt,
    *,
    required: Mapping[str, Collection[str]],
    now: datetime,
    probes: Collection[str] = (),
    optional: Collection[str] = (),
    alone: bool = False,
) -> Receipt:
    """``new`` with what a fresh ``old`` knows beside it, by the rules of :func:`outweighs`.

    So ``--lane`` and ``--only`` add to what is known; alone they never make a config verified.
    Beside an ``alone`` run, which asked everything, only failures stay: those that it did not
    outweigh, and those of what is asked by name only. What ``old`` says of models that are behind
    no lane any more (the environment has a say in that) goes. The time is the oldest one that
    still counts, so that what was found first decides when it ends.
    """
    before: dict[tuple[str, str, str, str | None], Verdict] = {}
    if old is not None and refusal(old, new.config.fingerprint, now) is None:
        models = {*new.lanes.values(), *(one.selector for one in new.overrides)}
        before = {
            question_of(one): one for one in old.verdicts if f"{one.provider}/{one.model}" in models
        }
    mine = {question_of(one) for one in new.verdicts}
    found: list[Verdict] = []
    at = new.at
    for question, one in before.items():
        if question not in mine and old is not None and (one.verdict == "fail" or not alone):
            found.append(one)
            at = min(at, old.at)
    for one in new.verdicts:
        known = before.get(question_of(one))
        stays = known is not None and not outweighs(one, known)
        if known is None or old is None or (stays and alone and known.verdict == "pass"):
            found.append(one)
        elif stays:
            found.append(_beside(known, one, new.at))
            at = min(at, old.at)
        else:
            found.append(_after(one, known, old.at))
    endpoints = {one.provider: one for one in (*(old.endpoints if before and old else ()),)}
    if alone:
        endpoints = {}
    endpoints |= {one.provider: one for one in new.endpoints}
    verdicts = tuple(found)
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
            probes=probes,
            optional=optional,
            overrides=new.overrides,
        ),
    )


def _beside(stays: Verdict, later: Verdict, at: str) -> Verdict:
    """``stays``, with a later run told that did not outweigh it."""
    told = Earlier(at, later.verdict, later.passed, later.tried)
    others = stays.others if told in stays.others else (*stays.others, told)
    return msgspec.structs.replace(stays, others=_told(others))


def _after(comes: Verdict, before: Verdict, at: str) -> Verdict:
    """``comes``, with the run told that it takes the place of, where that one said otherwise."""
    same = (before.verdict, before.flaky) == (comes.verdict, comes.flaky)
    lighter = _runs_against(comes) < _runs_against(before) and comes.verdict == "fail"
    told = (
        () if same and not lighter else (Earlier(at, before.verdict, before.passed, before.tried),)
    )
    others = (*before.others, *told)
    return msgspec.structs.replace(comes, others=_told(others))


def _told(others: tuple[Earlier, ...]) -> tuple[Earlier, ...]:
    """The latest of them, and always the failure that takes most to be outweighed."""
    latest = others[-_MOST_OTHERS:]
    failures = [one for one in others if one.verdict == "fail"]
    if not failures or (hardest := max(failures, key=_runs_against)) in latest:
        return latest
    return (hardest, *latest[1:])


def is_shut_out(verdicts: Collection[Verdict]) -> bool:
    """Whether nothing that takes a request was decided, and the key is why. Pure.

    A gateway's list of models may be open to all where its chat is not: then each request is
    refused, and none says anything of a model.
    """
    told = [one for one in verdicts if one.probe != STAYS_HOME]
    return any(one.finding in {"key_refused", "key_missing"} for one in told) and all(
        one.verdict == "unsure" for one in told
    )
