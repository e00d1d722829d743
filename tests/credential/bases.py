"""One credential that conforms for each profile: what the parity test mutates."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from eseal.credential.building import build
from eseal.credential.micro_credential import QualityAssurance
from eseal.credential.nodes import media
from eseal.credential.profile import concept
from eseal.terms import Profile
from eseal.vocabulary import vocabulary
from tests.credential import courses
from tests.harness.vectors import VECTORS

if TYPE_CHECKING:
    from eseal.sealcore import Document

Json = dict[str, Any]
QDR = "http://data.europa.eu/snb/data/accreditation/7b0d9c1c-0000-4000-8000-000000000001"


@cache
def bases() -> dict[str, tuple[Json, tuple[Profile, ...]]]:
    """Credentials by name, each with the profiles that it conforms to."""
    made = {
        "course": (_full(), (Profile.GENERIC, Profile.MANDATE)),
        "eciu": (_eciu(), (Profile.GENERIC, Profile.MANDATE)),
        "accredited": (_accredited(), (Profile.GENERIC, Profile.MANDATE, Profile.ACCREDITED)),
        "converted": (_converted(), (Profile.GENERIC, Profile.MANDATE, Profile.CONVERTED)),
        "diploma-supplement": (_diploma_supplement(), (Profile.GENERIC, Profile.DIPLOMA_SUPPLEMENT)),
    }
    for name, profiles in (("generic", (Profile.GENERIC,)), ("mandate", (Profile.GENERIC, Profile.MANDATE))):
        path = VECTORS / "edc-minimal" / f"{name}.json"
        if path.exists():
            made[f"minimal-{name}"] = (json.loads(path.read_text()), profiles)
    return made


def _full() -> Json:
    course = replace(courses.full_course(), display=courses.PAGES)
    return _python(courses.issued(course, courses.full_learner(), courses.mandate(agreement=courses.agreement())))


def _eciu() -> Json:
    return _python(courses.issued(courses.eciu_course(display=courses.PAGES)))


def _accredited() -> Json:
    accreditation = QualityAssurance(
        id=QDR, type="820101cba6", accrediting_agent=courses.QQI, report="https://data.deqar.eu/report/1"
    )
    return _python(courses.issued(courses.eciu_course(display=courses.PAGES, accreditation=accreditation)))


def _converted() -> Json:
    document = build(courses.eciu_course(display=courses.PAGES), courses.learner())
    evidence = {
        "id": "urn:epass:evidence:1",
        "type": "Evidence",
        "dcType": vocabulary("evidence-type").concept("c_c4f849d7"),
        "embeddedEvidence": media("urn:epass:mediaObject:9", "application/pdf", b"%PDF-1.7 diploma"),
    }
    document = document.set("/evidence", evidence).set("/credentialProfiles", concept(Profile.CONVERTED))
    return _python(courses.completed(document, courses.mandate()))


def _diploma_supplement() -> Json:
    level = courses.full_course().level
    course = courses.eciu_course(
        display=courses.PAGES,
        languages_of_instruction=("en",),
        level=level,
        notional_workload=replace(courses.full_course().notional_workload, other_credits=()),
    )
    credential = _python(courses.completed(build(course, courses.learner())))
    achievement = credential["credentialSubject"]["hasClaim"]
    qualification = achievement["specifiedBy"]
    achievement["creditReceived"] = qualification["creditPoint"]
    # Every qualification has a part that is one: only a qualification that is its own part ends this.
    qualification["hasPart"] = {"id": qualification["id"]}
    qualification["awardingOpportunity"] = {
        "id": "urn:epass:awardingOpportunity:1",
        "type": "AwardingOpportunity",
        "awardingBody": achievement["awardedBy"]["awardingBody"],
    }
    return credential


def _python(document: Document) -> Json:
    value = document.to_python()
    assert isinstance(value, dict)
    return value
