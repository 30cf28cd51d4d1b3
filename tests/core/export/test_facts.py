"""Verdicts turned into what an export writes of a model: needed, safe, or Pi's own choice."""

from __future__ import annotations

from typing import Final

import pytest

from core.export.facts import borne, learned_models
from core.verify.compat import detected
from core.verify.registry import compat_probes
from core.verify.verdict import Evidence, Verdict, Word
from core.warden.config import ModelEntry, Provider

GATEWAY: Final = Provider(
    "litellm",
    "https://gw.acme.lan/v1",
    models=(
        ModelEntry("thinker", reasoning=True, input=("text", "image"), max_tokens=16_384),
        ModelEntry("plain"),
    ),
)
OPTIONAL: Final = {one.name for one in compat_probes(optional=True) if one.optional}


def verdict(probe: str, model: str = "thinker", **more: object) -> Verdict:
    told: dict[str, object] = {"verdict": "pass", "finding": "accepted", **more}
    word = str(told.pop("verdict"))
    kind: Word = "fail" if word == "fail" else "unsure" if word == "unsure" else "pass"
    finding = str(told.pop("finding"))
    learned, detail = told.pop("learned", {}), told.pop("detail", {})
    assert isinstance(learned, dict)
    assert isinstance(detail, dict)
    return Verdict(
        probe, "litellm", model, None, kind, Evidence("x"), finding=finding, learned=learned,
        detail=detail,
    )  # fmt: skip


def all_pass() -> list[Verdict]:
    """Every probe that is not optional, taken as Pi sends it."""
    found = {
        "developer": "honoured", "reasoning-effort": "honoured", "thinking": "honoured",
        "image": "honoured",
    }  # fmt: skip
    return [verdict(one.name, finding=found.get(one.name, "accepted")) for one in compat_probes()]


def test_a_model_that_nobody_probed_is_not_learned_of() -> None:
    assert learned_models((GATEWAY,), ()) == {}
    trial = verdict("agent_loop")
    assert learned_models((GATEWAY,), (trial,)) == {}


def test_where_pis_own_choice_works_nothing_else_is_written() -> None:
    learned = learned_models((GATEWAY,), all_pass())
    assert set(learned) == {"litellm/thinker"}
    default = detected("litellm", GATEWAY.base_url, "thinker").written()
    for flag, value in learned["litellm/thinker"].compat.written().items():
        assert default[flag] == value, flag


def test_a_refused_field_is_the_only_difference() -> None:
    verdicts = [one for one in all_pass() if one.probe != "store"]
    verdicts.append(
        verdict("store", verdict="fail", finding="refused", learned={"supportsStore": False})
    )
    default = detected("litellm", GATEWAY.base_url, "thinker").written()
    written = learned_models((GATEWAY,), verdicts)["litellm/thinker"].compat.written()
    different = {flag: value for flag, value in written.items() if default[flag] != value}
    assert different == {"supportsStore": False}


@pytest.mark.parametrize(
    ("missing", "flag"),
    [
        ("store", "supportsStore"),
        ("developer", "supportsDeveloperRole"),
        ("reasoning-effort", "supportsReasoningEffort"),
    ],
)
def test_a_flag_whose_probe_was_not_asked_adds_nothing(missing: str, flag: str) -> None:
    verdicts = [one for one in all_pass() if one.probe != missing]
    written = learned_models((GATEWAY,), verdicts)["litellm/thinker"].compat.written()
    assert written[flag] is False


def test_what_optional_probes_ask_is_left_to_pi() -> None:
    assert "cache-retention" in OPTIONAL
    written = learned_models((GATEWAY,), all_pass())["litellm/thinker"].compat.written()
    assert "supportsLongCacheRetention" not in written


def test_limits_and_images_are_as_they_were_seen() -> None:
    verdicts = [
        *(one for one in all_pass() if one.probe != "image"),
        verdict("image", finding="refused"),
        verdict(
            "output_limit", verdict="fail", finding="limit_smaller",
            detail={"cap": 16_384, "completion_tokens": 4096},
        ),
    ]  # fmt: skip
    found = learned_models((GATEWAY,), verdicts)["litellm/thinker"]
    assert found.image is False
    assert found.max_tokens == 4096
    assert found.reasoning is True


@pytest.mark.parametrize(
    ("levels", "number"),
    [((4, 4), 4), ((4, 2), 2), ((None, 3), 3), ((), None), ((True,), None), ((0,), None)],
)
def test_as_many_at_once_as_every_endpoint_bore(
    levels: tuple[int | None, ...], number: int | None
) -> None:
    verdicts = [
        verdict("concurrency", f"m{at}", detail={} if level is None else {"borne": level})
        for at, level in enumerate(levels)
    ]
    assert borne(verdicts) == number
