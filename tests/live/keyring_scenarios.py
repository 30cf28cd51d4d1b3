"""What a process does inside a D-Bus session of its own; run by ``test_keyring_live``.

``python -m tests.live.keyring_scenarios STATE_FOLDER STEP...`` prints one JSON object: for each
step what came of it. The key's value comes from standard input and is never printed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import KeyProblem
from core.keys.backends import find_backend
from core.keys.secret import Secret
from core.keys.vault import Vault, open_vault

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "WARDEN_LITELLM_API_KEY"
GW = "http://gw:4000"
NEW = "https://new.example"


def store(vault: Vault, value: Secret) -> object:
    """Where the key went, and why not into the keyring."""
    place = vault.store(VARIABLE, GW, value)
    fault = place.fault
    return [place.kind, place.words, None if fault is None else [fault.what, fault.fix]]


def fetch(vault: Vault, value: Secret, origin: str = GW) -> object:
    """True when the very key came back, else None or the fault's code and words."""
    try:
        found = vault.fetch(VARIABLE, origin)
    except KeyProblem as problem:
        return [problem.fault.code, problem.fault.what]
    return None if found is None else found == value


def listed(vault: Vault, _: Secret) -> object:
    """Names and origins, as the list has them."""
    return [[entry.variable, entry.origin, entry.source] for entry in vault.index.entries]


def rebind(vault: Vault, _: Secret) -> object:
    """Where the key is after it was bound to the new origin."""
    place = vault.rebind(VARIABLE, NEW)
    return None if place is None else place.words


STEPS: dict[str, Callable[[Vault, Secret], object]] = {
    "prepare": lambda vault, _: vault.prepare().words,
    "store": store,
    "fetch": fetch,
    "fetch-new": lambda vault, value: fetch(vault, value, NEW),
    "list": listed,
    "rebind": rebind,
    "delete-new": lambda vault, _: vault.delete(VARIABLE, NEW),
    "locked": lambda *_: find_backend().locked(),
}


def main() -> None:
    """Run the steps, each in a vault freshly opened as by a new run of turnkey."""
    folder, *steps = sys.argv[1:]
    value = Secret(sys.stdin.read())
    kept: Vault | None = None
    told: dict[str, object] = {}
    for step in steps:
        again = step.endswith("+")  # the same run as the step before
        vault = kept if again and kept is not None else open_vault(Path(folder), env=os.environ)
        told[step] = STEPS[step.rstrip("+")](vault, value)
        kept = vault
    print(json.dumps(told))  # noqa: T201  # the report is what this process is for


if __name__ == "__main__":
    main()
