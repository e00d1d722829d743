"""The practice PKI is shaped like the real one."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from eseal.trust import practice

if TYPE_CHECKING:
    from pathlib import Path

SERVICES = practice.Services(ocsp="http://127.0.0.1:1/ocsp", ca_issuers="http://127.0.0.1:1/ca.crt")


@pytest.fixture(scope="module")
def ca() -> practice.Issued:
    """Return an issuing CA under a root."""
    return practice.issuing_ca(practice.root_ca(), services=SERVICES)


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-3072"])
def test_seal_certificate_names_the_legal_person(ca: practice.Issued, kind: str) -> None:
    """The seal certificate has C, O, CN, organizationIdentifier, critical contentCommitment, SKI, AKI and AIA."""
    key = {
        "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "RSA-3072": lambda: rsa.generate_private_key(65537, 3072),
    }[kind]()
    seal = practice.seal_certificate(ca, key.public_key(), services=SERVICES)

    extensions = seal.certificate.extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    values = {attribute.rfc4514_attribute_name: attribute.value for attribute in seal.certificate.subject}

    assert {
        "C": "NL",
        "O": "Stichting European Consortium of Innovative Universities",
        "2.5.4.97": "NTRNL-08164880",
        "CN": "ECIU practice seal",
    } == values
    assert (True, True, False) == (usage.critical, usage.value.content_commitment, usage.value.digital_signature)
    assert extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert 2 == len(extensions.get_extension_for_class(x509.AuthorityInformationAccess).value)
    assert (seal.der, ca.der) == seal.seal_chain


def test_openssl_builds_every_chain(ca: practice.Issued, tmp_path: Path) -> None:
    """OpenSSL, which we did not write, finds a path to the root for each kind of certificate, for its purpose."""
    root = ca.chain[-1]
    kinds = {
        "any": practice.seal_certificate(ca, ec.generate_private_key(ec.SECP256R1()).public_key()),
        "timestampsign": practice.tsa_certificate(ca),
        "ocsphelper": practice.ocsp_responder_certificate(ca),
        "sslserver": practice.server_certificate(ca),
        "sslclient": practice.client_certificate(ca, "urn:eseal:caller:dcu"),
    }
    (tmp_path / "root.pem").write_bytes(root.pem)
    (tmp_path / "ca.pem").write_bytes(ca.pem)
    for purpose, issued in kinds.items():
        (tmp_path / "leaf.pem").write_bytes(issued.pem)
        command = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", "root.pem"]
        done = subprocess.run(
            [*command, "-untrusted", "ca.pem", "leaf.pem"], cwd=tmp_path, capture_output=True, text=True, check=False
        )

        assert "leaf.pem: OK\n" == done.stdout, (purpose, done.stderr)


def test_caller_is_in_the_uri_san(ca: practice.Issued) -> None:
    """A client certificate carries its caller as the only subjectAltName, a URI."""
    issued = practice.client_certificate(ca, "urn:eseal:caller:dcu")

    san = issued.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert ["urn:eseal:caller:dcu"] == san.get_values_for_type(x509.UniformResourceIdentifier)
    assert issued.key_pem.startswith(b"-----BEGIN PRIVATE KEY-----")


def test_no_key_leaves_where_none_was_made(ca: practice.Issued) -> None:
    """A seal certificate over a token's key has no private key to hand out."""
    seal = practice.seal_certificate(ca, ec.generate_private_key(ec.SECP256R1()).public_key())

    with pytest.raises(ValueError, match="was not made here"):
        _ = seal.key_pem
