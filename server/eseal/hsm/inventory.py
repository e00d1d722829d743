"""What a module holds: its tokens, what they sign with, and the keys in one of them. For people who set an HSM up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pkcs11
from asn1crypto.keys import ECDomainParameters
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

from eseal.errors import SetupError
from eseal.hsm.algorithms import MINIMUM_RSA_BITS
from eseal.hsm.connection import cause_of, errand
from eseal.hsm.cryptoki import HSM_FAULTS
from eseal.hsm.keys import spki_where_known
from eseal.hsm.module import open_module
from eseal.terms import Algorithm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs11 import Object, Slot, Token

    from eseal.hsm.module import Module
    from eseal.hsm.settings import HsmSettings

_MECHANISMS = {
    Algorithm.ES256: Mechanism.ECDSA,
    Algorithm.ES384: Mechanism.ECDSA,
    Algorithm.PS256: Mechanism.RSA_PKCS_PSS,
    Algorithm.RS256: Mechanism.RSA_PKCS,
}
_CURVES = {"secp256r1": ("P-256", Algorithm.ES256), "secp384r1": ("P-384", Algorithm.ES384)}
_NO_ATTRIBUTE = (pkcs11.AttributeTypeInvalid, pkcs11.AttributeSensitive, pkcs11.AttributeValueInvalid, KeyError)


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key pair, or what the token has of one. ``kind`` is such as ``P-256`` or ``RSA 3072``.

    ``algorithms`` are those it could seal with; ``spki`` is its SubjectPublicKeyInfo (DER) where the token holds the
    public key beside it. ``extractable`` None where the token does not say.
    """

    label: str
    id: bytes
    kind: str
    algorithms: tuple[Algorithm, ...]
    spki: bytes | None
    extractable: bool | None


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token as the module shows it without login. ``max_sessions`` None where it knows no limit or does not say."""

    slot: int
    label: str
    serial: str
    manufacturer: str
    model: str
    max_sessions: int | None
    algorithms: tuple[Algorithm, ...]


def list_tokens(settings: HsmSettings) -> list[ListedToken]:
    """List the tokens of ``settings.module``, whichever of them is meant; no login. SetupError where it does not work."""
    module = open_module(settings)
    try:
        return [_listed(module, token) for token in module.tokens()]
    except HSM_FAULTS as error:
        raise _not_listed(cause_of(error)) from error
    finally:
        module.close()


def list_keys(settings: HsmSettings) -> list[ListedKey]:
    """Log in to the token of ``settings`` and list its private keys. SetupError where it does not work."""
    with errand(settings, _not_listed) as connection, connection.reading() as session:
        publics = _by_id(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY}))
        privates = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
        return sorted((_key(found, publics) for found in privates), key=lambda key: (key.label, key.id))


def kind_of(private: Object) -> tuple[str, tuple[Algorithm, ...]]:
    """What a private key is, and the algorithms that it could seal with."""
    key_type = _attribute(private, Attribute.KEY_TYPE)
    if key_type == KeyType.RSA:
        modulus = _attribute(private, Attribute.MODULUS)
        bits = int.from_bytes(modulus).bit_length() if modulus else 0
        algorithms = () if 0 < bits < MINIMUM_RSA_BITS else (Algorithm.PS256, Algorithm.RS256)
        return f"RSA {bits or 'of unknown size'}", algorithms
    if key_type == KeyType.EC:
        parameters = _attribute(private, Attribute.EC_PARAMS)
        name = ECDomainParameters.load(parameters).chosen.native if parameters else None
        kind, algorithm = _CURVES.get(str(name), (f"EC {name or 'on an unknown curve'}", None))
        return kind, (algorithm,) if algorithm else ()
    return getattr(key_type, "name", str(key_type)), ()


def _key(private: Object, publics: dict[tuple[bytes, str], Object]) -> ListedKey:
    label, key_id = _attribute(private, Attribute.LABEL) or "", _attribute(private, Attribute.ID) or b""
    kind, algorithms = kind_of(private)
    public = publics.get((key_id, label))
    return ListedKey(
        label=label,
        id=key_id,
        kind=kind,
        algorithms=algorithms,
        spki=spki_where_known(public) if public is not None else None,
        extractable=_attribute(private, Attribute.EXTRACTABLE),
    )


def _by_id(publics: Iterable[Object]) -> dict[tuple[bytes, str], Object]:
    return {
        (_attribute(public, Attribute.ID) or b"", _attribute(public, Attribute.LABEL) or ""): public
        for public in publics
    }


def _attribute(found: Object, attribute: Attribute):  # type: ignore[no-untyped-def]  # noqa: ANN202 - each has its own type
    """An attribute's value, or None where the token does not give it away."""
    try:
        return found[attribute]
    except _NO_ATTRIBUTE:
        return None


def _listed(module: Module, token: Token) -> ListedToken:
    return ListedToken(
        slot=token.slot.slot_id,
        label=token.label,
        serial=token.serial.decode("utf-8", "replace").strip(),
        manufacturer=token.manufacturer_id,
        model=token.model,
        max_sessions=module.cryptoki.token_info(token.slot.slot_id).max_sessions,
        algorithms=tuple(_algorithms(token.slot)),
    )


def _algorithms(slot: Slot) -> Iterator[Algorithm]:
    mechanisms = slot.get_mechanisms()
    return (algorithm for algorithm, mechanism in _MECHANISMS.items() if mechanism in mechanisms)


def _not_listed(cause: str) -> SetupError:
    return SetupError("HSM_NOT_WORKING", f"The HSM does not answer: {cause}. Check the device and its log.")
