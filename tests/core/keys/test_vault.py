"""The vault: bound to the origin, bounded in time, never a file."""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from typing import TYPE_CHECKING

import pytest

from core.errors import Fault, KeyProblem, UsageProblem
from core.keys.backends import Backend, BackendError, Trouble
from core.keys.bounded import Patience, beside
from core.keys.keyring import try_out
from core.keys.secret import Secret
from core.keys.vault import entry_name, open_vault
from tests.core.keys.fakes import (
    CANARY,
    GW,
    LOCKED,
    OTHER,
    VARIABLE,
    Null,
    Raises,
    Slow,
    Works,
    vault_at,
)

if TYPE_CHECKING:
    from pathlib import Path

KEY = Secret(CANARY)
BRIEF = Patience(bound_s=0.02)


def code_of(problem: pytest.ExceptionInfo[KeyProblem]) -> str:
    return problem.value.fault.code


def words(fault: Fault | None) -> str:
    assert fault is not None
    return f"{fault.what} {fault.why} {fault.fix}"


def test_a_key_is_stored_for_one_origin_and_found_in_the_next_run(tmp_path: Path) -> None:
    keyring = Works()
    place = vault_at(tmp_path, keyring).store(VARIABLE, GW, KEY)
    assert place.kind == "keyring"
    assert place.fault is None
    assert place.words == "in Secret Service"
    assert keyring.kept == {("turnkey", f"{VARIABLE}@{GW}"): CANARY}
    again = vault_at(tmp_path, keyring)
    assert again.fetch(VARIABLE, GW) == KEY
    assert again.stored_for(VARIABLE) == (GW,)
    assert (again.when(VARIABLE, GW, "keyring") or "").endswith("Z")


def test_no_file_ever_holds_the_value(tmp_path: Path) -> None:
    for backend in (Works(), Raises(LOCKED), Null(), None):
        vault_at(tmp_path, backend).store(VARIABLE, GW, KEY)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert all(CANARY.encode() not in path.read_bytes() for path in written)


def test_another_origin_gets_nothing_and_both_are_named(tmp_path: Path) -> None:
    keyring = Works()
    vault_at(tmp_path, keyring).store(VARIABLE, GW, KEY)
    keyring.calls.clear()
    with pytest.raises(KeyProblem) as caught:
        vault_at(tmp_path, keyring).fetch(VARIABLE, OTHER, provider="litellm")
    assert code_of(caught) == "key_bound_elsewhere"
    assert caught.value.exit_code == 5
    told = words(caught.value.fault)
    assert GW in told
    assert OTHER in told
    assert "turnkey keys rebind litellm" in told
    assert keyring.calls == []  # not even asked for


@pytest.mark.parametrize(
    "other",
    ["https://gw:4000", "http://gw", "http://gw:4001", "http://gw.:4000", "http://GW:4000/"],
)
def test_an_origin_fits_exactly_or_not_at_all(tmp_path: Path, other: str) -> None:
    vault = vault_at(tmp_path, Works())
    vault.store(VARIABLE, GW, KEY)
    with pytest.raises(KeyProblem):
        vault.fetch(VARIABLE, other)


def test_rebind_moves_the_key(tmp_path: Path) -> None:
    keyring = Works()
    vault = vault_at(tmp_path, keyring)
    vault.store(VARIABLE, GW, KEY)
    place = vault.rebind(VARIABLE, OTHER)
    assert place is not None
    again = vault_at(tmp_path, keyring)
    assert again.fetch(VARIABLE, OTHER) == KEY
    with pytest.raises(KeyProblem):
        again.fetch(VARIABLE, GW)
    assert list(keyring.kept) == [("turnkey", entry_name(VARIABLE, OTHER))]
    assert again.rebind(VARIABLE, OTHER) is None


def test_rebind_asks_which_when_there_are_several(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, Works())
    vault.store(VARIABLE, GW, KEY)
    vault.store(VARIABLE, "http://two:1", Secret("second"))
    with pytest.raises(UsageProblem, match="several origins"):
        vault.rebind(VARIABLE, OTHER)
    assert vault.rebind(VARIABLE, OTHER, keep=("http://two:1",)) is not None
    assert vault.fetch(VARIABLE, OTHER) == KEY
    assert vault.rebind(VARIABLE, GW, from_origin="http://two:1") is not None
    assert vault.fetch(VARIABLE, GW) == Secret("second")


