"""grpcurl and ghz, which know nothing of us, work against the running server through reflection."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest

from eseal_client import read_micro_credential
from tests.harness.credentials import credential
from tests.harness.server import ROOT, RunningServer, practice_set, running_server
from tests.path.calls import issue_request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.interop

EXAMPLE = ROOT / "clients/examples/introduction-to-artificial-intelligence.json"
_TOOLS = ROOT / "build/interop"
_MODULES = {
    "grpcurl": "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4",
    "ghz": "github.com/bojand/ghz/cmd/ghz@v0.93.0",
}
_BUILD_SECONDS = 900
_RUN_SECONDS = 60


@lru_cache(maxsize=2)
def tool(name: str) -> str:
    """Build a tool from the Go module proxy, once; one on the PATH is taken as it is."""
    found = shutil.which(name, path=str(_TOOLS)) or shutil.which(name)
    if found:
        return found
    go = shutil.which("go")
    if go is None:
        pytest.skip(f"{name} needs Go to be built.")
    environment = {"GOBIN": str(_TOOLS)}
    command = ["env", *(f"{key}={value}" for key, value in environment.items()), go, "install", _MODULES[name]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return str(_TOOLS / name)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server that seals with ES256."""
    with running_server(practice_set(tmp_path_factory.mktemp("tools") / "set")) as running:
        yield running


def _identity(server: RunningServer, member: str = "dcu") -> Path:
    return server.practice.folder / "callers" / member


def _grpcurl(server: RunningServer, *words: str, request: Any = None) -> subprocess.CompletedProcess[str]:
    identity = _identity(server)
    command = [tool("grpcurl"), "-cacert", str(identity / "ca.pem"), "-cert", str(identity / "certificate.pem")]
    command += ["-key", str(identity / "key.pem"), "-max-time", str(_RUN_SECONDS)]
    command += ["-d", json.dumps(request), server.target, *words] if request is not None else [server.target, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=2 * _RUN_SECONDS, check=False)


def test_grpcurl_lists_and_describes(server: RunningServer) -> None:
    """Reflection names every service, method and message."""
    services = _grpcurl(server, "list").stdout.split()

    assert {"eseal.v1.IssuanceService", "eseal.v1.VerificationService", "grpc.health.v1.Health"} <= set(services)
    described = _grpcurl(server, "describe", "eseal.v1.SealRequest").stdout
    assert all(field in described for field in ("request_id", "credential", "level"))
    stream = _grpcurl(server, "describe", "eseal.v1.IssuanceService.IssueStream").stdout
    assert 2 == stream.count("stream ")


def test_grpcurl_issues_and_verifies(server: RunningServer) -> None:
    """A person with grpcurl issues the example and has it verified."""
    learner = {"givenName": "Ada", "familyName": "Lovelace"}
    request = {"requestId": str(uuid.uuid4()), "microCredential": json.loads(EXAMPLE.read_text()), "learner": learner}
    issued = _grpcurl(server, "eseal.v1.IssuanceService/Issue", request=request)
    assert issued.returncode == 0, issued.stderr
    sealed = json.loads(issued.stdout)["sealed"]

    verified = _grpcurl(server, "eseal.v1.VerificationService/Verify", request={"document": sealed})

    assert base64.b64decode(sealed).startswith(b'{"payload":')
    assert "VERDICT_PARTIALLY_VERIFIED" == json.loads(verified.stdout)["verdict"]


def test_grpcurl_shows_a_refusal_in_full(server: RunningServer) -> None:
    """A refused mandate arrives with its code and its details, readable without our client."""
    content = base64.b64encode(json.dumps(credential(id=None)).encode()).decode()
    refused = _grpcurl(
        server, "eseal.v1.IssuanceService/Seal", request={"requestId": str(uuid.uuid4()), "credential": content}
    )

    assert refused.returncode != 0
    assert "Code: FailedPrecondition" in refused.stderr
    assert "google.rpc.PreconditionFailure" in refused.stderr


def test_ghz_loads_health_and_verify(server: RunningServer, tmp_path: Path) -> None:
    """Ghz, through reflection and mutual TLS: 500 Verify calls from 10 workers, every one answered OK."""
    with server.issuance() as issuance:
        sealed = issuance.Issue(issue_request(read_micro_credential(EXAMPLE))).sealed
    data = tmp_path / "verify.json"
    data.write_text(json.dumps({"document": base64.b64encode(sealed).decode()}))
    identity = _identity(server)
    command = [tool("ghz"), "--call", "eseal.v1.VerificationService.Verify", "--total", "500", "--concurrency", "10"]
    command += ["--cacert", str(identity / "ca.pem"), "--cert", str(identity / "certificate.pem")]
    command += ["--key", str(identity / "key.pem"), "--data-file", str(data), "--format", "json", server.target]

    done = subprocess.run(command, capture_output=True, text=True, timeout=4 * _RUN_SECONDS, check=False)

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (500, {"OK": 500}) == (answer["count"], answer["statusCodeDistribution"])
