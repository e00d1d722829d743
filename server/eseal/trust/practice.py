"""A practice PKI: certificates shaped like the real ones, from authorities that nobody trusts.

Development and tests need a seal certificate over the key in their own token, and around it what a qualified trust
service provider would run: a root, an issuing CA, a time-stamp authority, an OCSP responder, and the TLS certificates
of server and callers. Each function makes one of them and hands back an ``Issued``; a chain is an ``Issued`` whose
issuer is another. The names say "practice", so that no one mistakes a practice seal for a qualified one.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from eseal.terms import LegalEntity
from eseal.trust.oids import ID_QC_STATEMENTS, NO_REV_AVAIL, QC_COMPLIANCE, QC_SSCD, QC_TYPE, QC_TYPE_ESEAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

PRACTICE_SEALER = LegalEntity(
    legal_name="Stichting European Consortium of Innovative Universities",
    common_name="ECIU practice seal",
    organization_identifier="NTRNL-08164880",
    country="NL",
)
"""The sealer of the demo: the legal person behind the ECIU alliance, by its Dutch trade register number."""

# A clock that is a little slow must not find its own fresh certificates "not yet valid".
_BACKDATED = timedelta(minutes=10)
_NO_KEY_USAGE = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


@dataclass(frozen=True)
class Issued:
    """A certificate, who issued it (None: self-signed) and its private key where that was made here."""

    certificate: x509.Certificate
    issuer: Issued | None = None
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = field(default=None, repr=False)

    @cached_property
    def der(self) -> bytes:
        """The certificate, DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @cached_property
    def pem(self) -> bytes:
        """The certificate, PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def chain(self) -> tuple[Issued, ...]:
        """From this certificate to the root, both included."""
        return (self, *(self.issuer.chain if self.issuer else ()))

    @property
    def seal_chain(self) -> tuple[bytes, ...]:
        """DER, leaf first, without the self-signed root: what ``terms.SealKey.chain`` and ``x5c`` hold."""
        return tuple(link.der for link in self.chain if link.issuer)

    @property
    def chain_pem(self) -> bytes:
        """PEM, leaf first, without the self-signed root."""
        return b"".join(link.pem for link in self.chain if link.issuer)

    @property
    def key_pem(self) -> bytes:
        """The private key as unencrypted PKCS#8 PEM; for practice only. ValueError where the key lives elsewhere."""
        if self.key is None:
            raise ValueError("The private key of this certificate was not made here.")
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a certificate is valid; from a little before now, for a year, unless said otherwise."""

    not_before: datetime = field(default_factory=lambda: datetime.now(UTC) - _BACKDATED)
    not_after: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(days=365))


@dataclass(frozen=True, slots=True)
class Services:
    """Where the issuing CA answers (Authority Information Access, RFC 5280 section 4.2.2.1); empty leaves it out."""

    ocsp: str = ""
    ca_issuers: str = ""


def root_ca(*, name: str = "eseal practice root CA", lifetime: Lifetime | None = None) -> Issued:
    """Make a self-signed root: the trust anchor of everything practised here."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _person_of_law(name)
    builder = _builder(subject, key.public_key(), subject, lifetime)
    builder = _as_authority(builder, path_length=1)
    return Issued(builder.sign(key, hashes.SHA256()), None, key)


def issuing_ca(
    root: Issued,
    *,
    name: str = "eseal practice issuing CA",
    services: Services | None = None,
    lifetime: Lifetime | None = None,
) -> Issued:
    """Make a CA under ``root`` that issues the certificates below; ``services`` are those of the root."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _as_authority(_issued_by(root, _person_of_law(name), key.public_key(), lifetime), path_length=0)
    return _sign(_with_services(builder, services), root, key)


def seal_certificate(
    ca: Issued,
    public_key: CertificatePublicKeyTypes,
    *,
    sealer: LegalEntity = PRACTICE_SEALER,
    services: Services | None = None,
    lifetime: Lifetime | None = None,
    qscd: bool = False,
    no_revocation: bool = False,
) -> Issued:
    """Certify a legal person's seal key (EN 319 412-3), which stays where it is, such as in a token.

    Key usage is contentCommitment alone, critical. qcStatements (EN 319 412-5) are QcCompliance and QcType eSeal, so
    that software which reads them has something to read; ``qscd`` adds QcSSCD. ``no_revocation`` adds noRevAvail
    (RFC 9608): a certificate so short-lived that it is never revoked.
    """
    builder = _issued_by(ca, _entity_name(sealer), public_key, lifetime)
    builder = _with_usage(builder, content_commitment=True)
    builder = builder.add_extension(
        x509.UnrecognizedExtension(ID_QC_STATEMENTS, _qc_statements(qscd=qscd)), critical=False
    )
    if no_revocation:
        services = Services(ca_issuers=services.ca_issuers) if services else None
        builder = builder.add_extension(x509.UnrecognizedExtension(NO_REV_AVAIL, core.Null().dump()), critical=False)
    return _sign(_with_services(builder, services), ca)


def tsa_certificate(
    ca: Issued,
    *,
    name: str = "eseal practice TSA",
    services: Services | None = None,
    lifetime: Lifetime | None = None,
) -> Issued:
    """Certify a time-stamp authority: extended key usage timeStamping alone, critical (RFC 3161 section 2.3)."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _with_usage(_issued_by(ca, _person_of_law(name), key.public_key(), lifetime), digital_signature=True)
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    return _sign(_with_services(builder.add_extension(purposes, critical=True), services), ca, key)


