"""Where the blocking work of a call is done, and how the batches of a stream overlap.

Unary calls and streams have threads of their own, so that a bulk stream never takes the thread that a single seal
waits for. A stream has a bounded number of batches under way: nothing more is read from it until one is answered, and
gRPC's flow control passes that on to the client.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from eseal.terms import Lane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from eseal.rpc.settings import ServerSettings

Request = TypeVar("Request")
Response = TypeVar("Response")
Answer = TypeVar("Answer")


class Work:
    """The threads of one process."""

    def __init__(self, settings: ServerSettings) -> None:
        self._threads = {
            Lane.INTERACTIVE: ThreadPoolExecutor(settings.interactive_threads, thread_name_prefix="interactive"),
            Lane.BULK: ThreadPoolExecutor(settings.bulk_threads, thread_name_prefix="bulk"),
        }

    async def run(self, lane: Lane, job: Callable[[], Answer]) -> Answer:
        """Do ``job`` on a thread of ``lane``."""
        return await asyncio.get_running_loop().run_in_executor(self._threads[lane], job)

    def close(self) -> None:
        """Finish what has begun, and let the threads go."""
        for threads in self._threads.values():
            threads.shutdown(wait=True, cancel_futures=True)


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
