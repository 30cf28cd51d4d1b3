"""The diff that is shown before a save."""

from __future__ import annotations

import pytest

from core.warden.save import diff


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"a = 1\n", b"a = 1\n", ""),
        (
            b"a = 1\nb = 2\n",
            b"a = 1\nb = 3\n",
            "--- warden.toml\n+++ warden.toml\n@@ -1,2 +1,2 @@\n a = 1\n-b = 2\n+b = 3\n",
        ),
        (
            b"a = 1\r\nb = 2\r\n",
            b"a = 1\r\nb = 3\r\n",
            "--- warden.toml\n+++ warden.toml\n@@ -1,2 +1,2 @@\n a = 1\n-b = 2\n+b = 3\n",
        ),
        (
            b"a = 1\r\n",
            b"a = 1\n",
            "--- warden.toml\n+++ warden.toml\n@@ -1 +1 @@\n-a = 1␍\n+a = 1\n",
        ),
        (
            b"a = 1",
            b"a = 1\n",
            (
                "--- warden.toml\n+++ warden.toml\n@@ -1 +1 @@\n"
                "-a = 1\n\\ No newline at end of file\n+a = 1\n"
            ),
        ),
        (
            b"\xef\xbb\xbfa = 1\n",
            b"\xef\xbb\xbfa = 2\n",
            "--- warden.toml\n+++ warden.toml\n@@ -1 +1 @@\n-a = 1\n+a = 2\n",
        ),
        (b"", b"a = 1\n", "--- /dev/null\n+++ warden.toml\n@@ -0,0 +1 @@\n+a = 1\n"),
        (
            b"a = 1\n",
            b"a = '\xff\x1b[2J'\n",
            "--- warden.toml\n+++ warden.toml\n@@ -1 +1 @@\n-a = 1\n+a = '\\xff\\x1b[2J'\n",
        ),
        (
            b"--- x\n",
            b"--- y\n",
            "--- warden.toml\n+++ warden.toml\n@@ -1 +1 @@\n---- x\n+--- y\n",
        ),
    ],
)
def test_what_is_shown(old: bytes, new: bytes, expected: str) -> None:
    assert diff(old, new, "warden.toml") == expected
