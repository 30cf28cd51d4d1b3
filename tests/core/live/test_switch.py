from __future__ import annotations

import gc
import sys

import pytest

from core.live.switch import INTERVAL_S, quick_switching


def test_the_interval_is_short_while_anybody_watches_and_as_before_afterwards() -> None:
    before = sys.getswitchinterval()
    frozen = gc.get_freeze_count()
    with quick_switching():
        assert sys.getswitchinterval() == pytest.approx(INTERVAL_S)
        assert gc.get_freeze_count() > frozen
        with quick_switching():
            assert sys.getswitchinterval() == pytest.approx(INTERVAL_S)
        assert sys.getswitchinterval() == pytest.approx(INTERVAL_S), "one race goes on"
        assert gc.get_freeze_count() > frozen
    assert sys.getswitchinterval() == pytest.approx(before)
    assert gc.get_freeze_count() == 0


def test_an_interval_that_is_shorter_already_stays() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    try:
        before_it = sys.getswitchinterval()
        with quick_switching():
            assert sys.getswitchinterval() == pytest.approx(before_it, rel=0.05)
    finally:
        sys.setswitchinterval(before)
