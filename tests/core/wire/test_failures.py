from __future__ import annotations

import errno
import socket
import ssl

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Fault, exit_code_for
from core.keys.environment import PLACEHOLDER
from core.keys.secret import Secret
from core.providers.base_url import BaseUrl, read_base_url
from core.wire.failures import error_words, fault_from_exception, fault_from_reply
from tests.servers.transcripts import load

BASE = read_base_url("http://127.0.0.1:4000/v1")
KEY = Secret("sk-the-key-of-this-test")
JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=utf-8"}


def judged(name: str, model: str | None, key: Secret | None) -> Fault:
    reply = load(name)
    fault = fault_from_reply(reply.status, reply.headers, reply.body, BASE, model=model, key=key)
    assert fault is not None
    return fault


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("litellm/error-bad-key", "key_refused"),
        ("litellm/error-models-bad-key", "key_refused"),
        ("litellm/error-unknown-model", "model_unknown"),
        ("litellm/bad-provider-chat", "model_unknown"),
        ("litellm/error-double-v1", "path_wrong"),
        ("litellm/error-double-v1-models", "path_wrong"),
        ("litellm/error-get-on-chat", "path_wrong"),
        ("litellm/bad-key-chat", "upstream"),
        ("litellm/bad-key-llama-chat", "upstream"),
        ("litellm/bad-model-chat", "upstream"),
        ("litellm/bad-path-chat", "upstream"),
        ("litellm/bad-down-chat", "upstream"),
        ("litellm/mock-server-error-chat", "upstream"),
        ("litellm/mock-stream-error-chat", "upstream"),
        ("litellm/bad-key-chat-stream-usage", "rate_limited"),
        ("litellm/bad-rpm-then-chat", "rate_limited"),
        ("litellm/mock-rate-limit-chat", "rate_limited"),
        ("litellm/bad-slow-chat", "timeout"),
        ("litellm/error-context-overflow", "context_overflow"),
        ("litellm/lab-vllm-error-context-overflow", "context_overflow"),
        ("litellm/lab-vllm-error-max-tokens-huge", "parameter_refused"),
        ("litellm/lab-vllm-openai-param-thinking", "parameter_refused"),
        ("litellm/error-image", "parameter_refused"),
        ("litellm/error-tool-schema", "parameter_refused"),
        ("litellm/error-tools-broken", "parameter_refused"),
        ("litellm/meta-key-info", "server_error"),
        ("vllm/error-bad-key", "key_refused"),
        ("vllm/error-unknown-model", "model_unknown"),
        ("vllm/error-double-v1-models", "path_wrong"),
        ("vllm/error-context-overflow", "context_overflow"),
        ("vllm/error-max-tokens-huge", "parameter_refused"),
        ("vllm/noparser-tool-call", "parameter_refused"),
        ("vllm/error-image", "parameter_refused"),
        ("vllm/param-reasoning-effort-bad", "parameter_refused"),
        ("vllm/param-stream-options-without-stream", "parameter_refused"),
        ("llamacpp/error-bad-key", "key_refused"),
        ("llamacpp/error-double-v1-models", "path_wrong"),
        ("llamacpp/error-context-overflow", "context_overflow"),
        ("llamacpp/error-image", "parameter_refused"),
        ("llamacpp/error-tool-schema", "parameter_refused"),
        ("llamacpp-variants/loading-chat", "loading"),
        ("llamacpp-variants/loading-models", "loading"),
        ("llamacpp-variants/nojinja-tool-call", "parameter_refused"),
        ("llamacpp-variants/router-error-unknown-model", "model_unknown"),
        ("llamacpp-variants/router-tiny-broken-chat-stream-usage", "server_error"),
        ("transformers/error-unknown-model", "model_unknown"),
        ("transformers/error-double-v1-models", "path_wrong"),
        ("transformers/error-empty-messages", "server_error"),
        ("transformers/param-unknown", "parameter_refused"),
    ],
)
def test_what_real_servers_answered_with_a_key(name: str, code: str) -> None:
    fault = judged(name, "lab-model", KEY)
    assert fault.code == code
    assert fault.what.endswith(".")
    assert fault.why
    assert fault.fix


