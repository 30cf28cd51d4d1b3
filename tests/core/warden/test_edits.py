"""What an edit writes, and where: told by the text before and after."""

from __future__ import annotations

import time
import tomllib
from typing import TYPE_CHECKING

import msgspec
import pytest
import tomlkit

from core.errors import ConfigProblem, Refusal, UsageProblem
from core.warden.config import Cost, ModelEntry, Provider
from core.warden.document import empty
from core.warden.edits import (
    LANES,
    add_provider,
    dangling,
    remove_provider,
    rename_key,
    rename_provider,
    replace_provider,
    set_key,
    set_lane,
    set_models,
    unset_key,
    uses,
)
from tests.core.warden.shapes import GATEWAY, NAME, PLAIN, SAMPLES, document

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = """\
[defaults.providers.plain]
baseUrl = "http://localhost:11434/v1"

[[defaults.providers.plain.models]]
id = "m"
"""
INLINE = '{ baseUrl = "http://localhost:11434/v1", models = [{ id = "m" }] }'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"version = 1\n\n{BLOCK}"),
        ("version = 1\n", f"version = 1\n\n{BLOCK}"),
        ("version = 1", f"version = 1\n\n{BLOCK}"[:-1]),
        (
            "[defaults]\na = 1\n[runner]\nconcurrency = 1\n",
            f"[defaults]\na = 1\n\n{BLOCK}[runner]\nconcurrency = 1\n",
        ),
        (
            "[defaults.agent]\n\n[runner]\n\n[defaults.scan]\nx = 1\n\n[[skills]]\nname = 'x'\n",
            (
                "[defaults.agent]\n\n[runner]\n\n[defaults.scan]\nx = 1\n\n"
                f"{BLOCK}\n[[skills]]\nname = 'x'\n"
            ),
        ),
        (
            "version = 1\n\n# Reviews\n[[skills]]\nname = 'x'\n",
            f"version = 1\n\n{BLOCK}\n# Reviews\n[[skills]]\nname = 'x'\n",
        ),
        ("[[skills]]\nname = 'x'\n", f"{BLOCK}\n[[skills]]\nname = 'x'\n"),
        ("[runner]\nconcurrency = 1\n", f"[runner]\nconcurrency = 1\n\n{BLOCK}"),
        (
            "[defaults]\na = 1\n\n# b = 2\n\n# Title\n\n[[skills]]\nname = 'x'\n",
            f"[defaults]\na = 1\n\n# b = 2\n\n{BLOCK}\n# Title\n\n[[skills]]\nname = 'x'\n",
        ),
        ("[defaults]\nproviders = {}\n", f"[defaults]\nproviders = {{ plain = {INLINE} }}\n"),
        ("defaults = { a = 1 }\n", f"defaults = {{ a = 1, providers.plain = {INLINE} }}\n"),
        (
            "[defaults]\nproviders.x.baseUrl = 'u'\n",
            f"[defaults]\nproviders.x.baseUrl = 'u'\n\n{BLOCK}",
        ),
    ],
)
def test_where_a_provider_goes(before: str, after: str) -> None:
    assert add_provider(document(before), PLAIN).text == after
    windows = before.replace("\n", "\r\n")
    if before.strip() and "\n" in before:
        assert add_provider(document(windows), PLAIN).text == after.replace("\n", "\r\n")


def test_everything_a_provider_can_say_is_written_and_only_what_is_given() -> None:
    text = add_provider(empty(NAME), GATEWAY).text
    assert (
        text
        == """\
version = 1

[defaults.providers.gateway]
baseUrl = "http://127.0.0.1:4000/v1"
api = "openai-completions"
apiKeyEnv = "TEAM_KEY"
headers = { X-Team = "tools", "X Odd" = "a \\"quoted\\" \\\\ value" }

[[defaults.providers.gateway.models]]
id = "qwen/qwen3:32b"
name = "Qwen"
reasoning = true
input = ["text", "image"]
contextWindow = 32768
maxTokens = 16384
cost = { input = 0.1, output = 2, cacheRead = 0, cacheWrite = 0.25 }

[[defaults.providers.gateway.models]]
id = "small"
"""
    )


