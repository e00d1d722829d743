"""How each JWS algorithm is signed by a token that gets the digest alone (RFC 7518 sections 3.3 to 3.5).

=====  =====================  ===========================================  ===================
alg    mechanism              what the token signs                         signature
=====  =====================  ===========================================  ===================
ES256  CKM_ECDSA              the SHA-256 digest                           r and s, 64 bytes
ES384  CKM_ECDSA              the SHA-384 digest                           r and s, 96 bytes
PS256  CKM_RSA_PKCS_PSS       the SHA-256 digest; salt as long as it       modulus length
RS256  CKM_RSA_PKCS           DigestInfo of the digest (RFC 8017 9.2)      modulus length
=====  =====================  ===========================================  ===================

PKCS#11 gives ECDSA signatures as r and s of fixed width already, which is what JWS wants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asn1crypto.algos import DigestInfo
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from eseal.errors import SetupError
from eseal.hsm.cryptoki import (
    CKG_MGF1_SHA256,
    CKM_ECDSA,
    CKM_RSA_PKCS,
    CKM_RSA_PKCS_PSS,
    CKM_SHA256,
)
from eseal.sealcore import TokenKey
from eseal.terms import Algorithm

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from eseal.terms import SealKey

DIGEST_LENGTHS = {Algorithm.ES256: 32, Algorithm.ES384: 48, Algorithm.PS256: 32, Algorithm.RS256: 32}
CURVES: dict[Algorithm, type[ec.EllipticCurve]] = {Algorithm.ES256: ec.SECP256R1, Algorithm.ES384: ec.SECP384R1}
MINIMUM_RSA_BITS = 2048

# What stands before the digest in its DigestInfo; a SHA-256 digest is always as long, so this never changes.
_SHA256_INFO: bytes = DigestInfo({"digest_algorithm": {"algorithm": "sha256"}, "digest": bytes(32)}).dump()[:-32]


@dataclass(frozen=True, slots=True)
class PublicFacts:
    """What the seal certificate says of its key: the key, its SubjectPublicKeyInfo (DER), a signature's length."""

    certificate: x509.Certificate
    public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    spki: bytes
    signature_length: int


def public_facts(key: SealKey) -> PublicFacts:
    """Read the seal certificate of ``key``. SetupError where its public key cannot be used with the algorithm."""
    try:
        certificate = x509.load_der_x509_certificate(key.certificate)
        public_key = certificate.public_key()
    except (ValueError, IndexError) as error:
        raise SetupError(
            "CERTIFICATE_UNREADABLE", f"The certificate of seal key '{key.label}' cannot be read: {error}."
        ) from error
    curve = CURVES.get(key.algorithm)
    if curve is not None and isinstance(public_key, ec.EllipticCurvePublicKey) and isinstance(public_key.curve, curve):
        length = 2 * DIGEST_LENGTHS[key.algorithm]
    elif curve is None and isinstance(public_key, rsa.RSAPublicKey) and public_key.key_size >= MINIMUM_RSA_BITS:
        length = (public_key.key_size + 7) // 8
    else:
        raise SetupError(
            "KEY_ALGORITHM_MISMATCH",
            f"Seal key '{key.label}' is configured for {key.algorithm}, but its certificate holds {_said(public_key)}. "
            "ES256 needs P-256, ES384 P-384, PS256 and RS256 an RSA key of 2048 bits or more.",
        )
    spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicFacts(certificate, public_key, spki, length)


def public_key_of(key: SealKey) -> bytes:
    """The SubjectPublicKeyInfo (DER) in the seal certificate of ``key``. SetupError as in ``public_facts``."""
    return public_facts(key).spki


def token_key(algorithm: Algorithm, *, session: int, handle: int, signature_length: int, buffer_size: int) -> TokenKey:
    """The key that was found as ``handle`` in ``session``, as it signs digests for ``algorithm``; lengths are in bytes."""
    mechanism, pss = CKM_ECDSA, None
    if algorithm is Algorithm.RS256:
        mechanism = CKM_RSA_PKCS
    elif algorithm is Algorithm.PS256:
        mechanism, pss = CKM_RSA_PKCS_PSS, (CKM_SHA256, CKG_MGF1_SHA256, 32)  # hash, mask generation, salt length
    return TokenKey(
        session=session,
        key=handle,
        mechanism=mechanism,
        pss=pss,
        signature_length=signature_length,
        buffer_size=buffer_size,
    )


def token_input(algorithm: Algorithm, digest: bytes) -> bytes:
    """What the token is given to sign ``digest``."""
    return _SHA256_INFO + digest if algorithm is Algorithm.RS256 else digest


def proves(facts: PublicFacts, algorithm: Algorithm, digest: bytes, signature: bytes) -> bool:
    """Whether ``signature`` over ``digest`` verifies with the certificate's public key."""
    try:
        if isinstance(facts.public_key, ec.EllipticCurvePublicKey):
            half = len(signature) // 2
            r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
            hashed = hashes.SHA384() if algorithm is Algorithm.ES384 else hashes.SHA256()
            facts.public_key.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(hashed)))
        elif algorithm is Algorithm.PS256:
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
            facts.public_key.verify(signature, digest, pss, Prehashed(hashes.SHA256()))
        else:
            facts.public_key.verify(signature, digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _said(public_key: CertificatePublicKeyTypes) -> str:
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return f"a key on {public_key.curve.name}"
    if isinstance(public_key, rsa.RSAPublicKey):
        return f"an RSA key of {public_key.key_size} bits"
    return f"a {type(public_key).__name__}"
