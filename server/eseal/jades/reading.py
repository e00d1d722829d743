"""Reading a JAdES document: every signature in it, with what it covers, what it carries and which rules it breaks.

``read`` refuses only what is no JWS at all. Everything else is described, so that one report can say all that is wrong.
No signature value is verified here: that is done for a whole batch at once, by whoever asked.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eseal import sealcore
from eseal.errors import InvalidInput
from eseal.jades.detached import Content, Found, SignedContent, signed_content
from eseal.jades.etsi_u import ETSI_U_RULE, EXTENSION_RULE, EtsiU, certificates, read_etsi_u
from eseal.jades.levels import reached
from eseal.jades.rules import PROFILE_RULES, ProtectedHeader, read_header
from eseal.jades.timestamps import Signed, Timestamp, content_timestamps, unsigned_timestamps
from eseal.terms import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAX_COUNTER_SIGNATURES_DEEP = 4


@dataclass(frozen=True, slots=True)
class JadesSignature:
    """One signature. ``certificate`` (DER) is the one that the header names by its digest; None where none fits.

    The signing input is ``protected``, a full stop, ``content.signed``. ``timestamps`` are those of the protected
    header, then those of etsiU in their order. ``level`` is what the structure reaches.
    """

    pointer: str
    protected: str
    signature: bytes
    header: ProtectedHeader
    content: SignedContent
    etsi_u: EtsiU
    certificate: bytes | None
    certificates: tuple[bytes, ...]
    timestamps: tuple[Timestamp, ...]
    counter_signatures: tuple[JadesSignature, ...]
    level: str
    faults: tuple[Fault, ...]

    @property
    def claimed_certificate(self) -> bytes | None:
        """The certificate whose key must verify the signature: the named one, else the first of x5c."""
        return self.certificate or next(iter(self.header.certificates), None)

    def with_counter_signatures(self) -> Iterator[JadesSignature]:
        """Yield this signature, then all counter-signatures on it, each before those on itself."""
        yield self
        for counter_signature in self.counter_signatures:
            yield from counter_signature.with_counter_signatures()


@dataclass(frozen=True, slots=True)
class JadesDocument:
    """A JAdES document. ``data`` is the content that was sealed, None where it is kept elsewhere and not at hand."""

    serialization: str
    data: bytes | None
    signatures: tuple[JadesSignature, ...]
    faults: tuple[Fault, ...]


def read(document: bytes, detached: Sequence[bytes | Content] = ()) -> JadesDocument:
    """Read a JAdES document in general, flattened or compact serialisation.

    ``detached`` holds the contents that the document leaves out, in the order of its references or with their names.
    Raise InvalidInput for what is not a JWS (RFC 7515): malformed JSON, duplicate members, a missing or mistyped part.
    """
    try:
        jws = sealcore.parse_jws(document)
    except sealcore.InvalidJws as error:
        fault = Fault(error.pointer, "jws", str(error))
        raise InvalidInput("NOT_A_JWS", f"The document is not a JWS (RFC 7515): {error}.", faults=[fault]) from error
    contents = [content if isinstance(content, Content) else Content(content) for content in detached]
    signatures = tuple(
        _signature(signature, jws.payload, contents=contents, pointer=pointer)
        for pointer, signature in zip(_pointers(jws), jws.signatures, strict=True)
    )
    # A flattened document is its own signature object, which names the unknown members itself.
    faults = tuple(_unknown(name, "") for name in jws.extra if jws.serialization == "general")
    data = next((signature.content.data for signature in signatures), None)
    return JadesDocument(jws.serialization, data, signatures, faults)


def _pointers(jws: sealcore.Jws) -> Iterator[str]:
    general = jws.serialization == "general"
    return (f"/signatures/{index}" if general else "" for index, _ in enumerate(jws.signatures))


def _unknown(name: str, pointer: str) -> Fault:
    return Fault(pointer, EXTENSION_RULE, f"{name!r:.60} is not a member of a JWS.")


def _signature(
    signature: sealcore.JwsSignature, payload: bytes | None, *, contents: Sequence[Content], pointer: str
) -> JadesSignature:
    header = read_header(signature.header.to_python(), f"{pointer}/protected")
    return _described(signature, header, signed_content(header, payload, contents), pointer=pointer)


def _described(
    signature: sealcore.JwsSignature,
    header: ProtectedHeader,
    content: SignedContent,
    *,
    pointer: str,
    depth: int = 0,
) -> JadesSignature:
    unprotected: Any = signature.unprotected.to_python() if signature.unprotected is not None else {}
    etsi_u = read_etsi_u(unprotected, f"{pointer}/header")
    signed = Signed(content.stamped, signature.protected, signature.signature_text)
    available = (*header.certificates, *certificates(etsi_u))
    counter_signatures, counter_faults = _counter_signatures(signature, etsi_u, depth)
    timestamps: tuple[Timestamp, ...] = ()
    if "adoTst" in header.members:
        place = f"{header.pointer}/adoTst"
        timestamps = content_timestamps(header.members["adoTst"], signed, pointer=place, etsi_u=etsi_u)
    unknown = [_unknown(name, pointer) for name in signature.extra]
    faults = (*header.faults, *etsi_u.faults, *counter_faults, *unknown)
    is_jades = not any(fault.rule in PROFILE_RULES for fault in faults)
    return JadesSignature(
        pointer=pointer,
        protected=signature.protected,
        signature=signature.signature,
        header=header,
        content=content,
        etsi_u=etsi_u,
        certificate=_named_certificate(header, available),
        certificates=available,
        timestamps=(*timestamps, *unsigned_timestamps(etsi_u, signed)),
        counter_signatures=counter_signatures,
        level=reached(etsi_u.names, is_jades=is_jades),
        faults=faults,
    )


def _named_certificate(header: ProtectedHeader, available: Sequence[bytes]) -> bytes | None:
    named = header.certificate_digest
    if named is None:
        return None
    for der in available:
        if hmac.compare_digest(hashlib.new(named.algorithm, der).digest(), named.value):
            return der
    return None


def _counter_signatures(
    signature: sealcore.JwsSignature, etsi_u: EtsiU, depth: int
) -> tuple[tuple[JadesSignature, ...], tuple[Fault, ...]]:
    """Clause 5.3.2: each cSig is a JWS whose payload is the signature that it countersigns."""
    found: list[JadesSignature] = []
    faults: list[Fault] = []
    for element in etsi_u.named("cSig"):
        try:
            jws = _nested_jws(element.value)
        except (ValueError, TypeError):
            faults.append(Fault(element.pointer, ETSI_U_RULE, "The counter-signature is not a JWS."))
            continue
        if depth >= _MAX_COUNTER_SIGNATURES_DEEP:
            faults.append(Fault(element.pointer, ETSI_U_RULE, "Counter-signatures stand too deep inside one another."))
            continue
        for pointer, nested in zip(_pointers(jws), jws.signatures, strict=True):
            place = f"{element.pointer}/cSig{pointer}"
            header = read_header(nested.header.to_python(), f"{place}/protected", counter_signature=True)
            content = _countersigned(header, jws.payload, signature)
            found.append(_described(nested, header, content, pointer=place, depth=depth + 1))
    return tuple(found), tuple(faults)


def _nested_jws(value: Any) -> sealcore.Jws:
    if isinstance(value, str):
        return sealcore.parse_jws(value.encode())
    return sealcore.parse_jws(sealcore.Document.from_python(value).canonical())


def _countersigned(header: ProtectedHeader, payload: bytes | None, signature: sealcore.JwsSignature) -> SignedContent:
    expected = signature.signature_text.encode() if header.b64 else signature.signature
    if payload and payload != expected:
        reason = "The counter-signature is on another signature than the one that carries it."
        return SignedContent(Found.HASH_FAILURE, payload, payload, reason=reason)
    return SignedContent(Found.YES, expected, expected, signature.signature)
