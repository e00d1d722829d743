"""The rules of the mandate policy, by their stable names, and those that look at one mandate.

A rule is a function that yields a Refusal for what it finds against the award; yielding nothing is agreement. No rule
looks at another's answer, so that all that refuse are told at once. ``docs/mandate.md`` has an example of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from eseal.mandate.scope import Period
from eseal.terms import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from eseal.mandate.files import Mandate, Member
    from eseal.mandate.register import Register
    from eseal.terms import AwardFacts, AwardingBody


class Rule(StrEnum):
    """Every rule that may refuse."""

    CALLER_KNOWN = "caller-known"
    CALLER_ACTIVE = "caller-active"
    CALLER_ACTS_FOR_AWARDING_BODY = "caller-acts-for-awarding-body"
    AWARDING_BODY_STATED = "awarding-body-stated"
    AWARDING_BODY_IDENTIFIED = "awarding-body-identified"
    AWARDING_BODY_UNAMBIGUOUS = "awarding-body-unambiguous"
    AWARDING_BODY_IDENTIFIERS_AGREE = "awarding-body-identifiers-agree"
    AWARDING_BODY_IS_MEMBER = "awarding-body-is-member"
    AWARDING_BODY_MEMBER_ON_AWARD_DATE = "awarding-body-member-on-award-date"
    MANDATE_EXISTS = "mandate-exists"
    MANDATE_SIGNED = "mandate-signed"
    MANDATE_DUAL_CONTROL = "mandate-dual-control"
    MANDATE_IN_FORCE = "mandate-in-force"
    MANDATE_IN_FORCE_ON_AWARD_DATE = "mandate-in-force-on-award-date"
    MANDATE_NOT_SUSPENDED = "mandate-not-suspended"
    MANDATE_NOT_WITHDRAWN = "mandate-not-withdrawn"
    SCOPE_PROFILE = "scope-profile"
    SCOPE_OPPORTUNITY_TYPE = "scope-opportunity-type"
    SCOPE_EQF = "scope-eqf"
    SCOPE_ECTS = "scope-ects"
    SCOPE_ISCED_F = "scope-isced-f"
    SCOPE_LANGUAGE = "scope-language"
    SCOPE_COUNTRY = "scope-country"
    JOINT_AWARD_ALLOWED = "joint-award-allowed"
    JOINT_AWARD_PARTNER = "joint-award-partner"
    JOINT_AWARD_OUTSIDE_BODY = "joint-award-outside-body"
    ACCREDITATION_STATED = "accreditation-stated"
    ACCREDITATION_KNOWN = "accreditation-known"
    ACCREDITATION_IN_FORCE = "accreditation-in-force"
    ACCREDITATION_QUALIFICATION = "accreditation-qualification"
    ACCREDITATION_EQF = "accreditation-eqf"
    ACCREDITATION_ISCED_F = "accreditation-isced-f"
    ACCREDITATION_JURISDICTION = "accreditation-jurisdiction"
    QUOTA_DAILY = "quota-daily"
    QUOTA_TOTAL = "quota-total"


# Rules about the mandate's own life: a mandate that fails one of them is further from granting than one that is merely
# too narrow, and is not the one that a refusal should talk about.
LIFE = frozenset(
    {
        Rule.MANDATE_SIGNED,
        Rule.MANDATE_DUAL_CONTROL,
        Rule.MANDATE_IN_FORCE,
        Rule.MANDATE_IN_FORCE_ON_AWARD_DATE,
        Rule.MANDATE_NOT_WITHDRAWN,
    }
)


# What passes by itself: a mandate that only fails these is the one that covers the award.
PASSING = frozenset({Rule.MANDATE_NOT_SUSPENDED, Rule.QUOTA_DAILY, Rule.QUOTA_TOTAL})

_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Award:
    """What is judged: the award's facts, the alliance's days they are judged on, and who awards it with whom.

    ``award_days`` are the first and the last day on which something in it was awarded; one, where they are the same.
    """

    register: Register
    facts: AwardFacts
    today: date
    award_days: tuple[date, ...]
    members: tuple[Member, ...]
    outside: tuple[AwardingBody, ...]

    @property
    def joint(self) -> bool:
        """Whether several bodies award together."""
        return len(self.members) + len(self.outside) > 1


def shortened(text: str) -> str:
    """Cut what a caller wrote to what a message can bear."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def refusal(rule: Rule, message: str, subject: str) -> Refusal:
    """Make a Refusal whose message is a sentence."""
    return Refusal(rule.value, message[0].upper() + message[1:] + ".", subject)


