"""What the policy gets to see: every awarding body, wherever and however the credential says it."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from eseal.credential.annex_i import annex_i
from eseal.credential.building import build
from eseal.credential.facts import award_facts
from eseal.credential.likeness import likeness
from eseal.credential.profile import concept
from eseal.sealcore import Document
from eseal.terms import LegalIdentifier, Profile
from tests.credential import courses


def _names(credential: dict[str, Any]) -> list[str]:
    facts = award_facts(Document.from_python(credential))
    return sorted(next(iter(body.legal_names.values()), "?") for body in facts.awarding_bodies)


@pytest.fixture
def credential() -> dict[str, Any]:
    """The ECIU example, built."""
    built: Any = build(courses.eciu_course(), courses.learner()).to_python()
    return built


def test_the_facts_of_the_example() -> None:
    """Everything that the scope of a mandate can speak of."""
    facts = award_facts(build(courses.eciu_course(), courses.learner()))

    assert date(2026, 5, 31) == facts.award_date
    assert {Profile.GENERIC} == facts.profiles
    assert {6} == facts.eqf_levels
    assert Decimal(2) == facts.ects
    assert {"0613"} == facts.isced_f
    assert {"en"} == facts.languages
    assert {"IRL"} == facts.countries
    assert {"http://data.europa.eu/snb/learning-opportunity/74a4a268e8"} == facts.opportunity_types
    (body,) = facts.awarding_bodies
    assert {"en": "Dublin City University"} == body.legal_names
    assert {"IRL_CTH_DUB"} == body.spatial_codes
    assert LegalIdentifier("vat", "IE0000000A", "IRL") in body.identifiers
    assert LegalIdentifier("other", "999892588", scheme="PIC") in body.identifiers


def test_a_joint_award_has_several_bodies() -> None:
    """A list is as good as a single object."""
    assert ["Dublin City University", "University of Twente"] == _names(
        build(courses.full_course(), courses.learner()).to_python()  # type: ignore[arg-type]
    )


def _other_body(name: str) -> dict[str, Any]:
    return {"id": f"urn:epass:org:{name}", "type": "Organisation", "legalName": {"en": name}}


def _process(body: Any) -> dict[str, Any]:
    return {"id": "urn:epass:awardingProcess:99", "type": "AwardingProcess", "awardingBody": body}


@pytest.mark.parametrize("term", ["provenBy", "influencedBy", "hasPart", "isPartOf", "entitlesTo"])
def test_no_claim_hides_its_awarding_body(credential: dict[str, Any], term: str) -> None:
    """Bodies of assessments, activities, parts and entitlements are seen, at any depth."""
    inner = {"id": "urn:x:1", "type": "LearningAchievement", "awardedBy": _process(_other_body("Hidden"))}
    credential["credentialSubject"]["hasClaim"][term] = {
        "id": "urn:x:2",
        "hasPart": [{"id": "urn:x:3", "hasPart": inner}],
    }

    assert ["Dublin City University", "Hidden"] == _names(credential)


def test_a_body_named_here_and_described_there_is_seen_with_its_description(credential: dict[str, Any]) -> None:
    """An id reference resolves anywhere in the document, as a string or as a bare object."""
    claim = credential["credentialSubject"]["hasClaim"]
    for reference in ("urn:epass:org:Hidden", {"id": "urn:epass:org:Hidden"}):
        changed = copy.deepcopy(credential)
        changed["credentialSubject"]["hasClaim"]["awardedBy"]["awardingBody"] = [
            claim["awardedBy"]["awardingBody"],
            reference,
        ]
        changed["credentialSubject"]["memberOf"] = _other_body("Hidden")
        assert ["Dublin City University", "Hidden"] == _names(changed)


def test_an_awarding_process_counts_even_where_no_claim_leads_to_it(credential: dict[str, Any]) -> None:
    """Nodes merge by id: a second description of a process adds its bodies."""
    process = credential["credentialSubject"]["hasClaim"]["awardedBy"]["id"]
    credential["credentialSubject"]["memberOf"] = {"id": process, "awardingBody": _other_body("Merged")}

    assert ["Dublin City University", "Merged"] == _names(credential)


def test_a_body_described_twice_is_one_with_all_its_names(credential: dict[str, Any]) -> None:
    """Two occurrences of one id give one body; an extra name in one of them is seen."""
    body = credential["credentialSubject"]["hasClaim"]["awardedBy"]["awardingBody"]
    credential["credentialSubject"]["memberOf"] = {
        "id": body["id"],
        "legalName": {"ga": "Ollscoil Chathair Bhaile Átha Cliath"},
    }
    (found,) = award_facts(Document.from_python(credential)).awarding_bodies

    assert {"en", "ga"} == set(found.legal_names)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-05-31T00:00:00Z", date(2026, 5, 31)),
        ("2026-05-31T00:00:00", date(2026, 5, 31)),
        ("2026-05-31T22:00:00Z", datetime(2026, 5, 31, 22, tzinfo=UTC)),
        ("nonsense", None),
    ],
)
def test_the_award_date_is_a_day_or_a_moment(written: str, expected: date | None) -> None:
    """Midnight UTC is how a day is written; any other time is left to the policy's time zone."""
    course = courses.eciu_course(type_of_assessment=(), integration_stackability=None)
    credential: Any = build(course, courses.learner()).to_python()
    credential["credentialSubject"]["hasClaim"]["awardedBy"]["awardingDate"] = written

    assert expected == award_facts(Document.from_python(credential)).award_date


