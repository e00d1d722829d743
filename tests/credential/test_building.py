"""Documents to seal, built from a micro-credential and a learner."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from eseal.credential.annex_i import annex_i
from eseal.credential.building import build
from eseal.credential.checking import check
from eseal.credential.micro_credential import (
    Activity,
    Assessment,
    Attachment,
    Group,
    Identifier,
    Learner,
    LearningLevel,
    MicroCredential,
    NotionalWorkload,
    Organisation,
    Skill,
    Stackability,
)
from eseal.credential.nodes import MAX_ATTACHMENTS, MAX_FILE_BYTES
from eseal.errors import InvalidInput
from tests.credential import courses


def test_the_same_request_is_the_same_document() -> None:
    """Building counts ids and asks neither clock nor chance."""
    one = build(courses.full_course(), courses.full_learner())
    other = build(courses.full_course(), courses.full_learner())

    assert one.canonical() == other.canonical()


def test_learners_share_a_course_and_nothing_else() -> None:
    """What is kept of a course for the next learner holds nothing of the one before."""
    course = courses.full_course()
    first = build(course, courses.full_learner())
    second = build(course, courses.learner(given_name="Bob"))

    assert build(courses.full_course(), courses.learner(given_name="Bob")).canonical() == second.canonical()
    assert build(courses.full_course(), courses.full_learner()).canonical() == first.canonical()
    assert b"ana@example.org" not in second.canonical()


def test_the_eciu_example_is_complete_under_annex_i() -> None:
    """The webinar's micro-credential has every mandatory element."""
    assert () == annex_i(build(courses.eciu_course(), courses.learner())).missing


def test_every_field_reaches_the_document() -> None:
    """A course and a learner of whom everything is said leave nothing out."""
    text = build(courses.full_course(), courses.full_learner()).canonical().decode()

    for said in (
        "Universiteit Twente", "NTRNL-00000000", "999892588", "IRL_CTH_DUB", "ECIU University", "PT60H", "P6M", "2.5",
        "RQF Level 6", "isced-f/0613", "Ten-point scale", "https://example.org/grades", "8.5", "Deel een", "Geen",
        "supervision-verification/70be69aaf9", "learning-opportunity/05053c1cbe", "learning-setting/6fd4685715",
        "Recognition for credit", "Taught together", "https://example.org/a", "has completed the course", "AI-101", "C012",
        "LA-234218", "personalUniqueCode", "mailto:ana@example.org", "1999-10-01T00:00:00Z", "2036-06-01T00:00:00Z",
        "2026-02-01T00:00:00Z", "Badge", "5fd5c985-eaaa-47aa-8314-62359c54505a", "isPartialQualification",
    ):  # fmt: skip
        assert said in text, said


def test_a_pseudonymous_learner_is_no_more_than_an_identifier() -> None:
    """Nothing but the pseudonym is said of a learner who gives nothing else."""
    learner = Learner(identifiers=(Identifier("a3f1", "ECIU pseudonym"),))
    document = build(courses.eciu_course(), learner)

    assert {"id", "type", "hasClaim", "identifier"} == set(document.get("/credentialSubject"))
    assert "Identification of the learner" in annex_i(document).present


def test_equal_organisations_are_one_node() -> None:
    """An organisation that occurs twice has one id, one that differs has another."""
    document = build(courses.eciu_course(awarding_bodies=(courses.DCU, courses.DCU, courses.TWENTE)), courses.learner())
    ids = [body["id"] for body in document.get("/credentialSubject/hasClaim/awardedBy/awardingBody")]

    assert ids[0] == ids[1] != ids[2]


def test_labels_come_in_the_credentials_languages() -> None:
    """A concept carries its label in each language of the credential that the vocabulary knows."""
    document = build(courses.full_course(), courses.learner())
    country = "/credentialSubject/hasClaim/awardedBy/awardingBody/1/location/address/countryCode"

    assert {"en": "Netherlands", "nl": "Nederland"} == document.get(f"{country}/prefLabel")


def test_a_learners_own_date_and_grade_take_precedence() -> None:
    """What the learner brings counts before what the course says."""
    learner = courses.learner(date_of_issuing=date(2026, 6, 15), grade_achieved={"en": "Distinction"})
    document = build(courses.eciu_course(), learner)

    assert "2026-06-15T00:00:00Z" == document.get("/credentialSubject/hasClaim/awardedBy/awardingDate")
    assert {"en": "Distinction"} == document.get("/credentialSubject/hasClaim/provenBy/grade/noteLiteral")