@pytest.mark.parametrize(
    "name",
    [
        "litellm/error-no-key",
        "litellm/error-models-no-key",
        "litellm/noprisma-error-no-key",
        "vllm/error-no-key",
        "llamacpp/error-no-key",
        "llamacpp/error-models-no-key",
    ],
)
@pytest.mark.parametrize("key", [None, Secret(""), Secret(PLACEHOLDER)])
def test_what_real_servers_answered_without_a_key(name: str, key: Secret | None) -> None:
    fault = judged(name, "lab-model", key)
    assert fault.code == "key_missing"
    assert exit_code_for(fault) == 5


# Texts of servers of which there is no recording: their source and issue trackers, see
# core/wire/judges.py.
@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (
            401,
            (
                b'{"error":{"message":"x Unable to find token in cache or `LiteLLM_Verification'
                b'TokenTable`","type":"token_not_found_in_db","code":"401"}}'
            ),
            "key_refused",
        ),
        (
            401,
            (
                b'{"error":{"message":"LiteLLM Virtual Key expected. Received=abc, expected to '
                b'start with \'sk-\'.","type":"auth_error"}}'
            ),
            "key_refused",
        ),
        (
            401,
            b'{"error":{"message":"Expired Key","type":"expired_key","code":"401"}}',
            "key_refused",
        ),
        (
            403,
            (
                b'{"error":{"message":"key not allowed to access model","type":'
                b'"key_model_access_denied"}}'
            ),
            "key_refused",
        ),
        (
            401,
            b'{"error":{"message":"team not allowed","type":"team_model_access_denied"}}',
            "key_refused",
        ),
        (
            429,
            b'{"error":{"message":"Budget has been exceeded!","type":"budget_exceeded"}}',
            "rate_limited",
        ),
        (401, b'{"error":{"message":"Invalid token","code":"invalid_api_key"}}', "key_refused"),
        (404, b"404 page not found", "path_wrong"),
        (404, b'{"detail":"Not Found"}', "path_wrong"),
        (404, b'{"message":"Not Found","ok":false}', "path_wrong"),
        (404, b"", "path_wrong"),
        (
            200,
            b'{"error":"Unexpected endpoint or method. (GET /models). Returning 200 anyway"}',
            "path_wrong",
        ),
        (
            404,
            b'{"error":{"message":"model \'llama9\' not found","type":"api_error"}}',
            "model_unknown",
        ),
        (404, b'{"error":"model \'llama9\' not found, try pulling it first"}', "model_unknown"),
        (404, b'{"error":{"message":"Model not found","code":"model_not_found"}}', "model_unknown"),
        (404, b'{"error":{"message":"No models loaded. Please load a model."}}', "model_unknown"),
        (
            400,
            b'{"error":{"message":"foo/bar is not a valid model ID","code":400}}',
            "model_unknown",
        ),
        (
            404,
            b'{"error":{"message":"No endpoints found for foo/bar.","code":404}}',
            "model_unknown",
        ),
        (
            400,
            (
                b'{"object":"error","message":"The input (9000 tokens) is longer than the model\'s '
                b'context length (4096 tokens).","type":"BadRequestError","code":400}'
            ),
            "context_overflow",
        ),
        (
            400,
            b'{"error":"Trying to keep the first 9000 tokens when context the overflows."}',
            "context_overflow",
        ),
        (
            500,
            b'{"error":{"message":"Context size has been exceeded.","type":"server_error"}}',
            "context_overflow",
        ),
        (503, b'{"object":"error","message":"The request queue is full."}', "rate_limited"),
        (
            503,
            (
                b'{"error":{"message":"server busy, please try again.  maximum pending requests '
                b'exceeded"}}'
            ),
            "rate_limited",
        ),
        (400, b'{"error":"Model is unloaded."}', "loading"),
        (
            400,
            b'{"error":{"message":"registry.ollama.ai/x does not support tools"}}',
            "parameter_refused",
        ),
        (
            500,
            b'{"error":{"message":"Jinja Exception: System message must be at the beginning."}}',
            "parameter_refused",
        ),
        (
            422,
            b'{"detail":[{"loc":["body","store"],"msg":"Extra inputs are not permitted"}]}',
            "parameter_refused",
        ),
        (402, b'{"error":{"code":402,"message":"Insufficient credits"}}', "rate_limited"),
        (
            502,
            (
                b'{"error":{"code":502,"message":"Provider returned error","metadata":{"raw":'
                b'"the model is down"}}}'
            ),
            "upstream",
        ),
        (403, b"", "server_error"),
        (403, b'{"error":{"message":"moderated"}}', "key_refused"),
        (200, b'{"error":{"message":"No connected db.","type":"no_db_connection"}}', "key_refused"),
        (418, b"short and stout", "server_error"),
    ],
)
def test_what_other_servers_are_known_to_answer(status: int, body: bytes, code: str) -> None:
    fault = fault_from_reply(status, JSON, body, BASE, model="llama9", key=KEY)
    assert fault is not None
    assert fault.code == code


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [
        (200, "bad_shape", "login"),
        (401, "key_refused", ""),
        (404, "path_wrong", "chat API"),
        (413, "too_large", "limit"),
        (500, "bad_shape", ""),
        (502, "upstream", "the server behind it runs"),
        (503, "upstream", "the server behind it runs"),
        (504, "timeout", "limit"),
    ],
)
def test_web_pages_where_json_belongs(status: int, code: str, word: str) -> None:
    page = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body></body></html>"
    fault = fault_from_reply(status, HTML, page, BASE, model="m", key=KEY)
    assert fault is not None
    assert fault.code == code
    assert word in fault.fix


