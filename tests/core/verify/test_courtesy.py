"""Places at an origin go to whoever holds up most, and none is lost when somebody leaves."""

from __future__ import annotations

import asyncio

from core.verify.courtesy import URGENCY, Courtesy

ORIGIN = "http://127.0.0.1:9"


class Queue:
    """Tasks at one origin with a single place, and the order in which they got it."""

    def __init__(self, limit: int = 1) -> None:
        self.courtesy = Courtesy(limit)
        self.order: list[str] = []
        self.go = asyncio.Event()

    def join(self, name: str, urgency: int) -> asyncio.Task[None]:
        async def take() -> None:
            URGENCY.set(urgency)
            async with self.courtesy.turn(ORIGIN):
                self.order.append(name)
                await self.go.wait()

        return asyncio.create_task(take())


async def settled() -> None:
    """Every task has come as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_holds_up_most_comes_first_and_then_who_came_first() -> None:
    queue = Queue()
    tasks = [queue.join("holder", 0)]
    await settled()
    for name, urgency in (("short", 1), ("long", 9), ("also long", 9), ("middle", 4)):
        tasks.append(queue.join(name, urgency))
        await settled()
    queue.go.set()
    await asyncio.gather(*tasks)
    assert queue.order == ["holder", "long", "also long", "middle", "short"]


async def test_who_leaves_the_row_takes_no_place_along() -> None:
    queue = Queue()
    holder = queue.join("holder", 0)
    await settled()
    left, stays = queue.join("left", 9), queue.join("stays", 1)
    await settled()
    left.cancel()
    await settled()
    queue.go.set()
    await asyncio.gather(holder, stays)
    assert queue.order == ["holder", "stays"]


async def test_who_leaves_with_the_place_in_hand_gives_it_back() -> None:
    queue = Queue()
    holder = queue.join("holder", 0)
    await settled()
    left, stays = queue.join("left", 9), queue.join("stays", 1)
    await settled()
    holder.cancel()  # its place goes to «left», which is cancelled before it can take it
    await asyncio.sleep(0)
    left.cancel()
    queue.go.set()
    await asyncio.wait_for(stays, 5)
    assert queue.order == ["holder", "stays"]


async def test_no_more_are_out_at_once_than_the_limit() -> None:
    queue = Queue(limit=3)
    tasks = [queue.join(str(number), number) for number in range(8)]
    await settled()
    assert len(queue.order) == 3
    queue.go.set()
    await asyncio.gather(*tasks)
    assert len(queue.order) == 8
