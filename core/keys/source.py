"""Which source a provider's key comes from now, and whether it may go to the provider's origin.

The environment wins, as Warden resolves it, then the keyring. A variable has no origin of its own:
the first origin that its key goes to is recorded, and another one is refused until somebody
agrees. A variable other than the provider's own two needs that agreement at once, since a
stranger's ``warden.toml`` could name any.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import msgspec

from core.errors import Fault, KeyProblem
from core.keys.clean import unsendable
from core.keys.environment import (
    PLACEHOLDER,
    Variant,
    find_in,
    is_own,
    key_variables,
    own_variables,
    shown_variable,
    stored_variable,
)
from core.keys.place import Place, bound_elsewhere, rebind_command, unremembered
from core.keys.secret import Secret
from core.keys.steering import looks_like_key, steers_programs
from core.providers.key_forms import is_variable_name, looks_secret
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from core.keys.bounded import Patience
    from core.keys.vault import Vault
    from core.providers.base_url import BaseUrl


class ProviderKey(msgspec.Struct, frozen=True):
    """What the resolution needs of a provider."""

    name: str
    api_key_env: str | None
    base: BaseUrl


class KeySource(msgspec.Struct, frozen=True):
    """Where a provider's key comes from now. Holds no value; one row of ``keys source --json``."""

    provider: str
    variable: str
    """The variable that holds it, or that it would leave in."""
    origin: str
    """Where it would be sent."""
    source: Literal["environment", "keyring", "memory", "placeholder", "none"]
    stored_at: str | None = None
    """When it was stored, or bound to this origin; ISO 8601 in UTC. None: not recorded."""
    preflight: bool = False
    """True when Warden's own check would pass in this environment as it stands."""
    fault: Fault | None = None
    """Why there is no key to send; None where ``source`` has one."""
    also_in: tuple[str, ...] = ()
    """Where else a key for this provider is, which does not win: variables, «keyring»."""
    unasked: Fault | None = None
    """Why the keyring could not be asked, where the placeholder stands in for what it may hold."""
    owned_by_pi: bool = False
    """Pi's ``auth.json`` has a key of this provider, and Pi sends that one instead."""


def find_key(
    name: str,
    api_key_env: str | None,
    base: BaseUrl,
    env: Mapping[str, str],
    vault: Vault,
    *,
    consent: bool = False,
    variant: Variant = "providers",
    look: bool = True,
    patience: Patience | None = None,
    pi_stored: Collection[str] = (),
) -> tuple[KeySource, Secret | None]:
    """Where the key comes from, and the key; nothing is recorded, nothing raised.

    ``consent``: the user just named this variable for this origin. ``look=False`` asks the index
    alone and gives no key out of the keyring: quick, and no question can pop up. ``pi_stored``:
    the ids in Pi's ``auth.json``.
    """
    variables = key_variables(name, api_key_env, variant)
    stored_as = stored_variable(name, api_key_env)
    origin = base.origin
    preflight = base.loopback or find_in(env, variables) is not None
    owned = name in pi_stored

    def row(
        source: Literal["environment", "keyring", "memory", "placeholder", "none"],
        variable: str,
        fault: Fault | None = None,
        stored_at: str | None = None,
        also_in: tuple[str, ...] = (),
        unasked: Fault | None = None,
    ) -> KeySource:
        return KeySource(
            name, variable, origin, source, stored_at, preflight, fault, also_in, unasked, owned
        )

    if api_key_env:
        fault = variable_fault(api_key_env, name)
        if fault is not None:
            return row("none", shown_variable(api_key_env), fault), None

    variable = find_in(env, variables)
    if variable is not None:
        others = [other for other in variables if other != variable and env.get(other)]
        if origin in vault.stored_for(stored_as):
            others.append("keyring")
        since = vault.when(variable, origin, "environment")
        # Spaces and line ends around a header's value are cut by every HTTP client.
        secret = Secret(env[variable].strip())
        fault = environment_fault(variable, name, origin, vault, consent=consent)
        fault = fault or (None if secret else _spaces(variable))
        fault = fault or unsendable(secret, f"The key in {variable}")
        found = row("environment", variable, fault, since, tuple(others))
        return found, secret if fault is None else None

    unasked: Fault | None = None
    when = vault.when(stored_as, origin, "keyring")
    if (stored_as, origin) in vault.memory:
        return row("memory", stored_as), vault.memory[stored_as, origin]
    if not look and when is not None:
        return row("keyring", stored_as, stored_at=when), None
    try:
        stored = vault.fetch(stored_as, origin, patience, provider=name) if look else None
        if not look and vault.stored_for(stored_as):
            raise KeyProblem(bound_elsewhere(stored_as, origin, vault.stored_for(stored_as), name))
    except KeyProblem as problem:
        # A keyless server here needs no keyring; that it could not be asked is told.
        unasked = problem.fault if problem.fault.code == "keyring" else None
        if not base.loopback or unasked is None or when is not None:
            return row("none", stored_as, problem.fault, when), None
        stored = None
    if stored is not None:
        when = vault.when(stored_as, origin, "keyring")
        return row("keyring", stored_as, stored_at=when), stored
    if base.loopback:
        if not (is_own(stored_as, name) or looks_like_key(stored_as)):
            return row("none", stored_as, _needs_consent(stored_as, name, origin)), None
        return row("placeholder", stored_as, unasked=unasked), Secret(PLACEHOLDER)
    fault = missing(name, variables, origin, env, no_keyring=vault.no_keyring)
    return row("none", variables[0], fault), None


