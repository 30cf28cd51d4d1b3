"""What the verbs of ``turnkey keys`` share: a provider's key, and the keyring that takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from core.providers.base_url import BaseUrl
    from core.warden.config import Provider
    from core.workspace import Workspace


class Kept(NamedTuple):
    """A provider's key: whose it is, the variable it is filed under, and where it may go."""

    provider: Provider
    base: BaseUrl
    variable: str


def kept(provider: Provider) -> Kept:
    """Raises UsageProblem for an apiKeyEnv or a base URL that cannot be meant."""
    from core.errors import UsageProblem
    from core.keys.environment import stored_variable
    from core.keys.source import variable_fault
    from core.providers.base_url import read_base_url

    if provider.api_key_env:
        fault = variable_fault(provider.api_key_env, provider.name)
        if fault is not None:
            raise UsageProblem(fault)
    base = read_base_url(provider.base_url, exact=True)
    return Kept(provider, base, stored_variable(provider.name, provider.api_key_env))


def keyring_name(workspace: Workspace, variable: str) -> str:
    """What the keyring here is called, which is to take a key.

    ``variable``: what would hold it instead. Raises KeyProblem where there is none that works.
    """
    from core.errors import Fault, KeyProblem

    place = workspace.vault.prepare(variable=variable)
    if place.kind != "keyring":
        raise KeyProblem(
            place.fault or Fault("keyring", "No keyring can hold the key here.", place.words)
        )
    return place.name


def read_origin(typed: str) -> str:
    """An origin as a person writes it, in the one spelling that keys are bound by.

    Raises UsageProblem when it is none.
    """
    from core.providers.base_url import read_base_url

    return read_base_url(typed).origin
