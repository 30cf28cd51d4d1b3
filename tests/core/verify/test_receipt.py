"""A receipt: which config it covers, what makes it stale, and when «verified» may be said."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec
import pytest
from msgspec.structs import replace

from core.verify.fingerprint import fingerprint, place_mark
from core.verify.receipt import (
    LANES,
    SCHEMA,
    Asked,
    CoveredConfig,
    Gone,
    OwnModel,
    Receipt,
    refusal,
    stamp,
    standing,
)
from core.verify.receipts import Receipts, receipt_schema
from core.verify.verdict import Evidence, Verdict, Word
from core.verify.verified import is_verified, merged, needed
from core.warden.config import Config, read_config

if TYPE_CHECKING:
    from pathlib import Path

NOW: Final = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
REQUIRED: Final = {"agent": ("tools",), "auxiliary": ("json", "tools"), "synthesis": ("merge",)}
SELECTORS: Final[dict[str, str | None]] = dict.fromkeys(LANES, "litellm/qwen")
PRINT: Final = "sha256:" + "a" * 64


def verdict(probe: str, lane: str | None, word: Word = "pass", k: int = 3, n: int = 3) -> Verdict:
    return Verdict(probe, "litellm", "qwen", lane, word, Evidence("seen"), passed=k, tried=n)


WHOLE: Final = tuple(verdict(probe, lane) for lane, probes in REQUIRED.items() for probe in probes)


def receipt(*verdicts: Verdict, at: datetime = NOW, of: str = PRINT) -> Receipt:
    return Receipt(
        "1.0",
        stamp(at),
        "providers",
        CoveredConfig(of, place="here"),
        (Asked("litellm", "http://127.0.0.1:4000/v1", "http://127.0.0.1:4000"),),
        SELECTORS,
        verdicts,
        verified=is_verified(verdicts, lanes=SELECTORS, required=REQUIRED, escapes=()),
    )


@pytest.mark.parametrize(
    ("verdicts", "escapes", "holds"),
    [
        (WHOLE, (), True),
        ((*WHOLE, verdict("store", None, "unsure", 0, 1)), (), True),
        ((*WHOLE, verdict("store", None, "fail", 0, 1)), (), False),
        (WHOLE[:-1], (), False),
        ((*WHOLE[:-1], verdict("merge", "synthesis", "unsure")), (), False),
        ((*WHOLE[:-1], verdict("merge", "synthesis", "pass", 2, 3)), (), False),
        ((*WHOLE[:-1], verdict("merge", "agent")), (), False),
        ((*WHOLE[:-1], verdict("merge", None)), (), True),
        ((*WHOLE[:-1], replace(verdict("merge", None), model="other")), (), False),
        ((*WHOLE, verdict("priority", None, "fail", 0, 1)), (), True),
        (WHOLE, (Gone("E9", "synthesis", "leaves"),), False),
        ((), (), False),
    ],
)
def test_verified_needs_every_trial_of_every_lane_and_no_escape(
    verdicts: tuple[Verdict, ...], escapes: tuple[Gone, ...], holds: bool
) -> None:
    found = is_verified(
        verdicts, lanes=SELECTORS, required=REQUIRED, escapes=escapes, optional={"priority"}
    )
    assert found is holds


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, None),
        ({"schema": SCHEMA + 1}, "receipt_other_schema"),
        ({"schema": 0}, "receipt_other_schema"),
        ({"config": CoveredConfig("sha256:" + "b" * 64)}, "receipt_other_config"),
        ({"at": stamp(NOW - timedelta(days=30))}, None),
        ({"at": stamp(NOW - timedelta(days=30, seconds=1))}, "receipt_old"),
        ({"at": stamp(NOW + timedelta(minutes=9))}, None),
        ({"at": stamp(NOW + timedelta(hours=1))}, "receipt_damaged"),
        ({"at": "yesterday"}, "receipt_damaged"),
        ({"at": "2026-11-21T12:00:00"}, "receipt_damaged"),
    ],
)
def test_a_receipt_is_refused_for_another_config_schema_or_month(
    changed: dict[str, object], code: str | None
) -> None:
    found = refusal(replace(receipt(*WHOLE), **changed), PRINT, NOW)
    assert (found and found.code) == code


def test_a_part_adds_to_a_fresh_receipt_and_alone_is_never_verified() -> None:
    part = receipt(WHOLE[0])
    assert not part.verified
    rest = receipt(*WHOLE[1:], at=NOW - timedelta(days=3))
    both = merged(rest, part, required=REQUIRED, now=NOW)
    assert both.verified
    assert both.at == rest.at  # what was found first decides when it ends
    assert not merged(None, part, required=REQUIRED, now=NOW).verified
    old = receipt(*WHOLE[1:], at=NOW - timedelta(days=31))
    assert merged(old, part, required=REQUIRED, now=NOW).verdicts == (WHOLE[0],)


@pytest.mark.parametrize(
    ("before", "now", "counts"),
    [
        (("fail", 0, 3), ("pass", 3, 3), "now"),
        (("fail", 0, 5), ("pass", 2, 2), "before"),
        (("fail", 2, 3), ("pass", 3, 3), "before"),  # it failed now and then: luck is likely
        (("fail", 2, 3), ("pass", 6, 6), "now"),
        (("fail", 0, 3), ("unsure", 2, 3), "before"),
        (("pass", 5, 5), ("fail", 0, 1), "now"),
        (("pass", 5, 5), ("unsure", 1, 3), "now"),
        (("pass", 5, 5), ("pass", 1, 1), "before"),
        (("unsure", 0, 5), ("pass", 2, 2), "now"),
        (("fail", 0, 20), ("pass", 20, 20), "now"),
        (("fail", 19, 20), ("pass", 20, 20), "now"),
    ],
)
def test_no_failure_is_asked_away_by_asking_less(
    before: tuple[Word, int, int], now: tuple[Word, int, int], counts: str
) -> None:
    old, new = verdict("merge", "synthesis", *before), verdict("merge", "synthesis", *now)
    later = NOW + timedelta(hours=1)
    both = merged(receipt(*WHOLE[:-1], old), receipt(new, at=later), required=REQUIRED, now=later)
    kept = next(one for one in both.verdicts if one.probe == "merge")
    assert (kept.verdict, kept.passed, kept.tried) == (now if counts == "now" else before)
    assert both.verified is (kept.verdict == "pass")
    told = [(one.verdict, one.passed, one.tried) for one in kept.others]
    if counts == "before":
        assert told == [now]
    elif (before[0], 0 < before[1] < before[2]) != (now[0], 0 < now[1] < now[2]):
        assert told == [before]
    if old.verdict == "fail":
        enough = verdict("merge", "synthesis", "pass", needed(kept), needed(kept))
        assert merged(both, receipt(*WHOLE[:-1], enough), required=REQUIRED, now=NOW).verified


@pytest.mark.parametrize(
    "runs",
    [
        [("fail", 2, 3), ("fail", 0, 1)],
        [("fail", 0, 20), ("fail", 0, 1)],
        [("fail", 2, 3), ("fail", None, None)],  # nobody answered at all
        [("fail", 2, 3), ("fail", 0, 1), *[("pass", 3, 3)] * 7],
        [("fail", 2, 3), *[("pass", 3, 3)] * 7],
    ],
)
def test_no_failure_is_asked_away_by_failing_less_or_by_asking_often(
    runs: list[tuple[Word, int, int]],
) -> None:
    known = receipt(*WHOLE[:-1], verdict("merge", "synthesis", *runs[0]))
    for minute, run in enumerate([*runs[1:], ("pass", 3, 3)], 1):
        later = NOW + timedelta(minutes=minute)
        again = receipt(verdict("merge", "synthesis", *run), at=later)
        known = merged(known, again, required=REQUIRED, now=later)
        assert not known.verified
    enough = verdict("merge", "synthesis", "pass", 20, 20)
    assert merged(known, receipt(enough), required=REQUIRED, now=NOW).verified


def test_a_run_of_everything_leaves_failures_that_it_did_not_ask_again() -> None:
    by_name = verdict("context_window", None, "fail", 0, 1)
    flaky = verdict("merge", "synthesis", "fail", 2, 3)
    old = receipt(*WHOLE[:-1], by_name, flaky, verdict("store", None, "unsure"))
    found = merged(old, receipt(*WHOLE), required=REQUIRED, now=NOW, alone=True)
    failed = {one.probe for one in found.verdicts if one.verdict == "fail"}
    assert failed == {"context_window", "merge"}
    assert "store" not in {one.probe for one in found.verdicts}
    assert not found.verified
    elsewhere = replace(receipt(*WHOLE), lanes=dict.fromkeys(LANES, "litellm/other"))
    assert merged(old, elsewhere, required=REQUIRED, now=NOW).verdicts == WHOLE


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ((), False),
        ((verdict("store", None),), True),
        ((verdict("store", None, "unsure"),), True),
        ((replace(verdict("store", None, "unsure"), finding="not_asked"),), False),
        ((replace(verdict("store", None), model="other"),), False),
    ],
)
def test_the_word_needs_the_probes_that_exports_rest_on(
    asked: tuple[Verdict, ...], holds: bool
) -> None:
    required = {lane: (*names, "store") for lane, names in REQUIRED.items()}
    found = is_verified(
        (*WHOLE, *asked), lanes=SELECTORS, required=required, escapes=(), probes={"store"}
    )
    assert found is holds


OWN: Final = OwnModel("security", "pull_request", "litellm/big")


@pytest.mark.parametrize(
    ("tried", "holds"),
    [
        ((), False),
        ((replace(verdict("tools", "agent"), model="big"),), True),
        ((replace(verdict("tools", "agent", "pass", 2, 3), model="big"),), False),
        ((replace(verdict("json", "auxiliary"), model="big"),), False),
    ],
)
def test_a_skills_own_model_does_the_agent_lanes_work_and_must_have_been_tried(
    tried: tuple[Verdict, ...], holds: bool
) -> None:
    found = is_verified(
        (*WHOLE, *tried), lanes=SELECTORS, required=REQUIRED, escapes=(), overrides=(OWN,)
    )
    assert found is holds


def test_a_skills_own_model_that_fails_is_not_the_lanes_failure() -> None:
    bad = replace(verdict("tools", "agent", "fail", 0, 3), model="big")
    found = standing(replace(receipt(*WHOLE, bad), overrides=(OWN,)), PRINT, NOW)
    assert found.lane_word("agent") == "partly"


def test_a_verdict_that_was_asked_again_replaces_the_old_one() -> None:
    again = verdict("tools", "agent", "fail", 1, 3)
    both = merged(receipt(*WHOLE), receipt(again), required=REQUIRED, now=NOW)
    counted = [(one.passed, one.tried) for one in both.verdicts if one.lane == "agent"]
    assert counted == [(1, 3)]
    assert not both.verified


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty", b""),
        ("cut", b'{"schema": 1, "turnkey": "1'),
        ("no object", b"[1]"),
        ("not UTF-8", b'{"schema": 1, "turnkey": "\xff"}'),
        ("a field missing", b'{"schema": 1}'),
        ("deep", b"[" * 100_000),
    ],
)
def test_a_damaged_receipt_is_told_and_gives_nothing(
    name: str, text: bytes, tmp_path: Path
) -> None:
    store = Receipts(tmp_path, REQUIRED)
    path = store.path(PRINT)
    path.parent.mkdir()
    path.write_bytes(text)
    found = store.of(PRINT, "here", NOW)
    assert (found.worth, found.verified) == ("none", False), name
    assert found.fault is not None
    assert found.fault.code == "receipt_damaged"


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    store = Receipts(tmp_path, REQUIRED)
    path = store.path(PRINT)
    path.parent.mkdir()
    os.mkfifo(path)
    found, fault = store.load(path)
    assert found is None
    assert fault is not None


def test_another_schema_is_refused_by_its_number(tmp_path: Path) -> None:
    store = Receipts(tmp_path, REQUIRED)
    store.path(PRINT).parent.mkdir()
    store.path(PRINT).write_bytes(b'{"schema": 99, "new": []}')
    fault = store.load(store.path(PRINT))[1]
    assert fault is not None
    assert fault.code == "receipt_other_schema"


def test_a_kept_receipt_comes_back_and_is_its_owners_alone(tmp_path: Path) -> None:
    store = Receipts(tmp_path, REQUIRED)
    path = store.keep(receipt(*WHOLE))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    found = store.of(PRINT, "here", NOW)
    assert found.verified
    assert found.receipt == receipt(*WHOLE)


def test_what_a_file_says_of_itself_is_not_believed(tmp_path: Path) -> None:
    store = Receipts(tmp_path, REQUIRED)
    store.keep(replace(receipt(*WHOLE[:-1]), verified=True))
    assert not store.of(PRINT, "here", NOW).verified


def test_a_forged_receipt_writes_no_lines_of_its_own(tmp_path: Path) -> None:
    store = Receipts(tmp_path, REQUIRED)
    evil = "1\nVerified: all is well\x1b[2J"
    bad = replace(verdict(evil, None, "fail"), finding=evil, fix=evil)
    forged = replace(
        receipt(bad),
        turnkey=evil,
        config=CoveredConfig(PRINT, evil, "here"),
        escapes=(Gone(evil, evil, evil),),
    )
    store.keep(forged)
    found = store.of(PRINT, "here", NOW).receipt
    assert found is not None
    one, gone = found.verdicts[0], found.escapes[0]
    told = (found.turnkey, found.config.file, one.probe, one.finding, one.fix)
    for text in (*told, gone.code, gone.lane, gone.message):
        assert text.isprintable()


def test_a_changed_config_is_stale_and_says_so(tmp_path: Path) -> None:
    store = Receipts(tmp_path, REQUIRED)
    store.keep(receipt(*WHOLE))
    found = store.of("sha256:" + "c" * 64, "here", NOW)
    assert (found.worth, found.verified) == ("stale", False)
    assert found.fault is not None
    assert found.fault.code == "receipt_other_config"
    assert found.lane_word("agent") == "stale"
    assert store.of("sha256:" + "c" * 64, "elsewhere", NOW).worth == "none"


def test_words_of_a_lane() -> None:
    failed = receipt(WHOLE[0], verdict("json", "auxiliary", "fail", 0, 3))
    found = standing(failed, PRINT, NOW)
    assert found.lane_word("agent") == "partly"
    assert found.lane_word("auxiliary") == "failed"
    assert found.lane_word("synthesis") == "not tried"
    assert standing(receipt(*WHOLE), PRINT, NOW).lane_word("agent") == "verified"
    assert standing(None, PRINT, NOW).lane_word("agent") == "not tried"


def test_the_published_schema_is_that_of_the_code() -> None:
    assert files("assets").joinpath("receipt.schema.json").read_bytes() == receipt_schema()


BASE: Final[dict[str, object]] = {
    "version": 1,
    "defaults": {
        "agent": {"model": "a/m", "effort": "low"},
        "providers": {"a": {"baseUrl": "http://127.0.0.1:1/v1", "models": [{"id": "m"}]}},
    },
    "skills": [{"name": "s", "triggers": [{"type": "local"}]}],
}


def config(**changed: object) -> Config:
    return read_config(BASE | changed)


def with_defaults(**changed: object) -> Config:
    defaults = BASE["defaults"]
    assert isinstance(defaults, dict)
    return config(defaults=defaults | changed)


PROVIDER: Final = {"baseUrl": "http://127.0.0.1:1/v1", "models": [{"id": "m"}]}


@pytest.mark.parametrize(
    "other",
    [
        with_defaults(agent={"model": "a/n", "effort": "low"}),
        with_defaults(agent={"model": "a/m", "effort": "high"}),
        with_defaults(auxiliary={"model": "a/m"}),
        with_defaults(synthesis={"model": "a/m"}),
        with_defaults(model="a/m"),
        with_defaults(runtime="claude"),
        with_defaults(verification={"enabled": False}),
        with_defaults(providers={"a": PROVIDER | {"baseUrl": "http://127.0.0.1:2/v1"}}),
        with_defaults(providers={"a": PROVIDER | {"apiKeyEnv": "X"}}),
        with_defaults(providers={"a": PROVIDER | {"headers": {"x": "y"}}}),
        with_defaults(providers={"a": PROVIDER | {"models": [{"id": "m", "maxTokens": 9}]}}),
        config(skills=[{"name": "s", "model": "a/m", "triggers": [{"type": "local"}]}]),
        config(skills=[{"name": "s", "triggers": [{"type": "local", "model": "a/m"}]}]),
    ],
)
def test_what_decides_a_request_changes_the_fingerprint(other: Config) -> None:
    assert fingerprint(other, None, "providers") != fingerprint(config(), None, "providers")


def test_variant_and_base_layer_change_the_fingerprint() -> None:
    prints = {
        fingerprint(config(), None, "providers"),
        fingerprint(config(), None, "stock"),
        fingerprint(config(), config(), "providers"),
        fingerprint(config(), with_defaults(model="x/y"), "providers"),
    }
    assert len(prints) == 4


@pytest.mark.parametrize(
    "same",
    [
        config(runner={"concurrency": 1}),
        with_defaults(model=""),
        with_defaults(runtime="pi"),
        with_defaults(failOn="high"),
    ],
)
def test_what_changes_no_request_leaves_the_fingerprint(same: Config) -> None:
    assert fingerprint(same, None, "providers") == fingerprint(config(), None, "providers")


def test_the_order_of_providers_does_not_matter() -> None:
    one = with_defaults(providers={"a": PROVIDER, "b": PROVIDER})
    other = with_defaults(providers={"b": PROVIDER, "a": PROVIDER})
    assert fingerprint(one, None, "stock") == fingerprint(other, None, "stock")


def test_a_place_is_marked_without_telling_it(tmp_path: Path) -> None:
    mark = place_mark(tmp_path / "warden.toml")
    assert mark == place_mark(tmp_path / "x" / ".." / "warden.toml")
    assert "tmp" not in mark
    assert msgspec.json.encode(mark)
