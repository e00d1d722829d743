"""Faults: every one, at its place, by a stable rule, in words that name no learner data."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from eseal.credential.checking import check, check_many
from eseal.sealcore import Document
from eseal.terms import Profile
from tests.credential.bases import bases


@pytest.fixture
def credential() -> dict[str, Any]:
    """The ECIU example, completed under a mandate."""
    return copy.deepcopy(bases()["eciu"][0])


def _rules(credential: dict[str, Any]) -> dict[str, str]:
    return {fault.pointer: fault.rule for fault in check(Document.from_python(credential))}


@pytest.mark.parametrize("name", sorted(bases()))
def test_each_base_conforms_to_its_profiles(name: str) -> None:
    """One credential for each profile, none of them with a fault."""
    credential, profiles = bases()[name]

    assert [] == check(Document.from_python(credential), profiles)


def test_profiles_are_those_that_the_credential_names(credential: dict[str, Any]) -> None:
    """Nothing asked, and the credential's own profiles are held against it."""
    del credential["evidence"]

    assert {"/evidence": "edc-mandate:EuropeanDigitalCredential.evidence.minCount"} == _rules(credential)
    assert [] == check(Document.from_python(credential), [Profile.GENERIC])


def test_a_batch_is_answered_in_order(credential: dict[str, Any]) -> None:
    """One fault in the middle touches no neighbour."""
    good = Document.from_python(credential)
    bad = good.remove("/validFrom")

    assert [0, 1, 0] == [len(faults) for faults in check_many([good, bad, good])]


SUBJECT = "/credentialSubject/hasClaim"
CREDENTIAL = "edc-generic:EuropeanDigitalCredential"


@pytest.mark.parametrize(
    ("pointer", "value", "place", "rule"),
    [
        ("/credentialStatus", {"id": "urn:x:1", "type": "Note"}, "", f"{CREDENTIAL}.credentialStatus.datatype"),
        ("/credentialStatus", "urn:x:1", "", f"{CREDENTIAL}.credentialStatus.datatype"),
        ("/issuer", "did:web:example.org", "", f"{CREDENTIAL}.issuer.class"),
        ("/issuer/legalName", "Plain", "", "edc-generic:Organisation.legalName.datatype"),
        ("/validFrom", "yesterday", "", f"{CREDENTIAL}.validFrom.lexical"),
        ("/validFrom", "2026-02-30T00:00:00Z", "", f"{CREDENTIAL}.validFrom.lexical"),
        ("/validFrom", ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"], "/1", f"{CREDENTIAL}.validFrom.maxCount"),
        ("/credentialSubject/givenName", {"en": "A", "ga": "B"}, "/ga", "edc-generic:Person.givenName.maxCount"),
        (f"{SUBJECT}/title", {"en": ["A", "B"]}, "/en", "edc-generic:LearningAchievement.title.uniqueLang"),
        (f"{SUBJECT}/awardedBy", {"type": "Organisation"}, "", "edc-generic:LearningAchievement.awardedBy.class"),
        (f"{SUBJECT}/specifiedBy/volumeOfLearning", "60 hours", "", "edc-generic:Qualification.volumeOfLearning.lexical"),
        (f"{SUBJECT}/specifiedBy/dateModified", "2026-01-01T00:00:00Z", "", "json-ld.id"),
        (f"{SUBJECT}/foo", 1, "", "json-ld.term"),
        (f"{SUBJECT}/evidence", {}, "", "json-ld.term"),
        (f"{SUBJECT}/elm:awardedBy", {}, "", "json-ld.term"),
        (f"{SUBJECT}/@id", "urn:x", "", "json-ld.keyword"),
        (f"{SUBJECT}/type", "Achievement", "", "json-ld.type"),
        (f"{SUBJECT}/id", "achievement-1", "", "json-ld.id"),
        (f"{SUBJECT}/id", "elm:achievement", "", "json-ld.id"),
        (f"{SUBJECT}/title", {"english language": "A"}, "/english language", "json-ld.language"),
        ("/type", ["VerifiableCredential"], "", "edc.type"),
        ("/@context", ["http://data.europa.eu/snb/model/context/edc-ap"], "", "edc.context"),
        ("/proof", {"type": "x"}, "", "json-ld.term"),
    ],
)  # fmt: skip
def test_a_fault_is_told_by_rule_and_place(
    credential: dict[str, Any], pointer: str, value: Any, place: str, rule: str
) -> None:
    """One property set wrong, and the fault stands where a registrar will look."""
    document = Document.from_python(credential).set(pointer, value)
    faults = {(fault.pointer, fault.rule) for fault in check(document)}

    assert (pointer + place, rule) in faults


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"/validUntil": "2020-01-01T00:00:00Z"}, ["/validUntil"]),
        ({"/expirationDate": "2020-01-01T00:00:00+02:00"}, ["/expirationDate"]),
        ({"/validUntil": "2026-06-01T12:00:00Z"}, ["/validUntil"]),
        ({"/validUntil": "2026-06-01T12:00:01Z"}, []),
        ({"/validFrom": "2026-07-01T00:00:00Z", "/validUntil": "2026-06-30T00:00:00Z"}, ["/validUntil"]),
        ({"/validFrom": "2026-07-01T00:00:00Z", "/validUntil": "2026-07-02T00:00:00Z"}, []),
        ({"/credentialSubject/dateOfBirth": "2026-06-02T00:00:00Z"}, ["/credentialSubject/dateOfBirth"]),
        ({"/credentialSubject/dateOfBirth": "2026-06-01T00:00:00Z"}, []),
    ],
)
def test_a_credential_does_not_end_before_it_begins(
    credential: dict[str, Any], changes: dict[str, str], places: list[str]
) -> None:
    """It is issued (on 1 June 2026, at noon) to somebody who was born, before it ends and not after."""
    document = Document.from_python(credential)
    for pointer, value in changes.items():
        document = document.set(pointer, value)

    assert [(place, "edc.dates") for place in places] == [(fault.pointer, fault.rule) for fault in check(document)]


