"""The verdict on a seal: each way of going wrong, in the words of EN 319 102-1."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from eseal import sealcore
from eseal.jades.header import ClaimedTime
from eseal.jades.reading import read
from eseal.jades.tokens import InvalidToken, read_token
from eseal.trust import practice
from eseal.trust.certificate import read_certificate
from eseal.trust.path import TrustAnchors
from eseal.trust.verdict import SealVerdict, judge
from tests.harness.soft_seal import SoftSealer

NOW = datetime.now(UTC).replace(microsecond=0)
PAYLOAD = b'{"a":1}'
SEALER = SoftSealer()
SHORT_LIVED = SoftSealer(ca=SEALER.ca, options={"no_revocation": True})
ROOT = TrustAnchors([SEALER.root.der])
ISSUING_CA = TrustAnchors([SEALER.ca.der])


def _verdict(document: bytes, anchors: TrustAnchors | None = ROOT, at: datetime | None = None) -> SealVerdict:
    [signature] = read(document).signatures
    verifies = None
    if signature.claimed_certificate and signature.content.signed is not None:
        key = sealcore.PublicKey(read_certificate(signature.claimed_certificate).spki)
        signing_input = signature.protected.encode() + b"." + signature.content.signed
        verifies = key.verify(signature.header.algorithm, signing_input, signature.signature)
    return judge(signature, verifies=verifies, anchors=anchors, at=at or datetime.now(UTC))


def _words(verdict: SealVerdict) -> tuple[str, str, bool]:
    return verdict.indication.value, verdict.sub_indication, verdict.wrong


def _resealed(sealer: SoftSealer, **changes: Any) -> bytes:
    """A seal whose header was changed before it was signed."""
    header = json.loads(sealcore.base64url_decode(sealer.header(NOW))) | changes
    header = {name: value for name, value in header.items() if value is not None}
    protected = sealcore.base64url_encode(json.dumps(header).encode())
    signature = sealer.sign(protected, PAYLOAD)
    return sealcore.assemble_general_many([PAYLOAD], [protected], [signature], None, b64=False)[0]


def test_revocation_that_is_unknown_leaves_it_open() -> None:
    """A sound B-B seal under an anchor is undecided, because nobody knows whether its certificate was revoked."""
    verdict = _verdict(SEALER.seal(PAYLOAD))

    assert ("INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", False) == _words(verdict)
    assert "B-B" == verdict.level
    assert any("revocation could not be checked" in reason for reason in verdict.reasons)


def test_certificate_that_is_never_revoked_passes() -> None:
    """With nothing in the path that could be revoked, the seal is TOTAL_PASSED; with a CA that could be, it is not."""
    assert ("TOTAL_PASSED", "", False) == _words(_verdict(SHORT_LIVED.seal(PAYLOAD), ISSUING_CA))
    assert "CERTIFICATE_CHAIN_GENERAL_FAILURE" == _verdict(SHORT_LIVED.seal(PAYLOAD)).sub_indication


def test_no_anchor_leaves_it_open_and_a_strange_one_is_wrong() -> None:
    """Asked without anchors nothing is wrong; asked with anchors that a chain does not reach, it is."""
    strangers = TrustAnchors([practice.root_ca().der])

    assert ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", False) == _words(_verdict(SEALER.seal(PAYLOAD), None))
    assert ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", True) == _words(_verdict(SEALER.seal(PAYLOAD), strangers))


def test_expiry_without_a_proof_of_time_leaves_it_open() -> None:
    """After the certificate's end a seal without a time-stamp is out of bounds, and open."""
    for sealer, sub_indication in ((SEALER, "OUT_OF_BOUNDS_NO_POE"), (SHORT_LIVED, "OUT_OF_BOUNDS_NOT_REVOKED")):
        verdict = _verdict(sealer.seal(PAYLOAD), ISSUING_CA, NOW + timedelta(days=400))

        assert ("INDETERMINATE", sub_indication, False) == _words(verdict)


def test_seal_from_the_future_is_wrong() -> None:
    """A claimed time after the time of verification is wrong; clocks may differ by a few minutes."""
    sealed = SEALER.seal(PAYLOAD)

    assert ("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE", True) == _words(
        _verdict(sealed, ISSUING_CA, NOW - timedelta(days=400))
    )
    claimed = _verdict(sealed, ISSUING_CA).signing_time
    assert claimed is not None
    assert _verdict(sealed, ISSUING_CA, claimed - timedelta(minutes=6)).wrong
    assert not _verdict(sealed, ISSUING_CA, claimed - timedelta(minutes=4)).wrong


