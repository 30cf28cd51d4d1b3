"""Which provider Pi would take for a lane that nobody gave a model, as far as can be known.

Warden hands Pi empty settings, so no saved default counts. Pi walks a fixed list of its built-in
providers and takes the first that has credentials; only when none has any does it take the first
model that was registered or stands in ``models.json``. The environment is all that is seen here:
credentials in Pi's ``auth.json`` count too and cannot be known from a config file.

Source: pi-coding-agent ``core/model-resolver.ts`` (order), pi-ai ``env-api-keys.ts`` (variables);
the copy of ``WARDEN_<X>_API_KEY`` to ``<X>_API_KEY``: getsentry/warden ``utils/index.ts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

PI_CREDENTIALS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "amazon-bedrock": (
        ("AWS_PROFILE",),
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_BEARER_TOKEN_BEDROCK",),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
        ("AWS_WEB_IDENTITY_TOKEN_FILE",),
    ),
    "ant-ling": (("ANT_LING_API_KEY",),),
    "anthropic": (("ANTHROPIC_OAUTH_TOKEN",), ("ANTHROPIC_API_KEY",)),
    "openai": (("OPENAI_API_KEY",),),
    "azure-openai-responses": (("AZURE_OPENAI_API_KEY",),),
    "openai-codex": (),
    "radius": (("RADIUS_API_KEY",),),
    "nvidia": (("NVIDIA_API_KEY",),),
    "deepseek": (("DEEPSEEK_API_KEY",),),
    "google": (("GEMINI_API_KEY",),),
    "google-vertex": (
        ("GOOGLE_CLOUD_API_KEY",),
        ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"),
    ),
    "github-copilot": (("COPILOT_GITHUB_TOKEN",),),
    "openrouter": (("OPENROUTER_API_KEY",),),
    "vercel-ai-gateway": (("AI_GATEWAY_API_KEY",),),
    "xai": (("XAI_API_KEY",),),
    "groq": (("GROQ_API_KEY",),),
    "cerebras": (("CEREBRAS_API_KEY",),),
    "zai": (("ZAI_API_KEY",),),
    "zai-coding-cn": (("ZAI_CODING_CN_API_KEY",),),
    "mistral": (("MISTRAL_API_KEY",),),
    "minimax": (("MINIMAX_API_KEY",),),
    "minimax-cn": (("MINIMAX_CN_API_KEY",),),
    "moonshotai": (("MOONSHOT_API_KEY",),),
    "moonshotai-cn": (("MOONSHOT_API_KEY",),),
    "huggingface": (("HF_TOKEN",),),
    "fireworks": (("FIREWORKS_API_KEY",),),
    "together": (("TOGETHER_API_KEY",),),
    "baseten": (("BASETEN_API_KEY",),),
    "opencode": (("OPENCODE_API_KEY",),),
    "opencode-go": (("OPENCODE_API_KEY",),),
    "kimi-coding": (("KIMI_API_KEY",),),
    "cloudflare-workers-ai": (("CLOUDFLARE_API_KEY", "CLOUDFLARE_ACCOUNT_ID"),),
    "cloudflare-ai-gateway": (
        ("CLOUDFLARE_API_KEY", "CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_GATEWAY_ID"),
    ),
    "qwen-token-plan": (("QWEN_TOKEN_PLAN_API_KEY",),),
    "qwen-token-plan-cn": (("QWEN_TOKEN_PLAN_CN_API_KEY",),),
    "qwen-token-plan-individual": (("QWEN_TOKEN_PLAN_API_KEY",),),
    "xiaomi": (("XIAOMI_API_KEY",),),
    "xiaomi-token-plan-cn": (("XIAOMI_TOKEN_PLAN_CN_API_KEY",),),
    "xiaomi-token-plan-ams": (("XIAOMI_TOKEN_PLAN_AMS_API_KEY",),),
    "xiaomi-token-plan-sgp": (("XIAOMI_TOKEN_PLAN_SGP_API_KEY",),),
}
"""Pi's built-in providers in the order in which Pi tries them; for each, the sets of variables
that count as credentials (every variable of one set must be there). Empty: only ``auth.json``."""

_LABELS: Final = {
    "amazon-bedrock": "Amazon Bedrock",
    "anthropic": "Anthropic",
    "openai": "OpenAI",
    "azure-openai-responses": "Azure OpenAI",
    "openai-codex": "OpenAI Codex",
    "nvidia": "NVIDIA",
    "deepseek": "DeepSeek",
    "google": "Google",
    "google-vertex": "Google Vertex AI",
    "github-copilot": "GitHub Copilot",
    "openrouter": "OpenRouter",
    "vercel-ai-gateway": "Vercel AI Gateway",
    "xai": "xAI",
    "groq": "Groq",
    "cerebras": "Cerebras",
    "mistral": "Mistral",
    "minimax": "MiniMax",
    "moonshotai": "Moonshot",
    "huggingface": "Hugging Face",
    "fireworks": "Fireworks",
    "together": "Together",
}


class PiChoice(msgspec.Struct, frozen=True):
    """What Pi would take for a lane without a model."""

    provider: str | None
    """A provider id, or None when the environment does not tell."""
    variables: tuple[str, ...]
    """The variables that decided it, as they stand in the environment; names only."""
    hosted: bool
    """True when the provider is one of Pi's built-in ones."""
    why: str
    """One sentence for a person."""


_BY_LOGIN: Final = frozenset({"google-antigravity", "google-gemini-cli"})


def is_hosted(name: str) -> bool:
    """True when Pi knows ``name`` as a hosted service (exact spelling, as Pi compares)."""
    return name in PI_CREDENTIALS or name in _BY_LOGIN


def label(provider: str) -> str:
    """The provider's name for a person: ``anthropic`` -> ``Anthropic``; unknown ids as they are."""
    return _LABELS.get(provider, provider)


def pi_choice(env: Mapping[str, str], registered: tuple[str, ...] = ()) -> PiChoice:
    """What Pi would pick with these variables.

    ``registered`` are the providers that Warden registers and that have a key, in order: Pi falls
    back to them when no built-in provider has credentials.
    """
    for provider, sets in PI_CREDENTIALS.items():
        for names in sets:
            found = tuple(present for name in names if (present := _present(env, name)))
            if len(found) == len(names):
                verb = "is" if len(found) == 1 else "are"
                return PiChoice(
                    provider,
                    found,
                    hosted=True,
                    why=f"left to Pi, which takes {label(provider)} because "
                    f"{' and '.join(found)} {verb} set",
                )
    if registered:
        return PiChoice(
            registered[0],
            (),
            hosted=False,
            why=f"left to Pi, which takes the first registered model ({registered[0]}), by luck: "
            "no hosted provider has a key in this environment",
        )
    return PiChoice(
        None,
        (),
        hosted=False,
        why="left to Pi: no hosted provider has a key in this environment, so what Pi's auth.json "
        "and models.json hold decides",
    )


def _present(env: Mapping[str, str], name: str) -> str | None:
    """The variable that gives ``name`` a value, after Warden's copy of its own prefix."""
    if env.get(name):
        return name
    prefixed = f"WARDEN_{name}"
    # Warden copies only key variables: WARDEN_<X>_API_KEY, whatever X is.
    if name.endswith("_API_KEY") and env.get(prefixed):
        return prefixed
    return None
