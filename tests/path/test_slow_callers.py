"""Callers whose calls come a byte a second, inside TLS and HTTP/2: they hold nobody up, and nothing of them stays."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import httpx2
import pytest

from eseal_client.wire import issuance_pb2, issuance_pb2_grpc
from tests.harness.server import practice_set, running_server
from tests.harness.slow_line import SlowLine
from tests.path.calls import ADA, issue_request, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eseal_client import MicroCredential
    from tests.harness.server import PracticeSet, RunningServer

STREAMS = 4
DEADLINE_SECONDS = 3.0
MEGABYTE = 1024 * 1024


class _Callers:
    """Slow calls to a server that end with the test, and when their deadline is."""

    def __init__(self, server: RunningServer, opened: contextlib.ExitStack) -> None:
        self.deadline = time.monotonic() + DEADLINE_SECONDS
        self.lines: list[SlowLine] = []
        self.calls: list[grpc.Future] = []
        self._server = server
        self._opened = opened
        self._over = threading.Event()
        opened.callback(self._over.set)

    def issue(self, course: MicroCredential) -> None:
        """An Issue whose message never arrives."""
        self._call("Issue", issue_request(course))

    def stream(self, message: issuance_pb2.IssueStreamRequest, *, answered: bool) -> None:
        """An IssueStream whose first message never arrives; or whose second one does not, while nobody takes the answer."""

        def messages() -> Iterator[issuance_pb2.IssueStreamRequest]:
            yield message
            if answered:
                time.sleep(0.2)
                yield message
            self._over.wait()

        # Five bytes of gRPC stand before each message.
        self._call("IssueStream", messages(), quick=message.ByteSize() + 5 if answered else 0)

    def _call(self, method: str, what: object, *, quick: int = 0) -> None:
        line = self._opened.enter_context(SlowLine(self._server, quick=quick, deaf=bool(quick)))
        channel = self._opened.enter_context(grpc.insecure_channel(line.target))
        call = getattr(issuance_pb2_grpc.IssuanceServiceStub(channel), method)
        timeout = self.deadline - time.monotonic()
        self.lines.append(line)
        self.calls.append(call.future(what, timeout=timeout) if method == "Issue" else call(what, timeout=timeout))


@pytest.fixture
def practice(tmp_path: Path) -> PracticeSet:
    """A practice set in which a caller may have four streams and a megabyte under way; with metrics."""
    practice = practice_set(tmp_path / "set")
    with socket.create_server(("127.0.0.1", 0)) as free:
        metrics = free.getsockname()[1]
    practice.configure(
        ("processes = 1", f"processes = 1\ncaller_streams = {STREAMS}\ncaller_bytes = {MEGABYTE}"),
        ('metrics = "127.0.0.1:0"', f'metrics = "127.0.0.1:{metrics}"'),
    )
    return practice


def _in_flight(practice: PracticeSet) -> float:
    """How many calls are under way, as the metrics say."""
    (address,) = (line for line in practice.config.read_text().splitlines() if line.startswith("metrics = "))
    lines = httpx2.get("http://{}/metrics".format(address.split('"')[1])).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("grpc_server_in_flight{"))


def _resident(server: RunningServer) -> int:
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()


def _message(course: MicroCredential, name: str, learners: int = 1) -> issuance_pb2.IssueStreamRequest:
    items = [issuance_pb2.IssueItem(request_id=f"{name}-{number}", learner=ADA) for number in range(learners)]
    return issuance_pb2.IssueStreamRequest(micro_credential=course, items=items)


@contextlib.contextmanager
def _open_stream(
    issuance: issuance_pb2_grpc.IssuanceServiceStub, message: issuance_pb2.IssueStreamRequest
) -> Iterator[grpc.Call]:
    """A stream of one message that stays open."""
    over = threading.Event()

    def messages() -> Iterator[issuance_pb2.IssueStreamRequest]:
        yield message
        over.wait()

    try:
        yield issuance.IssueStream(messages())
    finally:
        over.set()


def test_calls_that_come_a_byte_a_second(practice: PracticeSet, course: MicroCredential) -> None:
    """Others are served meanwhile; at their deadline the server itself ends them, and their caller has all its room again."""
    small = _message(course, "small")
    large = type(course)()
    large.CopyFrom(course)
    content = b"%PDF-1.7\n" + bytes(3 * MEGABYTE // 5)
    large.attachments.add(title={"en": "Syllabus"}, media_type="application/pdf", content=content)
    with running_server(practice) as server, server.issuance() as dcu, server.issuance("utwente") as utwente:
        # So many megabytes of answers that neither HTTP/2 nor the sockets hold them.
        assert sum(len(answer.results) for answer in dcu.IssueStream(iter([_message(large, "before", 20)]))) == 20
        before = _resident(server)
        with contextlib.ExitStack() as opened:
            # What is counted of a caller is forgotten when it has nothing open; this one has.
            answers = opened.enter_context(_open_stream(dcu, _message(course, "open")))
            assert next(answers).results[0].sealed.sealed
            slow = _Callers(server, opened)
            for _ in range(8):
                slow.issue(course)
            for _ in range(STREAMS - 2):
                slow.stream(small, answered=False)
            slow.stream(_message(large, "slow", 20), answered=True)
            time.sleep(1)

            began = time.monotonic()
            # Twente may not award in Dublin's name, and is told so.
            assert "FAILED_PRECONDITION" == refusal(lambda: utwente.Issue(issue_request(course))).code
            assert dcu.Issue(issue_request(course)).sealed
            assert time.monotonic() - began < 1
            assert "CALLER_STREAMS" == refusal(lambda: list(dcu.IssueStream(iter([small])))).reason
            assert "CALLER_BYTES" == refusal(lambda: dcu.Issue(issue_request(large))).reason
            assert STREAMS == _in_flight(practice)
            assert time.monotonic() < slow.deadline

            time.sleep(slow.deadline + 0.8 - time.monotonic())
            assert {grpc.StatusCode.DEADLINE_EXCEEDED} == {call.code() for call in slow.calls}
            # The clients' own resets wait behind what they had to say.
            assert all(2 <= line.trickled <= 5 for line in slow.lines)
            # Of the last one nobody hears.
            ends = [min(line.ended, default=0.0) - slow.deadline for line in slow.lines[:-1]]
            assert all(-0.1 < end < 0.8 for end in ends), ends
            assert 1 == _in_flight(practice)
            assert dcu.Issue(issue_request(large)).sealed
            streams = [dcu.IssueStream(iter([_message(course, f"after-{number}")])) for number in range(1, STREAMS)]
            assert [1] * (STREAMS - 1) == [len(list(stream)) for stream in streams]
            assert _resident(server) - before < 60 * MEGABYTE
