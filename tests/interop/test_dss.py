"""The EU's own validator accepts what the server seals, and agrees with our verdicts."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from eseal import sealcore
from eseal.jades.detached import Content
from eseal.jades.header import ClaimedTime
from eseal.terms import Algorithm
from eseal.trust.anchors import read_anchors
from eseal.trust.path import TrustAnchors
from eseal.verification import VerifyInput, verify
from eseal_client import read_micro_credential
from tests.harness.credentials import credential_bytes
from tests.harness.server import ROOT, practice_set, running_server
from tests.harness.soft_seal import SoftSealer
from tests.harness.vectors import jades_expectations, vector
from tests.interop.oracle import dss
from tests.path.calls import issue_request, seal_request

if TYPE_CHECKING:
    from pathlib import Path

    from eseal.trust.verdict import SealVerdict

pytestmark = pytest.mark.interop

EXAMPLE = ROOT / "clients/examples/introduction-to-artificial-intelligence.json"


def _ours(paths: list[Path], anchors: list[Path] | None = None, contents: list[Path] | None = None) -> list[Any]:
    given = [Content(path.read_bytes(), str(path)) for path in contents or ()]
    documents = [VerifyInput(path.read_bytes(), given, str(path)) for path in paths]
    return verify(documents, anchors=TrustAnchors(read_anchors(anchors)) if anchors else None)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_what_the_server_sealed_is_jades_to_dss(algorithm: Algorithm, tmp_path: Path) -> None:
    """Issued and sealed over gRPC by a key in SoftHSM: intact, well-formed, JAdES-BASELINE-B, without a warning.

    INDETERMINATE / CERTIFICATE_CHAIN_GENERAL_FAILURE is what DSS says of every B-B seal whose revocation it cannot
    look up; we must say the same.
    """
    issued, sealed = tmp_path / "issued.jsonld", tmp_path / "sealed.jsonld"
    practice = practice_set(tmp_path / "set", algorithm)
    with running_server(practice) as server, server.issuance() as issuance:
        answer = issuance.Issue(issue_request(read_micro_credential(EXAMPLE)))
        issued.write_bytes(answer.sealed)
        content = sealcore.parse_jws(answer.sealed).payload
        sealed.write_bytes(issuance.Seal(seal_request(content)).sealed)

    for found, report in zip(
        dss([issued, sealed], anchors=[practice.root]), _ours([issued, sealed], [practice.root]), strict=True
    ):
        [seal] = found["signatures"]
        assert (True, True, True) == (seal["intact"], seal["valid"], seal["structure_valid"])
        assert "JAdES-BASELINE-B" == seal["format"]
        assert [] == seal["warnings"]
        assert ("INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE") == (seal["indication"], seal["sub_indication"])
        [ours] = report.seals
        assert (seal["indication"], seal["sub_indication"]) == (ours.indication, ours.sub_indication)
        assert seal["claimed_time"] == ours.signing_time.isoformat().replace("+00:00", "Z")
        assert seal["signed_by"] == ours.certificate.subject.common_name


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_seal_that_cannot_be_revoked_passes_dss(algorithm: Algorithm, tmp_path: Path) -> None:
    """With a short-lived certificate under an anchor nothing is left open: TOTAL_PASSED, by DSS and by us."""
    sealer = SoftSealer(algorithm, options={"no_revocation": True})
    document, anchor = tmp_path / "sealed.jsonld", tmp_path / "ca.pem"
    document.write_bytes(sealer.seal(sealcore.canonicalize(credential_bytes())))
    anchor.write_bytes(sealer.ca.pem)

    [found] = dss([document], anchors=[anchor])
    [report] = _ours([document], [anchor])

    [seal] = found["signatures"]
    assert ("TOTAL_PASSED", None, []) == (seal["indication"], seal["sub_indication"], seal["warnings"])
    assert ["TOTAL_PASSED"] == [ours.indication for ours in report.seals]


def test_sigt_is_no_etsi_jades_to_either(tmp_path: Path) -> None:
    """A seal for the Commission's older viewer is intact, and since 2025-07-15 no ETSI JAdES, to DSS and to us."""
    sealer = SoftSealer()
    document, anchor = tmp_path / "sealed.jsonld", tmp_path / "root.pem"
    document.write_bytes(sealer.seal(b"{}", claimed_time=ClaimedTime.SIGT))
    anchor.write_bytes(sealer.root.pem)

    [found] = dss([document], anchors=[anchor])
    [report] = _ours([document], [anchor])

    assert [("JSON-NOT-ETSI", True)] == [(seal["format"], seal["intact"]) for seal in found["signatures"]]
    assert [("NOT_ETSI", "CERTIFICATE_CHAIN_GENERAL_FAILURE")] == [(s.level, s.sub_indication) for s in report.seals]


