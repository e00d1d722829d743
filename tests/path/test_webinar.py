"""The micro-credential of the ECIU webinar, from each of its two examples: what the seed shows is what is sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from eseal.bulk.course import read_course
from eseal_client import read_micro_credential
from tests.credential.oracle import judge
from tests.harness.server import ROOT
from tests.path.calls import issue_request, payload

if TYPE_CHECKING:
    from eseal_client import MicroCredential
    from tests.harness.server import RunningServer

OUTCOMES = [
    "Create a chatbot using Scratch",
    "Use image classification tools to identify different objects in images",
]


def _json() -> MicroCredential:
    return read_micro_credential(ROOT / "clients/examples/introduction-to-artificial-intelligence.json")


def _toml() -> MicroCredential:
    return read_course(ROOT / "server/eseal/bulk/example/course.toml")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("example", [_json, _toml], ids=["json", "toml"])
def test_the_webinars_credential(server: RunningServer, example: Any) -> None:
    """Title, both parties with their legal ids, outcomes with ESCO skills, recognition for credit, overall assessment."""
    with server.issuance() as dcu:
        credential = payload(dcu.Issue(issue_request(example())).sealed)
    issuer = credential["issuer"]
    achievement = credential["credentialSubject"]["hasClaim"]
    body = achievement["awardedBy"]["awardingBody"]
    specification = achievement["specifiedBy"]
    outcomes = specification["learningOutcome"]

    assert {"en": "Introduction to Artificial Intelligence"} == achievement["title"]
    assert ({"en": "Dublin City University"}, "999892588") == (body["legalName"], body["registration"]["notation"])
    assert {"en": "Stichting European Consortium of Innovative Universities"} == issuer["legalName"]
    assert ("08164880", "NTRNL-08164880") == (
        issuer["registration"]["notation"],
        issuer["eIDASIdentifier"]["notation"],
    )
    assert OUTCOMES == [outcome["title"]["en"] for outcome in outcomes]
    skills = [skill["id"] for outcome in outcomes for skill in _listed(outcome["relatedESCOSkill"])]
    assert 3 == len([skill for skill in skills if skill.startswith("http://data.europa.eu/esco/skill/")])
    entitlements = [one["title"]["en"] for one in _listed(achievement["entitlesTo"])]
    assert ["Recognition for credit"] == entitlements
    assert ["Overall assessment"] == [one["title"]["en"] for one in _listed(achievement["provenBy"])]
    assert "non-formal learning" == specification["learningSetting"]["prefLabel"]["en"]
    assert (True, []) == judge(credential, ("mandate",))
