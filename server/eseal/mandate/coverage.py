"""The rules that hold an award's facts against a scope, and against the limits of an accreditation.

Everything that a scope limits must be said by the credential and lie within: what is not said is not known to be
covered. ECTS alone are different: no credits are no more than the maximum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eseal.mandate.rules import Award, Rule, refusal, shortened
from eseal.mandate.scope import falls_under
from eseal.terms import Profile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from eseal.mandate.files import Accreditation, Member
    from eseal.mandate.scope import Narrowing
    from eseal.terms import AwardFacts, AwardingBody, Refusal

_SHOWN = 10


def scope_refusals(scope: Narrowing, facts: AwardFacts, *, holder: str, subject: str) -> Iterator[Refusal]:
    """Yield what of the award lies outside ``scope``; ``holder`` says whose scope it is, as messages call it."""
    # The mandate profile comes with being sealed under a mandate; the generic one is what every EDC conforms to.
    profiles = (facts.profiles - {Profile.MANDATE}) or {Profile.GENERIC}
    if not isinstance(scope.profiles, str):
        yield from _listed(Rule.SCOPE_PROFILE, "profile", profiles, scope.profiles, holder=holder, subject=subject)
    if not isinstance(scope.opportunity_types, str):
        stated = facts.opportunity_types
        rule, what = Rule.SCOPE_OPPORTUNITY_TYPE, "type of learning opportunity"
        yield from _listed(rule, what, stated, scope.opportunity_types, holder=holder, subject=subject)
    if not isinstance(scope.eqf, str):
        levels = frozenset(range(scope.eqf.lowest, scope.eqf.highest + 1))
        yield from _listed(Rule.SCOPE_EQF, "EQF level", facts.eqf_levels, levels, holder=holder, subject=subject)
    if not isinstance(scope.ects_maximum, str) and facts.ects is not None and facts.ects > scope.ects_maximum:
        carried = str(facts.ects) if facts.ects.is_finite() else "credits that are not a number"
        message = f"{holder} covers at most {scope.ects_maximum} ECTS, and the credential carries {carried}"
        yield refusal(Rule.SCOPE_ECTS, message, subject)
    if not isinstance(scope.isced_f, str):
        yield from _fields(Rule.SCOPE_ISCED_F, facts.isced_f, scope.isced_f, holder=holder, subject=subject)
    if not isinstance(scope.languages, str):
        stated = facts.languages
        yield from _listed(Rule.SCOPE_LANGUAGE, "language", stated, scope.languages, holder=holder, subject=subject)
    if not isinstance(scope.countries, str):
        rule, what = Rule.SCOPE_COUNTRY, "country of an awarding body"
        yield from _listed(rule, what, facts.countries, scope.countries, holder=holder, subject=subject)


def accreditation_refusals(award: Award, member: Member, body: AwardingBody) -> list[Refusal]:
    """Judge whether the credential names an accreditation of ``member`` that covers the award, as the QDR judges it.

    One that covers it is enough; where none does, the refusals of the closest one.
    """
    stated = award.facts.accreditations
    if not stated:
        message = f"the credential names no accreditation of {member.id}, and needs one (evidence.accreditation.id)"
        return [refusal(Rule.ACCREDITATION_STATED, message, member.id)]
    known = [accreditation for accreditation in member.accreditations if accreditation.id in stated]
    if not known:
        message = (
            f"the register lists for {member.id} none of the accreditations that the credential names: {_said(stated)}"
        )
        return [refusal(Rule.ACCREDITATION_KNOWN, message, member.id)]
    return min((list(_limits(award, accreditation, body)) for accreditation in known), key=len)


def _limits(award: Award, accreditation: Accreditation, body: AwardingBody) -> Iterator[Refusal]:
    holder = f"accreditation {accreditation.id}"
    subject, facts = accreditation.id, award.facts
    ended = accreditation.expiry_date is not None and award.today > accreditation.expiry_date
    # The QDR compares the credential's day of issue, which is the day of sealing.
    if ended or award.today < accreditation.date_issued:
        until = accreditation.expiry_date or "further notice"
        message = f"{holder} runs from {accreditation.date_issued} to {until}, and today is {award.today}"
        yield refusal(Rule.ACCREDITATION_IN_FORCE, message, subject)
    if not isinstance(accreditation.limit_qualifications, str):
        rule, limit = Rule.ACCREDITATION_QUALIFICATION, accreditation.limit_qualifications
        yield from _listed(rule, "qualification", facts.qualifications, limit, holder=holder, subject=subject)
    if not isinstance(accreditation.limit_eqf_levels, str):
        rule, levels = Rule.ACCREDITATION_EQF, accreditation.limit_eqf_levels
        yield from _listed(rule, "EQF level", facts.eqf_levels, levels, holder=holder, subject=subject)
    if not isinstance(accreditation.limit_isced_f, str):
        rule, fields = Rule.ACCREDITATION_ISCED_F, accreditation.limit_isced_f
        yield from _fields(rule, facts.isced_f, fields, holder=holder, subject=subject)
    if not isinstance(accreditation.limit_jurisdictions, str):
        units = body.spatial_codes or body.countries
        limit = accreditation.limit_jurisdictions
        outside = frozenset(unit for unit in units if not _lies_in(unit, limit))
        if outside or not units:
            where = f"is in {_said(outside)}" if outside else "names no territorial unit"
            message = f"{holder} is limited to {_said(limit)}, and the awarding body {where}"
            yield refusal(Rule.ACCREDITATION_JURISDICTION, message, subject)


def _listed(
    rule: Rule,
    what: str,
    stated: Collection[str] | Collection[int],
    allowed: Collection[str] | Collection[int],
    *,
    holder: str,
    subject: str,
) -> Iterator[Refusal]:
    outside = frozenset(stated) - frozenset(allowed)
    if outside or not stated:
        yield refusal(rule, f"{holder} covers {what} {_said(allowed)}, {_against(outside)}", subject)


def _fields(
    rule: Rule, stated: frozenset[str], allowed: frozenset[str], *, holder: str, subject: str
) -> Iterator[Refusal]:
    outside = frozenset(code for code in stated if not falls_under(code, allowed))
    if outside or not stated:
        message = f"{holder} covers ISCED-F field {_said(allowed)} and what is under it, {_against(outside)}"
        yield refusal(rule, message, subject)


def _lies_in(unit: str, limits: frozenset[str]) -> bool:
    """Whether an ATU code is one of ``limits`` or lies under one: IRL_CTH_DUB lies in IRL_CTH and in IRL."""
    return any(unit == limit or unit.startswith(f"{limit}_") for limit in limits)


def _said(values: Collection[object]) -> str:
    """List values; what callers write may be long, and a message is for reading."""
    shown = [shortened(str(value)) for value in sorted(values, key=str)[:_SHOWN]]
    more = len(values) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _against(outside: Collection[object]) -> str:
    return f"and the credential says {_said(outside)}" if outside else "and the credential says none"