AWAY = read_base_url("http://gw.acme.lan:4000/v1")


def test_no_proxy_is_advised_once_and_never_for_this_machine() -> None:
    page = b"<html><title>502 Bad Gateway</title></html>"
    here = fault_from_reply(502, HTML, page, BASE, model=None, key=None)
    there = fault_from_reply(502, HTML, page, AWAY, model=None, key=None)
    assert here is not None
    assert there is not None
    assert "NO_PROXY" not in here.fix
    assert "NO_PROXY=localhost,127.0.0.1,::1,gw.acme.lan." in there.fix


@pytest.mark.parametrize(
    ("base", "server", "why", "fix"),
    [
        (AWAY, "", "Ollama does so", "«Host: localhost»"),
        (BASE, "", "no model server's way", "access rules"),
        (BASE, "AirTunes/870.14.1", "AirPlay", "another port"),
    ],
)
def test_403_without_a_word(base: BaseUrl, server: str, why: str, fix: str) -> None:
    fault = fault_from_reply(403, {"Server": server}, b"", base, model=None, key=None)
    assert fault is not None
    assert "without a word (403)" in fault.what
    assert why in fault.why
    assert fix in fault.fix


@pytest.mark.parametrize(
    ("status", "body", "code", "what"),
    [
        (200, b'{"error":"Unauthorized"}', "key_refused", "refuses the key"),
        (200, b'{"error":{"message":"Invalid API key provided"}}', "key_refused", "the key"),
        (200, b'{"error":{"message":"x","code":429}}', "rate_limited", "no more requests"),
        (200, b'{"error":"boom"}', "server_error", "answers with an error (and status 200)."),
        (
            400,
            (
                b'{"error":{"message":"Budget has been exceeded! Current cost: 2.1, Max budget: 2.0'
                b'","type":"budget_exceeded","param":null,"code":"400"}}'
            ),
            "rate_limited",
            "The key's budget is spent.",
        ),
        (
            400,
            b'{"error":{"message":"ExceededBudget: User=team over budget. Spend=20.1, Budget=20"}}',
            "rate_limited",
            "The key's budget is spent.",
        ),
        (401, b'{"error":{"message":"Key is blocked."}}', "key_refused", "The key is blocked."),
        (
            400,
            (
                b'{"status":"failure","message":"Either x-portkey-config or x-portkey-provider'
                b' header is required"}'
            ),
            "parameter_refused",
            "The gateway (Portkey) does not know where to send the request.",
        ),
        (
            429,
            (
                b'{"error":{"message":"No deployments available for selected model, Try again in 60'
                b" seconds. Passed model=m. pre-call-checks=False, cooldown_list=['0f3c']\"}}"
            ),
            "rate_limited",
            "The proxy has parked this model after an earlier failure.",
        ),
        (
            429,
            (
                b'{"error":{"message":"No deployments available for selected model, Try again in 5'
                b' seconds. Passed model=m. pre-call-checks=False, cooldown_list=[]"}}'
            ),
            "rate_limited",
            "The proxy's own limit for this model is reached.",
        ),
        (407, b"", "connection_failed", "wants a login of its own (407)."),
        (502, b"", "upstream", "does not reach the server."),
        (504, b"<html></html>", "timeout", "The model took longer"),
        (400, b"<html><title>400 No required SSL certificate was sent</title>", "tls", "wants a"),
    ],
)
def test_what_gateways_say_is_told_in_words_that_hold(
    status: int, body: bytes, code: str, what: str
) -> None:
    fault = fault_from_reply(status, JSON, body, AWAY, model="m", key=KEY)
    assert fault is not None
    assert fault.code == code
    assert what in fault.what
    assert "status 500" not in fault.what


