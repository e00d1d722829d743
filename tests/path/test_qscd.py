"""The whole service on a remote QSCD in place of a token: the same calls, the same seals."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from eseal_client import Client, Connection, Identity, Learner, Verdict
from tests.harness.csc_service import CLIENT_ID, CscService, csc_service
from tests.harness.server import PracticeSet, practice_set, running_server
from tests.path.calls import issue_request

if TYPE_CHECKING:
    from pathlib import Path

    from eseal_client import MicroCredential


def _practice(folder: Path, service: CscService) -> PracticeSet:
    """A practice set whose seal key is at ``service``."""
    practice = practice_set(folder)
    key = service.key("p256")
    chain = (x509.load_der_x509_certificate(link).public_bytes(Encoding.PEM) for link in key.chain)
    (folder / "seal/remote.pem").write_bytes(b"".join(chain))
    root = x509.load_der_x509_certificate((service.folder / "root.der").read_bytes())
    (folder / "trust/qtsp.pem").write_bytes(root.public_bytes(Encoding.PEM))
    text = practice.config.read_text()
    practice.config.write_text(
        text[: text.index("[hsm]")]
        + f'[qscd]\nurl = "{service.url}"\nclient_id = "{CLIENT_ID}"\nclient_secret_file = "{service.secret_file}"\n'
        + "failures = 1\nprobe_seconds = 0.2\nmax_probe_seconds = 0.5\n\n"
        + f'[[keys]]\nlabel = "{key.label}"\nalgorithm = "ES256"\ncertificate_chain = "seal/remote.pem"\n\n'
        + text[text.index("[mandate]") :].replace("trust/root.pem", "trust/qtsp.pem")
    )
    return practice


def test_issue_and_verify(tmp_path: Path, course: MicroCredential) -> None:
    """A class is sealed by the remote key, in far fewer authorizations than credentials, and every seal verifies."""
    with csc_service(tmp_path) as service:
        practice = _practice(tmp_path / "set", service)
        with running_server(practice) as server:
            identity = Identity.from_folder(practice.folder / "callers/dcu")
            with Client(Connection(target=server.target, identity=identity, batch=20)) as client:
                before = service.order()
                learners = [(f"remote-{n}", Learner(given_name=f"L{n}")) for n in range(40)]
                issued = dict(client.issue_many(course, learners))
                verdicts = {client.verify(outcome.sealed).verdict for outcome in issued.values()}
                asked = service.order() - before

    assert 40 == len(issued) == asked["signatures"]
    assert asked["authorize"] <= 12
    assert {Verdict.VERDICT_PARTIALLY_VERIFIED} == verdicts


def test_wrong_signature_never_leaves(tmp_path: Path, course: MicroCredential) -> None:
    """Step 8 finds signatures that are another's: the caller gets an error and no seal."""
    with csc_service(tmp_path) as service:
        practice = _practice(tmp_path / "set", service)
        with running_server(practice) as server:
            identity = Identity.from_folder(practice.folder / "callers/dcu")
            with Client(
                Connection(target=server.target, identity=identity, batch=4, check=False, attempts=2)
            ) as client:
                service.order(wrong=True)
                learners = [(f"wrong-{n}", Learner(given_name=f"L{n}")) for n in range(4)]
                outcomes = dict(client.issue_many(course, learners))

    assert {"SIGNATURE_NOT_PROVEN"} == {outcome.reason for outcome in outcomes.values()}


def test_service_that_went_away(tmp_path: Path, course: MicroCredential) -> None:
    """While the QTSP is gone callers are told at once to come back; nothing hangs."""
    with csc_service(tmp_path) as service:
        practice = _practice(tmp_path / "set", service)
        with running_server(practice) as server, server.issuance() as issuance:
            assert issuance.Issue(issue_request(course)).sealed
            service.process.kill()
            service.process.wait()
            codes = set()
            for _ in range(3):
                started = time.monotonic()
                try:
                    issuance.Issue(issue_request(course))
                except grpc.RpcError as error:
                    codes.add(error.code())
                assert time.monotonic() - started < 5

    assert {grpc.StatusCode.UNAVAILABLE} == codes


def test_doctor(tmp_path: Path) -> None:
    """``eseal doctor`` asks the remote service for the key and compares the certificate."""
    with csc_service(tmp_path) as service:
        practice = _practice(tmp_path / "set", service)
        done = subprocess.run(
            [sys.executable, "-m", "eseal", "doctor", "--config", practice.config],
            capture_output=True,
            text=True,
            check=False,
        )

    assert 0 == done.returncode, done.stdout
    assert "1 key(s) found" in done.stdout
