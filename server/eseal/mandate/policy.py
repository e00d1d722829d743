"""The policy: whether this caller may have this sealed for these awarding bodies by this sealer today.

Denied unless granted. An award is granted if its caller may act for one of its awarding bodies and each body either has
a mandate that covers the award or seals for itself. What refuses is told whole: every rule of the mandate that comes
closest, with the fact it looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, Self

from eseal.errors import CallerRefused, MandateRefused
from eseal.mandate.callers import caller_refusals
from eseal.mandate.coverage import accreditation_refusals, scope_refusals
from eseal.mandate.decision import Basis, Considered, Decision
from eseal.mandate.identifiers import organization_key
from eseal.mandate.matching import Match, body_refusals, match, membership_refusals, nobody_allows_outside
from eseal.mandate.quotas import OpenGrants, Quotas, Usage
from eseal.mandate.rules import (
    LIFE,
    PASSING,
    Award,
    Rule,
    joint_award_refusals,
    life_refusals,
    refusal,
)
from eseal.terms import ACCREDITED_PROFILES, Grant, MandateInForce

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from eseal.mandate.files import Mandate, Member
    from eseal.mandate.register import KnownCaller, Register
    from eseal.terms import AwardFacts, AwardingBody, Caller, LegalEntity, Refusal


__all__ = ["Considered", "Decision", "Policy", "Retrospect", "Sitting", "Source", "Usage"]


class Source(Protocol):
    """Where the register's state of the moment comes from."""

    @property
    def current(self) -> Register:
        """The state to judge by; asked once per batch."""
        ...


@dataclass(slots=True)
class _Judged:
    """What the awarding bodies' mandates say to an award, as it is being found out."""

    refusals: list[Refusal]
    used: list[Mandate] = field(default_factory=list)
    considered: list[Considered] = field(default_factory=list)


class Policy:
    """The mandate policy of one sealer over one register. Safe for threads: between batches it keeps only open grants.

    Without ``usage`` quotas count as unused, and a decision says so.
    """

    def __init__(self, register: Source, sealer: LegalEntity, *, usage: Usage | None) -> None:
        self._register = register
        self._sealer = sealer
        self._usage = usage
        self._open_grants = OpenGrants()

    def sitting(self, *, at: datetime) -> Sitting:
        """Open the decisions of one batch: one state of the register, one day, quotas that count the batch itself."""
        return Sitting(self._register.current, self._sealer, at=at, usage=self._usage, open_grants=self._open_grants)

    def decide(self, caller: Caller, facts: AwardFacts, *, at: datetime) -> Decision:
        """Answer without raising and without counting anything."""
        return self.sitting(at=at).decide(caller, facts)

    def grant(self, caller: Caller, facts: AwardFacts, *, at: datetime) -> Grant:
        """Grant, or raise CallerRefused or MandateRefused with every refusal."""
        with self.sitting(at=at) as sitting:
            return sitting.grant(caller, facts)


class Retrospect:
    """The policy after the fact: whether a seal agrees with the register, as a verifier asks.

    It judges by the register's present state and the day of sealing: a mandate that was withdrawn later was good then.
    Who called and how many seals there were is not in a sealed credential, and is not judged.
    """

    def __init__(self, register: Source) -> None:
        self._register = register

    def objections(self, facts: AwardFacts, *, sealer: LegalEntity, sealed_at: datetime) -> tuple[Refusal, ...]:
        """Say what speaks against ``sealer`` having sealed this award then; nothing where the register agrees."""
        return Sitting(self._register.current, sealer, at=sealed_at).objections(facts)


