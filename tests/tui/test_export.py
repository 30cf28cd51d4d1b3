"""``turnkey export``: what leaves is verified or says that it is not, and holds no key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from core.export.setup import TARGETS
from core.warden.document import load
from tests.core.export.setups import verify
from tests.servers.messages import messages_reply, start, stop, text
from tests.servers.scripted import error_reply, good_server, running
from tests.tui.desk import KEY, VARIABLE, Desk, all_lanes, at, provider_table
from tui.commands.export import NAMES
from tui.opening import open_here

if TYPE_CHECKING:
    from core.warden.config import Variant

URL: Final = "https://gw.acme.lan/v1"
FIELDS: Final = ["target", "text", "variables", "notes", "verified", "output", "replaced"]
OFFLINE: Final = [name for name in NAMES if name != "gateway"]


def table(url: str = URL, more: str = "") -> str:
    return provider_table(url, "qwen3", lanes=all_lanes("litellm/qwen3"), more=more)


def verified(*variants: Variant, borne: int = 4) -> None:
    """Receipts for the desk's file as it stands."""
    for variant in variants or ("providers", "stock"):
        verify(open_here(None, variant), variant, datetime.now(UTC), borne=borne)


def test_the_names_are_the_cores() -> None:
    assert set(NAMES) == set(TARGETS)


@pytest.mark.parametrize("target", OFFLINE)
def test_a_verified_setup_leaves_and_says_so(desk: Desk, target: str) -> None:
    desk.export(**{VARIABLE: KEY})
    desk.write(table())
    verified()
    plain = desk.turnkey("export", target)
    assert plain.code == 0, plain.err
    assert "Verified by turnkey" in plain.out
    assert "NOT VERIFIED" not in plain.out + plain.err
    told = desk.turnkey("export", target, "--json").json()
    assert list(told) == FIELDS
    assert (told["target"], told["text"], told["verified"]) == (target, plain.out, True)
    for note in told["notes"]:  # type: ignore[attr-defined]
        assert note in plain.err
        assert note not in plain.out


@pytest.mark.parametrize("target", NAMES)
def test_an_unverified_setup_stays_unless_that_is_meant(desk: Desk, target: str) -> None:
    desk.export(**{VARIABLE: KEY})
    desk.write(table("http://127.0.0.1:9/v1"))
    refused = desk.turnkey("export", target, "--json")
    assert refused.code == 1
    assert at(refused.json(), "error", "code") == "not_verified"
    assert "--unverified" in refused.told()
    if target in OFFLINE:
        done = desk.turnkey("export", target, "--unverified")
        assert done.code == 0
        assert "NOT VERIFIED" in done.out
        assert "NOT VERIFIED" in done.err


def test_a_stale_receipt_is_none(desk: Desk) -> None:
    desk.write(table())
    verified()
    assert desk.turnkey("export", "github").code == 0
    desk.write(table("https://other.acme.lan/v1"))
    refused = desk.turnkey("export", "github")
    assert refused.code == 1
    assert "changed since it was verified" in refused.told()
    assert "has changed" in desk.turnkey("export", "github", "--unverified").out


def test_pi_counts_by_stocks_receipt(desk: Desk) -> None:
    desk.write(table())
    verified("providers")
    assert "--variant stock" in desk.turnkey("export", "pi").told()
    verified("stock")
    assert desk.turnkey("export", "pi").code == 0


