"""Finding a seal key in the token, and making sure that it is the one its certificate speaks for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import structlog
from asn1crypto.keys import ECDomainParameters
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import Attribute, KeyType, ObjectClass

from eseal.errors import SetupError
from eseal.hsm.algorithms import DIGEST_LENGTHS, proves
from eseal.hsm.cryptoki import CryptokiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs11 import Object, Session

    from eseal.hsm.algorithms import PublicFacts
    from eseal.terms import SealKey

log = structlog.get_logger(__name__)

_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
}
# What a module says where a key of another kind or size than its certificate's is to sign.
_ANOTHER_KIND = {"CKR_KEY_TYPE_INCONSISTENT", "CKR_KEY_SIZE_RANGE", "CKR_DATA_LEN_RANGE", "CKR_SIGNATURE_LEN_RANGE"}


def find_key(session: Session, key: SealKey, facts: PublicFacts, sign: Callable[[int, bytes], bytes]) -> int:
    """Find the private key under ``key.label`` that belongs to its certificate, and return its object handle.

    Where the token holds a public key object beside it, that one is compared (by label, then CKA_ID); where it holds
    only private keys, ``sign(handle, digest)`` makes a trial signature and the certificate's key must verify it.
    SetupError KEY_NOT_FOUND or KEY_CERTIFICATE_MISMATCH; PKCS11Error or CryptokiError where the module fails.
    """
    candidates = _objects(session, ObjectClass.PRIVATE_KEY, key.label)
    if not candidates:
        raise SetupError(
            "KEY_NOT_FOUND",
            f"The token holds no private key with the label '{key.label}'. `eseal hsm list` shows what it holds; "
            f"`eseal hsm generate-key --label {key.label}` makes one.",
        )
    ids_by_spki = {
        spki_where_known(public): public[Attribute.ID]
        for public in _objects(session, ObjectClass.PUBLIC_KEY, key.label)
    }
    if facts.spki in ids_by_spki:
        own_id = ids_by_spki[facts.spki]
        paired = [found for found in candidates if len(candidates) == 1 or found[Attribute.ID] == own_id]
        if len(paired) == 1:
            return int(paired[0].handle)
    elif ids_by_spki:
        raise _mismatch(key)
    kind = KeyType.RSA if isinstance(facts.public_key, rsa.RSAPublicKey) else KeyType.EC
    for candidate in candidates:
        if candidate[Attribute.KEY_TYPE] == kind and _signs_for(candidate.handle, key, facts, sign):
            return int(candidate.handle)
    raise _mismatch(key)


def spki_of(public: Object) -> bytes:
    """The SubjectPublicKeyInfo (DER) of a public key object. ValueError for a kind that eseal does not know."""
    kind = public[Attribute.KEY_TYPE]
    if kind == KeyType.RSA:
        modulus = int.from_bytes(public[Attribute.MODULUS])
        exponent = int.from_bytes(public[Attribute.PUBLIC_EXPONENT])
        rsa_key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        return rsa_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    name = str(ECDomainParameters.load(public[Attribute.EC_PARAMS]).chosen.native) if kind == KeyType.EC else ""
    if name not in _CURVES:
        message = f"a key of type {kind!s} {name}".rstrip()
        raise ValueError(message)
    curve = _CURVES[name]()
    point = public[Attribute.EC_POINT]
    # CKA_EC_POINT is an OCTET STRING around the point (PKCS#11 v2.40 section 2.3.3), but some modules give the bare
    # point. Both begin with 04, so only the length tells them apart.
    bare = 1 + 2 * ((curve.key_size + 7) // 8)
    ec_key = ec.EllipticCurvePublicKey.from_encoded_point(curve, point[-bare:])
    return ec_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def spki_where_known(public: Object) -> bytes | None:
    """None for a kind that cannot be the certificate's, because ``public_facts`` takes no such certificate."""
    try:
        return spki_of(public)
    except ValueError:
        return None


def _objects(session: Session, kind: ObjectClass, label: str) -> list[Object]:
    return list(session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: label}))


def _signs_for(handle: int, key: SealKey, facts: PublicFacts, sign: Callable[[int, bytes], bytes]) -> bool:
    """Let the key sign random bytes: nothing that anyone could use as a seal. A key of another kind signs nothing."""
    digest = os.urandom(DIGEST_LENGTHS[key.algorithm])
    log.info("hsm_trial_signature", key=key.label)
    try:
        return proves(facts, key.algorithm, digest, sign(handle, digest))
    except CryptokiError as error:
        if error.code in _ANOTHER_KIND:
            return False
        raise


def _mismatch(key: SealKey) -> SetupError:
    return SetupError(
        "KEY_CERTIFICATE_MISMATCH",
        f"The key '{key.label}' in the token is not the one that its certificate was issued for. Either the certificate "
        "chain is another key's, or the token was initialised anew and holds another key under that label.",
    )
