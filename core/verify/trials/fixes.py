"""What to do about a trial's failure, in one or two sentences, for the kind of server at hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from core.text import one_line
from core.verify.pi_shape import SAFETY_TOKENS
from core.verify.trials.cures import cure

if TYPE_CHECKING:
    from core.errors import Fault
    from core.verify.answered import Answered
    from core.verify.trials.setting import Setting
    from core.verify.trials.written_calls import Shape

_SMALL_WINDOW: Final = 16_384
"""Below this, Pi 1.5.2 caps the answers of a conversation with a few files in it very low."""


def parse_calls(setting: Setting, shape: Shape) -> str:
    """The server switch that turns written calls into calls."""
    return cure(setting.dialect, "parse_calls", shape.parser)


def tools_off(setting: Setting) -> str:
    """For a model that never calls a tool."""
    return cure(setting.dialect, "tools_off")


def larger_window(setting: Setting) -> str:
    """For a long prompt that was cut without a word."""
    return cure(setting.dialect, "larger_window")


def forced_none(setting: Setting) -> str:
    """For a gateway that takes an absent ``tool_choice`` for ``none``."""
    gateway = "Have the gateway leave tool_choice alone, or set it to auto where it is absent"
    if setting.variant == "stock":
        return (
            f'{gateway}. Until then write samplingParams = {{"tool_choice": "auto"}} for the '
            "model into Pi's models.json."
        )
    return f"{gateway}: Warden's Pi never sends it, and this Warden cannot be told to."


def split_reasoning(setting: Setting, *, what: Literal["leaks", "swallows"]) -> str:
    """For thinking and answer that end up in one another."""
    return cure(setting.dialect, what)


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


def finish(answered: Answered | None) -> str:
    """For an answer whose end, or whose form, is none that Pi takes."""
    if answered is not None and answered.list_content:
        return "Have the server, or the proxy before it, send content as text."
    if answered is not None and answered.finish_reason == "content_filter":
        return (
            "A content filter of the server, or of a gateway before it, stopped the answer: take "
            "it out of the way of code under review, or use an endpoint without one."
        )
    return "Update the server, or look whether a proxy on the way cuts the stream's end off."


def server_failed(fault: Fault) -> tuple[str, str, str]:
    """Finding, sentence and cure of a server's own failure, where Pi has asked often enough."""
    cure = fault.fix or "Look at the server's log for what it failed with."
    return "server_error", f"The server failed: {said(fault)}", cure


_TOOLS_OFF: Final = re.compile(
    r"tool-call-parser|auto-tool-choice|--jinja|support tools|tools param"
    r"|(tool|function)[ _-]?(use|call(ing|s)?) (is |are )?(not |un)(supported|available|enabled)",
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