@pytest.mark.parametrize(
    "name", ["with space", "ünïcode", 'quo"te', "back\\slash", "dot.ted", "\t"]
)
def test_any_name_can_be_written(name: str) -> None:
    one = document(SAMPLES["lanes as tables"])
    added = add_provider(one, msgspec.structs.replace(GATEWAY, name=name))
    assert added.config().provider(name) is not None
    assert remove_provider(added, name).raw == one.raw


def test_a_taken_name_is_refused_with_its_line() -> None:
    one = document(SAMPLES["provider tables"])
    taken = msgspec.structs.replace(PLAIN, name="old")
    with pytest.raises(Refusal) as caught:
        add_provider(one, taken)
    assert caught.value.fault.code == "provider_exists"
    assert "line 7" in caught.value.fault.what
    with pytest.raises(Refusal, match="line 7"):
        rename_provider(add_provider(one, PLAIN), "plain", "old")


def test_an_unknown_name_is_said_with_those_that_are_there() -> None:
    one = document(SAMPLES["provider tables"])
    with pytest.raises(UsageProblem) as caught:
        remove_provider(one, "nobody")
    assert "old" in caught.value.fault.why


def test_removing_takes_the_comments_that_belong_to_it() -> None:
    one = document(SAMPLES["provider tables"])
    assert (
        remove_provider(one, "old").text
        == """\
version = 1

[defaults.agent]
model = "old/m"

[[skills]]
name = "x"
model = 'old/n'
[[skills.triggers]]
type = "local"
model = "old/m"
[[skills.triggers]]
type = "schedule"
model = "older/m"
"""
    )


def test_what_would_dangle_is_listed_with_its_line() -> None:
    one = document(SAMPLES["provider tables"])
    assert dangling(one, "old") == (
        "defaults.agent.model (line 4)",
        "skills[0].model (line 25)",
        "skills[0].triggers[0].model (line 28)",
    )
    assert [use.selector for use in uses(one, "old")] == ["old/m", "old/n", "old/m"]
    assert dangling(one, "o") == ()


def test_renaming_carries_selectors_and_touches_nothing_else() -> None:
    one = document(SAMPLES["provider tables"])
    expected = one.text.replace("providers.old", "providers.home")
    kept = rename_provider(one, "old", "home", keep_selectors=True)
    assert kept.text == expected
    expected = expected.replace('"old/', '"home/').replace("'old/", "'home/")
    assert rename_provider(one, "old", "home").text == expected
    quoted = rename_provider(one, "old", "my home").text
    assert '[defaults.providers."my home"]' in quoted
    assert "model = 'my home/n'" in quoted


def test_a_quote_in_a_new_name_changes_the_quotes() -> None:
    one = rename_provider(document(SAMPLES["provider tables"]), "old", "it's")
    assert 'model = "it\'s/n"' in one.text


@pytest.mark.parametrize(
    ("models", "change"),
    [
        ((ModelEntry("m"), ModelEntry("n", cost=Cost(1, 2))), ("", "")),
        (
            (ModelEntry("m", context_window=10), ModelEntry("n", cost=Cost(1, 2))),
            ('id = "m"\n', 'id = "m"\ncontextWindow = 10\n'),
        ),
        ((ModelEntry("m"), ModelEntry("n", cost=Cost(1, 3))), ("output = 2", "output = 3")),
        (
            (ModelEntry("n", cost=Cost(1, 2)),),
            ('# big\n[[defaults.providers.old.models]]\nid = "m"\n\n', ""),
        ),
        (
            (ModelEntry("m"), ModelEntry("n", cost=Cost(1, 2)), ModelEntry("o")),
            ("cacheWrite = 0\n", 'cacheWrite = 0\n\n[[defaults.providers.old.models]]\nid = "o"\n'),
        ),
    ],
)
def test_a_changed_list_of_models_changes_only_what_differs(
    models: tuple[ModelEntry, ...], change: tuple[str, str]
) -> None:
    one = document(SAMPLES["provider tables"])
    assert set_models(one, "old", models).text == one.text.replace(*change)


