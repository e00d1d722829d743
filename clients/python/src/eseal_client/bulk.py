"""A bulk run: a hundred thousand items over several streams at once, at the least cost an item.

Items are serialised once, before the run; a message to the server is the concatenation of its items, which in protobuf
is one message with all of them. Answers are handed on as they come, a message at a time. Whatever was on its way when a
stream broke, and whatever came back with a wish to be asked again, goes out again under the same request id. Each stream
has a connection of its own, so that the worker processes of a server share the work.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from google.rpc import code_pb2, status_pb2

from eseal_client.errors import EsealError, from_rpc
from eseal_client.messages import MESSAGE_BYTES, filled
from eseal_client.wire import issuance_pb2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from eseal_client.connection import Connection
    from eseal_client.wire.credential_pb2 import Learner, Level, MicroCredential
    from eseal_client.wire.issuance_pb2 import ItemResult

    Item = tuple[str, bytes]
    Handle = Callable[[Sequence[ItemResult]], Awaitable[None]]

# A connection that broke is tried again soon: a server that restarts is back within seconds.
RECONNECT = [
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.use_local_subchannel_pool", 1),
]
LONGEST_PAUSE = 5.0
# What a stream dies of when its server does; what the server itself decided comes with a reason.
PASSING = {"UNAVAILABLE", "CANCELLED", "ABORTED", "DEADLINE_EXCEEDED", "UNKNOWN", "INTERNAL"}


def issue_item(request_id: str, learner: Learner) -> bytes:
    """One learner of an IssueStream, serialised."""
    request = issuance_pb2.IssueStreamRequest()
    item = request.items.add()
    item.request_id = request_id
    item.learner.CopyFrom(learner)
    return request.SerializeToString()


def seal_item(request_id: str, credential: bytes, level: Level) -> bytes:
    """One credential of a SealStream, serialised."""
    item = issuance_pb2.SealRequest(request_id=request_id, credential=credential, level=level)
    return issuance_pb2.SealStreamRequest(items=[item]).SerializeToString()


@dataclass(slots=True)
class _Lane:
    """One stream's items: those on their way, and those that go out (again) at or after a moment."""

    sent: dict[str, bytes] = field(default_factory=dict)
    sent_bytes: int = 0
    again: deque[tuple[float, Item]] = field(default_factory=deque)
    turned: asyncio.Event = field(default_factory=asyncio.Event)

    def due(self) -> Iterator[Item]:
        """What goes out again now."""
        now = time.monotonic()
        while self.again and self.again[0][0] <= now:
            yield self.again.popleft()[1]

    def send(self, items: Sequence[Item]) -> None:
        """Note what is on its way."""
        self.sent.update(items)
        self.sent_bytes += sum(len(message) for _, message in items)

    def take(self, request_id: str) -> bytes | None:
        """Take off what was answered; None where it is not on its way."""
        message = self.sent.pop(request_id, None)
        self.sent_bytes -= len(message or b"")
        return message

    def pause(self) -> float | None:
        """Seconds until something goes out again; None where nothing does."""
        return max(0.0, self.again[0][0] - time.monotonic()) if self.again else None

    def turn_back(self) -> None:
        """What was on its way goes out again, first of all."""
        self.again.extendleft((0.0, item) for item in self.sent.items())
        self.sent.clear()
        self.sent_bytes = 0


