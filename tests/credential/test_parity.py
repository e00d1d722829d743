"""Parity with the Commission's SHACL: mutated credentials, judged by us and by the oracle.

Both agree on every one, or ours is stricter by a documented rule (docs/credential.md): what JSON-LD drops in silence, a
context or type that is not an EDC's, vocabulary items that do not exist, literals that XSD does not allow.
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from eseal.credential.conformance import judge
from eseal.credential.graph import Graph
from eseal.credential.plain import accepted
from eseal.credential.shapes import Shapes, shapes
from eseal.sealcore import Document
from eseal.terms import Fault, Profile
from eseal.vocabulary import vocabularies
from tests.credential import oracle
from tests.credential.bases import bases
from tests.credential.mutations import mutate
from tests.harness.server import ROOT
from tests.harness.vectors import vector

if TYPE_CHECKING:
    from collections.abc import Iterator

STRICTER = ("json-ld.", "edc.", "vocabulary:")
NORMAL_RUN = 150
SOAK_RUN = int(os.environ.get("ESEAL_PARITY_DOCUMENTS", "5000"))


@pytest.fixture(autouse=True)
def _quiet_oracle() -> Iterator[None]:
    """Rdflib tells of every literal that it cannot read; the verdict is enough."""
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


def test_verdicts_agree_with_the_oracle() -> None:
    """Some mutated credentials over all profiles."""
    assert NORMAL_RUN == sum(_compare(seed=20260531, documents=NORMAL_RUN).values())


@pytest.mark.soak
def test_verdicts_agree_with_the_oracle_over_thousands() -> None:
    """At least 5,000 mutated credentials over all profiles; prints how often who said what."""
    counted = _compare(seed=random.SystemRandom().randrange(2**32), documents=SOAK_RUN)
    print(dict(counted))  # noqa: T201 - the soak run's result

    assert SOAK_RUN == sum(counted.values())


def test_every_stricter_rule_is_documented() -> None:
    """The rules by which ours may be stricter are those in the table of docs/credential.md."""
    table = re.findall(r"^\| `((?:json-ld|edc)\.[a-z-]+)` \|", (ROOT / "docs/credential.md").read_text(), re.MULTILINE)
    sources = (path.read_text() for path in (ROOT / "server/eseal/credential").glob("*.py"))
    told = {rule for source in sources for rule in re.findall(r'"((?:json-ld|edc)\.[a-z-]+)"', source)}

    assert sorted(told) == sorted(table)


def _compare(*, seed: int, documents: int) -> Counter[str]:
    chance, counted = random.Random(seed), Counter[str]()  # noqa: S311 - a reproducible choice, no secret
    names = sorted(bases())
    for number in range(documents):
        name = names[number % len(names)]
        credential, profiles = bases()[name]
        mutated, mutations = mutate(credential, chance, most=2)
        ours = judge(Graph(mutated), profiles)
        theirs, why = oracle.judge(mutated, tuple(sorted(profile.value for profile in profiles)))
        about = f"seed {seed}, document {number} ({name}: {mutations}): {ours[:5]} / {why[:20]}"
        assert theirs or ours, f"looser than the oracle: {about}"
        assert not theirs or not ours or any(map(_is_documented, ours)), f"stricter than documented: {about}"
        _plain_agrees(mutated, profiles, ours, about)
        counted["both accept" if not ours else "stricter" if theirs else "both refuse"] += 1
    return counted


def _is_documented(fault: Fault) -> bool:
    return fault.rule.startswith(STRICTER) or fault.rule.endswith(".lexical")


def _plain_agrees(mutated: dict[str, Any], profiles: tuple[Profile, ...], ours: list[Fault], about: str) -> None:
    """What the JSON Schema accepts has no fault as a graph."""
    (plain,) = accepted([Document.from_python(mutated)], [frozenset(profiles)])

    assert not (plain and ours), f"the schema accepts what the graph does not: {about}"


@pytest.mark.parametrize("name", sorted(bases()))
def test_a_conforming_credential_is_accepted_in_plain_form(name: str) -> None:
    """The fast path takes what the Commission's issuer and ours write, save a node that is part of itself."""
    credential, profiles = bases()[name]

    assert [name != "diploma-supplement"] == accepted([Document.from_python(credential)], [frozenset(profiles)])


@pytest.mark.parametrize("name", ["2023-Sample-MC-Annex1-signed.jsonld", "2023-Sample-CertOfPart-signed.jsonld"])
def test_the_commissions_sealed_samples_are_accepted_in_plain_form(name: str) -> None:
    """They are what the fast path is for."""
    document = Document.parse(json.loads(vector(f"edc/{name}").read_text())["payload"].encode())

    assert [True] == accepted([document], [frozenset({Profile.GENERIC})])


SH = "http://www.w3.org/ns/shacl#"
FILES = {
    Profile.GENERIC: ["EDC-generic-no-cv.ttl", "EDC-generic-full.ttl"],
    Profile.MANDATE: ["EDC-issuedByMandate.ttl"],
    Profile.ACCREDITED: ["EDC-accredited.ttl"],
    Profile.CONVERTED: ["EDC-converted.ttl"],
    Profile.DIPLOMA_SUPPLEMENT: ["EDC-diplomaSupplement.ttl"],
}


