"""What a request goes to: an endpoint, a model, a key and headers, found from what was asked.

The rules are the command line's contract: ``--provider NAME [--model ID]``, or ``--lane LANE``, or
``--url URL [--model ID] [--key-env VAR]`` with no config at all; with none of them the agent lane.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.errors import Fault, KeyProblem, UsageProblem
from core.keys.secret import Secret
from core.providers.base_url import BaseUrl, read_base_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.keys.source import KeySource
    from core.warden.config import Provider
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


def split_selector(selector: str) -> tuple[str, str]:
    """``provider/model-id`` at the first ``/`` (Warden ``model-selectors.ts``).

    Raises UsageProblem when either side is empty.
    """
    provider, slash, model = selector.partition("/")
    if not (provider and slash and model):
        raise UsageProblem(
            Fault(
                "usage",
                f"«{selector}» is not a selector.",
                "A selector is provider/model-id, split at the first slash.",
                "Write for example litellm/qwen3-coder.",
            )
        )
    return provider, model


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
    """The target that the options name, with its key.

    Raises UsageProblem when the options cannot be meant together or name nothing that exists, and
    KeyProblem when the key is missing, refused to this origin, or needs consent.
    """
    if sum(option is not None for option in (provider, lane, url)) > 1:
        raise UsageProblem(
            Fault("usage", "Give one of --provider, --lane and --url, not several.", "", "")
        )
    if key_env is not None and url is None:
        raise UsageProblem(Fault("usage", "--key-env goes with --url.", "", ""))
    if url is not None:
        return _bare_target(workspace, url, model, key_env, needs_model=needs_model)
    if provider is None:
        if not needs_model and lane is None:
            provider = _only_provider(workspace)
        else:
            provider, lane_model = lane_selector(workspace, lane or "agent")
            model = model or lane_model
    found = workspace.provider(provider)
    if needs_model and model is None:
        model = _only_model(found)
    return provider_target(workspace, found, model)


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
                "Left unset, Pi would choose one by itself.",
                f"turnkey lane set {lane} PROVIDER/MODEL",
            )
        )
    return split_selector(resolution.selector)


def provider_target(workspace: Workspace, provider: Provider, model: str | None) -> Target:
    """The target for a provider of the file. Raises KeyProblem as :func:`find_target` does."""
    base = read_base_url(provider.base_url, exact=True)
    source, key = workspace.key_for(provider, base)
    if source.fault is not None and key is None:
        raise KeyProblem(source.fault)
    headers = sendable_headers(workspace, provider.name, provider.headers, base)
    return Target(base, model, key, source, provider.name, headers)


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

    ready, faults = resolve_headers(
        provider, headers, base, workspace.env, workspace.vault, consent=consent
    )
    if faults:
        raise KeyProblem(faults[0])
    return ready


def _bare_target(
    workspace: Workspace, url: str, model: str | None, key_env: str | None, *, needs_model: bool
) -> Target:
    base = read_base_url(url)
    if needs_model and model is None:
        raise UsageProblem(
            Fault(
                "usage",
                "Which model? --url needs --model here.",
                "",
                f"turnkey models --url {url} lists them.",
            )
        )
    if key_env is None:
        return Target(base, model, None, None)
    # Both on one command line are consent for this command alone: nothing is recorded.
    value = workspace.env.get(key_env, "")
    if not value:
        raise KeyProblem(
            Fault(
                "key_missing",
                f"The variable {key_env} is not set.",
                "An empty value counts as unset.",
                f"Export {key_env} in this shell and repeat.",
            )
        )
    return Target(base, model, Secret(value.strip()), None)


def _only_provider(workspace: Workspace) -> str:
    names = [provider.name for provider in workspace.config.providers]
    if len(names) == 1:
        return names[0]
    raise UsageProblem(
        Fault(
            "usage",
            "Which provider?" if names else f"{workspace.document.path.name} has no provider.",
            f"There are {len(names)}: {', '.join(names)}." if names else "",
            "Add --provider NAME." if names else "turnkey provider add NAME --url URL",
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
            "Add --model ID.",
        )
    )
