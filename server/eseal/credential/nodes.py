"""The smaller nodes of an EDC, made from what a caller says: each with its id, as the Commission's issuer writes them.

Ids are counted (``urn:epass:org:1``), so the same input gives the same document; equal things get one id and one node.
What a vocabulary does not know is noted as a fault at its place in the request, and building goes on: a caller learns
of every mistake at once.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from eseal.credential.micro_credential import Identifier, Region
from eseal.terms import Fault
from eseal.vocabulary import UnknownItem, language_code, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from eseal.credential.micro_credential import Attachment, Group, Organisation, QualityAssurance
    from eseal.terms import LegalIdentifier

Json = dict[str, Any]
MEDIA_TYPES: Final[Mapping[str, str]] = {
    "application/pdf": "PDF",
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "text/plain": "TXT",
}
# What a caller may send, by how such a file begins.
_BEGINNINGS: Final[Mapping[str, bytes]] = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
}
# What can be the rest of a mailto: IRI, and has a mailbox and a host.
_EMAIL: Final = re.compile(r"[^\s\x00-\x20<>\"{}|\\^`@]+@[^\s\x00-\x20<>\"{}|\\^`@]+")
# Every reader of a credential has to take its files in one piece with it.
MAX_FILE_BYTES: Final = 2 * 1024 * 1024
MAX_ATTACHMENTS: Final = 10


@lru_cache(maxsize=256)
def date_time(value: date | datetime) -> str:
    """xsd:dateTime: a day is its midnight in UTC, a datetime is given in UTC to the second."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"
    return f"{value.isoformat()}T00:00:00Z"


def media(
    identifier: str, media_type: str, content: bytes, title: Mapping[str, str] | None = None, *, labelled: bool = True
) -> Json:
    """A MediaObject: the bytes in base64. Without labels it agrees with whatever the document calls these concepts."""
    encoding = vocabulary("encoding").concept("6146cde7dd", ("en",))
    file_type = vocabulary("file-type").concept(MEDIA_TYPES[media_type], ("en",))
    node: Json = {
        "id": identifier,
        "type": "MediaObject",
        "content": base64.b64encode(content).decode("ascii"),
        "contentEncoding": encoding if labelled else bare(encoding),
        "contentType": file_type if labelled else bare(file_type),
    }
    if title:
        node["title"] = dict(title)
    return node


def bare(concept: Json) -> Json:
    """A Concept without its labels: two labels in one language would be one too many (sh:uniqueLang)."""
    return {term: concept[term] for term in ("id", "type", "inScheme")}


def one_or_list(items: Sequence[Any]) -> Any:
    """The compact form that EDC readers expect: one value bare, several in a list."""
    return items[0] if len(items) == 1 else list(items)


def flat(value: Any) -> list[Any]:
    """The values of a property, however they are listed: JSON-LD takes lists in lists for one."""
    found: list[Any] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += reversed(one)
        elif one is not None:
            found.append(one)
    return found


def said(**members: Any) -> Json:
    """The members that say something: empty ones are left out, lists of one are made bare."""
    kept = {name: value for name, value in members.items() if value not in (None, "", [], {}, ())}
    return {name: one_or_list(value) if isinstance(value, list) else value for name, value in kept.items()}


