"""Bad input and bad circumstances: a clear error with its gRPC code, nothing half done, the server alive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from eseal.terms import Algorithm
from eseal_client import Learner
from eseal_client.wire import credential_pb2, issuance_pb2, verification_pb2
from tests.harness.server import practice_set, refused_start
from tests.path.calls import ADA, issue_request, payload, refusal, seal_request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from eseal_client import MicroCredential
    from tests.harness.server import RunningServer


@pytest.mark.parametrize(
    ("credential", "word"),
    [
        (b"", "INVALID_ARGUMENT"),
        (b"{", "INVALID_ARGUMENT"),
        (b'{"a":1,"a":2}', "INVALID_ARGUMENT"),
        (b'{"a":"\xff"}', "INVALID_ARGUMENT"),
        ("\ufeff{}".encode(), "INVALID_ARGUMENT"),
        (b"[]", "INVALID_ARGUMENT"),
        ("{}".encode("utf-16"), "INVALID_ARGUMENT"),
        (b'{"a":12345678901234567890}', "INVALID_ARGUMENT"),
        (b"[" * 200 + b"]" * 200, "INVALID_ARGUMENT"),
    ],
)
def test_malformed_credential(server: RunningServer, credential: bytes, word: str) -> None:
    """What is not strict JSON, or not a credential, is refused with the place."""
    with server.issuance() as issuance:
        error = refusal(lambda: issuance.Seal(seal_request(credential)))

    assert word == error.code
    assert error.reason


def test_oversize_message(server: RunningServer) -> None:
    """A message beyond the limit is RESOURCE_EXHAUSTED, one beyond the credential limit INVALID_ARGUMENT."""
    with server.issuance() as issuance:
        large = refusal(lambda: issuance.Seal(seal_request(b'{"a":"' + b"x" * (9 * 1024 * 1024) + b'"}')))
        huge = refusal(lambda: issuance.Seal(seal_request(b" " * (33 * 1024 * 1024))))

    assert "INVALID_ARGUMENT" == large.code
    assert "RESOURCE_EXHAUSTED" == huge.code


def test_nonsense_of_any_length_is_told(server: RunningServer, course: MicroCredential) -> None:
    """A name too long for a reply is told by its beginning, with its place."""
    course.form_of_participation.append("Online" * 10_000)
    with server.issuance() as issuance:
        error = refusal(lambda: issuance.Issue(issue_request(course)))

    assert ("INVALID_ARGUMENT", "MICRO_CREDENTIAL") == (error.code, error.reason)
    assert ["/micro_credential/form_of_participation/1"] == [fault.subject for fault in error.faults]


def test_a_moment_out_of_range(server: RunningServer) -> None:
    """A timestamp that no calendar has is the caller's mistake, and has a place."""
    request = issuance_pb2.ExplainMandateRequest(credential=b"{}")
    request.at.seconds = 10**15
    with server.issuance() as issuance:
        error = refusal(lambda: issuance.ExplainMandate(request))

    assert ("INVALID_ARGUMENT", "REQUEST_INVALID") == (error.code, error.reason)


def test_a_moment_out_of_range_never_touches_its_neighbours(server: RunningServer, course: MicroCredential) -> None:
    """Days and moments that do not exist cost their own item of a stream and no other."""
    wrong = Learner(given_name="Ada")
    wrong.date_of_birth.year, wrong.date_of_birth.month, wrong.date_of_birth.day = 2025, 2, 29
    learners = [issuance_pb2.IssueItem(request_id=f"leap-{n}", learner=one) for n, one in enumerate([ADA, wrong, ADA])]
    request = issuance_pb2.IssueStreamRequest(micro_credential=course, items=learners)
    with server.issuance() as issuance:
        issued = [one for answer in issuance.IssueStream(iter([request])) for one in answer.results]

    document = next(one.sealed.sealed for one in issued if one.WhichOneof("outcome") == "sealed")
    items = [verification_pb2.VerifyItem(request_id=str(n), document={"document": document}) for n in range(3)]
    items[1].document.at.seconds = 10**15
    with server.verification() as verification:
        stream = verification.VerifyStream(iter([verification_pb2.VerifyStreamRequest(items=items)]))
        verified = [one for answer in stream for one in answer.results]

    assert ["sealed", "status", "sealed"] == [one.WhichOneof("outcome") for one in sorted(issued, key=_request_id)]
    assert ["report", "status", "report"] == [one.WhichOneof("outcome") for one in sorted(verified, key=_request_id)]


