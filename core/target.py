"""What a request goes to: an endpoint, a model, a key and headers, found from what was asked.

The rules are the command line's contract: ``--provider NAME [--model ID]``, or ``--lane LANE``, or
``--url URL [--model ID] [--key-env VAR]`` with no config at all; with none of them the agent lane.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.errors import Fault, KeyProblem, UsageProblem
from core.keys.clean import unsendable
from core.keys.secret import Secret
from core.providers.base_url import BaseUrl, read_base_url
from core.providers.key_forms import is_variable_name
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.keys.source import KeySource
    from core.warden.config import Provider
    from core.wire.chat import Api
    from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint to ask, with all that a request needs."""

    base: BaseUrl
    model: str | None
    key: Secret | None
    source: KeySource | None
    """Where the key came from; None when the endpoint was named by ``--url`` without a key."""
    provider: str | None = None
    headers: Mapping[str, Secret | str] = field(default_factory=dict)
    api: Api = "openai-completions"
    """The dialect that requests to it are put in, by the config's ``api``."""


def split_selector(selector: str) -> tuple[str, str]:
    """``provider/model-id`` at the first ``/`` (Warden ``model-selectors.ts``).

    Raises UsageProblem when either side is empty.
    """
    provider, slash, model = selector.partition("/")
    if not (provider and slash and model):
        raise UsageProblem(
            Fault(
                "usage",
                f"«{one_line(selector, 120)}» is not a selector.",
                "A selector is provider/model-id, split at the first slash.",
                "Write for example litellm/qwen3-coder.",
            )
        )
    return provider, model


@dataclass(frozen=True, slots=True)
class Named:
    """What the options name, before any key is looked for."""

    base: BaseUrl
    model: str | None
    provider: Provider | None
    """None: the endpoint was named by ``--url``."""
    key_env: str | None = None


def find_target(
    workspace: Workspace,
    *,
    provider: str | None = None,
    model: str | None = None,
    lane: str | None = None,
    url: str | None = None,
    key_env: str | None = None,
    needs_model: bool = True,
) -> Target:
    """The target that the options name, with its key: :func:`name_target`, then :func:`keyed`."""
    return keyed(
        workspace,
        name_target(
            workspace,
            provider=provider,
            model=model,
            lane=lane,
            url=url,
            key_env=key_env,
            needs_model=needs_model,
        ),
    )


def name_target(
    workspace: Workspace,
    *,
    provider: str | None = None,
    model: str | None = None,
    lane: str | None = None,
    url: str | None = None,
    key_env: str | None = None,
    needs_model: bool = True,
) -> Named:
    """The endpoint and model that the options name; no key is looked for.

    Raises UsageProblem when the options cannot be meant together or name nothing that exists.
    """
    check_together(provider=provider, model=model, lane=lane, url=url, key_env=key_env)
    if url is not None:
        return _bare(url, model, key_env, needs_model=needs_model)
    if provider is None and lane is None and not needs_model:
        found = _only_provider(workspace)
    elif provider is None:
        found, lane_model = _lane_provider(workspace, lane or "agent")
        model = model or lane_model
    else:
        found = workspace.provider(provider)
    if needs_model and model is None:
        model = _only_model(found)
    return Named(read_base_url(found.base_url, exact=True), model, found)


def check_together(
    *,
    provider: str | None,
    model: str | None,
    lane: str | None,
    url: str | None,
    key_env: str | None,
) -> None:
    """Raises UsageProblem for options that cannot be meant together."""
    given = [
        f"--{name}"
        for name, value in (("provider", provider), ("lane", lane), ("url", url))
        if value is not None
    ]
    if len(given) > 1:
        raise UsageProblem(
            Fault(
                "usage",
                f"{' and '.join(given)} do not go together.",
                "Each of them names an endpoint.",
                "Give one of --provider, --lane and --url.",
            )
        )
    if lane is not None and model is not None:
        raise UsageProblem(
            Fault(
                "usage",
                "--lane and --model do not go together.",
                "A lane has its model already.",
                "Give --provider NAME --model ID, or --lane alone.",
            )
        )
    if key_env is not None and url is None:
        raise UsageProblem(
            Fault(
                "usage",
                "--key-env goes with --url.",
                "A provider of the file has its key variable there.",
                "Leave it out, or name the endpoint with --url.",
            )
        )


def keyed(workspace: Workspace, named: Named) -> Target:
    """The target with its key, on the point of being asked.

    Raises KeyProblem when the key is missing, refused to this origin, or needs consent.
    """
    if named.provider is not None:
        return provider_target(workspace, named.provider, named.model)
    if named.key_env is None:
        return Target(named.base, named.model, None, None)
    # Both on one command line are consent for this command alone: nothing is recorded.
    secret = Secret(workspace.env.get(named.key_env, "").strip())
    shown = one_line(named.key_env, 60)
    if not secret:
        raise KeyProblem(
            Fault(
                "key_missing",
                f"The variable {shown} is not set.",
                "An empty value counts as unset.",
                f"Export {shown} in this shell and repeat.",
            )
        )
    fault = unsendable(secret, f"The key in {shown}")
    if fault is not None:
        raise KeyProblem(fault)
    return Target(named.base, named.model, secret, None)


