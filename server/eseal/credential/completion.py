"""What only the sealer can add to a credential, and nothing of the learner.

A Completion is a value: who seals (from the seal certificate), under which mandates, with which pages. The ledger keeps
it beside the credential's id and date of issue, so that the same document completed again later is the same bytes.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from eseal.credential import profile
from eseal.credential.evidence import completed_evidence, statement_in
from eseal.credential.nodes import Json, bare, date_time, media, one_or_list
from eseal.credential.page import Page, Pages, page_texts, with_name
from eseal.credential.vocabulary import alpha3, iso_language, language_code, vocabulary
from eseal.errors import SetupError
from eseal.sealcore import Document
from eseal.terms import Agreement, Profile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from eseal.credential.micro_credential import Display
    from eseal.terms import Grant, LegalEntity, MandateInForce

CREDENTIAL_ID: Final = re.compile(r"urn:credential:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
# Names under which the sealer's own nodes go, as the Commission's issuer names them; a number makes them free.
_OWN: Final = ("certificateOrganisation", "certificateIdentifier", "certificateLocation", "certificateAddress")


@dataclass(frozen=True, slots=True)
class MandateEvidence:
    """One mandate in the credential: its statement, and its agreement where the register has the document."""

    statement: str
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Exactly what the sealer adds. ``country`` is alpha-3; ``mandates`` is empty where a body seals for itself.

    ``languages`` are those of the credential (ISO 639-1), the primary one first: the sealer's names are given in it.
    ``pages`` is empty where the document brings its own.
    """

    legal_name: str
    common_name: str
    organization_identifier: str
    country: str
    languages: tuple[str, ...]
    mandates: tuple[MandateEvidence, ...] = ()
    pages: tuple[Page, ...] = field(default=(), repr=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "_hash", hash((self.organization_identifier, self.languages, self.mandates, self.pages))
        )

    def __hash__(self) -> int:
        return self._hash

    @staticmethod
    def of(
        document: Document,
        *,
        sealer: LegalEntity,
        grant: Grant,
        display: Display | None = None,
        pages: Pages | None = None,
    ) -> Completion:
        """What ``sealer`` adds to ``document`` under ``grant``.

        ``display`` is the caller's wish, of Issue; ``pages`` renders (its defaults where None). Raises SetupError where
        the seal certificate's country is not one of the EU's table.
        """
        try:
            country = alpha3(sealer.country)
        except KeyError:
            message = f"The seal certificate's country (C={sealer.country}) is not an ISO 3166-1 code: use another certificate."
            raise SetupError("SEAL_CERTIFICATE_COUNTRY", message) from None
        languages = _languages(document)
        rendered: tuple[Page, ...] = ()
        if not document.has("/displayParameter/individualDisplay"):
            texts = page_texts(document, sealed_by=sealer.legal_name, mandated=bool(grant.mandates))
            rendered = (pages or _default_pages()).render(texts, languages, display)
        completion = Completion(
            legal_name=sealer.legal_name,
            common_name=sealer.common_name,
            organization_identifier=sealer.organization_identifier,
            country=country,
            languages=languages,
            mandates=_mandates(grant.mandates, languages),
            pages=rendered,
        )
        return _shared(completion)

    def to_json(self) -> bytes:
        """The value as JSON, the same bytes for the same value."""
        return _to_json(self)

    @staticmethod
    def from_json(data: bytes) -> Completion:
        """The value that ``to_json`` wrote."""
        return _from_json(data)


def complete(document: Document, completion: Completion, *, credential_id: str, issued: datetime) -> Document:
    """Add the sealer's part to a credential: pure and deterministic, the same input gives the same bytes.

    The issuer is replaced, not merged: what a credential says of its sealer comes from the seal certificate alone, and
    its node has an id of its own, since a sealer and an awarding body that share one would be one organisation.
    """
    data = document.canonical()
    suffix = _free_suffix(data)
    mandated = bool(completion.mandates)
    declared = profile.declared_profiles(document) - {Profile.MANDATE}
    profiles = (declared or {Profile.GENERIC}) | ({Profile.MANDATE} if mandated else set())
    moment = date_time(issued)
    completed = (
        document.set("/id", credential_id)
        .set("/issuer", _issuer(completion, suffix, labelled=_country(completion)["id"].encode() not in data))
        .set("/issued", moment)
        .set("/issuanceDate", moment)
        .set("/credentialProfiles", one_or_list(_profile_items(document, mandated=mandated)))
        .set("/credentialSchema", one_or_list(profile.schemas(profiles)))
    )
    if not document.has("/validFrom"):
        completed = completed.set("/validFrom", moment)
    if mandated and not document.has("/evidence"):
        completed = completed.set("/evidence", _mandate_evidence(completion, frozenset(profiles), suffix))
    elif document.has("/evidence"):
        evidence = completed_evidence(document.get("/evidence"), completion, profiles=profiles, suffix=suffix)
        completed = completed.set("/evidence", one_or_list(evidence)) if evidence else completed.remove("/evidence")
    if completion.pages and document.has("/displayParameter"):
        completed = completed.set("/displayParameter/individualDisplay", _displays(completion, document))
    return completed


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
    organisation, identifier, location, address = (f"urn:{name}:{suffix}" for name in _OWN)
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