def test_every_mistake_is_told_at_once_and_in_its_place() -> None:
    """Unknown vocabulary items, countries and languages are all faults of the one refusal, with the nearest known."""
    course = courses.eciu_course(
        form_of_participation=("Onlin",),
        level=LearningLevel(9),
        thematic_areas=("0613", "9998"),
        languages=("en", "xx"),
        awarding_bodies=(Organisation(legal_name={"en": "Nowhere"}),),
    )
    with pytest.raises(InvalidInput) as refused:
        build(course, courses.learner())

    places = {fault.pointer: fault for fault in refused.value.faults}
    assert {
        "/micro_credential/form_of_participation/0",
        "/micro_credential/level/eqf",
        "/micro_credential/thematic_areas/1",
        "/micro_credential/languages/1",
        "/micro_credential/awarding_bodies/0/country",
    } == places.keys()
    assert "Online" in places["/micro_credential/form_of_participation/0"].message


@pytest.mark.parametrize(
    ("attachments", "place"),
    [
        ((Attachment("text/html", b"<html>"),), "/micro_credential/attachments/0/media_type"),
        ((Attachment("application/pdf", b"<html>"),), "/micro_credential/attachments/0/content"),
        ((Attachment("application/pdf", b"%PDF-" + bytes(MAX_FILE_BYTES)),), "/micro_credential/attachments/0/content"),
        ((Attachment("application/pdf", b"%PDF-"),) * (MAX_ATTACHMENTS + 1), "/micro_credential/attachments"),
    ],
)
def test_attachments_have_limits(attachments: tuple[Attachment, ...], place: str) -> None:
    """Of a known type, that they begin like, of a decent size and number."""
    with pytest.raises(InvalidInput) as refused:
        build(courses.eciu_course(attachments=attachments), courses.learner())

    assert [place] == [fault.pointer for fault in refused.value.faults]


def _of_parts(**changes: Any) -> MicroCredential:
    """A course of one part that says little else than ``changes``."""
    part = MicroCredential(title={"en": "Part one"}, awarding_bodies=())
    return courses.eciu_course(integration_stackability=Stackability(parts=(replace(part, **changes),)))


def test_a_parts_identifiers_are_its_achievements() -> None:
    """What identifies a part stands in the part, not in the credential."""
    document = build(_of_parts(identifiers=(Identifier("AI-101-A", "Module code"),)), courses.learner())

    assert "AI-101-A" == document.get("/credentialSubject/hasClaim/hasPart/identifier/notation")
    assert not document.has("/identifier")


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("title", {"en": " "}, "annex-i:title"),
        ("languages", ("en",), "part"),
        ("valid_from", datetime(2026, 6, 1, tzinfo=UTC), "part"),
        ("valid_until", datetime(2030, 6, 1, tzinfo=UTC), "part"),
        ("attachments", (Attachment("image/png", courses.PIXEL),), "part"),
        ("display", courses.PAGES, "part"),
        ("accreditation", courses.INSTITUTIONAL, "part"),
    ],
)
def test_what_a_part_cannot_say_is_not_dropped(name: str, value: object, rule: str) -> None:
    """A part needs its title; what the model has for credentials alone is told, in its place."""
    with pytest.raises(InvalidInput) as refused:
        build(_of_parts(**{name: value}), courses.learner())

    place = f"/micro_credential/integration_stackability/parts/0/{name}"
    assert [(place, rule)] == [(one.pointer, one.rule) for one in refused.value.faults]


def test_a_duration_takes_time() -> None:
    """xsd:duration has negative ones, and SHACL takes them; nobody learns for one."""
    backwards = NotionalWorkload(ects_credits="2", volume_of_learning="-PT60H")
    with pytest.raises(InvalidInput) as refused:
        build(courses.eciu_course(notional_workload=backwards), courses.learner())

    assert ["/micro_credential/notional_workload/volume_of_learning"] == [one.pointer for one in refused.value.faults]


def test_the_supervision_of_all_assessments_is_wrong_where_it_was_said() -> None:
    """A value that the course gives for its assessments is told once, at the field that the caller sent."""
    course = courses.eciu_course(
        type_of_assessment=(Assessment(type="quiz"), Assessment(type="project work", identity_verification="yes")),
        supervision_and_identity_verification="supervised",
    )
    with pytest.raises(InvalidInput) as refused:
        build(replace(course, type_of_assessment=(*course.type_of_assessment, Assessment())), courses.learner())

    assert [
        "/micro_credential/supervision_and_identity_verification",
        "/micro_credential/type_of_assessment/1/identity_verification",
    ] == [one.pointer for one in refused.value.faults]


def test_the_same_quality_assurance_is_one_node() -> None:
    """Said of a body and of two qualifications, with a report, it has one id and says one thing: it can be sealed."""
    assured = replace(courses.INSTITUTIONAL, report="https://data.deqar.eu/report/1")
    part = replace(courses.eciu_course(), type_of_quality_assurance=(assured,))
    course = courses.eciu_course(
        awarding_bodies=(replace(courses.DCU, accreditations=(assured,)),),
        type_of_quality_assurance=(assured,),
        integration_stackability=Stackability(parts=(part,)),
    )
    text = build(course, courses.learner()).canonical().decode()

    assert text.count('"urn:epass:accreditation:1"') > 1
    assert "urn:epass:accreditation:2" not in text
    assert [] == check(courses.issued(course))


