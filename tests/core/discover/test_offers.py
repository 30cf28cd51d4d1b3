from __future__ import annotations

from core.discover.discover import Found
from core.discover.offers import Offer, offers
from core.providers.known import Known


def test_what_answers_comes_first_and_nothing_twice() -> None:
    found = (
        Found("http://127.0.0.1:4000/v1", "litellm", "LiteLLM proxy", "1.2", wants_key=True),
        Found("http://127.0.0.1:11434/v1", "ollama", "Ollama", "0.12.3", wants_key=False),
    )
    known = (
        Known("LITELLM_BASE_URL", "http://localhost:4000/v1", "litellm", "LiteLLM proxy"),
        Known("VLLM_BASE_URL", "https://vllm.acme.lan/v1", "vllm", "vLLM"),
    )
    assert offers(found, known) == (
        Offer("litellm", "http://127.0.0.1:4000/v1", "wants a key"),
        Offer("ollama", "http://127.0.0.1:11434/v1", "0.12.3"),
        Offer("vllm", "https://vllm.acme.lan/v1", "from $VLLM_BASE_URL"),
    )


def test_a_line_has_columns_and_no_control_characters() -> None:
    line = Offer("lmstudio", "http://127.0.0.1:1234/v1", "v\x1b[31m").line()
    assert line.startswith("LM Studio    127.0.0.1:1234  ")
    assert "\x1b" not in line
