"""What the chain's digests cover is canonical JSON, whatever stands in a row."""

from __future__ import annotations

import hashlib

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from eseal.ledger.chain import canonical_array, link, request_digest

strings = st.text(st.characters(exclude_categories=["Cs"]))
cells = st.one_of(st.binary(max_size=40), strings, st.integers(-(2**53) + 1, 2**53 - 1), st.booleans())


def _plain(row: list[object]) -> list[object]:
    return [cell.hex() if isinstance(cell, bytes) else cell for cell in row]


@given(st.lists(cells))
def test_arrays_are_rfc_8785(row: list[object]) -> None:
    """Strings, integers, booleans and bytes as hex, by another implementation's account."""
    assert rfc8785.dumps(_plain(row)) == canonical_array(row)


@given(st.binary(min_size=32, max_size=32), st.lists(cells))
def test_link(previous: bytes, row: list[object]) -> None:
    """A row's digest is over the digest before it, its table's name and its cells."""
    assert hashlib.sha256(rfc8785.dumps([previous.hex(), "intent", *_plain(row)])).digest() == link(
        "intent", previous, row
    )


@given(strings, strings)
def test_request_digest(caller: str, request_id: str) -> None:
    """A request is found by the digest of caller and request id, which no other pair shares."""
    assert hashlib.sha256(rfc8785.dumps([caller, request_id])).digest() == request_digest(caller, request_id)