def test_an_unknown_item_is_refused_with_the_nearest_known(credential: dict[str, Any]) -> None:
    """SHACL looks at the scheme alone; we look the item up."""
    mode = f"{SUBJECT}/specifiedBy/mode"
    document = Document.from_python(credential).set(
        f"{mode}/id", "http://data.europa.eu/snb/learning-assessment/920fbb3cbf"
    )
    (fault,) = check(document)

    assert (f"{mode}/id", "vocabulary:mode") == (fault.pointer, fault.rule)
    assert 'http://data.europa.eu/snb/learning-assessment/920fbb3cbe ("Online")' in fault.message


@pytest.mark.parametrize(
    ("pointer", "iri", "name"),
    [
        (f"{SUBJECT}/provenBy/specifiedBy/mode", "http://data.europa.eu/snb/learning-assessment/zzz", "mode"),
        (f"{SUBJECT}/specifiedBy/dcType", "http://data.europa.eu/snb/learning-opportunity/zzz", "learning-opportunity"),
        (
            f"{SUBJECT}/provenBy/idVerification",
            "http://data.europa.eu/snb/supervision-verification/zzz",
            "supervision-verification",
        ),
        (
            f"{SUBJECT}/specifiedBy/creditPoint/framework",
            "http://data.europa.eu/snb/education-credit/zzz",
            "education-credit",
        ),
    ],
)
@pytest.mark.parametrize("scheme", [None, "urn:x:scheme"])
def test_the_iri_alone_tells_its_vocabulary(
    credential: dict[str, Any], pointer: str, iri: str, name: str, scheme: str | None
) -> None:
    """An item without a scheme, or under one of somebody's own, is looked up where its IRI belongs."""
    concept: dict[str, Any] = {"id": iri, "type": "Concept"}
    if scheme:
        concept["inScheme"] = {"id": scheme, "type": "ConceptScheme"}
    document = Document.from_python(credential).set(pointer, concept)

    assert (f"{pointer}/id", f"vocabulary:{name}") in {(fault.pointer, fault.rule) for fault in check(document)}


def test_a_profile_that_is_not_known_is_told(credential: dict[str, Any]) -> None:
    """Checked as generic, it would seem to conform to a profile that nobody looked at."""
    unknown = {"id": "http://data.europa.eu/snb/model/ap/edc-unknown", "type": "ShaclValidator2017"}
    document = Document.from_python(credential).set("/credentialSchema", unknown)
    (fault,) = check(document)

    assert ("/credentialSchema", "edc.profile") == (fault.pointer, fault.rule)
    assert "edc-unknown" in fault.message


def test_a_wrong_scheme_is_a_fault(credential: dict[str, Any]) -> None:
    """A level must come from the EQF vocabulary, whatever its IRI."""
    level = f"{SUBJECT}/specifiedBy/eqfLevel"
    document = Document.from_python(credential).set(f"{level}/inScheme/id", "http://data.europa.eu/snb/qdr/25831c2")

    assert (level, "edc-generic:Qualification.eqfLevel.inScheme") in {
        (one.pointer, one.rule) for one in check(document)
    }


def test_issuer_and_awarding_body_that_share_a_node_are_one_organisation(credential: dict[str, Any]) -> None:
    """Two legal names in one language on one node: the trap of a mandated issue."""
    credential["issuer"]["id"] = credential["credentialSubject"]["hasClaim"]["awardedBy"]["awardingBody"]["id"]

    assert "edc-generic:Organisation.legalName.uniqueLang" in _rules(credential).values()


def test_a_node_may_be_described_elsewhere(credential: dict[str, Any]) -> None:
    """A reference is as good as the node, as long as somebody describes it."""
    body = credential["credentialSubject"]["hasClaim"]["awardedBy"]["awardingBody"]
    credential["credentialSubject"]["hasClaim"]["awardedBy"]["awardingBody"] = body["id"]

    # The assessment's awarding process, the same node, still has it in full.
    assert {} == _rules(credential)


def test_messages_hold_no_learner_data(credential: dict[str, Any]) -> None:
    """A fault names properties and vocabularies, never what a learner is called."""
    credential["credentialSubject"]["givenName"] = ["Ana", {"en": "Ana"}]
    credential["credentialSubject"]["familyName"] = {"en": "Andromeda", "fr": "Andromède"}
    credential["credentialSubject"]["dateOfBirth"] = "born 1999"
    faults = check(Document.from_python(credential))

    assert faults
    assert not any(secret in fault.message for fault in faults for secret in ("Ana", "Andr", "1999"))


def test_an_accredited_credential_claims_one_achievement() -> None:
    """edc-accredited takes exactly one learning achievement a person."""
    credential, profiles = bases()["accredited"]
    claim = credential["credentialSubject"]["hasClaim"]
    document = Document.from_python(credential).set("/credentialSubject/hasClaim", [claim, {**claim, "id": "urn:x:2"}])

    assert ["edc-accredited:Person.hasClaim.maxCount"] == [fault.rule for fault in check(document, profiles)]
