"""Dual control: the awarding body's own signature over its mandate file, beside it as ``<file>.jws``.

The signature is a JWS with detached content (RFC 7515 appendix F): the compact serialisation with its payload left out,
over the file's exact bytes. Its protected header names ``alg`` and ``x5t#S256``, the digest of a certificate that the
register lists for the member, and nothing that changes how it is read. Any JOSE library makes one. The register
is the trust anchor here: no chain is followed, for the alliance has put the certificate there by a reviewed change.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from eseal import sealcore
from eseal.terms import Algorithm

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, tzinfo

    from cryptography import x509

_HEADERS = frozenset({"alg", "x5t#S256", "x5c", "kid", "typ", "cty", "iat"})


class SignatureRefused(Exception):
    """Why a detached signature does not count; the message completes "the signature ..."."""


def verify_detached(
    content: bytes,
    signature: bytes,
    certificates: Sequence[x509.Certificate],
    *,
    signed_on: date | None,
    time_zone: tzinfo = UTC,
) -> x509.Certificate:
    """Return the certificate whose key signed ``content``; SignatureRefused if none of ``certificates`` did.

    ``signed_on`` is the day, in ``time_zone``, on which the certificate must have been valid; the mandate may say none.
    """
    try:
        jws = sealcore.parse_jws(signature.strip())
    except sealcore.InvalidJws as error:
        raise SignatureRefused(f"is not a JWS: {error}") from error
    if jws.serialization != "compact" or jws.payload is not None or len(jws.signatures) != 1:
        raise SignatureRefused("is not one detached JWS in compact serialisation (header..signature)")
    protected = jws.signatures[0]
    header = protected.header.to_python()
    certificate = _certificate(header, certificates)
    public_key = _public_key(certificate)
    (signing_input,) = sealcore.signing_inputs([protected.protected], [content], b64=True)
    if not public_key.verify(_algorithm(header), signing_input, protected.signature):
        raise SignatureRefused("does not verify over the mandate file as it stands; have the file signed again")
    if signed_on and not _valid_on(certificate, signed_on, time_zone):
        raise SignatureRefused(f"was made with a certificate that was not valid on {signed_on}, the day of signing")
    return certificate


def _public_key(certificate: x509.Certificate) -> sealcore.PublicKey:
    try:
        return sealcore.PublicKey(
            certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureRefused(f"names a certificate whose key cannot be used: {error}") from error


def _valid_on(certificate: x509.Certificate, day: date, time_zone: tzinfo) -> bool:
    """Whether the certificate was valid at some moment of the day."""
    begin, end = (datetime.combine(day, moment, time_zone) for moment in (time.min, time.max))
    return certificate.not_valid_before_utc <= end and begin <= certificate.not_valid_after_utc


def _certificate(header: sealcore.JsonValue, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    if not isinstance(header, dict) or not header.keys() <= _HEADERS:
        raise SignatureRefused(f"has a header that is not understood; it may hold {', '.join(sorted(_HEADERS))}")
    for certificate in certificates:
        digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
        if header.get("x5t#S256") == sealcore.base64url_encode(digest):
            return certificate
    raise SignatureRefused("names no certificate (x5t#S256) that the register lists for the awarding body")


def _algorithm(header: sealcore.JsonValue) -> str:
    algorithm = header.get("alg") if isinstance(header, dict) else None
    if algorithm not in tuple(Algorithm):
        raise SignatureRefused(f"has another algorithm than {', '.join(Algorithm)}")
    return str(algorithm)
