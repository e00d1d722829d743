"""Completing a credential: the sealer's part goes into the document, and every other part stays as it was.

``complete`` is pure: the same document, completion, id and date give the same bytes, today and when a replay rebuilds
them. docs/credential.md says what is set and what is kept.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from eseal.credential import profile
from eseal.credential.evidence import completed_evidence
from eseal.credential.nodes import Json, bare, date_time, flat, media, one_or_list
from eseal.credential.page import Page, display_parameter, with_name
from eseal.credential.sealer_part import Completion, MandateEvidence
from eseal.sealcore import Document
from eseal.terms import Profile
from eseal.vocabulary import language_code, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

__all__ = ["Completion", "MandateEvidence", "complete", "credential_id_of", "fresh_credential_id"]

CREDENTIAL_ID: Final = re.compile(r"urn:credential:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
# Names under which the sealer's own nodes go, as the Commission's issuer names them; a number makes them free.
_OWN: Final = (
    "certificateOrganisation",
    "certificateIdentifier",
    "certificateLegalIdentifier",
    "certificateLocation",
    "certificateAddress",
)
_TAKEN: Final = re.compile(f'"urn:(?:{"|".join(_OWN)}):([0-9]+)"'.encode())


def complete(document: Document, completion: Completion, *, credential_id: str, issued: datetime) -> Document:
    """Add the sealer's part to a credential: pure and deterministic, the same input gives the same bytes.

    The issuer is replaced, not merged: what a credential says of its sealer comes from the seal certificate alone, and
    its node has an id of its own, since a sealer and an awarding body that share one would be one organisation.
    """
    suffix = _free_suffix(document)
    mandated = bool(completion.mandates)
    profiles = _profiles(profile.bytes_at(document, "/credentialProfiles"), mandated=mandated)
    labelled = not document.mentions(_country_iri(completion.country))
    moment = date_time(issued)
    part: dict[str, str | Document | Json] = {
        "/id": credential_id,
        "/issuer": _issuer(completion, suffix, labelled=labelled),
        "/issued": moment,
        "/issuanceDate": moment,
        "/credentialProfiles": profiles.items,
        "/credentialSchema": profiles.schemas,
    }
    if not document.has("/validFrom"):
        part["/validFrom"] = moment
    if document.has("/evidence"):
        evidence = completed_evidence(document.get("/evidence"), completion, profiles=profiles.named, suffix=suffix)
        if evidence:
            part["/evidence"] = one_or_list(evidence)
        else:
            document = document.remove("/evidence")
    elif mandated:
        part["/evidence"] = _mandate_evidence(completion, profiles.named, suffix)
    display = display_parameter(document)
    if completion.pages and display:
        part[f"{display}/individualDisplay"] = _displays(completion, document)
    return document.set_many(part)


def fresh_credential_id() -> str:
    """A new ``urn:credential:<uuid>``."""
    return f"urn:credential:{uuid.uuid4()}"


def credential_id_of(document: Document) -> str:
    """The id to seal under: the caller's own where it is a ``urn:credential:<uuid>``, else a fresh one."""
    own = document.get("/id")
    return own if isinstance(own, str) and CREDENTIAL_ID.match(own) else fresh_credential_id()


# The sealer's part of a course's credentials is the same in all of them: it becomes a document once, and is shared.
@lru_cache(maxsize=256)
def _issuer(completion: Completion, suffix: int, *, labelled: bool) -> Document:
    language = completion.languages[0]
    organisation, identifier, legal_identifier, location, address = (f"urn:{name}:{suffix}" for name in _OWN)
    # The awarding body may be of the same country and call it otherwise: the concept is one node, with one label.
    country = _country(completion) if labelled else bare(_country(completion))
    issuer: Json = {
        "id": organisation,
        "type": "Organisation",
        "legalName": {language: completion.legal_name},
        "altLabel": {language: completion.common_name},
        "eIDASIdentifier": {
            "id": identifier,
            "type": "LegalIdentifier",
            "notation": completion.organization_identifier,
            "spatial": country,
        },
        "location": {
            "id": location,
            "type": "Location",
            "address": {"id": address, "type": "Address", "countryCode": country},
        },
    }
    if completion.legal_identifier:
        term, number = completion.legal_identifier
        issuer[term] = {"id": legal_identifier, "type": "LegalIdentifier", "notation": number, "spatial": country}
    return Document.from_python(issuer)


@lru_cache(maxsize=256)
def _mandate_evidence(completion: Completion, profiles: frozenset[Profile], suffix: int) -> Document:
    return Document.from_python(one_or_list(completed_evidence(None, completion, profiles=profiles, suffix=suffix)))


def _displays(completion: Completion, document: Document) -> Document:
    if not any(page.name for page in completion.pages):
        return _shared_displays(completion)
    return Document.from_python(
        one_or_list([_display(page, with_name(page, document), n) for n, page in _numbered(completion)])
    )


@lru_cache(maxsize=256)
def _shared_displays(completion: Completion) -> Document:
    return Document.from_python(one_or_list([_display(page, page.image, n) for n, page in _numbered(completion)]))


def _numbered(completion: Completion) -> Iterator[tuple[int, Page]]:
    return enumerate(completion.pages, start=1)


def _display(page: Page, image: bytes, number: int) -> Json:
    return {
        "id": f"urn:epass:individualDisplay:{number}",
        "type": "IndividualDisplay",
        "language": bare(vocabulary("language").concept(language_code(page.language))),
        "displayDetail": {
            "id": f"urn:epass:displayDetail:{number}",
            "type": "DisplayDetail",
            "page": 1,
            "image": media(f"urn:epass:mediaObject:page-{number}", "image/png", image, labelled=False),
        },
    }


def _country(completion: Completion) -> Json:
    return vocabulary("country").concept(completion.country, completion.languages[:1])


@lru_cache(maxsize=256)
def _country_iri(country: str) -> str:
    return vocabulary("country").iri(country)


def _free_suffix(document: Document) -> int:
    """The first number under which none of the sealer's own ids is in the document already."""
    if not document.mentions("urn:certificate"):
        return 1
    taken = set(_TAKEN.findall(document.canonical()))
    return next(suffix for suffix in count(1) if str(suffix).encode() not in taken)


@dataclass(frozen=True, slots=True)
class _Profiles:
    """The profiles of a completed credential, as credentialProfiles and credentialSchema say them."""

    named: frozenset[Profile]
    items: Document
    schemas: Document


@lru_cache(maxsize=256)
def _profiles(given: bytes, *, mandated: bool) -> _Profiles:
    """The caller's profiles but for the mandate, generic where there is none; then the mandate, where there is one."""
    mandate = profile.concept(Profile.MANDATE)
    kept = [item for item in flat(json.loads(given)) if item and not _is(item, mandate["id"])]
    wanted = [*(kept or [profile.concept(Profile.GENERIC)]), *([mandate] if mandated else [])]
    document = Document.from_python({"credentialProfiles": one_or_list(wanted)})
    named = profile.declared_profiles(document)
    # An item that is no profile of ours stays, but a credential has a profile to be checked against.
    named |= frozenset() if named - {Profile.MANDATE} else {Profile.GENERIC}
    return _Profiles(
        named=named,
        items=document.at("/credentialProfiles"),
        schemas=Document.from_python(one_or_list(profile.schemas(named))),
    )


def _is(item: Any, iri: str) -> bool:
    return bool(item == iri or (isinstance(item, dict) and item.get("id") == iri))
