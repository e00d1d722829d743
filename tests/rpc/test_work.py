"""Callers share the threads: each has its turn, whatever another one sends; single calls that wait go together."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import weakref
from typing import TYPE_CHECKING

import pytest

from eseal.errors import Overloaded
from eseal.rpc.settings import PlaintextSettings, ServerSettings
from eseal.rpc.work import Room, Work, overlapped, parts
from eseal.terms import Lane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
    from typing import Any

    from eseal.rpc.work import Singles


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


class _Doing:
    """What was done together; the first batch waits at the gate."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.batches: list[list[str]] = []

    def __call__(self, items: Sequence[str]) -> list[str]:
        self.batches.append(list(items))
        self.gate.wait(5)
        return [item.upper() for item in items]


def _call(singles: Singles[str, str], item: str, *, key: str | None = None, size: int = 1) -> asyncio.Future[str]:
    return asyncio.ensure_future(singles.run(item[0], item, key=key or item, size=size))


def test_single_calls_that_wait_are_done_together() -> None:
    """A call that finds a free thread goes at once, alone; those that wait go together, each caller's in its turn."""
    doing = _Doing()

    async def story(work: Work) -> None:
        singles = work.singles(doing)
        calls = [_call(singles, item) for item in ("a0", "a1", "b1", "a2", "b2", "c1")]
        await asyncio.sleep(0.05)
        assert [["a0"]] == doing.batches
        doing.gate.set()
        assert ["A0", "A1", "B1", "A2", "B2", "C1"] == await asyncio.gather(*calls)

    _run(story, single_seal_threads=1)

    assert [["a0"], ["a1", "a2"], ["b1", "b2"], ["c1"]] == doing.batches


def test_one_request_id_is_done_once_at_a_time() -> None:
    """A call that asks for the same as another in its batch is of the next one, where it is a replay."""
    doing = _Doing()

    async def story(work: Work) -> None:
        singles = work.singles(doing)
        calls = [_call(singles, item, key=item[:2]) for item in ("a0", "a1", "a2", "a1 again", "a3")]
        await asyncio.sleep(0.05)
        doing.gate.set()
        await asyncio.gather(*calls)

    _run(story, single_seal_threads=1)

    assert [["a0"], ["a1", "a2"], ["a1 again", "a3"]] == doing.batches


def test_large_calls_do_not_take_small_ones_along() -> None:
    """A batch is closed by the call that makes it large."""
    doing = _Doing()

    async def story(work: Work) -> None:
        singles = work.singles(doing)
        calls = [_call(singles, "a0"), _call(singles, "a1", size=8_000_000), _call(singles, "a2")]
        await asyncio.sleep(0.05)
        doing.gate.set()
        await asyncio.gather(*calls)

    _run(story, single_seal_threads=1)

    assert [["a0"], ["a1"], ["a2"]] == doing.batches


def test_single_call_that_is_given_up() -> None:
    """A call that was cancelled while it waited is not done; one that was under way hurts nobody; a limit is kept."""
    doing = _Doing()

    async def story(work: Work) -> None:
        singles = work.singles(doing)
        running, given_up, kept = [_call(singles, item) for item in ("a0", "a1", "a2")]
        await asyncio.sleep(0.05)
        with pytest.raises(Overloaded):
            await singles.run("a", "a3", key="a3", size=1)
        running.cancel()
        given_up.cancel()
        await asyncio.sleep(0)
        doing.gate.set()
        assert "A2" == await asyncio.wait_for(kept, 5)
        assert "B1" == await asyncio.wait_for(singles.run("b", "b1", key="b1", size=1), 5)

    _run(story, single_seal_threads=1, caller_calls=2)

    assert [["a0"], ["a2"], ["b1"]] == doing.batches


