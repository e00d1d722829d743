"""The life of a verification: seven checks, one verdict, over a batch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eseal import sealcore
from eseal.jades.header import ClaimedTime
from eseal.terms import Algorithm, LegalEntity, Refusal
from eseal.trust.path import TrustAnchors
from eseal.verification import VerifyInput, verify
from tests.harness.credentials import credential_bytes, eidas_identifier, organisation
from tests.harness.soft_seal import SoftSealer
from tests.harness.vectors import jades_expectations, vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eseal.terms import AwardFacts
    from eseal.verification.report import Report

NOW = datetime.now(UTC)
SEALER = SoftSealer()
SHORT_LIVED = SoftSealer(ca=SEALER.ca, options={"no_revocation": True})
ROOT = TrustAnchors([SEALER.root.der])
ISSUING_CA = TrustAnchors([SEALER.ca.der])


def _report(document: bytes, **options: Any) -> Report:
    [report] = verify([VerifyInput(document)], **({"anchors": ISSUING_CA} | options))
    return report


def _sealed(sealer: SoftSealer = SHORT_LIVED, **changes: Any) -> bytes:
    return sealer.seal(sealcore.canonicalize(credential_bytes(**changes)))


def _statuses(report: Report) -> dict[str, str]:
    return {name: check.status.value for name, check in report.checks.items()}


def test_good_credential_is_verified() -> None:
    """A conforming credential under a seal that passes is VERIFIED; what does not apply is skipped."""
    report = _report(_sealed())

    assert "VERIFIED" == report.verdict
    assert {
        "format": "OK",
        "seal": "OK",
        "revocation": "SKIPPED",
        "accreditation": "SKIPPED",
        "validity": "OK",
        "mandate": "OK",
        "annex_i": "SKIPPED",
    } == _statuses(report)


def test_annex_i_names_the_optional_elements() -> None:
    """Those that are there and those that are not are told, and decide nothing."""
    reasons = _report(_sealed()).checks["annex_i"].reasons
    optional = [reason for reason in reasons if reason.startswith("Optional, ")]

    assert 5 == sum(len(reason.partition(": ")[2].split("; ")) for reason in optional)
    assert any("Prerequisites needed to enrol" in reason for reason in optional)


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("claimed_time", list(ClaimedTime))
def test_every_algorithm_is_intact(algorithm: Algorithm, claimed_time: ClaimedTime) -> None:
    """Seals by each algorithm that the house seals with verify, with either claimed time."""
    sealer = SoftSealer(algorithm)
    document = sealer.seal(sealcore.canonicalize(credential_bytes()), claimed_time=claimed_time)
    report = _report(document, anchors=TrustAnchors([sealer.root.der]))

    assert "PARTIALLY_VERIFIED" == report.verdict
    assert f"The signature is intact ({algorithm})." == report.seal.reasons[0]


@pytest.mark.parametrize(
    ("verdict", "seal", "anchors"),
    [
        ("VERIFIED", "OK", ISSUING_CA),
        ("PARTIALLY_VERIFIED", "SKIPPED", ROOT),
        ("PARTIALLY_VERIFIED", "SKIPPED", None),
        ("FAILED", "ERROR", TrustAnchors([SoftSealer().root.der])),
    ],
)
def test_seal_decides_the_ribbon(verdict: str, seal: str, anchors: TrustAnchors | None) -> None:
    """Passed, revocation unknown, no anchors asked, anchors not reached."""
    report = _report(_sealed(), anchors=anchors)

    assert (verdict, seal) == (report.verdict, report.seal.status)


def test_report_has_the_fixed_names() -> None:
    """The JSON has the names that other people's tools are written against, and no others."""
    [report] = verify([VerifyInput(_sealed(), file="a.jsonld")], anchors=ROOT)
    answer = json.loads(json.dumps(report.to_json()))

    assert ["file", "verdict", "checks", "seals"] == list(answer)
    assert ["format", "seal", "revocation", "accreditation", "validity", "mandate", "annex_i"] == list(answer["checks"])
    assert {("status", "reasons")} == {tuple(check) for check in answer["checks"].values()}
    [seal] = answer["seals"]
    names = "indication sub_indication level signer signing_time best_signature_time timestamps"
    assert names.split() == list(seal)
    assert ("INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", "B-B") == tuple(seal.values())[:3]
    assert "Stichting European Consortium of Innovative Universities (NTRNL-08164880)" == seal["signer"]
    assert seal["signing_time"].endswith("Z")


