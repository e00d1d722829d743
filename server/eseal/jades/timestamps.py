"""The time-stamps of a signature, and whether each is over the bytes that its place says it covers.

The imprints (TS 119 182-1 clauses 5.2.6 and 5.3) are over texts as received: a signature time-stamp covers the
base64url text of the signature, an archive time-stamp the payload, the protected header, the signature and every
element of etsiU before it, joined as ``payload.protected.signature.elements``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from eseal.jades.etsi_u import Element, EtsiU, binary, certificates
from eseal.jades.tokens import InvalidToken, Token, read_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_REFERENCES = ("xRefs", "rRefs", "axRefs", "arRefs")


@dataclass(frozen=True, slots=True)
class Timestamp:
    """One time-stamp token where it was found.

    ``kind`` is the name of its element. ``token`` is None where the bytes are no token whose own signature verifies.
    ``intact`` says whether the token covers the bytes that it should; None where that cannot be said, because those
    bytes are not at hand. ``reason`` says why, where ``token`` is None or ``intact`` is not True.
    """

    pointer: str
    kind: str
    token: Token | None
    intact: bool | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """What time-stamps are over. ``payload`` is as in the signing input; None where it is not at hand."""

    payload: bytes | None
    protected: str
    signature_text: str


def content_timestamps(ado_tst: object, signed: Signed, *, pointer: str, etsi_u: EtsiU) -> tuple[Timestamp, ...]:
    """Check the tokens of ``adoTst`` (clause 5.2.6), which cover the payload."""
    covered = None if signed.payload is None else [signed.payload]
    missing = "The content that the time-stamp covers is not at hand."
    return tuple(
        _timestamps("adoTst", ado_tst, pointer=pointer, covered=_Covered(covered, missing, certificates(etsi_u)))
    )


def unsigned_timestamps(etsi_u: EtsiU, signed: Signed) -> tuple[Timestamp, ...]:
    """Check the tokens of every time-stamp in ``etsi_u`` (clauses 5.3.4 and 5.3.5), in their order."""
    known = certificates(etsi_u)
    found: list[Timestamp] = []
    for index, element in enumerate(etsi_u.elements):
        covers = _COVERED.get(element.name)
        if covers is None:
            continue
        covered = covers(signed, etsi_u.elements[:index])
        missing = (
            "The content that the time-stamp covers is not at hand."
            if element.text is not None or element.name == "sigTst"
            else "The time-stamp covers clear JSON, for which no canonical form is defined here."
        )
        found.extend(
            _timestamps(element.name, element.value, pointer=element.pointer, covered=_Covered(covered, missing, known))
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Covered:
    data: list[bytes] | None
    missing: str
    known_certificates: tuple[bytes, ...]


def _timestamps(kind: str, container: object, *, pointer: str, covered: _Covered) -> Iterator[Timestamp]:
    tokens = container.get("tstTokens") if isinstance(container, dict) else None
    if not isinstance(tokens, list) or not tokens:
        yield Timestamp(pointer, kind, None, intact=False, reason=f"{kind} holds no time-stamp tokens.")
        return
    for index, item in enumerate(tokens):
        place = f"{pointer}/tstTokens/{index}"
        try:
            token = read_token(binary(item), covered.known_certificates)
        except InvalidToken as error:
            yield Timestamp(place, kind, None, intact=False, reason=str(error))
        except ValueError:
            yield Timestamp(place, kind, None, intact=False, reason="The time-stamp token is not base64.")
        else:
            yield _judged(place, kind, token, covered=covered)


def _judged(place: str, kind: str, token: Token, *, covered: _Covered) -> Timestamp:
    if covered.data is None:
        return Timestamp(place, kind, token, intact=None, reason=covered.missing)
    if token.covers(covered.data):
        return Timestamp(place, kind, token, intact=True)
    reason = f"The {kind} time-stamp is over other bytes than those it stands for."
    return Timestamp(place, kind, token, intact=False, reason=reason)


def _signature_covered(signed: Signed, _before: Sequence[Element]) -> list[bytes]:
    """Clause 5.3.4: sigTst covers the base64url text of the signature."""
    return [signed.signature_text.encode()]


def _archive_covered(signed: Signed, before: Sequence[Element]) -> list[bytes] | None:
    """Clause 5.3.6.2: arcTst covers everything before it, the elements joined without a separator."""
    texts = [element.text for element in before]
    if signed.payload is None or None in texts:
        return None
    elements = "".join(text for text in texts if text is not None)
    return [signed.payload, f".{signed.protected}.{signed.signature_text}.{elements}".encode()]


def _signature_and_references_covered(signed: Signed, before: Sequence[Element]) -> list[bytes] | None:
    """Clause 5.3.5.5: sigRTst covers the signature, its time-stamps and the references before it."""
    texts = _texts(before, ("sigTst", *_REFERENCES))
    return None if texts is None else [f"{signed.signature_text}.{texts}".encode()]


def _references_covered(_signed: Signed, before: Sequence[Element]) -> list[bytes] | None:
    """Clause 5.3.5.6: rfsTst covers the references before it."""
    texts = _texts(before, _REFERENCES)
    return None if texts is None else [texts.encode()]


def _texts(before: Sequence[Element], names: tuple[str, ...]) -> str | None:
    texts = [element.text for element in before if element.name in names]
    return None if None in texts else "".join(text for text in texts if text is not None)


_COVERED = {
    "sigTst": _signature_covered,
    "arcTst": _archive_covered,
    "sigRTst": _signature_and_references_covered,
    "rfsTst": _references_covered,
}