@pytest.mark.parametrize(
    ("location", "what", "fix"),
    [
        ("/api/v1/models", "another path of its own", "Use http://gw.acme.lan:4000/api/v1 as"),
        ("http://gw.acme.lan:4000/v1/models/", "another path of its own", "answer there itself"),
        ("models/", "another path of its own", "answer there itself"),
        ("https://gw.acme.lan/v1/models", "on to https", "Use https://gw.acme.lan/v1."),
        ("https://sso.acme.lan/start", "a login page", "Ask its operator"),
        ("/login?next=/v1/models", "a login page", "Ask its operator"),
        ("https://other.example/v1", "another address", "use it as the base URL"),
        ("https://author.example/v1", "another address", "use it as the base URL"),
        ("http://[broken", "another address", ""),
        ("", "another address", ""),
    ],
)
def test_redirects_are_told_apart(location: str, what: str, fix: str) -> None:
    fault = fault_from_reply(307, {"Location": location}, b"", AWAY, model=None, key=KEY)
    assert fault is not None
    assert fault.code == "redirected"
    assert what in fault.what
    assert fix in fault.fix


def test_a_tls_port_that_was_asked_in_plain_says_https() -> None:
    page = b"<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>"
    fault = fault_from_reply(400, HTML, page, BASE, model=None, key=None)
    assert fault is not None
    assert fault.code == "tls"
    assert "https://127.0.0.1:4000" in fault.fix


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_told_and_its_query_is_not(status: int) -> None:
    headers = {"Location": f"https://u:p@evil.example/v1?key={KEY.reveal()}#x"}
    fault = fault_from_reply(status, headers, b"", BASE, model=None, key=KEY)
    assert fault is not None
    assert fault.code == "redirected"
    assert "https://evil.example/v1" in fault.why
    assert KEY.reveal() not in fault.why
    assert "u:p" not in fault.why


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (JSON, b'{"object":"list","data":[]}'),
        (JSON, b'{"error":null,"data":[]}'),
        (JSON, b""),
        ({"content-type": "text/event-stream"}, b"data: {}\n\n"),
        ({}, b"data: {}\n\n"),
        (JSON, b'"I\'m alive!"'),
    ],
)
def test_a_reply_without_an_error_is_none(headers: dict[str, str], body: bytes) -> None:
    assert fault_from_reply(200, headers, body, BASE, model=None, key=None) is None


def test_a_bare_500_blames_no_key_on_a_server_known_to_be_another() -> None:
    reply = load("transformers/error-empty-messages")
    fault = fault_from_reply(
        reply.status, reply.headers, reply.body, BASE, key=None, dialect="generic"
    )
    assert fault is not None
    assert fault.code == "server_error"


def test_a_model_unknown_behind_a_wildcard_is_the_persons_to_change() -> None:
    reply = load("litellm/bad-model-chat")
    fault = fault_from_reply(
        reply.status, reply.headers, reply.body, BASE, model="wild/no-such-model", key=KEY
    )
    assert fault is not None
    assert fault.code == "model_unknown"


def test_an_echoed_key_is_masked_whoever_it_belongs_to() -> None:
    body = f'{{"error":{{"message":"bad key {KEY.reveal()} sk-proj-abcdefghijklmnop"}}}}'.encode()
    fault = fault_from_reply(401, JSON, body, BASE, model=None, key=KEY)
    assert fault is not None
    assert "the-key-of-this-test" not in repr(fault)
    assert "abcdefghijklmnop" not in repr(fault)


