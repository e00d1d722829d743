"""Where the blocking work of a call is done, who is next, and what is done together.

Unary calls and streams have threads of their own, so that a bulk stream never takes the thread that a single seal
waits for. Among those who wait, callers take turns: one member's thousand calls are one turn each beside another's one.

A batch costs little more than a single seal, so single seals that wait travel together: whoever has the turn takes along
what its caller has waiting. Nobody waits for company: where a thread is free a call goes at once.

A stream has a bounded number of batches under way: nothing more is read from it until one is answered, and gRPC's flow
control passes that on to the client. A large batch is done in parts of bounded bytes, the next one when the answer to the
one before was taken: what is sealed and not yet sent is bounded too.

What a caller has sent and has no answer to is bounded in bytes: a single call beyond that is told to come later, a stream is
not read while it has something under way.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakValueDictionary

from eseal.errors import Overloaded
from eseal.terms import Lane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from eseal.rpc.settings import ServerSettings

Request = TypeVar("Request")
Response = TypeVar("Response")
Answer = TypeVar("Answer")
Item = TypeVar("Item")

_RETRY_SECONDS = 1.0
# What is done at once, and answered in one message, has about so many bytes: a class of 200 small credentials fits.
PART_BYTES = 8 * 1024 * 1024
# So many single calls are done together, and no more of them once they are so large: a small one should not wait long
# for large ones.
_MOST_TOGETHER = 64
_MOST_BYTES_TOGETHER = 4 * 1024 * 1024
# Nothing comes any more.
_END = object()


class Work:
    """The threads of one process. Its methods are for the event loop's thread."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._singles: list[Singles[Any, Any]] = []
        self._most_streams = settings.caller_streams
        self._streams: Counter[str] = Counter()
        # Those that calls and streams have in hand now.
        self._rooms: WeakValueDictionary[str, Room] = WeakValueDictionary()
        self._lanes = {
            Lane.INTERACTIVE: _Shared(settings.interactive_threads, "interactive", most_waiting=settings.caller_calls),
            Lane.BULK: _Shared(settings.bulk_threads, "bulk", most_waiting=None),
        }

    async def run(self, lane: Lane, caller: str, job: Callable[[], Answer]) -> Answer:
        """Do ``job`` on a thread of ``lane``, in its caller's turn. Overloaded where the caller has too many waiting."""
        return await self._lanes[lane].run(caller, job)

    def singles(self, do: Callable[[Sequence[Item]], Sequence[Answer]]) -> Singles[Item, Answer]:
        """Single calls that are done together: ``do`` takes those of one caller and answers each."""
        settings = self._settings
        singles = Singles(do, threads=settings.single_seal_threads, most_waiting=settings.caller_calls)
        self._singles.append(singles)
        return singles

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

    def room(self, caller: str) -> Room:
        """How much of a caller's is held here."""
        room = self._rooms.get(caller)
        if room is None:
            room = self._rooms[caller] = Room(self._settings.caller_bytes)
        return room

    def close(self) -> None:
        """Finish what has begun, and let the threads go."""
        for lane in self._lanes.values():
            lane.close()
        for singles in self._singles:
            singles.close()


class Room:
    """How many bytes of one caller are under way. For the event loop's thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be read."""
        return self._held >= self._most

    def take(self, size: int) -> None:
        """Count what was read."""
        self._held += size

    def give(self, size: int) -> None:
        """It is answered."""
        self._held -= size

    @contextlib.contextmanager
    def call(self, size: int) -> Iterator[None]:
        """Count a single call while it is under way. Overloaded where its caller has too much under way already."""
        if self._held and self._held + size > self._most:
            raise Overloaded(
                "CALLER_BYTES",
                f"This caller has {self._held} bytes under way here already (server.caller_bytes is {self._most}).",
                retry_after=_RETRY_SECONDS,
            )
        self.take(size)
        try:
            yield
        finally:
            self.give(size)


class _Ring(Generic[Item]):
    """Who waits: a queue for each caller, and the callers in a ring."""

    def __init__(self, most_waiting: int | None) -> None:
        self._most_waiting = most_waiting
        self._queues: OrderedDict[str, deque[Item]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._queues)

    def put(self, caller: str, item: Item) -> None:
        """Queue up. Overloaded where the caller has too many waiting."""
        queue = self._queues.setdefault(caller, deque())
        if self._most_waiting is not None and len(queue) >= self._most_waiting:
            raise Overloaded(
                "CALLER_CALLS",
                f"This caller has {len(queue)} calls waiting here already (server.caller_calls).",
                retry_after=_RETRY_SECONDS,
            )
        queue.append(item)

    def turn(self, take: Callable[[deque[Item]], Answer]) -> Answer:
        """Let the caller who waited longest have its turn: ``take`` from the front of its queue. Then it is the last."""
        caller, queue = self._queues.popitem(last=False)
        taken = take(queue)
        if queue:
            self._queues[caller] = queue
        return taken