def test_one_variable_may_have_a_key_for_each_of_two_origins(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, Works())
    vault.store(VARIABLE, GW, KEY)
    vault.store(VARIABLE, OTHER, Secret("other"))
    assert vault.fetch(VARIABLE, GW) == KEY
    assert vault.fetch(VARIABLE, OTHER) == Secret("other")


def test_a_move_that_fails_leaves_the_key_where_it_was(tmp_path: Path) -> None:
    class TakesNoSecond(Works):
        def set(self, service: str, user: str, password: str) -> None:
            if user.endswith(OTHER):
                raise BackendError("failing", "Secret Service is full.")
            super().set(service, user, password)

    keyring = TakesNoSecond()
    vault = vault_at(tmp_path, keyring)
    vault.store(VARIABLE, GW, KEY)
    with pytest.raises(KeyProblem):
        vault.rebind(VARIABLE, OTHER)
    assert vault_at(tmp_path, keyring).fetch(VARIABLE, GW) == KEY
    assert not vault.memory


def test_delete_takes_it_out_of_keyring_and_list(tmp_path: Path) -> None:
    keyring = Works()
    vault = vault_at(tmp_path, keyring)
    vault.store(VARIABLE, GW, KEY)
    assert vault.delete(VARIABLE, GW)
    assert not vault.delete(VARIABLE, GW)
    assert not keyring.kept
    assert vault_at(tmp_path, keyring).fetch(VARIABLE, GW) is None


def test_a_delete_that_fails_keeps_the_list(tmp_path: Path) -> None:
    keyring = Raises(LOCKED)
    keyring.trouble = None
    vault = vault_at(tmp_path, keyring)
    vault.store(VARIABLE, GW, KEY)
    keyring.trouble = LOCKED
    with pytest.raises(KeyProblem):
        vault.delete(VARIABLE, GW)
    assert vault.stored_for(VARIABLE) == (GW,)


def test_a_throwaway_entry_is_tried_once_before_the_first_key(tmp_path: Path) -> None:
    keyring = Works()
    vault = vault_at(tmp_path, keyring)
    place = vault.prepare()
    assert place.for_origin(GW) == f"goes to Secret Service, only for {GW}"
    assert [call.split("-")[0] for call in keyring.calls] == [
        "set turnkey",
        "get turnkey",
        "delete turnkey",
    ]
    assert not keyring.kept
    keyring.calls.clear()
    vault.store(VARIABLE, GW, KEY)
    assert not any("trial" in call for call in keyring.calls)


def test_a_keyring_that_forgets_is_noticed_before_the_key_is_given_to_it(tmp_path: Path) -> None:
    keyring = Null()
    vault = vault_at(tmp_path, keyring)
    place = vault.store(VARIABLE, GW, KEY)
    assert place.kind == "memory"
    assert place.fault is not None
    assert place.fault.code == "keyring"
    assert not any(VARIABLE in call for call in keyring.calls)
    assert vault.fetch(VARIABLE, GW) == KEY
    assert vault_at(tmp_path, keyring).fetch(VARIABLE, GW) is None


def test_a_trial_that_fails_is_cleaned_up() -> None:
    class Garbles(Works):
        def get(self, service: str, user: str) -> str | None:  # noqa: ARG002
            return "something else"

    keyring = Garbles()
    with pytest.raises(BackendError):
        try_out(keyring)
    assert not keyring.kept


@pytest.mark.parametrize(
    ("kind", "short"),
    [
        ("locked", "Secret Service is locked"),
        ("failing", "Secret Service answers with an error"),
        ("missing", "no keyring here"),
        ("unready", "Secret Service has no keyring made yet"),
        ("refused", "the keyring here would not keep it safe"),
    ],
)
def test_each_trouble_keeps_the_key_for_this_run_and_says_so(
    tmp_path: Path, kind: Trouble, short: str
) -> None:
    vault = vault_at(tmp_path, Raises(BackendError(kind, "Words of the keyring.")))
    place = vault.store(VARIABLE, GW, KEY)
    assert (place.kind, place.words) == ("memory", f"kept for this run only: {short}")
    assert place.for_origin(GW) == place.words
    assert place.fault is not None
    assert place.fault.what == "Words of the keyring."
    assert f"set {VARIABLE}" in place.fault.fix
    assert vault.fetch(VARIABLE, GW) == KEY
    with pytest.raises(KeyProblem):
        vault.fetch(VARIABLE, OTHER)
    assert CANARY not in f"{place!r}{words(place.fault)}"


