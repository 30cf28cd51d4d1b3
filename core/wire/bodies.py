"""What a reply's body says: JSON that may be hostile, and errors in every shape servers use.

Shapes: OpenAI ``{"error":{"message","type","code"}}``; vLLM ``{"error":"Unauthorized"}``; FastAPI
``{"detail":...}``; SGLang's top-level ``message``; Ollama's ``{"error":"text"}``; plain text; HTML.
LiteLLM quotes its upstream's body inside its own message (BerriAI/litellm
``litellm_core_utils/exception_mapping_utils.py``).
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Final, TypeAlias, TypeGuard

import msgspec

from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json: TypeAlias = object
"""A decoded JSON value; narrow it with :func:`as_dict` and its like."""

_EXCEPTION: Final = re.compile(r"\b([A-Za-z][A-Za-z_]*)Exception - ")
_GROUP: Final = re.compile(r"\s*LiteLLM: model group '([^']*)' failed with the error above\.[^\n]*")
_QUOTED: Final = re.compile(r"""['"](?:message|detail|error)['"]\s*:\s*(['"])(.+?)\1""", re.DOTALL)
_KEY_LIKE: Final = re.compile(r"\b(sk-|Bearer\s+)[A-Za-z0-9_\-]{12,}")
_WORDS_LIMIT: Final = 400
_DIGITS: Final = 400
# Longer than any count, shorter than what Python refuses to read.
_ESCAPE: Final = re.compile(
    # A whole pair, half of one (group 1), or any other escape: none is read from its middle.
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)


class ErrorBody(msgspec.Struct, frozen=True):
    """What an error reply says, dug out of whatever shape it came in. All of it foreign text."""

    message: str = ""
    """The server's own message, its quotation of another server's included."""
    inner: str = ""
    """The words of the server behind a proxy, when the message quotes them."""
    type: str = ""
    code: str = ""
    param: str = ""
    upstream: str = ""
    """The adapter that failed behind LiteLLM: ``Hosted_vllm``, ``OpenAI``; empty without one."""
    group: str = ""
    """LiteLLM's model group that failed; empty when LiteLLM itself refused."""
    html: bool = False


def read_json(body: bytes) -> Json:
    """Decode JSON from a server, mended where a part of it is broken: see :func:`mended_json`.

    Raises:
        ValueError: not JSON at all, or nested deeper than any honest reply.
    """
    return mended_json(body)[0]