def test_another_quality_assurance_under_the_same_id_is_told() -> None:
    """Two that share an id would become one node with both their words."""
    iri = "http://data.europa.eu/snb/data/accreditation/1"
    one, other = (replace(courses.INSTITUTIONAL, id=iri, title={"en": title}) for title in ("One", "Other"))
    with pytest.raises(InvalidInput) as refused:
        build(courses.eciu_course(type_of_quality_assurance=(one, other)), courses.learner())

    assert ["/micro_credential/type_of_quality_assurance/1/id"] == [fault.pointer for fault in refused.value.faults]


def test_the_accreditation_of_an_award_has_an_id() -> None:
    """The caller is told what to send, not the name of a node that was never sent."""
    with pytest.raises(InvalidInput) as refused:
        build(courses.eciu_course(accreditation=courses.INSTITUTIONAL), courses.learner())

    assert ["/micro_credential/accreditation/id"] == [fault.pointer for fault in refused.value.faults]


@pytest.mark.parametrize("address", ["ada", "ada@", "@dcu.ie", "ada lovelace@dcu.ie", "<ada@dcu.ie>"])
def test_what_is_no_e_mail_address_is_told_as_such(address: str) -> None:
    """In its place: of the learner, of a body, of a group."""
    body = replace(courses.DCU, email_address=address, group_member_of=(Group({"en": "ECIU"}, address),))
    with pytest.raises(InvalidInput) as refused:
        build(courses.eciu_course(awarding_bodies=(body,)), courses.learner(email_address=address))

    assert {
        "/learner/email_address",
        "/micro_credential/awarding_bodies/0/email_address",
        "/micro_credential/awarding_bodies/0/group_member_of/0/email_address",
    } == {fault.pointer for fault in refused.value.faults}
    assert not any(address in fault.message for fault in refused.value.faults)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        (
            {"valid_from": datetime(2026, 6, 2, tzinfo=UTC), "valid_until": datetime(2026, 6, 1, tzinfo=UTC)},
            "valid_until",
        ),
        (
            {"activities": (Activity(title={"en": "Lab"}, start_date=date(2026, 3, 1), end_date=date(2026, 2, 28)),)},
            "activities/0/end_date",
        ),
        (
            {
                "type_of_quality_assurance": (
                    replace(courses.INSTITUTIONAL, date_issued=date(2026, 1, 2), expiry_date=date(2026, 1, 1)),
                )
            },
            "type_of_quality_assurance/0/expiry_date",
        ),
    ],
)
def test_what_ends_before_it_begins_is_told(changes: dict[str, Any], place: str) -> None:
    """Validity, activities and accreditations have their days in order."""
    with pytest.raises(InvalidInput) as refused:
        build(courses.eciu_course(**changes), courses.learner())

    assert [(f"/micro_credential/{place}", "dates-in-order")] == [
        (one.pointer, one.rule) for one in refused.value.faults
    ]


def test_quality_assurance_needs_an_agent() -> None:
    """Whoever leaves out the body that accredits is told where, as for any other mistake."""
    assurance = replace(courses.INSTITUTIONAL, accrediting_agent=None)
    with pytest.raises(InvalidInput) as refused:
        build(courses.eciu_course(type_of_quality_assurance=(assurance,)), courses.learner())

    place = "/micro_credential/type_of_quality_assurance/0/accrediting_agent"
    assert [place] == [fault.pointer for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("day", "written"),
    [(date(9, 2, 3), "0009-02-03"), (date(2024, 2, 29), "2024-02-29"), (date(9999, 12, 31), "9999-12-31")],
)
def test_any_day_is_written_as_a_day(day: date, written: str) -> None:
    """Leap days and years of one digit are days like others (xsd:dateTime)."""
    document = build(courses.eciu_course(), courses.learner(date_of_birth=day))

    assert f"{written}T00:00:00Z" == document.get("/credentialSubject/dateOfBirth")


def test_an_esco_skill_is_named_by_its_uuid_or_its_iri() -> None:
    """Both forms give the same concept; anything else is refused."""
    outcome = courses.eciu_course().learning_outcomes[1]
    uuid = "5fd5c985-eaaa-47aa-8314-62359c54505a"
    for name in (uuid, f"http://data.europa.eu/esco/skill/{uuid}"):
        course = courses.eciu_course(learning_outcomes=(replace(outcome, esco_skills=(Skill(name, {"en": "code"}),)),))
        skill = build(course, courses.learner()).get(
            "/credentialSubject/hasClaim/specifiedBy/learningOutcome/relatedESCOSkill"
        )
        assert f"http://data.europa.eu/esco/skill/{uuid}" == skill["id"]
        assert {"en": "code"} == skill["prefLabel"]

    with pytest.raises(InvalidInput):
        build(
            courses.eciu_course(learning_outcomes=(replace(outcome, esco_skills=(Skill("coding"),)),)),
            courses.learner(),
        )