def test_models_in_an_array_over_lines_stay_there() -> None:
    one = document(SAMPLES["providers header"])
    changed = set_models(one, "old", (ModelEntry("m"), ModelEntry("n"), ModelEntry("o")))
    assert changed.text == one.text.replace('{ id = "n" }', '{ id = "n" },\n  { id = "o" }')
    fewer = set_models(one, "old", (ModelEntry("n"),))
    assert fewer.text == one.text.replace('  { id = "m" }, # one\n', "")


def test_a_replaced_provider_changes_one_line_for_one_difference() -> None:
    one = document(SAMPLES["provider tables"])
    provider = one.config().provider("old")
    assert provider is not None
    moved = msgspec.structs.replace(provider, base_url="http://attic/v1")
    assert replace_provider(one, moved).text == one.text.replace(
        "http://cellar:8000", "http://attic"
    )
    keyed = msgspec.structs.replace(provider, api_key_env="K", headers={"A": "1"})
    added = one.text.replace(':8000/v1"\n', ':8000/v1"\napiKeyEnv = "K"\nheaders = { A = "1" }\n')
    assert replace_provider(one, keyed).text == added
    assert replace_provider(replace_provider(one, keyed), provider).text == one.text


@pytest.mark.parametrize(
    ("text", "path", "value", "expected"),
    [
        ("a = 1 # x\n", ("a",), 2, "a = 2 # x\n"),
        (
            "version = 1\n",
            ("defaults", "runtime"),
            "pi",
            'version = 1\n\n[defaults]\nruntime = "pi"\n',
        ),
        ("[runner]\n", ("runner", "concurrency"), 2, "[runner]\nconcurrency = 2\n"),
        ("[runner]\n  a = 1", ("runner", "b"), 2, "[runner]\n  a = 1\n  b = 2"),
        ("a.b = 1\n", ("a", "c"), True, "a.b = 1\na.c = true\n"),
        ("a = { b = 1 }\n", ("a", "c", "d"), 2, "a = { b = 1, c = { d = 2 } }\n"),
        ("# top\n\n[t]\n", ("version",), 1, "# top\n\nversion = 1\n\n[t]\n"),
        (
            "[[skills]]\nname = 'x'\n\n[[skills]]\nname = 'y'\n",
            ("skills", 0, "verification", "enabled"),
            False,
            "[[skills]]\nname = 'x'\nverification.enabled = false\n\n[[skills]]\nname = 'y'\n",
        ),
        (
            "skills = [{ name = 'x' }]\n",
            ("skills", 0, "model"),
            "a/b",
            "skills = [{ name = 'x', model = \"a/b\" }]\n",
        ),
    ],
)
def test_any_key_can_be_set(
    text: str, path: tuple[str | int, ...], value: object, expected: str
) -> None:
    assert set_key(document(text), path, value).text == expected


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        (
            "t = { a.m = 1, z = 2 }\n",
            ("t", "a", "n"),
            "t = { a.m = 1, z = 2, a.n = 3 }\n",
        ),
        ("t = { a.b.m = 1 }\n", ("t", "a", "b", "n"), "t = { a.b.m = 1, a.b.n = 3 }\n"),
        ("t = { a.m = 1 }\n", ("t", "a", "b", "n"), "t = { a.m = 1, a.b = { n = 3 } }\n"),
        ("t = { a = { m = 1 } }\n", ("t", "a", "n"), "t = { a = { m = 1, n = 3 } }\n"),
        ("[t]\nx = { 'a b'.m = 1 }\n", ("t", "x", "a b", "n"),
         '[t]\nx = { \'a b\'.m = 1, "a b".n = 3 }\n'),
    ],
)  # fmt: skip
def test_a_table_that_dots_make_in_an_inline_table_is_extended_by_dots(
    text: str, path: tuple[str, ...], expected: str
) -> None:
    assert set_key(document(text), path, 3).text == expected


def test_a_key_leaves_with_its_line_and_its_table_stays() -> None:
    one = document("[a]\n# why\nb = 1 # x\nc = 2\n")
    assert unset_key(one, ("a", "b")).text == "[a]\n# why\nc = 2\n"
    assert unset_key(one, ("a", "nothing")) is one


