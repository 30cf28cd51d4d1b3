"""From verdicts to what an export writes: nothing that was not needed, seen, or left undecided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from core.providers.base_url import read_base_url
from core.verify.bench import Bench
from core.verify.compat import Compat, effective
from core.verify.exchange import HttpLine
from core.verify.learned import (
    ALWAYS_WRITTEN,
    cautious,
    learned_compat,
    learned_model,
    written_compat,
)
from core.verify.pi_shape import PiModel, System, User, shape
from core.verify.probe import run_probe
from core.verify.registry import compat_probes
from core.verify.verdict import Evidence, Flag, Subject, Verdict
from core.wire.bounds import Bounds
from core.wire.client import open_client
from tests.core.verify.habits import bad_effort, effort_means, kwargs_switch, nameless, role
from tests.servers.fake_model import FakeModel, fake_server, has

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.verify.verdict import Word

BOUNDS: Final = Bounds(connect_s=5, first_byte_s=5, silence_s=5)
PLAIN: Final = Subject("p", "m", variant="stock")
THINKER: Final = Subject("p", "m", variant="stock", facts=PiModel("m", reasoning=True))


def found(
    probe: str,
    word: Word = "pass",
    finding: str = "",
    learned: dict[str, Flag] | None = None,
    **detail: str | bool | None,
) -> Verdict:
    return Verdict(
        probe,
        "p",
        "m",
        None,
        word,
        Evidence("."),
        finding=finding,
        learned=learned or {},
        detail={**detail},
    )


async def all_verdicts(model: FakeModel, subject: Subject) -> list[Verdict]:
    async with fake_server(model) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, BOUNDS, key=None) as client:
            line = HttpLine(client, base, BOUNDS)
            bench = Bench(line, subject)
            return [await run_probe(one, subject, line, bench=bench) for one in compat_probes()]


GOOD: Final = "a good model needs no flag"
CASES: Final[tuple[tuple[str, Callable[[], FakeModel], Subject, Compat], ...]] = (
    (GOOD, FakeModel, PLAIN, Compat()),
    (
        "a good thinker needs none either",
        lambda: FakeModel(thinks=effort_means, refuses={"one of": bad_effort}),
        THINKER,
        Compat(),
    ),
    (
        "store is refused",
        lambda: FakeModel(refuses={"store": has("store")}),
        PLAIN,
        Compat(supports_store=False),
    ),
    (
        "two refusals, two flags",
        lambda: FakeModel(
            refuses={"role": role("developer"), "name": nameless}, thinks=effort_means
        ),
        THINKER,
        Compat(supports_developer_role=False, requires_tool_result_name=True),
    ),
    (
        "a role that Pi never sends needs no flag",
        lambda: FakeModel(refuses={"role": role("developer")}),
        PLAIN,
        Compat(),
    ),
    (
        "another switch for thinking, and an effort that is not taken",
        lambda: FakeModel(thinks=kwargs_switch, refuses={"no": has("reasoning_effort")}),
        THINKER,
        Compat(supports_reasoning_effort=False, thinking_format="qwen-chat-template"),
    ),
    (
        "the other name of the limit",
        lambda: FakeModel(caps=("max_tokens",)),
        PLAIN,
        Compat(max_tokens_field="max_tokens"),
    ),
)


@pytest.mark.parametrize(
    ("model", "subject", "expected"), [one[1:] for one in CASES], ids=[one[0] for one in CASES]
)
async def test_the_flags_are_those_that_the_model_needs(
    model: Callable[[], FakeModel], subject: Subject, expected: Compat
) -> None:
    verdicts = await all_verdicts(model(), subject)
    learned = learned_compat(verdicts, subject)
    assert learned.written() == expected.written()
    assert not [one.probe for one in verdicts if one.verdict == "fail"]


@pytest.mark.parametrize(
    ("model", "subject"), [one[1:3] for one in CASES], ids=[one[0] for one in CASES]
)
async def test_with_the_flags_a_request_of_pi_is_taken(
    model: Callable[[], FakeModel], subject: Subject
) -> None:
    verdicts = await all_verdicts(model(), subject)
    learned, facts = learned_compat(verdicts, subject), learned_model(verdicts, subject)
    body = shape("stock", facts, learned, [System("Be brief."), User("Say PONG")])
    async with fake_server(model()) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, BOUNDS, key=None) as client:
            answered = await HttpLine(client, base, BOUNDS).send(body)
    assert answered.ok, answered.fault
    assert answered.answer == "PONG"


@pytest.mark.parametrize(
    ("probe", "flag"),
    [
        ("store", "supports_store"),
        ("developer", "supports_developer_role"),
        ("reasoning-effort", "supports_reasoning_effort"),
        ("cache-retention", "supports_long_cache_retention"),
    ],
)
def test_what_is_not_decided_gets_the_value_that_adds_nothing(probe: str, flag: str) -> None:
    learned = learned_compat([found(probe, "unsure", "unclear")], THINKER)
    assert getattr(learned, flag) is False
    assert len(learned.written()) == 1


def test_a_known_name_changes_what_must_be_written() -> None:
    refused = found("store", "fail", "refused", {"supportsStore": False})
    assert learned_compat([refused], PLAIN) == Compat(supports_store=False)
    known = msgspec.structs.replace(PLAIN, provider="deepseek")
    other = msgspec.structs.replace(refused, provider="deepseek")
    assert learned_compat([other], known) == Compat()


def test_another_models_verdicts_say_nothing() -> None:
    other = msgspec.structs.replace(
        found("store", "fail", "refused", {"supportsStore": False}), model="other"
    )
    assert learned_compat([other], PLAIN) == Compat()


def test_a_record_that_was_changed_by_hand_teaches_nothing() -> None:
    wrong = found("store", "fail", "refused", {"supportsStore": "no"})
    assert learned_compat([wrong], PLAIN) == Compat()


def test_the_flags_that_are_always_written_stand_at_pis_value_or_the_learned_one() -> None:
    refused = found("store", "fail", "refused", {"supportsStore": False})
    written = written_compat([refused], PLAIN)
    assert set(ALWAYS_WRITTEN) == {
        name for name in Compat.__struct_fields__ if getattr(written, name) is not None
    }
    assert (written.supports_store, written.supports_usage_in_streaming) == (False, True)


def test_of_an_unknown_model_nothing_is_assumed() -> None:
    flags = effective(cautious(), "p", "http://127.0.0.1:1/v1")
    body = shape("stock", PiModel("m", reasoning=True), cautious(), [System("s"), User("u")])
    assert flags.supports_developer_role is False
    assert set(body) == {"model", "messages", "stream", "stream_options", "max_completion_tokens"}


@pytest.mark.parametrize(
    ("verdicts", "reasoning", "levels"),
    [
        ([], True, {}),
        ([found("thinking-format", "unsure", "no_thinking")], False, {}),
        (
            [
                found(
                    "thinking-format",
                    "pass",
                    "honoured",
                    format="openai",
                    off=True,
                    off_word="none",
                )
            ],
            True,
            {"off": "none"},
        ),
        (
            [found("thinking-format", "pass", "half", format="zai", off=False)],
            True,
            {"off": None},
        ),
        (
            [found("levels", "pass", "some", minimal="refused", low="accepted")],
            True,
            {"minimal": None},
        ),
        (
            [
                found(
                    "levels",
                    "fail",
                    "refused",
                    minimal="refused",
                    low="refused",
                    medium="refused",
                    high="refused",
                )
            ],
            True,
            {},
        ),
    ],
)
def test_levels_and_reasoning_are_those_that_were_seen(
    verdicts: list[Verdict], reasoning: bool, levels: dict[str, str | None]
) -> None:
    model = learned_model(verdicts, THINKER)
    assert (model.reasoning, model.thinking_level_map) == (reasoning, levels)


@pytest.mark.parametrize(("finding", "image"), [("honoured", True), ("dropped", False)])
def test_images_are_taken_where_they_were_seen(finding: str, image: bool) -> None:
    assert learned_model([found("image", "pass", finding)], PLAIN).image is image
