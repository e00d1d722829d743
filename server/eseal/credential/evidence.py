"""The evidence of a completed credential: mandates, and what stood there before.

A mandate's evidence carries its statement and, where the register has it, the signed agreement. The profiles ask things
of *every* evidence of a credential, so they meet here: under a mandate each needs a statement, in an accredited
credential each an accreditation, in a converted one each an embedded file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eseal.credential.nodes import Json, media, said
from eseal.credential.vocabulary import vocabulary
from eseal.terms import ACCREDITED_PROFILES, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from eseal.credential.sealer_part import Completion, MandateEvidence

MANDATE: Final = "c_18016257"
# The statement that the Commission's issuer puts into every credential issued by mandate, word for word.
STANDARD_STATEMENT: Final = (
    "Every claim inside this credential is to be construed as having been made by the indicated awarding body, who "
    "maintains sole responsibility for said claim. By applying its electronic seal, the signing organisation certifies "
    "the correctness of origin of each claim, as having been made by the indicated awarding body."
)


def statement_in(statements: Mapping[str, str], languages: Sequence[str]) -> str:
    """A mandate's statement in the credential's languages, one paragraph each; the standard one where it has none.

    elm:evidenceStatement is one plain string, so languages share it.
    """
    spoken = [statements[language] for language in languages if language in statements]
    return "\n\n".join(spoken) or STANDARD_STATEMENT


def completed_evidence(
    given: Any, completion: Completion, *, profiles: AbstractSet[Profile], suffix: int
) -> list[Json]:
    """The evidence of the completed credential. ``given`` is what the document holds; old mandate evidence is dropped."""
    kept = [one for one in (given if isinstance(given, list) else [given]) if one and not _is_mandate(one)]
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
        "id": f"urn:epass:evidence:mandate-{name}",
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
    kinds = kind if isinstance(kind, list) else [kind]
    iri = vocabulary("evidence-type").base + MANDATE
    return any(one == iri or (isinstance(one, dict) and one.get("id") == iri) for one in kinds)
