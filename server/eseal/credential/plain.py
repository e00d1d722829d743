"""Credentials in plain form: accepted by JSON Schema in microseconds, without reading them as a graph.

The schemas are those of ``profiles/``, and nothing but a sufficient condition: what they accept, and whose nodes of one
id agree with each other, conforms as a graph, too (tests/credential/test_parity.py holds it to that). What is not
accepted may be wrong, or said in another form; the graph decides.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from eseal.credential.shapes import schema_text
from eseal.sealcore import Schema, nodes_agree_many
from eseal.terms import Profile
from eseal.vocabulary import Vocabulary, vocabularies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from eseal.sealcore import Document


def accepted(documents: Sequence[Document], profiles: Sequence[frozenset[Profile]]) -> list[bool]:
    """Whether each document is in plain form and conforms to its profiles; False says nothing."""
    plain = nodes_agree_many(documents)
    for named in set(profiles):
        places = [place for place, own in enumerate(profiles) if own is named or own == named]
        chosen = documents if len(places) == len(documents) else [documents[place] for place in places]
        for compiled in _schemas(named):
            for place, faults in zip(places, compiled.faults_many(chosen, limit=1), strict=True):
                if faults:
                    plain[place] = False
    return plain


@cache
def _schemas(named: frozenset[Profile]) -> tuple[Schema, ...]:
    """The schemas of some profiles; each holds the generic one."""
    return tuple(schema(profile) for profile in named - {Profile.GENERIC} or {Profile.GENERIC})


@cache
def schema(profile: Profile) -> Schema:
    """The compiled schema of a profile."""
    return Schema(_without_iri_pattern(schema_text(profile)), resources())


@cache
def resources() -> Mapping[str, bytes]:
    """What the profiles' schemas refer to, by ``$id``: the generic profile, and a schema for each vocabulary."""
    made: dict[str, bytes] = {"urn:eseal:profile:generic": _without_iri_pattern(schema_text(Profile.GENERIC))}
    known = vocabularies().values()
    made["urn:eseal:vocabulary-schemes"] = json.dumps({"enum": [vocabulary.scheme for vocabulary in known]}).encode()
    bases = "|".join(re.escape(vocabulary.base) for vocabulary in known)
    made["urn:eseal:vocabulary-bases"] = json.dumps({"pattern": f"^({bases})"}).encode()
    for vocabulary in known:
        made[f"urn:eseal:vocabulary:{vocabulary.name}"] = json.dumps(_concept(vocabulary)).encode()
    return made


def _concept(vocabulary: Vocabulary) -> dict[str, Any]:
    """A Concept of one vocabulary, in plain form."""
    listed = [vocabulary.base + code for code in (*vocabulary.items, *sorted(vocabulary.further))]
    ids: dict[str, Any] = {"enum": listed}
    if vocabulary.pattern is not None:
        ids = {"pattern": f"^{re.escape(vocabulary.base)}({vocabulary.pattern.pattern})$"}
    return {
        "type": "object",
        "required": ["id", "inScheme", "type"],
        "properties": {
            "id": ids,
            "inScheme": {"const": {"id": vocabulary.scheme, "type": "ConceptScheme"}},
            "notation": {"type": "string"},
            "prefLabel": {"$ref": "urn:eseal:profile:generic#/$defs/text"},
            "type": {"const": "Concept"},
        },
        "additionalProperties": False,
    }


def _without_iri_pattern(text: str) -> bytes:
    """The schema without the pattern of an IRI: ``nodes_agree_many`` looks at every id in its one pass, and sooner."""
    value = json.loads(text)
    value["$defs"].get("iri", {}).pop("pattern", None)
    return json.dumps(value).encode()
