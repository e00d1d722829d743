"""Certificate paths: found, validated at a time, bounded in work, kept."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from eseal.trust import practice
from eseal.trust.path import TrustAnchors

if TYPE_CHECKING:
    from pathlib import Path

# Later than any certificate that a test makes, however long the others took.
NOW = datetime.now(UTC) + timedelta(hours=1)
ROOT = practice.root_ca()
CA = practice.issuing_ca(ROOT)
PUBLIC_KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
SEAL = practice.seal_certificate(CA, PUBLIC_KEY)


@pytest.fixture
def anchors() -> TrustAnchors:
    """Return the practice root as the only anchor."""
    return TrustAnchors([ROOT.der])


def test_path_over_the_issuing_ca(anchors: TrustAnchors) -> None:
    """The path runs leaf, issuing CA, anchor; all but the anchor could be revoked."""
    path = anchors.path(SEAL.der, [CA.der], NOW)

    assert "" == path.sub_indication
    assert [SEAL.der, CA.der, ROOT.der] == [certificate.der for certificate in path.certificates]
    assert 2 == len(path.to_be_revoked)


def test_issuing_ca_may_be_the_anchor() -> None:
    """Trusted lists name issuing CAs, so a path may end below the root; the leaf itself may be trusted too."""
    assert 2 == len(TrustAnchors([CA.der]).path(SEAL.der, [], NOW).certificates)
    assert 1 == len(TrustAnchors([SEAL.der]).path(SEAL.der, [], NOW).certificates)


@pytest.mark.parametrize("others", [[], [practice.issuing_ca(practice.root_ca()).der], [b"not a certificate"]])
def test_no_path_without_the_right_issuer(anchors: TrustAnchors, others: list[bytes]) -> None:
    """A missing issuer, a namesake with another key, or rubbish make no path."""
    path = anchors.path(SEAL.der, others, NOW)

    assert ("NO_CERTIFICATE_CHAIN_FOUND", ()) == (path.sub_indication, path.certificates)


def test_forgers_namesake_root_is_no_anchor(anchors: TrustAnchors) -> None:
    """A root of the same name, sent along by a forger, anchors nothing."""
    forged_root = practice.root_ca()
    forged_ca = practice.issuing_ca(forged_root)
    forged = practice.seal_certificate(forged_ca, PUBLIC_KEY)

    path = anchors.path(forged.der, [forged_ca.der, forged_root.der, CA.der], NOW)

    assert "NO_CERTIFICATE_CHAIN_FOUND" == path.sub_indication


def test_seal_certificate_cannot_issue(anchors: TrustAnchors) -> None:
    """A leaf that signs another certificate breaks RFC 5280, however sound the signatures are."""
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = practice.seal_certificate(CA, key.public_key())
    child = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "child")]))
        .issuer_name(leaf.certificate.subject)
        .public_key(PUBLIC_KEY)
        .serial_number(1)
        .not_valid_before(NOW - timedelta(1))
        .not_valid_after(NOW + timedelta(1))
        .sign(key, hashes.SHA256())
    )

    path = anchors.path(child.public_bytes(Encoding.DER), [leaf.der, CA.der], NOW)

    assert "CHAIN_CONSTRAINTS_FAILURE" == path.sub_indication


def test_expired_issuer_is_out_of_bounds(anchors: TrustAnchors) -> None:
    """A path over a CA that has expired at the moment asked about is out of bounds, and was fine before."""
    short = practice.Lifetime(NOW - timedelta(days=10), NOW - timedelta(days=1))
    old_ca = practice.issuing_ca(ROOT, lifetime=short)
    leaf = practice.seal_certificate(old_ca, PUBLIC_KEY, lifetime=practice.Lifetime(NOW - timedelta(days=9)))
    root_as_anchor = TrustAnchors([practice.root_ca().der, ROOT.der])

    assert "OUT_OF_BOUNDS_NO_POE" == root_as_anchor.path(leaf.der, [old_ca.der], NOW).sub_indication
    assert "OUT_OF_BOUNDS_NO_POE" == anchors.path(leaf.der, [old_ca.der], NOW).sub_indication


def test_found_path_is_kept(anchors: TrustAnchors) -> None:
    """The same chain at another moment of its validity is the same answer, without work."""
    first = anchors.path(SEAL.der, [CA.der], NOW)

    assert first is anchors.path(SEAL.der, [CA.der], NOW + timedelta(days=1))
    assert first is not anchors.path(SEAL.der, [CA.der], NOW + timedelta(days=4000))


def test_heap_of_namesakes_costs_little(anchors: TrustAnchors) -> None:
    """A hostile heap of CAs that all could have issued one another ends soon, without a path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "echo")])
    heap = [
        x509.CertificateBuilder(name, name, key.public_key(), number, NOW - timedelta(1), NOW + timedelta(1))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
        for number in range(1, 40)
    ]
    started = time.perf_counter()

    path = anchors.path(heap[0], heap[1:], NOW)

    assert "NO_CERTIFICATE_CHAIN_FOUND" == path.sub_indication
    assert time.perf_counter() - started < 2


def test_openssl_agrees(tmp_path: Path) -> None:
    """OpenSSL finds the same paths valid and invalid as we do."""
    forged_ca = practice.issuing_ca(practice.root_ca())
    anchors = TrustAnchors([ROOT.der])
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    for ca, expected in ((CA, True), (forged_ca, False)):
        leaf = practice.seal_certificate(ca, PUBLIC_KEY)
        (tmp_path / "ca.pem").write_bytes(ca.pem)
        (tmp_path / "leaf.pem").write_bytes(leaf.pem)
        command = ["openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "ca.pem", "leaf.pem"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

        assert expected == (done.returncode == 0)
        assert expected == (not anchors.path(leaf.der, [ca.der], NOW).sub_indication)
