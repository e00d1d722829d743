"""What only the sealer adds: deterministic, nothing of the learner, and conforming by the Commission's own shapes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from eseal.credential.building import build, parse
from eseal.credential.checking import check
from eseal.credential.completion import Completion, complete, credential_id_of, fresh_credential_id
from eseal.credential.evidence import STANDARD_STATEMENT
from eseal.credential.micro_credential import Display
from eseal.credential.profile import concept
from eseal.errors import InvalidInput, SetupError
from eseal.sealcore import Document
from eseal.terms import Profile
from tests.credential import courses, oracle
from tests.credential.bases import bases
from tests.harness.vectors import vector

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 8 * 1024 * 1024
SAMPLES = ["2023-Sample-MC-Annex1-unsigned.jsonld", "2023-Sample-CertOfPart-unsigned.jsonld"]
MANDATED = (Profile.GENERIC, Profile.MANDATE)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_commissions_samples_conform_once_completed(name: str) -> None:
    """By our check and by the SHACL oracle, generic and issued by mandate."""
    document = courses.completed(parse(vector(f"edc/{name}").read_bytes(), max_bytes=LIMIT), courses.mandate())

    assert [] == check(document)
    assert oracle.conforms(document.to_python(), MANDATED)


def test_what_issue_makes_conforms() -> None:
    """A credential with rendered pages, in two languages, under two mandates with an agreement."""
    mandates = (courses.mandate(1, agreement=courses.agreement()), courses.mandate(2, statements={"nl": "Op naam van"}))
    document = courses.issued(courses.full_course(), courses.full_learner(), *mandates)

    assert [] == check(document)
    assert oracle.conforms(document.to_python(), MANDATED)
    assert 2 == len(document.get("/displayParameter/individualDisplay"))
    assert [STANDARD_STATEMENT, "Op naam van"] == [one["evidenceStatement"] for one in document.get("/evidence")]
    assert document.has("/evidence/0/embeddedEvidence")
    assert not document.has("/evidence/1/embeddedEvidence")


@pytest.mark.parametrize(
    ("statements", "statement"),
    [
        ({}, STANDARD_STATEMENT),
        ({"en": "For North", "ga": "Ar son"}, "For North"),
        ({"ga": "Ar son", "fr": "Pour"}, "Ar son"),
        ({"en": "For North", "de": "Für North"}, "Für North"),
    ],
)
def test_the_parties_own_statement_comes_before_the_standard_one(statements: dict[str, str], statement: str) -> None:
    """In a language that the credential has, else in English, else in whatever they wrote."""
    course = courses.eciu_course(title={"de": "Künstliche Intelligenz"})
    document = courses.issued(course, None, courses.mandate(statements=statements))

    assert statement == document.get("/evidence/evidenceStatement")


def test_a_personal_page_of_somebody_without_a_name_is_the_courses() -> None:
    """A pseudonym identifies enough; the page does not announce a name that it has not."""
    pseudonym = courses.Learner(identifiers=(courses.Identifier("a3f1", "ECIU pseudonym"),))
    shared, personal = (
        Completion.of(
            build(courses.eciu_course(), pseudonym),
            sealer=courses.SEALER,
            grant=courses.grant(),
            display=courses.Display(personal=personal),
        )
        for personal in (False, True)
    )

    assert shared == personal


def test_completing_twice_gives_the_same_bytes() -> None:
    """The completion that the ledger kept rebuilds the identical credential."""
    document = build(courses.eciu_course(), courses.learner())
    completion = Completion.of(
        document, sealer=courses.SEALER, grant=courses.grant(courses.mandate(agreement=courses.agreement()))
    )
    kept = Completion.from_json(completion.to_json())

    assert completion == kept
    once = complete(document, completion, credential_id=courses.CREDENTIAL_ID, issued=courses.ISSUED)
    again = complete(document, kept, credential_id=courses.CREDENTIAL_ID, issued=courses.ISSUED)
    assert once.canonical() == again.canonical()


@pytest.mark.parametrize("personal", [False, True])
def test_the_completion_holds_nothing_of_the_learner(*, personal: bool) -> None:
    """Two learners of a course share one completion, even where pages bear their names."""
    display = Display(personal=personal)
    kept = {
        Completion.of(
            build(courses.eciu_course(), courses.learner(given_name=name)),
            sealer=courses.SEALER,
            grant=courses.grant(courses.mandate()),
            display=display,
        ).to_json()
        for name in ("Ana", "Bob")
    }

    assert 1 == len(kept)
    assert b"Andromeda" not in kept.pop()


def test_the_issuer_is_the_seal_certificate_and_nobody_else() -> None:
    """The sample's issuer shares its node with the awarding body: the sealer gets a node of its own, and all of its names."""
    document = courses.completed(parse(vector(f"edc/{SAMPLES[0]}").read_bytes(), max_bytes=LIMIT), courses.mandate())
    issuer = document.get("/issuer")

    assert "urn:certificateOrganisation:1" == issuer["id"]
    assert {"en": courses.SEALER.legal_name} == issuer["legalName"]
    assert {"en": courses.SEALER.common_name} == issuer["altLabel"]
    assert "NTRNL-08164880" == issuer["eIDASIdentifier"]["notation"]
    assert issuer["eIDASIdentifier"]["spatial"]["id"].endswith("/country/NLD")
    assert issuer["location"]["address"]["countryCode"]["id"].endswith("/country/NLD")
    assert "08164880" == issuer["registration"]["notation"]
    assert issuer["eIDASIdentifier"]["spatial"] == issuer["registration"]["spatial"]
    assert "logo" not in issuer