def test_forger_is_no_less_wrong_for_having_expired() -> None:
    """Who is trusted comes before when: an expired certificate under an unknown CA is wrong, not open."""
    forger = SoftSealer(options={"no_revocation": True})
    verdict = _verdict(forger.seal(PAYLOAD), ISSUING_CA, NOW + timedelta(days=400))

    assert ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", True) == _words(verdict)


def test_changed_payload_fails() -> None:
    """A seal over other bytes is TOTAL_FAILED, whatever else could not be decided."""
    sealed = SEALER.seal(PAYLOAD).replace(b"1}", b"2}", 1)

    for anchors in (None, ROOT):
        assert ("TOTAL_FAILED", "SIG_CRYPTO_FAILURE", True) == _words(_verdict(sealed, anchors))


@pytest.mark.parametrize(
    ("sub_indication", "level", "changes"),
    [
        ("NO_SIGNING_CERTIFICATE_FOUND", "NOT_ETSI", {"x5t#S256": None}),
        ("NO_SIGNING_CERTIFICATE_FOUND", "B-B", {"x5t#S256": sealcore.base64url_encode(bytes(32))}),
        ("NO_SIGNING_CERTIFICATE_FOUND", "B-B", {"x5c": None}),
        ("SIG_CONSTRAINTS_FAILURE", "NOT_ETSI", {"iat": None}),
        ("SIG_CONSTRAINTS_FAILURE", "NOT_ETSI", {"crit": ["b64", "nbf"], "nbf": 1}),
        ("SIG_CONSTRAINTS_FAILURE", "B-B", {"iat": int(NOW.timestamp()) - 86_400_000}),
    ],
)
def test_broken_header_is_wrong(sub_indication: str, level: str, changes: dict[str, Any]) -> None:
    """A header that breaks the baseline is wrong, though its signature verifies."""
    verdict = _verdict(_resealed(SHORT_LIVED, **changes), ISSUING_CA)

    assert ("INDETERMINATE", sub_indication, True) == _words(verdict)
    assert level == verdict.level


def test_late_sigt_costs_the_level_alone() -> None:
    """SigT after its end passes as DSS lets it pass, but is no ETSI JAdES any more, and the reasons say so."""
    verdict = _verdict(SHORT_LIVED.seal(PAYLOAD, claimed_time=ClaimedTime.SIGT), ISSUING_CA)

    assert ("TOTAL_PASSED", "", False) == _words(verdict)
    assert "NOT_ETSI" == verdict.level
    assert any("sigT" in reason for reason in verdict.reasons)


def test_key_of_a_ca_may_not_seal() -> None:
    """A seal by a key whose usage does not allow it is wrong."""
    caller = practice.issuing_ca(SEALER.root)
    sealer = SoftSealer(ca=SEALER.ca)
    sealer.private_key, sealer.certificate = caller.key, caller
    verdict = _verdict(sealer.seal(PAYLOAD), TrustAnchors([caller.der]))

    assert ("INDETERMINATE", "CHAIN_CONSTRAINTS_FAILURE", True) == _words(verdict)


def _token(authority: practice.Issued, data: bytes, time: datetime, *, purpose: str = "tst_info") -> bytes:
    """A time-stamp token as a time-stamp authority would make it."""
    info = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": "1.2.3.4",
            "message_imprint": {
                "hash_algorithm": {"algorithm": "sha256"},
                "hashed_message": hashlib.sha256(data).digest(),
            },
            "serial_number": 1,
            "gen_time": time,
        }
    ).dump()
    certificate = asn1_x509.Certificate.load(authority.der)
    bound = tsp.ESSCertIDv2(
        {"hash_algorithm": {"algorithm": "sha256"}, "cert_hash": hashlib.sha256(authority.der).digest()}
    )
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": [purpose]},
            {"type": "message_digest", "values": [hashlib.sha256(info).digest()]},
            {"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": [bound]})]},
        ]
    )
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            "issuer_and_serial_number",
            {"issuer": certificate.issuer, "serial_number": certificate.serial_number},
        ),
        "digest_algorithm": {"algorithm": "sha256"},
        "signed_attrs": attributes,
        "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
        "signature": authority.key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
    }
    signed = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(info)},
            "certificates": [certificate],
            "signer_infos": [signer],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()


