"""What a report tells of a machine: enough to help, and nothing that is a person's own."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.about import about, named_variables, tilde

HOME = Path("/home/margarethe")
CANARY = "sk-canary-4f1e-VERY-SECRET"


def test_a_report_holds_no_value_and_no_name_of_a_person() -> None:
    env = {
        "WARDEN_LITELLM_API_KEY": CANARY,
        "HTTPS_PROXY": "http://margarethe:hunter2@proxy.lan:3128",
        "TURNKEY_CA_FILE": "/home/margarethe/ca.pem",
        "SSH_CONNECTION": "10.0.0.7 1 10.0.0.8 22",
        "USER": "margarethe",
        "TERM": "xterm-256color",
    }
    told = about(
        env,
        home=HOME,
        config=HOME / "acme" / "warden.toml",
        base=None,
        variant="stock",
        settings=HOME / ".config" / "turnkey" / "settings.toml",
        state=HOME / ".local" / "state" / "turnkey",
        keyring="Secret Service",
        encoding="utf-8",
    )
    text = msgspec.json.encode(told).decode()
    for private in (CANARY, "margarethe", "hunter2", "proxy.lan", "10.0.0"):
        assert private not in text
    assert told.variables == ("HTTPS_PROXY", "TURNKEY_CA_FILE", "WARDEN_LITELLM_API_KEY")
    assert told.config == "~/acme/warden.toml (not there yet)"
    assert told.terminal == {"TERM": "xterm-256color", "encoding": "utf-8", "over": "ssh"}
    assert told.libraries["textual"][0].isdigit()


def test_an_empty_variable_is_not_named() -> None:
    assert named_variables({"OPENAI_API_KEY": "", "https_proxy": "x"}) == ("https_proxy",)


def test_a_home_at_the_root_hides_nothing_and_breaks_nothing() -> None:
    assert tilde(Path("/etc/x"), Path("/")) == "/etc/x"
    assert tilde(HOME / "a", HOME) == "~/a"
    assert tilde(Path("/home/margarethe2/a"), HOME) == "/home/margarethe2/a"