def test_achievements_of_several_days_tell_the_first_and_the_last(credential: dict[str, Any]) -> None:
    """A second achievement beside the first cannot hide an award of another time."""
    second = copy.deepcopy(credential["credentialSubject"]["hasClaim"])
    second |= {"id": "urn:x:1", "awardedBy": second["awardedBy"] | {"id": "urn:x:2", "awardingDate": "2019-01-01"}}
    credential["credentialSubject"]["hasClaim"] = [credential["credentialSubject"]["hasClaim"], second]
    facts = award_facts(Document.from_python(credential))

    assert (date(2019, 1, 1), date(2026, 5, 31)) == (facts.first_award_date, facts.award_date)


def test_claims_of_a_holder_are_claims(credential: dict[str, Any]) -> None:
    """An award of another time counts whoever the credential says has it."""
    claim = copy.deepcopy(credential["credentialSubject"]["hasClaim"])
    claim |= {"id": "urn:x:1", "awardedBy": claim["awardedBy"] | {"id": "urn:x:2", "awardingDate": "2019-01-01"}}
    credential["holder"] = {"id": "urn:x:3", "type": "Person", "hasClaim": claim}

    assert date(2019, 1, 1) == award_facts(Document.from_python(credential)).first_award_date


@pytest.mark.parametrize("code", ["0", "9", "06", "\u00b2", "\u0666", "6 ", "9" * 5000])
def test_what_is_no_eqf_level_is_level_zero(credential: dict[str, Any], code: str) -> None:
    """No range of levels covers it, whatever digits it is written in."""
    credential["credentialSubject"]["hasClaim"]["specifiedBy"]["eqfLevel"]["id"] = (
        f"http://data.europa.eu/snb/eqf/{code}"
    )

    assert {0} == award_facts(Document.from_python(credential)).eqf_levels


@pytest.mark.parametrize("point", ["-1", "1e3", "9E999999", "NaN", "1_0", "\u0663", "", "a lot", " 2"])
def test_credits_that_are_no_number_are_without_end(credential: dict[str, Any], point: str) -> None:
    """No maximum covers what a person cannot read as a number of credits."""
    credential["credentialSubject"]["hasClaim"]["specifiedBy"]["creditPoint"]["point"] = point

    assert Decimal("Infinity") == award_facts(Document.from_python(credential)).ects


@pytest.mark.parametrize("way", ["list in list", "string", "another node"])
def test_no_profile_hides(credential: dict[str, Any], way: str) -> None:
    """A profile counts however the graph comes to have it: by lists in lists, by its IRI alone, by a node of the same id."""
    accredited, generic = concept(Profile.ACCREDITED), credential["credentialProfiles"]
    if way == "list in list":
        credential["credentialProfiles"] = [[generic, [accredited]]]
    elif way == "string":
        credential["credentialProfiles"] = [generic, accredited["id"]]
    else:
        credential["id"] = courses.CREDENTIAL_ID
        inner = {"id": courses.CREDENTIAL_ID, "credentialProfiles": accredited}
        credential["credentialSubject"]["hasClaim"]["specifiedBy"]["duration"] = inner

    assert {Profile.GENERIC, Profile.ACCREDITED} == award_facts(Document.from_python(credential)).profiles


