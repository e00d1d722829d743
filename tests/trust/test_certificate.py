"""What certificates say, and where anchors come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from eseal.errors import InvalidInput, SetupError
from eseal.terms import LegalEntity
from eseal.trust import practice
from eseal.trust.anchors import read_anchors
from eseal.trust.certificate import QcStatements, legal_entity, read_certificate

if TYPE_CHECKING:
    from pathlib import Path

CA = practice.issuing_ca(practice.root_ca())
PUBLIC_KEY = ec.generate_private_key(ec.SECP256R1()).public_key()


def test_seal_certificate_is_read_whole() -> None:
    """Subject, key usage, qcStatements and validity come out as they were put in."""
    certificate = read_certificate(practice.seal_certificate(CA, PUBLIC_KEY, qscd=True).der)

    assert practice.PRACTICE_SEALER == certificate.subject
    assert QcStatements(compliance=True, sscd=True, types=frozenset({"eseal"})) == certificate.qc_statements
    assert (frozenset({"content_commitment"}), True, False) == (
        certificate.key_usage,
        certificate.may_seal,
        certificate.never_revoked,
    )


def test_comma_in_a_name_is_part_of_the_name() -> None:
    """Names are read attribute by attribute, never by splitting a text at its commas."""
    sealer = LegalEntity("University, Faculty of Law", "Seal, 2026", "VATES-A00000000", "ES")

    assert sealer == legal_entity(practice.seal_certificate(CA, PUBLIC_KEY, sealer=sealer).der)


def test_certificate_that_is_never_revoked_says_so() -> None:
    """The extension noRevAvail is recognised."""
    assert read_certificate(practice.seal_certificate(CA, PUBLIC_KEY, no_revocation=True).der).never_revoked


def test_ca_may_not_seal() -> None:
    """A CA's key usage does not allow seals."""
    assert not read_certificate(CA.der).may_seal


@given(
    st.binary(max_size=100) | st.integers(0, len(CA.der) - 1).map(lambda at: CA.der[:at] + b"\xff" + CA.der[at + 1 :])
)
def test_bytes_that_are_no_certificate_are_refused(data: bytes) -> None:
    """Nothing but InvalidInput comes out of bytes that are no certificate."""
    try:
        read_certificate(data)
    except InvalidInput as refused:
        assert refused.reason == "NOT_A_CERTIFICATE"  # noqa: PT017 - damage in a name or signature still reads


def test_anchors_from_files_and_folders(tmp_path: Path) -> None:
    """A file may hold several anchors, a folder several files; doubles count once."""
    root, other = practice.root_ca(), practice.root_ca()
    (tmp_path / "both.pem").write_bytes(root.pem + other.pem)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "one.crt").write_bytes(root.pem)
    (folder / "readme.txt").write_text("no anchor")

    assert (root.der, other.der) == read_anchors([tmp_path / "both.pem", folder])


def test_anchors_that_are_none_are_refused(tmp_path: Path) -> None:
    """A file without a certificate, an empty folder and a missing file are named."""
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "key.pem").write_bytes(CA.key_pem)
    for path in (tmp_path / "key.pem", empty, tmp_path / "missing.pem"):
        with pytest.raises(SetupError, match=path.name):
            read_anchors([path])