def test_what_goes_wrong_for_a_batch_is_said_to_each() -> None:
    """An exception is every call's of the batch, and the thread goes on."""

    def doing(items: Sequence[str]) -> list[str]:
        if "bad" in items[0]:
            raise ValueError(items[0])
        return list(items)

    async def story(work: Work) -> None:
        singles = work.singles(doing)
        for bad in [_call(singles, "bad 1"), _call(singles, "bad 2")]:
            with pytest.raises(ValueError, match="bad"):
                await bad
        assert "good" == await singles.run("a", "good", key="g", size=1)

    _run(story, single_seal_threads=1)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], [[]]),
        ([5], [[5]]),
        ([50], [[50]]),
        ([4, 6, 1], [[4, 6], [1]]),
        ([50, 1, 50, 50], [[50], [1], [50], [50]]),
        ([3, 3, 3, 3], [[3, 3, 3], [3]]),
    ],
)
def test_parts(sizes: list[int], expected: list[list[int]]) -> None:
    """Each has at most ten bytes, or one item that is larger."""
    assert expected == list(parts(sizes, sizes, most=10))


def test_a_request_may_have_several_answers() -> None:
    """The next one of a request is worked on when the one before was taken; others go on meanwhile."""
    begun: list[str] = []

    async def requests() -> AsyncIterator[str]:
        for name in ("a", "b"):
            yield name

    async def answer(name: str) -> AsyncIterator[str]:
        for number in range(3):
            begun.append(f"{name}{number}")
            yield f"{name}{number}"

    async def main() -> list[str]:
        answers = overlapped(requests(), answer, window=2, room=Room(1), size=lambda _: 0)
        taken = [await anext(answers)]
        await asyncio.sleep(0.01)
        assert not {"a1", "b2"} & set(begun)
        return [*taken, *[one async for one in answers]]

    assert [f"{name}{number}" for name in "ab" for number in range(3)] == sorted(asyncio.run(main()))


class _Message:
    """An answer of a stream: megabytes, in the service."""


@pytest.mark.parametrize("fails", [False, True])
def test_a_stream_leaves_no_answer_behind(*, fails: bool) -> None:
    """What a stream answered is free when the stream is over, also when it fails; no garbage collector has to come by."""
    answered: list[weakref.ref[_Message]] = []

    async def requests() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    async def answer(number: int) -> AsyncIterator[_Message]:
        message = _Message()
        answered.append(weakref.ref(message))
        yield message
        del message
        if fails and number == 2:
            raise Overloaded("TEST", "Too much.")

    async def main() -> None:
        room = Room(100)
        with contextlib.suppress(Overloaded):
            async for _ in overlapped(requests(), answer, window=1, room=room, size=lambda _: 7):
                pass
        with room.call(100):
            assert room.is_full

    gc.disable()
    try:
        asyncio.run(main())
        assert [None] * 3 == [message() for message in answered]
    finally:
        gc.enable()


def test_a_stream_is_read_no_further_than_there_is_room() -> None:
    """Where its caller's bytes are used up a stream has one message under way; when they are free again it has more."""
    read: list[int] = []
    most: list[int] = []
    under_way = 0

    async def requests() -> AsyncIterator[int]:
        for number in range(12):
            read.append(number)
            yield number

    async def answer(number: int) -> AsyncIterator[int]:
        nonlocal under_way
        under_way += 1
        most.append(under_way)
        await asyncio.sleep(0.01)
        yield number
        under_way -= 1

    async def main() -> None:
        room = Room(100)
        room.take(90)
        answers = overlapped(requests(), answer, window=4, room=room, size=lambda _: 40)
        taken = [await anext(answers) for _ in range(4)]
        assert [1] * len(most) == most
        assert len(read) <= 5
        room.give(90)
        taken += [one async for one in answers]
        assert list(range(12)) == sorted(taken)
        assert max(most) == 3
        assert not room.is_full

    asyncio.run(main())


def test_a_single_call_waits_outside_where_its_caller_has_too_much_under_way() -> None:
    """It is refused with the time to come again; the first one is taken however large, and what ended counts no more."""

    async def story(work: Work) -> None:
        room = work.room("a")
        with room.call(2 * 1024 * 1024):
            with pytest.raises(Overloaded, match="caller_bytes"), work.room("a").call(1):
                pass
            with work.room("b").call(1):
                pass
        with work.room("a").call(1):
            pass

    _run(story, caller_bytes=1024 * 1024)