def test_languages_are_those_of_every_display(credential: dict[str, Any]) -> None:
    """A language without an ISO 639-1 code counts too, and so does one that only a page is in."""
    language = "http://publications.europa.eu/resource/authority/language/"
    display = credential["displayParameter"]
    display["primaryLanguage"] = {"id": f"{language}SMI", "type": "Concept"}
    display["individualDisplay"] = {"id": "urn:x:1", "language": {"id": f"{language}FRA", "type": "Concept"}}

    assert {"en", "fr", "SMI"} == award_facts(Document.from_python(credential)).languages


@pytest.mark.parametrize("node", ["/learningOutcome", ""])
@pytest.mark.parametrize("term", ["title", "description"])
def test_languages_are_those_of_what_is_told_too(credential: dict[str, Any], node: str, term: str) -> None:
    """A title in a language that the credential does not name is one of its languages all the same."""
    document = Document.from_python(credential)
    specified = "/credentialSubject/hasClaim/specifiedBy"
    outcome = document.get(specified + node)
    told = outcome[0] if isinstance(outcome, list) else outcome
    changed = {**told, term: {"fr-BE": "Titre", "en": "Title"}}

    facts = award_facts(document.set(specified + node, [changed] if node else changed))

    assert award_facts(document).languages | {"fr"} == facts.languages


@pytest.mark.parametrize("type_", ["LearningActivity", "LearningAssessment", "LearningEntitlement"])
def test_languages_are_those_of_claims_of_every_kind(credential: dict[str, Any], type_: str) -> None:
    """What is told of an activity, an assessment or an entitlement counts, and so does the title of the credential."""
    claims = [credential["credentialSubject"]["hasClaim"]]
    claims = claims[0] if isinstance(claims[0], list) else claims
    claims = [*claims, {"id": "urn:x:claim", "type": type_, "title": {"fr": ["Titre"]}}]
    credential["credentialSubject"]["hasClaim"] = claims
    credential["displayParameter"]["title"] = {"nl": ["Titel"], "en": ["Title"]}

    assert {"en", "fr", "nl"} == award_facts(Document.from_python(credential)).languages


def _in_parts(credential: dict[str, Any], parts: dict[int, list[int]]) -> Document:
    """The achievement with numbered parts, each of one ECTS credit; ``parts`` says which are parts of which."""
    framework = {"id": "http://data.europa.eu/snb/education-credit/6fcec5c5af", "type": "Concept"}
    claim = credential["credentialSubject"]["hasClaim"]
    claim["specifiedBy"].pop("creditPoint")
    claim["hasPart"] = [
        {
            "id": f"urn:x:{number}",
            "type": "LearningAchievement",
            "creditReceived": {"id": f"urn:c:{number}", "framework": framework, "point": "1"},
            "hasPart": [{"id": f"urn:x:{inner}"} for inner in inners],
        }
        for number, inners in parts.items()
    ]
    return Document.from_python(credential)


def test_parts_at_any_depth_are_counted(credential: dict[str, Any]) -> None:
    """Thousands of parts, each a part of the one before, cost as many steps."""
    depth = 3000

    chain = {number: [number + 1] for number in range(depth - 1)} | {depth - 1: []}
    assert Decimal(depth) == award_facts(_in_parts(credential, chain)).ects


