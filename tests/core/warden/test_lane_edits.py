"""Where a lane's model is written, and what becomes of ``defaults.model``."""

from __future__ import annotations

import pytest

from core.errors import Refusal, UsageProblem
from core.warden.edits import LaneName, set_lane, unset_lane
from tests.core.warden.shapes import SAMPLES, document

LEGACY = SAMPLES["legacy model"]


@pytest.mark.parametrize(
    ("lane", "before", "after"),
    [
        ("agent", "version = 1\n", 'version = 1\n\n[defaults.agent]\nmodel = "x/y"\n'),
        (
            "agent",
            "[defaults.agent]\nmodel = 'a/b'   # ours\n",
            "[defaults.agent]\nmodel = 'x/y'   # ours\n",
        ),
        (
            "agent",
            "[defaults.agent]\n# turns\nmaxTurns = 3\n",
            '[defaults.agent]\nmodel = "x/y"\n# turns\nmaxTurns = 3\n',
        ),
        (
            "synthesis",
            "[defaults.agent]\nmodel = 'a/b'\n\n[defaults.auxiliary]\nmodel = 'a/b'\n\n[runner]\n",
            (
                "[defaults.agent]\nmodel = 'a/b'\n\n[defaults.auxiliary]\nmodel = 'a/b'\n\n"
                '[defaults.synthesis]\nmodel = "x/y"\n\n[runner]\n'
            ),
        ),
        (
            "agent",
            "[defaults]\nfailOn = 'off'\n\n# judge\n[defaults.auxiliary]\nmodel = 'a/b'\n",
            (
                "[defaults]\nfailOn = 'off'\n\n[defaults.agent]\nmodel = \"x/y\"\n\n"
                "# judge\n[defaults.auxiliary]\nmodel = 'a/b'\n"
            ),
        ),
        (
            "auxiliary",
            "[defaults]\nagent = { model = 'a/b' } # one\n",
            (
                "[defaults]\nagent = { model = 'a/b' } # one\n\n"
                '[defaults.auxiliary]\nmodel = "x/y"\n'
            ),
        ),
        (
            "agent",
            "[defaults]\nagent = { maxTurns = 3 } # one\n",
            '[defaults]\nagent = { maxTurns = 3, model = "x/y" } # one\n',
        ),
        (
            "auxiliary",
            "defaults = { agent = { model = 'a/b' } }\n",
            "defaults = { agent = { model = 'a/b' }, auxiliary = { model = \"x/y\" } }\n",
        ),
        (
            "auxiliary",
            "defaults.agent.model = 'a/b'\n\n[runner]\n",
            "defaults.agent.model = 'a/b'\ndefaults.auxiliary.model = \"x/y\"\n\n[runner]\n",
        ),
        (
            "synthesis",
            "[defaults]\n  agent.model = 'a/b'\n  agent.maxTurns = 3\n",
            (
                "[defaults]\n  agent.model = 'a/b'\n  agent.maxTurns = 3\n"
                '  synthesis.model = "x/y"\n'
            ),
        ),
        ("agent", "[[skills]]\n", '[defaults.agent]\nmodel = "x/y"\n\n[[skills]]\n'),
    ],
)
def test_a_lane_is_written_where_a_person_would(lane: LaneName, before: str, after: str) -> None:
    one = set_lane(document(before), lane, "x/y")
    assert one.text == after
    if one.layout.lines and not before.endswith("'   # ours\n"):
        assert set_lane(one, lane, "x/y") == one


