"""What is awarded and to whom, in the elements of Annex I of Council Recommendation 2022/C 243/02.

Field for field the messages of proto/eseal/v1/credential.proto, where each field is explained. Texts map ISO 639-1
languages to strings. A vocabulary item is its IRI, the last part of it, or a label of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from eseal.terms import LegalIdentifier

    Text = Mapping[str, str]


def _no_text() -> Text:
    return {}


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier in a scheme of somebody's own."""

    notation: str
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file: ``media_type`` is application/pdf, image/png or image/jpeg."""

    media_type: str
    content: bytes = field(repr=False)
    title: Text = field(default_factory=_no_text)


@dataclass(frozen=True, slots=True)
class Region:
    """A place that an award comes from: ISO 3166-1 alpha-3 and an administrative territorial unit."""

    country: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of organisations, such as an alliance."""

    name: Text
    email_address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityAssurance:
    """Quality assurance or accreditation; ``id`` is its IRI in the QDR, ``report`` a page such as a DEQAR report."""

    type: str
    accrediting_agent: Organisation | None
    id: str = ""
    title: Text = field(default_factory=_no_text)
    organisation: Organisation | None = None
    report: str = ""
    date_issued: date | None = None
    expiry_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A university, an accrediting agency, any other body."""

    legal_name: Text
    alternative_name: Text = field(default_factory=_no_text)
    country: str = ""
    region: str = ""
    address: Text = field(default_factory=_no_text)
    identifiers: tuple[LegalIdentifier, ...] = ()
    homepage: str = ""
    email_address: str = ""
    logo: Attachment | None = None
    group_member_of: tuple[Group, ...] = ()
    accreditations: tuple[QualityAssurance, ...] = ()


@dataclass(frozen=True, slots=True)
class Skill:
    """An ESCO skill: its IRI or its UUID, and its preferred label."""

    id: str
    label: Text = field(default_factory=_no_text)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningOutcome:
    """What a learner knows, understands and is able to do."""

    title: Text
    description: Text = field(default_factory=_no_text)
    esco_skills: tuple[Skill, ...] = ()
    reusability_level: str = ""


@dataclass(frozen=True, slots=True)
class CreditPoint:
    """Credits of one framework; ``point`` is a decimal."""

    framework: str
    point: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotionalWorkload:
    """Credits (decimals) and times (ISO 8601 durations)."""

    ects_credits: str = ""
    other_credits: tuple[CreditPoint, ...] = ()
    volume_of_learning: str = ""
    maximum_duration: str = ""


@dataclass(frozen=True, slots=True)
class QualificationFrameworkLevel:
    """A level of a national qualifications framework or of QF-EHEA, by its QDR IRI."""

    id: str
    label: Text = field(default_factory=_no_text)


@dataclass(frozen=True, slots=True)
class LearningLevel:
    """EQF level (1 to 8, 0 for none) and levels of other frameworks."""

    eqf: int = 0
    other_levels: tuple[QualificationFrameworkLevel, ...] = ()


@dataclass(frozen=True, slots=True)
class GradingScheme:
    """How grades are given; ``document`` is a page about it."""

    title: Text
    description: Text = field(default_factory=_no_text)
    document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One assessment. Its ``key`` is what learners' grades name it by; the overall assessment needs none."""

    key: str = ""
    type: str = ""
    title: Text = field(default_factory=_no_text)
    description: Text = field(default_factory=_no_text)
    grade: Text = field(default_factory=_no_text)
    grading_scheme: GradingScheme | None = None
    identity_verification: str = ""
    mode: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One learning activity."""

    title: Text
    description: Text = field(default_factory=_no_text)
    type: str = ""
    mode: tuple[str, ...] = ()
    volume_of_learning: str = ""
    start_date: date | None = None
    end_date: date | None = None
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What a micro-credential entitles to."""

    title: Text
    description: Text = field(default_factory=_no_text)
    type: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stackability:
    """Integration and stackability: part of a larger whole, entitling to something, made of parts."""

    stackable: bool = False
    entitles_to: tuple[Entitlement, ...] = ()
    parts: tuple[MicroCredential, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherInformation:
    """Further information: a text and pages."""

    note: Text = field(default_factory=_no_text)
    homepage: str = ""
    supplementary_documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DisplayPage:
    """A page of the caller's own: image/png or image/jpeg."""

    language: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """How a credential looks: the caller's pages, or a template, with the learner's name on it or not."""

    template: str = ""
    pages: tuple[DisplayPage, ...] = ()
    personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroCredential:
    """A micro-credential, course by course: what every learner of the course is awarded."""

    title: Text
    awarding_bodies: tuple[Organisation, ...]
    country_region_of_issuer: Region | None = None
    date_of_issuing: date | None = None
    learning_outcomes: tuple[LearningOutcome, ...] = ()
    notional_workload: NotionalWorkload | None = None
    level: LearningLevel | None = None
    type_of_assessment: tuple[Assessment, ...] = ()
    form_of_participation: tuple[str, ...] = ()
    type_of_quality_assurance: tuple[QualityAssurance, ...] = ()
    prerequisites: Text = field(default_factory=_no_text)
    supervision_and_identity_verification: str = ""
    grade_achieved: Text = field(default_factory=_no_text)
    integration_stackability: Stackability | None = None
    further_information: FurtherInformation | None = None
    description: Text = field(default_factory=_no_text)
    languages: tuple[str, ...] = ()
    opportunity_type: str = ""
    learning_setting: str = ""
    thematic_areas: tuple[str, ...] = ()
    languages_of_instruction: tuple[str, ...] = ()
    activities: tuple[Activity, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    identifiers: tuple[Identifier, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    display: Display | None = None
    accreditation: QualityAssurance | None = None


@dataclass(frozen=True, slots=True)
class AssessmentGrade:
    """A learner's grade in the assessment of this key."""

    assessment: str
    grade: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """Who achieved it: no more than identifies the learner. A pseudonym among ``identifiers`` does."""

    given_name: str = ""
    family_name: str = ""
    full_name: str = ""
    date_of_birth: date | None = None
    national_id: LegalIdentifier | None = None
    identifiers: tuple[Identifier, ...] = ()
    citizenship_countries: tuple[str, ...] = ()
    email_address: str = ""
    date_of_issuing: date | None = None
    grade_achieved: Text = field(default_factory=_no_text)
    assessment_grades: tuple[AssessmentGrade, ...] = ()
    credential_identifiers: tuple[Identifier, ...] = ()
