"""Addresses in other tools' variables are offered as addresses to connect to."""

from __future__ import annotations

import pytest

from core.providers.known import known_addresses


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, []),
        ({"OLLAMA_HOST": ""}, []),
        ({"OLLAMA_HOST": "0.0.0.0"}, [("ollama", "http://127.0.0.1:11434/v1")]),
        ({"OLLAMA_HOST": "0.0.0.0:8000"}, [("ollama", "http://127.0.0.1:8000/v1")]),
        ({"OLLAMA_HOST": "gpu.acme.lan"}, [("ollama", "http://gpu.acme.lan:11434/v1")]),
        ({"OLLAMA_HOST": "https://ai.acme.lan"}, [("ollama", "https://ai.acme.lan/v1")]),
        ({"OLLAMA_HOST": "[::1]"}, [("ollama", "http://[::1]:11434/v1")]),
        ({"LITELLM_BASE_URL": "gw.acme.lan:4000"}, [("litellm", "http://gw.acme.lan:4000/v1")]),
        ({"LITELLM_PROXY_API_BASE": "http://gw:4000"}, [("litellm", "http://gw:4000/v1")]),
        ({"VLLM_BASE_URL": "http://127.0.0.1:8000/v1"}, [("vllm", "http://127.0.0.1:8000/v1")]),
        ({"LOCAL_LLM_BASE_URL": "http://127.0.0.1:9/v1"}, [("generic", "http://127.0.0.1:9/v1")]),
        ({"LITELLM_BASE_URL": "ftp://gw"}, []),
        ({"LITELLM_BASE_URL": "http://me:secret@gw:4000"}, []),
    ],
)
def test_what_a_variable_holds(env: dict[str, str], expected: list[tuple[str, str]]) -> None:
    assert [(one.dialect, one.base_url) for one in known_addresses(env)] == expected


def test_one_address_is_offered_once() -> None:
    same = {"LITELLM_BASE_URL": "http://gw:4000", "LITELLM_API_BASE": "http://gw:4000/v1/"}
    (known,) = known_addresses(same)
    assert known.variable == "LITELLM_BASE_URL"