@pytest.mark.parametrize(
    ("organization_identifier", "term", "number"),
    [
        ("NTRNL-08164880", "registration", "08164880"),
        ("VATIE-6433435F", "vatIdentifier", "6433435F"),
        ("LEIXG-529900T8BM49AURSDO55", None, ""),
    ],
)
def test_the_issuers_legal_identifier(organization_identifier: str, term: str | None, number: str) -> None:
    """A national register's or VAT number stands beside the eIDAS identifier that holds it; others have no such term."""
    sealer = replace(courses.SEALER, organization_identifier=organization_identifier)
    document = build(courses.eciu_course(), courses.learner())
    completion = Completion.of(document, sealer=sealer, grant=courses.grant(courses.mandate()))
    issuer = complete(document, completion, credential_id=courses.CREDENTIAL_ID, issued=courses.ISSUED).get("/issuer")

    found = {one: issuer[one]["notation"] for one in ("registration", "vatIdentifier") if one in issuer}
    assert ({term: number} if term else {}) == found
    assert completion == Completion.from_json(completion.to_json())


def test_the_mandate_is_named_in_the_credentials_languages() -> None:
    """The type of evidence has the official label of each language; the first version named it in English."""
    course = courses.eciu_course(title={"mt": "IA", "el": "ΤΝ"})
    document = build(course, courses.learner())
    completion = Completion.of(document, sealer=courses.SEALER, grant=courses.grant(courses.mandate()))
    kept = json.loads(completion.to_json())
    assert {"mt": "Mandat", "el": "Εντολή"} == _evidence_label(document, completion)

    del kept["evidence_languages"]
    assert {"en": "Mandate"} == _evidence_label(document, Completion.from_json(json.dumps(kept).encode()))


def _evidence_label(document: Document, completion: Completion) -> Any:
    completed = complete(document, completion, credential_id=courses.CREDENTIAL_ID, issued=courses.ISSUED)
    return completed.get("/evidence/dcType/prefLabel")


def test_a_completion_of_the_first_version_gives_the_bytes_it_gave() -> None:
    """What the ledger kept before issuers had a legal identifier is completed without one."""
    document = build(courses.eciu_course(), courses.learner())
    completion = Completion.of(document, sealer=courses.SEALER, grant=courses.grant(courses.mandate()))
    kept = json.loads(completion.to_json())
    del kept["legal_identifier"]
    earlier = Completion.from_json(json.dumps(kept).encode())
    issuer = complete(document, earlier, credential_id=courses.CREDENTIAL_ID, issued=courses.ISSUED).get("/issuer")

    assert "registration" not in issuer


def test_the_issuers_nodes_avoid_every_id_of_the_document() -> None:
    """A document that was completed before keeps no claim on the sealer's names."""
    document = courses.issued()
    squatting = document.set(
        "/credentialSubject/contactPoint", {"id": "urn:certificateAddress:1", "type": "ContactPoint"}
    )
    squatting = squatting.remove("/issuer")

    assert "urn:certificateOrganisation:2" == courses.completed(squatting, courses.mandate()).get("/issuer/id")


def test_self_issue_makes_no_mandate_evidence() -> None:
    """An awarding body that seals for itself gets generic only, and an old mandate evidence is dropped."""
    document = courses.completed(courses.issued().remove("/issuer"))

    assert not document.has("/evidence")
    assert concept(Profile.GENERIC) == document.get("/credentialProfiles")
    assert document.get("/credentialSchema/id").endswith("edc-generic-full")
    assert [] == check(document)


