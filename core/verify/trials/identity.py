"""Who answers: the model that was asked for, and none that cannot exist."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import msgspec

from core.live.remarks import fits
from core.text import one_line
from core.verify.pi_shape import System, User
from core.verify.trials import fixes
from core.verify.trials.setting import Cost, Outcome
from core.verify.trials.telling import of_the_moment, repeated

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.verify.exchange import Answered, Line
    from core.verify.trials.setting import Setting, Tell
    from core.verify.trials.telling import Ledger
    from core.verify.verdict import Verdict

SERVED: Final = "served_model"
CANARY: Final = "canary"


def cost(_setting: Setting) -> Cost:
    """One short request."""
    return Cost(1, 1, 400, 1)


def _body(setting: Setting) -> dict[str, object]:
    nonce = secrets.token_hex(4)
    messages = (
        System(f"You are part of a check. Its number is {nonce}."),
        User("Reply with exactly one word: PONG"),
    )
    return setting.body(messages, (), setting.loop_level)


async def run_served(setting: Setting, line: Line, tell: Tell) -> Verdict:
    """Whether the reply is by the model that was asked for."""

    async def one(_number: int, ledger: Ledger, told: Callable[[int, str], None]) -> Outcome:
        told(1, "asks for one word")
        return served(setting, await ledger.send(_body(setting)))

    return await repeated(SERVED, False, setting, line, tell, one, 1)


def served(setting: Setting, answered: Answered) -> Outcome:
    """What the reply says of who made it. Pure."""
    passing = of_the_moment(answered)
    if passing is not None:
        return passing
    if answered.fault is not None and not answered.served_model:
        words = f"There was no answer to tell by: {fixes.said(answered.fault)}"
        return Outcome(False, "refused", words, fixes.refused(setting, answered.fault))
    asked, named = setting.model, answered.served_model
    fallbacks = answered.headers.get("x-litellm-attempted-fallbacks", "0")
    group = answered.headers.get("x-litellm-model-group", "")
    detail: dict[str, str | int | float | bool | None] = {"served": named}
    if fallbacks.isascii() and fallbacks.isdigit() and fallbacks.strip("0"):
        words = "The proxy fell back on another model, and its reply does not say so."
        fix = "Bring the model behind the proxy back, or switch its fallback off."
        return Outcome(False, "fallback", words, fix, detail)
    if group and group != asked:
        words = f"The proxy answered with its group «{one_line(group, 80)}»."
        return Outcome(False, "other_model", words, _WRITE_IT, {"served": group})
    if named is None:
        words = "The reply does not say which model made it."
        return Outcome(None, "not_said", words, "", detail)
    if fits(asked, named):
        return Outcome(True, "ok", f"«{one_line(named, 80)}» answered, as asked.", "", detail)
    words = f"«{one_line(named, 80)}» answered instead of «{one_line(asked, 80)}»."
    return Outcome(False, "other_model", words, _WRITE_IT, detail)


async def run_canary(setting: Setting, line: Line, tell: Tell) -> Verdict:
    """Whether an id that cannot exist is refused."""

    async def one(_number: int, ledger: Ledger, told: Callable[[int, str], None]) -> Outcome:
        name = f"turnkey-canary-{secrets.token_hex(6)}"
        told(1, f"asks for {name}")
        # the real model's shape, under a name that nobody has
        odd = msgspec.structs.replace(setting, pi=msgspec.structs.replace(setting.pi, id=name))
        answered = await ledger.send(_body(odd), again=lambda _: False)
        return canary(setting, name, answered)

    return await repeated(CANARY, False, setting, line, tell, one, 1)


def canary(setting: Setting, name: str, answered: Answered) -> Outcome:
    """What a reply to an id that cannot exist means. Pure."""
    fault = answered.fault
    # a refusal for another reason would look alike, so it must be about the name
    form = fault is not None and fault.code in _ITS_OWN and (answered.status or 0) < 300
    about = name in answered.came and not form
    if fault is not None and (fault.code == "model_unknown" or about):
        return Outcome(True, "refused", f"An id that cannot exist is refused ({answered.status}).")
    passing = of_the_moment(answered)
    if passing is not None:
        return passing
    if fault is not None:
        words = f"The request for an id that cannot exist failed otherwise: {fixes.said(fault)}"
        return Outcome(None, fault.code, words, fault.fix)
    named = answered.served_model
    detail: dict[str, str | int | float | bool | None] = {
        "served": named,
        "listed": None if setting.listed is None else len(setting.listed),
    }
    listed = setting.listed
    known = {setting.model, name, *(listed or ())}
    told = f"«{one_line(named, 80)}» answered" if named else "An answer came"
    if listed is not None and len(listed) > 1:
        words = (
            f"{told} to an id that cannot exist, and the endpoint lists {len(listed)} models: the "
            "id does not decide who answers, so no answer proves which model works."
        )
        return Outcome(False, "accepted", words, _CHECK_IDS, detail)
    if named is not None and not any(fits(one, named) for one in known):
        words = f"{told} to an id that cannot exist, and it is not the model that was asked for."
        return Outcome(False, "accepted", words, _WRITE_IT, detail)
    if listed is None:
        words = f"{told} to an id that cannot exist; how many models there are is not known."
        fix = "turnkey models shows what the endpoint lists."
        return Outcome(None, "accepted", words, fix, detail)
    words = "This endpoint serves one model whatever you ask."
    return Outcome(True, "one_model", words, "", detail)


_ITS_OWN: Final = frozenset({"bad_shape", "stream_broken"})
"""Faults of an answer's form: such an answer may bear the name that it was asked under."""
_WRITE_IT: Final = "Write the id that the server lists, and check what the proxy maps it to."
_CHECK_IDS: Final = (
    "Have the server refuse ids that it does not know (LM Studio: load one model only; a proxy: "
    "remove the catch-all), or give every model an endpoint of its own."
)
