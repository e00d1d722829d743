"""The protected header that we seal with: the profile of JAdES that the Commission's viewer and DSS both take.

Members stand in the order of the Commission's own seals. ``x5c`` gives the leaf and the issuing CAs, never the
self-signed anchor, which a verifier must have from elsewhere; ``x5t#S256`` binds the leaf.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509

from eseal import sealcore

if TYPE_CHECKING:
    from eseal.terms import SealKey

CONTENT_TYPE = "vc+ld+json"
"""``cty``: the media type of what is sealed, without its ``application/`` (RFC 7515 section 4.1.10)."""


class ClaimedTime(StrEnum):
    """Which header says when the sealer claims to have sealed.

    ``IAT`` is the only one that TS 119 182-1 V1.2.1 allows since 2025-07-15; ``SIGT`` is for the Commission's older
    viewer, and makes DSS call the seal JSON-NOT-ETSI.
    """

    IAT = "iat"
    SIGT = "sigT"


def protected_header(key: SealKey, *, signing_time: datetime, claimed_time: ClaimedTime = ClaimedTime.IAT) -> str:
    """Return the protected header as the base64url text that is signed and sent.

    ``signing_time`` must know its time zone and is cut to the second.
    """
    if signing_time.tzinfo is None:
        raise ValueError("The signing time must know its time zone.")
    digest, chain = _certificate_members(key.chain)
    header: dict[str, object] = {
        "alg": key.algorithm.value,
        "cty": CONTENT_TYPE,
        "x5t#S256": digest,
        "x5c": chain,
        "typ": "jose+json",
        "b64": False,
    }
    # TS 119 182-1 clause 5.1.11 (iat) and 5.2.1 (sigT, which a verifier must be told to understand).
    if claimed_time is ClaimedTime.IAT:
        header |= {"iat": int(signing_time.timestamp()), "crit": ["b64"]}
    else:
        header |= {"sigT": signing_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "crit": ["b64", "sigT"]}
    return sealcore.base64url_encode(json.dumps(header, separators=(",", ":")).encode())


@lru_cache(maxsize=64)
def _certificate_members(chain: tuple[bytes, ...]) -> tuple[str, list[str]]:
    """Return ``x5t#S256`` and ``x5c``; parsing certificates costs more than all the rest, and a key has one chain."""
    leaf, *issuers = chain
    sent = [leaf, *(der for der in issuers if not _is_self_signed(der))]
    digest = base64.urlsafe_b64encode(hashlib.sha256(leaf).digest()).rstrip(b"=").decode()
    return digest, [base64.b64encode(der).decode() for der in sent]


def _is_self_signed(der: bytes) -> bool:
    certificate = x509.load_der_x509_certificate(der)
    return certificate.subject == certificate.issuer