@pytest.mark.parametrize("profile", list(Profile))
def test_every_property_shape_of_the_commission_is_in_the_profile(profile: Profile) -> None:
    """Cardinality, datatype, class, scheme and uniqueLang of each property shape, one by one.

    Left out are the paths that no term of the EDC context reaches: no credential can break those.
    """
    mine = shapes(profile)
    compared = 0
    for name in FILES[profile]:
        for shape in _property_shapes(str(vector(f"shacl/{name}"))):
            constraints = [one for one in mine[shape["class"]] if one.term == shape["term"]]
            assert constraints, shape
            if any(one.never for one in constraints):
                continue
            assert shape["minimum"] <= max(one.minimum for one in constraints), shape
            assert shape["maximum"] is None or any(one.maximum == 1 for one in constraints), shape
            assert (
                shape["classes"] <= frozenset().union(*(one.classes for one in constraints)) or not shape["classes"]
            ), shape
            assert not shape["unique"] or any(one.unique_language for one in constraints), shape
            if shape["scheme"]:
                assert shape["scheme"] in {one.vocabulary.scheme for one in constraints if one.vocabulary}, shape
            compared += 1
    assert compared >= {Profile.GENERIC: 450}.get(profile, 2)


def _property_shapes(path: str) -> Iterator[dict[str, Any]]:
    rdflib = pytest.importorskip("rdflib")
    graph = rdflib.Graph().parse(path)
    terms_by_path, types = _context()

    def of(shape: Any, name: str) -> Any:
        return graph.value(shape, rdflib.URIRef(SH + name))

    for node in graph.subjects(rdflib.URIRef(SH + "targetClass"), None):
        name = types.get(str(of(node, "targetClass")))
        for shape in graph.objects(node, rdflib.URIRef(SH + "property")):
            term = terms_by_path.get(str(of(shape, "path")))
            if name is None or term is None or name in {"VerifiableCredential", "VerifiablePresentation"}:
                continue
            alternatives = (
                [of(one, "class") for one in rdflib.collection.Collection(graph, of(shape, "or"))]
                if of(shape, "or")
                else []
            )
            classes = [cls for cls in (of(shape, "class"), *alternatives) if cls is not None]
            restriction = of(of(shape, "node"), "property") if of(shape, "node") is not None else None
            scheme = of(restriction, "hasValue") if restriction is not None else None
            yield {
                "class": name,
                "term": term,
                "minimum": int(of(shape, "minCount") or 0),
                "maximum": of(shape, "maxCount"),
                "classes": frozenset(types[str(cls)] for cls in classes),
                "unique": of(shape, "uniqueLang") is not None,
                "scheme": str(scheme) if scheme else "",
            }


def _context() -> tuple[dict[str, str], dict[str, str]]:
    """The EDC context, read anew: paths to terms, classes to types."""
    edc = json.loads(vector("shacl/edc-ap-context.jsonld").read_text())["@context"]
    w3c = json.loads(vector("shacl/w3c-2018-credentials-v1.jsonld").read_text())["@context"]["VerifiableCredential"][
        "@context"
    ]
    prefixes = {name: iri for name, iri in edc.items() if isinstance(iri, str) and iri[-1] in "#/"}

    def expand(compact: str) -> str:
        prefix, _, local = compact.partition(":")
        return prefixes[prefix] + local if prefix in prefixes else compact

    paths = {
        expand(term["@id"]): name for context in (edc, w3c) for name, term in context.items() if isinstance(term, dict)
    }
    types = {expand(iri): name for name, iri in edc.items() if isinstance(iri, str) and name not in prefixes}
    return paths, types


def test_the_terms_are_those_of_the_context() -> None:
    """profiles/terms.json says no more and no less than the contexts, term by term and kind by kind."""
    from eseal.credential.graph import terms

    edc = json.loads(vector("shacl/edc-ap-context.jsonld").read_text())["@context"]
    kinds = {name: _kind(term) for name, term in edc.items() if isinstance(term, dict)}

    assert kinds == dict(terms().everywhere)


def _kind(term: dict[str, str]) -> str:
    if term.get("@container") == "@language":
        return "text"
    return "node" if term.get("@type") == "@id" else term.get("@type", "plain").removeprefix("xsd:")


def test_vocabularies_are_consistent() -> None:
    """Each has its scheme to itself; listed items are items; an open one has a pattern."""
    known = vocabularies().values()

    assert len(known) == len({vocabulary.scheme for vocabulary in known})
    for vocabulary in known:
        assert vocabulary.closed or vocabulary.pattern
        assert all(vocabulary.has(vocabulary.base + code) for code in vocabulary.items)
        assert not vocabulary.has(vocabulary.base + "no such item")


def test_shapes_cover_every_type_of_the_context() -> None:
    """A node of any type of the context is judged by some shape."""
    from eseal.credential.graph import terms

    covered: Shapes = shapes(Profile.GENERIC)
    assert terms().types - {"VerifiableCredential"} == covered.keys()
