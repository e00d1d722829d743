"""Clients that misbehave on a stream: the server takes no more than it can hold, and serves the others meanwhile."""

from __future__ import annotations

import contextlib
import itertools
import resource
import socket
import threading
import time
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from PIL import Image

from eseal_client import Learner
from eseal_client.errors import from_rpc
from eseal_client.wire import issuance_pb2
from tests.harness.server import practice_set, running_server
from tests.path.calls import ADA, issue_request, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eseal_client import MicroCredential
    from tests.harness.server import RunningServer

BATCH = 50
MEGABYTE = 1024 * 1024


def _messages(course: MicroCredential, name: str, batch: int = BATCH) -> Iterator[issuance_pb2.IssueStreamRequest]:
    """Messages of an IssueStream without end."""
    for number in itertools.count():
        items = [
            issuance_pb2.IssueItem(request_id=f"{name}-{number}-{place}", learner=Learner(given_name=f"L{place}"))
            for place in range(batch)
        ]
        yield issuance_pb2.IssueStreamRequest(micro_credential=None if number else course, items=items)


def _resident(server: RunningServer) -> int:
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()


def test_client_that_never_reads(server: RunningServer, course: MicroCredential) -> None:
    """The server stops reading from a client that does not read: a few batches, then no more, in memory that is bounded."""
    sent = 0

    def requests() -> Iterator[issuance_pb2.IssueStreamRequest]:
        nonlocal sent
        for message in _messages(course, "never-read"):
            sent += 1
            yield message

    with server.issuance() as warm:
        warm.Issue(issue_request(course))
    before = _resident(server)
    with server.issuance() as issuance, server.issuance() as other:
        call = issuance.IssueStream(requests())
        time.sleep(4)
        settled = sent
        time.sleep(2)

        # Besides the batches under way there is what HTTP/2's flow control lets through, which is small messages.
        assert settled == sent
        assert _resident(server) - before < 120 * MEGABYTE
        started = time.monotonic()
        assert other.Issue(issue_request(course)).sealed
        assert time.monotonic() - started < 3
        call.cancel()


@pytest.mark.parametrize("refused", [False, True])
def test_many_streams_leave_nothing_behind(server: RunningServer, course: MicroCredential, *, refused: bool) -> None:
    """A client that opens one stream after another costs no memory, whether they end well or are refused."""
    course.display.personal = False
    too_many = [issuance_pb2.IssueStreamRequest(items=[issuance_pb2.IssueItem()] * 1001)] if refused else []

    def streams(name: str, count: int) -> None:
        for number in range(count):
            messages = itertools.islice(_messages(course, f"{name}-{refused}-{number}"), 2)
            with server.issuance() as issuance, contextlib.suppress(grpc.RpcError):
                for _ in issuance.IssueStream(itertools.chain(messages, too_many)):
                    pass

    streams("before", 10)
    before = _resident(server)
    streams("after", 50)

    assert _resident(server) - before < 25 * MEGABYTE


def test_connections_that_trickle(server: RunningServer, course: MicroCredential) -> None:
    """A hundred connections that send a byte now and then hold nobody up."""
    with server.issuance() as issuance:
        opened = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
        try:
            for byte in b"\x16\x03\x01":
                for connection in opened:
                    connection.sendall(bytes([byte]))
                started = time.monotonic()
                assert issuance.Issue(issue_request(course)).sealed
                assert time.monotonic() - started < 3
        finally:
            for connection in opened:
                connection.close()


def test_client_that_hangs_up_in_mid_batch(server: RunningServer, course: MicroCredential) -> None:
    """Whatever was under way when the client left is answered when it comes back, each request with one credential."""
    first: dict[str, bytes] = {}
    with server.issuance() as issuance:
        call = issuance.IssueStream(itertools.islice(_messages(course, "hung-up"), 6))
        for result in next(call).results:
            first[result.request_id] = result.sealed.sealed
        call.cancel()
    with server.issuance() as issuance:
        again: dict[str, bytes] = {}
        until = time.monotonic() + 30
        while len(again) < 6 * BATCH and time.monotonic() < until:
            for response in issuance.IssueStream(itertools.islice(_messages(course, "hung-up"), 6)):
                again.update({one.request_id: one.sealed.sealed for one in response.results if one.sealed.sealed})

    assert 6 * BATCH == len(again) == len(set(again.values()))
    assert first == {request_id: again[request_id] for request_id in first}


def test_bulk_of_one_member_leaves_another_its_turn(server: RunningServer, course: MicroCredential) -> None:
    """While one caller keeps several streams full, another one's single calls are answered, each within seconds."""
    over = threading.Event()

    def keep_full(number: int) -> None:
        with server.issuance("dcu") as issuance:
            call = issuance.IssueStream(_messages(course, f"full-{number}"))
            while not over.is_set():
                next(call)
            call.cancel()

    streams = [threading.Thread(target=keep_full, args=(number,)) for number in range(4)]
    for stream in streams:
        stream.start()
    try:
        with server.channel("utwente") as channel:
            from eseal_client.wire import issuance_pb2_grpc

            stub = issuance_pb2_grpc.IssuanceServiceStub(channel)
            time.sleep(1)
            slowest = 0.0
            for _ in range(5):
                started = time.monotonic()
                # Twente may not award in Dublin's name: it is told so, which takes the same way through the house.
                with pytest.raises(grpc.RpcError) as refused:
                    stub.Issue(issue_request(course), timeout=20)
                assert grpc.StatusCode.FAILED_PRECONDITION == refused.value.code()
                slowest = max(slowest, time.monotonic() - started)
    finally:
        over.set()
        for stream in streams:
            stream.join()

    assert slowest < 5


