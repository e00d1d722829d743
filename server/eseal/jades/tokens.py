"""A time-stamp token (RFC 3161) as what it is: a CMS signature over "these bytes existed at this time".

``read_token`` checks everything that the token itself can prove: that it is signed by the certificate that it names,
that the certificate is one for time-stamping, that the signature covers what the token says. Whether anybody should
trust that certificate is not asked here. The token's bytes are hashed where they stand and never re-encoded: real
tokens hold certificates in an order that DER forbids.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asn1crypto import algos, cms, parser, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha3_256": hashes.SHA3_256,
    "sha3_384": hashes.SHA3_384,
    "sha3_512": hashes.SHA3_512,
}


class InvalidToken(ValueError):
    """The bytes are not a time-stamp token that its own signature upholds; the message says which rule is broken."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a time-stamp token says, once its signature has been verified.

    ``authority`` is the DER certificate of the authority that signed it, ``certificates`` all that came with it.
    """

    time: datetime
    imprint_algorithm: str
    imprint: bytes
    authority: bytes
    certificates: tuple[bytes, ...]

    def covers(self, data: Iterable[bytes]) -> bool:
        """Whether the token's imprint is the digest of ``data``, given in pieces."""
        digest = hashlib.new(self.imprint_algorithm)
        for piece in data:
            digest.update(piece)
        return hmac.compare_digest(digest.digest(), self.imprint)


def read_token(der: bytes, known_certificates: Sequence[bytes] = ()) -> Token:
    """Read and verify a DER or BER TimeStampToken; ``known_certificates`` may hold the authority's certificate.

    Raise InvalidToken for anything that is not a token whose signature verifies.
    """
    try:
        return _read(der, known_certificates)
    except InvalidToken:
        raise
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise InvalidToken("The time-stamp token's signature does not verify.") from error
    except Exception as error:
        # asn1crypto decodes lazily and answers hostile bytes with whatever exception it happens to run into.
        raise InvalidToken("The time-stamp token is not a CMS SignedData over a TSTInfo.") from error


def _read(der: bytes, known_certificates: Sequence[bytes]) -> Token:
    content = cms.ContentInfo.load(der, strict=True)
    if content["content_type"].native != "signed_data":
        raise InvalidToken("The time-stamp token is not a CMS SignedData.")
    signed = content["content"]
    encapsulated = signed["encap_content_info"]
    if encapsulated["content_type"].native != "tst_info" or len(signed["signer_infos"]) != 1:
        raise InvalidToken("The time-stamp token must be a TSTInfo with exactly one signer.")
    signer = signed["signer_infos"][0]
    # A SEQUENCE is a plain certificate; the other choices (attribute certificates) are tagged otherwise.
    certificates = tuple(der for der in _elements(signed["certificates"].contents) if der[:1] == b"\x30")
    authority = _authority(signer, (*certificates, *known_certificates))
    info_bytes = bytes(encapsulated["content"])
    _verify_signature(signer, authority, info_bytes)
    info = tsp.TSTInfo.load(info_bytes, strict=True)
    time = info["gen_time"].native
    _check_authority(authority, time)
    imprint = info["message_imprint"]
    algorithm = _acceptable(imprint["hash_algorithm"]["algorithm"].native)
    return Token(time, algorithm, imprint["hashed_message"].native, authority, certificates)


def _authority(signer: cms.SignerInfo, candidates: Sequence[bytes]) -> bytes:
    """Find the certificate that the signer identifier names (RFC 5652 section 5.3)."""
    identifier = signer["sid"]
    for der in candidates:
        certificate = asn1_x509.Certificate.load(der)
        if identifier.name == "issuer_and_serial_number":
            named = identifier.chosen
            # Byte for byte: a name that merely compares equal is not what the authority wrote.
            same_name = certificate.issuer.dump() == named["issuer"].dump()
            if same_name and certificate.serial_number == named["serial_number"].native:
                return der
        elif certificate.key_identifier == identifier.chosen.native:
            return der
    raise InvalidToken("The certificate of the time-stamp authority is not in the document.")


