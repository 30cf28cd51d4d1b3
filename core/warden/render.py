"""New TOML text: keys, values, and the tables of a provider. tomlkit does the quoting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.warden.config import Cost, ModelEntry, Provider

Scalar = str | int | float | bool
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def key_text(name: str) -> str:
    """A key as it is written: bare where it may be, else quoted."""
    return name if _BARE.fullmatch(name) else string_text(name)


def dotted_text(names: Sequence[str]) -> str:
    """A dotted key: ``defaults.providers."lm studio"``."""
    return ".".join(map(key_text, names))


def string_text(value: str, *, like: str = "") -> str:
    """A string in double quotes, or in single ones where ``like``, what it replaces, has them."""
    from tomlkit import string
    from tomlkit.exceptions import InvalidStringError

    # Above a "literal" string's reach: quotes and control characters must be escaped.
    if like.startswith("'") and not like.startswith("'''"):
        try:
            return string(value, literal=True).as_string()
        except InvalidStringError:
            pass
    return string(value).as_string()


def value_text(value: object, *, like: str = "") -> str:
    """Any plain value on one line: text, numbers, booleans, and sequences and mappings of them.

    TypeError for anything else: only this program's own values are rendered.
    """
    if isinstance(value, str):
        return string_text(value, like=like)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(value_text(one) for one in value)}]"
    if isinstance(value, dict):
        return inline_text(value)
    raise TypeError(f"{type(value).__name__} has no TOML form here")


def inline_text(table: Mapping[str, object]) -> str:
    """An inline table: ``{ a = 1, b = "x" }``."""
    if not table:
        return "{}"
    pairs = ", ".join(f"{key_text(key)} = {value_text(value)}" for key, value in table.items())
    return f"{{ {pairs} }}"


def number(value: float) -> int | float:
    """A price as a person writes it: whole ones without a fraction."""
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else float(value)


def cost_table(cost: Cost) -> dict[str, object]:
    """``cost`` with all four of its fields, which Warden's schema requires together."""
    return {
        "input": number(cost.input),
        "output": number(cost.output),
        "cacheRead": number(cost.cache_read),
        "cacheWrite": number(cost.cache_write),
    }


def model_table(model: ModelEntry) -> dict[str, object]:
    """A model's keys in their usual order; what equals Warden's default is not written."""
    table: dict[str, object] = {"id": model.id}
    if model.name is not None and model.name != model.id:
        table["name"] = model.name
    if model.reasoning:
        table["reasoning"] = True
    if model.input != ("text",):
        table["input"] = list(model.input)
    if model.context_window is not None:
        table["contextWindow"] = model.context_window
    if model.max_tokens is not None:
        table["maxTokens"] = model.max_tokens
    if model.cost is not None:
        table["cost"] = cost_table(model.cost)
    return table


def provider_table(provider: Provider) -> dict[str, object]:
    """A provider's keys in their usual order, without its models; only what is given."""
    table: dict[str, object] = {"baseUrl": provider.base_url}
    if provider.api is not None:
        table["api"] = provider.api
    if provider.api_key_env is not None:
        table["apiKeyEnv"] = provider.api_key_env
    if provider.headers:
        table["headers"] = dict(provider.headers)
    return table


def whole_provider(provider: Provider) -> dict[str, object]:
    """A provider's table with its models: what the file must parse to."""
    table = provider_table(provider)
    if provider.models:
        table["models"] = [model_table(model) for model in provider.models]
    return table


def table_lines(
    path: Sequence[str], table: Mapping[str, object], *, array: bool = False
) -> list[str]:
    """A header and its keys, a line each, without line endings."""
    name = dotted_text(path)
    header = f"[[{name}]]" if array else f"[{name}]"
    return [header, *(f"{key_text(key)} = {value_text(value)}" for key, value in table.items())]


def model_lines(path: Sequence[str], models: Sequence[ModelEntry]) -> list[str]:
    """``[[...models]]`` blocks with a blank line between them; ``path`` is that of the array."""
    lines: list[str] = []
    for model in models:
        if lines:
            lines.append("")
        lines += table_lines(path, model_table(model), array=True)
    return lines


def provider_lines(path: Sequence[str], provider: Provider) -> list[str]:
    """The whole block of a provider, its models below it, as a person would write it."""
    lines = table_lines(path, provider_table(provider))
    if provider.models:
        lines += ["", *model_lines([*path, "models"], provider.models)]
    return lines
