"""Micro-credentials to test with: the ECIU webinar's example, and one that says everything that can be said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from eseal.credential.building import build
from eseal.credential.completion import Completion, complete
from eseal.credential.micro_credential import (
    Activity,
    Assessment,
    AssessmentGrade,
    Attachment,
    CreditPoint,
    Display,
    DisplayPage,
    Entitlement,
    FurtherInformation,
    GradingScheme,
    Group,
    Identifier,
    Learner,
    LearningLevel,
    LearningOutcome,
    MicroCredential,
    NotionalWorkload,
    Organisation,
    QualificationFrameworkLevel,
    QualityAssurance,
    Region,
    Skill,
    Stackability,
)
from eseal.terms import Agreement, Caller, Grant, LegalEntity, LegalIdentifier, MandateInForce

if TYPE_CHECKING:
    from eseal.sealcore import Document

# A one-pixel PNG, for credentials in which the picture does not matter.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
PAGES = Display(pages=(DisplayPage("en", "image/png", PIXEL),))
CREDENTIAL_ID = "urn:credential:00000000-0000-4000-8000-000000000001"
ISSUED = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SEALER = LegalEntity(
    legal_name="Stichting European Consortium of Innovative Universities",
    common_name="ECIU e-seal",
    organization_identifier="NTRNL-08164880",
    country="NL",
)
DCU = Organisation(
    legal_name={"en": "Dublin City University"},
    country="IRL",
    region="IRL_CTH_DUB",
    identifiers=(LegalIdentifier("other", "999892588", scheme="PIC"), LegalIdentifier("vat", "IE0000000A", "IRL")),
    homepage="https://www.dcu.ie",
    group_member_of=(Group({"en": "ECIU University"}),),
)
TWENTE = Organisation(
    legal_name={"en": "University of Twente", "nl": "Universiteit Twente"},
    country="NLD",
    identifiers=(LegalIdentifier("registration", "00000000", "NLD"), LegalIdentifier("eidas", "NTRNL-00000000", "NLD")),
)
QQI = Organisation(legal_name={"en": "Quality and Qualifications Ireland"}, country="IRL")
INSTITUTIONAL = QualityAssurance(type="Institutional quality assurance", accrediting_agent=QQI)


def eciu_course(**changes: object) -> MicroCredential:
    """The ECIU webinar's example, complete under Annex I."""
    course = MicroCredential(
        title={"en": "Introduction to Artificial Intelligence"},
        awarding_bodies=(DCU,),
        date_of_issuing=date(2026, 5, 31),
        learning_outcomes=(
            LearningOutcome(
                title={"en": "Create a chatbot using Scratch"},
                esco_skills=(Skill("5fd5c985-eaaa-47aa-8314-62359c54505a"),),
            ),
            LearningOutcome(title={"en": "Use image classification tools to identify different objects in images"}),
        ),
        notional_workload=NotionalWorkload(ects_credits="2", volume_of_learning="PT50H"),
        level=LearningLevel(6),
        type_of_assessment=(Assessment(type="project work"),),
        form_of_participation=("Online",),
        type_of_quality_assurance=(INSTITUTIONAL,),
        thematic_areas=("0613",),
        integration_stackability=Stackability(
            stackable=True, entitles_to=(Entitlement(title={"en": "Recognition for credit"}),)
        ),
    )
    return replace(course, **changes)  # type: ignore[arg-type]


