"""The server as an operator sees it: health, reflection, identity, metrics, log, workers, stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from eseal.trust.practice import Issued, Lifetime, client_certificate
from eseal_client.errors import from_rpc
from eseal_client.wire import issuance_pb2_grpc
from tests.harness.server import practice_set, running_server
from tests.path.calls import ADA, issue_request, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from eseal_client import MicroCredential
    from eseal_client.errors import EsealError
    from tests.harness.server import RunningServer

DCU = "spiffe://eciu.example/member/dcu/back-end"


def _stub(server: RunningServer, uri: str, lifetime: Lifetime | None = None) -> issuance_pb2_grpc.IssuanceServiceStub:
    """IssuanceService with a client certificate made for this test."""
    pki = server.practice.folder / "pki"
    ca = Issued(
        x509.load_pem_x509_certificate((pki / "issuing-ca.pem").read_bytes()),
        None,
        load_pem_private_key((pki / "issuing-ca.key").read_bytes(), None),
    )
    client = client_certificate(ca, uri, lifetime=lifetime)
    roots = (server.practice.folder / "tls/client-ca.pem").read_bytes()
    credentials = grpc.ssl_channel_credentials(roots, client.key_pem, client.pem)
    return issuance_pb2_grpc.IssuanceServiceStub(grpc.secure_channel(server.target, credentials))


def test_health_is_per_service(server: RunningServer) -> None:
    """Each service has a health of its own."""
    with server.channel() as channel:
        health = health_pb2_grpc.HealthStub(channel)
        states = {
            name: health.Check(health_pb2.HealthCheckRequest(service=name)).status
            for name in ("", "eseal.v1.IssuanceService", "eseal.v1.VerificationService")
        }

    assert {health_pb2.HealthCheckResponse.SERVING} == set(states.values())


def test_reflection_lists_the_services(server: RunningServer) -> None:
    """Reflection names both services, so grpcurl and ghz need no proto files."""
    with server.channel() as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        (answer,) = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))

    names = {service.name for service in answer.list_services_response.service}
    assert {"eseal.v1.IssuanceService", "eseal.v1.VerificationService"} <= names


def test_unknown_caller(server: RunningServer, course: MicroCredential) -> None:
    """A certificate from the right CA whose URI the register does not know is PERMISSION_DENIED."""
    error = refusal(lambda: _stub(server, "spiffe://elsewhere.example/x").Issue(issue_request(course)))

    assert "PERMISSION_DENIED" == error.code


def test_expired_client_certificate(server: RunningServer, course: MicroCredential) -> None:
    """An expired client certificate does not get through TLS, and the client is told where to look."""
    day = timedelta(days=1)
    lifetime = Lifetime(not_before=datetime.now(UTC) - 2 * day, not_after=datetime.now(UTC) - day)

    with pytest.raises(grpc.RpcError) as caught:
        _stub(server, DCU, lifetime).Issue(issue_request(course), timeout=10)

    assert grpc.StatusCode.UNAVAILABLE == caught.value.code()
    assert "certificate" in from_rpc(caught.value).message


def test_no_client_certificate(server: RunningServer, course: MicroCredential) -> None:
    """Without a client certificate nobody gets in."""
    roots = (server.practice.folder / "tls/client-ca.pem").read_bytes()
    channel = grpc.secure_channel(server.target, grpc.ssl_channel_credentials(roots))
    stub = issuance_pb2_grpc.IssuanceServiceStub(channel)

    with pytest.raises(grpc.RpcError) as caught:
        stub.Issue(issue_request(course), timeout=10)

    assert grpc.StatusCode.UNAVAILABLE == caught.value.code()


def test_log_has_who_and_what_but_no_content(server: RunningServer, course: MicroCredential) -> None:
    """A seal leaves one JSON line with ids, mandate and key; the learner is nowhere in the log."""
    with server.issuance() as issuance:
        response = issuance.Issue(issue_request(course, "logged-1"))

    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line.get("request_id") == "logged-1"]
    assert DCU == line["caller"]
    assert response.credential_id == line["credential_id"]
    assert list(response.mandate_ids) == line["mandates"]
    assert "seal-1" == line["key_label"]
    assert ADA.family_name not in server.log.read_text()


def test_ledger_has_no_learner_data(server: RunningServer, course: MicroCredential) -> None:
    """Nothing of the learner is in the database, not even on a page image's text."""
    with server.issuance() as issuance:
        issuance.Issue(issue_request(course))

    database = b"".join(path.read_bytes() for path in server.practice.folder.glob("ledger.db*"))
    assert ADA.family_name.encode() not in database
    assert ADA.given_name.encode() + b" " not in database


