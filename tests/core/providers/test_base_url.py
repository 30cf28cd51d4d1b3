from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageProblem
from core.providers.base_url import candidates, read_base_url
from core.providers.pasted import client_address


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://localhost:4000/v1", "http://localhost:4000/v1"),
        ("http://localhost:4000", "http://localhost:4000/v1"),
        ("http://localhost:4000/", "http://localhost:4000/v1"),
        ("  'http://localhost:4000/v1/' ", "http://localhost:4000/v1"),
        ("localhost:4000", "http://localhost:4000/v1"),
        ("HTTP://LOCALHOST:4000/v1", "http://localhost:4000/v1"),
        ("http:/localhost:4000/v1", "http://localhost:4000/v1"),
        ("http//localhost:4000", "http://localhost:4000/v1"),
        ("http://localhost:4000//v1//", "http://localhost:4000/v1"),
        ("http://localhost:4000/v1/v1", "http://localhost:4000/v1"),
        ("http://localhost:4000/v1/v1/models", "http://localhost:4000/v1"),
        ("http://localhost:4000/v1/chat/completions", "http://localhost:4000/v1"),
        ("http://localhost:4000/chat/completions", "http://localhost:4000/v1"),
        ("http://localhost:4000/v1/models/", "http://localhost:4000/v1"),
        ("http://localhost:4000/ui/?page=models", "http://localhost:4000/v1"),
        ("http://localhost:1234/#/", "http://localhost:1234/v1"),
        ("http://localhost:11434/api/chat", "http://localhost:11434/v1"),
        ("http://localhost:1234/api/v0/models", "http://localhost:1234/v1"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
        ("https://host.example/llm", "https://host.example/llm"),
        ("https://host.example/llm/ui", "https://host.example/llm/v1"),
        ("https://host.example:443/v1", "https://host.example/v1"),
        ("http://host.example:80/v1", "http://host.example/v1"),
        ("llm.example.org", "https://llm.example.org/v1"),
        ("llm.example.org:8000", "https://llm.example.org:8000/v1"),
        ("gpu-box:8000", "http://gpu-box:8000/v1"),
        ("192.168.1.4:8000", "http://192.168.1.4:8000/v1"),
        (":11434", "http://127.0.0.1:11434/v1"),
        ("11434", "http://127.0.0.1:11434/v1"),
        ("::1", "http://[::1]/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
        ("http://my_service:8000", "http://my_service:8000/v1"),
        ("http://bücher.example/v1", "http://xn--bcher-kva.example/v1"),
        ("http://a/b/../v1", "http://a/v1"),
        ("http://http://localhost:4000", "http://localhost:4000/v1"),
        ("http://https://llm.example.org/v1", "https://llm.example.org/v1"),
        ("OPENAI_BASE_URL=http://localhost:4000/v1", "http://localhost:4000/v1"),
        ('export LITELLM_BASE_URL="http://localhost:4000"', "http://localhost:4000/v1"),
        ("OLLAMA_HOST=127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
        ("http://localhost:4000/v1,", "http://localhost:4000/v1"),
        ("http://localhost:4000/v1.", "http://localhost:4000/v1"),
        ("(http://localhost:4000/v1);", "http://localhost:4000/v1"),
        ("“http://localhost:4000/v1”", "http://localhost:4000/v1"),
        ("http:///localhost:4000", "http://localhost:4000/v1"),
        ("http://localhost:4000/v1/models?limit=5", "http://localhost:4000/v1"),
        ("http://localhost:4000/v1/chat/completions?api-version=1", "http://localhost:4000/v1"),
        ("http://localhost:4000/v1/models/qwen/qwen3-8b", "http://localhost:4000/v1"),
        ("http://localhost:4000/ui/login", "http://localhost:4000/v1"),
        ("http://localhost:4000/ui/login/?next=x", "http://localhost:4000/v1"),
        ("http://localhost:4000/index.html", "http://localhost:4000/v1"),
        ("http://localhost:4000/key/generate", "http://localhost:4000/v1"),
        ("http://localhost:8000/tokenize", "http://localhost:8000/v1"),
        ("http://localhost:11434/api/embed", "http://localhost:11434/v1"),
        ("http://localhost:11434/api/embeddings", "http://localhost:11434/v1"),
        ("http://localhost:1234/api/v1/chat", "http://localhost:1234/v1"),
        ("https://host.example/team/ours/v1", "https://host.example/team/ours/v1"),
        ("https://host.example/docs/v1", "https://host.example/docs/v1"),
    ],
)
def test_any_sensible_spelling_becomes_the_right_one(typed: str, url: str) -> None:
    assert read_base_url(typed).url == url


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.1", True),
        ("0x7f.1", True),
        ("0177.0.0.1", True),
        ("2130706433", True),
        ("%6cocalhost", True),
        ("[::1]", True),
        ("[0:0:0:0:0:0:0:1]", True),
        ("127.0.0.2", False),
        ("0.0.0.0", False),
        ("[::ffff:127.0.0.1]", False),
        ("localhost.", False),
        ("x.localhost", False),
        ("host.docker.internal", False),
        ("192.168.0.1", False),
        ("localhost.example.org", False),
    ],
)
def test_loopback_is_what_warden_takes_for_it(host: str, loopback: bool) -> None:
    assert read_base_url(f"http://{host}:4000/v1").loopback is loopback


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("ftp://host/v1", "scheme is ftp"),
        ("file:///etc/passwd", "scheme is file"),
        ("file:/etc/passwd", "http or https"),
        ("http://user:pa55@host/v1", "user name or password"),
        ("http://host/\udcff/v1", "no letter"),
        ("\ud800", "no letter"),
        ("http://good.example\\@evil.example/v1?x", "query"),
        ("http://host/v1?api_key=1", "query"),
        ("http://host/v1#part", "fragment"),
        ("http://host:99999/v1", "port"),
        ("http://host:0/v1", "port"),
        ("http://host:four/v1", "port"),
        ("http:///v1", "host"),
        ("http:///", "host"),
        ("KEY=", "empty"),
        ("http://ho st/v1", "space or control"),
        ("http://host\x1b[31m/v1", "space or control"),
        ("http://ho%00st/v1", "character"),
        ("http://1.2.3.4.5/v1", "IPv4"),
        ("http://256.1.1.1/v1", "IPv4"),
        ("http://[::1/v1", "IPv6"),
        ("http://[fe80::1%25eth0]/v1", "IPv6"),
        ("http://a..b/v1", "valid name"),
        ("x" * 3000, "longer"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(typed: str, reason: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        read_base_url(typed)
    assert reason in caught.value.fault.why
    assert caught.value.fault.code == "usage"
    assert "pa55" not in caught.value.fault.what


def test_a_backslash_never_hides_the_host() -> None:
    assert read_base_url("http://evil.example\\@good.example").host == "evil.example"


def test_changes_are_said_and_nothing_is_said_without_any() -> None:
    assert read_base_url("http://localhost:4000/v1").changes == ()
    assert len(read_base_url("localhost:4000").changes) == 2
    assert "127.0.0.1" in read_base_url("http://127.1:4000/v1").changes[0]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("LITELLM_BASE_URL=http://localhost:1/v1", "«LITELLM_BASE_URL=» was cut."),
        ("http://http://localhost:1/v1", "A doubled scheme was undone."),
        ("http://localhost:1/v1,", "«,» at the end was cut."),
        ("http://localhost:1/v1/models?x=sk-secret", "What follows «?» was cut."),
        ("http:///localhost:1/v1", "The scheme's «://» was put right."),
    ],
)
def test_what_was_cut_is_said(typed: str, words: str) -> None:
    changes = read_base_url(typed).changes
    assert words in changes
    assert "sk-secret" not in repr(changes)


