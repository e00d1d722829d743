"""Annex I: each element is found wherever the model lets it stand, and what is missing bears its official name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from eseal.credential.annex_i import annex_i
from eseal.credential.building import build
from tests.credential import courses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eseal.sealcore import Document

LEARNER = "Identification of the learner"
TITLE = "Title of the micro-credential"
COUNTRY = "Country/Region of the issuer"
BODY = "Awarding body"
DATE = "Date of issuing"
OUTCOMES = "Learning outcomes"
WORKLOAD = "Notional workload needed to achieve the learning outcomes"
LEVEL = "Level of the learning experience leading to the micro-credential"
ASSESSMENT = "Type of assessment"
PARTICIPATION = "Form of participation in the learning activity"
QUALITY = "Type of quality assurance used to underpin the micro-credential"
PREREQUISITES = "Prerequisites needed to enrol in the learning activity"
SUPERVISION = "Supervision and identity verification during assessment"
GRADE = "Grade achieved"
STACKABILITY = "Integration/stackability options"
FURTHER = "Further information"
MANDATORY = (
    LEARNER, TITLE, COUNTRY, BODY, DATE, OUTCOMES, WORKLOAD, LEVEL, ASSESSMENT, PARTICIPATION, QUALITY,
)  # fmt: skip
OPTIONAL = (PREREQUISITES, SUPERVISION, GRADE, STACKABILITY, FURTHER)

PERSON = "/credentialSubject"
CLAIM = f"{PERSON}/hasClaim"
SPECIFIED = f"{CLAIM}/specifiedBy"
AWARDED_BY = f"{CLAIM}/awardedBy"
AWARDING_BODY = f"{AWARDED_BY}/awardingBody"
COUNTRY_CODE = {"id": "http://publications.europa.eu/resource/authority/country/IRL", "type": "Concept"}
ITEM = {"id": "urn:x:concept", "type": "Concept"}
ACCREDITATION = {"id": "urn:x:accreditation", "type": "Accreditation", "dcType": ITEM}
NOTE = {"id": "urn:x:note", "type": "Note", "noteLiteral": {"en": "text"}}


def _node(kind: str, **members: Any) -> dict[str, Any]:
    return {"id": f"urn:x:{kind}", "type": kind, **members}


def _in_parts(kind: str, **members: Any) -> dict[str, Any]:
    """A node whose part has the members."""
    return _node(kind, hasPart={"id": "urn:x:part", "type": kind, **members})


def _taken(kind: str, **members: Any) -> dict[str, Any]:
    """An assessment or an activity, by what specifies it."""
    return _node(kind, specifiedBy={"id": "urn:x:specification", "type": f"{kind}Specification", **members})


PLACES: list[tuple[str, str, Any]] = [
    (LEARNER, f"{PERSON}/givenName", {"en": "Ana"}),
    (LEARNER, f"{PERSON}/familyName", {"en": "Andromeda"}),
    (LEARNER, f"{PERSON}/fullName", {"en": "Ana Andromeda"}),
    (LEARNER, f"{PERSON}/nationalID", _node("LegalIdentifier", notation="1")),
    (LEARNER, f"{PERSON}/identifier", _node("Identifier", notation="1")),
    (TITLE, f"{CLAIM}/title", {"ga": "Teideal"}),
    (
        COUNTRY,
        "/issuer",
        _node("Organisation", location=_node("Location", address=_node("Address", countryCode=COUNTRY_CODE))),
    ),
    (COUNTRY, f"{AWARDING_BODY}/location", _node("Location", address=_node("Address", countryCode=COUNTRY_CODE))),
    (BODY, f"{AWARDING_BODY}/legalName", {"ga": "Ollscoil"}),
    (DATE, "/issued", "2026-06-01T00:00:00Z"),
    (DATE, f"{AWARDED_BY}/awardingDate", "2026-06-01T00:00:00Z"),
    (OUTCOMES, f"{SPECIFIED}/learningOutcome", _node("LearningOutcome", title={"en": "Do it"})),
    (OUTCOMES, f"{SPECIFIED}/learningOutcomeSummary", NOTE),
    (WORKLOAD, f"{SPECIFIED}/creditPoint", _node("CreditPoint", point="2")),
    (WORKLOAD, f"{SPECIFIED}/volumeOfLearning", "PT60H"),
    (WORKLOAD, f"{CLAIM}/creditReceived", _node("CreditPoint", point="2")),
    (WORKLOAD, f"{CLAIM}/influencedBy", _node("LearningActivity", workload="PT60H")),
    (WORKLOAD, f"{CLAIM}/influencedBy", _taken("LearningActivity", volumeOfLearning="PT60H")),
    (WORKLOAD, f"{SPECIFIED}/influencedBy", _node("LearningActivitySpecification", volumeOfLearning="PT60H")),
    (LEVEL, f"{SPECIFIED}/eqfLevel", ITEM),
    (LEVEL, f"{SPECIFIED}/nqfLevel", ITEM),
    (ASSESSMENT, f"{CLAIM}/provenBy", _node("LearningAssessment", dcType=ITEM)),
    (ASSESSMENT, f"{CLAIM}/provenBy", _taken("LearningAssessment", dcType=ITEM)),
    (ASSESSMENT, f"{CLAIM}/provenBy", _in_parts("LearningAssessment", dcType=ITEM)),
    (ASSESSMENT, f"{SPECIFIED}/provenBy", _node("LearningAssessmentSpecification", dcType=ITEM)),
    (ASSESSMENT, f"{SPECIFIED}/provenBy", _in_parts("LearningAssessmentSpecification", dcType=ITEM)),
    (PARTICIPATION, f"{SPECIFIED}/mode", ITEM),
    (PARTICIPATION, f"{CLAIM}/influencedBy", _taken("LearningActivity", mode=ITEM)),
    (PARTICIPATION, f"{SPECIFIED}/influencedBy", _node("LearningActivitySpecification", mode=ITEM)),
    (PARTICIPATION, f"{SPECIFIED}/influencedBy", _in_parts("LearningActivitySpecification", mode=ITEM)),
    (QUALITY, f"{SPECIFIED}/accreditation", ACCREDITATION),
    (QUALITY, f"{AWARDING_BODY}/accreditation", ACCREDITATION),
    (QUALITY, "/evidence", _node("Evidence", accreditation=ACCREDITATION)),
    (PREREQUISITES, f"{SPECIFIED}/entryRequirement", NOTE),
    (SUPERVISION, f"{CLAIM}/provenBy", _node("LearningAssessment", idVerification=ITEM)),
    (SUPERVISION, f"{CLAIM}/provenBy", _in_parts("LearningAssessment", idVerification=ITEM)),
    (GRADE, f"{CLAIM}/provenBy", _node("LearningAssessment", grade=NOTE)),
    (STACKABILITY, f"{SPECIFIED}/isPartialQualification", True),
    (STACKABILITY, f"{SPECIFIED}/hasPart", _node("Qualification")),
    (STACKABILITY, f"{SPECIFIED}/entitlesTo", _node("LearningEntitlementSpecification")),
    (STACKABILITY, f"{CLAIM}/hasPart", _node("LearningAchievement")),
    (STACKABILITY, f"{CLAIM}/isPartOf", _node("LearningAchievement")),
    (STACKABILITY, f"{CLAIM}/entitlesTo", _node("LearningEntitlement")),
    (FURTHER, f"{SPECIFIED}/homepage", _node("WebResource")),
    (FURTHER, f"{SPECIFIED}/supplementaryDocument", _node("WebResource")),
    (FURTHER, f"{SPECIFIED}/additionalNote", NOTE),
    (FURTHER, f"{CLAIM}/additionalNote", NOTE),
]


@pytest.fixture
def bare() -> Document:
    """A credential with nothing of Annex I in it but the places where it goes."""
    document = build(courses.eciu_course(), courses.Learner())
    body = {"id": "urn:x:body", "type": "Organisation"}
    process = {"id": "urn:x:process", "type": "AwardingProcess", "awardingBody": body}
    qualification = {"id": "urn:x:qualification", "type": "Qualification"}
    claim = {"id": "urn:x:claim", "type": "LearningAchievement", "awardedBy": process, "specifiedBy": qualification}
    return document.set(PERSON, {"id": "urn:x:person", "type": "Person", "hasClaim": claim})


def test_the_elements_are_those_of_the_recommendation(bare: Document) -> None:
    """Eleven mandatory and five optional ones, in its order and by its names; a bare credential lacks them all."""
    found = annex_i(bare)

    assert (MANDATORY, OPTIONAL) == (found.missing, found.optional_missing)
    assert ((), ()) == (found.present, found.optional_present)


@pytest.mark.parametrize(("element", "pointer", "value"), PLACES)
def test_an_element_is_found_wherever_it_may_stand(bare: Document, element: str, pointer: str, value: Any) -> None:
    """One place is enough, alone or in a list, and it adds no other mandatory element."""
    for said in (value, [value]) if isinstance(value, dict) and "type" in value else (value,):
        found = annex_i(bare.set(pointer, said))
        assert [element] == [name for name in (*found.present, *found.optional_present) if name in _beside(element)]


def _beside(element: str) -> Iterable[str]:
    """What an element may not be taken for: an assessment's grade, say, stands in an assessment and tells no type."""
    return (element, *(name for name in MANDATORY if name != element))


