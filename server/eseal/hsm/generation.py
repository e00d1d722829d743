"""Making a seal key in the token, where it stays: not extractable, sensitive, for signing alone."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from asn1crypto.keys import ECDomainParameters, NamedCurve
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass

from eseal.errors import SetupError
from eseal.hsm.connection import errand
from eseal.hsm.keys import spki_of
from eseal.terms import Algorithm

if TYPE_CHECKING:
    from pkcs11 import PrivateKey, PublicKey, Session

    from eseal.hsm.settings import HsmSettings

_CURVES = {Algorithm.ES256: "secp256r1", Algorithm.ES384: "secp384r1"}
RSA_BITS = 3072
"""ETSI TS 119 312 recommends at least 3000 bits for seals of today."""


def generate_key(settings: HsmSettings, label: str, algorithm: Algorithm) -> bytes:
    """Make a key pair for ``algorithm`` in the token, under ``label``; its SubjectPublicKeyInfo, DER.

    P-256 for ES256, P-384 for ES384, RSA of 3072 bits for PS256 and RS256. SetupError KEY_EXISTS where the label is
    taken, or where the token cannot be opened or refuses.
    """

    def refusal(cause: str) -> SetupError:
        return SetupError(
            "KEY_NOT_GENERATED",
            f"The token did not make a key for {algorithm}: {cause}. `eseal hsm list` shows the mechanisms it has.",
        )

    with errand(settings, refusal) as connection, connection.writing() as session:
        if list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: label})):
            raise SetupError("KEY_EXISTS", f"The token holds a private key with the label '{label}' already.")
        return spki_of(_generate(session, label, algorithm)[0])


def _generate(session: Session, label: str, algorithm: Algorithm) -> tuple[PublicKey, PrivateKey]:
    key_id = secrets.token_bytes(16)
    curve = _CURVES.get(algorithm)
    pair: tuple[PublicKey, PrivateKey]
    common = {"store": True, "label": label, "id": key_id, "capabilities": MechanismFlag.SIGN | MechanismFlag.VERIFY}
    private = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    if curve is None:
        pair = session.generate_keypair(KeyType.RSA, RSA_BITS, private_template=private, **common)
    else:
        parameters = ECDomainParameters(name="named", value=NamedCurve.unmap(curve)).dump()
        domain = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: parameters}, local=True)
        pair = domain.generate_keypair(private_template=private, **common)
    return pair