def test_a_mandate_evidence_is_replaced_not_added() -> None:
    """Completing a credential that has mandate evidence leaves one."""
    again = courses.completed(courses.issued().remove("/issuer"), courses.mandate(statements={"en": "New words"}))

    assert "New words" == again.get("/evidence/evidenceStatement")


def _mandate_evidence(**changes: Any) -> dict[str, Any]:
    """Evidence of a mandate as a caller would make it up."""
    made: Any = courses.issued().get("/evidence")
    return {**made, "id": "urn:epass:evidence:9", "evidenceStatement": "Whatever I say", **changes}


@pytest.mark.parametrize("nested", [lambda one: [[one]], lambda one: [[], [[one]]], lambda one: one])
def test_no_list_hides_a_mandate_of_the_callers_own(nested: Callable[[Any], Any]) -> None:
    """JSON-LD takes lists in lists for one: what stands in them is dropped like any other evidence of a mandate."""
    for evidence in (_mandate_evidence(), _mandate_evidence(dcType=[[_mandate_evidence()["dcType"]]])):
        document = build(courses.eciu_course(), courses.learner()).set("/evidence", nested(evidence))
        completed = courses.completed(document, courses.mandate())

        assert STANDARD_STATEMENT == completed.get("/evidence/evidenceStatement")
        assert [] == check(completed)


def test_lists_in_lists_of_profiles_are_one_list() -> None:
    """The profiles that stand in them are those of the credential, with their schemas."""
    document = build(courses.eciu_course(), courses.learner())
    nested = document.set("/credentialProfiles", [[concept(Profile.GENERIC)], [[concept(Profile.CONVERTED)]]])
    completed = courses.completed(nested, courses.mandate())
    wanted = [Profile.GENERIC, Profile.CONVERTED, Profile.MANDATE]

    assert [concept(profile) for profile in wanted] == completed.get("/credentialProfiles")
    assert 3 == len(completed.get("/credentialSchema"))


@pytest.mark.parametrize(
    ("evidence", "elsewhere"),
    [
        ("urn:epass:evidence:9", _mandate_evidence()),
        ({"id": "urn:epass:evidence:9", "type": "Evidence"}, _mandate_evidence()),
        (_mandate_evidence(dcType=None), {"id": "urn:epass:evidence:9", "dcType": _mandate_evidence()["dcType"]}),
        (_mandate_evidence(), {"id": "urn:epass:evidence:9", "evidenceStatement": "More"}),
        (None, {"id": "urn:epass:evidence:mandate-1-1", "evidenceStatement": "Instead"}),
        (_mandate_evidence(), {"id": "urn:epass:evidence:mandate-1-1", "evidenceStatement": "Instead"}),
    ],
)
def test_evidence_is_said_in_one_place(evidence: Any, elsewhere: Any) -> None:
    """Nodes of one id are one node: nothing is added to an evidence from elsewhere, least of all to the sealer's own."""
    document = build(courses.eciu_course(), courses.learner())
    document = document.set("/credentialSubject/hasClaim/specifiedBy/duration", elsewhere)
    if evidence is not None:
        document = document.set("/evidence", evidence)
    with pytest.raises(InvalidInput) as refused:
        Completion.of(document, sealer=courses.SEALER, grant=courses.grant(courses.mandate()))

    assert [("/evidence", "edc.evidence")] == [(fault.pointer, fault.rule) for fault in refused.value.faults]


def test_mandates_that_say_the_same_are_said_once() -> None:
    """A joint award under two mandates with the standard statement has one evidence."""
    assert isinstance(courses.issued(None, None, courses.mandate(1), courses.mandate(2)).get("/evidence"), dict)


@pytest.mark.parametrize("name", ["accredited", "converted"])
def test_a_profile_and_a_mandate_meet_in_every_evidence(name: str) -> None:
    """Accredited (or converted) and mandated: each evidence has what both profiles ask of all evidence."""
    credential, profiles = bases()[name]

    assert 2 == len(credential["evidence"])
    assert [] == check(Document.from_python(credential), profiles)
    assert oracle.conforms(credential, profiles)


def test_a_diploma_supplement_names_the_profile_that_it_imports() -> None:
    """edc-diploma-supplement imports edc-accredited, so credentialSchema says both."""
    document = build(courses.eciu_course(), courses.learner()).set(
        "/credentialProfiles", concept(Profile.DIPLOMA_SUPPLEMENT)
    )
    names = [schema["id"].rsplit("/", 1)[-1] for schema in courses.completed(document).get("/credentialSchema")]

    assert ["edc-accredited", "edc-diploma-supplement"] == names


