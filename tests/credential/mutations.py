"""Ways in which a credential goes wrong, or is said in another form: what a back end's programmer gets wrong, and more.

Each mutation takes one random place of a credential. Some leave the graph as it was (a list of one, a node named here and
described there), some break it, some break it only for certain classes: the oracle knows, and so must we.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from eseal.credential.graph import terms

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

Place = tuple[Any, Any]
_LITERALS: list[Any] = [
    "x", "", "1", 0, 1, -1, 101, 1.5, True, False, None, {}, [], "P1M", "PT1H", "2026-05-31T00:00:00Z", "2026-05-31",
    "2026-02-30T00:00:00Z", "urn:x:1", "http://example.org/a b", {"en": "x"}, {"en": ["x", "y"]}, {"id": "urn:x:2"},
    {"type": "Note"}, {"@value": "x"}, {"@value": "https://a.example", "@type": "http://www.w3.org/2001/XMLSchema#anyURI"},
]  # fmt: skip
_LANGUAGES = ["en", "EN", "fr", "en-GB", "nl", "de"]


def mutate(credential: dict[str, Any], chance: random.Random, *, most: int = 3) -> tuple[dict[str, Any], list[str]]:
    """Return a credential with one to ``most`` mutations, and their names."""
    mutated = copy.deepcopy(credential)
    names: list[str] = []
    for _ in range(chance.randint(1, most)):
        mutation = chance.choice(MUTATIONS)
        if mutation(mutated, chance):
            names.append(mutation.__name__)
    return mutated, names


def _drop(credential: Any, chance: random.Random) -> bool:
    holder, key = chance.choice(list(_members(credential)))
    del holder[key]
    return True


def _duplicate(credential: Any, chance: random.Random) -> bool:
    holder, key = chance.choice(list(_members(credential)))
    value = holder[key]
    twin = copy.deepcopy(value[0] if isinstance(value, list) and value else value)
    if isinstance(twin, dict) and "id" in twin and chance.random() < 0.7:
        if chance.random() < 0.5:
            twin["id"] = f"urn:twin:{chance.randint(1, 3)}"
        else:
            del twin["id"]
    holder[key] = [*(value if isinstance(value, list) else [value]), twin]
    return True


def _retype(credential: Any, chance: random.Random) -> bool:
    node = chance.choice(list(_nodes(credential)))
    other = chance.choice(sorted(terms().types))
    node["type"] = chance.choice([other, [node["type"], other], [node["type"]], [], "Nonsense"])
    return True


def _untype(credential: Any, chance: random.Random) -> bool:
    chance.choice(list(_nodes(credential))).pop("type")
    return True


def _relabel_scheme(credential: Any, chance: random.Random) -> bool:
    schemes = [node for node in _nodes(credential) if node.get("type") == "ConceptScheme"]
    if not schemes:
        return False
    chance.choice(schemes)["id"] = chance.choice([*{scheme.get("id", "urn:s") for scheme in schemes}, "urn:scheme:own"])
    return True


def _other_item(credential: Any, chance: random.Random) -> bool:
    concepts = [node for node in _nodes(credential) if node.get("type") == "Concept"]
    if not concepts:
        return False
    chance.choice(concepts)["id"] = chance.choice([node.get("id", "urn:c") for node in concepts])
    return True


def _unknown_item(credential: Any, chance: random.Random) -> bool:
    """An item that its vocabulary does not have, with its scheme or without."""
    concepts = [
        node for node in _nodes(credential) if node.get("type") == "Concept" and isinstance(node.get("id"), str)
    ]
    if not concepts:
        return False
    concept = chance.choice(concepts)
    concept["id"] = f"{concept['id'].rsplit('/', 1)[0]}/zzz"
    if chance.random() < 0.5:
        concept.pop("inScheme", None)
    return True


def _drop_in_concept(credential: Any, chance: random.Random) -> bool:
    concepts = [node for node in _nodes(credential) if node.get("type") == "Concept"]
    if not concepts:
        return False
    chance.choice(concepts).pop(chance.choice(["id", "inScheme", "type", "prefLabel"]), None)
    return True


def _another_language(credential: Any, chance: random.Random) -> bool:
    texts = list(_texts(credential))
    if not texts:
        return False
    holder, key = chance.choice(texts)
    holder[key][chance.choice(_LANGUAGES)] = chance.choice(["other", ["one", "two"], ["one", "one"], ""])
    return True


def _plain_text(credential: Any, chance: random.Random) -> bool:
    texts = list(_texts(credential))
    if not texts:
        return False
    holder, key = chance.choice(texts)
    holder[key] = chance.choice([next(iter(holder[key].values()), "x"), [holder[key]], {"@none": "x"}, {"e n": "x"}])
    return True


def _list_or_single(credential: Any, chance: random.Random) -> bool:
    holder, key = chance.choice(list(_members(credential)))
    value = holder[key]
    holder[key] = value[0] if isinstance(value, list) and len(value) == 1 else [value]
    return True


def _literal(credential: Any, chance: random.Random) -> bool:
    holder, key = chance.choice(list(_members(credential)))
    holder[key] = copy.deepcopy(chance.choice(_LITERALS))
    return True


def _number_or_string(credential: Any, chance: random.Random) -> bool:
    scalars = [(holder, key) for holder, key in _members(credential) if isinstance(holder[key], str | int | float)]
    holder, key = chance.choice(scalars)
    value = holder[key]
    holder[key] = str(value) if not isinstance(value, str) else int(value) if value.isdigit() else f"{value} "
    return True


def _share_id(credential: Any, chance: random.Random) -> bool:
    nodes = [node for node in _nodes(credential) if "id" in node]
    chance.choice(nodes)["id"] = chance.choice(nodes)["id"]
    return True


def _lose_id(credential: Any, chance: random.Random) -> bool:
    chance.choice(list(_nodes(credential))).pop("id", None)
    return True


def _refer(credential: Any, chance: random.Random) -> bool:
    """Leave only the name of a node where it stood, and describe it elsewhere (or, now and then, nowhere)."""
    places = [(h, k) for h, k in _members(credential) if isinstance(h[k], dict) and "id" in h[k] and "type" in h[k]]
    if not places:
        return False
    holder, key = chance.choice(places)
    node = holder[key]
    holder[key] = chance.choice([node["id"], {"id": node["id"]}])
    if chance.random() < 0.7:
        elsewhere = chance.choice(list(_nodes(credential)))
        elsewhere.setdefault("publisher", node)
    return True


def _split(credential: Any, chance: random.Random) -> bool:
    """Say one property of a node in another place of the document, under the node's id."""
    nodes = [node for node in _nodes(credential) if "id" in node and len(node) > 3]
    node = chance.choice(nodes)
    term = chance.choice([member for member in node if member not in {"id", "type", "@context"}])
    piece = {"id": node["id"], term: node.pop(term)}
    if chance.random() < 0.5:
        piece["type"] = node.get("type", "Note")
    chance.choice(list(_nodes(credential))).setdefault("publisher", piece)
    return True


