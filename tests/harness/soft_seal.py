"""Seals made without a token: a practice certificate over a key in memory, for tests of the signature format."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from eseal import sealcore
from eseal.jades.header import ClaimedTime, protected_header
from eseal.jades.writing import seal_many
from eseal.terms import Algorithm, SealKey
from eseal.trust import practice

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVICES = practice.Services(ocsp="http://127.0.0.1:1/ocsp", ca_issuers="http://127.0.0.1:1/ca.crt")


@dataclass
class SoftSealer:
    """A seal key and its certificate under ``ca``; ``options`` are those of ``practice.seal_certificate``."""

    algorithm: Algorithm = Algorithm.ES256
    ca: practice.Issued = field(default_factory=lambda: practice.issuing_ca(practice.root_ca(), services=SERVICES))
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.private_key = _generate(self.algorithm)
        options = {"services": SERVICES, **self.options}
        self.certificate = practice.seal_certificate(self.ca, self.private_key.public_key(), **options)

    @property
    def root(self) -> practice.Issued:
        """The root of the CA."""
        return self.ca.chain[-1]

    @property
    def key(self) -> SealKey:
        """The key as the rest of the house sees one."""
        return SealKey("soft", self.algorithm, self.certificate.seal_chain)

    def header(self, signing_time: datetime | None = None, claimed_time: ClaimedTime = ClaimedTime.IAT) -> str:
        """Return the protected header that the house would sign."""
        return protected_header(self.key, signing_time=signing_time or datetime.now(UTC), claimed_time=claimed_time)

    def sign(self, protected: str, payload: bytes, *, b64: bool = False) -> bytes:
        """Return the raw JWS signature over a header and a payload."""
        digest = "sha384" if self.algorithm is Algorithm.ES384 else "sha256"
        [value] = sealcore.signing_digests(digest, [protected], [payload], b64=b64)
        prehashed = Prehashed(hashes.SHA384() if digest == "sha384" else hashes.SHA256())
        if isinstance(self.private_key, ec.EllipticCurvePrivateKey):
            width = self.private_key.curve.key_size // 8
            return sealcore.ecdsa_from_der(self.private_key.sign(value, ec.ECDSA(prehashed)), width)
        if self.algorithm is Algorithm.PS256:
            return self.private_key.sign(value, padding.PSS(padding.MGF1(hashes.SHA256()), 32), prehashed)
        return self.private_key.sign(value, padding.PKCS1v15(), prehashed)

    def seal(self, payload: bytes, *, etsi_u: Sequence[str] = (), **header: Any) -> bytes:
        """Return ``payload`` sealed as the house seals, with etsiU elements where given."""
        protected = self.header(**header)
        return seal_many([payload], [protected], [self.sign(protected, payload)], [list(etsi_u)])[0]


def _generate(algorithm: Algorithm) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    if algorithm is Algorithm.ES256:
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm is Algorithm.ES384:
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(65537, 3072)