@pytest.mark.parametrize("text", ["http://http://h/v1", "X=http://h/v1", "http://h/v1/models?x=1"])
def test_a_value_out_of_a_config_is_not_repaired(text: str) -> None:
    try:
        base = read_base_url(text, exact=True)
    except UsageProblem:
        return
    assert base.changes == ()
    assert base.host != "h"


def test_origin_leaves_out_the_default_port_and_keeps_every_other() -> None:
    assert read_base_url("https://h.example:443/v1").origin == "https://h.example"
    assert read_base_url("http://h.example:443/v1").origin == "http://h.example:443"
    assert read_base_url("http://[::1]:8080/v1").origin == "http://[::1]:8080"
    assert read_base_url("http://[::1]:8080/v1").host == "::1"
    assert read_base_url("https://h.example/v1").port == 443


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("http://gpu-box:8000", "unencrypted"),
        ("http://192.168.1.4:8000", "unencrypted"),
        ("http://169.254.169.254/v1", "metadata"),
        ("http://metadata.google.internal/v1", "metadata"),
        ("http://metadata.google.internal./v1", "metadata"),
        ("http://[64:ff9b::a9fe:a9fe]/v1", "metadata"),
        ("http://168.63.129.16/v1", "metadata"),
        ("http://[fe80::1]/v1", "metadata"),
        ("http://[::ffff:169.254.169.254]/v1", "metadata"),
        ("http://0.0.0.0:4000/v1", "listen"),
        ("http://127.0.0.2:4000/v1", "ask for a key"),
    ],
)
def test_warnings_come_before_a_key_is_sent(typed: str, word: str) -> None:
    assert any(word in warning for warning in read_base_url(typed).warnings)


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("100.64.0.1", "private"),
        ("100.127.255.254", "private"),
        ("100.128.0.1", "public"),
        ("[::ffff:100.64.0.1]", "private"),
        ("10.0.0.1", "private"),
        ("8.8.8.8", "public"),
        ("gpu-box", "private"),
        ("gpu-box.lan.", "private"),
        ("api.example.org.", "public"),
        ("localhost.", "this_machine"),
        ("[64:ff9b::7f00:1]", "this_machine"),
        ("[::7f00:1]", "this_machine"),
        ("[::a9fe:a9fe]", "link_local"),
        ("[2002:7f00:1::1]", "this_machine"),
        ("[2002:808:808::1]", "public"),
        ("[fd20:ce::254]", "link_local"),
        ("[::1]", "loopback"),
        ("[::]", "any_address"),
        ("0.0.0.0", "any_address"),
        ("[fe80::1]", "link_local"),
    ],
)
def test_every_host_is_classed(host: str, place: str) -> None:
    assert read_base_url(f"https://{host}/v1").place == place