class Nodes:
    """Makes nodes for one document in the given languages, and collects the faults of the request."""

    def __init__(self, languages: Sequence[str], numbers: Mapping[str, int] | None = None) -> None:
        """``numbers`` are those given so far, where a document is continued."""
        self.languages = tuple(languages)
        self.faults: list[Fault] = []
        self.numbers: Counter[str] = Counter(numbers)
        self._organisations: list[tuple[Organisation, Json]] = []
        self._assurances: list[tuple[QualityAssurance, Json]] = []

    def new_id(self, kind: str) -> str:
        """The next ``urn:epass:<kind>:<n>``."""
        self.numbers[kind] += 1
        return f"urn:epass:{kind}:{self.numbers[kind]}"

    def fault(self, where: str, rule: str, message: str) -> None:
        """Note a mistake of the request at ``where``, an RFC 6901 pointer into it."""
        self.faults.append(Fault(where, rule, message))

    def in_order(self, begin: date | None, end: date | None, where: str) -> None:
        """Note a fault at ``where`` if what ends there ends before it begins."""
        if begin is not None and end is not None and end < begin:
            self.fault(where, "dates-in-order", f"This ends on {end}, before it begins on {begin}.")

    def duration(self, text: str, where: str) -> str:
        """A duration as it is given, and a fault where it goes backwards: xsd:duration lets it."""
        if text.startswith("-"):
            self.fault(where, "duration", "A duration takes time, such as PT60H: it does not begin with a minus.")
        return text

    def concept(self, name: str, item: str, where: str, label: Mapping[str, str] | None = None) -> Json | None:
        """An item of a vocabulary by IRI, code or label; None, and a fault, where it has no such item."""
        if not item:
            return None
        try:
            return vocabulary(name).concept(item, self.languages, label)
        except UnknownItem as error:
            self.fault(where, f"vocabulary:{name}", str(error))
            return None

    def concepts(self, name: str, items: Iterable[str], where: str) -> list[Json]:
        """Several items of a vocabulary."""
        made = [self.concept(name, item, f"{where}/{index}") for index, item in enumerate(items)]
        return [concept for concept in made if concept is not None]

    def spoken(self, languages: Iterable[str], where: str) -> list[Json]:
        """Languages, given as ISO 639-1."""
        codes: list[str] = []
        for index, language in enumerate(languages):
            try:
                codes.append(language_code(language))
            except KeyError:
                message = f"{language!r} is not an ISO 639-1 language code, such as en."
                self.fault(f"{where}/{index}", "vocabulary:language", message)
        return self.concepts("language", codes, where)

    def note(self, text: Mapping[str, str]) -> Json | None:
        """A Note, or None where there is no text."""
        return {"id": self.new_id("note"), "type": "Note", "noteLiteral": dict(text)} if text else None

    def page(self, address: str) -> Json | None:
        """A WebResource, or None where there is no address."""
        return {"id": self.new_id("webResource"), "type": "WebResource", "contentURL": address} if address else None

    def contact(self, email_address: str, where: str) -> Json | None:
        """A ContactPoint with an e-mail address, or None, and a fault where it is none."""
        if not email_address:
            return None
        if not _EMAIL.fullmatch(email_address):
            self.fault(f"{where}/email_address", "email-address", "An e-mail address is like ana@example.org.")
            return None
        mailbox = {"id": f"mailto:{email_address}", "type": "Mailbox"}
        return {"id": self.new_id("contactPoint"), "type": "ContactPoint", "emailAddress": mailbox}

    def identifier(self, identifier: Identifier) -> Json:
        """An Identifier."""
        node = {"id": self.new_id("identifier"), "type": "Identifier", "notation": identifier.notation}
        return {**node, **said(schemeName=identifier.scheme)}

    def legal_identifier(self, identifier: LegalIdentifier, country: str, where: str) -> Json:
        """A LegalIdentifier: its country is that of its register, or of whoever has it."""
        spatial = self.concept("country", identifier.country or country, f"{where}/country")
        if not (identifier.country or country):
            self.fault(
                f"{where}/country",
                "edc-generic:LegalIdentifier.spatial.minCount",
                "A legal identifier needs the country of its register.",
            )
        node = {"id": self.new_id("legalIdentifier"), "type": "LegalIdentifier", "notation": identifier.notation}
        return {**node, **said(spatial=spatial, schemeName=identifier.scheme)}

    def attachment(self, attachment: Attachment, where: str) -> Json | None:
        """A file, or None, and a fault, where it is not what an EDC carries: of a known type, and of a decent size."""
        begins = _BEGINNINGS.get(attachment.media_type)
        if begins is None:
            known = ", ".join(_BEGINNINGS)
            self.fault(f"{where}/media_type", "media-type", f"A file's media_type is one of {known}.")
        elif not attachment.content.startswith(begins):
            self.fault(f"{where}/content", "media-type", f"This file does not begin like {attachment.media_type}.")
        elif len(attachment.content) > MAX_FILE_BYTES:
            message = f"A file has at most {MAX_FILE_BYTES} bytes; this one has {len(attachment.content)}."
            self.fault(f"{where}/content", "file-size", message)
        else:
            return media(self.new_id("mediaObject"), attachment.media_type, attachment.content, attachment.title)
        return None

    def location(self, region: Region, address: Mapping[str, str], where: str) -> Json:
        """A Location: the country in its address, the territorial unit beside it."""
        country = self.concept("country", region.country, f"{where}/country")
        inner = said(countryCode=country, fullAddress=self.note(address))
        node = {"id": self.new_id("location"), "type": "Location"}
        node["address"] = {"id": self.new_id("address"), "type": "Address", **inner}  # type: ignore[assignment]
        return {**node, **said(spatialCode=self.concept("atu", region.region, f"{where}/region"))}

    def group(self, group: Group, where: str) -> Json:
        """A Group, such as an alliance."""
        node = {"id": self.new_id("group"), "type": "Group", "prefLabel": dict(group.name)}
        return {**node, **said(contactPoint=self.contact(group.email_address, where))}

    def organisation(self, body: Organisation, default: Region | None, where: str) -> Json:
        """An Organisation; the same one again is the same node again."""
        for known, node in self._organisations:
            if known == body:
                return node
        node = self._new_organisation(body, default, where)
        self._organisations.append((body, node))
        return node

    def quality_assurance(self, assurance: QualityAssurance, where: str) -> Json:
        """An Accreditation; the same one again is the same node again, another one of the same id a fault."""
        for known, node in self._assurances:
            if known == assurance:
                return node
            if assurance.id and known.id == assurance.id:
                message = f"{assurance.id} is said twice, and not in the same words: an id names one quality assurance."
                self.fault(f"{where}/id", "accreditation-id", message)
                return node
        node = self._new_quality_assurance(assurance, where)
        self._assurances.append((assurance, node))
        return node

    def _new_quality_assurance(self, assurance: QualityAssurance, where: str) -> Json:
        kind = self.concept("accreditation", assurance.type, f"{where}/type")
        title = dict(assurance.title) or dict((kind or {}).get("prefLabel", {}))
        agent, organisation = assurance.accrediting_agent, assurance.organisation
        self.in_order(assurance.date_issued, assurance.expiry_date, f"{where}/expiry_date")
        if agent is None:
            message = "Quality assurance needs the body that accredits."
            self.fault(f"{where}/accrediting_agent", "edc-generic:Accreditation.accreditingAgent.minCount", message)
        return {
            "id": assurance.id or self.new_id("accreditation"),
            "type": "Accreditation",
            **said(
                title=title,
                dcType=kind,
                accreditingAgent=agent and self.organisation(agent, None, f"{where}/accrediting_agent"),
                organisation=organisation and self.organisation(organisation, None, f"{where}/organisation"),
                report=self.page(assurance.report),
                dateIssued=assurance.date_issued and date_time(assurance.date_issued),
                expiryDate=assurance.expiry_date and date_time(assurance.expiry_date),
            ),
        }

    def _new_organisation(self, body: Organisation, default: Region | None, where: str) -> Json:
        place = Region(
            body.country or (default.country if default else ""),
            body.region or (default.region if default and not body.country else ""),
        )
        if not place.country:
            message = "An organisation needs its country (ISO 3166-1 alpha-3)."
            self.fault(f"{where}/country", "edc-generic:Address.countryCode.minCount", message)
        legal: dict[str, list[Json]] = {"eidas": [], "registration": [], "vat": [], "tax": [], "other": []}
        for index, identifier in enumerate(body.identifiers):
            if identifier.kind not in {"eidas", "registration", "vat", "tax"}:
                legal["other"].append(self.identifier(Identifier(identifier.notation, identifier.scheme)))
            else:
                legal[identifier.kind].append(
                    self.legal_identifier(identifier, place.country, f"{where}/identifiers/{index}")
                )
        return {
            "id": self.new_id("org"),
            "type": "Organisation",
            "legalName": dict(body.legal_name),
            "location": self.location(place, body.address, where),
            **said(
                altLabel=dict(body.alternative_name),
                eIDASIdentifier=legal["eidas"],
                registration=legal["registration"],
                vatIdentifier=legal["vat"],
                taxIdentifier=legal["tax"],
                identifier=legal["other"],
                homepage=self.page(body.homepage),
                contactPoint=self.contact(body.email_address, where),
                logo=body.logo and self.attachment(body.logo, f"{where}/logo"),
                groupMemberOf=[
                    self.group(group, f"{where}/group_member_of/{index}")
                    for index, group in enumerate(body.group_member_of)
                ],
                accreditation=[
                    self.quality_assurance(held, f"{where}/accreditations/{index}")
                    for index, held in enumerate(body.accreditations)
                ],
            ),
        }