def _request_id(result: Any) -> str:
    return str(result.request_id)


def test_unknown_member_is_named(server: RunningServer, course: MicroCredential) -> None:
    """A member of a credential that no profile knows is a fault with its pointer."""
    with server.issuance() as issuance:
        credential = payload(issuance.Issue(issue_request(course)).sealed)
        credential["colour"] = "blue"
        error = refusal(lambda: issuance.Seal(seal_request(credential)))

    assert "INVALID_ARGUMENT" == error.code
    assert "/colour" in [fault.subject for fault in error.faults]


def test_missing_annex_i_element_refuses_issue(server: RunningServer, course: MicroCredential) -> None:
    """Issue is strict: a micro-credential without learning outcomes is refused by the element's official name."""
    course.ClearField("learning_outcomes")
    with server.issuance() as issuance:
        error = refusal(lambda: issuance.Issue(issue_request(course)))

    assert "INVALID_ARGUMENT" == error.code
    assert any("earning outcomes" in fault.message for fault in error.faults)


@pytest.mark.parametrize("level", [credential_pb2.LEVEL_B_T, credential_pb2.LEVEL_B_LT, credential_pb2.LEVEL_B_LTA])
def test_higher_levels_are_not_built(server: RunningServer, course: MicroCredential, level: int) -> None:
    """Levels above B-B answer UNIMPLEMENTED until they are built."""
    with server.issuance() as issuance:
        error = refusal(lambda: issuance.Issue(issue_request(course, level=level)))

    assert "UNIMPLEMENTED" == error.code


@pytest.mark.parametrize("hidden", [lambda *both: [list(both)], lambda *both: [[], [[both[0]], [both[1]]]]])
def test_a_hidden_profile_needs_what_the_profile_needs(
    server: RunningServer, course: MicroCredential, hidden: Callable[..., Any]
) -> None:
    """A credential that the graph calls accredited is judged as one, whatever lists say so."""
    with server.issuance() as issuance:
        credential = payload(issuance.Issue(issue_request(course)).sealed)
        generic = credential["credentialProfiles"][0]
        accredited = {
            **generic,
            "id": "http://data.europa.eu/snb/credential/6cf8e68c43",
            "prefLabel": {"en": "Accredited"},
        }
        credential["credentialProfiles"] = hidden(generic, accredited)
        error = refusal(lambda: issuance.Seal(seal_request(credential)))

    assert ["accreditation-known"] == [one.rule for one in error.refusals]


def test_a_credential_that_has_ended_is_not_sealed(server: RunningServer, course: MicroCredential) -> None:
    """Every verifier would call it expired from the first day on: neither Issue nor Seal makes one."""
    with server.issuance() as dcu:
        sealed = payload(dcu.Issue(issue_request(course)).sealed)
        course.valid_until.FromJsonString("2020-01-01T00:00:00Z")
        issuing = refusal(lambda: dcu.Issue(issue_request(course)))
        sealing = refusal(lambda: dcu.Seal(seal_request({**sealed, "validUntil": "2020-01-01T00:00:00Z"})))

    assert ["/expirationDate", "/validUntil"] == sorted(fault.subject for fault in issuing.faults)
    assert ["/validUntil"] == [fault.subject for fault in sealing.faults]


def test_another_members_award_is_refused(server: RunningServer, course: MicroCredential) -> None:
    """A caller that may not act for the awarding body is refused, each rule named; ExplainMandate says the same."""
    with server.issuance() as dcu, server.issuance("utwente") as utwente:
        credential = json.dumps(payload(dcu.Issue(issue_request(course)).sealed)).encode()
        error = refusal(lambda: utwente.Issue(issue_request(course)))
        answer = utwente.ExplainMandate(issuance_pb2.ExplainMandateRequest(credential=credential))
        yes = dcu.ExplainMandate(issuance_pb2.ExplainMandateRequest(credential=credential))

    assert error.code in {"FAILED_PRECONDITION", "PERMISSION_DENIED"}
    assert not answer.granted
    assert {refused.rule for refused in answer.refusals} == {refused.rule for refused in error.refusals}
    assert yes.granted
    assert 1 == len(yes.mandate_ids)


