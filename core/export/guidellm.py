"""A GuideLLM command line, for those who want load beyond one request at a time.

Option names and the key's variable were tried with GuideLLM 0.8.1 (``guidellm run --help``;
``schemas/benchmark/entrypoints``: settings with the prefix ``GUIDELLM__``; ``schemas/backends/
openai_http``: the target with or without ``/v1``, redirects followed and certificates not checked
unless it is told). The key goes by the environment, never on the command line.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Final

from core.export.jsonc import dumped
from core.export.setup import Export, base_of, words_of
from core.text import one_line

if TYPE_CHECKING:
    from core.export.setup import Setup
    from core.providers.base_url import BaseUrl

VERSION: Final = "0.8.1"
KEY_VARIABLE: Final = "GUIDELLM__SPEC__BACKEND__API_KEY"
_REQUESTS: Final = 50
_PROMPT: Final = 2_000
_ANSWER: Final = 256


def guidellm(setup: Setup) -> Export:
    """A ready ``guidellm run`` for the model of the agent lane, as a shell script's lines."""
    provider, model = setup.chosen("agent")
    base = base_of(provider)
    streams = setup.concurrency or 4
    # As JSON: in its short form a comma splits, and an id such as 1e3 or no is read as YAML.
    backend = dumped(_backend(base, model.id))
    parts = [
        "guidellm run",
        f"--backend {quote(backend)}",
        f"--profile kind=concurrent,streams={streams}",
        f"--data kind=synthetic_text,prompt_tokens={_PROMPT},output_tokens={_ANSWER}",
        f"--constraint kind=max_requests,count={_REQUESTS}",
        '--tokenizer "kind=hf_auto,model=${TOKENIZER:?a Hugging Face id or a folder}"',
        "--output kind=json,path=guidellm.json",
    ]
    needs_key, name = provider.name not in setup.keyless, one_line(provider.name, 60)
    lines = [
        *(f"# {word}" for word in words_of(setup)),
        f"# GuideLLM {VERSION}: other versions may spell options otherwise (guidellm run --help)",
        *([f"# {KEY_VARIABLE} must hold the key of {name}"] if needs_key else []),
        " \\\n  ".join(parts),
    ]
    notes = [
        "TOKENIZER names the model's tokenizer: GuideLLM counts with it.",
        "It averages gaps over a request: a stall shows in turnkey ping, not there.",
        "It sends ignore_eos and continuous_usage_stats, which a strict gateway refuses.",
    ]
    if base.scheme == "https":
        notes.append("Certificates are checked here; for a CA of your own set SSL_CERT_FILE.")
    if provider.headers:
        notes.append("The headers of the provider are left out: they would stand in its report.")
    names = (KEY_VARIABLE,) if needs_key else ()
    return Export("guidellm", "\n".join(lines) + "\n", "guidellm.sh", tuple(notes), names)


def _backend(base: BaseUrl, model: str) -> dict[str, object]:
    found: dict[str, object] = {
        "kind": "openai_http",
        "target": base.url.removesuffix("/v1"),
        "model": model,
        # Its own defaults follow redirects with the key, and take any certificate.
        "follow_redirects": False,
        "verify": True,
        # Its check asks /health, which many servers do not have, and LiteLLM asks every model for.
        "validate_backend": False,
    }
    if not base.url.endswith("/v1"):
        found["api_routes"] = {"/v1/chat/completions": "chat/completions"}
    return found
