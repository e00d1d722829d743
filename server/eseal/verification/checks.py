"""The checks on the credential inside a seal, by the names of the Europass viewer, and two of our own.

FORMAT, REVOCATION, ACCREDITATION and VALIDITY are the Commission's. MANDATE asks whether the one who sealed may speak
for the one who awarded; ANNEX_I tells which elements of a micro-credential are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol

from eseal.credential.annex_i import annex_i
from eseal.credential.facts import award_facts
from eseal.credential.graph import Graph
from eseal.credential.likeness import once_a_course
from eseal.mandate.identifiers import key, organization_key
from eseal.terms import Profile
from eseal.verification.report import Check, Status, signer_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eseal.credential.graph import Node
    from eseal.sealcore import Document
    from eseal.terms import AwardFacts, AwardingBody, Fault, LegalEntity, Refusal

MANDATE_EVIDENCE = "http://data.europa.eu/snb/evidence-type/c_18016257"
"""``dcType`` of evidence that somebody seals on behalf of the awarding body."""

_CREDENTIAL_TYPE = "EuropeanDigitalCredential"
_FAULTS_SHOWN = 20
NOT_A_CREDENTIAL = Check(Status.SKIPPED, ("The content is not a European Digital Credential.",))


class MandateRegister(Protocol):
    """Whoever keeps the mandates, asked after the fact."""

    def objections(self, facts: AwardFacts, *, sealer: LegalEntity, sealed_at: datetime) -> Sequence[Refusal]:
        """Return what speaks against ``sealer`` having sealed this award then; nothing where the register agrees."""


def is_credential(document: Document) -> bool:
    """Whether a JSON document says that it is a European Digital Credential."""
    types = document.get("/type")
    return types == _CREDENTIAL_TYPE or (isinstance(types, list) and _CREDENTIAL_TYPE in types)


def format_check(faults: Sequence[Fault]) -> Check:
    """Check FORMAT: the credential against the profiles that it names."""
    if not faults:
        return Check(Status.OK)
    reasons = [f"{fault.pointer or '/'}: {fault.message} [{fault.rule}]" for fault in faults[:_FAULTS_SHOWN]]
    if len(faults) > _FAULTS_SHOWN:
        reasons.append(f"and {len(faults) - _FAULTS_SHOWN} more; `eseal check` lists them all.")
    return Check(Status.ERROR, tuple(reasons))


def revocation_check() -> Check:
    """Check REVOCATION: of the credential, not of the seal's certificate."""
    reason = "European Digital Credentials have no status mechanism yet: withdrawal cannot be seen from the document."
    return Check(Status.SKIPPED, (reason,))


def accreditation_check(document: Document) -> Check:
    """Check ACCREDITATION: only an accredited award claims one; the EU register (QDR) is not asked here."""
    if Profile.ACCREDITED not in award_facts(document).profiles:
        return Check(Status.SKIPPED, ("The credential does not claim to be an accredited award.",))
    if not Graph(document.to_python()).root.nodes("evidence", "accreditation"):
        reason = "The credential claims to be an accredited award, and no evidence names the accreditation."
        return Check(Status.ERROR, (reason,))
    reason = "The evidence names an accreditation; the EU's register of accreditations was not asked."
    return Check(Status.SKIPPED, (reason,))


def validity_check(document: Document, at: datetime) -> Check:
    """Check VALIDITY: ``expirationDate`` and ``validUntil`` not past, ``validFrom`` not to come."""
    reasons = []
    for name, is_end in (("expirationDate", True), ("validUntil", True), ("validFrom", False)):
        value = document.get(f"/{name}")
        if value is None:
            continue
        moment = _moment(value, is_end=is_end)
        if moment is None:
            reasons.append(f"{name} is not a date that can be read.")
        elif is_end and moment < at:
            reasons.append(f"The credential expired: its {name} is {value:.40}.")
        elif not is_end and moment > at:
            reasons.append(f"The credential is not valid yet: its {name} is {value:.40}.")
    return Check(Status.ERROR if reasons else Status.OK, tuple(reasons))


