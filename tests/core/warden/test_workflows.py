"""Which base layer the workflows of a repository name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.warden.workflows import named_bases, named_in

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("      with:\n        base-config-path: org/warden.toml\n", ("org/warden.toml",)),
        ("  base-config-path: 'a b.toml'  # ours\n", ("a b.toml",)),
        ('- "base-config-path" : "x.toml"\r\n', ("x.toml",)),
        ("  base-config-path: ${{ inputs.base }}\n", ("${{ inputs.base }}",)),
        ("  base-config-path:\n  config-path: warden.toml\n", ()),
        ("  # base-config-path: old.toml\n", ()),
        ("  base-config-path: ''\n", ()),
        ("a: base-config-path: x\n", ()),
    ],
)
def test_the_input_is_read_as_it_is_written(text: str, values: tuple[str, ...]) -> None:
    assert named_in(text) == values


def test_a_file_of_the_checkout_is_found_and_others_are_named(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    workflows = root / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "org.toml").write_text("version = 1\n")
    (tmp_path / "outside.toml").write_text("version = 1\n")
    for name, value in (
        ("a.yml", "org.toml"),
        ("b.yaml", "../outside.toml"),
        ("c.yml", "gone.toml"),
        ("d.txt", "x"),
    ):
        (workflows / name).write_text(f"with:\n  base-config-path: {value}\n")
    found = named_bases(root)
    assert [(one.workflow, one.written) for one in found] == [
        ("a.yml", "org.toml"),
        ("b.yaml", "../outside.toml"),
        ("c.yml", "gone.toml"),
    ]
    assert [one.path for one in found] == [(root / "org.toml").resolve(), None, None]
    assert named_bases(tmp_path) == ()
