"""Models and what probes of conversations, thinking and images find of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.core.verify.habits import (
    SEER,
    THINKER,
    Case,
    always,
    bad_effort,
    bare_past,
    budget_text,
    by_chance,
    callers,
    effort_means,
    flaky,
    has_image,
    history_without_tools,
    kwargs_switch,
    medium,
    nameless,
    null_content,
    on_sums,
    once,
    past,
    sometimes,
    strict,
    thinks_and_wants,
    tool_results,
    user_after_tool,
)
from tests.servers.fake_model import FakeModel, has

if TYPE_CHECKING:
    from collections.abc import Callable


def _moody(seed: int) -> Callable[[], FakeModel]:
    return lambda: FakeModel(thinks=by_chance(seed, 0, 3, 40))


CASES: Final = (  # the conversation sent back
    Case("tool-result-name", FakeModel, "pass", "not_needed"),
    Case(
        "tool-result-name",
        lambda: FakeModel(refuses={"name": nameless}),
        "fail",
        "needed",
        (("requiresToolResultName", True),),
    ),
    Case(
        "tool-result-name",
        lambda: FakeModel(refuses={"no": lambda body: bool(tool_results(body))}),
        "unsure",
        "both_refused",
    ),
    Case("null-content", FakeModel, "pass", "not_needed"),
    Case(
        "null-content",
        lambda: FakeModel(refuses={"null": null_content}),
        "fail",
        "needed",
        (("requiresNonNullAssistantContent", True),),
    ),
    Case(
        "null-content",
        lambda: FakeModel(refuses={"no": lambda body: bool(callers(body))}),
        "unsure",
        "both_refused",
    ),
    Case("user-after-tool", FakeModel, "pass", "not_needed"),
    Case(
        "user-after-tool",
        lambda: FakeModel(refuses={"order": user_after_tool}),
        "fail",
        "needed",
        (("requiresAssistantAfterToolResult", True),),
    ),
    Case(
        "user-after-tool",
        lambda: FakeModel(refuses={"no": lambda body: bool(callers(body))}),
        "unsure",
        "both_refused",
    ),
    Case("tool-history", FakeModel, "pass", "not_needed"),
    Case(
        "tool-history",
        lambda: FakeModel(refuses={"tools=": history_without_tools}),
        "pass",
        "not_needed",
    ),
    Case(
        "tool-history",
        lambda: FakeModel(refuses={"tools=": history_without_tools}),
        "pass",
        "needed",
        (("requiresToolsWithToolHistory", True),),
        variant="stock",
    ),
    Case(
        "tool-history",
        lambda: FakeModel(refuses={"empty": lambda body: body.get("tools") == []}),
        "unsure",
        "empty_refused",
    ),
    Case(
        "tool-history",
        lambda: FakeModel(
            refuses={"none": lambda body: bool(callers(body)) and not body.get("tools")}
        ),
        "fail",
        "refused",
    ),
    Case(
        "tool-history",
        lambda: FakeModel(refuses={"no": lambda body: bool(callers(body))}),
        "unsure",
        "both_refused",
    ),
    Case("thinking-replay", lambda: FakeModel(thinks=always), "pass", "honoured"),
    Case("thinking-replay", FakeModel, "pass", "no_thinking"),
    Case(
        "thinking-replay",
        lambda: FakeModel(
            thinks=always,
            refuses={"extra": lambda body: any("reasoning_content" in one for one in past(body))},
        ),
        "fail",
        "needed",
        (("requiresThinkingAsText", True),),
    ),
    Case("thinking-replay", FakeModel, "unsure", "no_thinking", facts=THINKER),
    Case("reasoning-content", FakeModel, "pass", "not_needed"),
    Case(
        "reasoning-content",
        lambda: FakeModel(refuses={"reasoning_content": bare_past}),
        "fail",
        "needed",
        (("requiresReasoningContentOnAssistantMessages", True),),
    ),
    Case(
        "reasoning-content",
        lambda: FakeModel(refuses={"reasoning_content": thinks_and_wants}),
        "fail",
        "needed",
        (("requiresReasoningContentOnAssistantMessages", True),),
        THINKER,
    ),
    Case("tool-result-name", lambda: FakeModel(refuses={"x": once(nameless)}), "unsure", "unclear"),
    Case("thinking-replay", lambda: FakeModel(thinks=on_sums), "pass", "honoured"),
    Case(
        "levels",
        lambda: FakeModel(thinks=effort_means, refuses={"wrong": flaky(medium)}),
        "unsure",
        "unclear",
    ),
    Case(
        "thinking-budget",
        lambda: FakeModel(refuses={"maximum exceeded": budget_text}),
        "unsure",
        "ignored",
    ),
    Case(
        "reasoning-content",
        lambda: FakeModel(refuses={"no": lambda body: bool(past(body))}),
        "unsure",
        "both_refused",
    ),
    # thinking
    Case("thinking", lambda: FakeModel(thinks=always), "pass", "honoured"),
    Case("thinking", lambda: FakeModel(thinks=always, field_name="reasoning"), "pass", "honoured"),
    Case("thinking", FakeModel, "pass", "none"),
    Case("thinking", lambda: FakeModel(thinks=always, field_name="tags"), "fail", "tags"),
    Case("thinking", lambda: FakeModel(thinks=always, field_name="parts"), "fail", "parts"),
    Case("thinking", FakeModel, "unsure", "none", facts=THINKER),
    Case(
        "reasoning-effort",
        lambda: FakeModel(thinks=always, refuses={"one of": bad_effort}),
        "pass",
        "honoured",
    ),
    Case("reasoning-effort", lambda: FakeModel(thinks=effort_means), "pass", "honoured"),
    Case(
        "reasoning-effort",
        lambda: FakeModel(thinks=always, refuses={"unsupported": has("reasoning_effort")}),
        "fail",
        "refused",
        (("supportsReasoningEffort", False),),
    ),
    Case(
        "reasoning-effort",
        lambda: FakeModel(refuses={"unsupported": has("reasoning_effort")}),
        "pass",
        "refused",
        (("supportsReasoningEffort", False),),
    ),
    Case(
        "reasoning-effort",
        lambda: FakeModel(thinks=always),
        "unsure",
        "ignored",
        (("supportsReasoningEffort", False),),
    ),
    Case(
        "levels",
        lambda: FakeModel(
            thinks=effort_means,
            refuses={
                "one of": lambda body: body.get("reasoning_effort") in {"minimal", "turnkey-bogus"}
            },
        ),
        "pass",
        "some",
    ),
    Case(
        "levels",
        lambda: FakeModel(
            thinks=effort_means,
            refuses={
                "low or high": lambda body: (
                    body.get("reasoning_effort", "low") not in {"low", "high"}
                )
            },
        ),
        "fail",
        "refused",
    ),
    Case("levels", lambda: FakeModel(thinks=always), "unsure", "any_word"),
    Case("thinking-format", lambda: FakeModel(thinks=effort_means), "pass", "honoured"),
    Case("thinking", lambda: FakeModel(thinks=always, field_name="hidden"), "pass", "hidden"),
    Case(
        "thinking-format",
        lambda: FakeModel(thinks=sometimes(2, 0, 0)),
        "unsure",
        "ignored",
        (("supportsReasoningEffort", False),),
    ),
    Case(
        "reasoning-effort",
        lambda: FakeModel(thinks=always, refuses={"unknown": strict}),
        "pass",
        "accepted",
    ),
    Case(
        "thinking-format",
        lambda: FakeModel(
            thinks=lambda body: 3 if body.get("reasoning_effort") == "medium" else 0,
            refuses={"not off": lambda body: body.get("reasoning_effort") == "none"},
        ),
        "pass",
        "half",
        facts=THINKER,
    ),
    Case("thinking-format", FakeModel, "pass", "no_thinking"),
    Case(
        "thinking-format",
        lambda: FakeModel(thinks=kwargs_switch, refuses={"no": has("reasoning_effort")}),
        "fail",
        "other",
        (("thinkingFormat", "qwen-chat-template"),),
        THINKER,
    ),
    Case(
        "thinking-format",
        lambda: FakeModel(thinks=kwargs_switch),
        "pass",
        "other",
        (("thinkingFormat", "qwen-chat-template"),),
        THINKER,
        "stock",
    ),
    Case(
        "thinking-format",
        lambda: FakeModel(thinks=always),
        "unsure",
        "ignored",
        (("supportsReasoningEffort", False),),
    ),
    Case(
        "thinking-budget",
        lambda: FakeModel(thinks=always, refuses={"thinking_budget": budget_text}),
        "pass",
        "honoured",
        (("thinkingTokenBudgetField", "thinking_budget"),),
    ),
    Case(
        "thinking-budget",
        lambda: FakeModel(refuses={"no": lambda body: any("budget" in name for name in body)}),
        "fail",
        "refused",
    ),
    Case("thinking-budget", FakeModel, "unsure", "ignored"),
    # images
    Case("image", lambda: FakeModel(sees_images=True), "pass", "honoured", facts=SEER),
    Case(
        "image",
        lambda: FakeModel(refuses={"not multimodal": has_image}),
        "fail",
        "refused",
        facts=SEER,
    ),
    Case("image", lambda: FakeModel(refuses={"not multimodal": has_image}), "pass", "refused"),
    Case("image", FakeModel, "fail", "dropped", facts=SEER),
    Case("image", lambda: FakeModel(counts=False), "unsure", "not_seen", facts=SEER),
    # a model that thinks when it likes obeys no switch, however often one seems to work
    *(
        Case(
            "thinking-format",
            _moody(seed),
            "unsure",
            "ignored",
            (("supportsReasoningEffort", False),),
            THINKER,
        )
        for seed in range(6)
    ),
)
