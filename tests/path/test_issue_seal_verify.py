"""What a partner's back end does: Issue, Seal, Verify, one by one and in streams."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING

import rfc8785

from eseal_client import Client, Connection, EsealError, Learner, Sealed, Verdict
from eseal_client.wire import issuance_pb2, verification_pb2
from tests.harness.vectors import vector
from tests.path.calls import ADA, issue_request, payload, refusal, seal_request

if TYPE_CHECKING:
    from pathlib import Path

    from eseal_client import MicroCredential
    from tests.harness.server import RunningServer

SEALER = "NTRNL-08164880"


def _client(server: RunningServer, member: str = "dcu") -> Client:
    from eseal_client import Identity

    identity = Identity.from_folder(server.practice.folder / "callers" / member)
    return Client(Connection(target=server.target, identity=identity, batch=7))


def _samples(pattern: str) -> list[Path]:
    """The Commission's samples; the test skips where they are not there."""
    return sorted(vector("edc").glob(pattern))


def test_issue_seals_under_mandate(server: RunningServer, course: MicroCredential) -> None:
    """Issue answers with a general JAdES document over the canonical credential, and names the mandate."""
    with server.issuance() as issuance:
        response = issuance.Issue(issue_request(course))

    document = json.loads(response.sealed)
    credential = payload(response.sealed)
    assert ["payload", "signatures"] == list(document)
    assert response.sealed.startswith(b'{"payload":')
    assert rfc8785.dumps(credential).decode() == document["payload"]
    assert hashlib.sha256(document["payload"].encode()).digest() == response.payload_sha256
    assert response.credential_id == credential["id"]
    assert SEALER == credential["issuer"]["eIDASIdentifier"]["notation"]
    assert credential["issued"] == credential["issuanceDate"]
    assert 1 == len(response.mandate_ids)
    assert "header" not in document["signatures"][0]


def test_seal_of_each_algorithm_verifies(server_of_each_algorithm: RunningServer, course: MicroCredential) -> None:
    """ES256, ES384, PS256 and RS256 seals are intact, at B-B, and chain to the anchor."""
    server = server_of_each_algorithm
    with server.issuance() as issuance, server.verification() as verification:
        sealed = issuance.Issue(issue_request(course)).sealed
        report = verification.Verify(verification_pb2.VerifyRequest(document=sealed))

    (seal,) = report.seals
    assert verification_pb2.VERDICT_PARTIALLY_VERIFIED == report.verdict
    assert ("INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", "B-B") == (
        seal.indication,
        seal.sub_indication,
        seal.level,
    )
    errors = [check.name for check in report.checks if check.status == verification_pb2.CHECK_STATUS_ERROR]
    assert [] == errors


def test_same_request_is_answered_with_the_same_bytes(server: RunningServer, course: MicroCredential) -> None:
    """A request sent again gets the identical sealed bytes; with other content it is refused."""
    with server.issuance() as issuance:
        first = issuance.Issue(issue_request(course, "same-1"))
        again = issuance.Issue(issue_request(course, "same-1"))
        other = issuance_pb2.IssueRequest(
            request_id="same-1", micro_credential=course, learner=Learner(given_name="Grace")
        )
        error = refusal(lambda: issuance.Issue(other))

    assert first == again
    assert ("ALREADY_EXISTS", "REQUEST_ID_REUSED") == (error.code, error.reason)


def test_replay_needs_no_mandate_any_more(server: RunningServer, course: MicroCredential) -> None:
    """What was sealed is answered again after a restart of the server, from the ledger alone."""
    with server.issuance() as issuance:
        first = issuance.Issue(issue_request(course, "restart-1"))
        again = issuance.Issue(issue_request(course, "restart-1"))

    assert first.sealed == again.sealed


def test_two_callers_may_use_the_same_request_id(server: RunningServer, course: MicroCredential) -> None:
    """A request id belongs to its caller: another caller's request with it is another request."""
    with server.issuance() as dcu, server.issuance("uniz") as uniz:
        dcu.Issue(issue_request(course, "shared-id"))
        error = refusal(lambda: uniz.Issue(issue_request(course, "shared-id")))

    assert "ALREADY_EXISTS" != error.code