def test_pis_files_are_merged_into_a_folder(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    desk.write(table())
    verified()
    folder = desk.home / "pi"
    folder.mkdir()
    foreign = '{"providers": {"other": {"apiKey": "sk-of-another-tool"}}} // theirs\n'
    (folder / "models.json").write_text(foreign)
    done = desk.turnkey("export", "pi", "--output", str(folder), "--json")
    assert done.code == 0, done.err
    assert done.json()["output"] == str(folder / "models.json")
    text = (folder / "models.json").read_text()
    assert '"other": {"apiKey": "sk-of-another-tool"}' in text
    assert "// theirs" in text
    assert '"apiKey": "$LITELLM_API_KEY"' in text
    assert "sk-of-another-tool" not in done.out + done.err
    auth = desk.turnkey("export", "pi", "--auth", "--output", str(folder))
    assert auth.code == 0
    assert auth.out == ""
    stored = json.loads((folder / "auth.json").read_text())
    assert stored == {"litellm": {"type": "api_key", "key": "$LITELLM_API_KEY"}}
    assert (folder / "auth.json").stat().st_mode & 0o777 == 0o600
    again = desk.turnkey("export", "pi", "--output", str(folder))
    assert "The entry litellm" not in again.err
    assert (folder / "models.json").read_text() == text
    held = text.replace('"apiKey": "$LITELLM', '"headers": {"X-Own": "sk-x"}, "apiKey": "$LITELLM')
    (folder / "models.json").write_text(held)
    kept = desk.turnkey("export", "pi", "--output", str(folder))
    assert "The entry litellm keeps what no trial had: header X-Own." in kept.err
    assert (folder / "models.json").read_text() == held
    over = desk.turnkey("export", "pi", "--output", str(folder), "--replace")
    assert "The entry litellm that stood there was replaced." in over.err
    assert "X-Own" not in (folder / "models.json").read_text()


def test_the_number_that_was_borne_goes_into_the_own_file(desk: Desk) -> None:
    desk.write(table())
    verified(borne=2)
    done = desk.turnkey("export", "warden", "--output", "warden.toml")
    assert done.code == 0, done.err
    assert load(desk.file).config().concurrency == 2
    assert desk.file.read_text().startswith("# turnkey: Verified")
    assert desk.turnkey("export", "warden").code == 0  # the number is not what was verified


def test_a_file_with_a_key_in_it_goes_nowhere(desk: Desk) -> None:
    text = table(more=f'apiKey = "sk-{"a1B2" * 8}"')
    desk.write(text)
    refused = desk.turnkey("export", "warden", "--unverified")
    assert refused.code == 1
    assert "check --move-keys" in refused.told()
    assert "a1B2" not in refused.out + refused.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("github", "--auth"),
        ("pi", "--speaks", "chat"),
        ("pi", "--folder", "x"),
        ("pi", "--replace"),
        ("nothing",),
        (),
    ],
)
def test_options_of_other_targets_are_refused(desk: Desk, arguments: tuple[str, ...]) -> None:
    desk.write(table())
    ended = desk.turnkey("export", *arguments, "--json")
    assert ended.code == 2
    assert at(ended.json(), "error", "code") == "usage"


def test_both_sides_of_a_gateway_are_asked_first(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    reply = messages_reply(start("qwen3"), text(0, "PONG"), stop())
    server = good_server(["qwen3"], KEY, extra={("POST", "/v1/messages"): reply})
    with running(server):
        desk.write(table(server.base_url))
        done = desk.turnkey("export", "gateway", "--unverified", "--json")
        paths = {one.path for one in server.requests}
        only = desk.turnkey("export", "gateway", "--unverified", "--speaks", "chat")
        later = [one.path for one in server.requests][2:]
    assert done.code == 0, done.err
    assert paths == {"/v1/messages", "/v1/chat/completions"}
    assert later == ["/v1/chat/completions"]
    told = done.json()
    assert list(told) == [*FIELDS, "asked"]
    assert told["variables"] == ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]
    assert [at(one, "works") for one in told["asked"]] == [True, True]  # type: ignore[attr-defined]
    assert any("Plain http is refused" in note for note in told["notes"])  # type: ignore[attr-defined]
    assert "ANTHROPIC_BASE_URL" not in only.out
    assert "OPENAI_BASE_URL" in only.out


def test_a_gateway_that_answers_on_no_side_is_not_exported(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    refuse = error_reply(401, "bad key")
    server = good_server(
        ["qwen3"],
        "another",
        extra={("POST", "/v1/messages"): refuse, ("POST", "/v1/chat/completions"): refuse},
    )
    with running(server):
        desk.write(table(server.base_url))
        ended = desk.turnkey("export", "gateway", "--unverified", "--json")
    assert ended.code == 5
    assert at(ended.json(), "error", "code") == "key_refused"
    assert ended.told()


def test_a_missing_key_is_told_before_anything_is_asked(desk: Desk) -> None:
    desk.write(table())
    ended = desk.turnkey("export", "gateway", "--unverified")
    assert ended.code == 5
