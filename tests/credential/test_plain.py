"""Nodes that share an id: when a document may be judged object by object."""

from __future__ import annotations

import json

import pytest

from eseal.sealcore import Document, nodes_agree_many


@pytest.mark.parametrize(
    "nodes",
    [
        [{"id": "urn:x", "type": "T", "n": [1, {"en": "y"}]}, {"n": [1, {"en": "y"}], "type": "T", "id": "urn:x"}],
        [{"id": "urn:x", "n": 1}, {"id": "urn:x"}],
        [{"id": "urn:x"}, {"id": "urn:x", "n": 1}, {"id": "urn:x", "n": 1, "m": 2}],
        [{"id": "urn:x", "n": {"id": "urn:y"}}, {"id": "urn:x", "n": {"id": "urn:y", "m": 1}, "o": 2}],
        [{"id": "urn:x", "n": {"type": "T"}}],
        [{"id": "https://example.org/é"}, {"id": "mailto:a@example.org"}],
    ],
)
def test_nodes_agree_where_one_object_says_it_all(nodes: object) -> None:
    """Equal objects, and objects that say less than another, are one node as the fullest of them describes it."""
    assert [True] == nodes_agree_many([Document.from_python(nodes)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        '[{"id":"urn:x","n":1},{"id":"urn:x","n":2}]',
        '[{"id":"urn:x","n":1},{"id":"urn:x","m":1}]',
        '[{"id":"urn:x"},{"id":"urn:x","n":1},{"id":"urn:x","m":1}]',
        '[{"id":"urn:x","n":[1]},{"id":"urn:x","n":[1,2]}]',
        '[{"id":"urn:x","n":true},{"id":"urn:x","n":1}]',
        '[{"id":"urn:x","n":{"id":"urn:y","m":2}},{"id":"urn:x","n":{"id":"urn:y","m":1},"o":2}]',
        '[{"id":"urn:x","n":{"type":"T"}},{"id":"urn:x","n":{"type":"T"}}]',
        '[{"id":"urn:y","m":{"id":"urn:x","n":{"type":"T"}}},{"id":"urn:x","n":{"type":"T"}}]',
        '{"id":"x"}',
        '{"id":"elm:x"}',
        '{"id":"_:b0"}',
        '{"id":"urn:a b"}',
        '{"id":5}',
    ],
)
def test_nodes_disagree(text: str) -> None:
    """Each says something of its own, a nameless node is said twice, or an id is none that readers keep."""
    assert [False] == nodes_agree_many([Document.from_python(json.loads(text))])