def test_stop_finishes_what_is_in_flight(tmp_path: Path, course: MicroCredential) -> None:
    """SIGTERM: calls under way are answered, new ones are told why not, the process ends by itself with 0."""
    with running_server(practice_set(tmp_path / "set")) as server, server.issuance() as issuance:
        outcomes: list[str] = []

        def keep_sealing() -> None:
            while True:
                try:
                    issuance.Issue(issue_request(course), timeout=20)
                    outcomes.append("sealed")
                except grpc.RpcError as error:
                    refusal = from_rpc(error)
                    outcomes.append(f"{refusal.code} {refusal.reason}")
                    return

        threads = [threading.Thread(target=keep_sealing) for _ in range(4)]
        for thread in threads:
            thread.start()
        while outcomes.count("sealed") < 8:
            time.sleep(0.01)
        status = server.stop()
        for thread in threads:
            thread.join()

    assert 0 == status
    assert {"sealed", "UNAVAILABLE SERVER_STOPPING"} == set(outcomes)


def test_workers_share_one_port(tmp_path: Path, course: MicroCredential) -> None:
    """Two processes serve one port and one ledger; a worker that is killed is replaced."""
    with running_server(practice_set(tmp_path / "set", processes=2)) as server:
        _wait_for_workers(server)
        with server.issuance() as issuance:
            first = issuance.Issue(issue_request(course, "workers-1"), wait_for_ready=True)
        children = _children(server.process.pid)
        os.kill(children[0], signal.SIGKILL)
        time.sleep(0.5)
        replies = []
        for _ in range(6):
            with server.issuance() as issuance:
                replies.append(issuance.Issue(issue_request(course, "workers-1"), wait_for_ready=True, timeout=20))
        status = server.stop()

    assert all(reply == first for reply in replies)
    assert 0 == status


def test_workers_end_with_their_supervisor(tmp_path: Path) -> None:
    """A parent that is killed leaves no worker behind to serve on beside those of the next start."""
    with running_server(practice_set(tmp_path / "set", processes=2)) as server:
        _wait_for_workers(server)
        children = _children(server.process.pid)
        server.process.kill()
        server.process.wait()
        deadline = time.monotonic() + 20
        while any(_runs(pid) for pid in children):
            assert time.monotonic() < deadline, "a worker outlived its supervisor"
            time.sleep(0.05)

    assert 2 == len(children)


def _runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    from pathlib import Path

    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_for_workers(server: RunningServer) -> None:
    deadline = time.monotonic() + 30
    while server.log.read_text().count('"worker_ready"') < 2:
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.05)


def _children(pid: int) -> list[int]:
    """The spawned workers of a server (the resource tracker aside)."""
    from pathlib import Path

    workers = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if parent == pid and b"spawn_main" in command:
            workers.append(int(entry.name))
    return workers


def test_mandate_is_withdrawn_while_the_server_runs(tmp_path: Path, course: MicroCredential) -> None:
    """A withdrawn mandate seals nothing more, within seconds and without a restart; what was sealed is still answered."""
    practice = practice_set(tmp_path / "set")
    practice.configure(('register = "register"', 'register = "register"\nreload_seconds = 0.1'))
    with running_server(practice) as server, server.issuance() as issuance:
        first = issuance.Issue(issue_request(course, "before"))
        _eseal("mandate", "withdraw", "dcu-practice", "--reason", "test", "--register", practice.folder / "register")
        error = _until_refused(lambda: issuance.Issue(issue_request(course)))
        again = issuance.Issue(issue_request(course, "before"))

    assert "FAILED_PRECONDITION" == error.code
    assert "mandate-not-withdrawn" in [refused.rule for refused in error.refusals]
    assert first == again


def test_mandate_is_over(tmp_path: Path, course: MicroCredential) -> None:
    """A mandate whose last day is past seals nothing, and the day is named."""
    practice = practice_set(tmp_path / "set")
    mandate = practice.folder / "register/mandates/dcu-practice.toml"
    lines = mandate.read_text().splitlines(keepends=True)
    mandate.write_text("".join("valid_until = 2025-01-31\n" if "valid_until" in line else line for line in lines))
    with running_server(practice) as server, server.issuance() as issuance:
        error = refusal(lambda: issuance.Issue(issue_request(course)))

    assert "FAILED_PRECONDITION" == error.code
    assert any(refused.rule == "mandate-in-force" and "2025-01-31" in refused.message for refused in error.refusals)


def _eseal(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "eseal", *map(str, arguments)], check=True, capture_output=True)


def _until_refused(call: Callable[[], object]) -> EsealError:
    """Call until it is refused, for at most ten seconds."""
    until = time.monotonic() + 10
    while True:
        try:
            call()
        except grpc.RpcError as error:
            return from_rpc(error)
        assert time.monotonic() < until
        time.sleep(0.1)