@dataclass(frozen=True, slots=True)
class Awarded:
    """What a credential says of its award and its sealing, and not of the learner.

    ``issuer`` are the eIDAS identifiers of who issued it; ``mandated`` that it holds evidence of a mandate; ``missing``
    the mandatory elements of Annex I that it lacks, by their official names, beside the optional ones.
    """

    facts: AwardFacts
    issuer: tuple[str, ...]
    mandated: bool
    missing: tuple[str, ...]
    optional_present: tuple[str, ...] = ()
    optional_missing: tuple[str, ...] = ()


@once_a_course(256)
def awarded(document: Document) -> Awarded:
    """Read a credential for the checks MANDATE and ANNEX_I."""
    root, elements = Graph(document.to_python()).root, annex_i(document)
    return Awarded(
        facts=award_facts(document),
        issuer=tuple(node.literal("notation") for node in root.nodes("issuer", "eIDASIdentifier")),
        mandated=any(_is_mandate(evidence) for evidence in root.nodes("evidence")),
        missing=elements.missing,
        optional_present=elements.optional_present,
        optional_missing=elements.optional_missing,
    )


def mandate_check(
    award: Awarded, sealer: LegalEntity | None, *, sealed_at: datetime, register: MandateRegister | None
) -> Check:
    """Check MANDATE: the issuer is who sealed, and who sealed is who awarded or shows a mandate."""
    if sealer is None:
        return Check(Status.SKIPPED, ("Who sealed is not known.",))
    reasons = list(_wrong_issuer(award.issuer, sealer))
    bodies = award.facts.awarding_bodies
    others = [body for body in bodies if not _is_sealer(body, sealer)]
    if not bodies:
        reasons.append("The credential names no awarding body.")
    elif others and not award.mandated:
        reasons.append(f"{signer_name(sealer)} did not award this, and the credential shows no mandate to seal it.")
    if register is not None and others:
        refusals = register.objections(award.facts, sealer=sealer, sealed_at=sealed_at)
        reasons.extend(f"{refusal.message} [{refusal.rule}]" for refusal in refusals)
    if reasons:
        return Check(Status.ERROR, tuple(reasons))
    if not others:
        return Check(Status.OK, ("The awarding body sealed its own award.",))
    agreed = "and the register agrees" if register else "the register was not asked"
    return Check(Status.OK, (f"Sealed under mandate: the evidence is there, {agreed}.",))


def annex_i_check(award: Awarded) -> Check:
    """Check ANNEX_I: advisory, because not every credential is a micro-credential. Optional elements decide nothing."""
    optional = (("there", award.optional_present), ("not there", award.optional_missing))
    named = tuple(f"Optional, {how}: {'; '.join(elements)}." for how, elements in optional if elements)
    if not award.missing:
        return Check(Status.OK, named)
    return Check(Status.SKIPPED, (*(f"Not there: {element}." for element in award.missing), *named))


def _wrong_issuer(identifiers: tuple[str, ...], sealer: LegalEntity) -> Iterator[str]:
    """Say where they differ: the issuer node is written from the certificate at sealing."""
    if not sealer.organization_identifier:
        yield "The seal certificate has no organizationIdentifier: it names no legal person that an issuer could be."
    elif identifiers != (sealer.organization_identifier,):
        found = ", ".join(f"{identifier:.60}" for identifier in identifiers) or "nobody"
        yield f"The issuer is {found}, and the seal certificate is that of {sealer.organization_identifier}."


def _is_sealer(body: AwardingBody, sealer: LegalEntity) -> bool:
    if body.identifiers:
        # NTRNL-08164880 is the number 08164880 in the trade register of the Netherlands (EN 319 412-1 clause 5.1.4).
        return organization_key(sealer.organization_identifier) in {key(identifier) for identifier in body.identifiers}
    return sealer.legal_name.casefold() in {name.casefold() for name in body.legal_names.values()}


def _is_mandate(evidence: Node) -> bool:
    kinds = {kind.id for kind in evidence.nodes("dcType")}
    return MANDATE_EVIDENCE in kinds and bool(
        evidence.values("evidenceStatement") or evidence.values("embeddedEvidence")
    )


def _moment(value: object, *, is_end: bool) -> datetime | None:
    """Read a date or a date-time; a date ends with its day, and without an offset it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("2026-01-31"):
            day = date.fromisoformat(value) + timedelta(days=1 if is_end else 0)
            return datetime.combine(day, time(), UTC)
        moment = datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
