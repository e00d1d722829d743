"""The policy's answer, with all that a person needs to follow it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eseal.mandate.identifiers import describe
from eseal.mandate.rules import Rule, shortened
from eseal.mandate.scope import Period

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eseal.mandate.matching import Match
    from eseal.mandate.register import KnownCaller
    from eseal.mandate.rules import Award
    from eseal.terms import Caller, Grant, Refusal


@dataclass(frozen=True, slots=True)
class Considered:
    """A mandate that was looked at, and what in it refuses; nothing, where it grants."""

    mandate: str
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """How far a mandate's quota was used when it was judged; ``recorded`` is None where no ledger was asked."""

    mandate: str
    period: Period
    quota: int
    recorded: int | None

    @property
    def rule(self) -> str:
        """The rule that refuses when the quota is used up."""
        return (Rule.QUOTA_DAILY if self.period is Period.DAY else Rule.QUOTA_TOTAL).value

    def in_words(self) -> str:
        """Say it, and whether it was only assumed."""
        limit = f"{self.quota} seal(s) {'today' if self.period is Period.DAY else 'in all'}"
        if self.recorded is None:
            return f"counted as unused, as no ledger was asked; {limit}"
        return f"{self.recorded} of {limit}"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a decision was made on; words are found for it only when somebody asks."""

    caller: Caller
    known: KnownCaller | None
    sealer: str
    award: Award
    matches: tuple[Match, ...]
    uses: tuple[Use, ...]

    def in_words(self) -> Iterator[tuple[str, str]]:
        """Yield each fact that was compared, as name and value."""
        award, facts = self.award, self.award.facts
        yield "caller", self.caller.uri
        yield "caller's member", self.known.member.id if self.known else "none"
        yield "sealer", self.sealer
        yield "today", f"{award.today} ({award.register.alliance.time_zone})"
        days = " and ".join(map(str, award.award_days))
        yield "award date", days if facts.award_date else f"{days} (the credential states none: today)"
        for one in self.matches:
            known_as = "no member"
            if one.member and one.identifier:
                known_as = f"{one.member.id} by {shortened(describe(one.identifier))}"
            yield f"awarding body {one.body.pointer}", known_as
        for name, values in (
            ("profiles", facts.profiles),
            ("types of learning opportunity", facts.opportunity_types),
            ("EQF levels", facts.eqf_levels),
            ("ISCED-F fields", facts.isced_f),
            ("languages", facts.languages),
            ("countries", facts.countries),
            ("accreditations", facts.accreditations),
        ):
            yield name, ", ".join(sorted(str(value) for value in values)) or "none"
        yield "ECTS", "none" if facts.ects is None else str(facts.ects)
        for use in self.uses:
            yield f"use of {use.mandate}", use.in_words()


@dataclass(frozen=True, slots=True)
class Decision:
    """A grant, or every refusal. ``considered`` holds every mandate looked at."""

    grant: Grant | None
    refusals: tuple[Refusal, ...]
    considered: tuple[Considered, ...]
    register_sha256: bytes
    basis: Basis = field(repr=False)

    @property
    def quotas(self) -> tuple[Use, ...]:
        """How far the quotas of the mandates that were looked at are used."""
        return self.basis.uses

    @property
    def facts_used(self) -> tuple[tuple[str, str], ...]:
        """The facts that were compared, as name and value in words."""
        return tuple(self.basis.in_words())