def _country(completion: Completion) -> Json:
    return vocabulary("country").concept(completion.country, completion.languages[:1])


def _free_suffix(data: bytes) -> int:
    """The first number under which none of the sealer's own ids is in the document already."""
    suffix = 1
    while b"urn:certificate" in data and any(f'"urn:{name}:{suffix}"'.encode() in data for name in _OWN):
        suffix += 1
    return suffix


def _profile_items(document: Document, *, mandated: bool) -> list[Any]:
    """The caller's profiles but for the mandate, generic where there is none; then the mandate, where there is one."""
    given = document.get("/credentialProfiles")
    mandate = profile.concept(Profile.MANDATE)
    kept = [item for item in (given if isinstance(given, list) else [given]) if item and not _is(item, mandate["id"])]
    return [*(kept or [profile.concept(Profile.GENERIC)]), *([mandate] if mandated else [])]


def _is(item: Any, iri: str) -> bool:
    return item == iri or (isinstance(item, dict) and item.get("id") == iri)


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


def _languages(document: Document) -> tuple[str, ...]:
    """The languages of a credential, the primary one first; those of its title where it names none."""
    display = document.get("/displayParameter")
    if not isinstance(display, dict):
        return ("en",)
    named: list[str] = []
    for term in ("primaryLanguage", "language"):
        value = display.get(term)
        for item in value if isinstance(value, list) else [value]:
            iri = item.get("id") if isinstance(item, dict) else item
            named.append(iso_language(iri) if isinstance(iri, str) else "")
    title = display.get("title")
    return tuple(dict.fromkeys(filter(None, named))) or (tuple(title) if isinstance(title, dict) else ()) or ("en",)


def _mandates(mandates: tuple[MandateInForce, ...], languages: tuple[str, ...]) -> tuple[MandateEvidence, ...]:
    """One evidence for each statement and agreement: mandates that say the same are said once."""
    evidence = [MandateEvidence(statement_in(one.statements, languages), one.agreement) for one in mandates]
    return tuple(dict.fromkeys(evidence))


@lru_cache(maxsize=256)
def _shared(completion: Completion) -> Completion:
    """The first of equal completions: what is made of it is kept by it."""
    return completion


@lru_cache(maxsize=1)
def _default_pages() -> Pages:
    return Pages()


# A course's credentials share one completion, and an agreement may be large: it is written once.
@lru_cache(maxsize=64)
def _to_json(completion: Completion) -> bytes:
    value = {
        "legal_name": completion.legal_name,
        "common_name": completion.common_name,
        "organization_identifier": completion.organization_identifier,
        "country": completion.country,
        "languages": list(completion.languages),
        "mandates": [_mandate_to_json(mandate) for mandate in completion.mandates],
        "pages": [page.to_json() for page in completion.pages],
    }
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@lru_cache(maxsize=64)
def _from_json(data: bytes) -> Completion:
    value = json.loads(data)
    return Completion(
        legal_name=value["legal_name"],
        common_name=value["common_name"],
        organization_identifier=value["organization_identifier"],
        country=value["country"],
        languages=tuple(value["languages"]),
        mandates=tuple(_mandate_from_json(mandate) for mandate in value["mandates"]),
        pages=tuple(Page.from_json(page) for page in value["pages"]),
    )


def _mandate_to_json(mandate: MandateEvidence) -> Json:
    agreement = mandate.agreement
    if agreement is None:
        return {"statement": mandate.statement}
    return {
        "statement": mandate.statement,
        "agreement": {
            "sha256": agreement.sha256.hex(),
            "media_type": agreement.media_type,
            "title": agreement.title,
            "content": base64.b64encode(agreement.content).decode("ascii"),
        },
    }


def _mandate_from_json(value: Json) -> MandateEvidence:
    agreement = value.get("agreement")
    if agreement is None:
        return MandateEvidence(value["statement"])
    return MandateEvidence(
        value["statement"],
        Agreement(
            sha256=bytes.fromhex(agreement["sha256"]),
            media_type=agreement["media_type"],
            title=agreement["title"],
            content=base64.b64decode(agreement["content"]),
        ),
    )
