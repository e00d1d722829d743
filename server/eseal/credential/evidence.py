"""The evidence of a completed credential: mandates, and what stood there before.

A mandate's evidence carries its statement and, where the register has it, the signed agreement. The profiles ask things
of *every* evidence of a credential, so they meet here: under a mandate each needs a statement, in an accredited
credential each an accreditation, in a converted one each an embedded file.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from eseal.credential.nodes import Json, flat, media, said
from eseal.errors import InvalidInput
from eseal.terms import ACCREDITED_PROFILES, Fault, Profile
from eseal.vocabulary import vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from eseal.credential.sealer_part import Completion, MandateEvidence
    from eseal.sealcore import Document

MANDATE: Final = "c_18016257"
_OWN: Final = "urn:epass:evidence:mandate-"
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
# The statement that the Commission's issuer puts into every credential issued by mandate, word for word.
STANDARD_STATEMENT: Final = (
    "Every claim inside this credential is to be construed as having been made by the indicated awarding body, who "
    "maintains sole responsibility for said claim. By applying its electronic seal, the signing organisation certifies "
    "the correctness of origin of each claim, as having been made by the indicated awarding body."
)


def require_whole(document: Document) -> None:
    """Refuse evidence that a document says in several places, or under the names of the sealer's own.

    In a graph nodes of one id are one node: a mandate that is dropped here, or the sealer's own evidence, could be said or
    added to elsewhere. Raises InvalidInput (``EVIDENCE``).
    """
    given = flat(document.get("/evidence")) if document.has("/evidence") else []
    if not given and not document.mentions(_OWN):
        return
    text = document.canonical()
    dropped = sum(isinstance(one, dict) and str(one.get("id")).startswith(_OWN) and _is_mandate(one) for one in given)
    ids = [one["id"] for one in given if isinstance(one, dict) and isinstance(one.get("id"), str)]
    said = Counter(_STRING.findall(text)) if ids else Counter[bytes]()
    whole = all(said[json.dumps(one, ensure_ascii=False).encode()] == 1 for one in ids)
    if not whole or any(isinstance(one, str) for one in given) or text.count(f'"{_OWN}'.encode()) > dropped:
        message = "Each evidence is said in full, in one place, and under an id of its own."
        raise InvalidInput("EVIDENCE", f"/evidence: {message}", faults=[Fault("/evidence", "edc.evidence", message)])


def statement_in(statements: Mapping[str, str], languages: Sequence[str]) -> str:
    """A mandate's statement in the credential's languages, one paragraph each.

    Where it has none of them, the parties' own words are worth more than another's in the same language: it is their
    English statement, else their first, and the standard one only for a mandate without any. elm:evidenceStatement is one
    plain string, so languages share it.
    """
    spoken = [statements[language] for language in languages if language in statements]
    return "\n\n".join(spoken) or statements.get("en") or next(iter(statements.values()), STANDARD_STATEMENT)


def completed_evidence(
    given: Any, completion: Completion, *, profiles: AbstractSet[Profile], suffix: int
) -> list[Json]:
    """The evidence of the completed credential. ``given`` is what the document holds; old mandate evidence is dropped."""
    kept = [one for one in flat(given) if one and not _is_mandate(one)]
    if not completion.mandates:
        return kept
    statement = completion.mandates[0].statement
    shared = _shared_accreditation(kept) if profiles & ACCREDITED_PROFILES else {}
    made = [
        _evidence(
            mandate,
            shared,
            completion.evidence_languages,
            converted=Profile.CONVERTED in profiles,
            name=f"{suffix}-{number}",
        )
        for number, mandate in enumerate(completion.mandates, start=1)
    ]
    return [*(_with_statement(one, statement) for one in kept), *made]


def _evidence(mandate: MandateEvidence, shared: Json, languages: Sequence[str], *, converted: bool, name: str) -> Json:
    agreement, file = mandate.agreement, None
    if agreement is not None:
        title = {"en": agreement.title} if agreement.title else None
        file = media(
            f"urn:epass:mediaObject:agreement-{name}", agreement.media_type, agreement.content, title, labelled=False
        )
    elif converted:
        file = media(
            f"urn:epass:mediaObject:statement-{name}", "text/plain", mandate.statement.encode(), labelled=False
        )
    return {
        "id": f"{_OWN}{name}",
        "type": "Evidence",
        "dcType": vocabulary("evidence-type").concept(MANDATE, languages),
        "evidenceStatement": mandate.statement,
        **said(embeddedEvidence=file),
        **shared,
    }


def _shared_accreditation(evidence: Sequence[Any]) -> Json:
    """The accreditation of the credential, for the evidence that has none of its own."""
    found = (one["accreditation"] for one in evidence if isinstance(one, dict) and one.get("accreditation"))
    return said(accreditation=next(found, None))


def _with_statement(evidence: Any, statement: str) -> Any:
    if isinstance(evidence, dict) and not evidence.get("evidenceStatement"):
        return {**evidence, "evidenceStatement": statement}
    return evidence


def _is_mandate(evidence: Any) -> bool:
    kind = evidence.get("dcType") if isinstance(evidence, dict) else None
    iri = vocabulary("evidence-type").base + MANDATE
    return any(one == iri or (isinstance(one, dict) and one.get("id") == iri) for one in flat(kind))