@pytest.mark.parametrize("kind", ["locked", "failing", "missing", "unready"])
def test_a_stored_key_that_cannot_be_read_is_a_keyring_problem(
    tmp_path: Path, kind: Trouble
) -> None:
    keyring = Works()
    vault_at(tmp_path, keyring).store(VARIABLE, GW, KEY)
    with pytest.raises(KeyProblem) as caught:
        vault_at(tmp_path, Raises(BackendError(kind, "Words."))).fetch(VARIABLE, GW)
    assert code_of(caught) == "keyring"


@pytest.mark.parametrize("kind", ["locked", "failing", "slow", "stopped"])
def test_whether_an_unlisted_key_is_there_is_not_guessed(tmp_path: Path, kind: Trouble) -> None:
    with pytest.raises(KeyProblem) as caught:
        vault_at(tmp_path, Raises(BackendError(kind, "Words."))).fetch(VARIABLE, GW)
    assert code_of(caught) == "keyring"
    assert f"Whether it has the key {VARIABLE} for {GW} cannot be seen" in caught.value.fault.why


@pytest.mark.parametrize("kind", ["missing", "unready", "refused"])
def test_a_keyring_that_can_hold_nothing_has_no_key(tmp_path: Path, kind: Trouble) -> None:
    assert vault_at(tmp_path, Raises(BackendError(kind, "W."))).fetch(VARIABLE, GW) is None


def test_a_stored_key_that_is_gone_is_said(tmp_path: Path) -> None:
    vault_at(tmp_path, Works()).store(VARIABLE, GW, KEY)
    with pytest.raises(KeyProblem) as caught:
        vault_at(tmp_path, Works()).fetch(VARIABLE, GW, provider="litellm")
    assert code_of(caught) == "key_missing"
    assert "turnkey keys set litellm" in caught.value.fault.fix


def test_without_any_keyring_memory_serves_this_run(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, None)
    assert vault.prepare().words == "kept for this run only: no keyring here"
    assert vault.store(VARIABLE, GW, KEY).kind == "memory"
    assert vault.fetch(VARIABLE, GW) == KEY
    assert vault.rebind(VARIABLE, OTHER) is not None
    assert vault.fetch(VARIABLE, OTHER) == KEY
    assert vault.delete(VARIABLE, OTHER)
    assert vault.remember(VARIABLE, GW, KEY).words == "kept for this run only"
    assert not (tmp_path / "turnkey").exists()


def test_the_keyring_is_looked_for_only_when_needed_and_once(tmp_path: Path) -> None:
    looked: list[int] = []

    def find() -> Backend:
        looked.append(1)
        raise BackendError("missing", "There is no keyring here.")

    vault = vault_at(tmp_path, None, find=find)
    assert vault.stored_for(VARIABLE) == ()
    assert not looked
    for _ in range(3):
        assert vault.prepare().kind == "memory"
    assert len(looked) == 1


def test_a_fresh_list_trusts_the_keyring_and_remembers_what_it_finds(tmp_path: Path) -> None:
    """The state folder was lost; the keyring was not."""
    keyring = Works()
    keyring.kept["turnkey", entry_name(VARIABLE, GW)] = CANARY
    keyring.kept["turnkey", entry_name("B_API_KEY", GW)] = "b"
    vault = vault_at(tmp_path, keyring)
    assert vault.fetch(VARIABLE, OTHER) is None
    assert vault.fetch(VARIABLE, GW) == KEY
    assert vault_at(tmp_path, keyring).fetch("B_API_KEY", GW) == Secret("b")
    with pytest.raises(KeyProblem):
        vault.fetch(VARIABLE, OTHER)


def test_a_locked_keyring_is_not_opened_for_a_key_that_nobody_listed(tmp_path: Path) -> None:
    keyring = Works()
    keyring.is_locked = True
    with pytest.raises(KeyProblem) as caught:
        vault_at(tmp_path, keyring).fetch(VARIABLE, GW)
    assert caught.value.fault.what == "Secret Service is locked."
    assert keyring.calls == []


