"""Strict JSON in, RFC 8785 bytes out, and what a Document does beside; test_cases.py has each decision."""

from __future__ import annotations

import contextlib
import json
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


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
@settings(max_examples=400)
def test_same_as_another_implementation(value: object, ascii_only: bool, indent: int | None) -> None:  # noqa: FBT001
    """PyPI rfc8785 says the same of any value, however its text was written; canonical bytes are their own form."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    expected = rfc8785.dumps(value)

    assert expected == sealcore.canonicalize(text) == sealcore.Document.parse(text).canonical()
    assert expected == sealcore.canonicalize(expected) == sealcore.Document.from_python(value).canonical()


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


def test_many_edits_are_one() -> None:
    """set_many edits in order, each seeing those before it; one that cannot be made leaves nothing made."""
    document = sealcore.Document.parse(b'{"a":[1],"c":"x"}')
    values = {"/b": {"d": []}, "/b/d/-": document, "/a/0": True, "/c": None}
    edited = document.set_many(values)

    assert b'{"a":[true],"b":{"d":[{"a":[1],"c":"x"}]},"c":null}' == edited.canonical()
    assert b'{"a":[1],"c":"x"}' == document.canonical() == document.set_many({}).canonical()
    with pytest.raises(KeyError):
        document.set_many({"/b": 1, "/x/y": 1})
    with pytest.raises(TypeError):
        document.set_many({5: 1})  # type: ignore[dict-item]


def test_a_document_says_what_it_mentions() -> None:
    """The canonical bytes are searched, not the text that was parsed."""
    document = sealcore.Document.parse(b'{"b": "\\u00e9", "a": [1.0]}')

    assert document.mentions('"a":[1],"b":"é"')
    assert not document.mentions("1.0")
    assert document.set("/a/0", "new").mentions("new")
