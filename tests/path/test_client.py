"""The Python client on a real server."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from eseal_client import AsyncClient, Client, Connection, EsealError, Identity, Learner, Sealed, Verdict
from tests.harness.server import practice_set, running_server
from tests.path.calls import ADA

if TYPE_CHECKING:
    from pathlib import Path

    from eseal_client import MicroCredential
    from tests.harness.server import RunningServer


def _connection(server: RunningServer, member: str = "dcu", **settings: object) -> Connection:
    identity = Identity.from_folder(server.practice.folder / "callers" / member)
    return Connection(target=server.target, identity=identity, **settings)


def test_async_client_does_the_same(server: RunningServer, course: MicroCredential) -> None:
    """Issue, seal many, verify many, from an event loop."""

    async def story() -> tuple[Sealed, dict[str, object], object]:
        async with AsyncClient(_connection(server, batch=5)) as client:
            sealed = await client.issue(course, ADA)
            learners = [(f"async-{n}", Learner(given_name=f"L{n}")) for n in range(12)]
            issued = {key: outcome async for key, outcome in client.issue_many(course, learners)}
            reports = {key: r async for key, r in client.verify_many((k, o.sealed) for k, o in issued.items())}
            return sealed, reports, await client.verify(sealed.sealed)

    sealed, reports, report = asyncio.run(story())

    assert sealed.mandate_ids
    assert 12 == len(reports)
    assert {Verdict.VERDICT_PARTIALLY_VERIFIED} == {r.verdict for r in reports.values()} | {report.verdict}


def test_refusal_has_faults_and_rules(server: RunningServer, course: MicroCredential) -> None:
    """A refused mandate and a faulty credential carry what to look at."""
    with Client(_connection(server, "utwente")) as client:
        with pytest.raises(EsealError) as refused:
            client.issue(course, ADA)
        with pytest.raises(EsealError) as faulty:
            client.seal(b'{"a": 1, "a": 2}')

    assert refused.value.refusals
    assert "INVALID_ARGUMENT" == faulty.value.code
    assert not faulty.value.passes


def test_killed_server_loses_nothing(tmp_path: Path, course: MicroCredential) -> None:
    """The server is killed in mid-stream and started again: every learner gets one credential, none gets two."""
    practice = practice_set(tmp_path / "set")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    practice.configure(('listen = "127.0.0.1:0"', f'listen = "127.0.0.1:{port}"'))
    learners = [(f"killed-{n}", Learner(given_name=f"L{n}")) for n in range(120)]
    with running_server(practice) as server:
        connection = _connection(server, batch=10, window=2)
        client = Client(connection)
        outcomes = client.issue_many(course, learners)
        first = [next(outcomes) for _ in range(15)]
        server.process.kill()
        server.process.wait()
    with running_server(practice) as server:
        rest = list(outcomes)
        client.close()
        with Client(connection) as again:
            replayed = dict(again.issue_many(course, learners))

    everything = dict(first + rest)
    assert 120 == len(everything) == len(first + rest)
    assert all(isinstance(outcome, Sealed) for outcome in everything.values())
    assert 120 == len({outcome.credential_id for outcome in everything.values()})
    assert {key: outcome.sealed for key, outcome in everything.items()} == {
        key: outcome.sealed for key, outcome in replayed.items()
    }
