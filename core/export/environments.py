"""Environments of other readers: ml-intern, an LLM gateway, and what stock Warden reads.

Sources: huggingface/ml-intern ``agent/core/local_models.py``; paradigmxyz/centaur pull request 189;
getsentry/warden pull requests 512 and 516. Every text is plain ``NAME=value`` lines that a shell,
direnv and ``docker --env-file`` read alike; no value of a key is in any of them.
"""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING, Final

from core.errors import Fault, Refusal
from core.export.pi_models import header_variables, key_variable
from core.export.setup import Export, Setup, Target, base_of, words_of
from core.providers.presets import presets
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.providers.base_url import BaseUrl
    from core.warden.config import Provider

_SHARED: Final = ("vllm/", "LOCAL_LLM")
"""For a server without a prefix of its own in ml-intern: that of any OpenAI-compatible one, and the
shared variables (``agent/core/local_models.py``). The others' are in ``assets/presets.toml``."""

_FILES: Final[dict[Target, str]] = {
    "stock-env": "warden.env",
    "ml-intern": "ml-intern.env",
    "gateway": "gateway.env",
}
_CHAT_IN_CATALOGUE: Final = frozenset({"openrouter", "groq", "deepseek", "together", "moonshotai"})
"""Providers of Pi's own catalogue whose models speak chat completions; others speak Responses or
Messages, and a moved base URL keeps the wire format."""


def ml_intern(setup: Setup) -> Export:
    """ml-intern's variables and selector for the model of the agent lane.

    Raises Refusal ``not_exportable`` where its selector could not name the model.
    """
    provider, model = setup.chosen("agent")
    base = base_of(provider)
    if re.search(r"\s", model.id):
        raise _no(
            f"ml-intern cannot name the model «{one_line(model.id, 80)}».",
            "Its selectors hold no white space.",
            "Give the server an alias without one.",
        )
    if not base.url.endswith("/v1"):
        raise _no(
            f"ml-intern cannot ask {_name(provider)}: it adds /v1 to {one_line(base.url, 160)}.",
            "Its requests go to /v1/chat/completions below the address alone.",
            "Give the server an address that ends in /v1.",
        )
    known = setup.dialects.get(provider.name)
    own = next((one.ml_intern for one in presets() if one.dialect == known), None)
    prefix, stem = own or _SHARED
    lines = [f"{stem}_BASE_URL={quote(base.url)}"]
    notes = [f"ml-intern --model {quote(prefix + model.id)}"]
    names: tuple[str, ...] = ()
    if provider.name in setup.keyless:
        notes.append("The server needs no key; ml-intern sends one of its own that nobody checks.")
    else:
        names = (f"{stem}_API_KEY",)
        lines.append(f"# {names[0]}: the key of {_name(provider)}, from ${key_variable(provider)}")
    if own is None:
        notes.append("VLLM_BASE_URL and VLLM_API_KEY go before these: leave them unset.")
    if provider.headers:
        notes.append("ml-intern sends no extra headers; those of the provider are left out.")
    notes.append("ml-intern never sends an effort to a server of your own.")
    return _export("ml-intern", setup, lines, notes, names)