@pytest.mark.parametrize(
    "typed", ["http://localhost:1", "https://api.example.org", "https://10.0.0.1"]
)
def test_no_warning_where_none_is_due(typed: str) -> None:
    assert read_base_url(typed).warnings == ()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("::1:8080", "[::1]:8080"),
        ("fe80::1:1234/v1", "[fe80::1]:1234"),
        ("[::1]:8080", ""),
        ("::1", ""),
        ("localhost:8080", ""),
    ],
)
def test_an_address_without_brackets_has_no_port_and_it_is_told(typed: str, meant: str) -> None:
    told = [one for one in read_base_url(typed).changes if "without a port" in one]
    assert [one.endswith(f"for a port: {meant}.") for one in told] == ([True] if meant else [])


def test_exact_leaves_the_path_as_warden_will_use_it() -> None:
    assert read_base_url("http://localhost:4000", exact=True).url == "http://localhost:4000"
    assert read_base_url("http://localhost:4000/v1/v1/", exact=True).path == "/v1/v1"
    with pytest.raises(UsageProblem):
        read_base_url("localhost:4000/v1", exact=True)


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("http://h:1", ["/v1", "", "/api/v1", "/engines/v1", "/api"]),
        ("http://h:1/v1", ["/v1", "", "/api/v1", "/engines/v1", "/api"]),
        ("http://h:1/api", ["/api", "/api/v1", "/v1"]),
        ("http://h:1/api/v1", ["/api/v1", "/api", "/v1"]),
        ("http://h:1/llm", ["/llm", "/llm/v1"]),
        ("http://h:1/llm/v1", ["/llm/v1", "/llm"]),
        ("http://h:1/v1/v1", ["/v1", "", "/api/v1", "/engines/v1", "/api", "/v1/v1"]),
    ],
)
def test_candidates_begin_with_what_was_typed(typed: str, paths: list[str]) -> None:
    found = candidates(typed)
    assert [base.path for base in found] == paths
    assert {base.origin for base in found} == {"http://h:1"}


@pytest.mark.parametrize(
    ("bound", "reached"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("[::]:11434", "http://127.0.0.1:11434"),
        ("10.0.0.0:1", "http://10.0.0.0:1"),
        ("box", "http://box:11434"),
        ("https://box", "https://box"),
    ],
)
def test_an_address_to_listen_on_becomes_one_to_connect_to(bound: str, reached: str) -> None:
    assert client_address(bound) == reached
    for assigned in (f"OLLAMA_HOST={bound}", f'export OLLAMA_HOST="{bound}"'):
        assert read_base_url(assigned).url == f"{reached}/v1"


A_KEY = "sk-proj-abcdEFGH1234567890"


@pytest.mark.parametrize(
    "typed",
    [
        A_KEY,
        f"OPENAI_API_KEY={A_KEY}",
        f"Bearer {A_KEY}",
        f"{A_KEY}/v1",
        f"http://localhost:4000/v1 -H 'X-Api-Key: {A_KEY}'",
        "http://localhost:4000/v1 -H 'X-Key: hunter2'",
        "0123456789abcdef0123456789ABCDEF",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    ],
)
def test_a_key_pasted_where_the_address_belongs_goes_nowhere_and_is_not_shown(typed: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        read_base_url(typed)
    shown = repr(caught.value.fault).lower()
    for part in (A_KEY, "hunter2", "0123456789abcdef", "eyjhbg"):
        assert part.lower() not in shown


def test_what_was_changed_is_said_once() -> None:
    said = read_base_url("http://localhost:4000" + "/v1" * 9).changes
    assert said == ("A doubled /v1 was undone.",)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        base = read_base_url(text)
    except UsageProblem:
        return
    again = read_base_url(base.url)
    assert again.url == base.url
    assert again.origin == base.origin


@given(st.from_regex(r"(https?://)?[a-z0-9.\[\]:]{1,20}(/[a-z1/.?#]{0,12})?", fullmatch=True))
def test_reading_twice_changes_nothing(text: str) -> None:
    try:
        base = read_base_url(text)
    except UsageProblem:
        return
    assert read_base_url(base.url).url == base.url


@pytest.mark.parametrize(
    "typed",
    ["http://h:1/V1", "http://h:1/completion", "http://h:1/v1/chat", "http://h:1/V1/models"],
)
def test_what_is_nearly_the_base_url_becomes_it_and_is_told(typed: str) -> None:
    base = read_base_url(typed)
    assert base.url == "http://h:1/v1"
    assert base.changes
