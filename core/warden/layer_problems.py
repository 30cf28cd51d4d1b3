"""The problems of both layers, and what only shows when the two stand side by side.

Source: getsentry/warden ``config/loader.ts``; ``action.yml`` for the input that names a base.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.text import one_line, shell_word
from core.warden.layers import layered
from core.warden.problems import Problem, problems
from core.warden.secrets import loose_keys

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from core.warden.config import Variant
    from core.warden.document import Document
    from core.warden.findings import Severity
    from core.warden.workflows import NamedBase


def problems_of_layers(
    document: Document | None,
    base: Document | None,
    named: Sequence[NamedBase],
    variant: Variant,
    env: Mapping[str, str],
    keyed: Collection[str] = (),
) -> tuple[Problem, ...]:
    """Every problem of the repository's file and of the base layer, errors first.

    ``document`` is None where only a base layer is there, which Warden's action takes alone then.
    ``named`` are the base layers that workflows name: one that was not given is told of as a
    note. The other arguments are those of :func:`core.warden.problems.problems`.
    """
    inherited = base.config().providers if base is not None else ()
    found: list[Problem] = []
    if document is not None:
        found += problems(
            document.data(),
            document.position,
            variant,
            env,
            keyed,
            inherited=inherited,
            loose=loose_keys(document),
        )
    if base is None:
        found += _not_given(named)
    else:
        found += problems(
            base.data(),
            base.position,
            variant,
            env,
            keyed,
            layer="base",
            loose=loose_keys(base),
        )
        repo = document.data() if document is not None else {}
        found += [_beside(words) for words in layered(base.data(), repo).notes]
    rank = ("error", "warning", "note")
    return tuple(sorted(found, key=lambda one: rank.index(one.severity)))


def _not_given(named: Sequence[NamedBase]) -> Iterator[Problem]:
    for one in named:
        written = one_line(one.written, 80)
        if one.path is None:
            fix = "It is not in this checkout: name a copy of it with --base FILE."
        else:
            fix = f"turnkey check --base {shell_word(written)} looks at both, as does b on Lanes."
        text = f"The workflow {one_line(one.workflow, 60)} gives Warden a base layer: {written}."
        effect = "Its settings and skills count, too; without it only this file is looked at."
        yield _problem("base_layer_named", "note", text, effect, fix)


def _beside(words: str) -> Problem:
    return _problem("layers", "warning", words, "Warden takes the two files so.", "")


def _problem(code: str, severity: Severity, text: str, effect: str, fix: str) -> Problem:
    return Problem(code, severity, "", 1, 1, text, effect, fix)
