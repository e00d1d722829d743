"""The files of a register: ``alliance.toml``, ``members/*.toml``, ``mandates/*.toml`` and ``status/*.toml``.

A mandate's file holds what the awarding body signed and is never edited afterwards, so that a signature over it stays
good; what happens to the mandate later (suspension, withdrawal) is a file of its own under ``status/``. All days are
calendar days in the alliance's time zone, both ends included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, Strict, StringConstraints, model_validator

from eseal.mandate.fields import (
    ANY,
    Country,
    CountryOrNone,
    Day,
    EqfLevel,
    FileName,
    Flag,
    Id,
    Iri,
    IscedF,
    Language,
    OrAny,
    SetOf,
    Sha256,
    Table,
    TerritorialUnit,
    Text,
)
from eseal.mandate.identifiers import KINDS
from eseal.mandate.problems import broken
from eseal.mandate.scope import Narrowing, Scope
from eseal.terms import LegalIdentifier

if TYPE_CHECKING:
    from datetime import date


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise broken("time-zone-known", f"{name!r} is not an IANA time zone (Europe/Amsterdam)") from error
    return name


def _kind(value: Any) -> Any:
    if value not in KINDS:
        raise broken("identifier-kind", f"{value!r} is not a kind of identifier: {', '.join(KINDS)}")
    return value


TimeZone = Annotated[str, Strict(), AfterValidator(_time_zone)]
Kind = Annotated[str, Strict(), BeforeValidator(_kind)]
CallerUri = Annotated[str, Strict(), StringConstraints(pattern=r"^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$", max_length=512)]
OrganizationIdentifier = Annotated[str, Strict(), StringConstraints(min_length=8, max_length=128)]


class Sealer(Table):
    """A legal entity whose seals the mandates of this register may name."""

    legal_name: Text = Field(description="The sealer's legal name, as the seal certificate's O has it.")
    organization_identifier: OrganizationIdentifier = Field(
        description="The seal certificate's organizationIdentifier (2.5.4.97): NTRNL-08164880."
    )


class Alliance(Table):
    """``alliance.toml``: whose register this is, and by which clock its days are counted."""

    name: Text = Field(description="The alliance's name.")
    time_zone: TimeZone = Field(description="The IANA time zone in which days begin and end: Europe/Amsterdam.")
    practice: Flag = Field(
        default=False, description="A register to practise with: identifiers need the right form, but no true numbers."
    )
    sealers: tuple[Sealer, ...] = Field(alias="sealer", min_length=1, description="Who seals, one table each.")


class Identifier(Table):
    """A legal or other identifier of a member, as the EDC knows them."""

    kind: Kind = Field(description="eidas, registration, vat, tax or other.")
    notation: Text = Field(description="The identifier itself.")
    country: CountryOrNone = Field("", description="Alpha-3 code of the country whose register it is.")
    scheme: Annotated[str, Strict()] = Field("", description="The scheme of an other identifier: SCHAC, ROR, ...")

    @property
    def term(self) -> LegalIdentifier:
        """The same, as the rest of the house says it."""
        return LegalIdentifier(kind=self.kind, notation=self.notation, country=self.country, scheme=self.scheme)


class Period(Table):
    """Calendar days from ``valid_from`` to ``valid_until``, both included; without an end, until further notice."""

    valid_from: Day = Field(description="The first day.")
    valid_until: Day | None = Field(None, description="The last day, included; left out: until further notice.")

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        if self.valid_until is not None and self.valid_until < self.valid_from:
            message = f"ends on {self.valid_until}, before it begins on {self.valid_from}"
            raise broken("dates-in-order", message, key="valid_until")
        return self

    def covers(self, day: date) -> bool:
        """Whether ``day`` lies in the period."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class CallerEntry(Period):
    """A back end of the member: the URI SAN of its client certificate."""

    uri: CallerUri = Field(description="The certificate's URI SAN.")
    active: Flag = Field(default=True, description="false stops the caller at once, whatever its days say.")


class SubMandate(Period):
    """Leave for another member (a faculty, a shared office) to have this member's awards sealed by its callers."""

    id: Id = Field(description="A name for it, unique within the member.")
    member: Id = Field(description="The member whose callers may act for this one.")
    withdrawn_on: Day | None = Field(None, description="From this day on it is not in force.")
    scope: Narrowing = Field(default_factory=Narrowing, description="What it covers of the mandate; default all.")