def test_a_key_is_respelt_wherever_it_stands() -> None:
    one = document("[defaults.agent]\nreasoningEffort = 'low' # old\n")
    path = ("defaults", "agent", "reasoningEffort")
    assert rename_key(one, path, "effort").text == "[defaults.agent]\neffort = 'low' # old\n"
    both = document("[defaults.agent]\nreasoningEffort = 'low'\neffort = 'high'\n")
    with pytest.raises(UsageProblem):
        rename_key(both, path, "effort")


@pytest.mark.parametrize(
    "text",
    [
        "defaults = 3\n",
        "[[defaults]]\n",
        "[defaults]\nproviders = 'x'\n",
        "[[defaults.providers]]\n",
    ],
)
def test_what_is_no_table_is_not_written_into(text: str) -> None:
    with pytest.raises(ConfigProblem) as caught:
        add_provider(document(text), PLAIN)
    assert "is not a table (line" in caught.value.fault.why


def test_a_table_with_a_header_is_not_replaced_by_a_value() -> None:
    with pytest.raises(ConfigProblem):
        set_key(document("[a.b]\nc = 1\n"), ("a",), 1)


def test_lanes_and_providers_of_a_new_file_stand_in_order_however_they_come() -> None:
    provider = Provider("p", "http://h/v1", models=(ModelEntry("m"),))
    first = add_provider(empty(NAME), provider)
    for lane in LANES:
        first = set_lane(first, lane, "p/m")
    other = empty(NAME)
    for lane in (LANES[2], LANES[0], LANES[1]):
        other = set_lane(other, lane, "p/m")
    other = add_provider(other, provider)
    assert first.raw == other.raw
    heads = [line for line in first.text.splitlines() if line.startswith(("[", "v"))]
    assert heads == [
        "version = 1",
        "[defaults.agent]",
        "[defaults.auxiliary]",
        "[defaults.synthesis]",
        "[defaults.providers.p]",
        "[[defaults.providers.p.models]]",
    ]


def test_a_file_of_five_thousand_lines_is_edited_faster_than_tomlkit_reads_it() -> None:
    """Loading, scanning, an edit and its check together, next to tomlkit's parse alone."""
    skill = '\n# why\n[[skills]]\nname = "s{}"\npaths = [\n  "a/**", # x\n]\n[[skills.triggers]]\n'
    text = "version = 1\n" + "".join(
        skill.format(number) + 'type = "local"\n' for number in range(560)
    )
    assert text.count("\n") > 5000

    def best(work: Callable[[], object]) -> float:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return min(times)

    ours = best(lambda: add_provider(document(text), GATEWAY))
    theirs = best(lambda: tomlkit.parse(text))
    print(f"load and edit: {ours / theirs:.2f} of tomlkit's parse")  # noqa: T201 -- the figure
    assert ours < theirs


@pytest.mark.parametrize("inline", [False, True], ids=["tables", "inline"])
def test_a_thousand_models_are_changed_in_the_time_of_a_few_parses(inline: bool) -> None:
    models = tuple(ModelEntry(f"m{number}", context_window=1000) for number in range(1000))
    changed = tuple(
        ModelEntry(one.id, context_window=2000, max_tokens=99, reasoning=True) for one in models
    )
    entries = ", ".join(f'{{ id = "{one.id}", contextWindow = 1000 }}' for one in models)
    head = '[defaults.providers.gw]\nbaseUrl = "http://x/v1"\n'
    before = document(head + (f"models = [{entries}]\n" if inline else ""))
    if not inline:
        before = set_models(before, "gw", models)
    begun = time.perf_counter()
    tomllib.loads(before.text)
    parse = time.perf_counter() - begun
    begun = time.perf_counter()
    after = set_models(before, "gw", changed)
    took = time.perf_counter() - begun
    assert after.config().providers[0].models == changed
    back = replace_provider(after, Provider("gw", "http://x/v1", models=models))
    assert back.config().providers[0].models == models
    # One parse for each change was some thousand times one parse.
    assert took < 100 * parse
