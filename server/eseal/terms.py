"""The words that travel between rooms. Each is the field's own term, and the same noun in proto, Rust, tests and docs.

Values here are facts without behaviour: a room that knows how to read them out of a credential, a certificate or a
register makes them, and another room that must not know where they came from uses them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from decimal import Decimal


class Level(StrEnum):
    """A JAdES baseline level (ETSI TS 119 182-1 clause 6)."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"


class Algorithm(StrEnum):
    """A JWS signature algorithm that eseal seals with (RFC 7518 section 3.1)."""

    ES256 = "ES256"
    ES384 = "ES384"
    PS256 = "PS256"
    RS256 = "RS256"


class Profile(StrEnum):
    """An EDC application profile, in the short names of ``eseal check --profile``."""

    GENERIC = "generic"
    MANDATE = "mandate"
    ACCREDITED = "accredited"
    CONVERTED = "converted"
    DIPLOMA_SUPPLEMENT = "diploma-supplement"


# A credential of one of these is an accredited one: the Commission's edc-diploma-supplement imports edc-accredited.
ACCREDITED_PROFILES = frozenset({Profile.ACCREDITED, Profile.DIPLOMA_SUPPLEMENT})


class Lane(StrEnum):
    """Who waits for the key: a person or a single call before a bulk stream."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule in a document: where (an RFC 6901 JSON pointer), which rule, and a sentence that says it.

    ``message`` never quotes learner data: it names properties, vocabularies and cardinalities.
    """

    pointer: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule of the mandate policy that refuses, with the fact it looked at. ``subject`` is who or what it is about."""

    rule: str
    message: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class LegalIdentifier:
    """An identifier of an organisation.

    ``kind`` is ``eidas``, ``registration``, ``vat``, ``tax`` or ``other``; ``country`` is ISO 3166-1 alpha-3 as in the
    EU country authority table (``IRL``), or empty; ``scheme`` names an ``other`` identifier's scheme (``SCHAC``).
    """

    kind: str
    notation: str
    country: str = ""
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """Who a seal certificate names (EN 319 412-3): subject O, CN, organizationIdentifier (2.5.4.97) and C.

    ``country`` is the certificate's ISO 3166-1 alpha-2 code.
    """

    legal_name: str
    common_name: str
    organization_identifier: str
    country: str


@dataclass(frozen=True, slots=True)
class SealKey:
    """A key in the HSM and the certificate that speaks for it. ``chain`` holds DER certificates, leaf first."""

    label: str
    algorithm: Algorithm
    chain: tuple[bytes, ...]

    @property
    def certificate(self) -> bytes:
        """The seal certificate, DER."""
        return self.chain[0]


@dataclass(frozen=True, slots=True)
class AwardingBody:
    """An organisation that a credential says awarded something; ``pointer`` is where the credential says so.

    ``spatial_codes`` are the last parts of its location's administrative territorial units (``IRL_CTH_DUB``), ``countries``
    those of its addresses' countries (``IRL``).
    """

    pointer: str
    legal_names: Mapping[str, str] = field(default_factory=dict)
    identifiers: tuple[LegalIdentifier, ...] = ()
    spatial_codes: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AwardFacts:
    """What the mandate policy needs to know of a credential, and no more: no learner data is here.

    Vocabulary items are IRIs except where a plain code is the field's habit: ``eqf_levels`` 1 to 8, ``isced_f`` codes
    (``0613``), ``languages`` ISO 639-1, ``countries`` alpha-3. ``ects`` is the largest ECTS sum of any achievement,
    infinite where one is not a number.
    ``award_date`` is the calendar day where the credential says only that, else the aware datetime: the policy reads
    it in the alliance's time zone. Where the learner's achievements were awarded on several days it is the latest, and
    ``first_award_date`` the earliest. ``qualifications`` are the ids of what was awarded (``specifiedBy``).
    """

    awarding_bodies: tuple[AwardingBody, ...]
    award_date: date | None
    profiles: frozenset[Profile]
    opportunity_types: frozenset[str] = frozenset()
    eqf_levels: frozenset[int] = frozenset()
    ects: Decimal | None = None
    isced_f: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    accreditations: frozenset[str] = frozenset()
    qualifications: frozenset[str] = frozenset()
    first_award_date: date | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated back end: its client certificate's URI SAN (RFC 5280 section 4.2.1.6)."""

    uri: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """The signed agreement document behind a mandate: its bytes go into the credential's mandate evidence."""

    sha256: bytes
    media_type: str
    title: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MandateInForce:
    """A mandate as the register had it when it granted a seal.

    ``statements`` maps ISO 639-1 language to the evidence statement; empty means the standard statement.
    """

    id: str
    awarding_body: str
    statements: Mapping[str, str] = field(default_factory=dict)
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True)
class QuotaInForce:
    """A quota that a grant was held to: at most ``limit`` seals under the mandate from ``since`` on and before ``until``.

    Both are aware datetimes, or None for the mandate's whole life. ``refusal`` is what is said once it is used up.
    """

    mandate_id: str
    since: datetime | None
    until: datetime | None
    limit: int
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Grant:
    """The policy's yes: by which mandates (none for self-issue), by which state of the register (its SHA-256).

    ``quotas`` are the mandates', to be held once more when the seal is recorded: other processes grant, too.
    """

    caller: Caller
    member: str
    mandates: tuple[MandateInForce, ...]
    self_issue: bool
    register_sha256: bytes
    quotas: tuple[QuotaInForce, ...] = ()
    mandate_ids: tuple[str, ...] = field(init=False, compare=False)
    """The ids of the mandates used, in the register's order."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "mandate_ids", tuple(mandate.id for mandate in self.mandates))
