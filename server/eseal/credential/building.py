"""The document to seal: built from a micro-credential and a learner, or read from the caller's own bytes.

Either way it holds everything but what only the sealer can add. Building is deterministic: ids are counted, nothing
asks a clock, so that the same request sent again is the same document.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from eseal.credential.achievement import Achievements
from eseal.credential.graph import terms
from eseal.credential.micro_credential import Attachment, Learner
from eseal.credential.nodes import MAX_ATTACHMENTS, Json, Nodes, date_time, one_or_list, said
from eseal.credential.profile import concept, schemas
from eseal.errors import InvalidInput
from eseal.sealcore import Document, InvalidJson
from eseal.terms import Fault, Profile

if TYPE_CHECKING:
    from collections import Counter

    from eseal.credential.micro_credential import MicroCredential

TYPES: Final = ["VerifiableCredential", "EuropeanDigitalCredential"]
MAX_DEPTH: Final = 128


def build(micro_credential: MicroCredential, learner: Learner) -> Document:
    """The credential of one learner, without issuer, issue date, id and rendered pages.

    Raises InvalidInput (reason ``MICRO_CREDENTIAL``) with every fault found; pointers are into the request
    (``/micro_credential/level/eqf``, ``/learner/national_id/country``). Learners of one MicroCredential object share what
    is made of it.
    """
    course = _course_part(CourseKey(micro_credential), Award.of(learner))
    nodes = Nodes(course.languages, course.numbers)
    document = course.credential.set("/credentialSubject", _person(nodes, learner))
    document = document.set("/credentialSubject/hasClaim", course.achievement)
    if learner.credential_identifiers:
        own = [nodes.identifier(item) for item in learner.credential_identifiers]
        document = document.set("/identifier", one_or_list([*course.identifiers, *own]))
    faults = [*course.faults, *nodes.faults]
    if faults:
        raise InvalidInput("MICRO_CREDENTIAL", _first(faults), faults=faults)
    return document


def parse(data: bytes, *, max_bytes: int) -> Document:
    """The caller's credential, strictly read; the Commission's uploadable form gives its ``credential``.

    Raises InvalidInput: ``JSON`` (with the byte offset), ``NOT_A_CREDENTIAL``, ``ALREADY_SEALED``, ``CONTEXT_OR_TYPE``.
    """
    try:
        document = Document.parse(data, max_bytes=max_bytes, max_depth=MAX_DEPTH)
    except InvalidJson as error:
        metadata = {"offset": str(error.offset)}
        raise InvalidInput("JSON", f"The credential is not JSON: {error}", metadata=metadata) from error
    if document.has("/payload") and (document.has("/signatures") or document.has("/signature")):
        raise InvalidInput(
            "ALREADY_SEALED", "This document is sealed already (it is a JWS); send the credential alone."
        )
    if document.has("/credential/type") and not document.has("/type"):
        document = document.at("/credential")
    if not document.has("/credentialSubject"):
        raise InvalidInput("NOT_A_CREDENTIAL", "This JSON is not a credential: it has no credentialSubject.")
    if document.has("/proof"):
        raise InvalidInput(
            "ALREADY_SEALED", "This credential carries a proof of its own; an EDC is sealed from outside."
        )
    faults = list(_context_and_type(document))
    if faults:
        raise InvalidInput("CONTEXT_OR_TYPE", _first(faults), faults=faults)
    return document


def _context_and_type(document: Document) -> list[Fault]:
    faults: list[Fault] = []
    if document.get("/@context") != terms().context:
        wanted = json.dumps(terms().context)
        faults.append(Fault("/@context", "edc.context", f"@context must be exactly {wanted}, in this order."))
    types: Any = document.get("/type")
    if not isinstance(types, list) or sorted(map(str, types)) != sorted(TYPES):
        faults.append(Fault("/type", "edc.type", f"type must be {json.dumps(TYPES)}."))
    return faults


@dataclass(frozen=True, slots=True)
class _CoursePart:
    """What the learners of a course share: the credential without its subject, and what they achieved."""

    languages: tuple[str, ...]
    credential: Document
    achievement: Document
    identifiers: tuple[Json, ...]
    numbers: Counter[str]
    faults: tuple[Fault, ...]


class CourseKey:
    """A course as a key: the same object, not an equal one (comparing a course takes as long as building it)."""

    __slots__ = ("course",)

    def __init__(self, course: MicroCredential) -> None:
        self.course = course

    def __hash__(self) -> int:
        return id(self.course)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CourseKey) and self.course is other.course


@dataclass(frozen=True, slots=True)
class Award:
    """What of a learner goes into the achievement, and is kept: the own date and grades, nobody's name."""

    learner: Learner = field(compare=False)
    key: tuple[object, ...]

    @staticmethod
    def of(learner: Learner) -> Award:
        """What of ``learner`` it is."""
        if not (learner.date_of_issuing or learner.grade_achieved or learner.assessment_grades):
            return _PLAIN
        grades = tuple((one.assessment, tuple(one.grade.items())) for one in learner.assessment_grades)
        own = Learner(
            date_of_issuing=learner.date_of_issuing,
            grade_achieved=learner.grade_achieved,
            assessment_grades=learner.assessment_grades,
        )
        return Award(own, (learner.date_of_issuing, tuple(learner.grade_achieved.items()), grades))


