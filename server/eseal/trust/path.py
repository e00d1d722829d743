"""Certificate paths: from a certificate to a trust anchor, valid at a time (RFC 5280 section 6).

A path is first found, by names and signatures, with a bound on the work that a hostile heap of certificates can cause;
then pyhanko-certvalidator judges that one path. A path without revocation data is as valid at one moment as at another
inside the validity of all its certificates, so one answer serves a whole batch of seals, and is kept for the next.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    NotYetValidError,
    PathBuildingError,
    ValidationError,
)

from eseal.errors import EsealError
from eseal.trust.certificate import MALFORMED, Certificate, read_certificate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

_MAX_DEPTH = 8
_MAX_SIGNATURES_TRIED = 64
_MAX_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Path:
    """What was found. ``certificates`` run from the leaf to the anchor; empty where no anchor was reached.

    ``sub_indication`` is the EN 319 102-1 word for what is wrong, empty where the path is valid; ``reason`` says it.
    """

    certificates: tuple[Certificate, ...] = ()
    sub_indication: str = ""
    reason: str = ""

    @property
    def to_be_revoked(self) -> tuple[Certificate, ...]:
        """The certificates whose revocation status must be known: all but the anchor and those never revoked."""
        return tuple(certificate for certificate in self.certificates[:-1] if not certificate.never_revoked)


_NO_PATH = Path(
    sub_indication="NO_CERTIFICATE_CHAIN_FOUND",
    reason="The seal certificate does not chain to any of the trust anchors.",
)


class TrustAnchors:
    """The anchors of one verifier, and the paths to them that were found so far. Safe for many threads.

    Call ``path`` from a thread without a running event loop.
    """

    def __init__(self, anchors: Iterable[bytes]) -> None:
        """Take DER certificates. Raise InvalidInput for what is not one."""
        self.certificates = tuple(read_certificate(der) for der in anchors)
        self._by_subject: dict[bytes, list[bytes]] = {}
        for anchor in self.certificates:
            subject = x509.load_der_x509_certificate(anchor.der).subject.public_bytes()
            self._by_subject.setdefault(subject, []).append(anchor.der)
        self._kept: OrderedDict[tuple[bytes, frozenset[bytes]], tuple[datetime, datetime, Path]] = OrderedDict()
        self._lock = threading.Lock()  # guards _kept, for single dictionary operations only

    def path(self, leaf: bytes, others: Sequence[bytes], at: datetime) -> Path:
        """Find a path from ``leaf`` over any of ``others`` to an anchor, and validate it at ``at``."""
        key = (leaf, frozenset(others))
        with self._lock:
            kept = self._kept.get(key)
        if kept and kept[0] <= at <= kept[1]:
            return kept[2]
        chain = self._chain(leaf, others)
        path = _validated(chain, at) if chain else _NO_PATH
        holds_from, holds_until = (at, at)
        if path.certificates and not path.sub_indication:
            holds_from = max(certificate.not_before for certificate in path.certificates)
            holds_until = min(certificate.not_after for certificate in path.certificates)
        with self._lock:
            self._kept[key] = (holds_from, holds_until, path)
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
        return path

    def _chain(self, leaf: bytes, others: Sequence[bytes]) -> tuple[bytes, ...]:
        """Return the first chain of certificates, each signed by the next, that ends at an anchor; else nothing."""
        candidates = dict(self._by_subject)
        for der in dict.fromkeys(others):
            link = _link(der)
            if link is not None:
                candidates[link.subject] = [*candidates.get(link.subject, ()), der]
        anchors = {anchor.der for anchor in self.certificates}
        tries = _MAX_SIGNATURES_TRIED
        pending: list[tuple[bytes, ...]] = [(leaf,)]
        while pending:
            chain = pending.pop()
            if chain[-1] in anchors:
                return chain
            link = _link(chain[-1])
            if link is None or len(chain) > _MAX_DEPTH:
                continue
            for der in reversed(candidates.get(link.issuer, ())):
                if der in chain or tries == 0:
                    continue
                tries -= 1
                if _issued(link.certificate, der):
                    pending.append((*chain, der))
        return ()


@dataclass(frozen=True, slots=True)
class _Link:
    """A certificate of a chain that is still looked for, with its names as DER."""

    certificate: x509.Certificate
    subject: bytes
    issuer: bytes


def _link(der: bytes) -> _Link | None:
    """Read a certificate as far as a chain needs it; None for one that is malformed."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        return _Link(certificate, certificate.subject.public_bytes(), certificate.issuer.public_bytes())
    except MALFORMED:
        return None


def _issued(certificate: x509.Certificate, issuer: bytes) -> bool:
    try:
        certificate.verify_directly_issued_by(x509.load_der_x509_certificate(issuer))
    except (*MALFORMED, InvalidSignature):
        return False
    return True


def _validated(chain: Sequence[bytes], at: datetime) -> Path:
    try:
        certificates = tuple(read_certificate(der) for der in chain)
        if len(chain) > 1:
            asyncio.run(_validate(chain, at))
    except (EsealError, ValueError, TypeError):
        # asn1crypto decodes lazily, so a certificate may turn out to be malformed only now.
        return Path((), "NO_CERTIFICATE_CHAIN_FOUND", "A certificate of the chain is malformed.")
    except PathBuildingError:
        return _NO_PATH
    except (ExpiredError, NotYetValidError) as error:
        return Path(certificates, "OUT_OF_BOUNDS_NO_POE", f"A certificate of the chain is out of its validity: {error}")
    except DisallowedAlgorithmError as error:
        return Path(certificates, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE", f"The chain relies on a weak algorithm: {error}")
    except ValidationError as error:
        return Path(certificates, "CHAIN_CONSTRAINTS_FAILURE", f"The chain breaks a rule of RFC 5280: {error}")
    return Path(certificates)


async def _validate(chain: Sequence[bytes], at: datetime) -> None:
    leaf, *issuers, anchor = (asn1_x509.Certificate.load(der) for der in chain)
    context = ValidationContext(
        trust_roots=[anchor], other_certs=issuers, moment=at, allow_fetching=False, revocation_mode="soft-fail"
    )
    await CertificateValidator(leaf, issuers, context).async_validate_path()
