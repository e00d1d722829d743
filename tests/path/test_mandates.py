"""The register and the policy on a running server: quotas, suspension, withdrawal, and what changes in mid-stream."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from eseal.cli.mandate import app
from eseal.trust import practice as pki
from eseal_client import Learner
from eseal_client.errors import EsealError
from eseal_client.wire import issuance_pb2
from tests.harness.server import PracticeSet, practice_set, running_server
from tests.mandate.test_dual_control import Signer
from tests.path.calls import issue_request, payload, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from eseal_client import MicroCredential
    from tests.harness.server import RunningServer

MANDATE = "mandates/dcu-practice.toml"


@pytest.fixture
def practice(tmp_path: Path) -> PracticeSet:
    """A practice set whose server looks at the register ten times a second."""
    practice = practice_set(tmp_path / "set")
    text = practice.config.read_text()
    practice.config.write_text(re.sub(r"(\[mandate\]\n)", r"\1reload_seconds = 0.1\n", text))
    return practice


def add(practice: PracticeSet, name: str, text: str) -> Path:
    """Add lines to a file of the register, in one step."""
    path = practice.folder / "register" / name
    path.parent.mkdir(exist_ok=True)
    new = path.with_name(f".{path.name}")
    new.write_text((path.read_text() if path.exists() else "") + text)
    return new.replace(path)


def explained(practice: PracticeSet, credential: bytes, *options: str) -> dict[str, Any]:
    """What ``eseal mandate explain --json`` says of a credential."""
    file = practice.folder / "unsealed.json"
    file.write_bytes(credential)
    command = ["explain", "--config", practice.config, "--caller", practice.caller("dcu"), "--json", *options, file]
    result = CliRunner().invoke(app, [str(word) for word in command])
    assert result.stdout, result.exception
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def test_explain_counts_what_was_sealed(practice: PracticeSet, course: MicroCredential) -> None:
    """At a quota's limit Issue, ExplainMandate and the command line refuse by the same rule, with the same use of it."""
    add(practice, MANDATE, "[scope.quota]\ndaily = 2\n")
    with running_server(practice) as server, server.issuance() as dcu:
        credentials = [payload(dcu.Issue(issue_request(course)).sealed) for _ in range(2)]
        credential = json.dumps(credentials[0]).encode()
        error = refusal(lambda: dcu.Issue(issue_request(course)))
        answer = dcu.ExplainMandate(issuance_pb2.ExplainMandateRequest(credential=credential))
        told = explained(practice, credential)
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date()

    assert ["quota-daily"] == [one.rule for one in error.refusals] == [one.rule for one in answer.refusals]
    assert ["quota-daily"] == [one["rule"] for one in told["refusals"]]
    assert "2 of 2 seal(s) today" == told["facts"]["use of dcu-practice"]
    assert told["facts"] == {fact.name: fact.value for fact in answer.facts}
    assert [("dcu-practice", "quota-daily", 2, 2)] == [
        (one.mandate_id, one.rule, one.limit, one.used) for one in answer.quotas
    ]
    assert "from-ledger" == told["quotas"]
    assert explained(practice, credential, "--on", tomorrow.isoformat())["granted"]


def _items(count: int, name: str) -> list[issuance_pb2.IssueItem]:
    return [issuance_pb2.IssueItem(request_id=f"{name}-{n}", learner=Learner(given_name=f"L{n}")) for n in range(count)]


