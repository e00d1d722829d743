"""Where the blocking work of a call is done, who is next, and how the batches of a stream overlap.

Unary calls and streams have threads of their own, so that a bulk stream never takes the thread that a single seal
waits for. Among those who wait, callers take turns: one member's thousand calls are one turn each beside another's one. A
stream has a bounded number of batches under way: nothing more is read from it until one is answered, and gRPC's flow
control passes that on to the client.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from eseal.errors import Overloaded
from eseal.terms import Lane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from eseal.rpc.settings import ServerSettings

Request = TypeVar("Request")
Response = TypeVar("Response")
Answer = TypeVar("Answer")

_RETRY_SECONDS = 1.0


class Work:
    """The threads of one process. Its methods are for the event loop's thread."""

    def __init__(self, settings: ServerSettings) -> None:
        self._most_streams = settings.caller_streams
        self._streams: Counter[str] = Counter()
        self._lanes = {
            Lane.INTERACTIVE: _Shared(settings.interactive_threads, "interactive", most_waiting=settings.caller_calls),
            Lane.BULK: _Shared(settings.bulk_threads, "bulk", most_waiting=None),
        }

    async def run(self, lane: Lane, caller: str, job: Callable[[], Answer]) -> Answer:
        """Do ``job`` on a thread of ``lane``, in its caller's turn. Overloaded where the caller has too many waiting."""
        return await self._lanes[lane].run(caller, job)

    @contextlib.contextmanager
    def stream(self, caller: str) -> Iterator[None]:
        """Count a stream of ``caller`` while it is open. Overloaded where it has too many."""
        if self._streams[caller] >= self._most_streams:
            raise Overloaded(
                "CALLER_STREAMS",
                f"This caller has {self._most_streams} streams open here already (server.caller_streams).",
                retry_after=_RETRY_SECONDS,
            )
        self._streams[caller] += 1
        try:
            yield
        finally:
            self._streams[caller] -= 1
            if not self._streams[caller]:
                del self._streams[caller]

    def close(self) -> None:
        """Finish what has begun, and let the threads go."""
        for lane in self._lanes.values():
            lane.close()


class _Shared:
    """Threads that callers share: whoever waits is in a ring of callers, each with a queue of its own."""

    def __init__(self, threads: int, name: str, *, most_waiting: int | None) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads
        self._most_waiting = most_waiting
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def run(self, caller: str, job: Callable[[], Answer]) -> Answer:
        """Do ``job`` when its turn comes."""
        await self._turn(caller)
        loop = asyncio.get_running_loop()
        done = self._pool.submit(job)
        # The thread is free when the job is over, also where nobody waits for it any more.
        done.add_done_callback(lambda _: loop.call_soon_threadsafe(self._next))
        return await asyncio.wrap_future(done)

    def close(self) -> None:
        """Finish what has begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _turn(self, caller: str) -> None:
        """Wait for a free thread."""
        if self._free:
            self._free -= 1
            return
        queue = self._waiting.setdefault(caller, deque())
        if self._most_waiting is not None and len(queue) >= self._most_waiting:
            raise Overloaded(
                "CALLER_CALLS",
                f"This caller has {len(queue)} calls waiting here already (server.caller_calls).",
                retry_after=_RETRY_SECONDS,
            )
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._next()
            raise

    def _next(self) -> None:
        """A thread is free: the caller who waited longest for a turn has it, and goes to the end of the ring."""
        while self._waiting:
            caller, queue = self._waiting.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._waiting[caller] = queue
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


async def overlapped(
    requests: AsyncIterator[Request], handle: Callable[[Request], Awaitable[Response]], *, window: int
) -> AsyncIterator[Response]:
    """Answer the requests of a stream as they finish, with at most ``window`` of them under way."""
    source = aiter(requests)
    under_way: set[asyncio.Future[Response]] = set()
    reading: asyncio.Future[Request] | None = asyncio.ensure_future(anext(source))
    try:
        while reading is not None or under_way:
            waiting: set[asyncio.Future[Any]] = set(under_way)
            if reading is not None and len(under_way) < window:
                waiting.add(reading)
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if reading is not None and reading in done:
                done.discard(reading)
                try:
                    under_way.add(asyncio.ensure_future(handle(reading.result())))
                    reading = asyncio.ensure_future(anext(source))
                except StopAsyncIteration:
                    reading = None
            under_way -= done
            for answered in done:
                yield answered.result()
    finally:
        if reading is not None:
            reading.cancel()
        for future in under_way:
            future.cancel()
