"""How the demo's good models use tools: look around, read what matters, then answer from it.

Pure: the conversation so far in, the next calls (or none) out. Knows the tools that Warden offers
its lanes (read, grep, find, ls) by what they are called, and any other by its schema.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

import msgspec

from core.demo.script import Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from core.demo.ask import Ask, Function

_READ: Final = ("read", "read_file", "view", "cat")
_GREP: Final = ("grep", "search", "ripgrep")
_FIND: Final = ("find", "glob")
_LS: Final = ("ls", "list", "list_dir", "list_files")

_MOST_READS: Final = 6
_MOST_CALLS: Final = 14
"""A model that looked so often answers with what it has."""

_PATH: Final = re.compile(
    r"(?<![\w./:-])(?:\./)?((?:[\w.-]+/)*(?:[\w-][\w.-]*\.[A-Za-z]\w{0,7}|README|LICENSE|Makefile))"
    r"(?![\w/])"
)
_TERM: Final = re.compile(
    r"[`'\"«“]([^`'\"»”\n]{2,60})[`'\"»”]|\b([A-Za-z]+_\w+|[a-z]+[A-Z]\w+|\w+(?=\(\)))"
)
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{2,}")
_NEEDS_LOOKING: Final = re.compile(
    r"\b(?:read|find|grep|search|list|look|open|inspect|review|explore|file|files|folder|directory"
    r"|repo|repository|code|codebase|bug|function|diff|hunk|path|tool|tools)\b",
    re.IGNORECASE,
)
_LOOK_FURTHER: Final = re.compile(
    r"\b(?:grep|find|search|explore|callers?|elsewhere|repository|repo|codebase|look (?:in|for))\b",
    re.IGNORECASE,
)
_POINTER: Final = re.compile(
    r"\b(?:see|read|open|moved to|(?:is|are|stands|lives) in|look (?:in|at))\s+[`'\"]?"
    r"((?:[\w.-]+/)*[\w-][\w.-]*\.[A-Za-z]\w{0,7})",
    re.IGNORECASE,
)
_COMMON_WORDS: Final = (
    "the and for with that this from what where which who when how does are was its not you your"
    " use tools tool read find grep file files repository repo code answer tell name value one"
    " please look list all any into then only say reply word line there here"
)
_COMMON: Final = frozenset(_COMMON_WORDS.split())
_CODE_ENDINGS: Final = (
    "py ts tsx js jsx go rs java rb c h cc cpp cs kt php swift sql sh toml yaml yml json"
)
_CODE: Final = frozenset(_CODE_ENDINGS.split())
_TEXT_ENDINGS: Final = "md txt rst cfg ini conf lock env csv html css xml log mod sum diff patch"
_ENDINGS: Final = _CODE | frozenset(_TEXT_ENDINGS.split())
"""What a name without a folder must end with to be a file: ``self.store.put`` is none."""


class Done(msgspec.Struct, frozen=True):
    """A call of this loop with what came back."""

    name: str
    arguments: dict[str, object]
    result: str

    @property
    def path(self) -> str:
        """The path that was asked for, or the empty string."""
        return next((str(self.arguments[key]) for key in _PATHS if key in self.arguments), "")


class Line(msgspec.Struct, frozen=True):
    """A line that a tool showed, with where it stands."""

    path: str
    number: int
    text: str


def history(ask: Ask) -> list[Done]:
    """The calls since the last user message that have been answered, in order."""
    results = {m.tool_call_id: m.text for m in ask.since_question if m.role == "tool"}
    done: list[Done] = []
    for message in ask.since_question:
        for called in message.tool_calls or ():
            if called.id in results:
                arguments = _object(called.function.arguments)
                done.append(Done(called.function.name, arguments, results[called.id]))
    return done


def next_calls(ask: Ask) -> tuple[Call, ...]:
    """The calls to make now; none when there is nothing to look up, or enough was seen."""
    offered = ask.functions
    if not offered:
        return ()
    done = history(ask)
    if ask.named_choice in offered:
        return (_call(offered[ask.named_choice], ask.question),)
    forced = ask.tool_choice == "required"
    calls: tuple[Call, ...] = ()
    if len(done) < _MOST_CALLS and (done or forced or _about_tools(ask.question, offered)):
        calls = tuple(_planned(ask.question, offered, done))
    if forced and not calls:
        calls = (_call(next(iter(offered.values())), ask.question),)
    return calls[:1] if ask.parallel_tool_calls is False else calls


def evidence(ask: Ask, most: int = 8) -> list[Line]:
    """The lines among the results that bear on the question most, best first."""
    words = set(_words(ask.question + " " + ask.instructions[-2000:]))
    asked = set(_words(ask.question))
    ranked: list[tuple[int, int, Line]] = []
    for line in _shown(history(ask)):
        if len(line.text) > _MIN_QUOTED and line.text in ask.question:
            continue  # it was told; it is no answer
        said = set(_words(line.text))
        score = 3 * len(said & asked) + len(said & words)
        setting = _SETTING.match(line.text)
        if setting is not None and asked & set(_words(setting["name"])):
            score += _SETTING_WEIGHT
        ranked.append((-score, len(ranked), line))
    ranked.sort(key=lambda entry: entry[:2])
    return [line for _, _, line in ranked[:most]]


_SETTING: Final = re.compile(r"[\"']?(?P<name>[\w.-]+)[\"']?\s*[:=]\s*\S")
_SETTING_WEIGHT: Final = 20
"""A line that gives a value to the very thing that was asked for outweighs any talk of it."""
_MIN_QUOTED: Final = 12


def _about_tools(question: str, offered: Mapping[str, Function]) -> bool:
    if _NEEDS_LOOKING.search(question) or _PATH.search(question):
        return True
    asked = set(_words(question))
    return any(asked & set(_words(f"{f.name} {f.description or ''}")) for f in offered.values())


def _planned(question: str, offered: Mapping[str, Function], done: list[Done]) -> list[Call]:
    """What to do next: read what is named, else look around, else read what was found."""
    reader = _first(offered, _READ)
    reads = [call for call in done if reader is not None and call.name == reader.name]
    looks = [call for call in done if call not in reads]
    seen = {_norm(call.path) for call in reads}
    named = _paths(question)
    if reader is not None:
        wanted = [path for path in (*named, *_pointers(reads)) if path not in seen]
        if wanted and len(seen) < _MOST_READS:
            return [_call(reader, path) for path in wanted[:4]]
    if named and reads and not _LOOK_FURTHER.search(question):
        return []
    listing = _first(offered, _LS)
    listed = {_norm(call.path) for call in looks if listing and call.name == listing.name}
    folders = [folder for folder in _folders(looks) if folder not in listed]
    if listing is not None and folders and listed:
        return [_call(listing, folder) for folder in folders[:4]]
    found = [path for path in _found(looks) if path not in seen]
    if not found and not (seen - set(named)):
        tried = [(call.name, call.arguments) for call in done]
        fresh = (
            call
            for call in _first_looks(question, offered)
            if (call.name, _object(call.arguments)) not in tried
        )
        first = next(fresh, None)
        if first is not None:
            return [first]
        return [] if done else [_call(next(iter(offered.values())), question)]
    if reader is None or len(seen) >= _MOST_READS:
        return []
    found.sort(key=lambda path: -_interest(path, question))
    return [_call(reader, path) for path in found[: min(4, _MOST_READS - len(seen))]]


def _first_looks(question: str, offered: Mapping[str, Function]) -> Iterator[Call]:
    """Ways to find out where to look, the most telling first."""
    searcher = _first(offered, _GREP)
    terms = [a or b for a, b in _TERM.findall(question)]
    terms = [term for term in terms if not _PATH.fullmatch(term) and term not in offered]
    if searcher is not None and terms:
        yield _call(searcher, re.escape(terms[0]))
    for names, what in ((_LS, "."), (_FIND, "*")):
        tool = _first(offered, names)
        if tool is not None:
            yield _call(tool, what)
    words = sorted({word for word in _words(question) if len(word) > 3}, key=len, reverse=True)
    if searcher is not None:
        for word in words[:3]:
            yield _call(searcher, word)
    reader = _first(offered, _READ)
    if reader is not None:
        yield _call(reader, "README.md")


def _first(offered: Mapping[str, Function], names: Iterable[str]) -> Function | None:
    return next((offered[name] for name in names if name in offered), None)


# ---------------------------------------------------------------------------- arguments

_PATHS: Final = ("path", "file_path", "filePath", "file", "filename", "dir", "directory")
_PATTERNS: Final = ("pattern", "query", "regex", "glob", "search", "text")


def _call(tool: Function, subject: str) -> Call:
    """A call of ``tool`` about ``subject`` (a path, a pattern), valid by the tool's schema."""
    schema = tool.parameters or {}
    properties = _dict(schema.get("properties"))
    required = schema.get("required")
    needed = [str(name) for name in required] if isinstance(required, list) else []
    by_pattern = tool.name in _GREP + _FIND
    first = _PATTERNS if by_pattern else _PATHS + _PATTERNS
    subject_key = next((key for key in first if key in properties), None)
    if subject_key is None:
        texts = [key for key in properties if _type(properties[key]) == "string"]
        subject_key = next((key for key in texts if key in needed), texts[0] if texts else None)
    arguments: dict[str, object] = {}
    if subject_key is not None:
        arguments[subject_key] = subject
    for key in needed:
        if key not in arguments:
            arguments[key] = _filler(key, _dict(properties.get(key)), subject)
    return Call(tool.name, msgspec.json.encode(arguments).decode())


