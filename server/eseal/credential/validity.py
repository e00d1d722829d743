"""What a credential's dates must keep to, beyond their form: SHACL lets a credential expire before it is valid."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from eseal.terms import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eseal.sealcore import Document

RULE: Final = "edc.dates"
BIRTH: Final = "/credentialSubject/dateOfBirth"
_ENDS: Final = ("/validUntil", "/expirationDate")


def date_faults(document: Document) -> list[Fault]:
    """The ends of validity that are not after its start and the issue, and a birth after the issue.

    Dates that cannot be read have faults of their own.
    """
    found, birth = ends(document), document.get(BIRTH)
    if not found and birth is None:
        return []
    faults = ended(found, document.get("/issued"), birth)
    start = moment(document.get("/validFrom")) if found else None
    told = {fault.pointer for fault in faults}
    return faults + [
        Fault(
            pointer,
            RULE,
            f"The credential would end ({end:%Y-%m-%d}) before it is valid ({start:%Y-%m-%d}, validFrom).",
        )
        for pointer, end in found
        if start is not None and end < start and pointer not in told
    ]


def ends(document: Document) -> tuple[tuple[str, datetime], ...]:
    """When a credential says that it ends, with the places that say so."""
    found = ((pointer, moment(document.get(pointer))) for pointer in _ENDS)
    return tuple((pointer, end) for pointer, end in found if end is not None)


def ended(found: Iterable[tuple[str, datetime]], issued: Any, birth: Any = None) -> list[Fault]:
    """What is wrong with these ends, and with a day of birth, if the credential is ``issued`` then."""
    at, born = moment(issued), moment(birth)
    if at is None:
        return []
    faults = [
        Fault(pointer, RULE, f"The credential has ended already ({end:%Y-%m-%d}) when it is issued ({at:%Y-%m-%d}).")
        for pointer, end in found
        if end <= at
    ]
    if born is not None and born > at:
        faults.append(Fault(BIRTH, RULE, "The date of birth is after the day of issue."))
    return faults


def moment(value: Any) -> datetime | None:
    """Read an xsd:dateTime; without a zone it is UTC. None for what is none."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
