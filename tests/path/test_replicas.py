"""Two servers over one PostgreSQL: whichever a client calls, and with whom it races, a request has one credential."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
import pytest

from eseal.config import load
from eseal.ledger import Ledger
from eseal.ledger.audit import Question
from eseal_client.errors import from_rpc
from tests.harness import postgres
from tests.harness.server import practice_set, running_server
from tests.path.calls import issue_request

if TYPE_CHECKING:
    from pathlib import Path

    from eseal_client import MicroCredential
    from tests.harness.server import RunningServer

REQUESTS = [f"raced-{number}" for number in range(15)]
CLIENTS = 3
PATIENCE_SECONDS = 20


def test_servers_that_race_give_one_answer(tmp_path: Path, course: MicroCredential) -> None:
    """Six clients ask two servers for the same request at once, fifteen times: identical bytes, one seal each."""
    if reason := postgres.absent():
        pytest.skip(reason)
    practice = practice_set(tmp_path / "set")
    meeting = threading.Barrier(2 * CLIENTS)
    told_to_wait: list[str] = []

    def ask(server: RunningServer) -> list[tuple[str, bytes]]:
        """What a client is answered, request by request; it calls again where it is told to."""
        answers = []
        with server.issuance() as issuance:
            for request_id in REQUESTS:
                request = issue_request(course, request_id)
                meeting.wait(PATIENCE_SECONDS)
                until = time.monotonic() + PATIENCE_SECONDS
                while True:
                    try:
                        answer = issuance.Issue(request, timeout=PATIENCE_SECONDS)
                    except grpc.RpcError as error:
                        refused = from_rpc(error)
                        assert "UNAVAILABLE" == refused.code
                        assert time.monotonic() < until, refused
                        told_to_wait.append(refused.reason)
                        time.sleep(0.05)
                    else:
                        answers.append((answer.credential_id, answer.sealed))
                        break
        return answers

    with postgres.cluster(durable=False) as database:
        practice.configure(("sqlite:///ledger.db", database.schema("ledger")))
        with (
            running_server(practice) as one,
            running_server(practice) as other,
            ThreadPoolExecutor(2 * CLIENTS) as clients,
        ):
            answers = list(clients.map(ask, [one, other] * CLIENTS))
        ledger = Ledger.open_as_it_is(load(practice.config).ledger)
        seals = Counter(attempt.request_id for attempt in ledger.attempts(Question()) if attempt.signature)
        report = ledger.check()
        ledger.close()

    assert [1] * len(REQUESTS) == [len(set(given)) for given in zip(*answers, strict=True)]
    assert len(REQUESTS) == len(set(answers[0]))
    assert dict.fromkeys(REQUESTS, 1) == seals
    assert ["REQUEST_UNDER_WAY"] == list(set(told_to_wait))
    assert () == report.faults