def _filler(key: str, schema: Mapping[str, object], subject: str) -> object:
    kinds = schema.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        return None
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return choices[0]
    match _type(schema):
        case "integer" | "number":
            least = schema.get("minimum")
            return least if isinstance(least, int | float) else 1
        case "boolean":
            return False
        case "array":
            return []
        case "object":
            return {}
    return "." if key in _PATHS else subject


def _type(schema: object) -> str:
    kinds = _dict(schema).get("type")
    if isinstance(kinds, list):
        return next((str(kind) for kind in kinds if kind != "null"), "string")
    return kinds if isinstance(kinds, str) else "string"


# ---------------------------------------------------------------------------- reading results


def _paths(text: str) -> list[str]:
    found = [_norm(match) for match in _PATH.findall(text) if _is_file(match)]
    return list(dict.fromkeys(found))


def _is_file(name: str) -> bool:
    ending = name.rpartition(".")[2].lower()
    return "/" in name or "." not in name or ending in _ENDINGS


def _pointers(reads: list[Done]) -> list[str]:
    """Files that what was read points to: «see docs/x.md»."""
    return [_norm(match) for call in reads for match in _POINTER.findall(call.result)]


def _folders(looks: list[Done]) -> list[str]:
    found: list[str] = []
    for call in looks:
        if call.name in _LS:
            entries = (line.strip() for line in call.result.splitlines())
            found += [_join(call.path, entry[:-1]) for entry in entries if entry.endswith("/")]
    return [folder for folder in found if not posixpath.basename(folder).startswith(".")]


