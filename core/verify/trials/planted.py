"""A small repository that exists only in memory, with a fact in it that nobody can guess.

Every run plants another one: names, places and the fact come from a seed, so that no answer can
come out of a cache or a model's memory. Nothing of the user's is ever read.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_BIRD_WORDS: Final = (
    "avocet bittern curlew dunlin egret fulmar gannet heron ibis jacana kestrel linnet merlin"
    " nightjar osprey plover quail redshank siskin tern"
)
_BIRDS: Final = tuple(_BIRD_WORDS.split())
_METAL_WORDS: Final = "cobalt copper iridium nickel osmium rhodium silver tellurium tungsten zinc"
_METALS: Final = tuple(_METAL_WORDS.split())
_WORK_WORDS: Final = "archive billing catalog export ingest ledger mailer notify parcel report"
_WORKS: Final = tuple(_WORK_WORDS.split())
_TABLES: Final = ("aged", "calm", "drained", "fresh", "loaded", "steady")
_LETTERS: Final = "bcdfghjkmnpqrstvwxz"

MOST_CHARACTERS: Final = 1_500
"""An answer of one or two sentences, told at great length."""

Named = Literal["fact", "other", "several", "none"]
"""What an answer gives."""


class Planted(msgspec.Struct, frozen=True):
    """One planted repository and the question that it answers."""

    files: Mapping[str, str]
    """Text by path, relative, with slashes."""
    question: str
    """The user's message: a change under review, and what to find out about it."""
    fact: str
    """The value to be found; it stands in one file and nowhere in the question."""
    others: tuple[str, ...]
    """Values of the same kind, in that file and elsewhere, that are not the one asked for: only
    what :attr:`middle` says tells which one is."""
    start: str
    """The file that the change is in."""
    middle: str
    """The file that the function named in the change is in: it says where the fact is."""
    place: str
    """The file that the fact is in."""


def plant(seed: int) -> Planted:
    """The repository of this seed: the same seed gives the same one."""
    dice = random.Random(seed)  # noqa: S311  # a riddle, not a secret
    work, other = dice.sample(_WORKS, 2)
    bird, second = dice.sample(_BIRDS, 2)
    metals = dice.sample(_METALS, 5)
    tag = "".join(dice.choices(_LETTERS, k=3)) + str(dice.randint(10, 99))
    function = f"drain_{bird}_{tag}"
    fact, beside, elsewhere, reserved, old = (
        f"{metal}-{dice.randint(1000, 9999)}-{''.join(dice.choices(_LETTERS, k=2))}"
        for metal in metals
    )
    right, wrong = dice.sample(_TABLES, 2)
    tables = [(right, fact), (wrong, beside)]
    dice.shuffle(tables)
    start = f"services/{work}/worker.py"
    middle = f"lib/queues/{bird}.py"
    place = f"settings/{second}_{tag}.toml"
    diff = _DIFF.format(function=function, work=work)
    files = {
        "README.md": _README.format(work=work, other=other),
        "docs/overview.md": _OVERVIEW.format(work=work, other=other, bird=bird, old=old),
        start: _WORKER.format(bird=bird, function=function, work=work),
        f"services/{other}/worker.py": _OTHER_WORKER.format(other=other),
        "lib/__init__.py": "",
        "lib/queues/__init__.py": "",
        middle: _QUEUE.format(function=function, bird=bird, place=place, table=right),
        "lib/queues/base.py": _BASE,
        "lib/clock.py": _CLOCK,
        place: _SETTINGS.format(bird=bird, attempts=dice.randint(3, 9))
        + "".join(_SEALED.format(table=name, seal=seal) for name, seal in tables),
        f"settings/{second}.toml": _SETTINGS.format(bird=second, attempts=dice.randint(3, 9))
        + _SEALED.format(table=right, seal=elsewhere),
        f"settings/{other}.toml": _OTHER_SETTINGS.format(other=other, decoy=reserved),
        f"tests/test_{work}.py": _TEST.format(work=work),
    }
    return Planted(
        files=files,
        question=_QUESTION.format(function=function, start=start, diff=diff),
        fact=fact,
        others=(beside, elsewhere, reserved, old),
        start=start,
        middle=middle,
        place=place,
    )


def named(text: str, planted: Planted) -> Named:
    """Which of the planted values an answer gives: the one asked for, another, or several.

    Whoever passes on all that the tools showed has not found anything.
    """
    others = any(mentions(text, one) for one in planted.others)
    if not mentions(text, planted.fact):
        return "other" if others else "none"
    return "several" if others or len(text) > MOST_CHARACTERS else "fact"