def test_a_callers_page_is_kept() -> None:
    """Where the document brings pages, none is rendered."""
    document = courses.issued(courses.eciu_course(display=courses.PAGES))
    image = document.get("/displayParameter/individualDisplay/displayDetail/image/content")

    assert courses.PIXEL.hex() == __import__("base64").b64decode(image).hex()


def test_dates_are_the_sealers_but_validity_is_the_awarding_bodys() -> None:
    """Issued and issuanceDate are set; validFrom only where nobody said."""
    dated = courses.issued(replace(courses.full_course(), display=courses.PAGES))
    undated = courses.issued(courses.eciu_course(display=courses.PAGES))

    assert "2026-06-01T12:00:00Z" == dated.get("/issued") == dated.get("/issuanceDate") == undated.get("/validFrom")
    assert "2026-06-01T00:00:00Z" == dated.get("/validFrom")
    assert "2036-06-01T00:00:00Z" == dated.get("/expirationDate") == dated.get("/validUntil")


def test_a_callers_credential_id_is_kept_where_it_is_one() -> None:
    """urn:credential:<uuid> stays; anything else is given a fresh one."""
    own = Document.from_python({"id": courses.CREDENTIAL_ID})

    assert courses.CREDENTIAL_ID == credential_id_of(own)
    for other in ({}, {"id": "urn:x:1"}, {"id": "urn:credential:1"}, {"id": 5}):
        assert credential_id_of(Document.from_python(other)).startswith("urn:credential:")  # type: ignore[arg-type]
        assert credential_id_of(Document.from_python(other)) != other.get("id")  # type: ignore[arg-type]
    assert fresh_credential_id() != fresh_credential_id()


def test_a_certificate_of_an_unknown_country_does_not_seal() -> None:
    """The country goes into the issuer's address, so it must be one."""
    with pytest.raises(SetupError):
        Completion.of(
            build(courses.eciu_course(), courses.learner()),
            sealer=replace(courses.SEALER, country="XX"),
            grant=courses.grant(),
        )


@pytest.mark.parametrize("country", ["EL", "GR", "UK", "GB", "nl"])
def test_both_spellings_of_a_country_are_known(country: str) -> None:
    """Certificates say EL or GR, UK or GB."""
    document = build(courses.eciu_course(), courses.learner())

    assert 3 == len(
        Completion.of(document, sealer=replace(courses.SEALER, country=country), grant=courses.grant()).country
    )


MANDATORY = [
    "/credentialProfiles", "/displayParameter", "/displayParameter/title", "/displayParameter/language",
    "/displayParameter/primaryLanguage", "/displayParameter/individualDisplay",
    "/displayParameter/individualDisplay/language", "/displayParameter/individualDisplay/displayDetail",
    "/displayParameter/individualDisplay/displayDetail/image", "/displayParameter/individualDisplay/displayDetail/page",
    "/displayParameter/individualDisplay/displayDetail/image/content",
    "/displayParameter/individualDisplay/displayDetail/image/contentEncoding",
    "/displayParameter/individualDisplay/displayDetail/image/contentType", "/credentialSchema", "/credentialSubject",
    "/credentialSubject/hasClaim", "/credentialSubject/hasClaim/title", "/credentialSubject/hasClaim/awardedBy",
    "/credentialSubject/hasClaim/awardedBy/awardingBody", "/credentialSubject/hasClaim/awardedBy/awardingBody/legalName",
    "/credentialSubject/hasClaim/awardedBy/awardingBody/location",
    "/credentialSubject/hasClaim/awardedBy/awardingBody/location/address",
    "/credentialSubject/hasClaim/awardedBy/awardingBody/location/address/countryCode", "/issued", "/issuer",
    "/issuer/eIDASIdentifier", "/issuer/eIDASIdentifier/notation", "/issuer/eIDASIdentifier/spatial", "/issuer/location",
    "/issuer/location/address", "/issuer/location/address/countryCode", "/issuer/legalName", "/validFrom", "/evidence",
    "/evidence/dcType", "/evidence/evidenceStatement",
]  # fmt: skip


@pytest.mark.parametrize("pointer", MANDATORY)
def test_without_a_mandatory_property_nobody_accepts_it(pointer: str) -> None:
    """Each mandatory property of the minimal credential, dropped: a fault at its place here, and in the oracle."""
    document = Document.parse(vector("edc-minimal/mandate.json").read_bytes()).remove(pointer)

    assert pointer in {fault.pointer for fault in check(document, MANDATED)}
    assert not oracle.conforms(json.loads(document.canonical()), MANDATED)