@pytest.mark.parametrize("document", [b"", b"{}", b"no JSON", b"a.b.c", b"\xff\xfe", credential_bytes()])
def test_what_is_no_seal_is_a_report(document: bytes) -> None:
    """Unreadable and unsealed documents fail with FORMAT_FAILURE and a reason; they raise nothing."""
    report = _report(document)
    [seal] = report.to_json()["seals"]

    assert ("FAILED", "ERROR", "ERROR") == (report.verdict, report.seal.status, report.format.status)
    assert ("TOTAL_FAILED", "FORMAT_FAILURE", "NOT_ETSI") == tuple(seal.values())[:3]


def test_seal_over_something_else_stands_by_itself() -> None:
    """Any content may be sealed: the seal is judged, and the format says that it is no credential."""
    for content in (b"[1]", b'{"type":"Other"}', b"plain text", b'"EuropeanDigitalCredential"'):
        statuses = _statuses(_report(SHORT_LIVED.seal(content)))

        assert ("OK", "ERROR", "SKIPPED") == (statuses["seal"], statuses["format"], statuses["mandate"])


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        ("OK", {}),
        ("OK", {"expirationDate": (NOW + timedelta(days=1)).isoformat()}),
        ("OK", {"expirationDate": NOW.date().isoformat()}),
        ("ERROR", {"expirationDate": (NOW - timedelta(seconds=1)).isoformat()}),
        ("ERROR", {"expirationDate": (NOW - timedelta(days=1)).date().isoformat()}),
        ("ERROR", {"validUntil": "2020-01-01T00:00:00+02:00"}),
        ("ERROR", {"validFrom": (NOW + timedelta(hours=1)).isoformat()}),
        ("ERROR", {"expirationDate": "soon"}),
        ("ERROR", {"expirationDate": 5}),
    ],
)
def test_validity(status: str, changes: dict[str, Any]) -> None:
    """Expired, not yet valid and unreadable dates are errors; a day ends with its day."""
    assert status == _report(_sealed(**changes), at=NOW).validity.status


def test_validity_is_as_at_the_time_asked_about() -> None:
    """A document may ask for a time of its own."""
    document = _sealed(expirationDate=(NOW + timedelta(days=2)).isoformat())
    now, later = verify(
        [VerifyInput(document), VerifyInput(document, at=NOW + timedelta(days=3))], anchors=ISSUING_CA, at=NOW
    )

    assert ("OK", "ERROR") == (now.validity.status, later.validity.status)


SELF_ISSUED = organisation(
    2,
    "Stichting European Consortium of Innovative Universities",
    "NLD",
    eIDASIdentifier=eidas_identifier("NTRNL-08164880", "NLD"),
)


def _awarded_by(body: dict[str, Any]) -> dict[str, Any]:
    subject = json.loads(credential_bytes())["credentialSubject"]
    subject["hasClaim"]["awardedBy"]["awardingBody"] = body
    return subject


@pytest.mark.parametrize(
    ("status", "says", "changes"),
    [
        ("OK", "under mandate", {}),
        ("OK", "its own award", {"credentialSubject": _awarded_by(SELF_ISSUED), "evidence": None}),
        ("ERROR", "shows no mandate", {"evidence": None}),
        (
            "ERROR",
            "The issuer is VATES-A00000000",
            {"issuer": organisation(1, "Other", "ESP", eIDASIdentifier=eidas_identifier("VATES-A00000000", "ESP"))},
        ),
        ("ERROR", "The issuer is nobody", {"issuer": organisation(1, "Other", "NLD")}),
    ],
)
def test_mandate(status: str, says: str, changes: dict[str, Any]) -> None:
    """The issuer must be the sealer, and the sealer the awarding body or one who shows a mandate."""
    check = _report(_sealed(**changes)).mandate

    assert status == check.status
    assert any(says in reason for reason in check.reasons)