def test_deadline_is_kept(server: RunningServer, course: MicroCredential) -> None:
    """A call whose time is up is DEADLINE_EXCEEDED, and can be made again."""
    with server.issuance() as issuance:
        error = refusal(lambda: issuance.Issue(issue_request(course, "deadline-1"), timeout=0.0005))
        response = issuance.Issue(issue_request(course, "deadline-1"), timeout=20)

    assert "DEADLINE_EXCEEDED" == error.code
    assert response.sealed


def test_hsm_absent_at_start(tmp_path: Path) -> None:
    """Without its token the server does not start, and says what to do."""
    practice = practice_set(tmp_path / "set")
    practice.configure(('token_label = "eseal-practice"', 'token_label = "elsewhere"'))

    said = refused_start(practice)

    assert "elsewhere" in said
    assert "Traceback" not in said


def test_wrong_pin_is_tried_once(tmp_path: Path) -> None:
    """A wrong PIN stops the start with advice, after one attempt; the secret is not repeated."""
    practice = practice_set(tmp_path / "set")
    (practice.folder / "hsm/pin").write_text("123456wrong")

    said = refused_start(practice)

    assert "PIN" in said
    assert "123456wrong" not in said


def test_wrong_certificate(tmp_path: Path) -> None:
    """A seal certificate that does not belong to the key in the token stops the start."""
    practice = practice_set(tmp_path / "set")
    other = practice_set(tmp_path / "other", Algorithm.ES256)
    (practice.folder / "seal/chain.pem").write_bytes((other.folder / "seal/chain.pem").read_bytes())

    said = refused_start(practice)

    assert "certificate" in said


def test_unknown_setting(tmp_path: Path) -> None:
    """A key in eseal.toml that nobody knows is refused by name."""
    practice = practice_set(tmp_path / "set")
    practice.configure(("[ledger]\n", "[ledger]\ncolour = 1\n"))

    assert "ledger.colour" in refused_start(practice)


def test_plaintext_off_loopback(tmp_path: Path) -> None:
    """Plain text is refused on any address but loopback."""
    practice = practice_set(tmp_path / "set")
    text = practice.config.read_text()
    start, end = text.index("[server.tls]"), text.index("[hsm]")
    plain = '[server.plaintext]\ncaller = "spiffe://x"\n\n'
    practice.config.write_text(
        (text[:start] + plain + text[end:]).replace('listen = "127.0.0.1:0"', 'listen = "0.0.0.0:0"')
    )

    assert "loopback" in refused_start(practice)


@pytest.mark.parametrize("point", ["60 ECTS", "abc", "NaN", "Infinity", "-60", ""])
def test_credits_that_are_no_number_pass_no_maximum(server: RunningServer, course: MicroCredential, point: str) -> None:
    """DCU's mandate covers at most 30 ECTS: credits that cannot be read as a number are not under that maximum."""
    with server.issuance() as issuance:
        credential = payload(issuance.Issue(issue_request(course)).sealed)
        specification = credential["credentialSubject"]["hasClaim"]["specifiedBy"]
        specification["creditPoint"]["point"] = point
        error = refusal(lambda: issuance.Seal(seal_request(credential)))

    assert "scope-ects" in [refused.rule for refused in error.refusals]


def test_issue_takes_credits_as_numbers(server: RunningServer, course: MicroCredential) -> None:
    """Issue refuses credits that are not a decimal number, in their place."""
    course.notional_workload.ects_credits = "two"
    with server.issuance() as issuance:
        error = refusal(lambda: issuance.Issue(issue_request(course)))

    assert "INVALID_ARGUMENT" == error.code
    assert "/micro_credential/notional_workload/ects_credits" in [fault.subject for fault in error.faults]


def test_refusal_is_logged_with_who_and_why(server: RunningServer, course: MicroCredential) -> None:
    """A refused request leaves a line with caller, request id, reason and rules."""
    with server.issuance("utwente") as utwente:
        refusal(lambda: utwente.Issue(issue_request(course, "refused-and-logged")))

    lines = [json.loads(line) for line in server.log.read_text().splitlines() if "refused-and-logged" in line]
    assert ["not_sealed"] == [line["event"] for line in lines]
    assert ("MANDATE_REFUSED", ["caller-acts-for-awarding-body"]) == (lines[0]["reason"], lines[0]["rules"])
