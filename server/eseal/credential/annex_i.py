"""Annex I of Council Recommendation 2022/C 243/02: which of its elements a credential has.

EDC's shapes ask for few of them, so a credential may conform and still not be a micro-credential. Each element is found
wherever the European Learning Model lets it stand: in the achievement, in what specifies it, in its assessments and
activities, or in the evidence. An element counts when a reader finds something there, not when a node is merely present.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eseal.credential.graph import Graph, with_parts
from eseal.credential.likeness import once_a_course

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eseal.credential.graph import Node
    from eseal.sealcore import Document


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


def _learner(elements: _Elements) -> bool:
    names = ("givenName", "familyName", "fullName")
    return any(
        any(text.strip() for name in names for text in learner.texts(name).values())
        or any(node.values("notation") for term in ("nationalID", "identifier") for node in learner.nodes(term))
        for learner in elements.learners
    )


def _title(elements: _Elements) -> bool:
    return any(text.strip() for claim in elements.achievements for text in claim.texts("title").values())


def _country(elements: _Elements) -> bool:
    places = [*elements.root.nodes("issuer"), *elements.bodies]
    return any(place.nodes("location", "address", "countryCode") for place in places)


def _awarding_body(elements: _Elements) -> bool:
    return any(text.strip() for body in elements.bodies for text in body.texts("legalName").values())


def _date(elements: _Elements) -> bool:
    awarded = (process for claim in elements.achievements for process in claim.nodes("awardedBy"))
    return bool(elements.root.literal("issued")) or any(process.literal("awardingDate") for process in awarded)


def _outcomes(elements: _Elements) -> bool:
    return elements.any_specification("learningOutcome", "learningOutcomeSummary")


def _workload(elements: _Elements) -> bool:
    return (
        elements.any_specification("creditPoint", "volumeOfLearning")
        or any(claim.values("creditReceived") for claim in elements.achievements)
        or any(activity.values("workload") for activity in elements.activities)
        or any(node.values("volumeOfLearning") for node in elements.activity_specifications)
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
    return elements.any_specification("entryRequirement")


def _supervision(elements: _Elements) -> bool:
    return any(one.values("idVerification") for one in elements.assessments)


def _grade(elements: _Elements) -> bool:
    return any(
        text.strip()
        for one in elements.assessments
        for note in one.nodes("grade")
        for text in note.texts("noteLiteral").values()
    )


def _stackability(elements: _Elements) -> bool:
    terms = ("hasPart", "isPartOf", "entitlesTo")
    return elements.any_specification("isPartialQualification", *terms) or any(
        claim.values(term) for claim in elements.achievements for term in terms
    )


def _further_information(elements: _Elements) -> bool:
    terms = ("homepage", "supplementaryDocument", "additionalNote")
    return elements.any_specification(*terms) or any(
        claim.values(term) for claim in elements.achievements for term in terms
    )


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