class Accreditation(Table):
    """An accreditation of the member, with the limits that the Commission's QDR keeps for it."""

    id: Iri = Field(description="Its IRI, as a credential names it: http://data.europa.eu/snb/data/accreditation/...")
    date_issued: Day = Field(description="The first day.")
    expiry_date: Day | None = Field(None, description="The last day, included.")
    limit_qualifications: OrAny[SetOf[Iri]] = Field(ANY, description="The qualifications it is limited to.")
    limit_eqf_levels: OrAny[SetOf[EqfLevel]] = Field(ANY, description="The EQF levels it is limited to.")
    limit_isced_f: OrAny[SetOf[IscedF]] = Field(
        ANY, description="The ISCED-F fields it is limited to, with what is under them."
    )
    limit_jurisdictions: OrAny[SetOf[TerritorialUnit]] = Field(
        ANY, description="The territorial units (ATU: IRL, IRL_CTH_DUB) it is limited to, with what is under them."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Accreditation:
        if self.expiry_date is not None and self.expiry_date < self.date_issued:
            message = f"expires on {self.expiry_date}, before it is issued on {self.date_issued}"
            raise broken("dates-in-order", message, key="expiry_date")
        return self


class Member(Table):
    """``members/*.toml``: an awarding body of the alliance, or a part of one, and the back ends that call for it."""

    id: Id = Field(description="The name by which the register knows it.")
    legal_names: dict[Language, Text] = Field(min_length=1, description="Legal name by language.")
    country: Country = Field(description="Country of its seat (alpha-3).")
    member_since: Day = Field(description="First day of membership.")
    member_until: Day | None = Field(None, description="Last day of membership, included.")
    part_of: Id | None = Field(
        None, description="The member of which this is a part (a faculty); then it needs no identifiers."
    )
    identifiers: tuple[Identifier, ...] = Field(
        (), alias="identifier", description="By which credentials are known to be its."
    )
    callers: tuple[CallerEntry, ...] = Field((), alias="caller", description="Its back ends.")
    sub_mandates: tuple[SubMandate, ...] = Field((), alias="sub_mandate", description="Who else may act for it.")
    accreditations: tuple[Accreditation, ...] = Field((), alias="accreditation", description="Its accreditations.")
    signing_certificates: tuple[FileName, ...] = Field(
        (), description="PEM files under certificates/ with which it signs mandate files (dual control)."
    )

    @model_validator(mode="after")
    def _whole(self) -> Member:
        if self.member_until is not None and self.member_until < self.member_since:
            message = f"membership ends on {self.member_until}, before it begins on {self.member_since}"
            raise broken("dates-in-order", message, key="member_until")
        if self.part_of is None and not self.identifiers:
            raise broken(
                "member-identified", "a member needs at least one identifier; awarding bodies are never matched by name"
            )
        return self

    def is_member_on(self, day: date) -> bool:
        """Whether ``day`` lies in its membership."""
        return self.member_since <= day and (self.member_until is None or day <= self.member_until)

    @property
    def name(self) -> str:
        """One of its legal names, English if there is one."""
        return self.legal_names.get("en") or next(iter(self.legal_names.values()))


class AgreementFile(Table):
    """The signed agreement document, as it is embedded in credentials as evidence of the mandate."""

    file: FileName = Field(description="Its name under agreements/.")
    sha256: Sha256 = Field(description="SHA-256 of the file, in lower-case hexadecimal.")
    media_type: Literal["application/pdf", "image/png", "image/jpeg"] = Field(description="What the file is.")
    title: Text = Field(description="The document's title.")


class Mandate(Period):
    """``mandates/*.toml``: what an awarding body lets a sealer seal on its behalf."""

    id: Id = Field(description="The mandate's name: stands in replies, ledger rows and refusals.")
    awarding_body: Id = Field(description="The member that gives the mandate.")
    sealer: OrganizationIdentifier = Field(description="The sealer's organizationIdentifier: NTRNL-08164880.")
    signed_on: Day | None = Field(
        None, description="The day of the last signature under the agreement; without it, a draft."
    )
    valid_until: Day = Field(description="The last day, included: a mandate always has one.")
    dual_control: Flag = Field(
        default=False, description="Whether the awarding body's own signature over this very file must stand beside it."
    )
    scope: Scope = Field(description="What it covers.")
    agreement: AgreementFile | None = Field(None, description="The agreement document; a signed mandate has one.")
    statements: dict[Language, Text] = Field(
        default_factory=dict, description="Evidence statement by language; the Commission's standard one where absent."
    )

    @model_validator(mode="after")
    def _signed(self) -> Mandate:
        if self.signed_on is not None and self.agreement is None:
            raise broken(
                "agreement-required", "a signed mandate names its agreement document ([agreement])", key="signed_on"
            )
        if self.signed_on is not None and self.signed_on > self.valid_until:
            message = f"signed on {self.signed_on}, after its last day {self.valid_until}"
            raise broken("dates-in-order", message, key="signed_on")
        return self


class Suspension(Period):
    """Days on which nothing is sealed under the mandate."""

    reason: Text = Field(description="Why, for the people who read the register.")


class Status(Table):
    """``status/*.toml``: what happened to a mandate since it was signed."""

    mandate: Id = Field(description="The mandate's id.")
    withdrawn_on: Day | None = Field(None, description="From this day on nothing is sealed under it.")
    reason: Text | None = Field(None, description="Why it was withdrawn.")
    suspensions: tuple[Suspension, ...] = Field((), alias="suspension", description="Its suspensions.")
