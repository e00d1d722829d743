"""The HSM goes away under a running service: what callers are told, what goes on, and that it comes back by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from eseal_client.wire import verification_pb2
from tests.harness.server import practice_set, running_server
from tests.path.calls import issue_request, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from eseal_client import MicroCredential
    from tests.harness.server import RunningServer

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
RECOVERY = """
[hsm.recovery]
probe_seconds = 0.2
max_probe_seconds = 0.5
reinitialise_interval_seconds = 1

[[keys]]"""


def _health(server: RunningServer) -> tuple[int, int]:
    with server.channel() as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return tuple(
            stub.Check(health_pb2.HealthCheckRequest(service=f"eseal.v1.{name}Service")).status
            for name in ("Issuance", "Verification")
        )


def _until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_token_goes_and_comes_back(tmp_path: Path, course: MicroCredential) -> None:
    """While the token is gone issuance is NOT_SERVING and answers at once with when to try again; verification goes on.

    What was sealed before is answered again without the HSM. When the token is back, so is issuance.
    """
    practice = practice_set(tmp_path / "set")
    practice.configure(("\n[[keys]]", RECOVERY))
    tokens, away = practice.folder / "hsm/tokens", practice.folder / "hsm/away"
    with running_server(practice) as server, server.issuance() as issuance, server.verification() as verification:
        sealed = issuance.Issue(issue_request(course, "before"))
        tokens.rename(away)
        tokens.mkdir()

        def gone() -> bool:
            try:
                issuance.Issue(issue_request(course))
            except grpc.RpcError as error:
                return grpc.StatusCode.UNAVAILABLE == error.code()
            return False

        assert _until(gone)
        assert _until(lambda: (NOT_SERVING, SERVING) == _health(server))
        started = time.monotonic()
        answer = refusal(lambda: issuance.Issue(issue_request(course)))
        assert time.monotonic() - started < 1
        assert "HSM_AWAY" == answer.reason
        assert answer.retry_after > 0
        assert sealed.sealed == issuance.Issue(issue_request(course, "before")).sealed
        report = verification.Verify(verification_pb2.VerifyRequest(document=sealed.sealed))
        assert verification_pb2.VERDICT_PARTIALLY_VERIFIED == report.verdict

        tokens.rmdir()
        away.rename(tokens)

        assert _until(lambda: (SERVING, SERVING) == _health(server))
        assert issuance.Issue(issue_request(course)).sealed
