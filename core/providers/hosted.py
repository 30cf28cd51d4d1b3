"""The hosted services that Warden's engine knows by itself, and the variables that open them.

One table for all who need it: which provider Pi would take for an unset lane, which names a
provider of one's own must not have, which keys in the environment let a lane escape.

Source: pi-coding-agent ``core/model-resolver.ts`` (order), pi-ai ``env-api-keys.ts`` (variables).
"""

from __future__ import annotations

from typing import Final

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

_BY_LOGIN: Final = frozenset({"google-antigravity", "google-gemini-cli"})


def is_hosted(name: str) -> bool:
    """True when Pi knows ``name`` as a hosted service (exact spelling, as Pi compares)."""
    return name in PI_CREDENTIALS or name in _BY_LOGIN


def label(provider: str) -> str:
    """The provider's name for a person: ``anthropic`` -> ``Anthropic``; unknown ids as they are."""
    return _LABELS.get(provider, provider)
