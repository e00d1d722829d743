"""The chain: each row's digest covers the row and the digest of the row that the same writer wrote before.

A row's canonical form is the RFC 8785 JSON array ``[previous, table, column, ...]``: its columns in the schema's order
without ``digest``, bytes as lower-case hex, integers and strings as they are. The first row of a writer has the
writer's genesis before it, and that covers the genesis of the writer before; so no writer can vanish from the middle.

The chain needs no secret and proves no origin: whoever may rewrite the whole database may rewrite the chain. It finds
what is changed, removed or reordered after the heads were noted somewhere else (``eseal ledger check --heads``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from eseal.ledger.schema import POSITIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# For strings, integers below 2**53 and booleans this is RFC 8785: its escapes, its numbers. An encoder made for each row
# would take longer than all else that happens to the row.
_WRITE: dict[type, Callable[[Any], str]] = {
    bytes: lambda cell: f'"{cell.hex()}"',
    str: encode_basestring,
    int: str,
    bool: lambda cell: "true" if cell else "false",
}


def link(table: str, previous: bytes, row: Sequence[bytes | str | int]) -> bytes:
    """The digest of ``row``, the columns of ``table`` in order, following the row with the digest ``previous``."""
    return hashlib.sha256(canonical_array([previous, table, *row])).digest()


def canonical_array(cells: Sequence[bytes | str | int | bool]) -> bytes:
    """RFC 8785 bytes of a flat array of strings, small integers and booleans; bytes are their hex digits."""
    return f"[{','.join([_WRITE[type(cell)](cell) for cell in cells])}]".encode()


def request_digest(caller: str, request_id: str) -> bytes:
    """The digest by which a request is found: SHA-256 of the canonical array of caller and request id."""
    return hashlib.sha256(canonical_array((caller, request_id))).digest()


def genesis(previous: bytes, *, number: int, host: str, process: str, started: int) -> bytes:
    """The digest that a writer's chain begins with; ``previous`` is the genesis of the writer before, or empty."""
    return link("writer", previous, (number, host, process, started))


@dataclass(slots=True)
class Chain:
    """The growing end of one writer's chain. Owned by the journal, and only touched under its write lock."""

    writer: int
    position: int
    digest: bytes

    def next_serial(self) -> int:
        """The serial that the next row must carry."""
        return self.writer * POSITIONS + self.position + 1

    def append(self, table: str, row: Sequence[bytes | str | int]) -> bytes:
        """Take ``row`` into the chain and return its digest."""
        self.position += 1
        self.digest = link(table, self.digest, row)
        return self.digest

    def fork(self) -> Chain:
        """A copy to grow in a transaction that may yet be rolled back."""
        return Chain(self.writer, self.position, self.digest)
