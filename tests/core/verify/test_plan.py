"""A plan asks each thing once, says what it costs before, and leaves out what is decided."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.errors import UsageProblem
from core.export.facts import learned_models
from core.export.pi_models import UNPROVEN
from core.verify.board import lines
from core.verify.plan import Plan, make_plan, outgrown, shape_of, shaped
from core.verify.registry import compat_probes, optional_probes
from core.verify.trials.registry import TRIALS
from core.verify.verdict import Evidence, Verdict, Word
from core.warden.chains import LANES, Lane
from core.warden.config import ModelEntry, Provider, Variant, read_config
from core.warden.lanes import resolve

ONE: Final[dict[str, str]] = dict.fromkeys(LANES, "gw/m")
TWO: Final = ONE | {"synthesis": "gw/n"}


def plan(
    lanes: dict[str, str] = ONE,
    *,
    asked: tuple[Lane, ...] = LANES,
    only: tuple[str, ...] = (),
    variant: Variant = "providers",
    verifies: bool = True,
    skills: tuple[str, ...] = (),
) -> Plan:
    config = read_config(
        {
            "version": 1,
            "skills": [{"name": f"s{at}", "model": model} for at, model in enumerate(skills)],
            "defaults": {
                **{lane: {"model": selector} for lane, selector in lanes.items()},
                "providers": {
                    "gw": {
                        "baseUrl": "http://127.0.0.1:9/v1",
                        "models": [{"id": "m"}, {"id": "n"}],
                    }
                },
            },
        }
    )
    report = resolve(config, variant, env={})
    return make_plan(config, report, lanes=asked, only=only, verifies=verifies)


def names(found: Plan) -> list[tuple[str, str, str | None]]:
    return [(task.name, task.setting.model, task.lane) for task in found.tasks]


def test_a_model_behind_three_lanes_is_probed_once() -> None:
    found = names(plan())
    assert len(found) == len(set(found))
    assert sum(name == "canary" for name, _, _ in found) == 1
    assert [lane for name, _, lane in found if name == "agent_loop"] == ["agent", "auxiliary"]
    assert {name for name, _, lane in found if lane is None} >= {
        probe.name for probe in compat_probes()
    }


def test_two_models_are_probed_each() -> None:
    found = names(plan(TWO))
    for name in ("canary", "store", "concurrency"):
        assert sorted(model for one, model, _ in found if one == name) == ["m", "n"]


def test_what_is_expensive_or_unasked_for_runs_only_by_name() -> None:
    usual = {name for name, _, _ in names(plan())}
    assert not usual & optional_probes()
    assert not usual & {trial.name for trial in TRIALS if trial.optional}
    dear = plan(only=("context_window", *sorted(optional_probes())))
    assert {name for name, _, _ in names(dear)} == {"context_window", *optional_probes()}


def test_a_lane_alone_asks_its_own_trials() -> None:
    found = {name for name, _, _ in names(plan(asked=("synthesis",)))}
    assert "merge" in found
    assert "bare_json" not in found
    assert "agent_loop" not in found


def test_without_verification_the_auxiliary_lane_needs_no_tools() -> None:
    found = [lane for name, _, lane in names(plan(verifies=False)) if name == "agent_loop"]
    assert found == ["agent"]


def test_a_lane_that_resolves_to_nobody_is_named_and_not_tried() -> None:
    found = plan({"agent": "gw/m", "auxiliary": "elsewhere/x", "synthesis": "gw/m"})
    assert found.homeless == ("auxiliary",)
    assert not [task for task in found.tasks if task.setting.lane == "auxiliary"]


def test_a_skills_own_model_is_tried_as_the_agent_lane_would_ask_it() -> None:
    found = plan(skills=("gw/n", "gw/n", "gw/m", "elsewhere/x"))
    extra = [(name, lane) for name, model, lane in names(found) if model == "n"]
    assert ("agent_loop", "agent") in extra
    assert ("output_room", "agent") in extra
    assert {("canary", None), ("concurrency", None), ("store", None)} <= set(extra)
    assert {lane for _, lane in extra} == {"agent", None}
    assert ("stays_home", "agent") not in extra  # the config's escapes say that
    assert len(extra) == len(set(extra))
    assert (found.own, found.unserved) == (("gw/n",), ("elsewhere/x",))
    headings = [line.words for line in lines(found, ()) if line.kind == "heading"]
    assert "agent · gw/m" in headings
    assert "agent · gw/n, for skills that name it" in headings
    assert any("elsewhere/x" in words and "none of your providers" in words for words in headings)
    without = plan(asked=("synthesis",), skills=("gw/n",))
    assert "n" not in {model for _, model, _ in names(without)}


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageProblem) as caught:
        plan(only=("bare_jsn",))
    assert "bare_json" in caught.value.fault.why
    assert "store" in caught.value.fault.why


def test_what_is_decided_is_not_asked_again() -> None:
    whole = plan()
    decided = [
        Verdict(task.name, *task.model, task.lane, "pass", Evidence("x"))
        for task in whole.tasks[:5]
    ]
    left = whole.without(decided)
    assert left.tasks == whole.tasks[5:]
    assert left.estimate.requests < whole.estimate.requests


def test_stock_waits_for_its_probes_and_everything_for_what_is_alone() -> None:
    usual, stock = plan().estimate, plan(variant="stock").estimate
    assert stock.chain > usual.chain
    without = plan(only=tuple(name for name, _, _ in names(plan()) if name != "concurrency"))
    assert usual.chain > without.estimate.chain


def test_stock_trials_take_the_flags_that_were_found() -> None:
    found = Verdict(
        "store", "gw", "m", None, "pass", Evidence("x"), learned={"supportsStore": False}
    )
    wanted: dict[Variant, bool | None] = {"stock": False, "providers": None}
    for variant, expected in wanted.items():
        task = next(one for one in plan(variant=variant).tasks if one.name == "merge")
        assert shaped(task, [found]).setting.compat.supports_store is expected
        assert bool(shape_of(shaped(task, [found]).setting)) is (variant == "stock")


ASKED: Final = tuple(probe.name for probe in compat_probes())
PROVIDER: Final = Provider("gw", "http://127.0.0.1:9/v1", models=(ModelEntry("m"),))


@given(st.dictionaries(st.sampled_from(ASKED), st.sampled_from(["pass", "fail", "unsure"])))
def test_stock_trials_are_shaped_as_the_file_that_is_exported(words: dict[str, Word]) -> None:
    verdicts = [
        Verdict(name, "gw", "m", None, word, Evidence("x"), finding="accepted")
        for name, word in words.items()
    ]
    task = next(one for one in plan(variant="stock").tasks if one.name == "merge")
    learned = learned_models((PROVIDER,), verdicts).get("gw/m")
    exported = UNPROVEN if learned is None else learned.compat
    tried = shaped(task, verdicts).setting
    assert tried.compat.written() == exported.written()
    if learned is not None:
        assert (tried.pi.reasoning, tried.pi.thinking_level_map) == (
            learned.reasoning,
            learned.thinking_level_map,
        )


def test_a_trial_that_other_flags_shaped_is_outgrown() -> None:
    found = plan(variant="stock")
    task = next(one for one in found.tasks if one.name == "merge")
    tried = Verdict("merge", "gw", "m", "synthesis", "pass", Evidence("x"), passed=3, tried=3)
    tried = replace(tried, shape=shape_of(shaped(task, []).setting))
    assert outgrown(found, [tried]) == []
    needed = Verdict(
        "token-cap",
        "gw",
        "m",
        None,
        "pass",
        Evidence("x"),
        learned={"maxTokensField": "max_tokens"},
    )
    assert outgrown(found, [needed, tried]) == [tried]
    assert outgrown(plan(), [needed, replace(tried, shape="")]) == []
