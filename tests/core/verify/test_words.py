"""Verdicts told: by lane, worst first, with cause and cure; for CI as XML that any reader takes."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Fault
from core.verify.junit import junit
from core.verify.receipt import CoveredConfig, Gone, OwnModel, Receipt
from core.verify.verdict import Earlier, Evidence, Verdict, Word
from core.verify.words import (
    count_words,
    evidence_words,
    groups,
    groups_of,
    others_words,
    outcome_words,
    stopped_words,
    tokens_words,
    verdict_lines,
)

CONTROL: Final = "\x1b[2J\x00]]>&<\ud800"


def verdict(
    probe: str, word: Word, lane: str | None = None, text: str = "So it is.", fix: str = ""
) -> Verdict:
    return Verdict(probe, "gw", "m", lane, word, Evidence(text), fix)


def receipt(*verdicts: Verdict, **fields: object) -> Receipt:
    made = Receipt("1", "2026-11-21T08:00:00Z", "providers", CoveredConfig("sha256:0"))
    return msgspec.structs.replace(made, verdicts=verdicts, **fields)


def test_lanes_come_first_and_what_failed_before_what_passed() -> None:
    found = groups(
        [
            verdict("store", "pass"),
            verdict("merge", "pass", "synthesis"),
            verdict("agent_loop", "pass", "agent"),
            verdict("stays_home", "unsure", "agent"),
            verdict("output_room", "fail", "agent"),
        ]
    )
    assert [group.title.split(" ")[0] for group in found] == ["agent", "synthesis", "gw/m,"]
    assert [one.probe for one in found[0].verdicts] == ["output_room", "stays_home", "agent_loop"]


def test_a_pass_is_a_line_and_a_failure_has_its_cause_and_its_cure() -> None:
    assert len(verdict_lines(verdict("x", "pass"), "A question")) == 1
    told = verdict_lines(verdict("x", "fail", text="It was\nrefused.", fix="Allow it."), "Q")
    assert [line.strip() for line in told] == ["✗ Q", "It was refused.", "fix: Allow it."]


@pytest.mark.parametrize(
    ("passed", "tried", "words"),
    [(3, 3, "3 of 3"), (2, 3, "2 of 3, flaky"), (0, 3, "0 of 3"), (1, 1, ""), (None, None, "")],
)
def test_how_often_it_passed(passed: int | None, tried: int | None, words: str) -> None:
    word: Word = "pass" if passed == tried else "fail"
    one = Verdict("x", "gw", "m", None, word, Evidence("x"), passed=passed, tried=tried)
    assert count_words(one) == words


@pytest.mark.parametrize(
    ("count", "words"), [(840, "840"), (21_400, "21k"), (1_234_567, "1.2M"), (0, "0")]
)
def test_tokens_are_told_short(count: int, words: str) -> None:
    assert tokens_words(count) == words


def test_the_outcome_names_what_stands_in_the_way() -> None:
    bad = verdict("merge", "fail", "synthesis")
    gone = Gone("E1", "synthesis", "leaves")
    assert "Verified" in outcome_words(receipt(verified=True))
    assert "merge failed" in outcome_words(receipt(bad))
    assert "E1" in outcome_words(receipt(escapes=(gone,)))
    assert "goes on" in outcome_words(receipt(interrupted=True))
    assert "Undecided: store" in outcome_words(receipt(verdict("store", "unsure")))
    assert "everything was tried" in outcome_words(receipt(verdict("store", "pass")))
    once = msgspec.structs.replace(verdict("merge", "pass", "synthesis"), passed=1, tried=1)
    assert "--runs 2" in outcome_words(receipt(once))
    own = OwnModel("security", None, "gw/big")
    tried = verdict("agent_loop", "pass", "agent")
    assert "gw/big, which a skill names" in outcome_words(receipt(tried, overrides=(own,)))


def test_a_stop_says_what_the_next_run_will_do() -> None:
    assert "before anything" in stopped_words(None)
    assert "goes on with the rest" in stopped_words(receipt(interrupted=True))
    assert "as it was found before" in stopped_words(receipt())


def test_a_skills_own_model_is_told_with_the_skill() -> None:
    own = [OwnModel("security", None, "gw/m"), OwnModel("security", "local", "gw/m")]
    found = groups([verdict("agent_loop", "pass", "agent"), verdict("x", "pass", "synthesis")], own)
    assert [one.title for one in found] == ["agent · gw/m, named by security", "synthesis · gw/m"]
    lane = receipt(verdict("x", "pass", "agent"), overrides=tuple(own), lanes={"agent": "gw/m"})
    assert [one.title for one in groups_of(lane)] == ["agent · gw/m"]  # it is the lane's own


def test_other_runs_are_told_with_what_replaces_a_failure() -> None:
    at = "2026-11-21T08:00:00Z"
    flaky = Verdict("merge", "gw", "m", "synthesis", "fail", Evidence("x"), passed=2, tried=3)
    told = msgspec.structs.replace(flaky, others=(Earlier(at, "pass", 3, 3),))
    lines = " ".join(verdict_lines(told, "Q"))
    assert "pass 3 of 3 on 2026-11-21 08:00" in lines
    assert "--runs 6" in lines
    good = msgspec.structs.replace(told, verdict="pass", passed=6, tried=6)
    outweighed = msgspec.structs.replace(good, others=(Earlier(at, "fail", 2, 3),))
    assert "fail 2 of 3" in " ".join(verdict_lines(outweighed, "Q"))
    assert "--runs" not in others_words(outweighed)
    assert others_words(flaky) == ""


@pytest.mark.parametrize("whole", [False, True])
def test_what_ended_a_verification_is_an_error_for_ci(whole: bool) -> None:
    made = receipt(verdict("x", "pass", "agent")) if whole else None
    fault = Fault("key_missing", f"No key{CONTROL}.", "Why.", "Set it.")
    root = ET.fromstring(junit(made, fault, "2026-11-21T08:00:00Z"))
    suite = root.findall("testsuite")[0]
    assert (suite.get("errors"), suite.get("tests")) == ("1", "1")
    assert suite.get("timestamp") == "2026-11-21T08:00:00"
    error = suite.find("testcase/error")
    assert error is not None
    assert (error.get("type"), error.text) == ("key_missing", "Why.\nSet it.")
    assert len(root.findall("testsuite")) == 1 + whole


def test_evidence_is_shown_as_it_came_and_no_control_character_acts() -> None:
    shown = Verdict(
        "x", "gw", "m", None, "fail", Evidence("why", (('{"a":1}', f"data: {CONTROL}"),)), "fix it"
    )
    text = evidence_words(shown)
    assert '"a": 1' in text
    assert "\\x1b[2J" in text
    assert "\x1b" not in text


def test_ci_counts_failures_and_what_was_not_decided() -> None:
    root = ET.fromstring(
        junit(
            receipt(
                verdict("agent_loop", "fail", "agent", fix="Mend it."),
                verdict("stays_home", "pass", "agent"),
                verdict("store", "unsure"),
            )
        )
    )
    suites = {suite.get("name", ""): suite for suite in root}
    agent = next(suite for name, suite in suites.items() if name.startswith("agent"))
    assert (agent.get("tests"), agent.get("failures"), agent.get("skipped")) == ("2", "1", "0")
    failure = root.find(".//failure")
    assert failure is not None
    assert "Mend it." in (failure.text or "")
    assert len(root.findall(".//skipped")) == 1


@given(st.text())
def test_no_servers_text_breaks_the_xml(text: str) -> None:
    told = junit(receipt(verdict("x", "fail", "agent", text + CONTROL, text)))
    case = ET.fromstring(told).find(".//failure")
    assert case is not None