class BulkRun:
    """Sends items over ``streams`` connections until each is answered. For one event loop; ``run`` it once.

    ``items`` are read no further than ``connection.window`` batches a stream ahead of the answers. ``patience`` is how
    many seconds may pass without any answer before the run gives up.
    """

    def __init__(
        self, connection: Connection, method: str, items: Iterator[Item], *, streams: int = 4, patience: float = 120.0
    ) -> None:
        self._connection = connection
        self._method = method
        self._items = items
        self._streams = streams
        self._patience = patience
        self._opening = self._each = b""
        self._response: Any = issuance_pb2.SealStreamResponse
        self._stopping = False
        self._exhausted = False
        self._lanes = [_Lane() for _ in range(streams)]
        self._heard = 0.0
        self._last: EsealError | None = None

    @classmethod
    def issuing(
        cls, connection: Connection, course: MicroCredential, level: Level, items: Iterator[Item], **options: Any
    ) -> BulkRun:
        """Issue ``course``; ``items`` are made by ``issue_item``."""
        run = cls(connection, "/eseal.v1.IssuanceService/IssueStream", items, **options)
        run._opening = issuance_pb2.IssueStreamRequest(micro_credential=course).SerializeToString()
        run._each = issuance_pb2.IssueStreamRequest(level=level).SerializeToString()
        run._response = issuance_pb2.IssueStreamResponse
        return run

    @classmethod
    def sealing(cls, connection: Connection, items: Iterator[Item], **options: Any) -> BulkRun:
        """Seal credentials; ``items`` are made by ``seal_item``."""
        return cls(connection, "/eseal.v1.IssuanceService/SealStream", items, **options)

    def stop(self) -> None:
        """Send nothing more; ``run`` returns once what is on its way is answered."""
        self._stopping = True
        for lane in self._lanes:
            lane.turned.set()

    async def run(self, handle: Handle) -> None:
        """Run to the end. ``handle`` gets the final answers of one message; it is not called for two of one stream at once.

        EsealError where the server refuses the stream as a whole, or is away for longer than the patience.
        """
        self._heard = time.monotonic()
        tasks = [asyncio.create_task(self._keep(lane, handle)) for lane in self._lanes]
        waiting = set(tasks)
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                if waiting and time.monotonic() - self._heard > self._patience:
                    raise self._gone()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, lane: _Lane, handle: Handle) -> None:
        """One stream after another on one connection, until nothing of this lane is left."""
        options = self._connection.options() + RECONNECT
        credentials = self._connection.credentials()
        target = self._connection.target
        async with (
            grpc.aio.insecure_channel(target, options)
            if credentials is None
            else grpc.aio.secure_channel(target, credentials, options)
        ) as channel:
            call = channel.stream_stream(self._method, response_deserializer=self._response.FromString)
            failures = 0
            while not self._over(lane):
                heard = self._heard
                try:
                    await self._round(call(), lane, handle)
                except grpc.aio.AioRpcError as error:
                    self._last = from_rpc(error)
                    if not may_pass(self._last) and (self._last.reason or self._last.code not in PASSING):
                        raise self._last from None
                except TimeoutError:
                    self._last = self._silence()
                lane.turn_back()
                failures = failures + 1 if heard == self._heard else 0
                if not self._over(lane):
                    await asyncio.sleep(min(LONGEST_PAUSE, 0.1 * 2**failures) * random.uniform(0.5, 1.0))  # noqa: S311

    async def _round(self, call: Any, lane: _Lane, handle: Handle) -> None:
        """One stream: write and read at the same time, for neither side may wait for the other."""
        writing = asyncio.create_task(self._write(call, lane))
        writing.add_done_callback(lambda task: task.cancelled() or task.exception() is None or call.cancel())
        try:
            while (response := await self._read(call)) is not grpc.aio.EOF:
                if final := [result for result in response.results if self._is_final(result, lane)]:
                    await handle(final)
                lane.turned.set()
        except asyncio.CancelledError:
            # Our own writer ends the call where the items themselves fail; what it failed of is what happened.
            if writing.done() and not writing.cancelled() and (fault := writing.exception()) is not None:
                raise fault from None
            raise
        finally:
            call.cancel()
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _read(self, call: Any) -> Any:
        """Read one message. TimeoutError after half the patience: the other half is for another connection."""
        async with asyncio.timeout(self._patience / 2):
            return await call.read()

    async def _write(self, call: Any, lane: _Lane) -> None:
        opening, size = self._opening, self._connection.batch
        window = self._connection.window
        while not self._over(lane):
            lane.turned.clear()
            full = len(lane.sent) + size > window * size or lane.sent_bytes > (window - 1) * MESSAGE_BYTES
            room = MESSAGE_BYTES - len(opening)
            if full or not (batch := filled(lane.due(), most=size, room=room) or self._new(room)):
                # That nothing is left may be known only now, and then no answer will wake this lane again.
                if not self._over(lane):
                    await _turn(lane.turned, None if full else lane.pause())
                continue
            lane.send(batch)
            await call.write(b"".join((opening, self._each, *(message for _, message in batch))))
            opening = b""
        await call.done_writing()

    def _new(self, room: int) -> list[Item]:
        """The next batch of what was not sent yet."""
        if self._stopping or self._exhausted:
            return []
        batch = filled(self._items, most=self._connection.batch, room=room)
        self._exhausted = not batch
        return batch

    def _over(self, lane: _Lane) -> bool:
        """Whether nothing is left for this lane; a run that stops drops what would go out again."""
        if self._stopping:
            return not lane.sent
        return self._exhausted and not lane.sent and not lane.again

    def _is_final(self, result: ItemResult, lane: _Lane) -> bool:
        """Take an answer off; False where the item goes out again."""
        message = lane.take(result.request_id)
        if message is None:
            return False
        if result.HasField("status"):
            error = EsealError(result.status)
            if may_pass(error):
                self._last = error
                pause = (error.retry_after or 0.2) * random.uniform(1.0, 1.5)  # noqa: S311
                lane.again.append((time.monotonic() + pause, (result.request_id, message)))
                return False
        self._heard = time.monotonic()
        return True

    def _gone(self) -> EsealError:
        return self._last or self._silence()

    def _silence(self) -> EsealError:
        message = f"The server has answered nothing for {self._patience / 2:.0f} seconds."
        return EsealError(status_pb2.Status(code=code_pb2.UNAVAILABLE, message=message))


def may_pass(error: EsealError) -> bool:
    """Whether to ask again by oneself: UNAVAILABLE, or a full queue that says when (AIP-194)."""
    return error.passes or (error.code == "RESOURCE_EXHAUSTED" and error.retry_after is not None)


async def _turn(turned: asyncio.Event, seconds: float | None) -> None:
    """Wait for the event, or so long."""
    try:
        await asyncio.wait_for(turned.wait(), seconds)
    except TimeoutError:
        return