def resolve_key(
    name: str,
    api_key_env: str | None,
    base: BaseUrl,
    env: Mapping[str, str],
    vault: Vault,
    *,
    consent: bool = False,
    record: bool = True,
    variant: Variant = "providers",
    patience: Patience | None = None,
    pi_stored: Collection[str] = (),
) -> tuple[KeySource, Secret | None]:
    """The key to send to ``base`` now, on the point of sending it; None with ``fault`` saying why.

    A key from the environment is recorded as going to this origin (without its value), and so is
    ``consent``. Where that cannot be recorded, it is not given unless somebody agreed just now.
    ``record=False`` records nothing: for ``--url URL --key-env VAR`` on one command
    line, which is agreement for that command alone.
    """
    found, secret = find_key(
        name,
        api_key_env,
        base,
        env,
        vault,
        consent=consent,
        variant=variant,
        patience=patience,
        pi_stored=pi_stored,
    )
    if record and secret is not None and found.source == "environment":
        fault = allow(found.variable, name, base.origin, vault, consent=consent)
        if fault is not None:
            return msgspec.structs.replace(found, fault=fault), None
        kept = vault.index.unkept is None
        since = vault.when(found.variable, base.origin, "environment") if kept else None
        found = msgspec.structs.replace(found, stored_at=since)
    return found, secret


def key_sources(
    providers: Iterable[ProviderKey],
    env: Mapping[str, str],
    vault: Vault,
    *,
    variant: Variant = "providers",
    look: bool = True,
    patience: Patience | None = None,
    pi_stored: Collection[str] = (),
) -> tuple[KeySource, ...]:
    """One row a provider, for ``keys source`` and the Keys screen. Records nothing."""
    return tuple(
        find_key(
            provider.name,
            provider.api_key_env,
            provider.base,
            env,
            vault,
            variant=variant,
            look=look,
            patience=patience,
            pi_stored=pi_stored,
        )[0]
        for provider in providers
    )