def test_commission_samples_are_sealed_under_mandate(server: RunningServer) -> None:
    """The Commission's unsigned samples go through Seal, also in their uploadable form."""
    with server.issuance("uniz") as uniz, server.verification() as verification:
        for sample in _samples("2023-*-unsigned*"):
            response = uniz.Seal(seal_request(sample.read_bytes()))
            report = verification.Verify(verification_pb2.VerifyRequest(document=response.sealed))

            credential = payload(response.sealed)
            assert verification_pb2.VERDICT_PARTIALLY_VERIFIED == report.verdict, sample.name
            assert credential["issuer"]["id"] not in json.dumps(credential["credentialSubject"])


def test_commission_signed_samples_are_intact(server: RunningServer) -> None:
    """The Commission's own seals (RSA, sigT, LTA-shaped) are judged intact though nobody here trusts their CA."""
    with server.verification() as verification:
        for sample in _samples("2023-*-signed.jsonld"):
            report = verification.Verify(verification_pb2.VerifyRequest(document=sample.read_bytes()))

            assert "INDETERMINATE" == report.seals[0].indication, sample.name
            assert all(stamp.intact for stamp in report.seals[0].timestamps)


def test_issue_stream_answers_per_item(server: RunningServer, course: MicroCredential) -> None:
    """A course is described once; learners stream after it, and each is answered under its own request id."""
    learners = [(f"stream-{n}", Learner(given_name=f"Learner {n}", family_name="Test")) for n in range(40)]
    with _client(server) as client:
        outcomes = dict(client.issue_many(course, learners))

    assert {request_id for request_id, _ in learners} == set(outcomes)
    assert all(isinstance(outcome, Sealed) for outcome in outcomes.values())
    assert 40 == len({outcome.credential_id for outcome in outcomes.values()})


def test_one_bad_item_never_touches_its_neighbours(server: RunningServer, course: MicroCredential) -> None:
    """In a batch with a malformed credential, a bad request id and a refused mandate, the good ones are sealed."""
    with server.issuance() as issuance, _client(server) as client:
        good = json.dumps(payload(issuance.Issue(issue_request(course)).sealed)).encode()
        outcomes = dict(
            client.seal_many(
                [("good-1", good), ("bad json", b"{"), ("bad-2", b"{"), ("bad-3", b"\xff"), ("good-2", good)]
            )
        )

    words = {key: outcome.reason if isinstance(outcome, EsealError) else "sealed" for key, outcome in outcomes.items()}
    assert ("sealed", "sealed") == (words["good-1"], words["good-2"])
    assert "REQUEST_ID_INVALID" == words["bad json"]
    assert {"INVALID_ARGUMENT"} == {outcomes[key].code for key in ("bad json", "bad-2", "bad-3")}


def test_stream_needs_its_course_first(server: RunningServer) -> None:
    """An IssueStream whose first message carries no course is refused with the place."""
    item = issuance_pb2.IssueItem(request_id="x", learner=ADA)
    with server.issuance() as issuance:
        error = refusal(lambda: list(issuance.IssueStream(iter([issuance_pb2.IssueStreamRequest(items=[item])]))))

    assert "COURSE_ABSENT" == error.reason


def test_verify_stream_answers_per_item(server: RunningServer, course: MicroCredential) -> None:
    """Many documents are verified in one stream; what is no JAdES at all is a report, not an error."""
    with server.issuance() as issuance, _client(server) as client:
        sealed = issuance.Issue(issue_request(course)).sealed
        reports = dict(client.verify_many([("good", sealed), ("torn", sealed[:-20]), ("none", b"hello")]))

    assert Verdict.VERDICT_PARTIALLY_VERIFIED == reports["good"].verdict
    assert Verdict.VERDICT_FAILED == reports["torn"].verdict == reports["none"].verdict


def test_sealed_vector_is_not_sealed_twice(server: RunningServer) -> None:
    """Seal refuses a document that is sealed already."""
    sample = vector("edc/2023-Sample-MC-Annex1-signed.jsonld")
    with server.issuance("uniz") as uniz:
        error = refusal(lambda: uniz.Seal(seal_request(sample.read_bytes(), str(uuid.uuid4()))))

    assert "INVALID_ARGUMENT" == error.code
