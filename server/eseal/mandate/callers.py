"""The rules about the caller: that it is known, may call today, and may act for an awarding body of this award.

A caller acts for the member that lists it. For another member it acts only where that member has given the caller's
member a sub-mandate: a faculty's system acting for its university.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eseal.mandate.coverage import scope_refusals
from eseal.mandate.rules import Award, Rule, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eseal.mandate.files import Member, SubMandate
    from eseal.mandate.register import KnownCaller
    from eseal.terms import Caller, Refusal


def caller_refusals(caller: Caller, known: KnownCaller | None, award: Award) -> Iterator[Refusal]:
    """Yield what refuses the caller; ``known`` is what the register has of it."""
    if known is None:
        message = f"the register lists no caller {caller.uri}; add a [[caller]] to its member's file"
        yield refusal(Rule.CALLER_KNOWN, message, caller.uri)
        return
    if idle := _idle(known, award):
        yield refusal(Rule.CALLER_ACTIVE, f"caller {caller.uri} of {known.member.id} {idle}", caller.uri)
    if award.members and not any(known.member.id == member.id for member in award.members):
        yield from _sub_mandate_refusals(caller, known, award)


def _idle(known: KnownCaller, award: Award) -> str | None:
    entry, member = known.entry, known.member
    if not entry.active:
        return "is switched off (active = false)"
    if not entry.covers(award.today):
        return (
            f"may call from {entry.valid_from} to {entry.valid_until or 'further notice'}, and today is {award.today}"
        )
    if not member.is_member_on(award.today):
        until = member.member_until or "further notice"
        return f"belongs to a member from {member.member_since} to {until}, and today is {award.today}"
    return None


def _sub_mandate_refusals(caller: Caller, known: KnownCaller, award: Award) -> Sequence[Refusal]:
    """Judge whether an awarding body lets the caller's member act for it; the closest, where none does."""
    judged = [
        tuple(_sub_mandate_faults(award, member, sub))
        for member in award.members
        for sub in member.sub_mandates
        if sub.member == known.member.id
    ]
    if judged:
        return min(judged, key=len)
    bodies = " or ".join(member.id for member in award.members)
    message = f"caller {caller.uri} belongs to {known.member.id}, and no sub-mandate lets that member act for {bodies}"
    return (refusal(Rule.CALLER_ACTS_FOR_AWARDING_BODY, message, caller.uri),)


def _sub_mandate_faults(award: Award, member: Member, sub: SubMandate) -> Iterator[Refusal]:
    subject = f"{member.id}/{sub.id}"
    if not sub.covers(award.today) or (sub.withdrawn_on and award.today >= sub.withdrawn_on):
        until = f"withdrawn on {sub.withdrawn_on}" if sub.withdrawn_on else f"to {sub.valid_until or 'further notice'}"
        message = f"sub-mandate {subject} is in force from {sub.valid_from}, {until}, and today is {award.today}"
        yield refusal(Rule.CALLER_ACTS_FOR_AWARDING_BODY, message, subject)
    yield from scope_refusals(sub.scope, award.facts, holder=f"sub-mandate {subject}", subject=subject)
