"""A credential's graph against the shapes of its profiles: SHACL's answers, in sentences for a registrar.

Constraints apply to nodes by class, wherever in the document they stand, and to merged nodes: what one occurrence of a
node lacks another may have, and what two occurrences say differently counts twice.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from eseal.credential.shapes import Constraint, shapes
from eseal.terms import Fault, Profile
from eseal.vocabulary import by_scheme, vocabularies, vocabulary_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from eseal.credential.graph import Graph, Node, Value
    from eseal.vocabulary import Vocabulary

CREDENTIAL_TYPES: Final = {"VerifiableCredential", "EuropeanDigitalCredential"}
# XSD 1.1 part 2, sections 3.3.6, 3.3.7 and 3.4. Hour 24 and second 60 are left out: readers disagree on them.
LEXICAL: Final = {
    "dateTime": re.compile(
        r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-](0\d|1[0-3]):[0-5]\d|[+-]14:00)?\Z", re.ASCII
    ),
    "duration": re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?\Z", re.ASCII),
    "boolean": re.compile(r"(true|false|1|0)\Z"),
    "integer": re.compile(r"[+-]?\d+\Z", re.ASCII),
    "positiveInteger": re.compile(r"\+?0*[1-9]\d*\Z", re.ASCII),
    "decimal": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(E-?\d+)?\Z", re.ASCII),
}
PERCENT: Final = 100


def judge(graph: Graph, profiles: Iterable[Profile]) -> list[Fault]:
    """Every fault: what JSON-LD would drop or misread, then each class of each profile, then the vocabularies."""
    faults = [*graph.faults, *_credential(graph)]
    for profile in sorted({Profile.GENERIC, *profiles}, key=list(Profile).index):
        for name, constraints in shapes(profile).items():
            own = tuple(one for one in constraints if one.profile is profile)
            if own:
                faults += (fault for node in graph.of_type(name) for fault in _node(node, name, own))
    faults += _vocabularies(graph)
    return list(dict.fromkeys(faults))


def _credential(graph: Graph) -> Iterator[Fault]:
    if set(graph.root.types) != CREDENTIAL_TYPES:
        yield Fault("/type", "edc.type", 'type must be ["VerifiableCredential", "EuropeanDigitalCredential"].')
    if not graph.root.id:
        yield Fault("/id", "edc.id", "A credential has an id, such as urn:credential:<uuid>.")


def _node(node: Node, name: str, constraints: Iterable[Constraint]) -> Iterator[Fault]:
    for constraint in constraints:
        for broken, pointer, message in _broken(node, name, constraint):
            rule = f"edc-{constraint.profile.value}:{name}.{constraint.term}.{broken}"
            yield Fault(pointer, rule, message)


def _broken(node: Node, name: str, constraint: Constraint) -> Iterator[tuple[str, str, str]]:
    """The constraint kinds that a node breaks, each with the place and the sentence."""
    term, values = constraint.term, node.values(constraint.term)
    if len(values) < constraint.minimum:
        yield "minCount", f"{node.pointer}/{term}", f"This {name} needs {term}: {_wanted(constraint)}."
    if constraint.maximum is not None and len(values) > constraint.maximum:
        message = f"This {name} may have one {term} only; it has {len(values)}, counting all places that describe it."
        yield "maxCount", values[constraint.maximum].pointer, message
    if constraint.unique_language:
        yield from _twice_in_a_language(values, name, term)
    for value in values:
        broken = _value(value, constraint)
        if broken is not None:
            place = f"{value.pointer}/eIDASIdentifier" if broken == "node" else value.pointer
            yield broken, place, f"{term} of this {name} must be {_wanted(constraint)}."


def _twice_in_a_language(values: list[Value], name: str, term: str) -> Iterator[tuple[str, str, str]]:
    seen: set[str] = set()
    for value in values:
        if value.language and value.language in seen:
            message = f'{term} of this {name} says two different things in "{value.language}": one text a language.'
            yield "uniqueLang", value.pointer, message
        seen.add(value.language)


def _value(value: Value, constraint: Constraint) -> str | None:
    """The SHACL constraint component that a value breaks, if any."""
    if constraint.kind == "any":
        return None
    if constraint.never:
        return "datatype"
    if constraint.kind == "node":
        return _node_value(value, constraint)
    if constraint.kind == "iri":
        return None if value.node is not None and value.node.id else "nodeKind"
    if constraint.kind == "literal":
        return "nodeKind" if value.node is not None else None
    return _literal_value(value, constraint.kind)


def _node_value(value: Value, constraint: Constraint) -> str | None:
    node = value.node
    if node is None or not (constraint.classes & node.types.keys() or _is_claim_of_a_type(node, constraint)):
        return "class"
    if constraint.issuer and not _has_eidas_identifier(node):
        return "node"
    if constraint.vocabulary is None:
        return None
    if not node.id:
        return "nodeKind"
    schemes = node.values("inScheme")
    typed = all(
        scheme.node is not None and scheme.node.id and "ConceptScheme" in scheme.node.types for scheme in schemes
    )
    named = any(scheme.node is not None and scheme.node.id == constraint.vocabulary.scheme for scheme in schemes)
    return None if typed and named else "inScheme"


def _is_claim_of_a_type(node: Node, constraint: Constraint) -> bool:
    """Whether a node stands in for a claim of another kind: SHACL asks for its properties, not for its class."""
    if "LearningAssessment" not in constraint.classes or len(constraint.classes) == 1:
        return False
    constraints = shapes(Profile.GENERIC)["Claim"]
    return bool(node.values("dcType")) and not any(True for _ in _node(node, "Claim", constraints))


def _has_eidas_identifier(node: Node) -> bool:
    values = node.values("eIDASIdentifier")
    return len(values) == 1 and values[0].node is not None and "LegalIdentifier" in values[0].node.types


def _literal_value(value: Value, kind: str) -> str | None:
    """What a literal breaks: its datatype, the lexical form of it (XSD 1.1), or the bound of a percentage."""
    datatype = {"text": "langString", "percentage": "positiveInteger"}.get(kind, kind)
    if value.node is not None or value.datatype != datatype:
        return "datatype"
    pattern = LEXICAL.get(datatype)
    if pattern is not None and pattern.match(value.text) is None:
        return "lexical"
    if datatype == "dateTime" and not _is_a_day(value.text):
        return "lexical"
    return "maxInclusive" if kind == "percentage" and int(value.text) > PERCENT else None


def _is_a_day(date_time: str) -> bool:
    try:
        datetime.fromisoformat(date_time[:10])
    except ValueError:
        return False
    return True


def _vocabularies(graph: Graph) -> Iterator[Fault]:
    """Items that their vocabulary does not have: SHACL looks at the scheme alone, a reader looks up the item.

    The vocabulary is that of each scheme that the concept names, and that of its IRI, named or not.
    """
    known = by_scheme()
    for node in graph.of_type("Concept"):
        named = (known.get(scheme.id) for scheme in node.nodes("inScheme"))
        for vocabulary in dict.fromkeys((*(one.name for one in named if one), *_of_iri(node.id))):
            yield from _unknown(node, vocabularies()[vocabulary])


def _of_iri(iri: str) -> tuple[str, ...]:
    found = vocabulary_of(iri)
    return (found.name,) if found else ()


def _unknown(node: Node, vocabulary: Vocabulary) -> Iterator[Fault]:
    if node.id and not vocabulary.has(node.id):
        message = f"{node.id} is not an item of {vocabulary.title} ({vocabulary.scheme}).{vocabulary.hint(node.id)}"
        yield Fault(f"{node.pointer}/id", f"vocabulary:{vocabulary.name}", message)


def _wanted(constraint: Constraint) -> str:
    """What a property should be, in words."""
    if constraint.never:
        return "absent: the EDC context reads it in a way that no value can satisfy"
    if constraint.issuer:
        return "the sealer, an Organisation with one eIDASIdentifier (LegalIdentifier)"
    if constraint.vocabulary is not None:
        return f"a Concept with its id, of {constraint.vocabulary.title} (inScheme {constraint.vocabulary.scheme})"
    if constraint.kind == "node":
        return "an object of type " + " or ".join(sorted(constraint.classes))
    return _LITERAL_WORDS[constraint.kind]


_LITERAL_WORDS: Final = {
    "any": "at least one",
    "text": 'a text with its language, such as {"en": "..."}',
    "iri": "an absolute IRI",
    "literal": "a string",
    "string": "a string",
    "dateTime": "a date and time, such as 2026-05-31T00:00:00Z",
    "duration": "an ISO 8601 duration, such as PT60H",
    "boolean": "true or false",
    "integer": "a whole number",
    "positiveInteger": "a whole number from 1",
    "percentage": "a whole number from 1 to 100",
    "decimal": "a decimal number",
    "anyURI": "a URI",
}
