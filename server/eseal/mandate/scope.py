"""What a mandate covers, dimension by dimension, and whether two scopes have anything in common.

Nothing is granted by silence: a mandate says each dimension, if need be as ``"any"``. A sub-mandate says only what it
narrows, for it never stands without a mandate.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from eseal.mandate.fields import (
    ANY,
    AnyValue,
    Count,
    Country,
    Ects,
    EqfLevel,
    Flag,
    Id,
    IscedF,
    Language,
    OpportunityType,
    OrAny,
    SetOf,
    Table,
)
from eseal.mandate.problems import broken
from eseal.terms import Profile  # noqa: TC001 - pydantic reads it at run time


class EqfRange(Table):
    """Levels of the European Qualifications Framework, both ends included."""

    lowest: EqfLevel = Field(description="The lowest EQF level covered, 1 to 8.")
    highest: EqfLevel = Field(description="The highest EQF level covered, 1 to 8.")

    @model_validator(mode="after")
    def _in_order(self) -> EqfRange:
        if self.lowest > self.highest:
            raise broken("range-in-order", f"the lowest level {self.lowest} is above the highest {self.highest}")
        return self


class Period(StrEnum):
    """What a quota counts over, by its key."""

    DAY = "daily"
    LIFE = "total"


class Quota(Table):
    """How many seals a mandate is good for; a limit that is left out does not limit."""

    daily: Count | None = Field(None, description="Seals on one calendar day of the alliance's time zone.")
    total: Count | None = Field(None, description="Seals over the mandate's whole life.")

    @property
    def limits(self) -> tuple[tuple[Period, int], ...]:
        """The limits there are, the daily one first."""
        limits = (Period.DAY, self.daily), (Period.LIFE, self.total)
        return tuple((period, limit) for period, limit in limits if limit is not None)


class Narrowing(Table):
    """What a sub-mandate covers of the mandate it stands under; what it leaves out, it does not narrow."""

    profiles: OrAny[SetOf[Profile]] = Field(
        ANY,
        description='EDC profiles ("generic", "accredited", ...). The mandate profile need not be named.',
    )
    opportunity_types: OrAny[SetOf[OpportunityType]] = Field(
        ANY, description="Types of learning opportunity: IRIs of http://data.europa.eu/snb/learning-opportunity/."
    )
    eqf: OrAny[EqfRange] = Field(ANY, description="Range of EQF levels.")
    ects_maximum: OrAny[Ects] = Field(ANY, description="The most ECTS credits that one achievement may carry.")
    isced_f: OrAny[SetOf[IscedF]] = Field(
        ANY, description='ISCED-F 2013 fields; a broad field ("06") covers the narrow ones under it ("0613").'
    )
    languages: OrAny[SetOf[Language]] = Field(ANY, description="Languages of the credential (ISO 639-1).")
    countries: OrAny[SetOf[Country]] = Field(ANY, description="Countries of the awarding bodies (alpha-3).")


class Scope(Narrowing):
    """What a mandate covers. The seven dimensions must be said, the freedoms beyond them are refused unless granted."""

    profiles: OrAny[SetOf[Profile]] = Field(
        description='EDC profiles ("generic", "accredited", ...) or "any". The mandate profile need not be named.'
    )
    opportunity_types: OrAny[SetOf[OpportunityType]] = Field(
        description='Types of learning opportunity: IRIs of http://data.europa.eu/snb/learning-opportunity/, or "any".'
    )
    eqf: OrAny[EqfRange] = Field(description='Range of EQF levels, or "any".')
    ects_maximum: OrAny[Ects] = Field(description='The most ECTS credits that one achievement may carry, or "any".')
    isced_f: OrAny[SetOf[IscedF]] = Field(
        description='ISCED-F 2013 fields, or "any"; a broad field ("06") covers the narrow ones under it ("0613").'
    )
    languages: OrAny[SetOf[Language]] = Field(description='Languages of the credential (ISO 639-1), or "any".')
    countries: OrAny[SetOf[Country]] = Field(description='Countries of the awarding bodies (alpha-3), or "any".')
    joint_awards: Flag = Field(
        default=False, description="Whether awards made together with other awarding bodies are covered."
    )
    joint_award_partners: OrAny[SetOf[Id]] = Field(
        ANY, description="The members with whom joint awards are covered, where not with all of them."
    )
    outside_bodies: Flag = Field(
        default=False, description="Whether one body of a joint award may be outside the alliance."
    )
    accreditation_required: Flag = Field(
        default=False,
        description="Whether the credential must name an accreditation of the awarding body that matches.",
    )
    quota: Quota = Field(
        default_factory=lambda: Quota(daily=None, total=None), description="Limits on the number of seals."
    )

    @model_validator(mode="after")
    def _freedoms_agree(self) -> Scope:
        if not self.joint_awards and (self.outside_bodies or self.joint_award_partners != ANY):
            raise broken("joint-awards-allowed", "outside_bodies and joint_award_partners need joint_awards = true")
        return self


def falls_under(code: str, fields: frozenset[str]) -> bool:
    """Whether an ISCED-F ``code`` is one of ``fields`` or lies under one: codes grow longer towards the detail."""
    return any(code.startswith(field) for field in fields)


def overlap(one: Scope, other: Scope) -> bool:
    """Whether a credential can fall under both scopes; ECTS and quotas only limit and never tell scopes apart."""
    return (
        _meet(one.profiles, other.profiles)
        and _meet(one.opportunity_types, other.opportunity_types)
        and _levels_meet(one.eqf, other.eqf)
        and _fields_meet(one.isced_f, other.isced_f)
        and _meet(one.languages, other.languages)
        and _meet(one.countries, other.countries)
    )


def _meet(
    one: frozenset[str] | frozenset[Profile] | AnyValue, other: frozenset[str] | frozenset[Profile] | AnyValue
) -> bool:
    return isinstance(one, str) or isinstance(other, str) or not frozenset(one).isdisjoint(other)


def _levels_meet(one: EqfRange | AnyValue, other: EqfRange | AnyValue) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return True
    return one.lowest <= other.highest and other.lowest <= one.highest


def _fields_meet(one: frozenset[str] | AnyValue, other: frozenset[str] | AnyValue) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return True
    return any(falls_under(field, other) for field in one) or any(falls_under(field, one) for field in other)
