"""What is asked for: the request id of each item, and the spool that holds all of them while a run lasts.

A request id is derived from the content, so that the same content again is the same request: a UUID of version 8
(RFC 9562 section 5.8) made of the SHA-256 over an RFC 8785 array. docs/bulk.md spells the arrays out.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import tempfile
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from zlib import crc32

from google.protobuf.json_format import MessageToDict

from eseal import sealcore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from eseal_client import MicroCredential

SCHEME = "eseal-bulk-1"
_AT_ONCE = 200


def course_digest(course: MicroCredential) -> str:
    """SHA-256 of the course as canonical ProtoJSON, hex."""
    said = json.dumps(MessageToDict(course, preserving_proto_field_name=True), ensure_ascii=False)
    return hashlib.sha256(sealcore.canonicalize(said.encode())).hexdigest()


def issue_content(batch: str, level: str, course: str, cells: Mapping[str, str]) -> str:
    """What stands for one learner's content: ``cells`` in their one spelling, ``course`` is ``course_digest``."""
    return _uuid(SCHEME, "issue", batch, level, course, sorted(cells.items()))


def seal_content(batch: str, level: str, credential: bytes) -> str:
    """What stands for one credential's content."""
    return _uuid(SCHEME, "seal", batch, level, hashlib.sha256(credential).hexdigest())


class Asked(NamedTuple):
    """One item: where it stands in the input, its request id, the file its credential goes into, and what to send.

    ``content`` stands for what is asked; it is the request id too, where the caller gives none of its own. ``body`` is the
    serialised message, or the path of the file that it is made of.
    """

    row: int
    request_id: str
    content: str
    file: str
    body: bytes


class Spool:
    """Items in a file without a name, so that a class list of any length takes no memory. Written once, then read."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="eseal-bulk-")  # noqa: SIM115 - closed by close
        self._part: list[Asked] = []
        self._marks = array("Q")

    def __len__(self) -> int:
        return len(self._marks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, item: Asked) -> None:
        """Put one item away."""
        self._marks.append(crc32(item.request_id.encode()) << 32 | len(self._marks))
        self._part.append(item)
        if len(self._part) >= _AT_ONCE:
            self._write()

    def repeated(self) -> list[tuple[Asked, int]]:
        """Items whose request id an earlier item has already, with that one's row."""
        marks = sorted(self._marks)
        suspects = {
            mark & 0xFFFFFFFF
            for before, after in pairwise(marks)
            if before >> 32 == after >> 32
            for mark in (before, after)
        }
        if not suspects:
            return []
        first: dict[str, int] = {}
        return [
            (item, first[item.request_id])
            for number, item in enumerate(self)
            if number in suspects and first.setdefault(item.request_id, item.row) != item.row
        ]

    def __iter__(self) -> Iterator[Asked]:
        self._write()
        self._file.seek(0)
        position = 0
        while True:
            self._file.seek(position)
            try:
                part = pickle.load(self._file)  # noqa: S301 - written by this process, in a file nobody can name
            except EOFError:
                return
            position = self._file.tell()
            yield from part

    def _write(self) -> None:
        if self._part:
            self._file.seek(0, 2)
            pickle.dump(self._part, self._file, pickle.HIGHEST_PROTOCOL)
            self._part = []


def _uuid(*content: Any) -> str:
    """Version and variant bits are set over the first half of the digest."""
    text = hashlib.sha256(_array(content).encode()).hexdigest()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


# An array of texts and arrays of them: written like this, it is in RFC 8785 form.
_array: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
