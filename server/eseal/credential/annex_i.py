"""Annex I of Council Recommendation 2022/C 243/02: which of its elements a credential has.

EDC's shapes ask for few of them, so a credential may conform and still not be a micro-credential. Each element is found
wherever the European Learning Model lets it stand: in the achievement, in what specifies it, in its assessments and
activities, or in the evidence. An element counts when a reader finds something there, not when a node is merely present.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eseal.credential.graph import Graph, with_parts
from eseal.credential.likeness import is_seen, once_a_course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from eseal.credential.graph import Node
    from eseal.sealcore import Document


_IDENTIFIERS: Final = ("nationalID", "identifier")
# Credits and times that are none: blanks, zeros, and durations of zeros or backwards.
_NONE: Final = re.compile(r"\s*[+-]?[0.,]*\s*")
_SOME_TIME: Final = re.compile(r"P[^-]*[1-9]")


@dataclass(frozen=True, slots=True)
class AnnexI:
    """Which elements are there, by their names in Annex I; ``missing`` and ``present`` are of the mandatory ones."""

    present: tuple[str, ...]
    missing: tuple[str, ...]
    optional_present: tuple[str, ...] = ()
    optional_missing: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every mandatory element is there."""
        return not self.missing


@once_a_course(256)
def annex_i(document: Document) -> AnnexI:
    """Find the elements of Annex I in a credential, before or after completion.

    The date of issuing counts as there once the credential is issued or its award is dated.
    """
    elements = _Elements(Graph(document.to_python()))
    mandatory = {name: find(elements) for name, find in _MANDATORY.items()}
    optional = {name: find(elements) for name, find in _OPTIONAL.items()}
    return AnnexI(
        present=tuple(name for name, found in mandatory.items() if found),
        missing=tuple(name for name, found in mandatory.items() if not found),
        optional_present=tuple(name for name, found in optional.items() if found),
        optional_missing=tuple(name for name, found in optional.items() if not found),
    )


class _Elements:
    """The places of a credential that hold elements of Annex I."""

    def __init__(self, graph: Graph) -> None:
        self.root = graph.root
        self.learners = graph.root.nodes("credentialSubject")
        claims = graph.root.nodes("credentialSubject", "hasClaim")
        self.achievements = [claim for claim in claims if "LearningAchievement" in claim.types]
        self.specifications = [node for claim in self.achievements for node in claim.nodes("specifiedBy")]
        self.assessments = [
            *(node for claim in self.achievements for node in with_parts(claim.nodes("provenBy"))),
            *(claim for claim in claims if "LearningAssessment" in claim.types),
        ]
        self.activities = [
            *(node for claim in self.achievements for node in with_parts(claim.nodes("influencedBy"))),
            *(claim for claim in claims if "LearningActivity" in claim.types),
        ]
        self.assessment_specifications = _specified(self.assessments, self.specifications, "provenBy")
        self.activity_specifications = _specified(self.activities, self.specifications, "influencedBy")
        self.bodies = [body for claim in self.achievements for body in claim.nodes("awardedBy", "awardingBody")]

    def any_specification(self, *terms: str) -> bool:
        """Whether a specification of the achievement says one of these."""
        return any(node.values(term) for node in self.specifications for term in terms)


def _specified(claims: list[Node], specifications: list[Node], term: str) -> list[Node]:
    """What specifies assessments or activities: those that took place, and those that the achievement's own names."""
    taken = [node for claim in claims for node in with_parts(claim.nodes("specifiedBy"))]
    return [*taken, *(node for specified in specifications for node in with_parts(specified.nodes(term)))]


def _says(nodes: Iterable[Node], *terms: str) -> bool:
    """Whether one of the nodes has a text, in whatever language, in which there is something to see."""
    return any(is_seen(text) for node in nodes for term in terms for text in node.texts(term).values())


def _writes(nodes: Iterable[Node], term: str) -> bool:
    """Whether one of the nodes has a literal in which there is something to see."""
    return any(is_seen(value.text) for node in nodes for value in node.values(term))


def _notes(nodes: Iterable[Node], term: str) -> bool:
    """Whether a note of one of the nodes says something."""
    return _says((note for node in nodes for note in node.nodes(term)), "noteLiteral")


def _credits(nodes: Iterable[Node], term: str) -> bool:
    """Whether one of the nodes has credits, and not none of them."""
    points = (value.text for node in nodes for credit in node.nodes(term) for value in credit.values("point"))
    return any(_NONE.fullmatch(point) is None for point in points)