@pytest.mark.parametrize(("country", "own"), [("NLD", True), ("BEL", False)])
def test_mandate_by_another_identifier_of_the_same_body(country: str, *, own: bool) -> None:
    """NTRNL-08164880 is a number of the Dutch trade register; the same number in another country is another body."""
    body = organisation(2, "ECIU", country, registration=eidas_identifier("08164880", country))
    (said,) = _report(_sealed(credentialSubject=_awarded_by(body))).mandate.reasons

    assert ("its own award" if own else "Sealed under mandate") in said


@dataclass
class _Register:
    answer: Sequence[Refusal]
    asked: tuple[AwardFacts, LegalEntity, datetime] | None = None

    def objections(self, facts: AwardFacts, *, sealer: LegalEntity, sealed_at: datetime) -> Sequence[Refusal]:
        self.asked = (facts, sealer, sealed_at)
        return self.answer


def test_register_is_asked_about_the_time_of_the_seal() -> None:
    """A register that objects makes the mandate an error; it is asked with the facts and the sealing time."""
    agrees, objects = _Register([]), _Register([Refusal("mandate-withdrawn", "The mandate was withdrawn.")])
    document = _sealed()

    assert "OK" == _report(document, register=agrees).mandate.status
    refused = _report(document, register=objects)
    assert ("ERROR", "FAILED") == (refused.mandate.status, refused.verdict)
    assert "The mandate was withdrawn. [mandate-withdrawn]" in refused.mandate.reasons
    facts, sealer, sealed_at = agrees.asked
    assert ["Dublin City University"] == [body.legal_names["en"] for body in facts.awarding_bodies]
    assert ("NTRNL-08164880", True) == (sealer.organization_identifier, abs(NOW - sealed_at) < timedelta(hours=1))


def test_accredited_award_needs_its_accreditation() -> None:
    """A credential that claims accreditation without naming one is in error."""
    concept = {"id": "http://data.europa.eu/snb/credential/6cf8e68c43", "type": "Concept"}
    report = _report(_sealed(credentialProfiles=[concept]))

    assert "ERROR" == report.accreditation.status


def test_format_faults_are_reasons_with_their_places() -> None:
    """A credential that breaks its profile fails FORMAT, by pointer and rule; its seal stands."""
    report = _report(_sealed(displayParameter=None))

    assert ("ERROR", "OK") == (report.format.status, report.seal.status)
    assert any(reason.startswith("/displayParameter") for reason in report.format.reasons)


def test_every_signature_must_be_good() -> None:
    """One signature among several that fails makes the seal an error."""
    payload = sealcore.canonicalize(credential_bytes())
    good, other = SHORT_LIVED.header(), SEALER.header()
    both = [(good, SHORT_LIVED.sign(good, payload), []), (other, SEALER.sign(other, payload), [])]
    broken = [both[0], (other, SEALER.sign(other, payload + b" "), [])]

    assert "SKIPPED" == _report(sealcore.assemble_general(payload, both), anchors=ISSUING_CA).seal.status.replace(
        "OK", ""
    )
    report = _report(sealcore.assemble_general(payload, broken))
    assert ("ERROR", ["TOTAL_PASSED", "TOTAL_FAILED"]) == (
        report.seal.status,
        [seal.indication.value for seal in report.seals],
    )


def test_batch_answers_in_order_and_apart() -> None:
    """Good, broken and strange documents in one batch do not touch one another."""
    good = _sealed()
    reports = verify(
        [VerifyInput(good), VerifyInput(b"x"), VerifyInput(SHORT_LIVED.seal(b"[]")), VerifyInput(good)],
        anchors=ISSUING_CA,
    )

    assert ["VERIFIED", "FAILED", "FAILED", "VERIFIED"] == [report.verdict for report in reports]
    assert [] == verify([])