def gateway(setup: Setup, *, chat: bool = True, messages: bool = True) -> Export:
    """A gateway's variables (Centaur), for the sides that answered: chat and messages.

    ``ANTHROPIC_API_KEY`` and ``OPENAI_API_KEY`` are slots for the gateway's own key there.
    Raises Refusal where neither side answers, or the address has what that reader cannot take.
    """
    provider, _ = setup.chosen("agent")
    base = base_of(provider)
    if not chat and not messages:
        raise _no(
            f"{provider.name} answers neither /v1/chat/completions nor /v1/messages.",
            "A gateway must speak one of them.",
            "turnkey doctor shows what it does answer.",
        )
    default = {"http": 80, "https": 443}[base.scheme]
    host = base.host if ":" not in base.host else f"[{base.host}]"
    lines = [
        "# on the API container: the host alone, to which alone the keys may go",
        f"CENTAUR_LLM_GATEWAY_HOST={quote(host)}",
        "# in the sandbox (sandbox.extraEnv)",
    ]
    names = []
    if messages:
        lines.append(f"ANTHROPIC_BASE_URL={quote(_without_v1(base))}")
        lines.append(f"# ANTHROPIC_API_KEY: the gateway's key ({_from(provider)}), as X-Api-Key")
        names.append("ANTHROPIC_API_KEY")
    if chat:
        lines.append(f"OPENAI_BASE_URL={quote(base.url)}")
        lines.append(f"# OPENAI_API_KEY: the gateway's key ({_from(provider)}), as a Bearer")
        names.append("OPENAI_API_KEY")
    notes = ["These slots hold the gateway's key, not a hosted provider's."]
    if provider.headers:
        notes.append("Its clients send no extra headers; those of the provider are left out.")
    if base.scheme == "http":
        notes.append(
            "Plain http is refused there: put a TLS terminator with your own CA before the server."
        )
    if base.port != default:
        notes.append(f"The host is named without its port {base.port}: check that 443 reaches it.")
    if not messages:
        notes.append("/v1/messages did not answer, so clients of Anthropic's kind are left out.")
    if not chat:
        notes.append("/v1/chat/completions did not answer, so clients of that kind are left out.")
    return _export("gateway", setup, lines, notes, tuple(names))


def stock_environment(setup: Setup, folder: str) -> Export:
    """What stock Warden reads beside ``models.json``: where it is, and which keys it needs.

    ``folder`` is that of the exported ``models.json``. ``WARDEN_<P>_BASE_URL`` is written for no
    provider that Pi's own catalogue does not have: Pi would not know its models, and the call
    would fail (getsentry/warden pull request 512).
    """
    chosen = setup.used() or setup.providers
    lines = [f"PI_CODING_AGENT_DIR={_folder(folder)}"]
    notes, names = [], []
    for provider in chosen:
        for name in header_variables(provider):
            names.append(name)
            lines.append(f"# {name}: a header of {_name(provider)} reads it")
        if provider.name in setup.keyless and not provider.api_key_env:
            continue
        names.append(key_variable(provider))
        lines.append(f"# {names[-1]}: the key of {_name(provider)} (turnkey run sets it)")
    notes += [one for provider in chosen for one in _not_moved(provider)]
    notes.append("turnkey export pi --output FOLDER/models.json writes the file itself.")
    notes.append("In CI give it a copy of its own: Pi writes there, too.")
    return _export("stock-env", setup, lines, notes, tuple(dict.fromkeys(names)))


def _folder(path: str) -> str:
    """``path`` for a shell; a leading ``~/`` stays bare: Pi itself reads it, and so no file of
    another reader needs quotes for it."""
    home, below = ("~/", path[2:]) if path.startswith("~/") and path[2:] else ("", path)
    return home + quote(below)


def _not_moved(provider: Provider) -> Iterable[str]:
    """Why ``WARDEN_<P>_BASE_URL`` is not the way for a provider, in words."""
    variable = f"WARDEN_{provider.name.upper()}_BASE_URL"
    if provider.name not in _CHAT_IN_CATALOGUE:
        yield (
            f"{variable} would do nothing: Pi's catalogue has no provider {provider.name}, and"
            " stock Warden moves only models that are in it."
        )
    else:
        yield (
            f"{variable} is not written: it moves only models of Pi's own catalogue, which"
            f" turnkey does not hold; models.json declares those of {provider.name} itself."
        )
    if provider.headers:
        yield f"The headers of {provider.name} go with models.json."


def _name(provider: Provider) -> str:
    return one_line(provider.name, 60)


def _from(provider: Provider) -> str:
    return f"here ${key_variable(provider)}"


def _without_v1(base: BaseUrl) -> str:
    return base.url.removesuffix("/v1")


def _export(
    target: Target,
    setup: Setup,
    lines: list[str],
    notes: list[str],
    variables: tuple[str, ...],
) -> Export:
    header = [f"# {word}" for word in words_of(setup)]
    text = "\n".join([*header, *lines]) + "\n"
    if any("'" in line for line in lines if not line.startswith("#")):
        notes = [*notes, "A value is quoted for a shell; docker --env-file would keep the quotes."]
    return Export(target, text, _FILES[target], tuple(notes), variables)


def _no(what: str, why: str, fix: str) -> Refusal:
    return Refusal(Fault("not_exportable", what, why, fix))
