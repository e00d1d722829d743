"""A certificate request (PKCS#10, RFC 2986) for a key in the token, signed there.

``cryptography`` builds and encodes the request; it asks a private key object for the signature, and the one here asks
the token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Attribute, ObjectClass

from eseal.errors import SetupError
from eseal.hsm.algorithms import token_input
from eseal.hsm.connection import errand
from eseal.hsm.inventory import kind_of
from eseal.hsm.keys import spki_of
from eseal.terms import Algorithm

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs11 import PrivateKey, Session

    from eseal.hsm.settings import HsmSettings
    from eseal.terms import LegalEntity


def request_certificate(settings: HsmSettings, label: str, subject: LegalEntity) -> x509.CertificateSigningRequest:
    """Make the request for a seal certificate over the key under ``label`` (EN 319 412-3 section 4.2.1 for the subject).

    Key usage asks for nonRepudiation alone, as EN 319 412-2 section 4.3.2 recommends for a key that seals. SetupError
    KEY_NOT_FOUND where there is not exactly one such key with its public key beside it, KEY_CANNOT_SEAL where no algorithm
    of ours is its, HSM_NOT_WORKING where the token fails.
    """
    request = _request(subject)
    with errand(settings, _not_signed) as connection, connection.reading() as session:
        private, spki = _pair(session, label)
        key, digest = _signer(private, spki)
        return request.sign(key, digest)


def _not_signed(cause: str) -> SetupError:
    return SetupError("HSM_NOT_WORKING", f"The token did not sign the request: {cause}.")


def _request(subject: LegalEntity) -> x509.CertificateSigningRequestBuilder:
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COUNTRY_NAME, subject.country),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, subject.legal_name),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_IDENTIFIER, subject.organization_identifier),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, subject.common_name),
        ]
    )
    usage = x509.KeyUsage(
        content_commitment=True,
        digital_signature=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return x509.CertificateSigningRequestBuilder().subject_name(name).add_extension(usage, critical=True)


def _pair(session: Session, label: str) -> tuple[PrivateKey, bytes]:
    privates = list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: label}))
    publics = list(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.LABEL: label}))
    if len(privates) != 1 or len(publics) != 1:
        raise SetupError(
            "KEY_NOT_FOUND",
            f"A request needs one private key with the label '{label}' and its public key beside it; the token holds "
            f"{len(privates)} and {len(publics)}. `eseal hsm list` shows what it holds; `eseal hsm generate-key --label "
            f"{label}` makes a pair.",
        )
    kind, algorithms = kind_of(privates[0])
    if not algorithms:
        raise SetupError(
            "KEY_CANNOT_SEAL",
            f"The key '{label}' is {kind}, with which nothing can be sealed: ES256 needs P-256, ES384 P-384, PS256 and RS256 an "
            "RSA key of 2048 bits or more. `eseal hsm generate-key` makes one.",
        )
    try:
        return privates[0], spki_of(publics[0])
    except ValueError as error:
        raise SetupError("KEY_CANNOT_SEAL", f"The public key beside the key '{label}' is not its own.") from error


def _signer(private: PrivateKey, spki: bytes) -> tuple[TokenEcKey | TokenRsaKey, hashes.SHA256 | hashes.SHA384]:
    public_key = load_der_public_key(spki)
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        digest = hashes.SHA384() if isinstance(public_key.curve, ec.SECP384R1) else hashes.SHA256()
        return TokenEcKey(private, public_key), digest
    if isinstance(public_key, rsa.RSAPublicKey):
        return TokenRsaKey(private, public_key), hashes.SHA256()
    raise SetupError("KEY_CANNOT_SEAL", "The key is neither EC nor RSA, so it cannot seal.")


def _digest_of(data: bytes | bytearray | memoryview, algorithm: hashes.HashAlgorithm) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _stays(*_: object, **__: object) -> NoReturn:
    message = "the private key stays in the token"
    raise NotImplementedError(message)


class TokenEcKey(ec.EllipticCurvePrivateKey):
    """An EC private key in the token, as ``cryptography`` asks it for a signature."""

    def __init__(self, private: PrivateKey, public_key: ec.EllipticCurvePublicKey) -> None:
        self._private = private
        self._public_key = public_key

    def sign(
        self, data: bytes | bytearray | memoryview, signature_algorithm: ec.EllipticCurveSignatureAlgorithm
    ) -> bytes:
        """Sign the digest of ``data``; DER (RFC 3279 section 2.2.3)."""
        digest = _digest_of(data, signature_algorithm.algorithm)  # type: ignore[arg-type]
        raw = self._private.sign(digest, mechanism=pkcs11.Mechanism.ECDSA)
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public key beside it."""
        return self._public_key

    @property
    def curve(self) -> ec.EllipticCurve:
        """The curve of both."""
        return self._public_key.curve

    @property
    def key_size(self) -> int:
        """Bits of the curve."""
        return self._public_key.key_size

    exchange: Callable[..., NoReturn] = _stays
    private_bytes: Callable[..., NoReturn] = _stays
    private_numbers: Callable[..., NoReturn] = _stays
    __copy__: Callable[..., NoReturn] = _stays
    __deepcopy__: Callable[..., NoReturn] = _stays


class TokenRsaKey(rsa.RSAPrivateKey):
    """An RSA private key in the token, as ``cryptography`` asks it for a signature."""

    def __init__(self, private: PrivateKey, public_key: rsa.RSAPublicKey) -> None:
        self._private = private
        self._public_key = public_key

    def sign(self, data: bytes | bytearray | memoryview, padding: object, algorithm: object) -> bytes:
        """Sign the digest of ``data`` with PKCS#1 v1.5, which every CA reads."""
        del padding
        digest = _digest_of(data, algorithm)  # type: ignore[arg-type]
        return bytes(self._private.sign(token_input(Algorithm.RS256, digest), mechanism=pkcs11.Mechanism.RSA_PKCS))

    def public_key(self) -> rsa.RSAPublicKey:
        """The public key beside it."""
        return self._public_key

    @property
    def key_size(self) -> int:
        """Bits of the modulus."""
        return self._public_key.key_size

    decrypt: Callable[..., NoReturn] = _stays
    private_bytes: Callable[..., NoReturn] = _stays
    private_numbers: Callable[..., NoReturn] = _stays
    __copy__: Callable[..., NoReturn] = _stays
    __deepcopy__: Callable[..., NoReturn] = _stays