def mended_json(body: bytes) -> tuple[Json, bool]:
    """JSON from a server, and whether some of it had to be mended to be read.

    One bad value must not cost a whole list: half a surrogate pair and bytes that are no UTF-8
    become U+FFFD, a number beyond all bounds an infinity, NaN null; a byte order mark is dropped.

    Raises:
        ValueError: not JSON at all, or nested deeper than any honest reply.
    """
    try:
        return msgspec.json.decode(body), False
    except RecursionError as error:
        raise ValueError("not JSON") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        text = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
        if "\\u" in text:
            text = _ESCAPE.sub(_whole_character, text)
        value = json.loads(text, parse_int=_count, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    return value, True


def _whole_character(found: re.Match[str]) -> str:
    """An escape as it is, but U+FFFD for half a surrogate pair."""
    return "\\ufffd" if found[1] else found[0]


def _count(digits: str) -> int | float:
    return int(digits) if len(digits) < _DIGITS else math.inf


def _constant(word: str) -> float | None:
    return None if word == "NaN" else float(word)


def as_dict(value: Json) -> Mapping[str, Json]:
    """``value`` if it is a JSON object, else an empty one."""
    return value if _is_object(value) else {}


def as_list(value: Json) -> Sequence[Json]:
    """``value`` if it is a JSON array, else an empty one."""
    return value if _is_array(value) else ()


def as_text(value: Json) -> str:
    """``value`` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def is_html(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a reply is a web page: by its type, or by its first bytes.

    JSON that is sent as a web page is JSON: some gateways never set a type of their own.
    """
    head = body[:200].lstrip().lower()
    if "html" in headers.get("content-type", "").lower():
        return head[:1] not in {b"{", b"["}
    return head.startswith((b"<!doctype html", b"<html"))


def read_error(body: bytes) -> ErrorBody:
    """Dig an error out of a body of any shape. Never raises."""
    if is_html({}, body):
        text = body[:20_000].decode("utf-8", "replace")
        title = re.search(r"<(title|h1)[^>]*>(.*?)</\1>", text, re.IGNORECASE | re.DOTALL)
        return ErrorBody(message=title[2].strip() if title else "", html=True)
    try:
        value = read_json(body)
    except ValueError:
        return _parted(body[:20_000].decode("utf-8", "replace").strip())
    if isinstance(value, str):
        return _parted(value)
    if _is_array(value):  # Google-style gateways answer with a list of one
        value = value[0] if value else {}
    top = as_dict(value)
    nested = as_dict(top.get("error")) or as_dict(as_dict(top.get("detail")).get("error"))
    fields = nested or top
    message = _message(top)
    found = _parted(message)
    return msgspec.structs.replace(
        found,
        type=as_text(fields.get("type")) or as_text(fields.get("error_type")),
        code=_scalar(fields.get("code")),
        param=as_text(fields.get("param")),
    )


def error_words(body: bytes) -> str:
    """What an error body says, on one line and safe to show: the innermost message there is.

    JSON that LiteLLM quotes inside its message is opened; its suffix about model groups is cut.
    Strings that look like keys are masked, whoever they belong to.
    """
    error = read_error(body)
    return shown(error.inner or error.message)


def shown(text: str) -> str:
    """Foreign words on one line, controls made visible, what looks like a key masked."""
    return one_line(_KEY_LIKE.sub(r"\1••••••••", text), _WORDS_LIMIT)


def _parted(message: str) -> ErrorBody:
    """Part a message into the proxy's words and those it quotes."""
    group = _GROUP.search(message)
    plain = _GROUP.sub("", message).strip()
    # A LiteLLM behind a LiteLLM nests them; the last is the innermost.
    exception = max(_EXCEPTION.finditer(plain), key=lambda found: found.end(), default=None)
    inner = plain[exception.end() :].strip() if exception else ""
    quoted = _quoted(inner or plain)
    return ErrorBody(
        message=plain,
        inner=quoted or inner,
        upstream=exception[1] if exception else "",
        group=group[1] if group else "",
    )


def _quoted(text: str) -> str:
    """The message inside JSON (or a Python dict) that stands inside ``text``."""
    start = text.find("{")
    if start < 0:
        return ""
    try:
        value, _ = json.JSONDecoder().raw_decode(text[start : start + 20_000])
    except (ValueError, RecursionError):
        found = _QUOTED.search(text[start : start + 2000])
        return found[2] if found else ""
    return _message(as_dict(value))


def _message(top: Mapping[str, Json]) -> str:
    """The text in ``error``, ``message``, ``detail`` or ``errors``, however deep it sits."""
    for key in ("error", "message", "detail", "msg", "errors", "error_description"):
        text = _text_of(top.get(key), 0)
        if text:
            raw = as_text(as_dict(as_dict(top.get("error")).get("metadata")).get("raw"))
            return f"{text}: {raw}" if raw else text  # OpenRouter: the upstream's own words
    return ""


def _text_of(value: Json, depth: int) -> str:
    if isinstance(value, str) or depth > 3:
        return as_text(value)
    if _is_array(value):  # FastAPI: one entry a field that is wrong
        parts: list[str] = []
        for one in value[:3]:
            entry = as_dict(one)
            where = ".".join(_scalar(part) for part in as_list(entry.get("loc")))
            text = _text_of(one, depth + 1)
            parts.append(f"{where}: {text}" if where else text)
        return "; ".join(part for part in parts if part)
    entry = as_dict(value)
    for key in ("message", "error", "msg", "detail"):
        text = _text_of(entry.get(key), depth + 1)
        if text:
            return text
    return ""


def _scalar(value: Json) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    return str(value) if isinstance(value, (int, str)) else ""


def _is_object(value: Json) -> TypeGuard[dict[str, Json]]:
    return isinstance(value, dict)


def _is_array(value: Json) -> TypeGuard[list[Json]]:
    return isinstance(value, list)