def rebind_key(
    name: str,
    api_key_env: str | None,
    base: BaseUrl,
    env: Mapping[str, str],
    vault: Vault,
    *,
    from_origin: str | None = None,
    keep: Collection[str] = (),
    patience: Patience | None = None,
) -> tuple[str, ...]:
    """Agree that this provider's key may go to its base URL from now on; says what was changed.

    The environment's binding and the stored key are both moved. ``keep``: origins that other
    providers of the config use with the same variable, which keep theirs.

    Raises:
        KeyProblem: there is no key to bind (``key_missing``), or the keyring did not do it.
        UsageProblem: it is stored for several origins and ``from_origin`` is not given.
    """
    if api_key_env:
        fault = variable_fault(api_key_env, name)
        if fault is not None:
            raise KeyProblem(fault)
    stored_as, variables = stored_variable(name, api_key_env), key_variables(name, api_key_env)
    done = _rebound(stored_as, variables, base.origin, env, vault, from_origin, keep, patience)
    if not done and base.origin not in vault.stored_for(stored_as):
        raise KeyProblem(missing(name, variables, base.origin, env))
    return done


def rebind_variable(
    variable: str,
    name: str,
    base: BaseUrl,
    env: Mapping[str, str],
    vault: Vault,
    *,
    from_origin: str | None = None,
    keep: Collection[str] = (),
    patience: Patience | None = None,
) -> tuple[str, ...]:
    """Agree that a variable which a header of provider ``name`` reads may go to its base URL.

    Raises as :func:`rebind_key`.
    """
    fault = variable_fault(variable, name)
    if fault is not None:
        raise KeyProblem(fault)
    origin = base.origin
    done = _rebound(variable, (variable,), origin, env, vault, from_origin, keep, patience)
    if not done and origin not in vault.stored_for(variable):
        why = f"It is {'empty' if variable in env else 'not set'}, and none is stored."
        what = f"There is nothing in {variable} to bind to {origin}."
        raise KeyProblem(Fault("key_missing", what, why, f"Set {variable}, and repeat."))
    return done


def _rebound(
    stored_as: str,
    variables: tuple[str, ...],
    origin: str,
    env: Mapping[str, str],
    vault: Vault,
    from_origin: str | None,
    keep: Collection[str],
    patience: Patience | None,
) -> tuple[str, ...]:
    done: list[str] = []
    place: Place | None = vault.rebind(
        stored_as, origin, patience, from_origin=from_origin, keep=keep
    )
    if place is not None:
        others = [other for other in vault.stored_for(stored_as) if other != origin]
        bound = "may go to" if others else "is bound to"
        also = f" as well as to {', '.join(others)}" if others else ""
        done.append(f"The key {stored_as} {bound} {origin} now{also}, {place.words}.")
    variable = find_in(env, variables)
    if variable is not None:
        fault = vault.allow_environment(variable, origin, instead=True, keep=keep)
        if fault is not None:
            raise KeyProblem(Fault("keyring", fault.what, fault.why, fault.fix))
        done.append(f"The key in {variable} may go to {origin} now.")
    return tuple(done)


def rename_key(
    old: str,
    new: str,
    api_key_env: str | None,
    base: BaseUrl,
    vault: Vault,
    *,
    patience: Patience | None = None,
) -> Place | None:
    """Carry a stored key along when a provider is renamed; None: there was nothing to carry.

    Raises:
        KeyProblem: the keyring did not take it; it is where it was.
    """
    before, after = stored_variable(old, api_key_env), stored_variable(new, api_key_env)
    return vault.move(before, base.origin, after, base.origin, patience)


def environment_fault(
    variable: str, name: str, origin: str, vault: Vault, *, consent: bool = False
) -> Fault | None:
    """Why the environment's key in ``variable`` must not go to ``origin``, or None.

    Decided by what is recorded of the variable: origins it was sent to, origins that a stored key
    of the same variable belongs to, and whether it is one of the provider's own. A provider's two
    variables hold the same key, so what is recorded of the one counts for the other.
    """
    allowed = vault.sent_to(variable)
    if consent or origin in allowed:
        return None
    if vault.list_fault is not None:
        return unremembered(variable, origin, vault.list_fault)
    own = own_variables(name)
    same = own if variable in own else (variable,)
    recorded = [*allowed]
    for one in same:
        recorded += [*vault.sent_to(one), *vault.stored_for(one)]
    elsewhere = tuple(dict.fromkeys(recorded))
    if elsewhere and origin not in elsewhere:
        return bound_elsewhere(variable, origin, elsewhere, name)
    return None if is_own(variable, name) else _needs_consent(variable, name, origin)


