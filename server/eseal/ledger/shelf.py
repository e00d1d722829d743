"""The side tables: what many rows share is stored once, under its SHA-256.

In a bulk run one basis and one completion serve the whole course, and one protected header a second of it, so a row of
its own needs a few hundred bytes rather than many thousand.
"""

from __future__ import annotations

import hashlib
import json
import time
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from eseal.ledger.chain import canonical_array
from eseal.ledger.schema import basis as basis_table
from eseal.ledger.schema import material as material_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Table

    from eseal.ledger.records import Intent

# Retention spares what was used within the last day, so a worker may trust for an hour that what it stored is there.
TRUST_SECONDS = 3600.0
REMEMBERED = 4096


class Basis(NamedTuple):
    """By what right and with which key: the part of an intent that a whole course shares. See schema.basis."""

    caller: str
    member: str
    awarding_bodies: tuple[str, ...]
    mandate_ids: tuple[str, ...]
    self_issue: bool
    register_sha256: bytes
    sealer: str
    key_label: str
    certificate_sha256: bytes
    level: str
    completion: bytes

    def columns(self) -> tuple[str | bytes | bool, ...]:
        """The columns of the table but the first and the last; tuples as JSON arrays."""
        return (
            self.caller,
            self.member,
            canonical_array(self.awarding_bodies).decode(),
            canonical_array(self.mandate_ids).decode(),
            self.self_issue,
            self.register_sha256,
            self.sealer,
            self.key_label,
            self.certificate_sha256,
            str(self.level),  # a member of an enumeration is no plain string
            self.completion,
        )


@lru_cache(maxsize=256)
def basis_digest(basis: Basis) -> bytes:
    """SHA-256 of the canonical array of the basis's columns, bytes as hex."""
    cells = [cell.hex() if isinstance(cell, bytes) else cell for cell in basis.columns()]
    return hashlib.sha256(canonical_array(cells)).digest()


@lru_cache(maxsize=64)
def _text_digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@lru_cache(maxsize=64)
def _bytes_digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def read_materials(connection: Connection, digests: Iterable[bytes]) -> dict[bytes, bytes]:
    """The contents stored under ``digests``."""
    table = material_table
    rows = connection.execute(select(table.c.sha256, table.c.content).where(table.c.sha256.in_(set(digests))))
    return {row.sha256: row.content for row in rows}


def read_bases(connection: Connection, digests: Iterable[bytes]) -> dict[bytes, Basis]:
    """The bases stored under ``digests``."""
    query = select(basis_table).where(basis_table.c.sha256.in_(set(digests)))
    return {
        row.sha256: Basis(
            caller=row.caller,
            member=row.member,
            awarding_bodies=tuple(json.loads(row.awarding_bodies)),
            mandate_ids=tuple(json.loads(row.mandate_ids)),
            self_issue=row.self_issue,
            register_sha256=row.register_sha256,
            sealer=row.sealer,
            key_label=row.key_label,
            certificate_sha256=row.certificate_sha256,
            level=row.level,
            completion=row.completion,
        )
        for row in connection.execute(query)
    }


class Shelf:
    """Puts shared contents away. Owned by the journal, and only touched under its write lock."""

    def __init__(self) -> None:
        self._stored: dict[bytes, float] = {}
        self._materials: dict[bytes, bytes] = {}
        self._bases: dict[bytes, Basis] = {}
        self._last: tuple[tuple[object, ...], Basis, bytes] | None = None

    def basis(self, intent: Intent) -> bytes:
        """The digest of the intent's basis, which the next ``store`` writes if need be."""
        shared = (
            intent.caller,
            intent.member,
            intent.awarding_bodies,
            intent.mandate_ids,
            intent.self_issue,
            intent.register_sha256,
            intent.sealer,
            intent.key_label,
            intent.certificate_sha256,
            intent.level,
            _bytes_digest(intent.completion),
        )
        # A batch is of one course, mostly.
        if self._last is None or shared != self._last[0]:
            basis = Basis(*shared)
            self._last = (shared, basis, basis_digest(basis))
        _, basis, digest = self._last
        if digest not in self._stored:
            self._bases[digest] = basis
            self._materials[basis.completion] = intent.completion
        return digest

    def text(self, text: str) -> bytes:
        """The digest of a text that many rows share."""
        digest = _text_digest(text)
        if digest not in self._stored:
            self._materials[digest] = text.encode()
        return digest

    def store(self, connection: Connection) -> None:
        """Write what was put away since the last commit, and mark it as in use."""
        now = time.time_ns() // 1000
        if self._materials:
            rows = [{"sha256": key, "content": self._materials[key], "used": now} for key in sorted(self._materials)]
            _upsert(connection, material_table, rows)
        if self._bases:
            names = [column.name for column in basis_table.columns]
            rows = [
                dict(zip(names, (key, *self._bases[key].columns(), now), strict=True)) for key in sorted(self._bases)
            ]
            _upsert(connection, basis_table, rows)

    def committed(self) -> None:
        """Trust from now on that what was stored is there."""
        now = time.monotonic()
        for digest in (*self._materials, *self._bases):
            self._stored[digest] = now
        self.forget_pending()
        # Insertion order is order of age: the oldest go first, by age or by number.
        for digest, stored in list(self._stored.items())[: max(16, len(self._stored) - REMEMBERED)]:
            if now - stored < TRUST_SECONDS and len(self._stored) <= REMEMBERED:
                break
            del self._stored[digest]

    def forget_pending(self) -> None:
        """Drop what was put away for a transaction that was rolled back."""
        self._materials.clear()
        self._bases.clear()


def _upsert(connection: Connection, table: Table, rows: list[dict[str, object]]) -> None:
    """Insert rows, or note that those already there are in use. Rows come sorted, so replicas cannot deadlock here."""
    build = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = build(table)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[table.c.sha256], set_={"used": statement.excluded.used}), rows
    )
