"""Old spellings are brought up to date when somebody asks, and nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from core.warden.upgrades import all_upgraded, untouched, upgrade_for, upgraded, upgrades
from core.warden.values import value_at
from tests.core.warden.shapes import document, files

# what, before, after (only what means the very same)
PLAIN: list[tuple[str, str, str]] = [
    ("a missing version", '# ours\n[[skills]]\nname = "a"\n',
     'version = 1\n\n# ours\n[[skills]]\nname = "a"\n'),
    ("a version in quotes", 'version = "1" # one\n', "version = 1 # one\n"),
    ("reasoningEffort", 'version = 1\n[defaults.agent]\nreasoningEffort = "high" # why\n',
     'version = 1\n[defaults.agent]\neffort = "high" # why\n'),
    ("reasoningEffort beside effort",
     'version = 1\n[defaults.agent]\nreasoningEffort = "low"\neffort = "high"\n',
     'version = 1\n[defaults.agent]\neffort = "high"\n'),
    ("reasoningEffort in an inline table",
     'version = 1\ndefaults.agent = { reasoningEffort = "high", model = "a/b" }\n',
     'version = 1\ndefaults.agent = { effort = "high", model = "a/b" }\n'),
    ("defaults.model in its own line", 'version = 1\n[defaults]\nmodel = "a/b" # all\nfailOn = "off"\n',
     'version = 1\n[defaults]\nagent.model = "a/b" # all\nfailOn = "off"\n'),
    ("defaults.model beside a lane",
     'version = 1\n[defaults]\nmodel = "a/b" # all\nfailOn = "off"\n\n[defaults.agent]\nmaxTurns = 3\n',
     'version = 1\n[defaults]\nfailOn = "off"\n\n[defaults.agent]\nmodel = "a/b" # all\nmaxTurns = 3\n'),
    ("defaults.model that is shadowed",
     'version = 1\n[defaults]\nmodel = "old/x"\nfailOn = "off"\n[defaults.agent]\nmodel = "a/b"\n',
     'version = 1\n[defaults]\nfailOn = "off"\n[defaults.agent]\nmodel = "a/b"\n'),
    ("maxTurns in its own line", "version = 1\n[defaults]\nmaxTurns = 9 # short\n",
     "version = 1\n[defaults]\nagent.maxTurns = 9 # short\n"),
    ("maxTurns beside a lane",
     'version = 1\n[defaults]\nmaxTurns = 9 # short\n\n[defaults.agent]\nmodel = "a/b"\n',
     'version = 1\n[defaults]\n\n[defaults.agent]\nmodel = "a/b"\nmaxTurns = 9 # short\n'),
    ("auxiliaryMaxRetries", "version = 1\ndefaults.auxiliaryMaxRetries = 2\n",
     "version = 1\ndefaults.auxiliary.maxRetries = 2\n"),
    ("critical and info",
     'version = 1\n[defaults]\nfailOn = "critical"\n[[skills]]\nname = "a"\nreportOn = \'info\'\n',
     'version = 1\n[defaults]\nfailOn = "high"\n[[skills]]\nname = "a"\nreportOn = \'low\'\n'),
    ("leftovers stay", 'version = 1\n[mcp.x]\na = 1\n[[skills]]\nname = "a"\nscope = "b"\n',
     'version = 1\n[mcp.x]\na = 1\n[[skills]]\nname = "a"\nscope = "b"\n'),
    ("the format of January", '[[triggers]]\nname = "a"\n', '[[triggers]]\nname = "a"\n'),
    ("a bare model has two ways out", 'version = 1\n[defaults.agent]\nmodel = "claude-x"\n',
     'version = 1\n[defaults.agent]\nmodel = "claude-x"\n'),
    ("nothing at all", "", ""),
]  # fmt: skip
# ruff: noqa: E501, ISC004 - a file before, a file after
LEFTOVERS: list[tuple[str, str, str]] = [
    ("skills.scope and tools",
     'version = 1\n[[skills]]\nname = "a"\nscope = "b"\ntools = ["x"]\n# last\n',
     'version = 1\n[[skills]]\nname = "a"\n# last\n'),
    ("a schedule's pull requests",
     'version = 1\n[[skills]]\nname = "a"\n[[skills.triggers]]\ntype = "schedule"\n'
     '[skills.triggers.schedule]\ncreateFixPR = true\nfixBranchPrefix = "x"\nissueTitle = "t"\n',
     'version = 1\n[[skills]]\nname = "a"\n[[skills.triggers]]\ntype = "schedule"\n'
     '[skills.triggers.schedule]\nissueTitle = "t"\n'),
    ("whole tables", 'version = 1\n\n# tools\n[mcp.one]\na = 1\n\n[mcp.two]\nb = 2\n\n'
     '[defaults.filters]\npaths = []\n\n[runner]\nconcurrency = 1\n',
     "version = 1\n\n[runner]\nconcurrency = 1\n"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [pytest.param(*row[1:], id=row[0]) for row in PLAIN])
def test_old_spellings_are_upgraded_together(before: str, after: str) -> None:
    result, done = all_upgraded(document(before))
    assert result.text == after
    assert bool(done) == (before != after)
    assert all_upgraded(result)[0] == result


@pytest.mark.parametrize(
    ("before", "after"), [pytest.param(*row[1:], id=row[0]) for row in LEFTOVERS]
)
def test_leftovers_leave_when_they_are_named(before: str, after: str) -> None:
    assert all_upgraded(document(before))[0].text == before
    assert all_upgraded(document(before), leftovers=True)[0].text == after


def test_a_bare_model_is_a_selector_or_asks_for_the_other_runtime() -> None:
    one = document('version = 1\n[defaults.agent]\nmodel = "claude-x"\n')
    selector, runtime = upgrade_for(one, ("defaults", "agent", "model"))
    assert upgraded(one, selector).config().defaults.agent_model == "anthropic/claude-x"
    assert upgraded(one, runtime).config().defaults.runtime == "claude"
    assert upgrades(upgraded(one, runtime)) == ()


@settings(max_examples=80, deadline=None)
@given(files())
def test_any_file_keeps_its_meaning(raw: bytes) -> None:
    one = document(raw)
    result, done = all_upgraded(one)
    old, new = one.config().defaults, result.config().defaults
    assert (new.agent_model or new.model) == (old.agent_model or old.model)
    if not done:
        assert result.raw == raw
    if one.text.strip():
        assert value_at(result.data(), ("version",)) == 1


def test_the_auxiliary_lanes_old_effort_is_renamed_only_by_a_person() -> None:
    one = document("version = 1\n[defaults.auxiliary]\nreasoningEffort = 'low' # why\n")
    (offer,) = upgrades(one)
    assert not offer.plain
    assert all_upgraded(one, leftovers=True) == (one, [])
    assert upgraded(one, offer).text == one.text.replace("reasoningEffort", "effort")


def test_a_key_is_not_carried_from_an_old_spelling_to_a_new_one() -> None:
    key = "sk-" + "a1B2" * 6
    one = document(f'version = 1\n[defaults]\nmodel = "{key}"\nmaxTurns = 3\n')
    assert [offer.path for offer in upgrades(one)] == [("defaults", "maxTurns")]
    assert untouched(one) == {("defaults", "model")}
