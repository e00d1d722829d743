"""A credential read as what it is: JSON-LD, a graph of nodes.

Nodes that share an ``id`` are one node with the properties of all of them; a single value and a list of one are the
same; the same value said twice is said once. This is JSON-LD 1.1 expansion and node map generation for the two contexts
of an EDC and nothing else: no context is ever fetched. What those contexts do not define would be dropped in silence by
every other reader, so here it is a fault (rules ``json-ld.*``), and no property can hide from the mandate policy under
another spelling.

Literals keep the lexical form that JSON-LD gives them; pointers are RFC 6901 and say where each value stands.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from eseal.terms import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ABSOLUTE_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]*\Z")
LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*\Z")
TYPED_URI: Final = "http://www.w3.org/2001/XMLSchema#anyURI"
_NAMES: Final = frozenset({"id", "type"})
# What a plain string is where the context gives no datatype.
_UNTYPED: Final = {"text": "string", "texts": "string", "plain": "string"}


@dataclass(slots=True)
class Value:
    """One value of a property: a node, or a literal with its datatype (``langString`` carries its language)."""

    pointer: str
    node: Node | None = None
    text: str = ""
    datatype: str = ""
    language: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """Two values of this identity are one value of the graph."""
        node = self.node
        return (self.datatype, self.language, self.text) if node is None else ("node", node.key)


@dataclass(slots=True)
class Node:
    """One node of the graph: ``id`` is empty for a node without a name, ``pointer`` is where it stands first."""

    key: str
    id: str
    pointer: str
    types: dict[str, str] = field(default_factory=dict)
    properties: dict[str, dict[tuple[str, ...], Value]] = field(default_factory=dict)

    def values(self, term: str) -> list[Value]:
        """The distinct values of a property, in document order."""
        return list(self.properties.get(term, {}).values())

    def nodes(self, *path: str) -> list[Node]:
        """The distinct nodes at the end of a path of properties."""
        found: dict[str, Node] = {self.key: self}
        for term in path:
            steps = (value.node for node in found.values() for value in node.values(term))
            found = {node.key: node for node in steps if node is not None}
        return list(found.values())

    def texts(self, term: str) -> dict[str, str]:
        """The texts of a property by language, the first of each."""
        texts: dict[str, str] = {}
        for value in self.values(term):
            if value.datatype == "langString":
                texts.setdefault(value.language, value.text)
        return texts

    def literal(self, term: str) -> str:
        """The first literal of a property, or empty."""
        return next((value.text for value in self.values(term) if value.node is None), "")


def with_parts(nodes: Iterable[Node]) -> list[Node]:
    """Nodes and the parts of them (``hasPart``), at any depth; each once."""
    found: dict[str, Node] = {}
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if node.key not in found:
            found[node.key] = node
            waiting += node.nodes("hasPart")
    return list(found.values())


class Graph:
    """The graph of one credential. ``faults`` are what JSON-LD would drop, misread or refuse."""

    def __init__(self, credential: Any) -> None:
        self.nodes: dict[str, Node] = {}
        self.faults: list[Fault] = []
        self._terms = terms()
        # Objects met before by id, where saying the same again adds nothing: no nameless node is inside, which would be
        # another node each time, and no scalar but strings, since Python takes 1 and true for equal.
        self._known: dict[str, Mapping[str, Any]] = {}
        self._peculiar = 0
        self.root = self._root(credential)

    def of_type(self, name: str) -> Iterator[Node]:
        """Every node of a type, in document order."""
        return (node for node in self.nodes.values() if name in node.types)

    # --- Reading ------------------------------------------------------------------------------------------------------

    def _root(self, credential: Any) -> Node:
        if not isinstance(credential, dict):
            self._fault("", "json-ld.node", "A credential is a JSON object.")
            return self._node("", "")
        if credential.get("@context") != self._terms.context:
            wanted = ", ".join(f'"{iri}"' for iri in self._terms.context)
            self._fault("/@context", "edc.context", f"@context must be exactly [{wanted}], in this order.")
        return self._object({term: value for term, value in credential.items() if term != "@context"}, "")

    def _object(self, members: Mapping[str, Any], pointer: str) -> Node:
        given = members.get("id")
        if given.__class__ is str and self._known.get(given) == members:
            return self.nodes[given]
        peculiar = self._peculiar
        iri = self._id(members, pointer)
        node = self._node(iri, pointer)
        types = self._types(members, pointer)
        for name in types:
            node.types.setdefault(name, pointer)
        kinds = self._terms.on(types)
        for term, value in members.items():
            if term not in _NAMES:
                self._member(node, term, kinds.get(term), value, f"{pointer}/{term}")
        if not iri:
            self._peculiar += 1
        elif peculiar == self._peculiar:
            self._known[iri] = members
        return node

    def _member(self, node: Node, term: str, kind: str | None, value: Any, place: str) -> None:
        if kind is None:
            self._unknown(term, list(node.types), place)
        elif value.__class__ is str:
            if kind == "node":
                self._keep(node, term, Value(place, self._node(self._iri(value, place), place)))
            else:
                self._keep(node, term, Value(place, None, value, _UNTYPED.get(kind, kind)))
        elif value.__class__ is dict and kind == "node" and "@value" not in value:
            self._keep(node, term, Value(place, self._object(value, place)))
        else:
            self._values(node, term, kind, value, place)

    def _keep(self, node: Node, term: str, value: Value) -> None:
        values = node.properties.get(term)
        if values is None:
            node.properties[term] = {value.identity: value}
        else:
            values.setdefault(value.identity, value)

    def _values(self, node: Node, term: str, kind: str, value: Any, place: str) -> None:
        if isinstance(value, list):
            # JSON-LD reads a language map where it stands alone; in a list it would be a node.
            inner = "texts" if kind == "text" else kind
            for index, item in enumerate(value):
                self._member(node, term, inner, item, f"{place}/{index}")
        elif isinstance(value, dict):
            for read in self._read_object(kind, value, place):
                self._keep(node, term, read)
        elif value is not None:
            self._peculiar += 1
            self._keep(node, term, Value(place, None, _lexical(value), _datatype(kind, value)))

    def _read_object(self, kind: str, value: dict[str, Any], place: str) -> Iterator[Value]:
        if kind == "text":
            return self._language_map(value, place)
        if "@value" in value:
            return self._typed(value, place)
        return iter((Value(place, self._object(value, place)),))

    def _language_map(self, texts: Mapping[str, Any], pointer: str) -> Iterator[Value]:
        for language, text in texts.items():
            place = f"{pointer}/{escaped(language)}"
            if LANGUAGE_TAG.match(language) is None:
                self._fault(place, "json-ld.language", "The members of a text are language tags, such as en (BCP 47).")
                continue
            for item in text if isinstance(text, list) else (text,):
                if isinstance(item, str):
                    yield Value(place, None, item, "langString", language.lower())
                elif item is not None:
                    self._fault(place, "json-ld.language", "A text in a language is a string.")

    def _typed(self, value: Mapping[str, Any], pointer: str) -> Iterator[Value]:
        # The shapes want xsd:anyURI where the W3C context reads an IRI: only a value object can say that.
        if set(value) == {"@value", "@type"} and value["@type"] == TYPED_URI and isinstance(value["@value"], str):
            yield Value(pointer, None, value["@value"], "anyURI")
        else:
            message = "A value object is only for credentialStatus and termsOfUse, as @value with @type xsd:anyURI."
            self._fault(pointer, "json-ld.keyword", message)

    def _node(self, iri: str, pointer: str) -> Node:
        key = iri or f"_:{pointer}"
        node = self.nodes.get(key)
        if node is None:
            node = self.nodes[key] = Node(key, iri, pointer)
        return node

    def _id(self, members: Mapping[str, Any], pointer: str) -> str:
        if "id" not in members:
            return ""
        if isinstance(members["id"], str):
            return self._iri(members["id"], f"{pointer}/id")
        self._fault(f"{pointer}/id", "json-ld.id", "An id is a string: an absolute IRI.")
        return ""

    def _iri(self, iri: str, pointer: str) -> str:
        if iri not in self.nodes and (ABSOLUTE_IRI.match(iri) is None or iri.split(":", 1)[0] in self._terms.prefixes):
            self._peculiar += 1
            self._fault(pointer, "json-ld.id", "An id is an absolute IRI, such as urn:epass:org:1.")
        return iri

    def _types(self, members: Mapping[str, Any], pointer: str) -> list[str]:
        given = members.get("type", [])
        if given.__class__ is str and given in self._terms.types:
            return [given]
        known: list[str] = []
        for name in given if isinstance(given, list) else [given]:
            if isinstance(name, str) and name in self._terms.types:
                known.append(name)
            else:
                shown = f'"{name}"' if isinstance(name, str) else "This"
                self._fault(f"{pointer}/type", "json-ld.type", f"{shown} is not a type that the EDC context defines.")
        return known

    def _unknown(self, term: str, types: list[str], pointer: str) -> None:
        place = f"{pointer[: len(pointer) - len(term)]}{escaped(term)}"
        if term.startswith("@"):
            self._fault(place, "json-ld.keyword", f"The JSON-LD keyword {term} has no place here.")
        elif term in self._terms.credential:
            self._fault(place, "json-ld.term", f"{term} belongs to the credential itself, not to this node.")
        else:
            what = types[0] if types else "node without a type"
            message = f"The EDC context does not define {json.dumps(term)}: on this {what} it would be dropped unseen."
            self._fault(place, "json-ld.term", message)

    def _fault(self, pointer: str, rule: str, message: str) -> None:
        self.faults.append(Fault(pointer, rule, message))


@dataclass(frozen=True, slots=True)
class Terms:
    """What the contexts of an EDC define (profiles/terms.json)."""

    context: list[str]
    prefixes: frozenset[str]
    types: frozenset[str]
    everywhere: Mapping[str, str]
    credential: Mapping[str, str]
    both: Mapping[str, str]

    def on(self, types: list[str]) -> Mapping[str, str]:
        """The terms of a node of these types, each with its kind: the W3C terms are scoped to credentials."""
        return self.both if "VerifiableCredential" in types else self.everywhere


@cache
def terms() -> Terms:
    """Read profiles/terms.json, once."""
    data = json.loads(files("eseal.credential").joinpath("profiles/terms.json").read_text("utf-8"))
    everywhere = {term: kind for kind, names in data["terms"].items() for term in names}
    credential = {term: kind for kind, names in data["credential_terms"].items() for term in names}
    return Terms(
        context=data["context"],
        prefixes=frozenset(data["prefixes"]),
        types=frozenset(data["types"]),
        everywhere=everywhere,
        credential=credential,
        both={**everywhere, **credential},
    )


def escaped(token: str) -> str:
    """A name as an RFC 6901 reference token."""
    return token.replace("~", "~0").replace("/", "~1")


def _lexical(value: Any) -> str:
    """The lexical form that JSON-LD 1.1 (Object to RDF Conversion) gives a JSON scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e21:  # noqa: PLR2004 - JSON-LD's own bound
            return str(int(value))
        mantissa, exponent = f"{value:.15E}".split("E")
        return f"{mantissa.rstrip('0').rstrip('.')}E{int(exponent)}"
    return str(value)


def _datatype(kind: str, value: Any) -> str:
    if kind not in {"node", "text", "texts", "plain"}:
        return kind
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    return "integer" if _lexical(value).lstrip("-").isdigit() else "double"
