"""A real SoftHSM token with seal keys and their certificates, for every test that signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asn1crypto.core import ObjectIdentifier
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Attribute, KeyType, Mechanism
from pkcs11.util.ec import encode_named_curve_parameters

from eseal.hsm import HsmSettings, generate_key, practice_token
from eseal.hsm.algorithms import proves, public_facts
from eseal.terms import Algorithm, SealKey
from eseal.trust import practice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pkcs11 import PrivateKey, PublicKey, Session

DIGEST_LENGTHS = {Algorithm.ES256: 32, Algorithm.ES384: 48, Algorithm.PS256: 32, Algorithm.RS256: 32}
PIN = "24680"


@dataclass
class SealToken:
    """A token and the keys made in it."""

    settings: HsmSettings
    ca: practice.Issued = field(default_factory=lambda: practice.issuing_ca(practice.root_ca()))

    def seal_key(
        self, label: str, algorithm: Algorithm = Algorithm.ES256, lifetime: practice.Lifetime | None = None
    ) -> SealKey:
        """Make a key under ``label`` and a certificate over it."""
        public_key = load_der_public_key(generate_key(self.settings, label, algorithm))
        return SealKey(label, algorithm, practice.seal_certificate(self.ca, public_key, lifetime=lifetime).seal_chain)

    def having(self, **changes: object) -> HsmSettings:
        """The settings with other values."""
        return HsmSettings.model_validate({**self.settings.model_dump(), **changes})


def make_token(directory: Path, label: str = "eseal tests") -> SealToken:
    """Make an empty token in ``directory``."""
    return SealToken(practice_token(directory, label=label, pin=PIN))


def make_pair(session: Session, kind: str, label: str) -> tuple[PublicKey, PrivateKey]:
    """Make a key pair that eseal would not: on a named curve of any kind, or ``RSA`` with as many bits (``RSA 1024``)."""
    common = {"store": True, "label": label, "id": label.encode()}
    if kind.startswith("RSA"):
        return session.generate_keypair(KeyType.RSA, int(kind[3:] or 2048), **common)
    if kind == "Ed25519":
        edwards = {Attribute.EC_PARAMS: ObjectIdentifier("1.3.101.112").dump()}
        return session.create_domain_parameters(KeyType.EC_EDWARDS, edwards, local=True).generate_keypair(
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, **common
        )
    curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(kind)}
    return session.create_domain_parameters(KeyType.EC, curve, local=True).generate_keypair(**common)


def invalid(key: SealKey, digests: Sequence[bytes], answers: Sequence[object]) -> list[object]:
    """The answers that are no valid signature of the digest in the same place."""
    assert len(digests) == len(answers)
    facts = public_facts(key)
    return [
        answer
        for digest, answer in zip(digests, answers, strict=True)
        if not isinstance(answer, bytes) or not proves(facts, key.algorithm, digest, answer)
    ]
