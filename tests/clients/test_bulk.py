"""The bulk client on a server that misbehaves on command: everything is answered once, or the run says why not."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from eseal_client import Connection, EsealError, Learner
from eseal_client.bulk import BulkRun, issue_item, seal_item
from eseal_client.wire import issuance_pb2
from eseal_client.wire.credential_pb2 import Level, MicroCredential

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

COURSE = MicroCredential(title={"en": "T"})


def refusal(code: str, *, retry: float | None = None, reason: str = "") -> status_pb2.Status:
    """A status with its details."""
    details = []
    if retry is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(retry * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if reason:
        details.append(error_details_pb2.ErrorInfo(reason=reason, domain="eseal"))
    packed = [any_pb2.Any() for _ in details]
    for one, detail in zip(packed, details, strict=True):
        one.Pack(detail)
    return status_pb2.Status(code=code_pb2.Code.Value(code), message="as told", details=packed)


class Misbehaving:
    """An IssuanceService whose every answer is made by ``answer``: bytes are sealed, a status is a refusal."""

    def __init__(self, answer: Callable[[str], bytes | status_pb2.Status | Exception]) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.unanswered = self.most_unanswered = self.most_in_a_message = 0
        self.openings: list[tuple[bool, int]] = []

    async def serve(self, use: Callable[[str], Awaitable[None]]) -> None:
        """Listen on loopback while ``use`` runs."""
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
        handlers = {
            "IssueStream": grpc.stream_stream_rpc_method_handler(
                self.issue_stream,
                issuance_pb2.IssueStreamRequest.FromString,
                issuance_pb2.IssueStreamResponse.SerializeToString,
            )
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("eseal.v1.IssuanceService", handlers),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            await use(f"127.0.0.1:{port}")
        finally:
            await server.stop(None)

    async def issue_stream(
        self, requests: AsyncIterator[issuance_pb2.IssueStreamRequest], context: Any
    ) -> AsyncIterator[issuance_pb2.IssueStreamResponse]:
        """Answer item by item, an answer a message."""
        first = True
        async for request in requests:
            self.openings.append((first == request.HasField("micro_credential"), request.level))
            first = False
            self.unanswered += len(request.items)
            self.most_in_a_message = max(self.most_in_a_message, len(request.items))
            self.most_unanswered = max(self.most_unanswered, self.unanswered)
            for item in request.items:
                self.asked.append(item.request_id)
                self.unanswered -= 1
                answer = self.answer(item.request_id)
                if isinstance(answer, Exception):
                    await context.abort(grpc.StatusCode[str(answer)], "as told")
                result = issuance_pb2.ItemResult(request_id=item.request_id)
                if isinstance(answer, bytes):
                    result.sealed.sealed = answer
                else:
                    result.status.CopyFrom(answer)
                yield issuance_pb2.IssueStreamResponse(results=[result])


def items(count: int) -> Iterator[tuple[str, bytes]]:
    """So many learners."""
    for number in range(count):
        yield str(number), issue_item(str(number), Learner(given_name=f"L{number}"))


def run(
    server: Misbehaving, source: Iterator[tuple[str, bytes]], *, batch: int = 3, window: int = 2, **options: Any
) -> list[tuple[str, str]]:
    """Run to the end; request id and outcome of each answer."""
    answers: list[tuple[str, str]] = []

    async def handle(results: Sequence[issuance_pb2.ItemResult]) -> None:
        answers.extend(
            (
                one.request_id,
                one.sealed.sealed.decode() if one.HasField("sealed") else code_pb2.Code.Name(one.status.code),
            )
            for one in results
        )

    async def use(target: str) -> None:
        connection = Connection(target=target, batch=batch, window=window)
        await BulkRun.issuing(connection, COURSE, Level.LEVEL_B_B, source, **options).run(handle)

    asyncio.run(server.serve(use))
    return answers


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60), st.integers(1, 4), st.integers())
def test_every_item_is_answered_once(count: int, streams: int, seed: int) -> None:
    """Whatever breaks in between, each item is handed on exactly once, with the last word on it."""
    # Not hypothesis's own dice, which may be loaded so that nothing ever passes.
    chance = random.Random(seed)  # noqa: S311 - a schedule

    def answer(request_id: str) -> bytes | status_pb2.Status | Exception:
        dice = chance.random()
        if dice < 0.05:
            return Exception(chance.choice(["UNAVAILABLE", "CANCELLED", "INTERNAL", "UNKNOWN"]))
        if dice < 0.15:
            return refusal("UNAVAILABLE", retry=0.01)
        if dice < 0.2:
            return refusal("RESOURCE_EXHAUSTED", retry=0.01)
        return refusal("INVALID_ARGUMENT") if int(request_id) % 5 == 0 else b"sealed"

    server = Misbehaving(answer)
    answers = run(server, items(count), streams=streams)

    wanted = [(str(n), "INVALID_ARGUMENT" if n % 5 == 0 else "sealed") for n in range(count)]
    assert sorted(wanted) == sorted(answers)
    assert all(well and level == Level.LEVEL_B_B for well, level in server.openings)


def test_no_more_is_under_way_than_the_window() -> None:
    """Two batches of three on one stream."""
    server = Misbehaving(lambda _: b"sealed")
    run(server, items(50), streams=1)

    assert server.most_unanswered <= 6


def test_large_items_are_fewer_in_a_message() -> None:
    """A message takes no more once it has eight megabytes, and no more messages are under way than the window has."""

    def large() -> Iterator[tuple[str, bytes]]:
        for number in range(30):
            yield str(number), issue_item(str(number), Learner(given_name="L" * 3_000_000))

    server = Misbehaving(lambda _: b"sealed")
    answers = run(server, large(), streams=1, batch=20, window=2)

    assert sorted((str(n), "sealed") for n in range(30)) == sorted(answers)
    assert 3 == server.most_in_a_message
    assert server.most_unanswered <= 6


def test_nothing_is_read_ahead() -> None:
    """The source is read no further than what is under way allows."""
    read: list[int] = []

    def source() -> Iterator[tuple[str, bytes]]:
        for number, item in enumerate(items(100)):
            read.append(number)
            yield item

    def answer(request_id: str) -> bytes:
        ahead.append(len(read) - int(request_id))
        return b"sealed"

    ahead: list[int] = []
    run(Misbehaving(answer), source(), streams=1)

    assert max(ahead) <= 6 + 3


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "INVALID_ARGUMENT", "UNAUTHENTICATED", "RESOURCE_EXHAUSTED"])
def test_refused_stream(code: str) -> None:
    """What no waiting helps with is raised."""
    with pytest.raises(EsealError) as caught:
        run(Misbehaving(lambda _: Exception(code)), items(5))

    assert code == caught.value.code


def test_patience_ends() -> None:
    """A server that only puts off is given up, with its own last words."""
    with pytest.raises(EsealError) as caught:
        run(Misbehaving(lambda _: refusal("UNAVAILABLE", retry=0.1, reason="HSM_AWAY")), items(5), patience=1)

    assert "HSM_AWAY" == caught.value.reason


def test_silent_server() -> None:
    """A server that takes everything and answers nothing is given up too."""

    class Silent(Misbehaving):
        async def issue_stream(self, requests: Any, _: Any) -> Any:
            async for _ in requests:
                pass
            yield issuance_pb2.IssueStreamResponse()

    with pytest.raises(EsealError, match="answered nothing"):
        run(Silent(lambda _: b""), items(5), patience=1)


def test_one_silent_connection() -> None:
    """What was sent to a worker that hangs goes to another one."""

    class HalfSilent(Misbehaving):
        async def issue_stream(self, requests: Any, context: Any) -> Any:
            first, self.silent = self.silent, False
            async for response in super().issue_stream(requests, context):
                if not first:
                    yield response

        silent = True

    answers = run(HalfSilent(lambda _: b"sealed"), items(20), streams=2, patience=4)

    assert [(str(n), "sealed") for n in range(20)] == sorted(answers, key=lambda one: int(one[0]))


def test_failing_source() -> None:
    """What the items themselves fail of ends the run, and is what is raised."""

    def source() -> Iterator[tuple[str, bytes]]:
        yield from items(7)
        raise OSError("the spool is gone")

    with pytest.raises(OSError, match="spool"):
        run(Misbehaving(lambda _: b"sealed"), source())


def test_failing_handler() -> None:
    """So does what the answers' reader fails of: a full disk."""

    async def handle(results: object) -> None:
        raise OSError("no room")

    async def use(target: str) -> None:
        await BulkRun.issuing(Connection(target=target), COURSE, Level.LEVEL_B_B, items(500)).run(handle)

    with pytest.raises(OSError, match="no room"):
        asyncio.run(Misbehaving(lambda _: b"sealed").serve(use))