def allow(
    variable: str, name: str, origin: str, vault: Vault, *, consent: bool = False
) -> Fault | None:
    """Record that the environment's key is about to go to ``origin``, or say why it must not.

    Decided on the list as it is at the moment of writing: two processes that saw an empty one do
    not both get leave.
    """
    decide = partial(environment_fault, variable, name, origin, vault, consent=consent)
    unkept = vault.allow_environment(variable, origin, firm=not consent, decide=decide)
    if unkept is None or consent or unkept.code == "key_bound_elsewhere":
        return None if consent else unkept
    if unkept.code == "config_unwritable" and is_own(variable, name):
        # A read-only home, as containers have it: the key is the provider's own, the list could be
        # read and binds it nowhere else, and what was seen holds for this run.
        held = vault.allow_environment(variable, origin, decide=decide)
        if held is None or held.code == "config_unwritable":
            vault.index.goes_unkept(unkept)
            return None
    return unremembered(variable, origin, unkept)


def variable_fault(variable: str, name: str) -> Fault | None:
    """Why a variable can hold no key at all, or None: no name, or one that steers programs.

    What is no name may be a key, pasted into the wrong place: it is not repeated.
    """
    own = own_variables(name)
    fix = f"Leave apiKeyEnv out, and the variable is {one_line(own[0], 60)}."
    if variable in own:
        return None
    if looks_secret(variable):
        what = "A key stands where the name of a variable belongs (apiKeyEnv, --key-env)."
        why = "Whoever reads the file reads the key; no variable has that name."
        return Fault(
            "key_refused", what, why, f"{fix} Then «turnkey keys set»; let the key be replaced."
        )
    if not is_variable_name(variable):
        what = "What stands in apiKeyEnv or --key-env is no name for a variable."
        why = "A name is letters, digits and «_». It is not shown here, since it may be a key."
        return Fault("key_refused", what, why, fix)
    if steers_programs(variable):
        shown = one_line(variable, 60)
        why = "Programs act on its value, so a key there would do harm."
        return Fault("key_refused", f"The variable {shown} can hold no key.", why, fix)
    return None


def missing(
    name: str,
    variables: Iterable[str],
    origin: str,
    env: Mapping[str, str],
    *,
    no_keyring: str = "",
) -> Fault:
    """The fault for a provider without a key, naming each place that was looked at.

    ``no_keyring``: why there is no keyring, one sentence; empty where there is one.
    """
    variables = tuple(variables)
    looked = " and ".join(
        f"{variable} is {'empty' if variable in env else 'not set'}" for variable in variables
    )
    return Fault(
        "key_missing",
        f"There is no key for the provider «{one_line(name, 60)}».",
        f"{looked}. {no_keyring}"
        if no_keyring
        else f"{looked}, and the keyring has none for {origin}.",
        f"Run «turnkey keys set {one_line(name, 60)}», or set {variables[0]}.",
    )


def _spaces(variable: str) -> Fault:
    shown = one_line(variable, 60)
    what = f"{shown} holds spaces alone."
    why = "Warden takes it for the key all the same, and looks no further."
    return Fault("key_refused", what, why, f"Unset {shown}, or give it the key.")


def _needs_consent(variable: str, name: str, origin: str) -> Fault:
    own, plain = own_variables(name)
    return Fault(
        "key_bound_elsewhere",
        f"Nobody agreed yet that {one_line(variable, 60)} may go to {origin}.",
        f"It is not one of the provider's own variables ({own}, {plain}), and a config can name "
        "any variable.",
        f"If {origin} may have it, run «{rebind_command(name, variable)}».",
    )
