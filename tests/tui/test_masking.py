"""No command that reads the file prints a key of it, wherever in the file the key stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.tui.desk import Desk

KEY = "sk-{}canary0123456789abcd"
FILE = f"""version = 1
[defaults.agent]
model = "gw/m"
effort = "{KEY.format("effort")}"
[defaults.providers.gw]
baseUrl = "http://{KEY.format("host")}.lan/v1?api_key={KEY.format("query")}"
headers = {{ {KEY.format("header")} = "x" }}
[[defaults.providers.gw.models]]
id = "{KEY.format("model")}"
name = "{KEY.format("label")}"
[defaults.providers.{KEY.format("name")}]
baseUrl = "http://gw.lan/v1"
models = [{{ id = "m" }}]
[[skills]]
name = "{KEY.format("skill")}"
model = "gw/m"
[[skills.triggers]]
type = "{KEY.format("trigger")}"
model = "gw/m"
[unknown]
{KEY.format("unknown")} = 1
"""


@pytest.mark.parametrize("json", [(), ("--json",)])
@pytest.mark.parametrize(
    "command",
    [
        ("provider", "list"),
        ("provider", "show", "gw"),
        ("provider", "show", KEY.format("name")),
        ("provider", "show", "nothing"),
        ("provider", "remove", "gw"),
        ("provider", "remove", "gw", "--force", "--dry-run"),
        ("provider", "rename", "gw", "other", "--dry-run"),
        ("lanes",),
        ("lanes", "--base", "base.toml"),
        ("check",),
        ("check", "--base", "base.toml"),
        ("check", "--fix", "--move-keys", "--drop-leftovers", "--dry-run"),
        ("lane", "set", "agent", "gw/other", "--dry-run"),
        ("lane", "set", "agent", "nothing/m", "--dry-run"),
        ("lane", "unset", "agent", "--dry-run"),
    ],
    ids=" ".join,
)
def test_no_key_of_the_file_is_printed(
    desk: Desk, command: tuple[str, ...], json: tuple[str, ...]
) -> None:
    desk.file.write_text(FILE)
    (desk.folder / "base.toml").write_text(FILE)
    done = desk.turnkey(*command, *json)
    assert "canary" not in (done.out + done.err).lower()
