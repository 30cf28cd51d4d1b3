"""Lanes stay home: nothing of a lane's work leaves for a provider that was not chosen.

Decided from the config and the environment alone (:mod:`core.warden.escapes`): no request is made,
least of all to the provider that a lane would escape to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.verify.trials.setting import Cost, Step
from core.verify.verdict import Evidence, Verdict

if TYPE_CHECKING:
    from core.verify.exchange import Line
    from core.verify.trials.setting import Setting, Tell
    from core.warden.chains import Lane

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

    def verdict(word: str, text: str, finding: str, fix: str = "") -> Verdict:
        return Verdict(
            NAME,
            setting.provider,
            setting.model,
            setting.lane,
            "pass" if word == "pass" else "fail" if word == "fail" else "unsure",
            Evidence(text),
            fix,
            finding,
        )

    if setting.report is None:
        return verdict("unsure", "There is no config to tell lanes by.", "no_config")
    works = WORKS[setting.lane]
    found = [one for one in setting.report.escapes if one.lane in works]
    escapes = [one for one in found if f"{one.code}:{one.lane}" not in setting.allowed]
    if escapes:
        text = " ".join(f"{one.code}: {one.message}" for one in escapes)
        fixes = list(dict.fromkeys(one.fix for one in escapes if one.fix))
        return verdict("fail", text, "escapes", " ".join(fixes))
    chain = setting.report.lanes[setting.lane]
    allowed = f" {len(found)} escapes are allowed by you." if found else ""
    return verdict(
        "pass", f"{setting.lane} goes to {chain.selector}, by {chain.won_by}.{allowed}", "ok"
    )
