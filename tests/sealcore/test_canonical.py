"""Strict JSON in, RFC 8785 bytes out; docs/canonical-json.md has each decision."""

from __future__ import annotations

import contextlib
import json
import struct
import threading

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from eseal import sealcore

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXT, inner, max_size=6),
    max_leaves=40,
)

REFUSED = [
    (b'{"a":1,"\\u0061":2}', 7, "a member name twice, after unescaping"),
    (b'["\\ud800"]', 2, "an escaped lone surrogate"),
    (b'["\xed\xa0\x80"]', 2, "a raw surrogate"),
    (b'["\xc0\xaf"]', 2, "overlong UTF-8"),
    (b"\xef\xbb\xbf{}", 0, "a byte order mark"),
    (b"[01]", 1, "a leading zero"),
    (b"{} x", 3, "trailing bytes"),
    (b'["\x01"]', 2, "a control character"),
    (b"[NaN]", 1, "NaN"),
    (b"[9007199254740993]", 1, "an integer that no double holds"),
    (b"[1E400]", 1, "a number that overflows"),
    (b"[" * 129 + b"]" * 129, 128, "a nesting beyond 128"),
]
ACCEPTED = [
    (b" \t\r\n[ ]\n", b"[]"),
    (b"[-0]", b"[0]"),
    (b"[1e-400]", b"[0]"),
    (b"[1.0,1e2,0.1234567890123456789012]", b"[1,100,0.12345678901234568]"),
    (b"[9007199254740992,100000000000000000000]", b"[9007199254740992,100000000000000000000]"),
    ('["\uffff\\u000a\\/"]'.encode(), '["\uffff\\n/"]'.encode()),
    ('{"\ufb33":1,"\U0001f600":2,"\\u20ac":3}'.encode(), '{"\u20ac":3,"\U0001f600":2,"\ufb33":1}'.encode()),
    (b'"x"', b'"x"'),
    (b"[" * 128 + b"]" * 128, b"[" * 128 + b"]" * 128),
]


@pytest.mark.parametrize(("text", "offset", "what"), REFUSED, ids=[what for *_, what in REFUSED])
def test_refused_with_the_offset(text: bytes, offset: int, what: str) -> None:
    """What I-JSON forbids, or a double cannot hold, is refused at the byte where it shows."""
    for read in (sealcore.canonicalize, sealcore.Document.parse):
        with pytest.raises(sealcore.InvalidJson) as caught:
            read(text)

        assert offset == caught.value.offset


@pytest.mark.parametrize(("text", "canonical"), ACCEPTED)
def test_accepted(text: bytes, canonical: bytes) -> None:
    """What RFC 8259 allows is accepted; members are sorted by UTF-16 code units."""
    assert canonical == sealcore.canonicalize(text)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
@settings(max_examples=400)
def test_same_as_another_implementation(value: object, ascii_only: bool, indent: int | None) -> None:  # noqa: FBT001
    """PyPI rfc8785 says the same of any value, however its text was written; canonical bytes are their own form."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    expected = rfc8785.dumps(value)

    assert expected == sealcore.canonicalize(text) == sealcore.Document.parse(text).canonical()
    assert expected == sealcore.canonicalize(expected) == sealcore.Document.from_python(value).canonical()


def test_numbers_of_random_bits() -> None:
    """20,000 doubles of any bit pattern are written as ECMAScript writes them."""
    bits = 0x9E3779B97F4A7C15
    values = []
    while len(values) < 20_000:
        bits = (bits * 6364136223846793005 + 1442695040888963407) % 2**64
        (value,) = struct.unpack("<d", struct.pack("<Q", bits))
        if value == value and abs(value) != float("inf"):  # noqa: PLR0124 - that is what NaN is
            values.append(value)

    assert rfc8785.dumps(values) == sealcore.canonicalize(json.dumps(values).encode())


@given(st.binary(max_size=60))
@settings(max_examples=1000)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No input raises anything else."""
    for read in (sealcore.canonicalize, sealcore.parse_jws):
        with contextlib.suppress(sealcore.InvalidJson, sealcore.InvalidJws):
            read(data)


def test_batches_let_other_threads_run() -> None:
    """A batch runs without the GIL: another thread counts on meanwhile."""
    document = json.dumps({"x": ["y" * 50] * 40_000}).encode()
    counted = 0
    over = threading.Event()

    def count() -> None:
        nonlocal counted
        while not over.is_set():
            counted += 1

    thread = threading.Thread(target=count)
    thread.start()
    before = counted
    sealcore.digest_many("sha256", [document] * 200)
    during = counted - before
    over.set()
    thread.join()

    assert during > 0


def test_document_edits_leave_the_original() -> None:
    """An edit is another Document; both have their own canonical bytes."""
    document = sealcore.Document.parse(b'{"a":{"b":[1]}}')
    edited = document.append("/a/b", 2).set("/c", {"d": None}).remove("/a/b/0")

    assert b'{"a":{"b":[1]}}' == document.canonical()
    assert b'{"a":{"b":[2]},"c":{"d":null}}' == edited.canonical()
    with pytest.raises(KeyError):
        document.set("/x/y", 1)