def _stamped(sealer: SoftSealer, token: bytes) -> bytes:
    """The same seal with a signature time-stamp in its unprotected header."""
    element = {"sigTst": {"tstTokens": [{"val": base64.b64encode(token).decode()}]}}
    return sealer.seal(PAYLOAD, etsi_u=[sealcore.base64url_encode(json.dumps(element).encode())])


def _sealed_and_stamped(authority: practice.Issued, time: datetime, **options: Any) -> bytes:
    protected = SHORT_LIVED.header(NOW)
    signature = SHORT_LIVED.sign(protected, PAYLOAD)
    token = _token(authority, sealcore.base64url_encode(signature).encode(), time, **options)
    element = {"sigTst": {"tstTokens": [{"val": base64.b64encode(token).decode()}]}}
    etsi_u = [[sealcore.base64url_encode(json.dumps(element).encode())]]
    return sealcore.assemble_general_many([PAYLOAD], [protected], [signature], etsi_u, b64=False)[0]


AUTHORITY = practice.tsa_certificate(SEALER.ca)


def test_timestamp_of_an_unknown_authority_proves_nothing() -> None:
    """A sound token whose authority could be revoked is intact, undecided, and moves no time."""
    verdict = _verdict(_sealed_and_stamped(AUTHORITY, NOW), ISSUING_CA)
    [stamp] = verdict.timestamps

    assert ("B-T", None) == (verdict.level, verdict.best_signature_time)
    assert (True, "INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", NOW) == (
        stamp.intact,
        stamp.indication.value,
        stamp.sub_indication,
        stamp.time,
    )
    assert "eseal practice TSA" == stamp.authority


def test_trusted_timestamp_proves_its_time() -> None:
    """With the authority itself an anchor the time is proven, and outlives the seal certificate."""
    anchors = TrustAnchors([SEALER.ca.der, AUTHORITY.der])
    verdict = _verdict(_sealed_and_stamped(AUTHORITY, NOW), anchors, NOW + timedelta(days=4000))

    assert ("TOTAL_PASSED", "", False) == _words(verdict)
    assert NOW == verdict.best_signature_time


@pytest.mark.parametrize(
    ("sub_indication", "document"),
    [
        ("HASH_FAILURE", lambda: _stamped(SHORT_LIVED, _token(AUTHORITY, b"something else", NOW))),
        ("FORMAT_FAILURE", lambda: _sealed_and_stamped(AUTHORITY, NOW, purpose="data")),
        ("FORMAT_FAILURE", lambda: _sealed_and_stamped(AUTHORITY, NOW + timedelta(days=4000))),
        ("FORMAT_FAILURE", lambda: _stamped(SHORT_LIVED, b"no token")),
    ],
)
def test_broken_timestamp_makes_the_seal_wrong(sub_indication: str, document: Any) -> None:
    """A time-stamp over other bytes, of the wrong kind or out of its authority's time is wrong, not merely useless."""
    verdict = _verdict(document(), ISSUING_CA)

    assert [("FAILED", sub_indication)] == [(s.indication.value, s.sub_indication) for s in verdict.timestamps]
    assert verdict.wrong


def test_certificate_for_something_else_makes_no_timestamps() -> None:
    """A token signed by a certificate that is not for time-stamping is no token."""
    server = practice.server_certificate(SEALER.ca)
    [stamp] = _verdict(_sealed_and_stamped(server, NOW), ISSUING_CA).timestamps

    assert ("FAILED", False) == (stamp.indication.value, stamp.intact)
    assert "time-stamping" in stamp.reason


def test_every_changed_bit_that_a_token_signs_is_noticed() -> None:
    """Damage in what the token says, in its signed attributes or in its signature never leaves it intact."""
    token = _token(AUTHORITY, b"x", NOW)
    [signer] = cms.ContentInfo.load(token)["content"]["signer_infos"]
    content = bytes(cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"])
    for part in (content, signer["signed_attrs"].contents, signer["signature"].contents):
        start = token.index(part)
        for bit in range(len(part) * 8):
            damaged = bytearray(token)
            damaged[start + bit // 8] ^= 1 << (bit % 8)
            with pytest.raises(InvalidToken):
                read_token(bytes(damaged))