def _unknown_term(credential: Any, chance: random.Random) -> bool:
    node = chance.choice(list(_nodes(credential)))
    node[chance.choice(["foo", "hasMember", "elm:title", "http://example.org/x", "@id", "evidence", "geometry"])] = "x"
    return True


def _foreign_property(credential: Any, chance: random.Random) -> bool:
    """Move a property that some class has to a node of any class."""
    holder, key = chance.choice(list(_members(credential)))
    chance.choice(list(_nodes(credential)))[key] = copy.deepcopy(holder[key])
    return True


def _any_property(credential: Any, chance: random.Random) -> bool:
    """Give a node a property of the context with some value from the document or out of thin air."""
    nodes = list(_nodes(credential))
    term = chance.choice(sorted(terms().everywhere))
    value = chance.choice([chance.choice(nodes), chance.choice(_LITERALS)])
    chance.choice(nodes)[term] = copy.deepcopy(value)
    return True


def _swap(credential: Any, chance: random.Random) -> bool:
    places = list(_members(credential))
    (one, a), (other, b) = chance.choice(places), chance.choice(places)
    one[a], other[b] = copy.deepcopy(other[b]), copy.deepcopy(one[a])
    return True


def _context(credential: Any, chance: random.Random) -> bool:
    context = credential.get("@context")
    if not isinstance(context, list):
        return False
    credential["@context"] = chance.choice(
        [context[::-1], context[:1], context[1:], [*context, "https://example.org"], None]
    )
    return True


MUTATIONS: list[Callable[[Any, random.Random], bool]] = [
    _drop, _drop, _drop, _duplicate, _duplicate, _retype, _untype, _relabel_scheme, _other_item, _unknown_item,
    _drop_in_concept, _another_language, _another_language, _plain_text, _list_or_single, _list_or_single, _literal,
    _literal, _number_or_string, _share_id, _lose_id, _lose_id, _refer, _refer, _split, _split, _unknown_term, _foreign_property,
    _foreign_property, _any_property, _any_property, _swap, _context,
]  # fmt: skip


def _members(value: Any) -> Iterator[Place]:
    """Every member of every object, with its holder; ids and types are left to the mutations that mean them."""
    for node in _objects(value):
        for key in node:
            if key not in {"id", "type", "@context"}:
                yield node, key


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    return (node for node in _objects(value) if "type" in node)


def _texts(value: Any) -> Iterator[Place]:
    text_terms = {term for term, kind in terms().everywhere.items() if kind == "text"}
    return ((holder, key) for holder, key in _members(value) if key in text_terms and isinstance(holder[key], dict))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in list(value.values()):
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)
