"""What only the sealer can add to a credential, as a value: who seals, under which mandates, with which pages.

Nothing of the learner is in it, and the credentials of a course share one. The ledger keeps it as JSON beside the
credential's id and date of issue, so that the same document completed again later is the same bytes.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from eseal.credential.evidence import require_whole, statement_in
from eseal.credential.page import Page, Pages, display_parameter, is_named, page_texts
from eseal.credential.profile import bytes_at
from eseal.errors import SetupError
from eseal.terms import Agreement
from eseal.vocabulary import alpha3, iso_language

if TYPE_CHECKING:
    from eseal.credential.micro_credential import Display
    from eseal.credential.nodes import Json
    from eseal.sealcore import Document
    from eseal.terms import Grant, LegalEntity, MandateInForce


_FIRST_EVIDENCE_LANGUAGES: Final = ("en",)


@dataclass(frozen=True, slots=True)
class MandateEvidence:
    """One mandate in the credential: its statement, and its agreement where the register has the document."""

    statement: str
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Exactly what the sealer adds. ``country`` is alpha-3; ``mandates`` is empty where a body seals for itself.

    ``languages`` are those of the credential (ISO 639-1), the primary one first: the sealer's names are given in it.
    ``pages`` is empty where the document brings its own. ``legal_identifier`` is the number that the organization
    identifier holds, and the term that the model has for its kind; completions kept by the first version have none.
    ``evidence_languages`` are those in which the type of evidence is named; they named it in English.
    """

    legal_name: str
    common_name: str
    organization_identifier: str
    country: str
    languages: tuple[str, ...]
    mandates: tuple[MandateEvidence, ...] = ()
    pages: tuple[Page, ...] = field(default=(), repr=False)
    legal_identifier: tuple[str, str] | None = None
    evidence_languages: tuple[str, ...] = _FIRST_EVIDENCE_LANGUAGES
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
        the seal certificate's country is not one of the EU's table, InvalidInput where evidence is said in several places.
        """
        require_whole(document)
        try:
            country = alpha3(sealer.country)
        except KeyError:
            message = f"The seal certificate's country (C={sealer.country}) is not an ISO 3166-1 code: use another certificate."
            raise SetupError("SEAL_CERTIFICATE_COUNTRY", message) from None
        display_at = display_parameter(document)
        languages = _languages(document, display_at)
        rendered: tuple[Page, ...] = ()
        if display_at and not document.has(f"{display_at}/individualDisplay"):
            texts = page_texts(document, sealed_by=sealer.legal_name, mandated=bool(grant.mandates))
            rendered = (pages or _default_pages()).render(texts, languages, display, named=is_named(document))
        completion = Completion(
            legal_name=sealer.legal_name,
            common_name=sealer.common_name,
            organization_identifier=sealer.organization_identifier,
            country=country,
            languages=languages,
            mandates=_mandates(grant.mandates, languages),
            pages=rendered,
            legal_identifier=_legal_identifier(sealer.organization_identifier),
            evidence_languages=languages,
        )
        return _shared(completion)

    def to_json(self) -> bytes:
        """The value as JSON, the same bytes for the same value."""
        return _to_json(self)

    @staticmethod
    def from_json(data: bytes) -> Completion:
        """The value that ``to_json`` wrote."""
        return _from_json(data)


@lru_cache(maxsize=16)
def _legal_identifier(organization_identifier: str) -> tuple[str, str] | None:
    """Take ``NTRNL-08164880`` apart (EN 319 412-1 clause 5.1.4): a national register's number, or one for VAT."""
    parts = re.fullmatch(r"(NTR|VAT)[A-Z]{2}-(.+)", organization_identifier)
    return ({"NTR": "registration", "VAT": "vatIdentifier"}[parts[1]], parts[2]) if parts else None


def _languages(document: Document, place: str) -> tuple[str, ...]:
    """The languages that the displayParameter at ``place`` names, the primary one first; else those of its title."""
    if not place:
        return ("en",)
    named = _iso_languages(bytes_at(document, f"{place}/primaryLanguage"), bytes_at(document, f"{place}/language"))
    if named:
        return named
    title = document.get(f"{place}/title")
    return (tuple(title) if isinstance(title, dict) else ()) or ("en",)


@lru_cache(maxsize=1024)
def _iso_languages(*values: bytes) -> tuple[str, ...]:
    """The languages that concepts name, each as one or a list; few credentials differ in theirs."""
    named: list[str] = []
    for value in map(json.loads, values):
        for item in value if isinstance(value, list) else [value]:
            iri = item.get("id") if isinstance(item, dict) else item
            named.append(iso_language(iri) if isinstance(iri, str) else "")
    return tuple(dict.fromkeys(filter(None, named)))


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
        **({"legal_identifier": list(completion.legal_identifier)} if completion.legal_identifier else {}),
        **(
            {"evidence_languages": list(completion.evidence_languages)}
            if completion.evidence_languages != _FIRST_EVIDENCE_LANGUAGES
            else {}
        ),
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
        legal_identifier=tuple(value["legal_identifier"]) if "legal_identifier" in value else None,
        evidence_languages=tuple(value.get("evidence_languages", _FIRST_EVIDENCE_LANGUAGES)),
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