def full_course() -> MicroCredential:
    """A joint award in two languages that uses every field."""
    part = MicroCredential(
        title={"en": "Part one", "nl": "Deel een"},
        awarding_bodies=(),
        notional_workload=NotionalWorkload(ects_credits="1"),
        learning_outcomes=(LearningOutcome(title={"en": "Begin"}),),
        type_of_assessment=(Assessment(key="part-1", type="quiz"),),
    )
    return eciu_course(
        title={"en": "Artificial Intelligence", "nl": "Kunstmatige intelligentie"},
        awarding_bodies=(DCU, TWENTE),
        country_region_of_issuer=Region("IRL"),
        notional_workload=NotionalWorkload(
            ects_credits="2.5",
            other_credits=(CreditPoint("60b314e826", "3"),),
            volume_of_learning="PT60H",
            maximum_duration="P6M",
        ),
        level=LearningLevel(
            6, (QualificationFrameworkLevel("http://data.europa.eu/snb/qdr/c_c392e7a2", {"en": "RQF Level 6"}),)
        ),
        type_of_assessment=(
            Assessment(
                type="written examination",
                grading_scheme=GradingScheme(
                    {"en": "Ten-point scale"}, {"en": "6 and more passes"}, "https://example.org/grades"
                ),
                mode=("Online", "Presential"),
                languages=("en",),
                date=date(2026, 5, 20),
            ),
            Assessment(key="essay", type="marked assignment", title={"en": "Essay"}, grade={"en": "8"}),
        ),
        prerequisites={"en": "None", "nl": "Geen"},
        supervision_and_identity_verification="70be69aaf9",
        grade_achieved={"en": "Pass"},
        integration_stackability=Stackability(
            stackable=True,
            entitles_to=(Entitlement(title={"en": "Recognition for credit"}, description={"en": "2.5 ECTS"}),),
            parts=(part,),
        ),
        further_information=FurtherInformation(
            note={"en": "Taught together"},
            homepage="https://example.org",
            supplementary_documents=("https://example.org/a",),
        ),
        description={"en": "has completed the course"},
        opportunity_type="Course",
        learning_setting="formal learning",
        languages_of_instruction=("en", "nl"),
        activities=(
            Activity(
                title={"en": "Lectures"},
                type="classroom coursework",
                mode=("Blended",),
                volume_of_learning="PT30H",
                start_date=date(2026, 2, 1),
                end_date=date(2026, 5, 1),
                languages=("en",),
            ),
        ),
        valid_from=datetime(2026, 6, 1, tzinfo=UTC),
        valid_until=datetime(2036, 6, 1, tzinfo=UTC),
        identifiers=(Identifier("AI-101", "DCU course code"),),
        attachments=(Attachment("image/png", PIXEL, {"en": "Badge"}),),
    )


def learner(**changes: object) -> Learner:
    """A learner with a name and a date of birth."""
    person = Learner(given_name="Ana", family_name="Andromeda", date_of_birth=date(1999, 10, 1))
    return replace(person, **changes)  # type: ignore[arg-type]


def full_learner() -> Learner:
    """A learner of whom everything is said."""
    return learner(
        national_id=LegalIdentifier("other", "LA-234218", "ITA"),
        identifiers=(Identifier("urn:schac:personalUniqueCode:int:esi:dcu.ie:12345", "European Student Identifier"),),
        citizenship_countries=("ITA", "IRL"),
        email_address="ana@example.org",
        grade_achieved={"en": "9"},
        assessment_grades=(AssessmentGrade("essay", {"en": "8.5"}),),
        credential_identifiers=(Identifier("C012", "Certificate number"),),
    )


def mandate(number: int = 1, **changes: object) -> MandateInForce:
    """A mandate in force, with the standard statement and no agreement."""
    return replace(MandateInForce(f"mandate-{number}", f"body-{number}"), **changes)  # type: ignore[arg-type]


def grant(*mandates: MandateInForce) -> Grant:
    """The policy's yes under these mandates; none means self-issue."""
    return Grant(
        caller=Caller("https://dcu.example/backend"),
        member="dcu",
        mandates=mandates,
        self_issue=not mandates,
        register_sha256=bytes(32),
    )


def agreement(content: bytes = b"%PDF-1.7 agreement") -> Agreement:
    """An agreement document."""
    return Agreement(sha256=bytes(32), media_type="application/pdf", title="Mandate agreement", content=content)


def completed(document: Document, *mandates: MandateInForce) -> Document:
    """The document, completed by the sealer under these mandates."""
    completion = Completion.of(document, sealer=SEALER, grant=grant(*mandates))
    return complete(document, completion, credential_id=CREDENTIAL_ID, issued=ISSUED)


def issued(course: MicroCredential | None = None, person: Learner | None = None, *mandates: MandateInForce) -> Document:
    """A micro-credential built and completed, by default the ECIU example under one mandate."""
    return completed(build(course or eciu_course(), person or learner()), *(mandates or (mandate(),)))
