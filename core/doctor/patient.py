"""Who is examined: found from a command line's target, a provider of the file, or a form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.doctor.rungs import Asked
from core.errors import KeyProblem, UsageProblem
from core.keys.secret import Secret
from core.providers.base_url import BaseUrl, read_base_url
from core.target import Named, check_together, keyed, name_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.errors import Fault
    from core.keys.source import KeySource
    from core.target import Target
    from core.warden.config import Provider
    from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined: an address as it was typed, or a provider of the file."""

    url: str | BaseUrl
    """Text is read generously, and near spellings are tried; a BaseUrl is meant exactly."""
    model: str | None = None
    """The id to ask; None: a declared one, else one of those that are listed."""
    key: Secret | None = None
    key_fault: Fault | None = None
    """Why there is no key to send, where one is wanted."""
    key_from: str = ""
    """Where the key came from, in words."""
    headers: Mapping[str, Secret | str] = field(default_factory=dict)
    declared: tuple[str, ...] = ()
    """The ids that the file declares for it."""
    provider: str | None = None
    source: KeySource | None = None
    url_fault: Fault | None = None
    """Why the file's base URL cannot be used, where that is known already."""

    @property
    def asked(self) -> Asked:
        """What is asked for, before anything is examined."""
        try:
            base = read_base_url(self.url) if isinstance(self.url, str) else self.url
        except UsageProblem:
            return Asked(None, self.model, self.provider)
        return Asked(base.url, self.model, self.provider)

    def mask(self, text: str) -> str:
        """``text`` without the key and without secret header values."""
        secrets = [self.key, *self.headers.values()]
        for secret in secrets:
            if isinstance(secret, Secret):
                text = secret.redact(text)
        return text


def patient_for(
    workspace: Workspace,
    *,
    provider: str | None = None,
    model: str | None = None,
    lane: str | None = None,
    url: str | None = None,
    key_env: str | None = None,
) -> Patient:
    """The endpoint that the options name. A missing key is no error here: its rung will say so.

    Raises UsageProblem when the options cannot be meant together, or name nothing that exists.
    """
    check_together(provider=provider, model=model, lane=lane, url=url, key_env=key_env)
    if url is not None:
        return _typed(workspace, url, model, key_env)
    try:
        named = name_target(workspace, provider=provider, model=model, lane=lane, needs_model=False)
    except UsageProblem:
        if provider is None:
            raise
        # a name that is not there is raised again; a base URL that cannot be meant is a rung
        return provider_patient(workspace, workspace.provider(provider), model)
    return _of(workspace, named)


def provider_patient(workspace: Workspace, provider: Provider, model: str | None = None) -> Patient:
    """A provider of the file. May wait for the keyring, for a bounded time.

    A base URL that cannot be meant is no error here: the first rung will say so.
    """
    try:
        base = read_base_url(provider.base_url, exact=True)
    except UsageProblem as problem:
        text = provider.base_url
        return Patient(text, model, provider=provider.name, url_fault=problem.fault)
    return _of(workspace, Named(base, model, provider))


def _of(workspace: Workspace, named: Named) -> Patient:
    target, fault = _keyed(workspace, named)
    provider = named.provider
    source = target.source if target is not None else None
    return Patient(
        url=named.base,
        model=named.model,
        key=None if target is None else target.key,
        key_fault=fault,
        key_from=key_origin(source),
        headers={} if target is None else target.headers,
        declared=() if provider is None else tuple(entry.id for entry in provider.models),
        provider=None if provider is None else provider.name,
        source=source,
    )


def _typed(workspace: Workspace, url: str, model: str | None, key_env: str | None) -> Patient:
    """An address as it was typed, which the first rung reads."""
    try:
        named = name_target(workspace, url=url, model=model, key_env=key_env, needs_model=False)
    except UsageProblem:
        return Patient(url=url, model=model)
    target, fault = _keyed(workspace, named)
    return Patient(
        url=url,
        model=model,
        key=None if target is None else target.key,
        key_fault=fault,
        key_from=f"${key_env}" if key_env else "",
    )


def _keyed(workspace: Workspace, named: Named) -> tuple[Target | None, Fault | None]:
    try:
        return keyed(workspace, named), None
    except KeyProblem as problem:
        return None, problem.fault


def key_origin(source: KeySource | None) -> str:
    """Where a key came from, short enough to stand in a line."""
    if source is None or source.source in {"none", "placeholder"}:
        return ""
    if source.source == "environment":
        return f"${source.variable}"
    return f"{source.variable}, {source.source}"