def test_a_whole_list_answers_without_the_keyring(tmp_path: Path) -> None:
    vault_at(tmp_path, Works()).store(VARIABLE, GW, KEY)
    keyring = Works()
    assert vault_at(tmp_path, keyring).fetch("OTHER_API_KEY", GW) is None
    assert keyring.calls == []


# Time


def test_a_hanging_keyring_is_given_up_and_not_asked_again_while_it_hangs(tmp_path: Path) -> None:
    keyring = Slow()
    vault = vault_at(tmp_path, keyring)
    began = time.monotonic()
    place = vault.store(VARIABLE, GW, KEY, Patience(bound_s=0.05))
    assert time.monotonic() - began < 2
    assert place.words == "kept for this run only: Secret Service does not answer"
    assert place.fault is not None
    assert "did not answer within 0.05 s" in place.fault.what
    began = time.monotonic()
    assert vault.prepare(Patience(bound_s=20)).kind == "memory"  # told at once
    assert time.monotonic() - began < 2
    assert keyring.thread is not None
    assert keyring.thread.daemon  # so it cannot hold up the exit
    keyring.finish()
    assert vault.prepare().kind == "keyring"


def test_an_entry_written_after_the_wait_ended_is_listed(tmp_path: Path) -> None:
    keyring = Slow()
    vault = vault_at(tmp_path, keyring)
    told: list[str] = []
    vault.on_late = told.append
    assert vault.store(VARIABLE, GW, KEY, BRIEF).kind == "memory"
    assert keyring.entered.wait(10)
    keyring.finish()
    assert vault_at(tmp_path, keyring).fetch(VARIABLE, GW) == KEY
    assert told == [f"Secret Service has {VARIABLE} for {GW} after all."]


def test_what_was_written_after_turnkey_ended_can_be_deleted(tmp_path: Path) -> None:
    keyring = Works()
    vault_at(tmp_path, keyring).store("OTHER_API_KEY", GW, KEY)  # the list is whole now
    place = vault_at(tmp_path, Slow()).store(VARIABLE, GW, KEY, BRIEF)
    assert place.fault is not None
    assert "may have taken the key all the same" in place.fault.why
    assert "turnkey keys delete" in place.fault.why
    keyring.kept["turnkey", entry_name(VARIABLE, GW)] = CANARY  # by the keyring, unseen
    assert vault_at(tmp_path, keyring).fetch(VARIABLE, GW) == KEY
    assert vault_at(tmp_path, keyring).delete(VARIABLE, GW)
    assert vault_at(tmp_path, keyring).fetch(VARIABLE, GW) is None


def test_a_throwaway_entry_is_tried_before_every_asking(tmp_path: Path) -> None:
    keyring = Works()
    vault = vault_at(tmp_path, keyring)
    for times in (1, 2, 3):
        assert vault.prepare().kind == "keyring"
        assert sum(call.startswith("delete turnkey-trial-") for call in keyring.calls) == times


def test_while_it_asks_to_be_unlocked_the_wait_is_told_and_goes_on(tmp_path: Path) -> None:
    keyring = Slow()
    keyring.is_locked = True
    told: list[str] = []

    def on_wait(said: str) -> None:
        told.append(said)
        keyring.released.set()  # the person unlocks it

    patience = Patience(bound_s=0.02, prompt_s=20, on_wait=on_wait)
    assert vault_at(tmp_path, keyring).store(VARIABLE, GW, KEY, patience).kind == "keyring"
    assert told == [
        "Secret Service is waiting to be unlocked; look for its question on the screen."
    ]


def test_a_keyring_that_is_still_looked_for_asks_nobody(tmp_path: Path) -> None:
    go_on = threading.Event()

    def find() -> Backend:
        go_on.wait(30)
        return Works()

    told: list[str] = []
    patience = Patience(bound_s=0.05, prompt_s=60, on_wait=told.append)
    place = vault_at(tmp_path, None, find=find).prepare(patience)
    go_on.set()
    assert place.words == "kept for this run only: the keyring does not answer"
    assert told == []