def test_shared_parts_are_looked_at_once(credential: dict[str, Any]) -> None:
    """Two parts that share two parts, and so on: paths double at each step, and the time must not."""
    layers = 60
    shared = {number: [2 * (number // 2) + 2, 2 * (number // 2) + 3] for number in range(layers)}
    shared |= {layers: [], layers + 1: []}

    assert Decimal(2**32 - 2) == award_facts(_in_parts(credential, shared)).ects


def test_parts_of_a_qualification_are_its_own(credential: dict[str, Any]) -> None:
    """Level, field and credits of what a qualification consists of count, as those of a part of an achievement do."""
    framework = {"id": "http://data.europa.eu/snb/education-credit/6fcec5c5af", "type": "Concept"}
    part = {
        "id": "urn:x:part",
        "type": "Qualification",
        "eqfLevel": {"id": "http://data.europa.eu/snb/eqf/8", "type": "Concept"},
        "thematicArea": {"id": "http://data.europa.eu/snb/isced-f/0914", "type": "Concept"},
        "creditPoint": {"id": "urn:x:credit", "framework": framework, "point": "60"},
    }
    specified = credential["credentialSubject"]["hasClaim"]["specifiedBy"]
    specified["hasPart"] = [{"id": "urn:x:inner", "type": "Qualification", "hasPart": part}, {"id": specified["id"]}]
    facts = award_facts(Document.from_python(credential))

    assert ({6, 8}, {"0613", "0914"}, Decimal(60)) == (facts.eqf_levels, facts.isced_f, facts.ects)
    assert {specified["id"]} == facts.qualifications


def test_what_is_a_part_of_itself_cannot_be_counted(credential: dict[str, Any]) -> None:
    """A circle of parts has no number of credits that a maximum could cover."""
    assert Decimal("Infinity") == award_facts(_in_parts(credential, {0: [1], 1: [2], 2: [0]})).ects


def test_ects_are_those_of_the_whole_or_the_sum_of_the_parts() -> None:
    """Splitting a course into parts does not make it smaller."""
    course = courses.full_course()
    assert Decimal("2.5") == award_facts(build(course, courses.learner())).ects

    parts = tuple(courses.eciu_course(notional_workload=courses.NotionalWorkload(ects_credits="4")) for _ in range(3))
    split = courses.eciu_course(notional_workload=None, integration_stackability=courses.Stackability(parts=parts))
    assert Decimal(12) == award_facts(build(split, courses.learner())).ects


def test_annex_i_names_what_is_missing() -> None:
    """Each mandatory element, left out, is missed by its official name."""
    document = build(
        courses.eciu_course(
            date_of_issuing=None, learning_outcomes=(), notional_workload=None, level=None, type_of_assessment=(),
            form_of_participation=(), type_of_quality_assurance=(),
        ),
        courses.Learner(),
    )  # fmt: skip

    assert (
        "Identification of the learner",
        "Date of issuing",
        "Learning outcomes",
        "Notional workload needed to achieve the learning outcomes",
        "Level of the learning experience leading to the micro-credential",
        "Type of assessment",
        "Form of participation in the learning activity",
        "Type of quality assurance used to underpin the micro-credential",
    ) == annex_i(document).missing


def test_annex_i_finds_the_optional_elements() -> None:
    """All five of them in a course that says everything."""
    assert () == annex_i(build(courses.full_course(), courses.full_learner())).optional_missing


def test_credentials_of_a_course_are_alike() -> None:
    """Names, birth, id and dates make no difference to policy and Annex I; whether they are there does."""
    document = courses.issued()
    same = [
        document.set("/credentialSubject/givenName", {"fr": "Zoé"}),
        document.set("/id", "urn:credential:00000000-0000-4000-8000-000000000002"),
        document.set("/issued", "2030-01-01T00:00:00Z"),
        document.set("/credentialSubject/dateOfBirth", "2000-01-01T00:00:00Z"),
    ]
    other = [
        document.set("/credentialSubject/givenName", {"fr": " "}),
        document.remove("/credentialSubject/dateOfBirth"),
        document.set("/credentialSubject/givenName", [{"id": "urn:x:1", "awardedBy": "urn:x:2"}]),
        document.set("/credentialSubject/hasClaim/title", {"en": "Another"}),
        document.set("/credentialSubject/identifier", {"id": "urn:x:1", "type": "Identifier", "notation": "1"}),
        document.set("/id", document.get("/issuer/id")),
    ]

    assert {likeness(document)} == {likeness(one) for one in same}
    assert len(other) + 1 == len({likeness(one) for one in (document, *other)})
