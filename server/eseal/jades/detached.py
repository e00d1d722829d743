"""What a signature covers: the payload in the document, or contents that are kept elsewhere (``sigD``, clause 5.2.8).

Contents are handed over beside the document. They are told apart by name where names are known and match the
references, else by their order; references by hash find their contents by themselves.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from eseal import sealcore
from eseal.jades.rules import DIGESTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eseal.jades.rules import ProtectedHeader

_BY_URI = "http://uri.etsi.org/19182/ObjectIdByURI"
_BY_URI_HASH = "http://uri.etsi.org/19182/ObjectIdByURIHash"


class Found(StrEnum):
    """Whether what was signed is at hand, in the words of EN 319 102-1."""

    YES = "YES"
    SIGNED_DATA_NOT_FOUND = "SIGNED_DATA_NOT_FOUND"
    HASH_FAILURE = "HASH_FAILURE"


@dataclass(frozen=True, slots=True)
class Content:
    """A content kept apart from its signature; ``name`` is a file name or URI where one is known."""

    data: bytes
    name: str = ""


@dataclass(frozen=True, slots=True)
class SignedContent:
    """What a signature covers.

    ``signed`` is the payload part of the signing input and ``stamped`` what time-stamps call the payload; they differ
    for references by hash. ``data`` is the content itself where there is exactly one. Each is None where it is not at
    hand; ``reason`` then says why.
    """

    found: Found
    signed: bytes | None = None
    stamped: bytes | None = None
    data: bytes | None = None
    reason: str = ""


def signed_content(header: ProtectedHeader, payload: bytes | None, contents: Sequence[Content]) -> SignedContent:
    """Find what the signature under ``header`` covers; ``payload`` is the document's own, as text, or None."""
    sig_d = header.members.get("sigD")
    if payload and sig_d is None:
        return _attached(header, payload)
    if payload:
        return _not_found("The document holds a payload although its sigD says that it is kept elsewhere.")
    if sig_d is None:
        if len(contents) != 1:
            return _not_found(f"The content is kept apart from the document: give one, not {len(contents)}.")
        encoded = _encoded(contents[0].data, header)
        return SignedContent(Found.YES, encoded, encoded, contents[0].data)
    return _referenced(header, sig_d, contents)


def _attached(header: ProtectedHeader, payload: bytes) -> SignedContent:
    data = sealcore.base64url_decode(payload) if header.b64 else payload
    return SignedContent(Found.YES, payload, payload, data)


def _referenced(header: ProtectedHeader, sig_d: Any, contents: Sequence[Content]) -> SignedContent:
    mechanism = sig_d.get("mId") if isinstance(sig_d, dict) else None
    references = sig_d.get("pars") if isinstance(sig_d, dict) else None
    if not isinstance(references, list) or not references or not all(isinstance(item, str) for item in references):
        return _not_found("sigD names no contents: pars must be an array of references.")
    if mechanism == _BY_URI:
        return _by_uri(header, references, contents)
    if mechanism == _BY_URI_HASH:
        return _by_uri_hash(header, sig_d, references, contents=contents)
    return _not_found(f"The mechanism {mechanism!s:.80} of sigD is not supported.")


def _by_uri(header: ProtectedHeader, references: list[str], contents: Sequence[Content]) -> SignedContent:
    """Clause 5.2.8.3.2: what is signed is the contents, one after the other."""
    chosen = _in_order(references, contents)
    if chosen is None:
        return _not_found(f"sigD refers to {len(references)} contents, and {len(contents)} were given.")
    joined = b"".join(_encoded(content.data, header) for content in chosen)
    return SignedContent(Found.YES, joined, joined, chosen[0].data if len(chosen) == 1 else None)


def _by_uri_hash(
    header: ProtectedHeader, sig_d: dict[str, Any], references: list[str], *, contents: Sequence[Content]
) -> SignedContent:
    """Clause 5.2.8.3.3: nothing but the header is signed, which holds the digests of the contents."""
    algorithm, digests = DIGESTS.get(str(sig_d.get("hashM"))), sig_d.get("hashV")
    if algorithm is None or not isinstance(digests, list) or len(digests) != len(references):
        return SignedContent(Found.SIGNED_DATA_NOT_FOUND, b"", reason="hashM and hashV of sigD cannot be read.")
    encoded = {_digest(algorithm, text): text for text in (_encoded(content.data, header) for content in contents)}
    chosen = [encoded.get(digest) for digest in digests if isinstance(digest, str)]
    if len(chosen) == len(references) and None not in chosen:
        stamped = b"".join(text for text in chosen if text is not None)
        data = contents[0].data if len(references) == len(contents) == 1 else None
        return SignedContent(Found.YES, b"", stamped, data)
    if len(encoded) > len(set(chosen) - {None}):
        return SignedContent(Found.HASH_FAILURE, b"", reason="A content that was given is not one that was sealed.")
    reason = f"sigD refers to {len(references)} contents, and not all of them were given."
    return SignedContent(Found.SIGNED_DATA_NOT_FOUND, b"", reason=reason)


def _in_order(references: list[str], contents: Sequence[Content]) -> list[Content] | None:
    by_name = {PurePosixPath(content.name).name: content for content in contents if content.name}
    named = [by_name.get(PurePosixPath(urlsplit(unquote(reference)).path).name) for reference in references]
    if None not in named:
        return [content for content in named if content is not None]
    return list(contents) if len(contents) == len(references) else None


def _encoded(data: bytes, header: ProtectedHeader) -> bytes:
    return sealcore.base64url_encode(data).encode() if header.b64 else data


def _digest(algorithm: str, text: bytes) -> str:
    return sealcore.base64url_encode(hashlib.new(algorithm, text).digest())


def _not_found(reason: str) -> SignedContent:
    return SignedContent(Found.SIGNED_DATA_NOT_FOUND, reason=reason)
