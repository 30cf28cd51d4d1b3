"""Lanes stay home: nothing of a lane's work leaves for a provider that was not chosen.

Decided from the config and the environment alone (:mod:`core.warden.escapes`): no request is made,
least of all to the provider that a lane would escape to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.text import one_line
from core.verify.trials.setting import Cost, Step
from core.verify.verdict import Evidence, Verdict
from core.warden.config import split_selector

if TYPE_CHECKING:
    from core.verify.exchange import Line
    from core.verify.trials.setting import Setting, Tell
    from core.warden.chains import Lane
    from core.warden.lanes import LaneReport

NAME: Final = "stays_home"

WORKS: Final[dict[Lane, frozenset[str]]] = {
    "agent": frozenset({"agent"}),
    "auxiliary": frozenset({"auxiliary", "verification", "workflow", "build_repair"}),
    "synthesis": frozenset({"synthesis", "build"}),
}
"""Which kinds of work a lane's model is meant for."""


def cost(_setting: Setting) -> Cost:
    """Nothing is asked."""
    return Cost(0, 0, 0, 0)


async def run(setting: Setting, _line: Line, tell: Tell) -> Verdict:
    """The verdict, without a request."""
    verdict = stays_home(setting)
    passed = {"pass": True, "fail": False}.get(verdict.verdict)
    words = verdict.evidence.text
    tell(Step(NAME, setting.model, setting.lane, 1, 1, 0, words, passed=passed))
    return verdict


def stays_home(setting: Setting) -> Verdict:
    """Whether the lane, and the work that goes with it, stays with the chosen providers. Pure."""
    if setting.report is None:
        text = "There is no config to tell lanes by."
        who = (setting.provider, setting.model, setting.lane)
        return Verdict(NAME, *who, "unsure", Evidence(text), finding="no_config")
    return lane_home(setting.report, setting.lane, setting.allowed)


def lane_home(report: LaneReport, lane: Lane, allowed: frozenset[str] = frozenset()) -> Verdict:
    """The same for any lane of a report, one without a setting included: it may have left. Pure.

    ``allowed``: escapes that are meant, as ``CODE:LANE``.
    """
    chain = report.lanes[lane]
    provider, model = split_selector(chain.selector or "") or (chain.provider or "", "")
    found = [one for one in report.escapes if one.lane in WORKS[lane]]
    escapes = [one for one in found if f"{one.code}:{one.lane}" not in allowed]
    if escapes:
        text = " ".join(f"{one.code}: {one.message}" for one in escapes)
        fixes = " ".join(dict.fromkeys(one.fix for one in escapes if one.fix))
        return Verdict(NAME, provider, model, lane, "fail", Evidence(text), fixes, "escapes")
    noted = f" {len(found)} escapes are allowed by you." if found else ""
    where = chain.selector or "what Pi finds"
    text = f"{lane} goes to {one_line(where, 120)}, by {chain.won_by}.{noted}"
    return Verdict(NAME, provider, model, lane, "pass", Evidence(text), finding="ok")
