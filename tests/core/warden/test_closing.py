"""The edit that an escape carries closes it, wherever it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Refusal
from core.warden.closing import closed, steps
from core.warden.lanes import Escape, resolve
from tests.core.warden.shapes import document
from tests.core.warden.test_escapes import ROWS

if TYPE_CHECKING:
    from core.warden.document import Document


def found(repo: Document, base: Document | None, row: tuple[object, ...]) -> tuple[Escape, ...]:
    _, _, _, variant, env, _, _ = row
    assert isinstance(env, dict)
    return resolve(
        repo.config(),
        "stock" if variant == "stock" else "providers",
        env=env,
        base=None if base is None else base.config(),
    ).escapes


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row[0]}: {row[1]}") for row in ROWS if row[6]]
)
def test_one_after_the_other_every_escape_is_closed(row: tuple[object, ...]) -> None:
    text, below = row[2], row[5]
    repo = document(f"version = 1\n{text}")
    base = None if below is None else document(f"version = 1\n{below}")
    for _ in range(12):
        left = found(repo, base, row)
        if not left:
            return
        edit = left[0].edit
        assert edit is not None
        if edit.value is None:
            # Nothing of one's own is declared in the file: there is no model to offer.
            with pytest.raises(Refusal):
                closed(repo, left[0])
            return
        if edit.layer == "base":
            assert base is not None
            base = closed(base, left[0])
        else:
            repo = closed(repo, left[0])
    raise AssertionError([one.message for one in found(repo, base, row)])


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("defaults.auxiliary.model", ("defaults", "auxiliary", "model")),
        ("skills[0].model", ("skills", 0, "model")),
        ("skills[2].triggers[11].model", ("skills", 2, "triggers", 11, "model")),
        ("defaults.runtime", ("defaults", "runtime")),
    ],
)
def test_a_path_is_read_in_parts(path: str, parts: tuple[str | int, ...]) -> None:
    assert steps(path) == parts