def life_refusals(award: Award, mandate: Mandate) -> Iterator[Refusal]:
    """Whether the mandate is signed and in force, today and on the day of the award."""
    if mandate.signed_on is None or mandate.signed_on > award.today:
        signed = f"is to be signed on {mandate.signed_on}" if mandate.signed_on else "is a draft that nobody signed"
        yield refusal(Rule.MANDATE_SIGNED, f"mandate {mandate.id} {signed}", mandate.id)
    if mandate.dual_control and mandate.id not in award.register.countersigned:
        message = (
            f"mandate {mandate.id} needs the signature of {mandate.awarding_body} over its file, and none is there"
        )
        yield refusal(Rule.MANDATE_DUAL_CONTROL, message, mandate.id)
    for rule, what, day in (
        (Rule.MANDATE_IN_FORCE, "today", award.today),
        *((Rule.MANDATE_IN_FORCE_ON_AWARD_DATE, "the day of the award", day) for day in award.award_days),
    ):
        if not mandate.covers(day):
            period = f"from {mandate.valid_from} to {mandate.valid_until}"
            yield refusal(rule, f"mandate {mandate.id} is in force {period}, and {what} is {day}", mandate.id)
    yield from _status_refusals(award, mandate)


def _status_refusals(award: Award, mandate: Mandate) -> Iterator[Refusal]:
    status = award.register.statuses.get(mandate.id)
    if status is None:
        return
    for suspension in status.suspensions:
        if suspension.covers(award.today):
            until = f"until {suspension.valid_until}" if suspension.valid_until else "until further notice"
            message = f"mandate {mandate.id} is suspended since {suspension.valid_from} {until}: {suspension.reason}"
            yield refusal(Rule.MANDATE_NOT_SUSPENDED, message, mandate.id)
    if status.withdrawn_on and max(award.today, *award.award_days) >= status.withdrawn_on:
        message = f"mandate {mandate.id} is withdrawn since {status.withdrawn_on}"
        yield refusal(Rule.MANDATE_NOT_WITHDRAWN, message + (f": {status.reason}" if status.reason else ""), mandate.id)


def joint_award_refusals(award: Award, mandate: Mandate) -> Iterator[Refusal]:
    """Whether the mandate lets its body award together with these others."""
    if not award.joint:
        return
    scope = mandate.scope
    if not scope.joint_awards:
        message = f"mandate {mandate.id} does not cover joint awards, and the credential names several awarding bodies"
        yield refusal(Rule.JOINT_AWARD_ALLOWED, message, mandate.id)
    elif not isinstance(scope.joint_award_partners, str):
        partners = scope.joint_award_partners | {mandate.awarding_body}
        for other in sorted(member.id for member in award.members if member.id not in partners):
            message = f"mandate {mandate.id} does not name {other} as a partner for joint awards"
            yield refusal(Rule.JOINT_AWARD_PARTNER, message, mandate.id)
    if award.outside and not scope.outside_bodies:
        message = f"mandate {mandate.id} does not allow a joint award with a body outside the alliance"
        yield refusal(Rule.JOINT_AWARD_OUTSIDE_BODY, message, mandate.id)


def quota_refusal(mandate: Mandate, period: Period, quota: int, *, used: int) -> Refusal:
    """Refuse what would go over a quota of which so much is used."""
    if period is Period.DAY:
        message = f"mandate {mandate.id} is good for {quota} seal(s) a day, and {used} were given today"
        return refusal(Rule.QUOTA_DAILY, message, mandate.id)
    message = f"mandate {mandate.id} is good for {quota} seal(s) in all, and {used} were given"
    return refusal(Rule.QUOTA_TOTAL, message, mandate.id)
