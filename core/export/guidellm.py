"""A GuideLLM command line, for those who want load beyond one request at a time.

Option names: GuideLLM 0.8.1 (``guidellm run --help``); an older or newer one may spell them
otherwise. The key goes by GuideLLM's own environment setting, never on the command line.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Final

from core.export.setup import Export, base_of, words_of

if TYPE_CHECKING:
    from core.export.setup import Setup

VERSION: Final = "0.8.1"
KEY_VARIABLE: Final = "GUIDELLM__OPENAI__API_KEY"
_REQUESTS: Final = 50


def guidellm(setup: Setup) -> Export:
    """A ready ``guidellm run`` for the model of the agent lane, as a shell script's lines."""
    provider, model = setup.chosen("agent")
    base = base_of(provider)
    target = base.url.removesuffix("/v1")  # GuideLLM adds it
    streams = setup.concurrency or 4
    parts = [
        "guidellm run",
        f"--backend {quote(f'kind=openai_http,target={target},model={model.id}')}",
        f"--profile kind=concurrent,streams={streams}",
        "--data kind=synthetic_text,prompt_tokens=2000,output_tokens=256",
        f"--constraint kind=max_requests,count={_REQUESTS}",
        '--tokenizer "kind=hf_auto,model=${TOKENIZER:?a Hugging Face id or a folder}"',
        "--output kind=json,path=guidellm.json",
    ]
    header = [f"# {word}" for word in words_of(setup.standing)]
    needs_key = provider.name not in setup.keyless
    lines = [
        *header,
        f"# GuideLLM {VERSION}: other versions may spell options otherwise (guidellm run --help)",
        *(
            [f"# {KEY_VARIABLE}: the key of {provider.name}, from your keyring"]
            if needs_key
            else []
        ),
        " \\\n  ".join(parts),
    ]
    notes = [
        "TOKENIZER names the model's tokenizer: GuideLLM counts with it.",
        "It averages gaps over a request: a stall shows in turnkey ping, not there.",
    ]
    if "," in model.id or "," in target:
        notes.append("The model id holds a comma, which GuideLLM's options split at: use an alias.")
    names = (KEY_VARIABLE,) if needs_key else ()
    return Export("guidellm", "\n".join(lines) + "\n", "guidellm.sh", tuple(notes), names)