def test_a_standing_default_model_is_not_shadowed() -> None:
    with pytest.raises(Refusal) as caught:
        set_lane(document(LEGACY), "agent", "x/y")
    fault = caught.value.fault
    assert fault.code == "default_model_stands"
    assert "line 4" in fault.what
    assert "--move-default" in fault.fix
    assert "--keep-default" in fault.fix


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (LEGACY, LEGACY.replace('model = "a/b"', 'agent.model = "x/y"')),
        ("defaults = { model = 'a/b' }\n", "defaults = { agent.model = 'x/y' }\n"),
        ("defaults.model = 'a/b' # all\n", "defaults.agent.model = 'x/y' # all\n"),
        (
            "[defaults]\nmodel = 'a/b'\nx = 1\n\n[defaults.agent]\nmaxTurns = 3\n",
            '[defaults]\nx = 1\n\n[defaults.agent]\nmodel = "x/y"\nmaxTurns = 3\n',
        ),
        (
            "[defaults]\nmodel = 'a/b'\n\n[defaults.auxiliary]\nmodel = 'a/c'\n",
            "[defaults.agent]\nmodel = \"x/y\"\n\n[defaults.auxiliary]\nmodel = 'a/c'\n",
        ),
    ],
)
def test_a_default_model_is_moved_when_asked(before: str, after: str) -> None:
    assert set_lane(document(before), "agent", "x/y", default_model="move").text == after


def test_a_default_model_is_kept_when_asked() -> None:
    kept = set_lane(document(LEGACY), "agent", "x/y", default_model="keep")
    assert kept.text == LEGACY + '\n[defaults.agent]\nmodel = "x/y"\n'


def test_other_lanes_do_not_mind_a_default_model() -> None:
    one = set_lane(document(LEGACY), "auxiliary", "x/y")
    assert one.text == LEGACY + '\n[defaults.auxiliary]\nmodel = "x/y"\n'


def test_an_empty_default_model_counts_as_unset() -> None:
    one = document('[defaults]\nmodel = ""\n')
    assert 'model = ""\n' in set_lane(one, "agent", "x/y").text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('a = 1\n\n[b]\n\n[defaults.agent]\nmodel = "x"\n', "a = 1\n\n[b]\n"),
        (
            'a = 1\n\n# why\n[defaults.agent]\nmodel = "x"\n\n[b]\n',
            "a = 1\n\n# why\n[defaults.agent]\n\n[b]\n",
        ),
        ('[b]\n[defaults.agent]\nmodel = "x"\n[c]\n', "[b]\n[defaults.agent]\n[c]\n"),
        ('[defaults.agent]\nmodel = "x"\nmaxTurns = 1\n', "[defaults.agent]\nmaxTurns = 1\n"),
        (
            '[defaults.agent]\n# effort = "low"\nmodel = "x"\n',
            '[defaults.agent]\n# effort = "low"\n',
        ),
        ('[defaults]\nagent = { model = "x" }\n', "[defaults]\n"),
        (
            'defaults = { agent = { model = "x", maxTurns = 1 } }\n',
            "defaults = { agent = { maxTurns = 1 } }\n",
        ),
        ("defaults.agent.model = 'x'\nz = 1\n", "z = 1\n"),
        ("[defaults.agent]\nmaxTurns = 1\n", "[defaults.agent]\nmaxTurns = 1\n"),
    ],
)
def test_an_unset_lane_leaves_nothing_empty_behind(before: str, after: str) -> None:
    assert unset_lane(document(before), "agent").text == after


@pytest.mark.parametrize(
    "before",
    [
        "[defaults.auxiliary]\n[defaults]\nfailOn = 'off'\n",
        "# why\n[defaults.auxiliary]\n",
        "[defaults.agent]\nmodel = 'a/b'\n[defaults.auxiliary]\n[logs]\n",
        "[defaults.agent]\nmodel = 'a/b'\n",
        "version = 1\n",
    ],
)
def test_a_lane_that_was_set_and_unset_leaves_the_file_as_it_was(before: str) -> None:
    one = set_lane(document(before), "auxiliary", "x/y")
    assert unset_lane(document(one.raw), "auxiliary").text == before


@pytest.mark.parametrize(("lane", "selector"), [("agent", " "), ("verifier", "x/y")])
def test_nonsense_is_refused(lane: str, selector: str) -> None:
    with pytest.raises(UsageProblem):
        set_lane(document("version = 1\n"), lane, selector)  # type: ignore[arg-type]
