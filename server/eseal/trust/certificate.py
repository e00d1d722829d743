"""What a certificate says: whom it names, what its key may be used for, when it is valid, what it claims to be.

Reading is cached by the certificate's bytes: a batch of seals shows the same few certificates over and over, and
parsing one costs more than verifying a signature with it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from asn1crypto import core
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from eseal.errors import InvalidInput
from eseal.terms import LegalEntity
from eseal.trust import oids

if TYPE_CHECKING:
    from datetime import datetime

# What cryptography raises for certificates that are broken somewhere, or hold a key of no known kind.
MALFORMED = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, slots=True)
class QcStatements:
    """What the qcStatements extension claims (EN 319 412-5); a claim, until a trusted list agrees.

    ``types`` holds ``eseal``, ``esign`` and ``web``; ``other_legislation`` says that the certificate is qualified
    under the law of a country outside the EU.
    """

    compliance: bool = False
    sscd: bool = False
    types: frozenset[str] = frozenset()
    other_legislation: bool = False


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, read. ``spki`` is its SubjectPublicKeyInfo, DER; ``key_usage`` is None where it has none.

    ``never_revoked`` says that its issuer promises no revocation information, because it lives too shortly for that.
    """

    der: bytes
    subject: LegalEntity
    spki: bytes
    not_before: datetime
    not_after: datetime
    key_usage: frozenset[str] | None
    qc_statements: QcStatements
    never_revoked: bool
    fingerprint: str

    @property
    def may_seal(self) -> bool:
        """Whether its key may be used for seals: contentCommitment, or digitalSignature as older ones have it."""
        return self.key_usage is None or bool(self.key_usage & {"content_commitment", "digital_signature"})

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether ``moment`` is within its validity."""
        return self.not_before <= moment <= self.not_after


def legal_entity(der: bytes) -> LegalEntity:
    """Return whom the certificate names. Raise InvalidInput for what is not a certificate."""
    return read_certificate(der).subject


@lru_cache(maxsize=4096)
def read_certificate(der: bytes) -> Certificate:
    """Read a DER certificate. Raise InvalidInput for what is not one."""
    try:
        return _read(der)
    except MALFORMED as error:
        raise InvalidInput("NOT_A_CERTIFICATE", "The bytes are not an X.509 certificate.") from error


def _read(der: bytes) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    extensions = certificate.extensions
    present = {extension.oid for extension in extensions}
    return Certificate(
        der=der,
        subject=_legal_entity(certificate.subject),
        spki=certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key_usage=_key_usage(extensions),
        qc_statements=_qc_statements(extensions),
        never_revoked=bool(present & {oids.NO_REV_AVAIL, oids.VALIDITY_ASSURED_SHORT_TERM}),
        fingerprint=hashlib.sha256(der).hexdigest(),
    )


def _legal_entity(subject: x509.Name) -> LegalEntity:
    def value(oid: x509.ObjectIdentifier) -> str:
        values = subject.get_attributes_for_oid(oid)
        return str(values[0].value) if values else ""

    return LegalEntity(
        legal_name=value(NameOID.ORGANIZATION_NAME),
        common_name=value(NameOID.COMMON_NAME),
        organization_identifier=value(NameOID.ORGANIZATION_IDENTIFIER),
        country=value(NameOID.COUNTRY_NAME),
    )


def _key_usage(extensions: x509.Extensions) -> frozenset[str] | None:
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None
    names = ("digital_signature", "content_commitment", "key_cert_sign", "crl_sign", "key_encipherment")
    return frozenset(name for name in names if getattr(usage, name))


class _QcStatement(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    _fields = [("statement_id", core.ObjectIdentifier), ("statement_info", core.Any, {"optional": True})]  # noqa: RUF012


class _QcStatements(core.SequenceOf):  # type: ignore[misc]
    _child_spec = _QcStatement


class _QcTypes(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.ObjectIdentifier


_QC_TYPES = {
    oids.QC_TYPE_ESEAL.dotted_string: "eseal",
    oids.QC_TYPE_ESIGN.dotted_string: "esign",
    oids.QC_TYPE_WEB.dotted_string: "web",
}


def _qc_statements(extensions: x509.Extensions) -> QcStatements:
    try:
        extension = extensions.get_extension_for_oid(oids.ID_QC_STATEMENTS).value
    except x509.ExtensionNotFound:
        return QcStatements()
    der = extension.value if isinstance(extension, x509.UnrecognizedExtension) else extension.public_bytes()
    statements = {
        statement["statement_id"].native: statement["statement_info"]
        for statement in _QcStatements.load(der, strict=True)
    }
    types = statements.get(oids.QC_TYPE.dotted_string)
    named = types.parse(_QcTypes).native if isinstance(types, core.Any) else ()
    return QcStatements(
        compliance=oids.QC_COMPLIANCE.dotted_string in statements,
        sscd=oids.QC_SSCD.dotted_string in statements,
        types=frozenset(_QC_TYPES[oid] for oid in named if oid in _QC_TYPES),
        other_legislation=oids.QC_CC_LEGISLATION.dotted_string in statements,
    )
