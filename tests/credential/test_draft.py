"""A class is a faster way to the same bytes: each member is what the learner would have been alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eseal.credential import draft
from eseal.credential.annex_i import annex_i
from eseal.credential.building import build
from eseal.credential.checking import check
from eseal.credential.completion import Completion, complete
from eseal.credential.facts import award_facts
from eseal.credential.micro_credential import AssessmentGrade, Display, Identifier, Learner, MicroCredential
from eseal.credential.page import Pages
from eseal.errors import EsealError
from eseal.terms import LegalIdentifier
from tests.credential import courses

if TYPE_CHECKING:
    from eseal.credential.draft import Draft

ISSUED = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
COURSES = {
    "example": courses.eciu_course(),
    "full": courses.full_course(),
    "valid from a day": replace(courses.eciu_course(), valid_from=date(2026, 1, 1)),
    "ended before it began": replace(courses.eciu_course(), valid_until=datetime(2020, 1, 1, tzinfo=UTC)),
    "with pages": replace(courses.eciu_course(), display=courses.PAGES),
    "without languages": replace(courses.eciu_course(), languages=()),
    "without outcomes": replace(courses.eciu_course(), learning_outcomes=()),
}
GRANTS = {
    "one mandate": courses.grant(courses.mandate(agreement=courses.agreement())),
    "two": courses.grant(courses.mandate(1), courses.mandate(2, statements={"en": "On behalf"})),
    "none": courses.grant(),
}

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        ["", " ", "Ada", "Ωμέγα", '"\\\n', "stand-in for given name", "urn:certificateOrganisation:1", "A: B"]
    ),
)
identifiers = st.lists(st.builds(Identifier, texts, st.sampled_from(["", "Student number"])), max_size=2).map(tuple)
learners = st.builds(
    Learner,
    given_name=texts,
    family_name=texts,
    full_name=texts,
    date_of_birth=st.none() | st.dates(date(1900, 1, 1), date(2020, 1, 1)) | st.just(date(2026, 11, 25)),
    national_id=st.none()
    | st.builds(LegalIdentifier, st.sampled_from(["tax", "other"]), texts, st.sampled_from(["IRL", "NLD", "XXX", ""])),
    identifiers=identifiers,
    citizenship_countries=st.sampled_from([(), ("IRL",), ("IRL", "NLD"), ("nowhere",)]),
    email_address=st.sampled_from(["", "", "ada@example.org"]),
    date_of_issuing=st.sampled_from([None, None, date(2026, 5, 1)]),
    grade_achieved=st.sampled_from([{}, {}, {"en": "Pass"}]),
    assessment_grades=st.sampled_from([(), (), (AssessmentGrade("quiz", {"en": "9"}),)]),
    credential_identifiers=st.sampled_from([(), (), (Identifier("C-1"),)]),
)


def _drafts(course: MicroCredential, class_list: list[Learner]) -> list[Draft | EsealError]:
    return [_or_error(course, learner) for learner in class_list]


def _or_error(course: MicroCredential, learner: Learner) -> Draft | EsealError:
    try:
        return draft.draft(course, learner)
    except EsealError as error:
        return error


PAGES = Pages()


@settings(max_examples=300, deadline=None)
@given(
    course=st.sampled_from(sorted(COURSES)),
    grant=st.sampled_from(sorted(GRANTS)),
    class_list=st.lists(learners, min_size=2, max_size=5),
)
def test_equals_the_slow_way(course: str, grant: str, class_list: list[Learner]) -> None:
    """Content digest, facts, completion, payload, faults and missing elements are those of the document built alone."""
    micro_credential = COURSES[course]
    drafted = _drafts(micro_credential, class_list)
    for learner, one in zip(class_list, drafted, strict=True):
        if isinstance(one, EsealError):
            with pytest.raises(EsealError) as alone:
                build(micro_credential, learner)
            assert [(fault.pointer, fault.rule) for fault in alone.value.faults] == [
                (fault.pointer, fault.rule) for fault in one.faults
            ]
            continue
        document = build(micro_credential, learner)
        wanted = {"sealer": courses.SEALER, "grant": GRANTS[grant], "display": Display(), "pages": PAGES}
        completion = Completion.of(document, **wanted)
        whole = complete(document, completion, credential_id=courses.CREDENTIAL_ID, issued=ISSUED)
        quick = one.complete(one.completion(**wanted), credential_id=courses.CREDENTIAL_ID, issued=ISSUED)

        assert [document.digest("sha256")] == draft.content_digests([one])
        assert award_facts(document) == one.facts()
        assert completion == one.completion(**wanted)
        assert [whole.canonical()] == draft.payloads([quick])
        assert [check(whole)] == draft.faults_of([quick])
        assert list(annex_i(whole).missing) == list(draft.missing_elements(quick))


def _kinds(class_list: list[Learner], course: MicroCredential = COURSES["example"]) -> list[str]:
    return [type(one).__name__ for one in _drafts(course, class_list)]


def test_a_class_list_is_one_class() -> None:
    """Names, birth, a student number and a national id differ, and all are members of one class."""
    people = [
        Learner(
            given_name=f"G{n}",
            family_name=f"F{n}",
            date_of_birth=date(2000, 1, 1 + n),
            identifiers=(Identifier(f"{n:05}", "Student number"),),
            national_id=LegalIdentifier("other", f"{n}", "IRL"),
        )
        for n in range(5)
    ]
    _, *drafted = _drafts(COURSES["example"], [people[0], *people])

    assert {"Member"} == {type(one).__name__ for one in drafted}
    assert 1 == len({id(one.of) for one in drafted})


def test_who_is_no_member() -> None:
    """The first learner of a course; and who has an address, or a name that the sealer's words could meet."""
    ada, course = Learner(given_name="Ada"), replace(COURSES["example"])

    assert ["Whole", "Member"] == _kinds([ada, ada], course)
    assert ["Member", "Whole", "Whole", "Whole"] == _kinds(
        [
            ada,
            replace(ada, email_address="ada@example.org"),
            replace(ada, given_name="urn:certificateOrganisation:1"),
            replace(ada, family_name=" "),
        ],
        course,
    )


def test_a_class_keeps_nothing_of_its_learners() -> None:
    """What is kept for the next batch holds stand-ins, and no learner's name."""
    people = [Learner(given_name=f"Unforgettable{n}", family_name="Name") for n in range(2)]
    (_, one) = _drafts(COURSES["example"], people)

    assert b"Unforgettable" not in one.of._document.canonical()


def test_a_personal_page_has_its_learners_name() -> None:
    """A page with the learner's name on it is the learner's own, also in a class."""
    course = replace(COURSES["example"], display=Display(personal=True))
    people = [Learner(given_name=f"G{n}") for n in range(2)]
    pages = Pages()
    shown = []
    for learner, one in zip(people, _drafts(course, people), strict=True):
        arguments = {
            "sealer": courses.SEALER,
            "grant": GRANTS["one mandate"],
            "display": course.display,
            "pages": pages,
        }
        quick = one.complete(one.completion(**arguments), credential_id=courses.CREDENTIAL_ID, issued=ISSUED)
        document = build(course, learner)
        completion = Completion.of(document, **arguments)
        whole = complete(document, completion, credential_id=courses.CREDENTIAL_ID, issued=ISSUED)
        assert [whole.canonical()] == draft.payloads([quick])
        shown.append(whole.get("/displayParameter/individualDisplay"))

    assert shown[0] != shown[1]