def test_streams_of_one_caller_are_limited(tmp_path: Path, course: MicroCredential) -> None:
    """A stream too many is RESOURCE_EXHAUSTED, with when to come again; unary calls go on."""
    practice = practice_set(tmp_path / "set")
    practice.configure(("processes = 1", "processes = 1\ncaller_streams = 1"))
    with running_server(practice) as server, server.issuance() as issuance:
        blocked = threading.Event()

        def waiting() -> Iterator[issuance_pb2.IssueStreamRequest]:
            yield issuance_pb2.IssueStreamRequest(
                micro_credential=course, items=[issuance_pb2.IssueItem(request_id="one", learner=ADA)]
            )
            blocked.wait(20)

        first = issuance.IssueStream(waiting())
        assert next(first).results[0].sealed.sealed
        with pytest.raises(grpc.RpcError) as caught:
            next(issuance.IssueStream(iter([issuance_pb2.IssueStreamRequest(micro_credential=course)])))
        refused = from_rpc(caught.value)
        assert ("RESOURCE_EXHAUSTED", "CALLER_STREAMS") == (refused.code, refused.reason)
        assert refused.retry_after > 0
        assert issuance.Issue(issue_request(course)).sealed
        blocked.set()


def _with_page(course: MicroCredential, kilobytes: int) -> MicroCredential:
    """The course with a page of its own, a picture that no compression makes smaller."""
    noise = Image.effect_noise((kilobytes * 1024 // 24, 24), 100)
    content = BytesIO()
    noise.save(content, "PNG", compress_level=0)
    large = type(course)()
    large.CopyFrom(course)
    large.display.pages.add(language="en", media_type="image/png", content=content.getvalue())
    return large


def test_a_batch_of_large_credentials_is_answered_in_parts(server: RunningServer, course: MicroCredential) -> None:
    """A class whose pages are too large for one message together is sealed, in messages that a client can take."""
    large = _with_page(course, 120)
    items = [
        issuance_pb2.IssueItem(request_id=f"large-{number}", learner=Learner(given_name=f"L{number}"))
        for number in range(300)
    ]
    with server.issuance() as issuance:
        stream = issuance.IssueStream(iter([issuance_pb2.IssueStreamRequest(micro_credential=large, items=items)]))
        responses = list(stream)

    assert {f"large-{number}" for number in range(300)} == {
        one.request_id for response in responses for one in response.results if one.sealed.sealed
    }
    assert 300 == sum(len(response.results) for response in responses)
    assert max(response.ByteSize() for response in responses) <= 8 * MEGABYTE


def test_a_batch_of_small_credentials_is_answered_at_once(server: RunningServer, course: MicroCredential) -> None:
    """A class of 200 is one message there and one back."""
    with server.issuance() as issuance:
        (response,) = issuance.IssueStream(itertools.islice(_messages(course, "small", batch=200), 1))

    assert 200 == len(response.results)


def test_large_credentials_take_bounded_memory(server: RunningServer, course: MicroCredential) -> None:
    """A hundred credentials of two megabytes, 200 MB together, are sealed in the memory of a few at a time."""
    large = _with_page(course, 1500)
    items = [
        issuance_pb2.IssueItem(request_id=f"huge-{number}", learner=Learner(given_name=f"L{number}"))
        for number in range(100)
    ]
    with server.issuance() as issuance:
        before, most, count = _resident(server), 0, 0
        for response in issuance.IssueStream(
            iter([issuance_pb2.IssueStreamRequest(micro_credential=large, items=items)])
        ):
            count += sum(bool(one.sealed.sealed) for one in response.results)
            most = max(most, _resident(server))

    assert 100 == count
    assert most - before < 200 * MEGABYTE


def test_a_credential_that_is_too_large_is_refused(server: RunningServer, course: MicroCredential) -> None:
    """What could not be delivered is not sealed: nothing of it is in the ledger, and its neighbours are sealed."""
    large = _with_page(course, 1500)
    for number in range(4):
        content = b"%PDF-1.7\n" + bytes(1500 * 1024)
        large.attachments.add(title={"en": f"Annex {number}"}, media_type="application/pdf", content=content)
    with server.issuance() as issuance:
        refused = refusal(lambda: issuance.Issue(issue_request(large, "too-large")))
        sealed = issuance.Issue(issue_request(course, "too-large")).sealed

    assert ("INVALID_ARGUMENT", "CREDENTIAL_TOO_LARGE") == (refused.code, refused.reason)
    assert "max_credential_bytes" in refused.message
    assert sealed