def lane_selector(workspace: Workspace, lane: str) -> tuple[str, str]:
    """Provider and model id that ``lane`` resolves to.

    Raises UsageProblem when no rule gives one: then Pi would choose, and turnkey does not follow.
    """
    resolution = workspace.lanes().lanes[lane]
    if resolution.selector is None:
        raise UsageProblem(
            Fault(
                "usage",
                f"The {lane} lane has no model in {workspace.document.path.name}.",
                "Left unset, Warden's engine chooses one by itself.",
                f"turnkey lane set {lane} PROVIDER/MODEL, or name the target with --provider.",
            )
        )
    return split_selector(resolution.selector)


def _lane_provider(workspace: Workspace, lane: str) -> tuple[Provider, str]:
    name, model = lane_selector(workspace, lane)
    for provider in workspace.providers:
        if provider.name == name:
            return provider, model
    rule = workspace.lanes().lanes[lane].won_by
    raise UsageProblem(
        Fault(
            "usage",
            f"The {lane} lane goes to «{one_line(f'{name}/{model}', 120)}», by {rule}, and "
            f"{workspace.document.path.name} has no provider «{one_line(name, 60)}».",
            "turnkey asks only endpoints that the file declares.",
            f"turnkey lane set {lane} PROVIDER/MODEL, or turnkey provider add NAME --url URL.",
        )
    )


def provider_target(workspace: Workspace, provider: Provider, model: str | None) -> Target:
    """The target for a provider of the file. Raises KeyProblem as :func:`find_target` does."""
    base = read_base_url(provider.base_url, exact=True)
    source, key = workspace.key_for(provider, base)
    if source.fault is not None and key is None:
        raise KeyProblem(source.fault)
    headers = sendable_headers(workspace, provider.name, provider.headers, base)
    workspace.approvals.note(base.origin)
    return Target(base, model, key, source, provider.name, headers, api_of(provider))


def api_of(provider: Provider) -> Api:
    """The dialect that a provider's ``api`` names; Warden's only one where it names no other."""
    return "anthropic-messages" if provider.api == "anthropic-messages" else "openai-completions"


def told_of_key(fault: Fault, source: KeySource | None) -> Fault:
    """A server's refusal, told as what it is where turnkey had no key and sent the placeholder.

    A keyless server on this machine takes any key; one that refuses it wants a real one.
    """
    if source is None or source.source != "placeholder":
        return fault
    if fault.code not in {"key_refused", "key_missing"}:
        return fault
    if source.unasked is not None:
        what = f"The server wants a key, and the keyring was not asked. {source.unasked.what}"
        return Fault("keyring", what, source.unasked.why, source.unasked.fix)
    return Fault(
        "key_missing",
        f"The server wants a key, and there is none for «{one_line(source.provider, 60)}».",
        f"{source.variable} is not set, and the keyring has none for {source.origin}.",
        f"Run «turnkey keys set {one_line(source.provider, 60)}», or set {source.variable}.",
    )


def sendable_headers(
    workspace: Workspace,
    provider: str,
    headers: Mapping[str, str],
    base: BaseUrl,
    *,
    consent: bool = False,
) -> dict[str, Secret | str]:
    """The provider's headers, ready to send to ``base``; ``consent``: the user just typed them.

    Raises KeyProblem for a value that Pi would run as a command, and for one that names a
    variable which is not there or may not go to this origin.
    """
    from core.keys.headers import resolve_headers
    from core.warden.secrets import is_secret

    ready, faults = resolve_headers(
        provider, headers, base, workspace.env, workspace.vault, consent=consent
    )
    if faults:
        raise KeyProblem(faults[0])
    for name, value in ready.items():
        # One that stands in the file as it is: masked as any other where a server says it.
        if isinstance(value, str) and is_secret(value, (provider, "headers", name)):
            scheme, space, rest = value.partition(" ")
            ready[name] = Secret(value, rest if space and scheme.isalpha() else "")
    return ready


def _bare(url: str, model: str | None, key_env: str | None, *, needs_model: bool) -> Named:
    base = read_base_url(url)
    if key_env is not None and not is_variable_name(key_env):
        raise UsageProblem(
            Fault(
                "usage",
                "--key-env takes the name of a variable, and this is none.",
                "It is not shown here, since it may be a key; the shell's history has it now.",
                "Put the key into a variable and name that one: --key-env LITELLM_API_KEY.",
            )
        )
    if needs_model and model is None:
        raise UsageProblem(
            Fault(
                "usage",
                "Which model? --url needs --model here.",
                "",
                f"turnkey models --url {base.url} lists them.",
            )
        )
    return Named(base, model, None, key_env)


def _only_provider(workspace: Workspace) -> Provider:
    found = workspace.providers
    if len(found) == 1:
        return found[0]
    names = ", ".join(provider.name for provider in found)
    raise UsageProblem(
        Fault(
            "usage",
            "Which provider?" if found else f"{workspace.document.path.name} has no provider.",
            f"There are {len(found)}: {names}." if found else "",
            "Add --provider NAME."
            if found
            else "turnkey provider add NAME --url URL adds one; --url URL asks without one.",
        )
    )


def _only_model(provider: Provider) -> str:
    ids = [model.id for model in provider.models]
    if len(ids) == 1:
        return ids[0]
    raise UsageProblem(
        Fault(
            "usage",
            f"Which model of {provider.name}?",
            f"It declares: {', '.join(ids)}." if ids else "It declares none.",
            "Add --model ID." if ids else f"turnkey models --provider {provider.name} lists them.",
        )
    )
