"""What the mandate policy needs to know of a credential: who awards what, when and where. Nothing of the learner.

Every claim counts, wherever it stands: the policy must see the awarding body of a part of a part, of an assessment, or
of a node that is named here and described there, as every reader of the credential would.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from eseal.credential.achievement import ECTS
from eseal.credential.graph import Graph, with_parts
from eseal.credential.likeness import once_a_course
from eseal.credential.profile import profiles_among
from eseal.terms import AwardFacts, AwardingBody, LegalIdentifier
from eseal.vocabulary import iso_language, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from eseal.credential.graph import Node
    from eseal.sealcore import Document

IDENTIFIER_KINDS: Final[Mapping[str, str]] = {
    "eIDASIdentifier": "eidas",
    "registration": "registration",
    "vatIdentifier": "vat",
    "taxIdentifier": "tax",
    "identifier": "other",
}

_TOLD: Final = frozenset(
    {"DisplayParameter", "LearningAchievement", "LearningActivity", "LearningAssessment", "LearningEntitlement"}
)
_NUMBER: Final = re.compile(r"[0-9]{1,9}([.,][0-9]{1,9})?")
_UNCOUNTABLE: Final = Decimal("Infinity")


@once_a_course(256)
def award_facts(document: Document) -> AwardFacts:
    """Read the facts of an award out of a credential, before or after completion.

    The award dates are those of the learner's own achievements; each is a bare day where its time is midnight without a
    zone or in UTC, which is how a day is written in xsd:dateTime.
    """
    graph = Graph(document.to_python())
    claims = _distinct(claim for node in graph.nodes.values() for claim in node.nodes("hasClaim"))
    achievements = [node for node in graph.nodes.values() if "LearningAchievement" in node.types]
    awarded = _distinct(specified for node in achievements for specified in node.nodes("specifiedBy"))
    specifications = with_parts(awarded)
    bodies = list(_awarding_bodies(graph))
    moments = _award_moments(claims)
    return AwardFacts(
        awarding_bodies=tuple(_awarding_body(pointer, node) for pointer, node in bodies),
        award_date=_day_or_moment(max(moments, default=None)),
        first_award_date=_day_or_moment(min(moments, default=None)),
        profiles=profiles_among(node.id for node in graph.root.nodes("credentialProfiles")),
        opportunity_types=_ids(node for specified in specifications for node in specified.nodes("dcType")),
        eqf_levels=frozenset(map(_eqf_level, _codes(specifications, "eqfLevel", "eqf"))),
        ects=_most_ects(achievements),
        isced_f=frozenset(_codes(specifications, "thematicArea", "isced-f")),
        languages=frozenset((*_display_languages(graph), *_spoken(_told(graph)), *_spoken(specifications))) - {""},
        countries=frozenset(country for _, node in bodies for country in _countries(node)),
        accreditations=_ids(
            [
                *graph.root.nodes("evidence", "accreditation"),
                *(held for specified in awarded for held in specified.nodes("accreditation")),
            ]
        ),
        qualifications=_ids(awarded),
    )


def _display_languages(graph: Graph) -> Iterator[str]:
    """The languages that it says it is in, and those of its pages."""
    for display in graph.of_type("DisplayParameter"):
        for path in (("language",), ("primaryLanguage",), ("individualDisplay", "language")):
            for node in display.nodes(*path):
                yield iso_language(node.id) or node.id.rsplit("/", 1)[-1]


def _told(graph: Graph) -> Iterator[Node]:
    """What the credential is told in: itself, and claims of every kind."""
    return (node for node in graph.nodes.values() if not _TOLD.isdisjoint(node.types))


def _spoken(awarded: Iterable[Node]) -> Iterator[str]:
    """The languages that what is awarded is told in: titles and descriptions, and those of its learning outcomes."""
    for node in awarded:
        for told in (node, *node.nodes("learningOutcome")):
            for term in ("title", "description"):
                for tag in told.texts(term):
                    yield tag.partition("-")[0].lower()


def _awarding_bodies(graph: Graph) -> Iterator[tuple[str, Node]]:
    """Each awarding body once, with the first place that names it: of every claim, and of every awarding process."""
    seen: set[str] = set()
    processes = [process for node in graph.nodes.values() for process in node.nodes("awardedBy")]
    for process in _distinct([*processes, *graph.of_type("AwardingProcess")]):
        for value in process.values("awardingBody"):
            if value.node is not None and value.node.key not in seen:
                seen.add(value.node.key)
                yield value.pointer, value.node


def _awarding_body(pointer: str, node: Node) -> AwardingBody:
    return AwardingBody(
        pointer=pointer,
        legal_names=node.texts("legalName"),
        identifiers=tuple(_identifiers(node)),
        spatial_codes=frozenset(unit.id.rsplit("/", 1)[-1] for unit in node.nodes("location", "spatialCode")),
        countries=_countries(node),
    )


def _countries(body: Node) -> frozenset[str]:
    return frozenset(one.id.rsplit("/", 1)[-1] for one in body.nodes("location", "address", "countryCode"))


def _identifiers(node: Node) -> Iterator[LegalIdentifier]:
    for term, kind in IDENTIFIER_KINDS.items():
        for identifier in node.nodes(term):
            countries = [country.id.rsplit("/", 1)[-1] for country in identifier.nodes("spatial")]
            for notation in identifier.values("notation"):
                yield LegalIdentifier(
                    kind=kind,
                    notation=notation.text,
                    country=countries[0] if countries else "",
                    scheme=identifier.literal("schemeName"),
                )


def _award_moments(claims: Iterable[Node]) -> list[datetime]:
    return [
        moment
        for claim in claims
        for process in claim.nodes("awardedBy")
        for value in process.values("awardingDate")
        if (moment := _moment(value.text)) is not None
    ]


def _day_or_moment(moment: datetime | None) -> date | None:
    if moment is None:
        return None
    bare_day = not moment.utcoffset() and moment.time() == datetime.min.time()
    return moment.date() if bare_day else moment


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _eqf_level(code: str) -> int:
    """The level, 1 to 8; 0 for what is none, so that no range covers it."""
    return int(code) if code in vocabulary("eqf").items else 0


def _most_ects(achievements: Iterable[Node]) -> Decimal | None:
    """The ECTS credits of the achievement that has most: what it says of itself, or the sum of its parts if that is more.

    Parts may be shared and may stand to any depth, so each is counted once, and after its own parts. What is a part of
    itself by way of others cannot be counted; a qualification that is its own part is how a diploma supplement ends.
    """
    counted: dict[str, Decimal | None] = {}
    opened: set[str] = set()
    waiting = list(achievements)
    while waiting:
        node = waiting.pop()
        if node.key in counted:
            continue
        parts = [part for part in node.nodes("hasPart") if part.key != node.key]
        specified = node.nodes("specifiedBy")
        if node.key not in opened:
            opened.add(node.key)
            waiting += [node, *(inner for inner in (*parts, *specified) if inner.key not in opened)]
        else:
            of_parts, of_specified = (
                [counted.get(one.key, _UNCOUNTABLE) for one in some] for some in (parts, specified)
            )
            counted[node.key] = _ects(node, of_parts, of_specified)
    return max((ects for ects in counted.values() if ects is not None), default=None)


def _ects(node: Node, parts: Iterable[Decimal | None], specified: Iterable[Decimal | None]) -> Decimal | None:
    """The ECTS credits of an achievement or a specification, by those of its parts and of what specifies it."""
    known = [ects for ects in parts if ects is not None]
    own = (_points(node.nodes("creditPoint")), _points(node.nodes("creditReceived")))
    said = (*own, *specified, sum(known, Decimal(0)) if known else None)
    return max((ects for ects in said if ects is not None), default=None)


def _points(credits_: Iterable[Node]) -> Decimal | None:
    ects = vocabulary("education-credit").base + ECTS
    points: list[Decimal] = []
    for node in credits_:
        if any(framework.id == ects for framework in node.nodes("framework")):
            points += [_point(value.text) for value in node.values("point")]
    return sum(points, Decimal(0)) if points else None


def _point(text: str) -> Decimal:
    """A number of credits; infinite where it is none that a person would write, so that no maximum covers it."""
    return Decimal(text.replace(",", ".")) if _NUMBER.fullmatch(text) else _UNCOUNTABLE


def _codes(nodes: Iterable[Node], term: str, name: str) -> Iterator[str]:
    base = vocabulary(name).base
    for node in nodes:
        for item in node.nodes(term):
            if item.id.startswith(base):
                yield item.id.removeprefix(base)


def _ids(nodes: Iterable[Node]) -> frozenset[str]:
    return frozenset(node.id for node in nodes if node.id)


def _distinct(nodes: Iterable[Node]) -> list[Node]:
    return list({node.key: node for node in nodes}.values())
