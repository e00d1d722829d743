"""The profiles as shapes: what each class of node must and may have, read from the JSON Schema files.

``profiles/generic.json`` and its four extensions are the only source. As JSON Schemas they accept a credential in its
plain form in microseconds (``checking``); here the same definitions become constraints over the graph of a credential in
whatever form, and give the faults their names. The style of the files is fixed, and a definition outside it does not load.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from eseal.terms import Profile
from eseal.vocabulary import Vocabulary, vocabularies

if TYPE_CHECKING:
    from collections.abc import Mapping

UNIONS: Final[Mapping[str, frozenset[str]]] = {
    "AnyAgent": frozenset({"Agent", "Person", "Organisation"}),
    "Issuer": frozenset({"Agent", "Person", "Organisation"}),
    "AnyAchievementSpecification": frozenset({"LearningAchievementSpecification", "Qualification"}),
    "AnyIdentifier": frozenset({"Identifier", "LegalIdentifier"}),
    "AnyClaim": frozenset(
        {"LearningAchievement", "LearningActivity", "LearningAssessment", "LearningEntitlement"},
    ),
}
_TEXTS: Final = frozenset({"text", "texts", "name"})
# The definitions of literals by name, each with the kind of value that it asks for.
_LITERALS: Final[Mapping[str, str]] = {
    "string": "string",
    "dateTime": "dateTime",
    "duration": "duration",
    "boolean": "boolean",
    "integer": "integer",
    "positiveInteger": "positiveInteger",
    "percentage": "percentage",
    "decimal": "decimal",
    "anyURI": "anyURI",
    "uriLiteral": "anyURI",
    "notation": "literal",
    "node": "iri",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """What one property of one class must be. ``kind`` is ``node``, ``text``, ``iri``, ``literal`` or a datatype.

    ``profile`` is the one that asks for it. ``never``: no value can conform, since the EDC context and the shape disagree.
    """

    profile: Profile
    term: str
    kind: str
    minimum: int = 0
    maximum: int | None = None
    classes: frozenset[str] = frozenset()
    vocabulary: Vocabulary | None = None
    unique_language: bool = False
    issuer: bool = False
    never: bool = False


Shapes = dict[str, tuple[Constraint, ...]]


@cache
def shapes(profile: Profile) -> Shapes:
    """The constraints of a profile by class: the generic ones, and those that the profile adds."""
    generic = {
        name: _constraints(Profile.GENERIC, definition)
        for name, definition in _definitions(Profile.GENERIC).items()
        if "type" in definition.get("properties", {})
    }
    if profile is Profile.GENERIC:
        return generic
    for name, definition in _definitions(profile).items():
        generic[name] += _constraints(profile, definition)
    return generic


@cache
def schema_text(profile: Profile) -> str:
    """The JSON Schema file of a profile."""
    return files("eseal.credential").joinpath(f"profiles/{profile.value}.json").read_text("utf-8")


def _definitions(profile: Profile) -> Mapping[str, Any]:
    definitions: Mapping[str, Any] = json.loads(schema_text(profile))["$defs"]
    return definitions


def _constraints(profile: Profile, definition: Mapping[str, Any]) -> tuple[Constraint, ...]:
    required = frozenset(definition.get("required", ()))
    properties = definition.get("properties", {})
    read = [
        _constraint(profile, term, schema, minimum=int(term in required))
        for term, schema in properties.items()
        if term not in {"@context", "id", "type"}
    ]
    bare = sorted(required - properties.keys() - {"@context", "id", "type"})
    return (*read, *(Constraint(profile=profile, term=term, kind="any", minimum=1) for term in bare))


def _constraint(profile: Profile, term: str, schema: Any, *, minimum: int) -> Constraint:
    if schema is False:
        return Constraint(profile=profile, term=term, kind="none", minimum=minimum, never=True)
    reference = schema.get("$ref", schema.get("$dynamicRef", "")).rsplit("#", 1)[-1].removeprefix("/$defs/")
    name = reference.removesuffix("+")
    constraint = Constraint(
        profile=profile,
        term=term,
        kind=name,
        minimum=minimum,
        maximum=None if reference.endswith("+") else 1,
    )
    return _of_kind(constraint, name)


def _of_kind(constraint: Constraint, name: str) -> Constraint:
    if name in _TEXTS:
        maximum = 1 if name == "name" else None
        return replace(constraint, kind="text", maximum=maximum, unique_language=name == "text")
    if name in _LITERALS:
        return replace(constraint, kind=_LITERALS[name])
    concept, colon, vocabulary = name.partition(":")
    if colon:
        return replace(constraint, kind="node", classes=frozenset({concept}), vocabulary=vocabularies()[vocabulary])
    if name == "OwnConcept" or name.startswith("Concept~"):
        return replace(constraint, kind="node", classes=frozenset({"Concept"}))
    classes = UNIONS.get(name, frozenset({name}))
    return replace(constraint, kind="node", classes=classes, issuer=name == "Issuer")