class Sitting:
    """The decisions of one batch, made by one thread; a context manager that lasts until its seals are recorded.

    Quotas are held against what the ledger recorded when the batch first asked, plus what it and the other batches of
    this process were granted and may not have recorded yet.
    """

    def __init__(
        self,
        register: Register,
        sealer: LegalEntity,
        *,
        at: datetime,
        usage: Usage | None = None,
        open_grants: OpenGrants | None = None,
    ) -> None:
        self._register = register
        self._mandates = register.mandates
        self._sealer = sealer
        self._sealer_key = organization_key(sealer.organization_identifier)
        self._today = register.day(at)
        self._quotas = Quotas(register, usage, open_grants or OpenGrants(), self._today)
        self._last: tuple[Caller, AwardFacts, Grant] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._quotas.close()

    def grant(self, caller: Caller, facts: AwardFacts) -> Grant:
        """Grant and count it, or raise CallerRefused or MandateRefused with every refusal."""
        while True:
            grant = self._again(caller, facts)
            if grant is None:
                decision = self.decide(caller, facts)
                if decision.grant is None:
                    raise _refused(decision.refusals)
                grant = decision.grant
                self._last = (caller, facts, grant)
            # Another batch may have had the last of a quota meanwhile; then the decision is made anew.
            if self._quotas.take([self._mandates[mandate_id] for mandate_id in grant.mandate_ids]):
                return grant

    def _again(self, caller: Caller, facts: AwardFacts) -> Grant | None:
        """Return the grant of the award before, if it was the like of this one: a course has many learners."""
        if self._last is None or self._last[:2] != (caller, facts):
            return None
        grant = self._last[2]
        mandates = [self._mandates[mandate_id] for mandate_id in grant.mandate_ids]
        return None if any(any(self._quotas.refusals(mandate)) for mandate in mandates) else grant

    def decide(self, caller: Caller, facts: AwardFacts) -> Decision:
        """Answer without raising and without counting anything."""
        matches = [match(self._register, body) for body in facts.awarding_bodies]
        award = self._award(facts, matches)
        known = self._register.callers.get(caller.uri)
        judged = self._judge(award, matches)
        refusals = tuple(dict.fromkeys([*caller_refusals(caller, known, award), *judged.refusals]))
        return Decision(
            grant=None if refusals else self._granted_by(caller, known, award, judged.used),
            refusals=refusals,
            considered=tuple(judged.considered),
            register_sha256=self._register.sha256,
            basis=Basis(
                caller,
                known,
                self._sealer.organization_identifier,
                award,
                tuple(matches),
                tuple(use for one in judged.considered for use in self._quotas.uses(self._mandates[one.mandate])),
            ),
        )

    def objections(self, facts: AwardFacts) -> tuple[Refusal, ...]:
        """Say what speaks against the award being sealed on this day, whoever asks for it."""
        matches = [match(self._register, body) for body in facts.awarding_bodies]
        return tuple(dict.fromkeys(self._judge(self._award(facts, matches), matches).refusals))

    def _judge(self, award: Award, matches: Sequence[Match]) -> _Judged:
        """Hold the award against each awarding body's mandate, if it needs one."""
        judged = _Judged(list(body_refusals(award, matches)))
        for member in award.members:
            judged.refusals.extend(membership_refusals(award, member))
            if self._seals_for_itself(member):
                continue
            body = next(one.body for one in matches if one.member == member)
            mandate, against = self._closest(award, member, body, judged.considered)
            judged.refusals.extend(against)
            if mandate:
                judged.used.append(mandate)
        if award.outside and award.members and not judged.used and not judged.refusals:
            judged.refusals.append(nobody_allows_outside(award))
        judged.refusals.extend(_profile_accreditation_refusals(award, matches))
        return judged

    def _award(self, facts: AwardFacts, matches: Sequence[Match]) -> Award:
        members = {one.member.id: one.member for one in matches if one.member}
        outside = tuple(one.body for one in matches if one.outside)
        return Award(
            register=self._register,
            facts=facts,
            today=self._today,
            award_days=_award_days(self._register, facts, self._today),
            members=tuple(members.values()),
            outside=outside,
        )

    def _seals_for_itself(self, member: Member) -> bool:
        return self._sealer_key in self._register.keys[member.id]

    def _closest(
        self, award: Award, member: Member, body: AwardingBody, considered: list[Considered]
    ) -> tuple[Mandate | None, tuple[Refusal, ...]]:
        """Find the mandate that grants; where none does, the one that comes closest, with all that is against it."""
        given = self._register.mandates_of(member)
        for_sealer = [mandate for mandate in given if self._register.sealers[mandate.id] == self._sealer_key]
        if not for_sealer:
            return None, (self._no_mandate(member, given),)
        judged = [(mandate, tuple(self._mandate_refusals(award, mandate, member, body))) for mandate in for_sealer]
        considered.extend(Considered(mandate.id, refusals) for mandate, refusals in judged)
        # Ties go to the mandate that began last: people ask about the present one.
        return min(reversed(judged), key=lambda one: _distance(one[1]))

    def _no_mandate(self, member: Member, given: Sequence[Mandate]) -> Refusal:
        sealer = self._sealer.organization_identifier
        message = f"member {member.id} gave no mandate to {sealer}"
        if given:
            message += "; its mandates are for others: " + ", ".join(f"{one.id} for {one.sealer}" for one in given)
        return refusal(Rule.MANDATE_EXISTS, message, member.id)

    def _mandate_refusals(
        self, award: Award, mandate: Mandate, member: Member, body: AwardingBody
    ) -> Iterator[Refusal]:
        yield from life_refusals(award, mandate)
        yield from scope_refusals(mandate.scope, award.facts, holder=f"mandate {mandate.id}", subject=mandate.id)
        yield from joint_award_refusals(award, mandate)
        if mandate.scope.accreditation_required:
            yield from accreditation_refusals(award, member, body)
        yield from self._quotas.refusals(mandate)

    def _granted_by(self, caller: Caller, known: KnownCaller | None, award: Award, used: Sequence[Mandate]) -> Grant:
        own = known.member.id if known else ""
        member = own if any(own == one.id for one in award.members) else award.members[0].id
        return Grant(
            caller=caller,
            member=member,
            mandates=tuple(
                MandateInForce(
                    id=mandate.id,
                    awarding_body=mandate.awarding_body,
                    statements=mandate.statements,
                    agreement=self._register.agreements.get(mandate.id),
                )
                for mandate in used
            ),
            self_issue=not used,
            register_sha256=self._register.sha256,
            quotas=tuple(quota for mandate in used for quota in self._quotas.in_force(mandate)),
        )


