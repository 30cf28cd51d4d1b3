"""What to do about a trial's failure, in one or two sentences, for the kind of server at hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.text import one_line
from core.verify.pi_shape import SAFETY_TOKENS

if TYPE_CHECKING:
    from core.errors import Fault
    from core.verify.trials.setting import Setting
    from core.verify.trials.written_calls import Shape

# SGLang spells some of vLLM's parsers otherwise.
_SGLANG: Final = {
    "hermes": "qwen25",
    "llama3_json": "llama3",
    "deepseek_v3": "deepseekv3",
    "openai": "gpt-oss",
    "granite": "llama3",
    "minimax_m1": "minimax-m2",
}
_OTHER_MODEL: Final = "choose a model that was trained to call tools"


_SMALL_WINDOW: Final = 16_384
"""Below this, Pi 1.5.2 caps the answers of a conversation with a few files in it very low."""


def parse_calls(setting: Setting, shape: Shape) -> str:
    """The server switch that turns written calls into calls."""
    parser = shape.parser
    match setting.dialect:
        case "vllm":
            return (
                "Start vLLM with --enable-auto-tool-choice and --tool-call-parser "
                f"{parser} (or the parser that the model's card names)."
            )
        case "sglang":
            return (
                f"Start SGLang with --tool-call-parser {_SGLANG.get(parser, parser)} (or the "
                "parser that the model's card names)."
            )
        case "llamacpp":
            return (
                "Start llama-server with --jinja and the model's own tool template "
                "(--chat-template-file), and update it if the model is newer than the build."
            )
        case "ollama":
            return (
                "Use a model whose page on ollama.com has the tools tag, with its own template; "
                "ollama show names its capabilities."
            )
        case "lmstudio":
            return "In LM Studio use a model with the tool badge, and update its runtime."
        case "litellm" | "openrouter":
            return (
                "Switch the tool parser on at the server behind the proxy (vLLM, SGLang: "
                f"--tool-call-parser {parser}; llama.cpp: --jinja). For Ollama write ollama_chat/ "
                "in the proxy's model list, not ollama/."
            )
    return (
        f"Switch the server's tool parser on (vLLM and SGLang: --tool-call-parser {parser}; "
        f"llama.cpp: --jinja), or {_OTHER_MODEL}."
    )


def tools_off(setting: Setting) -> str:
    """For a model that never calls a tool."""
    match setting.dialect:
        case "ollama":
            return "Use a model with the tools capability (ollama show), and a larger num_ctx."
        case "sglang" | "vllm":
            return (
                "Start the server with the model's --tool-call-parser (vLLM: "
                f"--enable-auto-tool-choice too), or {_OTHER_MODEL}."
            )
        case "llamacpp":
            return f"Start llama-server with --jinja, or {_OTHER_MODEL}."
    return f"Check that tools reach the model (the gateway may drop them), or {_OTHER_MODEL}."


def forced_none(setting: Setting) -> str:
    """For a gateway that takes an absent ``tool_choice`` for ``none``."""
    gateway = "Have the gateway leave tool_choice alone, or set it to auto where it is absent"
    if setting.variant == "stock":
        return (
            f'{gateway}. Until then write samplingParams = {{"tool_choice": "auto"}} for the '
            "model into Pi's models.json."
        )
    return f"{gateway}: Warden's Pi never sends it, and this Warden cannot be told to."


def split_reasoning(setting: Setting, *, what: str) -> str:
    """For thinking and answer that end up in one another. ``what``: ``leaks`` or ``swallows``."""
    swallows = what == "swallows"
    match setting.dialect:
        case "vllm" | "sglang":
            if swallows:
                return (
                    "Take the parser that fits the model (--reasoning-parser), or leave it out "
                    "for a model that does not think."
                )
            return "Start the server with the model's --reasoning-parser."
        case "llamacpp":
            if swallows:
                return "Start llama-server with --reasoning-format none, or with a newer template."
            return "Start llama-server with --jinja and --reasoning-format deepseek."
        case "ollama":
            return "Update Ollama: newer versions split thinking from the answer."
        case "lmstudio":
            return "In LM Studio switch on the developer setting that splits reasoning_content."
    if swallows:
        return (
            "Have the server use the reasoning parser that fits the model, or switch the model's "
            "thinking off."
        )
    return "Have the server split thinking off (vLLM, SGLang: --reasoning-parser)."


def more_room(setting: Setting) -> str:
    """For an answer that was cut at the output limit."""
    least = max(16_384, 2 * setting.pi.max_tokens)
    where = (
        "maxTokens of the model"
        if setting.variant == "providers"
        else "maxTokens in Pi's models.json"
    )
    if setting.variant == "stock" and setting.pi.context_window < _SMALL_WINDOW:
        return (
            f"Serve the model with a larger window: Pi keeps {SAFETY_TOKENS} tokens of it free, so "
            f"that {setting.pi.context_window} leave an agent's answers next to nothing."
        )
    effort = " Or set a lower effort for the lane." if setting.pi.reasoning else ""
    return (
        f"Set {where} to {least} or more, and look whether the server has a limit of its own."
        f"{effort}"
    )


def refused(setting: Setting, fault: Fault) -> str:
    """For a request that the server does not take, in the way this Warden can be told."""
    told = fault.fix.rstrip()
    if _TOOLS_OFF.search(said(fault)):
        return tools_off(setting)
    if fault.code != "parameter_refused":
        return told
    if setting.variant == "stock":
        return f"{told} turnkey export pi writes the compat flag that verify finds for it."
    return (
        f"{told} This Warden sends Pi's default fields and cannot be told otherwise: let the "
        "server or proxy take them (LiteLLM: drop_params), or use stock Warden with turnkey "
        "export pi."
    ).strip()


def server_failed(fault: Fault) -> tuple[str, str, str]:
    """Finding, sentence and cure of a server's own failure, where Pi has asked often enough."""
    cure = fault.fix or "Look at the server's log for what it failed with."
    return "server_error", f"The server failed: {said(fault)}", cure


_TOOLS_OFF: Final = re.compile(
    r"tool-call-parser|auto-tool-choice|--jinja|support tools|tool use is not|tools param",
    re.IGNORECASE,
)
"""What vLLM, llama.cpp and Ollama say when tools are not switched on, or not to be had."""


def said(fault: Fault) -> str:
    """What the server said, in one line."""
    return one_line(" ".join(part for part in (fault.what, fault.why) if part), 320)


MESSAGE_CHUNKS: Final = (
    "Update the server, or the gateway before it: in a stream each chunk's choice has a delta. "
    "One that only repeats whole replies as events must not stream."
)
"""For a stream whose chunks have the shape of whole replies."""

OTHER_MODEL: Final = "Choose another model for this lane."
"""When the model itself is not up to it."""