@pytest.mark.parametrize("locked", [None, False])
def test_only_one_that_says_it_is_locked_is_waited_for_longer(
    tmp_path: Path, locked: bool | None
) -> None:
    keyring = Slow()
    keyring.is_locked = locked
    told: list[str] = []
    place = vault_at(tmp_path, keyring).prepare(Patience(0.05, 60, told.append))
    keyring.finish()
    assert place.words == "kept for this run only: Secret Service does not answer"
    assert told == []


def test_the_end_of_the_wait_is_told(tmp_path: Path) -> None:
    keyring = Slow()
    keyring.is_locked = True
    told: list[str] = []

    def on_wait(said: str) -> None:
        told.append(said)
        keyring.released.set()

    patience = Patience(0.02, 20, on_wait, on_end=lambda: told.append("over"))
    assert vault_at(tmp_path, keyring).prepare(patience).kind == "keyring"
    assert told[1:] == ["over"]


class Sluggish(Works):
    """Answers each reading after a while, by a clock of the test's own."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Semaphore(0)

    def get(self, service: str, user: str) -> str | None:
        assert self.gate.acquire(timeout=30)
        return super().get(service, user)


def test_the_calls_of_one_action_share_one_bound(tmp_path: Path) -> None:
    keyring = Works()
    for variable in ("A_KEY", "B_KEY"):
        vault_at(tmp_path, keyring).store(variable, GW, KEY)
    slow = Sluggish()
    slow.kept = keyring.kept
    vault = vault_at(tmp_path, slow)
    patience = Patience(bound_s=0.4)
    with vault.one_action(patience):
        threading.Timer(0.3, slow.gate.release).start()
        assert vault.fetch("A_KEY", GW) == KEY
        assert patience.left_s < 0.2
        with pytest.raises(KeyProblem, match=r"did not answer within 0\.4 s"):
            vault.fetch("B_KEY", GW)
    assert patience.left_s == 0
    slow.gate.release()


def test_what_a_person_takes_to_unlock_it_is_not_the_keyrings_slowness() -> None:
    patience = Patience(bound_s=3, prompt_s=60)
    patience.spend(2.0)
    patience.spend(50.0, prompted=True)
    assert (patience.left_s, patience.prompt_left_s) == (3, 10)


def test_a_move_is_one_action(tmp_path: Path) -> None:
    made: list[Patience] = []

    def patience() -> Patience:
        made.append(Patience())
        return made[-1]

    vault = vault_at(tmp_path, Works())
    vault.store(VARIABLE, GW, KEY)
    vault.patience = patience
    assert vault.rebind(VARIABLE, OTHER) is not None
    assert len(made) == 1


def test_the_vaults_own_patience_stands_in_where_a_call_has_none(tmp_path: Path) -> None:
    keyring = Slow()
    keyring.is_locked = True
    vault = vault_at(tmp_path, keyring)
    told: list[str] = []

    def on_wait(said: str) -> None:
        told.append(said)
        keyring.released.set()

    vault.patience = lambda: Patience(0.02, 20, on_wait)
    assert vault.store(VARIABLE, GW, KEY).kind == "keyring"
    assert len(told) == 1


def test_who_comes_while_a_person_is_asked_waits_for_the_same_answer(tmp_path: Path) -> None:
    keyring = Slow()
    keyring.is_locked = True
    vault = vault_at(tmp_path, keyring)
    asked, second = threading.Event(), threading.Event()
    got: list[str] = []

    def first() -> None:
        got.append(vault.prepare(Patience(0.02, 20, lambda _: asked.set())).words)

    def after() -> None:
        second.set()
        got.append(vault.prepare(Patience(0.02, 20)).words)

    threads = [threading.Thread(target=first), threading.Thread(target=after)]
    threads[0].start()
    assert asked.wait(10)
    threads[1].start()
    assert second.wait(10)
    threads[1].join(0.3)  # far longer than its own bound
    assert got == []
    keyring.released.set()
    for thread in threads:
        thread.join(10)
    assert got == ["goes to Secret Service"] * 2


def test_after_escape_the_next_call_is_not_held_up(tmp_path: Path) -> None:
    keyring = Slow()
    keyring.is_locked = True
    vault = vault_at(tmp_path, keyring)
    patience = Patience(0.02, 60, lambda _: patience.stop())
    vault.prepare(patience)
    place = vault.prepare(Patience(20, 60))
    keyring.finish()
    assert place.words == "kept for this run only: the wait for Secret Service was ended"


@pytest.mark.parametrize(
    ("backend", "kind", "words"),
    [
        (Works(), "keyring", "is open"),
        (Raises(LOCKED), "keyring", "is open"),
        (None, "memory", "kept for this run only: no keyring here"),
    ],
)
def test_looking_which_keyring_is_here_writes_nothing(
    tmp_path: Path, backend: Works | None, kind: str, words: str
) -> None:
    place = vault_at(tmp_path, backend).keyring()
    assert (place.kind, place.words) == (kind, words)
    assert backend is None or backend.calls == []


def test_a_locked_one_is_told_without_a_question(tmp_path: Path) -> None:
    keyring = Works()
    keyring.is_locked = True
    place = vault_at(tmp_path, keyring).keyring()
    assert (place.name, place.words) == ("Secret Service", "is locked")
    assert place.fault is not None
    assert keyring.calls == []


def test_escape_ends_the_wait(tmp_path: Path) -> None:
    keyring = Slow()
    keyring.is_locked = True
    patience = Patience(bound_s=0.02, prompt_s=60, on_wait=lambda _: patience.stop())
    place = vault_at(tmp_path, keyring).prepare(patience)
    keyring.finish()
    assert place.words == "kept for this run only: the wait for Secret Service was ended"


def test_a_question_that_nobody_answers_is_called_locked(tmp_path: Path) -> None:
    keyring = Slow()
    keyring.is_locked = True
    patience = Patience(bound_s=0.01, prompt_s=0.05, on_wait=lambda _: None)
    place = vault_at(tmp_path, keyring).prepare(patience)
    keyring.finish()
    assert place.words == "kept for this run only: Secret Service is locked"


async def test_the_loop_runs_on_while_a_keyring_hangs(tmp_path: Path) -> None:
    keyring = Slow()
    vault = vault_at(tmp_path, keyring)
    waiting = asyncio.create_task(beside(lambda: vault.store(VARIABLE, GW, KEY)))
    await beside(keyring.entered.wait)  # the loop runs on meanwhile
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    keyring.released.set()

    def fails() -> None:
        raise KeyProblem(Fault("keyring", "No."))

    with pytest.raises(KeyProblem):
        await beside(fails)


# Values


@pytest.mark.parametrize("value", ["", "sk\n1", "sk\x00", "skü"])
def test_what_cannot_be_sent_is_not_stored(tmp_path: Path, value: str) -> None:
    keyring = Works()
    with pytest.raises(KeyProblem):
        vault_at(tmp_path, keyring).store(VARIABLE, GW, Secret(value))
    assert not keyring.kept


def test_no_exception_carries_the_value(tmp_path: Path) -> None:
    class Leaks(Works):
        def set(self, service: str, user: str, password: str) -> None:  # noqa: ARG002
            raise RuntimeError(f"could not write {password}")

    place = vault_at(tmp_path, Leaks()).store(VARIABLE, GW, KEY)
    assert CANARY not in repr(place)
    keyring = Works()
    vault = vault_at(tmp_path, keyring)
    vault.store(VARIABLE, GW, KEY)
    try:
        vault.fetch(VARIABLE, OTHER)
    except KeyProblem as problem:
        trace = traceback.TracebackException.from_exception(problem, capture_locals=True)
        assert CANARY not in "".join(trace.format())


def test_opening_touches_neither_keyring_nor_file(tmp_path: Path) -> None:
    def find() -> Backend:
        raise AssertionError("looked for too early")

    vault = open_vault(tmp_path / "state", env={"SSH_TTY": "x"}, find=find)
    assert vault.here.ssh
    assert not (tmp_path / "state").exists()


# The environment's bindings


def test_environment_bindings_are_recorded_without_a_value(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, None)
    assert vault.allow_environment(VARIABLE, GW) is None
    assert vault_at(tmp_path, None).sent_to(VARIABLE) == (GW,)
    vault.allow_environment(VARIABLE, "http://two:1")
    vault.allow_environment(VARIABLE, OTHER, instead=True, keep=("http://two:1",))
    assert set(vault_at(tmp_path, None).sent_to(VARIABLE)) == {"http://two:1", OTHER}