def _found(looks: list[Done]) -> list[str]:
    found: list[str] = []
    for call in looks:
        for line in call.result.splitlines():
            match = _PATH.match(line.strip())
            if match is None:
                continue
            path = match.group(1)
            found.append(_join(call.path, path) if call.name in _LS else _norm(path))
    return list(dict.fromkeys(found))


def _interest(path: str, question: str) -> int:
    name, _, ending = posixpath.basename(path).rpartition(".")
    asked = set(_words(question))
    hits = len(asked & set(_words(path.replace("_", " "))))
    return 10 * hits + (4 if ending in _CODE else 0) + (2 if name.lower() == "readme" else 0)


_GREPPED: Final = re.compile(r"^(?P<path>[^\s:]+):(?P<number>\d+):(?P<text>.*)$")
_NUMBERED: Final = re.compile(r"^\s*(?P<number>\d+)[\t|:→]\s?(?P<text>.*)$")


def _shown(done: list[Done]) -> Iterable[Line]:
    for call in done:
        if call.name in _LS + _FIND:
            continue
        for place, text in enumerate(call.result.splitlines(), start=1):
            if not text.strip():
                continue
            grepped = _GREPPED.match(text)
            numbered = _NUMBERED.match(text)
            if grepped is not None:
                yield Line(grepped["path"], int(grepped["number"]), grepped["text"].strip())
            elif numbered is not None and call.name in _READ:
                yield Line(call.path, int(numbered["number"]), numbered["text"].strip())
            else:
                yield Line(call.path, place, text.strip())


def _words(text: str) -> list[str]:
    parts = re.sub(r"([a-z])([A-Z])", r"\1 \2", text.replace("_", " "))
    lowered = (word.lower() for word in _WORD.findall(parts))
    return [word for word in lowered if word not in _COMMON]


def _norm(path: str) -> str:
    normal = posixpath.normpath(path) if path else "."
    return normal.lstrip("/") or "."


def _join(folder: str, name: str) -> str:
    return _norm(posixpath.join(folder or ".", name))


def _object(text: str) -> dict[str, object]:
    try:
        decoded: object = msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        return {}
    return _dict(decoded)


def _dict(value: object) -> dict[str, object]:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}