class _Shared:
    """Threads that callers share, a call at a time."""

    def __init__(self, threads: int, name: str, *, most_waiting: int | None) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads
        self._waiting: _Ring[asyncio.Future[None]] = _Ring(most_waiting)

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
        turn = asyncio.get_running_loop().create_future()
        self._waiting.put(caller, turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._next()
            raise

    def _next(self) -> None:
        """Give the free thread to whose turn it is."""
        while self._waiting:
            turn = self._waiting.turn(deque.popleft)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


@dataclass(eq=False, slots=True)
class _Single(Generic[Item, Answer]):
    """A single call that waits for its turn, and then for its answer."""

    item: Item
    key: str
    size: int
    answer: asyncio.Future[Answer]


class Singles(Generic[Item, Answer]):
    """Threads for single calls that are done together. Its methods are for the event loop's thread."""

    def __init__(self, do: Callable[[Sequence[Item]], Sequence[Answer]], *, threads: int, most_waiting: int) -> None:
        self._do = do
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="single")
        self._free = threads
        self._waiting: _Ring[_Single[Item, Answer]] = _Ring(most_waiting)

    async def run(self, caller: str, item: Item, *, key: str, size: int) -> Answer:
        """Have ``item`` done when its caller's turn comes. Overloaded where the caller has too many waiting.

        Of calls with the same ``key`` one is done at a time; ``size`` is in bytes.
        """
        call = _Single(item, key, size, asyncio.get_running_loop().create_future())
        self._waiting.put(caller, call)
        self._start()
        answer: Answer = await call.answer
        return answer

    def close(self) -> None:
        """Finish what has begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> None:
        """Put every free thread to work."""
        while self._free and self._waiting:
            if calls := self._waiting.turn(_together):
                self._free -= 1
                done = asyncio.get_running_loop().run_in_executor(self._pool, self._do, [call.item for call in calls])
                done.add_done_callback(partial(self._finished, calls))

    def _finished(self, calls: Sequence[_Single[Item, Answer]], done: asyncio.Future[Sequence[Answer]]) -> None:
        """Hand the answers out, and go on."""
        self._free += 1
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        for place, call in enumerate(calls):
            if call.answer.done():
                continue  # Its client has given up.
            if error is not None:
                call.answer.set_exception(error)
            else:
                call.answer.set_result(done.result()[place])
        self._start()


def _together(queue: deque[_Single[Item, Answer]]) -> list[_Single[Item, Answer]]:
    """Take what is done together from the front of a caller's queue."""
    calls: dict[str, _Single[Item, Answer]] = {}
    size = 0
    while queue and len(calls) < _MOST_TOGETHER and size < _MOST_BYTES_TOGETHER and queue[0].key not in calls:
        call = queue.popleft()
        if not call.answer.done():
            calls[call.key] = call
            size += call.size
    return list(calls.values())


def parts(items: Sequence[Item], sizes: Sequence[int], *, most: int) -> Iterator[Sequence[Item]]:
    """Yield the items in runs of at most ``most`` bytes, by their ``sizes``; a larger one is alone. At least one run."""
    begin = total = 0
    for place, size in enumerate(sizes):
        if total and total + size > most:
            yield items[begin:place]
            begin, total = place, 0
        total += size
    yield items[begin:]


async def overlapped(
    requests: AsyncIterator[Request],
    answer: Callable[[Request], AsyncIterator[Response]],
    *,
    window: int,
    room: Room,
    size: Callable[[Request], int],
) -> AsyncIterator[Response]:
    """Answer the requests of a stream as they finish, with at most ``window`` of them under way, and one if ``room`` is full.

    A request may have several answers: it is worked on for the next one when the one before was taken. ``size`` is in bytes.
    """
    source = aiter(requests)
    under_way: dict[asyncio.Future[Any], tuple[AsyncIterator[Response], int]] = {}
    reading: asyncio.Future[Any] | None = None
    done: set[asyncio.Future[Any]] = set()
    more = True
    request: Any
    response: Any
    ended: Any
    try:
        while more or under_way:
            if more and reading is None and len(under_way) < (1 if room.is_full else window):
                reading = _next_of(source)
            waiting: set[asyncio.Future[Any]] = {*under_way, *([reading] if reading else [])}
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if reading is not None and reading in done:
                done.discard(reading)
                request, reading = reading.result(), None
                if more := request is not _END:
                    held = size(request)
                    answers = answer(request)
                    room.take(held)
                    under_way[_next_of(answers)] = answers, held
            while done:
                ended = done.pop()
                if (response := ended.result()) is not _END:
                    yield response
                answers, held = under_way.pop(ended)
                if response is _END:
                    room.give(held)
                else:
                    under_way[_next_of(answers)] = answers, held
    finally:
        if reading is not None:
            reading.cancel()
        for ended, (_, held) in under_way.items():
            ended.cancel()
            room.give(held)
        # What failed holds this frame by its traceback. If the frame held what failed, megabytes would stay until the
        # garbage collector came by.
        request = response = reading = ended = None
        under_way.clear()
        done.clear()
        waiting.clear()


def _next_of(source: AsyncIterator[Any]) -> asyncio.Future[Any]:
    """What comes next, or _END: an exception that said so would hold the frame that caught it."""
    return asyncio.ensure_future(anext(source, _END))
