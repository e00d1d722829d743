"""Which member an awarding body is: by its legal identifiers, never by its name alone.

Names are written in many ways and may be shared; an identifier says who answers for the award. So a body that only
carries a member's name is told which identifier to add, and one whose identifiers point two ways is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import category, normalize

from eseal.mandate.identifiers import bare_numbers, describe, key
from eseal.mandate.rules import Award, Rule, refusal, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eseal.mandate.files import Member
    from eseal.mandate.identifiers import Key
    from eseal.mandate.register import Register
    from eseal.terms import AwardingBody, LegalIdentifier, Refusal


_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Match:
    """What the register knows of an awarding body: ``member`` and the identifier that says so, or what refuses.

    A body with identifiers of its own that are no member's is ``outside`` the alliance.
    """

    body: AwardingBody
    member: Member | None = None
    identifier: LegalIdentifier | None = None
    outside: bool = False
    refusals: tuple[Refusal, ...] = ()


def match(register: Register, body: AwardingBody) -> Match:
    """Find the member that ``body`` is."""
    owners = {
        member.id: identifier for identifier in body.identifiers if (member := register.owners.get(key(identifier)))
    }
    if len(owners) > 1:
        return Match(body, refusals=(_ambiguous(body, sorted(owners)),))
    if owners:
        ((member_id, identifier),) = owners.items()
        member = register.members[member_id]
        disagreeing = _disagreeing(body, register.keys[member_id])
        refusals = (_disagreement(body, member, disagreeing),) if disagreeing else ()
        return Match(body, member, identifier, refusals=refusals)
    namesake = _namesake(register, body) or _numbersake(register, body)
    if not any(_says_anything(one) for one in body.identifiers):
        return Match(body, refusals=(_unidentified(body, namesake),))
    return Match(body, outside=namesake is None, refusals=(_not_a_member(body, namesake),))


def body_refusals(award: Award, matches: Sequence[Match]) -> Iterator[Refusal]:
    """Yield what refuses the bodies themselves; one outside body is for the mandates of a joint award to allow."""
    if not matches:
        message = "the credential names no awarding body (awardedBy.awardingBody)"
        yield refusal(Rule.AWARDING_BODY_STATED, message, "")
    for one in matches:
        if not (one.outside and award.members):
            yield from one.refusals
    if award.members and len(award.outside) > 1:
        message = (
            f"{len(award.outside)} awarding bodies are outside the alliance, and a joint award may have one at most"
        )
        yield refusal(Rule.JOINT_AWARD_OUTSIDE_BODY, message, award.outside[0].pointer)


def membership_refusals(award: Award, member: Member) -> Iterator[Refusal]:
    """Yield whether the body was no member on the day of the award."""
    for day in award.award_days:
        if member.is_member_on(day):
            continue
        period = f"from {member.member_since} to {member.member_until or 'further notice'}"
        message = f"member {member.id} is one {period}, and the day of the award is {day}"
        yield refusal(Rule.AWARDING_BODY_MEMBER_ON_AWARD_DATE, message, member.id)


def nobody_allows_outside(award: Award) -> Refusal:
    """Refuse an outside body beside members that all seal for themselves."""
    message = "a body outside the alliance may share an award only where a mandate says so, and none is used here"
    return refusal(Rule.JOINT_AWARD_OUTSIDE_BODY, message, award.outside[0].pointer)


def names(body: AwardingBody) -> str:
    """Name the body as messages call it: a legal name and where the credential says so."""
    name = shortened(body.legal_names.get("en") or next(iter(body.legal_names.values()), ""))
    return f'the awarding body "{name}" ({body.pointer})' if name else f"the awarding body at {body.pointer}"


def _disagreeing(body: AwardingBody, member_keys: frozenset[Key]) -> list[LegalIdentifier]:
    """List the body's identifiers in registers in which the member is known by another one."""
    registers = {known[:2] for known in member_keys}
    return [one for one in body.identifiers if key(one)[:2] in registers and key(one) not in member_keys]


def _namesake(register: Register, body: AwardingBody) -> Member | None:
    stated = {_folded(name) for name in body.legal_names.values()}
    for member in register.members.values():
        if stated & {_folded(name) for name in member.legal_names.values()}:
            return member
    return None


def _numbersake(register: Register, body: AwardingBody) -> Member | None:
    """The member one of whose numbers the body has under another kind, country or scheme: one of them is mistaken."""
    numbers = (number for one in body.identifiers for number in sorted(bare_numbers(one)))
    return next((register.numbers[number] for number in numbers if number in register.numbers), None)


def _folded(name: str) -> str:
    """A name as a reader sees it: accents in one piece or two, wide letters and ligatures are the same to the eye."""
    seen = "".join(character for character in normalize("NFKC", name) if category(character) != "Cf")
    return " ".join(seen.casefold().split())


def _says_anything(identifier: LegalIdentifier) -> bool:
    return any(character.isalnum() for character in identifier.notation)


def _ambiguous(body: AwardingBody, owners: list[str]) -> Refusal:
    message = f"{names(body)} carries identifiers of {len(owners)} members: {', '.join(owners)}; it can be only one"
    return refusal(Rule.AWARDING_BODY_UNAMBIGUOUS, message, body.pointer)


def _disagreement(body: AwardingBody, member: Member, disagreeing: list[LegalIdentifier]) -> Refusal:
    listed = _listed(disagreeing)
    message = (
        f"{names(body)} is member {member.id} by one identifier, but the register knows it otherwise than by {listed}"
    )
    return refusal(Rule.AWARDING_BODY_IDENTIFIERS_AGREE, message, member.id)


def _unidentified(body: AwardingBody, namesake: Member | None) -> Refusal:
    message = f"{names(body)} has no identifier, and a name alone does not say who awards"
    if namesake:
        known = " or ".join(describe(entry.term) for entry in namesake.identifiers)
        message += f"; if it is member {namesake.id}, add {known} to the credential"
    return refusal(Rule.AWARDING_BODY_IDENTIFIED, message, namesake.id if namesake else body.pointer)


def _not_a_member(body: AwardingBody, namesake: Member | None) -> Refusal:
    stated = _listed(body.identifiers)
    message = f"{names(body)} is no member by any of its identifiers ({stated})"
    if namesake:
        known = " or ".join(describe(entry.term) for entry in namesake.identifiers)
        message += (
            f"; member {namesake.id} has that name or number, and is known by {known}: correct the credential or the "
            "register"
        )
    return refusal(Rule.AWARDING_BODY_IS_MEMBER, message, namesake.id if namesake else body.pointer)


def _listed(identifiers: Sequence[LegalIdentifier]) -> str:
    shown = ", ".join(shortened(describe(one)) for one in identifiers[:_SHOWN])
    return shown + (", ..." if len(identifiers) > _SHOWN else "")