_PLAIN: Final = Award(Learner(), ())


@lru_cache(maxsize=128)
def _course_part(same: CourseKey, award: Award) -> _CoursePart:
    course, languages = same.course, same.course.languages or tuple(same.course.title)
    nodes = Nodes(languages)
    if not course.title:
        message = "A micro-credential needs a title in at least one language."
        nodes.fault("/micro_credential/title", "annex-i:title", message)
    if not course.awarding_bodies:
        message = "A micro-credential needs at least one awarding body."
        nodes.fault("/micro_credential/awarding_bodies", "annex-i:awarding_bodies", message)
    if len(course.attachments) > MAX_ATTACHMENTS:
        message = f"A credential has at most {MAX_ATTACHMENTS} attachments; this one has {len(course.attachments)}."
        nodes.fault("/micro_credential/attachments", "file-count", message)
    profile = Profile.ACCREDITED if course.accreditation else Profile.GENERIC
    achievement = Achievements(nodes, course, award.learner).whole()
    nodes.in_order(course.valid_from, course.valid_until, "/micro_credential/valid_until")
    identifiers = [nodes.identifier(item) for item in course.identifiers]
    credential: Json = {
        "@context": list(terms().context),
        "type": list(TYPES),
        "credentialProfiles": concept(profile),
        "credentialSchema": schemas([profile])[0],
        "displayParameter": _display(nodes, course),
        **said(
            identifier=identifiers,
            validFrom=course.valid_from and date_time(course.valid_from),
            validUntil=course.valid_until and date_time(course.valid_until),
            expirationDate=course.valid_until and date_time(course.valid_until),
            attachment=[
                nodes.attachment(attachment, f"/micro_credential/attachments/{index}")
                for index, attachment in enumerate(course.attachments)
            ],
            evidence=_accreditation_evidence(nodes, course),
        ),
    }
    return _CoursePart(
        languages,
        Document.from_python(credential),
        Document.from_python(achievement),
        tuple(identifiers),
        nodes.numbers,
        # What stands for several assessments is wrong once.
        tuple(dict.fromkeys(nodes.faults)),
    )


def _person(nodes: Nodes, learner: Learner) -> Json:
    # A name is in no language; the model wants one, so it is the credential's first (and one only: sh:maxCount 1).
    language = nodes.languages[0] if nodes.languages else "en"
    national = learner.national_id
    return {
        "id": nodes.new_id("person"),
        "type": "Person",
        **said(
            givenName=learner.given_name and {language: learner.given_name},
            familyName=learner.family_name and {language: learner.family_name},
            fullName=full_name(learner) and {language: full_name(learner)},
            dateOfBirth=learner.date_of_birth and date_time(learner.date_of_birth),
            nationalID=national and nodes.legal_identifier(national, "", "/learner/national_id"),
            identifier=[nodes.identifier(item) for item in learner.identifiers],
            citizenshipCountry=nodes.concepts(
                "country", learner.citizenship_countries, "/learner/citizenship_countries"
            ),
            contactPoint=nodes.contact(learner.email_address, "/learner"),
        ),
    }


def full_name(learner: Learner) -> str:
    """The learner's full name, given as such or put together; empty where there is none."""
    return learner.full_name or " ".join(name for name in (learner.given_name, learner.family_name) if name)


def _display(nodes: Nodes, course: MicroCredential) -> Json:
    languages = nodes.spoken(nodes.languages, "/micro_credential/languages")
    display = {
        "id": nodes.new_id("displayParameter"),
        "type": "DisplayParameter",
        **said(title=dict(course.title), description=dict(course.description), language=languages),
        **said(primaryLanguage=languages[0] if languages else None),
    }
    pages = course.display.pages if course.display else ()
    by_language: dict[str, list[Json]] = {}
    for index, page in enumerate(pages):
        where = f"/micro_credential/display/pages/{index}"
        image = nodes.attachment(Attachment(page.media_type, page.content), where)
        if page.media_type == "application/pdf":
            nodes.fault(f"{where}/media_type", "media-type", "A page is image/png or image/jpeg.")
        if image is None:
            continue
        details = by_language.setdefault(page.language, [])
        details.append(
            {"id": nodes.new_id("displayDetail"), "type": "DisplayDetail", "page": len(details) + 1, "image": image}
        )
    shown = [
        {
            "id": nodes.new_id("individualDisplay"),
            "type": "IndividualDisplay",
            **said(language=nodes.spoken([language], "/micro_credential/display/pages"), displayDetail=details),
        }
        for language, details in by_language.items()
    ]
    return {**display, **said(individualDisplay=shown)}


def _accreditation_evidence(nodes: Nodes, course: MicroCredential) -> Json | None:
    if course.accreditation is None:
        return None
    if not course.accreditation.id:
        message = "The accreditation of the award is named by its IRI in the EU's register of accreditations (QDR)."
        nodes.fault("/micro_credential/accreditation/id", "accreditation-id", message)
    return {
        "id": nodes.new_id("evidence"),
        "type": "Evidence",
        **said(
            dcType=nodes.concept("evidence-type", "c_991b06c6", ""),
            accreditation=nodes.quality_assurance(course.accreditation, "/micro_credential/accreditation"),
        ),
    }


def _first(faults: list[Fault]) -> str:
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{faults[0].pointer}: {faults[0].message}{more}"