def _flipped(document: bytes, bit: int) -> bytes:
    damaged = bytearray(document)
    damaged[bit // 8] ^= 1 << (bit % 8)
    return bytes(damaged)


SEALED = _sealed()
assert "VERIFIED" == _report(SEALED).verdict


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(SEALED) * 8 - 1))
def test_one_changed_bit_anywhere_fails(bit: int) -> None:
    """Whatever bit of a sealed file changes, the file is no longer verified."""
    assert "FAILED" == _report(_flipped(SEALED, bit)).verdict


@pytest.mark.parametrize(("algorithm", "step"), [(Algorithm.ES256, 1), (Algorithm.ES384, 7), (Algorithm.PS256, 7)])
def test_every_changed_bit_is_noticed_by_the_seal(algorithm: Algorithm, step: int) -> None:
    """Every single bit of a small sealed file (every seventh, for some keys): none leaves the seal as it was."""
    sealer = SoftSealer(algorithm, options={"no_revocation": True})
    anchors = TrustAnchors([sealer.ca.der])
    sealed = sealer.seal('{"é":"\\\\ \\" 𝄞"}'.encode())
    assert ["TOTAL_PASSED"] == [seal.indication for seal in _report(sealed, anchors=anchors).seals]
    unnoticed = []
    for start in range(0, len(sealed) * 8, 1024 * step):
        bits = range(start, min(start + 1024 * step, len(sealed) * 8), step)
        reports = verify([VerifyInput(_flipped(sealed, bit)) for bit in bits], anchors=anchors)
        unnoticed += [
            bit for bit, report in zip(bits, reports, strict=True) if report.seals[0].indication == "TOTAL_PASSED"
        ]

    assert [] == unnoticed


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_of_others_are_reports(data: st.DataObject) -> None:
    """Files of others, cut, doubled or overwritten anywhere, end in a report."""
    name = data.draw(st.sampled_from(sorted(jades_expectations()) or ["altered-jws.json"]))
    original = vector(f"jades/{name}").read_bytes()
    place = data.draw(st.integers(0, len(original)))
    insert, drop = data.draw(st.binary(max_size=8)), data.draw(st.integers(0, 64))
    damaged = original[:place] + insert + original[place + drop :]

    assert _report(damaged, anchors=None).to_json()["seals"]


@pytest.mark.parametrize("name", ["2023-Sample-MC-Annex1-signed.jsonld", "2023-Sample-CertOfPart-signed.jsonld"])
def test_the_commissions_samples(name: str) -> None:
    """The Commission's signed samples are intact, conform, and show their mandate; nobody here trusts their CA."""
    report = _report(vector(f"edc/{name}").read_bytes(), anchors=None)

    assert "PARTIALLY_VERIFIED" == report.verdict
    assert ("OK", "OK", "OK") == (report.format.status, report.mandate.status, report.validity.status)
    assert "B-LTA" == report.seals[0].level
    assert [True] * 3 == [stamp.intact for stamp in report.seals[0].timestamps]


@pytest.mark.parametrize("bit", [7, 4_000, 400_000, 900_000, 1_000_007])
def test_damage_to_the_commissions_sample_fails(bit: int) -> None:
    """A changed bit in the payload, the header or a time-stamp of an LTA-shaped file is noticed."""
    original = vector("edc/2023-Sample-MC-Annex1-signed.jsonld").read_bytes()

    assert "FAILED" == _report(_flipped(original, bit), anchors=None).verdict


@pytest.mark.parametrize("name", sorted(jades_expectations()) or ["(none)"])
def test_vectors_get_the_seal_status_that_fits(name: str) -> None:
    """Positive vectors are undecided without anchors; every negative one is an error of the seal."""
    expected = jades_expectations().get(name, "")
    contents = [vector(f"jades/ObjectIdByURI-{number}.html").read_bytes() for number in (1, 2)]
    given_contents = contents if "by-uri" in name else []
    [report] = verify([VerifyInput(vector(f"jades/{name}").read_bytes(), given_contents)])

    assert ("SKIPPED" if expected.startswith("positive") else "ERROR") == report.seal.status
    if expected == "negative_profile":
        assert {"NOT_ETSI"} == {seal.level for seal in report.seals}
