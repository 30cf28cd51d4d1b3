"""Keys: where each one is, where it may go, and nothing of it on screen."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input, OptionList, Static

from core.errors import Fault
from core.keys.backends import BackendError
from core.keys.bounded import PROMPT_S, Patience
from core.keys.secret import Secret
from screens.keys import KeysScreen
from tests.core.keys.fakes import Raises, Slow, Works, vault_at
from tests.screens.stage import FILLED, KEY, ScriptedAsker, Stage, arrive, stand, until, workspace
from tui.widgets.ask_key import AskRebind
from tui.widgets.fault import FaultBox
from tui.widgets.places import Open, ToAddProvider, ToKeys, ToLive, ToModels, ToSave
from tui.widgets.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from textual.pilot import Pilot

    from core.keys.backends import Backend
    from core.keys.vault import Vault
    from core.workspace import Workspace

VARIABLE = "WARDEN_LITELLM_API_KEY"
HERE = "http://127.0.0.1:4000"
OLD = "http://gw.lan:4000"


def on(folder: Path, backend: Backend | None, env: Mapping[str, str] | None = None) -> Workspace:
    found = workspace(FILLED, env=env)
    found.vault = vault_at(folder, backend)
    return found


def text(pilot: Pilot[int]) -> str:
    screen = pilot.app.screen
    strips = screen._compositor.render_strips(screen.size)
    # words as a person reads them, over the ends of lines and through boxes
    return " ".join(re.sub("[│╭╮╰╯─]", " ", "\n".join(strip.text for strip in strips)).split())


def row(pilot: Pilot[int]) -> str:
    found = pilot.app.screen.query_one("#keys", OptionList)
    return str(found.get_option_at_index(0).prompt)


async def settle(pilot: Pilot[int]) -> KeysScreen:
    screen = pilot.app.screen
    assert isinstance(screen, KeysScreen)
    await until(pilot, lambda: screen.settled)
    await pilot.pause()
    return screen


async def test_k_on_home_opens_the_keys(tmp_path: Path) -> None:
    app = Stage(on(tmp_path, Works()))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        await pilot.press("k")
        await arrive(pilot, "KeysScreen")
        await settle(pilot)
        assert "placeholder" in row(pilot)
        assert "Secret Service is open" in text(pilot)
        await pilot.press("escape")
        await arrive(pilot, "HomeScreen")


async def test_a_typed_key_goes_to_the_keyring_for_this_origin_and_is_never_seen(
    tmp_path: Path,
) -> None:
    backend = Works()
    held = on(tmp_path, backend)
    app = Stage(held, ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        await pilot.press("n")
        await arrive(pilot, "AskKey")
        await until(pilot, lambda: f"goes to Secret Service, only for {HERE}" in text(pilot))
        await pilot.press(*KEY)
        assert KEY not in text(pilot)
        await pilot.press("enter")
        await arrive(pilot, "KeysScreen")
        await settle(pilot)
        assert "Secret Service" in row(pilot)
        assert KEY not in text(pilot)
        assert KEY not in app.export_screenshot()
    assert list(backend.kept.values()) == [KEY]
    assert list(backend.kept) == [("turnkey", f"{VARIABLE}@{HERE}")]


async def test_without_a_keyring_the_key_lives_for_this_run_and_the_screen_says_so(
    tmp_path: Path,
) -> None:
    held = on(tmp_path, None)
    app = Stage(held, ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        assert "kept for this run only: no keyring here" in text(pilot)
        await pilot.press("n")
        await arrive(pilot, "AskKey")
        await until(pilot, lambda: "no keyring here" in text(pilot))
        await pilot.press(*KEY, "enter")
        await arrive(pilot, "KeysScreen")
        await settle(pilot)
        assert "memory, this run" in row(pilot)
    assert held.vault.memory[VARIABLE, HERE] == Secret(KEY)
    assert held.vault.index.entries == ()


async def test_what_cannot_be_sent_is_said_and_not_taken(tmp_path: Path) -> None:
    backend = Works()
    app = Stage(on(tmp_path, backend), ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        await pilot.press("n")
        await arrive(pilot, "AskKey")
        await pilot.press(*"sk-ü1", "enter")
        await until(pilot, lambda: "cannot be sent" in text(pilot))
        assert type(app.screen).__name__ == "AskKey"
        await pilot.press("escape")
        await arrive(pilot, "KeysScreen")
    assert backend.kept == {}


async def test_another_origin_is_asked_about_with_both_named(tmp_path: Path) -> None:
    held = on(tmp_path, Works())
    held.vault.store(VARIABLE, OLD, Secret(KEY))
    app = Stage(held, ToKeys())
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        assert "bound elsewhere" in row(pilot)
        assert OLD in text(pilot)
        await pilot.press("r")
        await arrive(pilot, "AskRebind")
        question = text(pilot)
        assert OLD in question
        assert f"May {HERE} have it" in question
        await pilot.press("escape")
        await arrive(pilot, "KeysScreen")
        assert held.vault.stored_for(VARIABLE) == (OLD,)
        await pilot.press("r")
        await arrive(pilot, "AskRebind")
        await pilot.press("r")
        await arrive(pilot, "KeysScreen")
        await settle(pilot)
        assert "Secret Service" in row(pilot)
    assert held.vault.stored_for(VARIABLE) == (HERE,)


async def test_import_takes_the_environments_key(tmp_path: Path) -> None:
    backend = Works()
    held = on(tmp_path, backend, {"LITELLM_API_KEY": KEY})
    app = Stage(held, ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        assert "environment" in row(pilot)
        await pilot.press("i")
        await until(pilot, lambda: bool(backend.kept))
        await settle(pilot)
        assert "the keyring has a key, too; $LITELLM_API_KEY wins" in text(pilot)
    assert list(backend.kept.values()) == [KEY]


async def test_nothing_to_import_is_said(tmp_path: Path) -> None:
    app = Stage(on(tmp_path, Works()), ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        await pilot.press("i")
        await until(pilot, lambda: app.screen.query_one(FaultBox).has_class("-shown"))
        assert "to import" in text(pilot)


async def test_delete_asks_first(tmp_path: Path) -> None:
    backend = Works()
    held = on(tmp_path, backend)
    held.vault.store(VARIABLE, HERE, Secret(KEY))
    app = Stage(held, ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        await pilot.press("x")
        await arrive(pilot, "AskChoice")
        await pilot.press("enter")
        await arrive(pilot, "KeysScreen")
        assert backend.kept
        await pilot.press("x")
        await arrive(pilot, "AskChoice")
        await pilot.press("right", "enter")
        await arrive(pilot, "KeysScreen")
        await settle(pilot)
    assert backend.kept == {}


async def test_another_providers_key_is_pointed_out_and_explained(tmp_path: Path) -> None:
    hosted = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "AWS_PROFILE")
    held = on(tmp_path, Works(), dict.fromkeys(hosted, "sk-ant-of-the-user"))
    app = Stage(held, ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        assert "ANTHROPIC_API_KEY is set here" in text(pilot)
        await pilot.press("w")
        await pilot.pause()
        await arrive(pilot, "Explain")
        shown = text(pilot)
        assert "turnkey run --only-listed -- warden" in shown  # the fix, whole, at 80x24
        for variable in held.env:
            assert variable in text(pilot)
        assert "sk-ant-of-the-user" not in text(pilot)
        await pilot.press("escape")
        await arrive(pilot, "KeysScreen")


async def test_what_is_left_over_is_listed_and_can_be_deleted(tmp_path: Path) -> None:
    backend = Works()
    vault_at(tmp_path, backend).store("GONE_API_KEY", OLD, Secret(KEY))
    vault_at(tmp_path, backend).allow_environment("WENT_API_KEY", OLD)
    held = on(tmp_path, backend)
    rows = len(held.providers)
    app = Stage(held, ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        for variable in ("GONE_API_KEY", "WENT_API_KEY"):
            assert variable in text(pilot)
            app.screen.query_one("#keys", OptionList).highlighted = rows
            await pilot.pause()
            assert "x deletes it" in text(pilot)
            await pilot.press("x")
            await arrive(pilot, "AskChoice")
            assert variable in text(pilot)
            await pilot.press("tab", "enter")
            await arrive(pilot, "KeysScreen")
            await until(pilot, partial(is_gone, held, variable))
            await settle(pilot)
    assert backend.kept == {}


def is_gone(held: Workspace, variable: str) -> bool:
    return all(entry.variable != variable for entry in held.vault.index.entries)


async def test_what_another_turnkey_does_is_seen_by_itself(tmp_path: Path) -> None:
    backend = Works()
    app = Stage(on(tmp_path, backend), ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        assert "placeholder" in row(pilot)
        vault_at(tmp_path, backend).store(VARIABLE, HERE, Secret(KEY))
        await until(pilot, lambda: "Secret Service" in row(pilot))
        vault_at(tmp_path, backend).delete(VARIABLE, HERE)
        await until(pilot, lambda: "placeholder" in row(pilot))


async def test_what_was_told_of_one_line_leaves_with_the_cursor(tmp_path: Path) -> None:
    held = on(tmp_path, Works())
    vault_at(tmp_path, Works()).allow_environment("WENT_API_KEY", OLD)
    app = Stage(held, ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        await pilot.press("r")
        await until(pilot, lambda: "nothing to re-bind" in text(pilot))
        await pilot.press("down")
        await until(pilot, lambda: "nothing to re-bind" not in text(pilot))


async def test_the_question_about_a_long_address_keeps_its_buttons(tmp_path: Path) -> None:
    fault = Fault("key_bound_elsewhere", f"Bound to {OLD}.", "The base URL is another one now.")
    app = Stage(on(tmp_path, Works()), ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        app.push_screen(AskRebind(fault, f"https://{'gateway.' * 12}lan:4000"))
        await arrive(pilot, "AskRebind")
        await pilot.pause()
        assert "r Re-bind it" in text(pilot)
        assert "No, it stays as it is" in text(pilot)
        await pilot.press("ctrl+y")
        assert f"Bound to {OLD}." in app.clipboard


async def test_copy_sends_the_run_line_and_no_key(tmp_path: Path) -> None:
    held = on(tmp_path, Works(), {"LITELLM_API_KEY": KEY})
    app = Stage(held, ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        await pilot.press("c")
        await pilot.pause()
        assert app.clipboard == "turnkey run -- warden"


async def test_a_keyring_that_fails_is_told(tmp_path: Path) -> None:
    backend = Raises(BackendError("failing", "Secret Service answered with an error: no."))
    backend.trouble = None
    held = on(tmp_path, backend)
    held.vault.store(VARIABLE, HERE, Secret(KEY))
    backend.trouble = BackendError("failing", "Secret Service answered with an error: no.")
    app = Stage(held, ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        assert "answered with an error" in text(pilot)


# The wait while a keyring asks to be unlocked


async def test_the_wait_is_seen_and_ended_by_escape(tmp_path: Path) -> None:
    backend = Slow()
    backend.is_locked = True
    app = Stage(on(tmp_path, backend), ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        assert "Secret Service is locked" in text(pilot)
        await pilot.press("n")
        await arrive(pilot, "WaitScreen")
        await pilot.pause()
        assert "Secret Service is waiting to be unlocked" in text(pilot)
        assert f"of at most {PROMPT_S:.0f} s" in text(pilot)
        await pilot.press("escape")
        await arrive(pilot, "AskKey")
        await until(pilot, lambda: "the wait for Secret Service was ended" in text(pilot))
        await pilot.press("escape")
        await arrive(pilot, "KeysScreen")
        backend.finish()


async def test_the_wait_ends_by_itself_when_it_is_unlocked(tmp_path: Path) -> None:
    backend = Slow()
    backend.is_locked = True
    app = Stage(on(tmp_path, backend), ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        await pilot.press("n")
        await arrive(pilot, "WaitScreen")
        backend.is_locked = False
        backend.finish()
        await arrive(pilot, "AskKey")
        await until(pilot, lambda: "goes to Secret Service" in text(pilot))


async def test_what_is_typed_while_the_keyring_is_looked_for_is_the_key(tmp_path: Path) -> None:
    backend = Slow()
    backend.released.set()
    held = on(tmp_path, backend)
    app = Stage(held, ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        backend.released.clear()
        held.vault.patience = partial(Patience, 60.0)
        await pilot.press("n", *"xrinc", "enter")
        assert type(app.screen).__name__ == "AskKey"
        assert app.screen.query_one(Input).value == "xrinc"
        assert "looking for the keyring" in text(pilot)
        backend.finish()
        await arrive(pilot, "KeysScreen")
        await settle(pilot)
    assert list(backend.kept.values()) == ["xrinc"]


class SlowToFail(Slow):
    """Takes its time, and then fails."""

    def set(self, service: str, user: str, password: str) -> None:
        super().set(service, user, password)
        raise BackendError("failing", "Secret Service answered with an error: no.")


async def test_where_the_keyring_fails_the_key_is_taken_by_another_enter_alone(
    tmp_path: Path,
) -> None:
    backend = SlowToFail()
    backend.released.set()
    held = on(tmp_path, backend)
    app = Stage(held, ToKeys())
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        backend.released.clear()
        held.vault.patience = partial(Patience, 60.0)
        await pilot.press("n", *KEY, "enter")
        backend.finish()
        await until(pilot, lambda: "looking for the keyring" not in text(pilot))
        assert type(app.screen).__name__ == "AskKey"
        assert "answers with an error" in text(pilot)
        await pilot.press("enter")
        await arrive(pilot, "KeysScreen")
        await settle(pilot)
        assert "memory, this run" in row(pilot)


@pytest.mark.parametrize("place", [ToModels(name="litellm"), ToLive()], ids=["models", "live"])
async def test_other_screens_wait_the_same_way(tmp_path: Path, place: ToModels | ToLive) -> None:
    backend = Slow()
    held = on(tmp_path, backend)
    with_key(held.vault)
    backend.is_locked = True
    asker = held.asker
    assert isinstance(asker, ScriptedAsker)
    app = Stage(held)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        app.screen.post_message(Open(place))
        if isinstance(place, ToLive):
            await arrive(pilot, "LiveScreen")
            await pilot.press("enter")
        await arrive(pilot, "WaitScreen")
        await pilot.press("escape")
        await until(pilot, lambda: type(app.screen).__name__ in {"ModelsScreen", "LiveScreen"})
        await until(pilot, lambda: app.screen.query_one(FaultBox).has_class("-shown"))
        assert "was ended" in str(app.screen.query_one(FaultBox).content)
        backend.finish()
    assert asker.asked == []
    assert asker.pinged == []


async def test_the_form_and_the_save_wait_the_same_way(tmp_path: Path) -> None:
    backend = Slow()
    backend.is_locked = True
    held = on(tmp_path, backend)
    held.pending_keys[VARIABLE, HERE] = Secret(KEY)
    app = Stage(held)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot)
        for place, behind in ((ToAddProvider(), "AddProviderScreen"), (ToSave(), "SaveScreen")):
            held.vault = vault_at(tmp_path, backend)
            held.vault.patience = Waiting(app)
            app.screen.post_message(Open(place))
            await arrive(pilot, "WaitScreen")
            assert "esc stops the wait" in text(pilot)
            await pilot.press("escape")
            await arrive(pilot, behind)
            if behind == "AddProviderScreen":
                app.screen.query_one("#key-input", Input).value = KEY
            await until(pilot, lambda: "the wait for Secret Service was ended" in text(pilot))
            assert KEY not in text(pilot)
            await pilot.press("escape")
            await arrive(pilot, "HomeScreen")
        backend.finish()


def with_key(vault: Vault) -> None:
    """As if an earlier run had stored the key."""
    vault._list(VARIABLE, HERE)


@pytest.mark.parametrize("place", [ToModels(name="litellm"), ToLive()], ids=["models", "live"])
@pytest.mark.parametrize("agrees", [False, True], ids=["no", "yes"])
async def test_a_changed_base_url_is_asked_about_before_anything_is_sent(
    tmp_path: Path, place: ToModels | ToLive, *, agrees: bool
) -> None:
    held = on(tmp_path, Works())
    held.vault.store(VARIABLE, OLD, Secret(KEY))
    asker = held.asker
    assert isinstance(asker, ScriptedAsker)
    app = Stage(held)
    async with app.run_test(size=(100, 30)) as pilot:
        await stand(pilot)
        app.screen.post_message(Open(place))
        if isinstance(place, ToLive):
            await arrive(pilot, "LiveScreen")
            await pilot.press("enter")
        await arrive(pilot, "AskRebind")
        assert OLD in text(pilot)
        assert f"May {HERE} have it" in text(pilot)
        assert asker.asked == []
        assert asker.pinged == []
        await pilot.press("r" if agrees else "escape")
        if agrees:
            await until(pilot, lambda: bool(asker.asked or asker.pinged))
        else:
            await until(pilot, lambda: type(app.screen).__name__ != "AskRebind")
            await until(pilot, lambda: app.screen.query_one(FaultBox).has_class("-shown"))
            assert asker.asked == []
            assert asker.pinged == []
        await pilot.pause()
    assert held.vault.stored_for(VARIABLE) == ((HERE,) if agrees else (OLD,))


async def test_every_line_of_the_detail_is_plain_text(tmp_path: Path) -> None:
    held = workspace(FILLED.replace("providers.litellm", 'providers."[red]x"'), env={})
    held.vault = vault_at(tmp_path, Works())
    app = Stage(held, ToKeys())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "KeysScreen")
        await settle(pilot)
        assert "[red]x" in row(pilot)
        assert app.screen.query_one("#detail", Static) is not None
