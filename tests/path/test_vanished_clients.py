"""Clients that vanish without a word, as a machine does that loses its power or its network."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import grpc

from eseal_client.wire import issuance_pb2, issuance_pb2_grpc
from tests.harness.server import practice_set, running_server
from tests.path.calls import ADA, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    from eseal_client import MicroCredential

KEEPALIVE_SECONDS = 1


def _message(course: MicroCredential, name: str) -> issuance_pb2.IssueStreamRequest:
    item = issuance_pb2.IssueItem(request_id=name, learner=ADA)
    return issuance_pb2.IssueStreamRequest(micro_credential=course, items=[item])


def hold_a_stream(target: str, identity: Path, message: bytes, pipe: Connection) -> None:
    """Be a client: open a stream, say how many answers came to its first message, and keep it open."""
    names = ("ca.pem", "key.pem", "certificate.pem")
    credentials = grpc.ssl_channel_credentials(*((identity / name).read_bytes() for name in names))

    def messages() -> Iterator[issuance_pb2.IssueStreamRequest]:
        yield issuance_pb2.IssueStreamRequest.FromString(message)
        threading.Event().wait()

    with grpc.secure_channel(target, credentials) as channel:
        for answer in issuance_pb2_grpc.IssuanceServiceStub(channel).IssueStream(messages()):
            pipe.send(len(answer.results))


def test_a_client_that_vanishes_keeps_no_stream(tmp_path: Path, course: MicroCredential) -> None:
    """A silent client is asked whether it is there: one that answers keeps its stream, of one that does not it is ended."""
    practice = practice_set(tmp_path / "set")
    practice.configure(("processes = 1", f"processes = 1\ncaller_streams = 1\nkeepalive = {KEEPALIVE_SECONDS}"))
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    with running_server(practice) as server, server.issuance() as dcu, contextlib.ExitStack() as opened:

        def stream(name: str) -> int:
            return sum(len(answer.results) for answer in dcu.IssueStream(iter([_message(course, name)])))

        identity = practice.folder / "callers" / "dcu"
        first = _message(course, "first").SerializeToString()
        client = spawn.Process(target=hold_a_stream, args=(server.target, identity, first, theirs))
        client.start()
        opened.callback(client.join)
        opened.callback(client.kill)
        assert 1 == ours.recv()
        time.sleep(3 * KEEPALIVE_SECONDS)
        assert "CALLER_STREAMS" == refusal(lambda: stream("too-many")).reason

        assert client.pid is not None
        os.kill(client.pid, signal.SIGSTOP)
        stopped = time.monotonic()
        while True:
            with contextlib.suppress(grpc.RpcError):
                assert 1 == stream("after")
                break
            assert time.monotonic() - stopped < 4 * KEEPALIVE_SECONDS
            time.sleep(0.1)