BLANK = {"en": " \n", "nl": "\u200b"}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        (f"{PERSON}/fullName", BLANK),
        (f"{PERSON}/nationalID", _node("LegalIdentifier", notation="")),
        (f"{PERSON}/identifier", _node("Identifier", notation=" ")),
        (f"{CLAIM}/title", BLANK),
        (f"{AWARDING_BODY}/legalName", BLANK),
        (f"{SPECIFIED}/learningOutcome", _node("LearningOutcome", title=BLANK)),
        (f"{SPECIFIED}/learningOutcomeSummary", _node("Note", noteLiteral=BLANK)),
        (f"{SPECIFIED}/creditPoint", _node("CreditPoint", point="0")),
        (f"{SPECIFIED}/creditPoint", _node("CreditPoint", point="0.00")),
        (f"{CLAIM}/creditReceived", _node("CreditPoint", point=" ")),
        (f"{SPECIFIED}/volumeOfLearning", "PT0H"),
        (f"{SPECIFIED}/volumeOfLearning", "-PT60H"),
        (f"{CLAIM}/influencedBy", _node("LearningActivity", workload="P0D")),
        (f"{SPECIFIED}/entryRequirement", _node("Note", noteLiteral=BLANK)),
        (f"{SPECIFIED}/additionalNote", _node("Note", noteLiteral=BLANK)),
        (f"{CLAIM}/provenBy", _node("LearningAssessment", grade=_node("Note", noteLiteral=BLANK))),
    ],
)
def test_what_says_nothing_is_no_element(bare: Document, pointer: str, value: Any) -> None:
    """A name of blanks identifies nobody, an identifier without a number nothing, and no credits are no workload."""
    found = annex_i(bare.set(pointer, value))

    assert (MANDATORY, OPTIONAL) == (found.missing, found.optional_missing)


def test_every_element_has_a_place() -> None:
    """None is left out of the table."""
    assert set(MANDATORY + OPTIONAL) == {element for element, _, _ in PLACES}


def test_an_eqf_level_is_a_qualifications(bare: Document) -> None:
    """On a specification that is no qualification no reader of an EDC looks for it."""
    level = bare.set(f"{SPECIFIED}/eqfLevel", ITEM).set(f"{SPECIFIED}/type", "LearningAchievementSpecification")

    assert LEVEL in annex_i(level).missing
