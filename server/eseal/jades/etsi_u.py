"""The unprotected header (TS 119 182-1 clause 5.3): ``etsiU`` and nothing else.

Its elements come after the signature and are covered by no signature but that of an archive time-stamp, which hashes
them exactly as they stand. So an element keeps its ``text`` as received beside what it says.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eseal import sealcore
from eseal.terms import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

ETSI_U_RULE = "etsiU"
"""The rule of faults that leave the unprotected header unreadable: nothing it might prove is known."""

EXTENSION_RULE = "unknown-member"
"""The rule of faults that name what no JAdES defines and that nothing depends on."""

_ELEMENTS = frozenset(
    {
        "sigTst",
        "arcTst",
        "xVals",
        "rVals",
        "axVals",
        "arVals",
        "tstVD",
        "anyValData",
        "xRefs",
        "rRefs",
        "axRefs",
        "arRefs",
        "sigRTst",
        "rfsTst",
        "cSig",
        "sigPSt",
    }
)


@dataclass(frozen=True, slots=True)
class Element:
    """One element of etsiU. ``text`` is its base64url text as received; None where it came as clear JSON."""

    pointer: str
    name: str
    value: Any
    text: str | None


@dataclass(frozen=True, slots=True)
class EtsiU:
    """The elements in their order, and what is wrong with them; no elements where the header cannot be read."""

    elements: tuple[Element, ...] = ()
    faults: tuple[Fault, ...] = ()

    def named(self, *names: str) -> Iterator[Element]:
        """Yield the elements with one of these names, in order."""
        return (element for element in self.elements if element.name in names)

    @property
    def names(self) -> frozenset[str]:
        """The names of all elements."""
        return frozenset(element.name for element in self.elements)

    @property
    def readable(self) -> bool:
        """Whether the header could be read to its end."""
        return not any(fault.rule == ETSI_U_RULE for fault in self.faults)


def read_etsi_u(unprotected: dict[str, Any], pointer: str) -> EtsiU:
    """Read a parsed unprotected header, empty where there is none; ``pointer`` is where it stands in the document."""
    faults = list(_foreign_members(unprotected, pointer))
    if "etsiU" not in unprotected:
        return EtsiU(faults=tuple(faults))
    pointer = f"{pointer}/etsiU"
    items = unprotected["etsiU"]
    if not isinstance(items, list) or not items:
        return EtsiU(faults=(*faults, Fault(pointer, ETSI_U_RULE, "etsiU must be an array with at least one element.")))
    if len({isinstance(item, str) for item in items}) != 1:
        message = "The elements of etsiU must be all base64url strings or all objects, never mixed."
        return EtsiU(faults=(*faults, Fault(pointer, ETSI_U_RULE, message)))
    elements = []
    for index, item in enumerate(items):
        element = _element(item, f"{pointer}/{index}")
        if isinstance(element, Fault):
            return EtsiU(faults=(*faults, element))
        elements.append(element)
        if element.name not in _ELEMENTS:
            message = f"{element.name:.60} is not an element that JAdES defines."
            faults.append(Fault(element.pointer, EXTENSION_RULE, message))
    return EtsiU(tuple(elements), tuple(faults))


def binary(value: object) -> bytes:
    """Decode what stands for binary data inside an element: standard base64, as text or as ``{"val": text}``.

    Raise ValueError for anything else, non-canonical base64 included.
    """
    if isinstance(value, dict):
        value = value.get("val")
    try:
        data = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except binascii.Error:
        data = b""
    if not data or base64.b64encode(data).decode() != value:
        raise ValueError("Binary data must be canonical base64 text.")
    return data


def certificates(etsi_u: EtsiU) -> tuple[bytes, ...]:
    """All certificates that the unprotected header brings along, DER; what cannot be decoded is left out."""
    found = []
    for element in etsi_u.named("xVals", "axVals", "tstVD", "anyValData"):
        values = element.value
        if element.name in {"tstVD", "anyValData"} and isinstance(values, dict):
            values = values.get("xVals")
        for item in values if isinstance(values, list) else ():
            try:
                found.append(binary(item.get("x509Cert") if isinstance(item, dict) else None))
            except ValueError:
                continue
    return tuple(found)


def _foreign_members(unprotected: dict[str, Any], pointer: str) -> Iterator[Fault]:
    for name in unprotected:
        if name != "etsiU":
            message = f"The unprotected header may hold etsiU and nothing else, and holds {name:.60}."
            yield Fault(pointer, EXTENSION_RULE, message)


def _element(item: object, pointer: str) -> Element | Fault:
    text = item if isinstance(item, str) else None
    if text is not None:
        try:
            item = sealcore.Document.parse(sealcore.base64url_decode(text)).to_python()
        except ValueError:
            return Fault(pointer, ETSI_U_RULE, "The element of etsiU is not base64url of JSON.")
    if not isinstance(item, dict) or len(item) != 1:
        return Fault(pointer, ETSI_U_RULE, "The element of etsiU must be an object with exactly one member.")
    [(name, value)] = item.items()
    return Element(pointer, name, value, text)
