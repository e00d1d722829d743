"""Whose grade is whose: of the overall assessment, of the others, and of who simply passed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from eseal.credential.building import build
from eseal.credential.micro_credential import Assessment, AssessmentGrade
from eseal.errors import InvalidInput
from tests.credential import courses

EXAM, ESSAY, OVERALL = (
    Assessment(key="exam", type="written examination"),
    Assessment(key="essay", type="marked assignment"),
    Assessment(type="project work"),
)
DISTINCTION = {"en": "Distinction"}


def test_a_grade_for_no_assessment_is_not_dropped() -> None:
    """A mistyped key would leave a learner with the default grade: it is told, with the keys that there are."""
    grades = (
        AssessmentGrade("essey", {"en": "9"}),
        AssessmentGrade("essay", {"en": "8"}),
        AssessmentGrade("", {"en": "7"}),
    )
    with pytest.raises(InvalidInput) as refused:
        build(courses.full_course(), courses.learner(assessment_grades=grades))

    faults = {fault.pointer: fault.message for fault in refused.value.faults}
    assert ["/learner/assessment_grades/0/assessment", "/learner/assessment_grades/2/assessment"] == list(faults)
    assert "essay, part-1" in faults["/learner/assessment_grades/0/assessment"]
    assert "grade_achieved" in faults["/learner/assessment_grades/2/assessment"]


@pytest.mark.parametrize(
    ("assessments", "grades"),
    [
        ((OVERALL,), ["Distinction"]),
        ((EXAM,), ["Distinction"]),
        ((EXAM, OVERALL), ["Pass", "Distinction"]),
        ((OVERALL, EXAM, ESSAY), ["Distinction", "Pass", "Pass"]),
    ],
)
@pytest.mark.parametrize("whose", ["learner", "course"])
def test_the_grade_achieved_is_that_of_the_overall_assessment(
    assessments: tuple[Assessment, ...], grades: list[str], whose: str
) -> None:
    """It goes to the only assessment, keyed or not, or to the only one without a key, and to no other."""
    own, shared = ({}, DISTINCTION) if whose == "course" else (DISTINCTION, {})
    course = courses.eciu_course(type_of_assessment=assessments, grade_achieved=shared)
    proven = build(course, courses.learner(grade_achieved=own)).get("/credentialSubject/hasClaim/provenBy")

    assert grades == [one["grade"]["noteLiteral"]["en"] for one in (proven if isinstance(proven, list) else [proven])]


@pytest.mark.parametrize("assessments", [(), (EXAM, ESSAY), (OVERALL, OVERALL, EXAM)])
def test_a_grade_without_an_overall_assessment_is_not_dropped(assessments: tuple[Assessment, ...]) -> None:
    """Where no assessment is the overall one, nobody could say which the grade is of."""
    course = courses.eciu_course(type_of_assessment=assessments, grade_achieved={"en": "Pass"})
    with pytest.raises(InvalidInput) as refused:
        build(course, courses.learner(grade_achieved=DISTINCTION))

    assert [
        ("/learner/grade_achieved", "overall-assessment"),
        ("/micro_credential/grade_achieved", "overall-assessment"),
    ] == [(one.pointer, one.rule) for one in refused.value.faults]


@pytest.mark.parametrize(
    ("assessments", "course_grade", "own", "place"),
    [
        ((EXAM, EXAM, OVERALL), {}, {}, "/micro_credential/type_of_assessment/1/key"),
        ((replace(OVERALL, grade={"en": "8"}),), {"en": "9"}, {}, "/micro_credential/grade_achieved"),
        (
            (EXAM,),
            {},
            {"grade_achieved": DISTINCTION, "assessment_grades": (AssessmentGrade("exam", {"en": "9"}),)},
            "/learner/grade_achieved",
        ),
        (
            (EXAM, OVERALL),
            {},
            {"assessment_grades": (AssessmentGrade("exam", {"en": "9"}), AssessmentGrade("exam", {"en": "8"}))},
            "/learner/assessment_grades/1/assessment",
        ),
    ],
)
def test_two_grades_for_one_assessment_are_told(
    assessments: tuple[Assessment, ...], course_grade: dict[str, str], own: dict[str, Any], place: str
) -> None:
    """None of them wins in silence, and a key names one assessment."""
    with pytest.raises(InvalidInput) as refused:
        build(courses.eciu_course(type_of_assessment=assessments, grade_achieved=course_grade), courses.learner(**own))

    assert [place] == [one.pointer for one in refused.value.faults]


@pytest.mark.parametrize(
    ("course_grade", "own", "place"),
    [
        ({}, {"grade_achieved": {"en": ""}}, "/learner/grade_achieved/en"),
        ({}, {"grade_achieved": {"en": "9", "nl": " "}}, "/learner/grade_achieved/nl"),
        ({"en": ""}, {}, "/micro_credential/grade_achieved/en"),
        ({}, {"assessment_grades": (AssessmentGrade("exam", {"en": " "}),)}, "/learner/assessment_grades/0/grade/en"),
    ],
)
def test_a_grade_that_says_nothing_is_told(course_grade: dict[str, str], own: dict[str, Any], place: str) -> None:
    """A blank is no grade, and does not stand for "passed" either: that is what no grade at all does."""
    course = courses.eciu_course(type_of_assessment=(EXAM, OVERALL), grade_achieved=course_grade)
    with pytest.raises(InvalidInput) as refused:
        build(course, courses.learner(**own))

    assert [place] == [one.pointer for one in refused.value.faults]


@pytest.mark.parametrize(
    ("languages", "grade"),
    [
        (("de",), {"de": "Bestanden"}),
        (("nl", "en"), {"nl": "Voldaan", "en": "Pass"}),
        (("is", "nl"), {"nl": "Voldaan"}),
        (("is",), {"en": "Pass"}),
    ],
)
def test_who_passed_did_so_in_the_credentials_languages(languages: tuple[str, ...], grade: dict[str, str]) -> None:
    """A grade that nobody gives is said in the credential's languages, in English where their word is not known."""
    document = build(courses.eciu_course(languages=languages), courses.learner())

    assert grade == document.get("/credentialSubject/hasClaim/provenBy/grade/noteLiteral")