def _verify_signature(signer: cms.SignerInfo, authority: bytes, content: bytes) -> None:
    """RFC 5652 sections 5.4 and 11: content type, message digest, then the signature over the signed attributes."""
    # Taken first: asn1crypto fills in defaults as it decodes, and would then encode anew.
    signed = _set_of(signer["signed_attrs"])
    attributes = {attribute["type"].native: attribute["values"] for attribute in signer["signed_attrs"]}
    digest_name = _acceptable(signer["digest_algorithm"]["algorithm"].native)
    if attributes["content_type"][0].native != "tst_info":
        raise InvalidToken("The time-stamp token's signature is not over a TSTInfo.")
    if not hmac.compare_digest(attributes["message_digest"][0].native, hashlib.new(digest_name, content).digest()):
        raise InvalidToken("The time-stamp token's message digest is not that of its content.")
    _check_bound_certificate(attributes, authority)
    _verify(authority, signer, signed, digest_name)


def _set_of(signed_attributes: cms.CMSAttributes) -> bytes:
    """Return the signed attributes as the DER SET OF that is signed: the elements as received, in DER order."""
    encoded: bytes = parser.emit(0, 1, 17, b"".join(sorted(_elements(signed_attributes.contents))))
    return encoded


def _elements(content: bytes | None) -> Iterator[bytes]:
    """Yield the elements of a SET, byte for byte as received."""
    while content:
        size = parser.peek(content)
        yield content[:size]
        content = content[size:]


def _check_bound_certificate(attributes: dict[str, Any], authority: bytes) -> None:
    """RFC 3161 section 2.4.1 and RFC 5816: the signed attributes bind the authority's certificate by its digest."""
    if "signing_certificate_v2" in attributes:
        bound = attributes["signing_certificate_v2"][0]["certs"][0]
        algorithm = bound["hash_algorithm"]["algorithm"].native
    elif "signing_certificate" in attributes:
        bound, algorithm = attributes["signing_certificate"][0]["certs"][0], "sha1"
    else:
        raise InvalidToken("The time-stamp token does not bind the certificate of its authority.")
    if not hmac.compare_digest(hashlib.new(algorithm, authority).digest(), bound["cert_hash"].native):
        raise InvalidToken("The time-stamp token binds another certificate than that of its authority.")


def _verify(authority: bytes, signer: cms.SignerInfo, data: bytes, digest_name: str) -> None:
    key = x509.load_der_x509_certificate(authority).public_key()
    signature, algorithm = signer["signature"].native, signer["signature_algorithm"]
    kind = algorithm.signature_algo
    if isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pkcs1v15":
        key.verify(signature, data, padding.PKCS1v15(), _hash(_signature_hash(algorithm) or digest_name))
    elif isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pss":
        scheme = padding.PSS(padding.MGF1(_hash(_mask_hash(algorithm))), algorithm["parameters"]["salt_length"].native)
        key.verify(signature, data, scheme, _hash(algorithm["parameters"]["hash_algorithm"]["algorithm"].native))
    elif isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa":
        key.verify(signature, data, ec.ECDSA(_hash(_signature_hash(algorithm) or digest_name)))
    else:
        raise InvalidToken("The time-stamp token's signature algorithm does not fit its authority's key.")


def _signature_hash(algorithm: algos.SignedDigestAlgorithm) -> str | None:
    """Return the hash that the signature algorithm names itself; plain rsaEncryption names none."""
    try:
        name: str = algorithm.hash_algo
    except ValueError:
        return None
    return name


def _mask_hash(algorithm: algos.SignedDigestAlgorithm) -> str:
    name: str = algorithm["parameters"]["mask_gen_algorithm"]["parameters"]["algorithm"].native
    return name


def _hash(name: str) -> hashes.HashAlgorithm:
    return _HASHES[_acceptable(name)]()


def _acceptable(name: str) -> str:
    """Refuse the digests that TS 119 312 no longer has: SHA-1 and what is older."""
    if name not in _HASHES:
        raise InvalidToken(f"The time-stamp token relies on the digest {name!s:.40}, which is not acceptable.")
    return name


def _check_authority(authority: bytes, time: datetime) -> None:
    """RFC 3161 section 2.3: a certificate for time-stamping alone, valid when the token was made."""
    certificate = x509.load_der_x509_certificate(authority)
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        usage = None
    if usage is None or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise InvalidToken("The certificate of the time-stamp authority is not one for time-stamping alone.")
    if not certificate.not_valid_before_utc <= time <= certificate.not_valid_after_utc:
        raise InvalidToken("The time-stamp is from outside the validity of its authority's certificate.")
