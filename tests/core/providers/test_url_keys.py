"""Keys in the query or the path of an address are found; ids and versions are none."""

from __future__ import annotations

import pytest

from core.providers.url_keys import address_keys, query_keys, shown_address, without_query_keys


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://h/v1?api_key=abcdef", "abcdef"),
        ("http://h/v1?apiKey=abcdef", "abcdef"),
        ("http://h/v1?api-version=1&subscription-key=secret99", "secret99"),
        ("http://h/v1?x=1;token=secret99", "secret99"),
        ("http://h/v1#access_token=secret99", "secret99"),
        ("http://h/v1?sig=Zm9vYmFy", "Zm9vYmFy"),
        ("http://h/v1?whatever=Ab3dEf6hIj9kLm2nOp5q", "Ab3dEf6hIj9kLm2nOp5q"),
        ("http://h/v1?x=sk-abcdefghijklmnop", "sk-abcdefghijklmnop"),
        ("http://h/sk-abcdefghijklmnop/v1", "sk-abcdefghijklmnop"),
        ("http://h/9f8e7d6c5b4a39281706f5e4d3c2b1a0/v1", "9f8e7d6c5b4a39281706f5e4d3c2b1a0"),
        ("http://h/token/short123pass", "short123pass"),
    ],
)
def test_a_key_in_an_address_is_found_and_masked(url: str, key: str) -> None:
    assert [url[start:end] for start, end in address_keys(url)] == [key]
    assert key not in shown_address(f"see {url}, or else")
    if key in query_keys(url):
        assert key not in without_query_keys(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://h:4000/v1",
        "http://h/openai/deployments/gpt-4o-2024-08-06?api-version=2024-05-01-preview",
        "http://h/v1?api_key=$KEY",
        "http://h/v1?key=1",
        "https://api.cloudflare.com/client/v4/accounts/0123456789abcdef0123456789abcdef/ai/v1",
        "https://gateway.ai.cloudflare.com/v1/0123456789abcdef0123456789abcdef/gw/compat",
        "http://h/v1/3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "litellm/qwen3-coder-480b-a35b-instruct-fp8",
    ],
)
def test_an_address_without_a_key_stays_as_it_is(url: str) -> None:
    assert address_keys(url) == ()
    assert shown_address(url) == url
    assert without_query_keys(url) == url
