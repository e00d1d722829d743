"""Callers share the threads: each has its turn, whatever another one sends."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from eseal.errors import Overloaded
from eseal.rpc.settings import PlaintextSettings, ServerSettings
from eseal.rpc.work import Work
from eseal.terms import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any


def _run(story: Callable[[Work], Coroutine[Any, Any, None]], **settings: int) -> None:
    async def main() -> None:
        work = Work(ServerSettings(plaintext=PlaintextSettings(caller="x:y"), bulk_threads=1, **settings))
        try:
            await story(work)
        finally:
            work.close()

    asyncio.run(main())


def test_callers_take_turns() -> None:
    """One batch of a second caller waits for one of the first's, not for all of them."""
    order: list[str] = []
    gate = threading.Event()

    async def story(work: Work) -> None:
        first = asyncio.ensure_future(work.run(Lane.BULK, "gate", gate.wait))
        await asyncio.sleep(0)
        many = [asyncio.ensure_future(work.run(Lane.BULK, "many", lambda: order.append("many"))) for _ in range(6)]
        await asyncio.sleep(0)
        few = [asyncio.ensure_future(work.run(Lane.BULK, "few", lambda: order.append("few"))) for _ in range(2)]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, *many, *few)

    _run(story)

    assert ["many", "few", "many", "few", "many", "many", "many", "many"] == order


def test_who_gives_up_costs_no_turn() -> None:
    """A call that was cancelled while it waited, or while it ran, frees its thread for the next one."""
    gate = threading.Event()

    async def story(work: Work) -> None:
        running = asyncio.ensure_future(work.run(Lane.BULK, "a", gate.wait))
        await asyncio.sleep(0.01)
        waiting = [asyncio.ensure_future(work.run(Lane.BULK, "b", lambda: None)) for _ in range(3)]
        await asyncio.sleep(0)
        running.cancel()
        waiting[0].cancel()
        await asyncio.sleep(0.05)
        assert not waiting[1].done()
        gate.set()
        await asyncio.wait_for(asyncio.gather(*waiting[1:]), 5)
        assert 1 == await asyncio.wait_for(work.run(Lane.BULK, "c", lambda: 1), 5)

    _run(story)


def test_calls_of_one_caller_are_limited() -> None:
    """A caller with too many calls waiting is told to come again; another caller is not concerned."""
    gate = threading.Event()

    async def story(work: Work) -> None:
        calls = [asyncio.ensure_future(work.run(Lane.INTERACTIVE, "a", gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refused:
            await work.run(Lane.INTERACTIVE, "a", lambda: None)
        other = asyncio.ensure_future(work.run(Lane.INTERACTIVE, "b", lambda: None))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*calls, other)
        assert refused.value.retry_after > 0

    _run(story, interactive_threads=1, caller_calls=2)


def test_streams_of_one_caller_are_limited() -> None:
    """A stream too many is refused; one that ends makes room."""

    async def story(work: Work) -> None:
        with work.stream("a"):
            with work.stream("a"), pytest.raises(Overloaded), work.stream("a"):
                pass
            with work.stream("b"), work.stream("a"):
                pass

    _run(story, caller_streams=2)