def _wait_for(practice: PracticeSet, event: str) -> dict[str, Any]:
    """Wait until the server's log has a line of this event; return it."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for line in (practice.folder / "server.log").read_text().splitlines():
            if f'"{event}"' in line:
                said: dict[str, Any] = json.loads(line)
                return said
        time.sleep(0.05)
    raise AssertionError(f"the server did not log {event}")


@pytest.mark.parametrize(
    ("status", "rule"),
    [
        ('withdrawn_on = {today}\nreason = "found out"\n', "mandate-not-withdrawn"),
        ('[[suspension]]\nvalid_from = {today}\nreason = "review"\n', "mandate-not-suspended"),
    ],
    ids=["withdrawn", "suspended"],
)
def test_what_happens_to_a_mandate_ends_a_stream_that_is_under_way(
    practice: PracticeSet, course: MicroCredential, status: str, rule: str
) -> None:
    """Batches sent after the change are refused, item by item; what was sealed before is still answered, byte for byte."""
    today = datetime.now(ZoneInfo("Europe/Amsterdam")).date()
    changed = threading.Event()

    def requests() -> Iterator[issuance_pb2.IssueStreamRequest]:
        yield issuance_pb2.IssueStreamRequest(micro_credential=course, items=_items(3, "before"))
        changed.wait(30)
        yield issuance_pb2.IssueStreamRequest(items=[*_items(3, "after"), *_items(3, "before")])

    with running_server(practice) as server, server.issuance() as dcu:
        answers = dcu.IssueStream(requests())
        before = next(answers).results
        add(practice, "status/dcu.toml", 'mandate = "dcu-practice"\n' + status.format(today=today))
        _wait_for(practice, "register_reloaded")
        changed.set()
        after = next(answers).results
        error = refusal(lambda: dcu.Issue(issue_request(course)))

    assert [rule] == [one.rule for one in error.refusals]
    assert ["status"] * 3 + ["sealed"] * 3 == [one.WhichOneof("outcome") for one in after]
    assert [one.sealed.sealed for one in before] == [one.sealed.sealed for one in after[3:]]


def test_a_register_that_becomes_wrong_is_not_used(practice: PracticeSet, course: MicroCredential) -> None:
    """An agreement whose digest no longer agrees is told by file, line and rule, and the register before it goes on."""
    agreement = practice.folder / "register/agreements/dcu-practice.pdf"
    with running_server(practice) as server, server.issuance() as dcu:
        first = payload(dcu.Issue(issue_request(course)).sealed)
        agreement.write_bytes(agreement.read_bytes() + b"% another page")
        said = _wait_for(practice, "register_refused")
        second = payload(dcu.Issue(issue_request(course)).sealed)

    assert re.search(r"mandates/dcu-practice\.toml:\d+: agreement-digest: ", said["problems"][0])
    assert first["evidence"] == second["evidence"]


@pytest.mark.parametrize("servers", [1, 2])
def test_two_batches_do_not_share_the_last_of_a_quota(
    practice: PracticeSet, course: MicroCredential, servers: int
) -> None:
    """Batches that are decided at the same moment together get no more than what is left, also in two servers."""
    add(practice, MANDATE, "[scope.quota]\ntotal = 60\n")
    counts: list[str | None] = []
    rules: list[str] = []

    def send(server: RunningServer, name: str) -> None:
        with server.issuance() as dcu:
            request = issuance_pb2.IssueStreamRequest(micro_credential=course, items=_items(50, name))
            for answer in dcu.IssueStream(iter([request])):
                counts.extend(one.WhichOneof("outcome") for one in answer.results)
                refused = [EsealError(one.status) for one in answer.results if one.HasField("status")]
                rules.extend(each.rule for error in refused for each in error.refusals)

    with contextlib.ExitStack() as running:
        started = [running.enter_context(running_server(practice)) for _ in range(servers)]
        senders = [
            threading.Thread(target=send, args=(started[number % servers], f"batch-{number}")) for number in range(4)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

    assert {"sealed": 60, "status": 140} == dict(Counter(counts))
    assert {"quota-total": 140} == dict(Counter(rules))


def test_a_seal_certificate_that_expires_while_the_server_runs(practice: PracticeSet, course: MicroCredential) -> None:
    """Nothing is sealed under a certificate that is over, and the answer says so; what was sealed is still answered."""
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=10)
    practice.recertify(lifetime=pki.Lifetime(end - timedelta(days=30), end))
    with running_server(practice) as server, server.issuance() as dcu:
        first = dcu.Issue(issue_request(course, "before"))
        time.sleep((end - datetime.now(UTC)).total_seconds() + 1.1)
        error = refusal(lambda: dcu.Issue(issue_request(course)))
        again = dcu.Issue(issue_request(course, "before"))

    assert ("FAILED_PRECONDITION", "SEAL_CERTIFICATE_EXPIRED") == (error.code, error.reason)
    assert first.sealed == again.sealed


def test_dual_control_on_a_running_server(practice: PracticeSet, course: MicroCredential) -> None:
    """A mandate that needs the awarding body's signature grants once it is there, and never by the signature of another."""
    rector, stranger = (
        Signer(ec.generate_private_key(ec.SECP256R1()), begin=datetime(2000, 1, 1, tzinfo=UTC)) for _ in range(2)
    )
    register = practice.folder / "register"
    mandate = register / MANDATE
    mandate.write_text(mandate.read_text().replace("[scope]", "dual_control = true\n\n[scope]", 1))
    add(practice, "certificates/dcu.pem", rector.pem.decode())
    member = register / "members/dcu.toml"
    member.write_text('signing_certificates = ["dcu.pem"]\n' + member.read_text())
    with running_server(practice) as server, server.issuance() as dcu:
        error = refusal(lambda: dcu.Issue(issue_request(course)))
        add(practice, f"{MANDATE}.jws", stranger.sign(mandate.read_bytes(), "ES256").decode())
        said = _wait_for(practice, "register_refused")
        (register / f"{MANDATE}.jws").unlink()
        add(practice, f"{MANDATE}.jws", rector.sign(mandate.read_bytes(), "ES256").decode())
        _wait_for(practice, "register_reloaded")
        sealed = dcu.Issue(issue_request(course)).sealed

    assert ["mandate-dual-control"] == [one.rule for one in error.refusals]
    assert f"{MANDATE}.jws:1: signature-verifies: " in said["problems"][0]
    assert sealed