def _profile_accreditation_refusals(award: Award, matches: Sequence[Match]) -> list[Refusal]:
    """Judge the accredited profiles: they need one awarding body whose accreditation matches, mandate or not."""
    if not award.facts.profiles & ACCREDITED_PROFILES:
        return []
    judged = [accreditation_refusals(award, one.member, one.body) for one in matches if one.member]
    return min(judged, key=len, default=[])


def _distance(refusals: Sequence[Refusal]) -> tuple[bool, int, int]:
    """How far a mandate is from granting: dead, too narrow, or merely used up for now."""
    lasting = [one for one in refusals if one.rule not in PASSING]
    return any(one.rule in LIFE for one in refusals), len(lasting), len(refusals)


def _award_days(register: Register, facts: AwardFacts, today: date) -> tuple[date, ...]:
    """Return the alliance's days of the award: credentials often say one zone's midnight by another's clock."""
    stated = [one for one in (facts.first_award_date, facts.award_date) if one is not None]
    days = [register.day(one) if isinstance(one, datetime) else one for one in stated]
    return tuple(dict.fromkeys(days)) or (today,)


def _refused(refusals: tuple[Refusal, ...]) -> CallerRefused | MandateRefused:
    """Make the error: one about the caller, where it may not call at all."""
    about_caller = [one for one in refusals if one.rule in {Rule.CALLER_KNOWN, Rule.CALLER_ACTIVE}]
    if about_caller:
        rules = ", ".join(dict.fromkeys(one.rule for one in refusals))
        return CallerRefused("CALLER_REFUSED", about_caller[0].message, refusals=refusals, metadata={"rules": rules})
    return MandateRefused(refusals)