def test_escape_sequences_of_a_server_are_made_visible() -> None:
    body = b'{"error":{"message":"\\u001b[31mred\\u202e"}}'
    fault = fault_from_reply(500, JSON, body, BASE, model="\x1b]0;m\x07", key=None)
    assert fault is not None
    text = fault.what + fault.why + fault.fix
    assert text.isprintable()
    assert "\\x1b[31mred" in fault.why


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("litellm/bad-key-chat", "Unauthorized"),
        ("litellm/bad-path-chat", "Not Found"),
        ("litellm/bad-key-llama-chat", "Invalid API Key"),
        ("litellm/bad-model-chat", "The model `no-such-model` does not exist."),
        ("vllm/error-no-key", "Unauthorized"),
        ("llamacpp/error-bad-key", "Invalid API Key"),
        ("litellm/meta-v2-model-info", "DB not connected."),
        ("transformers/param-unknown", "Unexpected fields in the request"),
        ("litellm/noprisma-error-no-key", "Internal Server Error"),
    ],
)
def test_the_innermost_words_are_dug_out(name: str, words: str) -> None:
    found = error_words(load(name).body)
    assert words in found
    assert "model group" not in found


@given(st.binary(max_size=300))
def test_any_body_is_judged(body: bytes) -> None:
    for status in (200, 400, 401, 404, 429, 500, 503):
        fault = fault_from_reply(status, {}, body, BASE, model="m", key=None)
        assert status == 200 or fault is not None
        assert fault is None or (fault.what + fault.why).isprintable()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "detail", "code", "type", "param", "loc", "msg"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values, st.integers(200, 599))
def test_any_json_is_judged(value: object, status: int) -> None:
    body = msgspec.json.encode(value)
    fault = fault_from_reply(status, JSON, body, BASE, model=None, key=KEY)
    assert fault is not None or 200 <= status < 300


def test_deep_json_is_no_danger() -> None:
    for body in (b"[" * 100_000, b'{"error":' * 50_000, b'{"error":{"message":"' + b"[" * 90_000):
        assert fault_from_reply(400, JSON, body, BASE, model=None, key=None) is not None
        error_words(body)


# ------------------------------------------------------------------ no reply


def caused(outer: Exception, inner: BaseException) -> Exception:
    outer.__cause__ = inner
    return outer


def os_error(number: int) -> OSError:
    return OSError(number, "as the system says it")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (caused(httpx.ConnectError("x"), socket.gaierror(-2, "Name unknown")), "name_unresolved"),
        (caused(httpx.ConnectError("x"), os_error(errno.ECONNREFUSED)), "connection_refused"),
        (
            caused(
                httpx.ConnectError("All connection attempts failed"),
                caused(
                    OSError("All connection attempts failed"),
                    ExceptionGroup(
                        "two addresses",
                        [os_error(errno.ECONNREFUSED), os_error(errno.EADDRNOTAVAIL)],
                    ),
                ),
            ),
            "connection_refused",
        ),
        (caused(httpx.ConnectError("x"), os_error(errno.EHOSTUNREACH)), "connection_failed"),
        (caused(httpx.ConnectError("x"), os_error(errno.ETIMEDOUT)), "timeout"),
        (httpx.ConnectTimeout("x"), "timeout"),
        (httpx.ReadTimeout("x"), "timeout"),
        (TimeoutError(), "timeout"),
        (httpx.ProxyError("Proxy Server could not connect: Host unreachable."),
         "connection_failed"),
        (httpx.ProxyError("407 Proxy Authentication Required"), "connection_failed"),
        (caused(httpx.ReadError("x"), os_error(errno.ECONNRESET)), "connection_failed"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."),
         "connection_failed"),
        (httpx.RemoteProtocolError("illegal status line: bytearray(b'SSH-2.0')"), "bad_shape"),
        (httpx.RemoteProtocolError(
            "peer closed connection without sending complete message body (received 3 bytes)"),
         "stream_broken"),
        (httpx.RemoteProtocolError(
            "<ConnectionTerminated error_code:ErrorCodes.ENHANCE_YOUR_CALM, last_stream_id:0,"
            " additional_data:None>"), "connection_failed"),
        (httpx.LocalProtocolError("Illegal header value b'Bearer sk-secret\\n'"), "key_refused"),
        (caused(httpx.ConnectError("x"), ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong")),
         "tls"),
        (UnicodeError("label empty or too long"), "name_unresolved"),
        (OSError("something else"), "connection_failed"),
    ],
)  # fmt: skip
def test_exceptions_become_faults_in_plain_words(error: Exception, code: str) -> None:
    fault = fault_from_exception(error, BASE)
    assert fault.code == code
    assert "sk-secret" not in repr(fault)
    assert "Errno" not in fault.what
    assert fault.fix