def test_stop() -> None:
    """What is on its way is answered, and nothing more is sent."""
    answers: list[str] = []

    async def use(target: str) -> None:
        bulk = BulkRun.issuing(
            Connection(target=target, batch=3, window=2), COURSE, Level.LEVEL_B_B, items(500), streams=2
        )

        async def handle(results: Sequence[issuance_pb2.ItemResult]) -> None:
            answers.extend(one.request_id for one in results)
            bulk.stop()

        await bulk.run(handle)

    server = Misbehaving(lambda _: b"sealed")
    asyncio.run(server.serve(use))

    assert sorted(server.asked) == sorted(answers)
    assert len(answers) <= 2 * 6


def test_messages_are_concatenations() -> None:
    """Items that were serialised one by one are one message together."""
    issued = issuance_pb2.IssueStreamRequest.FromString(b"".join(message for _, message in items(3)))
    sealed = issuance_pb2.SealStreamRequest.FromString(
        seal_item("a", b"{}", Level.LEVEL_B_B) + seal_item("b", b"[]", Level.LEVEL_UNSPECIFIED)
    )

    assert ["L0", "L1", "L2"] == [item.learner.given_name for item in issued.items]
    assert [("a", b"{}", 1), ("b", b"[]", 0)] == [
        (item.request_id, item.credential, item.level) for item in sealed.items
    ]