def mentions(text: str, fact: str) -> bool:
    """Whether ``text`` gives ``fact``, whatever case or dash it is written with."""
    return _plain(fact) in _plain(text)


def _plain(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


_QUESTION: Final = """\
The change below calls `{function}`, which is defined elsewhere in this repository. Find out
which retry seal that function works with: search the repository for the function, read the file
that defines it, and follow what it says. A seal is a word, a number and two letters, joined by
dashes. There are several in this repository, and one of them is the right one; it does not stand
in this message.

When you have seen it in a file, answer in one or two sentences: the seal exactly as it is
written, and the file it stands in. Name that one seal and no other. Do not guess, and do not ask
back.

Change under review, {start}:

{diff}"""

_DIFF: Final = """\
@@ -14,9 +14,12 @@ class Worker:
     def run(self, batch):
-        for job in batch:
-            self.handle(job)
+        left = {function}(batch, handle=self.handle)
+        if left:
+            self.log.warning("{work}: some jobs were left over")
+            self.park(left)
+        return len(batch) - len(left)

     def handle(self, job):
         self.store.put(job.key, job.payload)
"""

_README: Final = """\
# {work} and {other}

Two background services that share their queues. Each service has a worker under services/, the
queues they drain live in lib/queues/, and what operators may change stands in settings/.

Run the tests with `python -m pytest`.
"""

_OVERVIEW: Final = """\
# Overview

A worker takes a batch, hands it to its queue's drain function, and parks what is left over.
The {work} worker uses the {bird} queue; the {other} worker has a plain loop.

Drain functions never raise for a job that fails: they try again, and give the job back when the
tries are used up. How often they try is not in the code, so that operators can change it.

The first seal of all, {old}, was given up when the queues were split.
"""

_WORKER: Final = '''\
"""Drains the {bird} queue for the {work} service."""

import logging

from lib.queues.{bird} import {function}


class Worker:
    def __init__(self, store):
        self.store = store
        self.log = logging.getLogger("{work}")

    def run(self, batch):
        left = {function}(batch, handle=self.handle)
        if left:
            self.log.warning("{work}: some jobs were left over")
            self.park(left)
        return len(batch) - len(left)

    def handle(self, job):
        self.store.put(job.key, job.payload)

    def park(self, jobs):
        self.store.put_many((job.key + ".parked", job.payload) for job in jobs)
'''

_OTHER_WORKER: Final = '''\
"""The {other} service: one job after another, no second try."""


class Worker:
    def __init__(self, store):
        self.store = store

    def run(self, batch):
        done = 0
        for job in batch:
            self.store.put(job.key, job.payload)
            done += 1
        return done
'''

_QUEUE: Final = '''\
"""The {bird} queue."""

from lib.clock import pause
from lib.queues.base import Queue, settings


def {function}(batch, handle):
    """Handle every job of the batch; give back those that failed too often.

    The retry seal of this queue is in {place}: `seal` of the table [{table}], and no other.
    """
    rules = settings("{bird}")
    left = []
    for job in batch:
        for attempt in range(rules.attempts):
            if Queue.attempt(handle, job):
                break
            pause(attempt)
        else:
            left.append(job)
    return left
'''

_BASE: Final = '''\
"""What all queues share."""

import tomllib
from pathlib import Path
from types import SimpleNamespace


class Queue:
    @staticmethod
    def attempt(handle, job):
        try:
            handle(job)
        except OSError:
            return False
        return True


def settings(name):
    """The rules of one queue, looked up in every file of the settings folder."""
    for path in sorted(Path("settings").glob("*.toml")):
        data = tomllib.loads(path.read_text())
        if data.get("queue") == name:
            return SimpleNamespace(**data["retry"])
    raise KeyError(name)
'''

_CLOCK: Final = '''\
"""Waiting, in one place, so that tests can replace it."""

import time


def pause(attempt, base=0.2, most=5.0):
    """Sleep a little longer after each failed attempt, up to ``most`` seconds."""
    time.sleep(min(most, base * 2**attempt))
'''

_SETTINGS: Final = """\
# Rules of the {bird} queue. Restart the worker after a change.
queue = "{bird}"

[retry]
attempts = {attempts}
"""

_SEALED: Final = """
[{table}]
seal = "{seal}"
"""

_OTHER_SETTINGS: Final = """\
# Rules of the {other} service. It does not retry yet; the seal is reserved.
queue = "{other}"

[reserved]
seal = "{decoy}"
"""

_TEST: Final = '''\
"""What the {work} worker gives back."""

from services.{work}.worker import Worker


class Store(dict):
    def put(self, key, value):
        self[key] = value


def test_an_empty_batch_is_done_at_once():
    assert Worker(Store()).run([]) == 0
'''