def certificate_error(message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, f"certificate verify failed: {message}")
    error.verify_message = message
    return error


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("self-signed certificate", "NODE_EXTRA_CA_CERTS"),
        ("unable to get local issuer certificate", "--ca-file"),
        ("certificate has expired", "renewed"),
        ("Hostname mismatch, certificate is not valid for 'a'.", "made out for"),
        ("IP address mismatch, certificate is not valid for '::1'.", "made out for"),
    ],
)
def test_certificates_are_told_apart(message: str, word: str) -> None:
    fault = fault_from_exception(caused(httpx.ConnectError("x"), certificate_error(message)), BASE)
    assert fault.code == "tls"
    assert word in fault.fix


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = OSError("a"), OSError("b")
    first.__context__, second.__context__ = second, first
    assert fault_from_exception(first, BASE).code == "connection_failed"


@pytest.mark.parametrize(
    ("status", "headers", "words", "code", "what", "fix"),
    [
        (401, {"www-authenticate": 'Basic realm="x"'}, "", "key_refused", "Basic", "Authorization"),
        (401, {}, "x-api-key header is required", "key_refused", "x-api-key", "x-api-key"),
        (
            422,
            {},
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.",
            "context_overflow",
            "does not fit",
            "larger window",
        ),
        (
            503,
            {},
            "litellm.ServiceUnavailableError: OpenAIException - Loading model",
            "loading",
            "behind the proxy",
            "Wait",
        ),
        (
            500,
            {},
            "litellm.APIConnectionError: Connection error",
            "upstream",
            "cannot reach the server behind it",
            "api_base",
        ),
        (404, {}, "Not Found", "path_wrong", "not at this path", "lets POST"),
    ],
)
def test_causes_that_were_once_mistaken(
    status: int, headers: dict[str, str], words: str, code: str, what: str, fix: str
) -> None:
    body = msgspec.json.encode({"error": {"message": words}})
    base = read_base_url("http://gw.lan:4000/v1")
    fault = fault_from_reply(status, headers, body, base, model="m", key=Secret("sk-some-key"))
    assert fault is not None
    assert fault.code == code
    assert what in fault.what
    assert fix in fault.fix
    assert "should end in /v1" not in fault.fix


@pytest.mark.parametrize("name", ["retry-after", "llm_provider-retry-after"])
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("7", " It asks to wait 7 s."),
        ("2.5", " It asks to wait 2 s."),
        ("9" * 20, ""),
        ("sk-the-key", ""),
        ("Wed, 21 Oct 2026 07:28:00 GMT", ""),
        ("", ""),
    ],
)
def test_only_a_number_of_seconds_is_told_of_what_a_server_asks(
    name: str, asked: str, told: str
) -> None:
    """A header may repeat the key, or the start of it that no masking finds again."""
    body = b'{"error":{"message":"slow down"}}'
    fault = fault_from_reply(429, {**JSON, name: asked}, body, BASE, key=KEY)
    assert fault is not None
    assert fault.what == f"127.0.0.1:4000 takes no more requests just now.{told}"


def test_a_cooldown_without_a_number_is_its_usual_one() -> None:
    body = b'{"error":{"message":"all_deployments_in_cooldown"}}'
    fault = fault_from_reply(429, {**JSON, "retry-after": "sk-the-key"}, body, BASE, key=KEY)
    assert fault is not None
    assert fault.fix.startswith("Wait 5 s")
