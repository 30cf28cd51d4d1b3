"""Where a key is, in a few words for a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.keys.source import KeySource


def source_words(source: KeySource) -> str:
    """«key in the keyring, this origin alone», «key from $WARDEN_VLLM_API_KEY», «no key: …»."""
    if source.fault is not None and source.fault.code != "key_missing":
        return f"▲ {source.fault.what}"
    match source.source:
        case "environment":
            return f"key from ${source.variable}"
        case "keyring":
            return "key in the keyring, this origin alone"
        case "memory":
            return "key kept for this run"
        case "placeholder":
            return "no key: none is needed on this machine"
        case _:
            return f"▲ no key: set ${source.variable} or type one"