def ocsp_responder_certificate(
    ca: Issued, *, name: str = "eseal practice OCSP responder", lifetime: Lifetime | None = None
) -> Issued:
    """Certify a responder that ``ca`` delegates to, itself exempt from revocation checks (RFC 6960 section 4.2.2.2)."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _with_usage(_issued_by(ca, _person_of_law(name), key.public_key(), lifetime), digital_signature=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
    return _sign(builder.add_extension(x509.OCSPNoCheck(), critical=False), ca, key)


def server_certificate(
    ca: Issued,
    *,
    hosts: Sequence[str] = ("localhost", "127.0.0.1", "::1"),
    lifetime: Lifetime | None = None,
) -> Issued:
    """Certify the service for TLS, under ``hosts`` (names and IP addresses)."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _with_usage(_issued_by(ca, _person_of_law(hosts[0]), key.public_key(), lifetime), digital_signature=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return _sign(builder.add_extension(x509.SubjectAlternativeName([_host(h) for h in hosts]), critical=False), ca, key)


def client_certificate(ca: Issued, uri: str, *, name: str = "", lifetime: Lifetime | None = None) -> Issued:
    """Certify a caller for TLS, who is known by ``uri`` in its subjectAltName (RFC 5280 section 4.2.1.6)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _person_of_law(name or "practice caller")
    builder = _with_usage(_issued_by(ca, subject, key.public_key(), lifetime), digital_signature=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    san = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
    return _sign(builder.add_extension(san, critical=False), ca, key)


def _person_of_law(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "NL"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "eseal practice"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _entity_name(entity: LegalEntity) -> x509.Name:
    attributes = (
        (NameOID.COUNTRY_NAME, entity.country),
        (NameOID.ORGANIZATION_NAME, entity.legal_name),
        (NameOID.ORGANIZATION_IDENTIFIER, entity.organization_identifier),
        (NameOID.COMMON_NAME, entity.common_name),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes if value])


def _builder(
    subject: x509.Name, public_key: CertificatePublicKeyTypes, issuer: x509.Name, lifetime: Lifetime | None
) -> x509.CertificateBuilder:
    lifetime = lifetime or Lifetime()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(lifetime.not_before)
        .not_valid_after(lifetime.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _issued_by(
    ca: Issued, subject: x509.Name, public_key: CertificatePublicKeyTypes, lifetime: Lifetime | None
) -> x509.CertificateBuilder:
    key_identifier = ca.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_identifier)
    builder = _builder(subject, public_key, ca.certificate.subject, lifetime)
    return builder.add_extension(authority, critical=False)


def _as_authority(builder: x509.CertificateBuilder, path_length: int) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    return builder.add_extension(
        x509.KeyUsage(**_NO_KEY_USAGE | {"key_cert_sign": True, "crl_sign": True}), critical=True
    )


def _with_usage(builder: x509.CertificateBuilder, **usages: bool) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return builder.add_extension(x509.KeyUsage(**_NO_KEY_USAGE | usages), critical=True)


def _with_services(builder: x509.CertificateBuilder, services: Services | None) -> x509.CertificateBuilder:
    if services is None or not (services.ocsp or services.ca_issuers):
        return builder
    methods = (
        (AuthorityInformationAccessOID.OCSP, services.ocsp),
        (AuthorityInformationAccessOID.CA_ISSUERS, services.ca_issuers),
    )
    access = [x509.AccessDescription(oid, x509.UniformResourceIdentifier(url)) for oid, url in methods if url]
    return builder.add_extension(x509.AuthorityInformationAccess(access), critical=False)


def _sign(builder: x509.CertificateBuilder, ca: Issued, key: ec.EllipticCurvePrivateKey | None = None) -> Issued:
    if ca.key is None:
        raise ValueError("A CA whose private key is not at hand cannot issue.")
    return Issued(builder.sign(ca.key, hashes.SHA256()), ca, key)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class _QcStatement(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """QCStatement of RFC 3739 section 3.2.6."""

    _fields = [("statement_id", core.ObjectIdentifier), ("statement_info", core.Any, {"optional": True})]  # noqa: RUF012


class _QcStatements(core.SequenceOf):  # type: ignore[misc]
    _child_spec = _QcStatement


class _QcTypes(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.ObjectIdentifier


def _qc_statements(*, qscd: bool) -> bytes:
    statements: list[dict[str, object]] = [{"statement_id": QC_COMPLIANCE.dotted_string}]
    if qscd:
        statements.append({"statement_id": QC_SSCD.dotted_string})
    types = core.Any(_QcTypes([QC_TYPE_ESEAL.dotted_string]))
    statements.append({"statement_id": QC_TYPE.dotted_string, "statement_info": types})
    der: bytes = _QcStatements(statements).dump()
    return der
