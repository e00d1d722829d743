"""A small credential that conforms: Dublin City University awards, the ECIU foundation seals under mandate."""

from __future__ import annotations

import json
from typing import Any

_AUTHORITY = "http://publications.europa.eu/resource/authority"
_SNB = "http://data.europa.eu/snb"


def credential(**changes: Any) -> dict[str, Any]:
    """Return a completed credential as Python; ``changes`` replace members, None removes one."""
    members = _credential() | changes
    return {name: value for name, value in members.items() if value is not None}


def credential_bytes(**changes: Any) -> bytes:
    """Return the credential as JSON."""
    return json.dumps(credential(**changes), ensure_ascii=False).encode()


def _concept(iri: str, scheme: str) -> dict[str, Any]:
    return {"id": iri, "type": "Concept", "inScheme": {"id": scheme, "type": "ConceptScheme"}}


def _country(code: str) -> dict[str, Any]:
    return _concept(f"{_AUTHORITY}/country/{code}", f"{_AUTHORITY}/country")


def organisation(number: int, name: str, country: str, **members: Any) -> dict[str, Any]:
    """Return an Organisation node with a legal name and a country."""
    address = {"id": f"urn:epass:address:{number}", "type": "Address", "countryCode": _country(country)}
    location = {"id": f"urn:epass:location:{number}", "type": "Location", "address": address}
    node = {"id": f"urn:epass:org:{number}", "type": "Organisation", "legalName": {"en": name}, "location": location}
    return node | members


def eidas_identifier(notation: str, country: str) -> dict[str, Any]:
    """Return a LegalIdentifier node."""
    identifier = f"urn:epass:legalIdentifier:{notation}"
    return {"id": identifier, "type": "LegalIdentifier", "notation": notation, "spatial": _country(country)}


def _credential() -> dict[str, Any]:
    english = _concept(f"{_AUTHORITY}/language/ENG", f"{_AUTHORITY}/language")
    profiles = [
        _concept(f"{_SNB}/credential/{code}", f"{_SNB}/credential/25831c2") for code in ("e34929035b", "c_9a31f32a")
    ]
    schemas = ("edc-generic-full", "edc-issued-by-mandate")
    sealer = "Stichting European Consortium of Innovative Universities"
    return {
        "id": "urn:credential:0b0f8a52-8f0f-4e0e-9a4c-4f1d2a3b4c5d",
        "type": ["VerifiableCredential", "EuropeanDigitalCredential"],
        "credentialProfiles": profiles,
        "credentialSchema": [{"id": f"{_SNB}/model/ap/{name}", "type": "ShaclValidator2017"} for name in schemas],
        "credentialSubject": _learner(),
        "displayParameter": _display(english),
        "evidence": {
            "id": "urn:epass:evidence:1",
            "type": "Evidence",
            "dcType": _concept(f"{_SNB}/evidence-type/c_18016257", f"{_SNB}/evidence-type/25831c2"),
            "evidenceStatement": "The awarding body says this; “the sealer” only seals it. \\ \u0001 Ωμέγα 🎓",
        },
        "issued": "2026-01-31T12:00:00Z",
        "issuanceDate": "2026-01-31T12:00:00Z",
        "issuer": organisation(1, sealer, "NLD", eIDASIdentifier=eidas_identifier("NTRNL-08164880", "NLD")),
        "validFrom": "2026-01-31T12:00:00Z",
        "@context": ["https://www.w3.org/2018/credentials/v1", "http://data.europa.eu/snb/model/context/edc-ap"],
    }


def _learner() -> dict[str, Any]:
    body = organisation(2, "Dublin City University", "IRL")
    process = {"id": "urn:epass:awardingProcess:1", "type": "AwardingProcess", "awardingBody": body}
    title = {"en": "Introduction to Artificial Intelligence"}
    claim = {
        "id": "urn:epass:learningAchievement:1",
        "type": "LearningAchievement",
        "title": title,
        "awardedBy": process,
    }
    return {"id": "urn:epass:person:1", "type": "Person", "hasClaim": claim}


def _display(language: dict[str, Any]) -> dict[str, Any]:
    image = {
        "id": "urn:epass:mediaObject:1",
        "type": "MediaObject",
        "content": "iVBORw0KGgo=",
        "contentEncoding": _concept(f"{_SNB}/encoding/6146cde7dd", f"{_SNB}/encoding/25831c2"),
        "contentType": _concept(f"{_AUTHORITY}/file-type/PNG", f"{_AUTHORITY}/file-type"),
    }
    detail = {"id": "urn:epass:displayDetail:1", "type": "DisplayDetail", "page": 1, "image": image}
    individual = {"id": "urn:epass:individualDisplay:1", "type": "IndividualDisplay", "language": language}
    return {
        "id": "urn:epass:displayParameter:1",
        "type": "DisplayParameter",
        "title": {"en": "Introduction to Artificial Intelligence"},
        "language": language,
        "primaryLanguage": language,
        "individualDisplay": individual | {"displayDetail": detail},
    }