def _takes_time(nodes: Iterable[Node], term: str) -> bool:
    """Whether one of the nodes has a duration (xsd:duration) that takes any time."""
    return any(_SOME_TIME.match(value.text) is not None for node in nodes for value in node.values(term))


def _learner(elements: _Elements) -> bool:
    identifiers = (node for one in elements.learners for term in _IDENTIFIERS for node in one.nodes(term))
    return _says(elements.learners, "givenName", "familyName", "fullName") or _writes(identifiers, "notation")


def _title(elements: _Elements) -> bool:
    return _says(elements.achievements, "title")


def _country(elements: _Elements) -> bool:
    places = [*elements.root.nodes("issuer"), *elements.bodies]
    return any(place.nodes("location", "address", "countryCode") for place in places)


def _awarding_body(elements: _Elements) -> bool:
    return _says(elements.bodies, "legalName")


def _date(elements: _Elements) -> bool:
    awarded = (process for claim in elements.achievements for process in claim.nodes("awardedBy"))
    return bool(elements.root.literal("issued")) or any(process.literal("awardingDate") for process in awarded)


def _outcomes(elements: _Elements) -> bool:
    outcomes = (outcome for node in elements.specifications for outcome in node.nodes("learningOutcome"))
    return _says(outcomes, "title") or _notes(elements.specifications, "learningOutcomeSummary")


def _workload(elements: _Elements) -> bool:
    return (
        _credits(elements.specifications, "creditPoint")
        or _credits(elements.achievements, "creditReceived")
        or _takes_time(elements.specifications, "volumeOfLearning")
        or _takes_time(elements.activities, "workload")
        or _takes_time(elements.activity_specifications, "volumeOfLearning")
    )


def _level(elements: _Elements) -> bool:
    # The level is a Qualification's: on another specification no reader of an EDC looks for it.
    qualifications = [node for node in elements.specifications if "Qualification" in node.types]
    return any(node.values(term) for node in qualifications for term in ("eqfLevel", "nqfLevel"))


def _assessment_type(elements: _Elements) -> bool:
    return any(node.values("dcType") for node in (*elements.assessments, *elements.assessment_specifications))


def _participation(elements: _Elements) -> bool:
    return elements.any_specification("mode") or any(node.values("mode") for node in elements.activity_specifications)


def _quality_assurance(elements: _Elements) -> bool:
    holders = [*elements.bodies, *elements.specifications, *elements.root.nodes("evidence")]
    return any(held.values("dcType") for holder in holders for held in holder.nodes("accreditation"))


def _prerequisites(elements: _Elements) -> bool:
    return _notes(elements.specifications, "entryRequirement")


def _supervision(elements: _Elements) -> bool:
    return any(one.values("idVerification") for one in elements.assessments)


def _grade(elements: _Elements) -> bool:
    return _notes(elements.assessments, "grade")


def _stackability(elements: _Elements) -> bool:
    terms = ("hasPart", "isPartOf", "entitlesTo")
    return elements.any_specification("isPartialQualification", *terms) or any(
        claim.values(term) for claim in elements.achievements for term in terms
    )


def _further_information(elements: _Elements) -> bool:
    holders = (*elements.specifications, *elements.achievements)
    pages = ("homepage", "supplementaryDocument")
    return _notes(holders, "additionalNote") or any(node.values(term) for node in holders for term in pages)


_MANDATORY: Final[Mapping[str, Callable[[_Elements], bool]]] = {
    "Identification of the learner": _learner,
    "Title of the micro-credential": _title,
    "Country/Region of the issuer": _country,
    "Awarding body": _awarding_body,
    "Date of issuing": _date,
    "Learning outcomes": _outcomes,
    "Notional workload needed to achieve the learning outcomes": _workload,
    "Level of the learning experience leading to the micro-credential": _level,
    "Type of assessment": _assessment_type,
    "Form of participation in the learning activity": _participation,
    "Type of quality assurance used to underpin the micro-credential": _quality_assurance,
}
_OPTIONAL: Final[Mapping[str, Callable[[_Elements], bool]]] = {
    "Prerequisites needed to enrol in the learning activity": _prerequisites,
    "Supervision and identity verification during assessment": _supervision,
    "Grade achieved": _grade,
    "Integration/stackability options": _stackability,
    "Further information": _further_information,
}