def test_damaged_seals_pass_neither(tmp_path: Path) -> None:
    """Of 150 seals with one changed bit each, DSS finds none intact, and neither do we."""
    sealer = SoftSealer(options={"no_revocation": True})
    sealed = sealer.seal(sealcore.canonicalize(credential_bytes()))
    chance = random.Random(1)  # noqa: S311 - the same places on every run
    paths = []
    for number in range(150):
        damaged = bytearray(sealed)
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        paths.append(tmp_path / f"{number}.jsonld")
        paths[-1].write_bytes(damaged)
    anchor = tmp_path / "ca.pem"
    anchor.write_bytes(sealer.ca.pem)

    passed = [
        found["file"]
        for found in dss(paths, anchors=[anchor])
        if any(seal["indication"] == "TOTAL_PASSED" for seal in found.get("signatures", ()))
    ]

    assert [] == passed
    assert {"FAILED"} == {report.verdict for report in _ours(paths, [anchor])}


def _agrees(found: dict[str, Any], ours: SealVerdict) -> bool:
    """Whether DSS and we say the same: what is broken, what is no JAdES, what each time-stamp is worth."""
    broken = ours.indication == "TOTAL_FAILED" and ours.sub_indication != "FORMAT_FAILURE"
    # DSS tells time-stamps in the order of their kinds.
    stamps = sorted(stamp["imprint_intact"] and stamp["signature_intact"] for stamp in found["timestamps"])
    return (
        (found["indication"] == "TOTAL_FAILED") == broken
        and (found["format"] == "JSON-NOT-ETSI") == (ours.level == "NOT_ETSI")
        and stamps == sorted(stamp.intact is True for stamp in ours.timestamps)
        and (found["claimed_time"] is None) == (ours.signing_time is None)
        and (not found["claimed_time"] or datetime.fromisoformat(found["claimed_time"]) == ours.signing_time)
    )


@pytest.mark.parametrize(
    "name",
    [
        *(f"jades/{name}" for name in sorted(jades_expectations())),
        "edc/2022-json_sealed_advanced.json",
        "edc/2022-json_to_seal-signed-jades-baseline-lta.json",
        "edc/2023-Sample-CertOfPart-signed.jsonld",
        "edc/2023-Sample-MC-Annex1-signed.jsonld",
    ],
)
def test_dss_and_we_agree_on_the_documents_of_others(name: str, found_by_dss: dict[str, dict[str, Any]]) -> None:
    """Signature by signature, counter-signatures and time-stamps included; what DSS cannot read, we refuse."""
    found = found_by_dss[name]
    [report] = _ours([vector(name)])

    if "error" in found:
        assert [("TOTAL_FAILED", "FORMAT_FAILURE")] == [(s.indication, s.sub_indication) for s in report.seals]
    elif report.seals[0].sub_indication == "FORMAT_FAILURE" and report.seals[0].certificate is None:
        # We refuse a payload that is no string; DSS goes on without a payload.
        assert ["SIGNED_DATA_NOT_FOUND"] == [seal["sub_indication"] for seal in found["signatures"]]
    else:
        assert [] == [
            (seal, ours)
            for seal, ours in zip(found["signatures"], report.seals, strict=True)
            if not _agrees(seal, ours)
        ]


@pytest.fixture(scope="module")
def found_by_dss() -> dict[str, dict[str, Any]]:
    """Return what DSS finds in all documents of others, asked once."""
    jades = [f"jades/{name}" for name in jades_expectations()]
    edc = [
        f"edc/{path.name}" for path in sorted(vector("edc").iterdir()) if "sealed" in path.name or "signed" in path.name
    ]
    names = [*jades, *edc]
    return dict(zip(names, dss([vector(name) for name in names]), strict=True))


@pytest.mark.parametrize("no_revocation", [False, True])
def test_time_of_the_verdict_is_the_time_asked_about(tmp_path: Path, no_revocation: bool) -> None:  # noqa: FBT001
    """A certificate that has expired at the time asked about leaves the seal open, to DSS and to us.

    Where revocation is unknown as well, DSS says that first; we say the expiry, which no revocation data would mend.
    """
    sealer = SoftSealer(options={"no_revocation": no_revocation})
    document, anchor = tmp_path / "sealed.jsonld", tmp_path / "ca.pem"
    document.write_bytes(sealer.seal(b"{}"))
    anchor.write_bytes(sealer.ca.pem)
    later = datetime(datetime.now(UTC).year + 3, 1, 1, tzinfo=UTC)

    [found] = dss([document], anchors=[anchor], at=later.isoformat().replace("+00:00", "Z"))
    [report] = verify([VerifyInput(document.read_bytes())], anchors=TrustAnchors([sealer.ca.der]), at=later)

    theirs, expected = (
        ("OUT_OF_BOUNDS_NOT_REVOKED", "OUT_OF_BOUNDS_NOT_REVOKED")
        if no_revocation
        else ("CERTIFICATE_CHAIN_GENERAL_FAILURE", "OUT_OF_BOUNDS_NO_POE")
    )
    assert [theirs] == [seal["sub_indication"] for seal in found["signatures"]]
    assert [("INDETERMINATE", expected)] == [(seal.indication, seal.sub_indication) for seal in report.seals]
