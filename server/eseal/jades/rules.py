"""The rules of a JAdES protected header (TS 119 182-1 V1.2.1 clause 5), as facts and faults.

A header is read to its end: every broken rule becomes a ``Fault`` whose ``rule`` is one of ``HeaderRule``, and what
could be read is there all the same, because a signature's integrity is judged even where its header is no JAdES. The
rules are those of the baseline and of DSS 6.4, which also decide what "NOT_ETSI" means.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from eseal import sealcore
from eseal.terms import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SIGT_ENDED = datetime(2025, 7, 15, tzinfo=UTC)
"""From here on ``iat`` is the claimed signing time, and ``sigT`` no longer is one (clause 5.2.1)."""

DIGESTS: Mapping[str, str] = {
    "S256": "sha256",
    "S384": "sha384",
    "S512": "sha512",
    "S3-256": "sha3_256",
    "S3-384": "sha3_384",
    "S3-512": "sha3_512",
}
"""Digest identifiers of ``digAlg`` and ``hashM`` (clause 5.2.2.2), as ``hashlib`` names them."""

# What a JAdES verifier can be told to understand; RFC 7515 section 4.1.11 forbids the names of RFC 7515 and RFC 7518.
_UNDERSTOOD = frozenset(
    {"sigT", "x5t#o", "sigX5ts", "srCms", "sigPl", "srAts", "adoTst", "sigPId", "sigD", "iat", "exp", "b64"}
)
_MUST_BE_CRITICAL = ("b64", "sigD")
_SIGT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


class HeaderRule(StrEnum):
    """The rules, by the names that faults carry."""

    ALG = "alg"
    CRIT = "crit"
    SIGNING_CERTIFICATE = "signing-certificate"
    SIGNING_TIME = "signing-time"
    SIGT_ENDED = "sigT-ended"
    CONTENT_TYPE = "cty-in-counter-signature"
    SHAPE = "shape"


PROFILE_RULES = frozenset(rule.value for rule in HeaderRule if rule is not HeaderRule.SHAPE)
"""Breaking one of these leaves a JWS, but no ETSI JAdES."""


@dataclass(frozen=True, slots=True)
class CertificateDigest:
    """What the header says of its signing certificate: a ``hashlib`` name and the digest of the DER."""

    algorithm: str
    value: bytes


@dataclass(slots=True)
class ProtectedHeader:
    """What a protected header says. ``members`` is the header as parsed; ``faults`` are the rules that it breaks."""

    pointer: str
    members: dict[str, Any]
    algorithm: str = ""
    b64: bool = True
    certificates: tuple[bytes, ...] = ()
    certificate_digest: CertificateDigest | None = None
    claimed_time: datetime | None = None
    faults: list[Fault] = field(default_factory=list)

    def breaks(self, rule: HeaderRule, message: str, member: str = "") -> None:
        """Note a broken rule."""
        place = member.replace("~", "~0").replace("/", "~1")
        self.faults.append(Fault(f"{self.pointer}/{place}" if member else self.pointer, rule.value, message))


def read_header(members: object, pointer: str, *, counter_signature: bool = False) -> ProtectedHeader:
    """Read a parsed protected header; ``pointer`` is where it stands in the document."""
    header = ProtectedHeader(pointer, members if isinstance(members, dict) else {})
    if not isinstance(members, dict):
        header.breaks(HeaderRule.ALG, "The protected header is not an object.")
    _read_algorithm(header)
    _read_critical(header)
    _read_shapes(header)
    _read_certificates(header)
    _read_signing_time(header)
    if counter_signature and "cty" in header.members:
        header.breaks(HeaderRule.CONTENT_TYPE, "A counter-signature must not have cty.", "cty")
    return header


def _read_algorithm(header: ProtectedHeader) -> None:
    algorithm = header.members.get("alg")
    if isinstance(algorithm, str) and algorithm:
        header.algorithm = algorithm
    else:
        header.breaks(HeaderRule.ALG, "alg must be there and be a string.", "alg")
    b64 = header.members.get("b64", True)
    if isinstance(b64, bool):
        header.b64 = b64
    else:
        header.breaks(HeaderRule.CRIT, "b64 must be true or false.", "b64")


def _read_critical(header: ProtectedHeader) -> None:
    """RFC 7515 section 4.1.11, RFC 7797 section 6 and TS 119 182-1 clause 5.1.9."""
    critical = header.members.get("crit", [])
    if not isinstance(critical, list) or not all(isinstance(name, str) for name in critical):
        header.breaks(HeaderRule.CRIT, "crit must be an array of strings.", "crit")
        return
    if "crit" in header.members and not critical:
        header.breaks(HeaderRule.CRIT, "crit must not be empty.", "crit")
    if len(set(critical)) != len(critical):
        header.breaks(HeaderRule.CRIT, "crit names a header twice.", "crit")
    for name in critical:
        if name not in _UNDERSTOOD:
            header.breaks(HeaderRule.CRIT, f"crit names {name!r:.60}, which is not a header to be understood.", "crit")
        elif name not in header.members:
            header.breaks(HeaderRule.CRIT, f"crit names {name}, which the header does not have.", "crit")
    for name in _MUST_BE_CRITICAL:
        if name in header.members and name not in critical:
            header.breaks(HeaderRule.CRIT, f"{name} must be named in crit.", "crit")


def _read_shapes(header: ProtectedHeader) -> None:
    for name, (fits, expected) in _SHAPES.items():
        if name in header.members and not fits(header.members[name]):
            header.breaks(HeaderRule.SHAPE, f"{name} must be {expected}.", name)
    if "x5t" in header.members:
        header.breaks(HeaderRule.SHAPE, "x5t (SHA-1) is forbidden in JAdES.", "x5t")


def _read_certificates(header: ProtectedHeader) -> None:
    """Clauses 5.1.7, 5.1.8 and 5.2.2: exactly one reference to the signing certificate, whatever x5c holds."""
    chain = header.members.get("x5c", [])
    try:
        header.certificates = tuple(base64.b64decode(text, validate=True) for text in chain)
    except (TypeError, ValueError):
        header.breaks(HeaderRule.SIGNING_CERTIFICATE, "x5c must be an array of base64 DER certificates.", "x5c")
    references = [name for name in ("x5t#S256", "x5t#o", "sigX5ts") if name in header.members]
    if len(references) != 1:
        found = " and ".join(references) or "none of them"
        message = f"Exactly one of x5t#S256, x5t#o and sigX5ts must be there; there is {found}."
        header.breaks(HeaderRule.SIGNING_CERTIFICATE, message)
        return
    header.certificate_digest = _certificate_digest(references[0], header.members[references[0]])
    if header.certificate_digest is None:
        message = f"{references[0]} does not hold a digest that can be read."
        header.breaks(HeaderRule.SIGNING_CERTIFICATE, message, references[0])


def _certificate_digest(name: str, value: Any) -> CertificateDigest | None:
    if name == "sigX5ts":
        # The signing certificate comes first; a lone one belongs into x5t#o (clause 5.2.2.3).
        value = value[0] if isinstance(value, list) and len(value) > 1 else None
    elif name == "x5t#S256":
        value = {"digAlg": "S256", "digVal": value}
    if not isinstance(value, dict):
        return None
    algorithm = DIGESTS.get(str(value.get("digAlg")))
    try:
        digest = sealcore.base64url_decode(value.get("digVal", ""))
    except (TypeError, ValueError):
        return None
    return CertificateDigest(algorithm, digest) if algorithm and digest else None


def _read_signing_time(header: ProtectedHeader) -> None:
    """Clauses 5.1.11 and 5.2.1: iat or sigT, not both."""
    iat, sigt = header.members.get("iat"), header.members.get("sigT")
    if (iat is None) == (sigt is None):
        found = "neither is" if iat is None else "both are"
        header.breaks(HeaderRule.SIGNING_TIME, f"Either iat or sigT must be there; {found}.")
        return
    name, read, expected = (
        ("iat", _numeric_date, "a whole number of seconds since 1970")
        if sigt is None
        else ("sigT", _signing_time, "a time as 2024-07-01T12:00:00Z")
    )
    header.claimed_time = read(header.members[name])
    if header.claimed_time is None:
        header.breaks(HeaderRule.SIGNING_TIME, f"{name} must be {expected}.", name)
    elif sigt is not None and header.claimed_time >= SIGT_ENDED:
        message = "sigT is no longer a claimed signing time since 2025-07-15; iat is."
        header.breaks(HeaderRule.SIGT_ENDED, message, "sigT")


def _numeric_date(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _signing_time(value: object) -> datetime | None:
    if not isinstance(value, str) or not _SIGT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_object(value: object) -> bool:
    return isinstance(value, dict) and bool(value)


def _is_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


_SHAPES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "cty": (_is_text, "a string"),
    "kid": (_is_text, "a string"),
    "typ": (_is_text, "a string"),
    "x5u": (_is_text, "a string"),
    "x5c": (_is_texts, "an array of strings"),
    "sigD": (_is_object, "an object"),
    "sigPId": (lambda value: isinstance(value, dict) and isinstance(value.get("id"), dict), "an object with an id"),
    "sigPl": (_is_object, "an object"),
    "srCms": (_is_objects, "an array of objects"),
    "srAts": (_is_objects, "an array of objects"),
    "adoTst": (_is_object, "an object"),
}
