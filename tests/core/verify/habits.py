"""Habits of models by name: rules that look at a request, for the tables of probe cases."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, pairwise
from random import Random
from typing import TYPE_CHECKING, Any, Final

from core.verify.pi_shape import PiModel
from tests.servers.fake_model import FakeModel, messages

if TYPE_CHECKING:
    from collections.abc import Callable

Body = dict[str, Any]
THINKER: Final = PiModel("m", reasoning=True)
SEER: Final = PiModel("m", image=True)


@dataclass(frozen=True, slots=True)
class Case:
    probe: str
    model: Callable[[], FakeModel]
    verdict: str
    finding: str
    learned: tuple[tuple[str, object], ...] = ()
    facts: PiModel | None = None
    variant: str = "providers"


def strict(body: Body) -> bool:
    """Whether a server that knows its fields would refuse this body."""
    return "turnkey_unknown" in body


def flaky(rule: Callable[[Body], bool]) -> Callable[[Body], bool]:
    """Refuses what the rule names, and from then on everything."""
    met: list[bool] = []

    def refuse(body: Body) -> bool:
        if rule(body):
            met.append(True)
        return bool(met)

    return refuse


def once(rule: Callable[[Body], bool], times: int = 1) -> Callable[[Body], bool]:
    """Refuses what the rule names the first time, or times, and then takes it."""
    met: list[bool] = []

    def refuse(body: Body) -> bool:
        if not rule(body) or len(met) == times:
            return False
        met.append(True)
        return True

    return refuse


def role(name: str) -> Callable[[Body], bool]:
    """Bodies with a message of this role."""
    return lambda body: any(one.get("role") == name for one in messages(body))


def wait_no_parts(body: Body) -> bool:
    """User content is a list."""
    return isinstance(messages(body)[-1]["content"], list)


def tool_results(body: Body) -> list[Body]:
    return [one for one in messages(body) if one.get("role") == "tool"]


def callers(body: Body) -> list[Body]:
    return [one for one in messages(body) if one.get("tool_calls")]


def nameless(body: Body) -> bool:
    return any("name" not in one for one in tool_results(body))


def null_content(body: Body) -> bool:
    return any(one["content"] is None for one in callers(body))


def user_after_tool(body: Body) -> bool:
    roles = [one.get("role") for one in messages(body)]
    return ("tool", "user") in pairwise(roles)


def odd_value(name: str) -> Callable[[Body], bool]:
    """The field has a value that it cannot have, here: any text or list."""
    return lambda body: isinstance(body.get(name), str | list)


def past(body: Body) -> list[Body]:
    return [one for one in messages(body) if one.get("role") == "assistant"]


def bare_past(body: Body) -> bool:
    return any("reasoning_content" not in one for one in past(body))


def history_without_tools(body: Body) -> bool:
    return bool(callers(body)) and "tools" not in body


def strict_tool(body: Body) -> bool:
    return any("strict" in one.get("function", {}) for one in body.get("tools", []))


def has_image(body: Body) -> bool:
    content = messages(body)[-1]["content"]
    return isinstance(content, list) and any("image_url" in part for part in content)


def system_last(body: Body) -> bool:
    roles = [one.get("role") for one in messages(body)]
    return "system" in roles[1:]


def tools_in_message(body: Body) -> bool:
    return any("tools" in one for one in messages(body))


def marked(body: Body) -> bool:
    content = messages(body)[0]["content"]
    return isinstance(content, list) and "cache_control" in content[0]


def sum_only(body: Body) -> bool:
    return "17 + 26" in str(messages(body)[-1]["content"])


def effort_means(body: Body) -> int:
    """Thinks as much as it is told; without a word a little."""
    return {"none": 0, "minimal": 1, "low": 2, "medium": 5, "high": 9}.get(
        body.get("reasoning_effort", "low"), 2
    )


def on_sums(body: Body) -> int:
    """Thinks where there is something to think about."""
    return 2 if sum_only(body) else 0


def medium(body: Body) -> bool:
    return body.get("reasoning_effort") == "medium"


def kwargs_switch(body: Body) -> int:
    return 2 if body.get("chat_template_kwargs", {}).get("enable_thinking", True) else 0


def always(_: Body) -> int:
    return 2


LEVELS: Final = {"none", "minimal", "low", "medium", "high"}


def bad_effort(body: Body) -> bool:
    return body.get("reasoning_effort", "low") not in LEVELS


def budget_text(body: Body) -> bool:
    return isinstance(body.get("thinking_budget"), str)


def in_turns(*kinds: str) -> Callable[[Body], str]:
    """A kind of call after the other, over and over."""
    left = cycle(kinds)
    return lambda _: next(left)


def sometimes(*amounts: int) -> Callable[[Body], int]:
    """Thinks or not as it likes, whatever it is told."""
    left = cycle(amounts)
    return lambda _: next(left)


def thinks_and_wants(body: Body) -> bool:
    """Past answers must hold reasoning_content, but only while thinking is on."""
    return "reasoning_effort" in body and bare_past(body)


def by_chance(seed: int, *amounts: int) -> Callable[[Body], int]:
    """Thinks as much as the dice say."""
    dice = Random(seed)
    return lambda _: dice.choice(amounts)


def gateway_none(body: Body) -> str:
    return "call" if body.get("tools") and body.get("tool_choice") == "auto" else ""
