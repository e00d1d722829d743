"""Checking what the chain does not cover by itself: shared contents, references, and that nothing was sealed twice."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, exists, func, select

from eseal.ledger.cells import BASIS, as_written, strings
from eseal.ledger.chain import canonical_array
from eseal.ledger.schema import basis, intent, material, outcome, tally
from eseal.ledger.tally import CARRIED, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Row

ROWS_AT_ONCE = 1000


def reference_faults(connection: Connection, deleted: int) -> Iterator[tuple[str, str]]:
    """Yield (rule, message) for each kind of thing that is wrong. ``deleted``: how many rows retention deleted."""
    bases = connection.execute(select(*BASIS)).all()
    yield from _changed_contents(connection, bases)
    yield from _missing_references(connection)
    sealed_twice = (
        select(intent.c.request)
        .join(outcome, outcome.c.intent == intent.c.serial)
        .where(outcome.c.state == "SEALED")
        .group_by(intent.c.request)
        .having(func.count() > 1)
    )
    yield from _counted(connection, sealed_twice, "sealed-twice", "requests have more than one signature")
    mandates = {row.sha256: strings(row.mandate_ids) or () for row in bases}
    yield from _tally(connection, mandates, deleted)


def _changed_contents(connection: Connection, bases: Sequence[Row[Any]]) -> Iterator[tuple[str, str]]:
    streaming = connection.execution_options(yield_per=ROWS_AT_ONCE)
    rows = streaming.execute(select(material.c.sha256, material.c.content))
    changed = sum(not as_written(material, row) or hashlib.sha256(row.content).digest() != row.sha256 for row in rows)
    if changed:
        yield "material-changed", f"{changed} stored contents are not what their digests were made of"
    changed = sum(_basis_digest(row) != row.sha256 for row in bases)
    if changed:
        yield "basis-changed", f"{changed} bases are not what their digests were made of"


def _basis_digest(row: Row[Any]) -> bytes | None:
    """What ``shelf.basis_digest`` made of the basis that was stored; None where that cannot have been stored."""
    cells = [bool(cell) if name == "self_issue" and cell in (0, 1) else cell for name, cell in row._asdict().items()]
    if not as_written(basis, cells):
        return None
    return hashlib.sha256(canonical_array(cells[1:])).digest()


def _missing_references(connection: Connection) -> Iterator[tuple[str, str]]:
    def without(reference: ColumnElement[bytes], target: ColumnElement[bytes]) -> ColumnElement[bool]:
        return ~exists().where(target == reference)

    for name, query in (
        ("basis", select(intent.c.serial).where(without(intent.c.basis, basis.c.sha256))),
        ("protected header", select(intent.c.serial).where(without(intent.c.protected, material.c.sha256))),
        ("completion", select(basis.c.sha256).where(without(basis.c.completion, material.c.sha256))),
        ("intent", select(outcome.c.serial).where(~exists().where(intent.c.serial == outcome.c.intent))),
    ):
        yield from _counted(connection, query, "reference-missing", f"rows refer to a {name} that is not there")
    texts = connection.execute(select(outcome.c.etsi_u).where(outcome.c.etsi_u != "").distinct()).scalars()
    lists = [strings(text) for text in texts]
    wanted = {digest for found in lists for digest in found or ()}
    there = {_hex(digest) for digest in connection.execute(select(material.c.sha256)).scalars()} if wanted else set()
    if wanted - there:
        yield "reference-missing", f"{len(wanted - there)} etsiU contents are not there"
    if None in lists:
        yield "reference-missing", f"{lists.count(None)} etsiU lists are no lists of digests"


def _hex(digest: object) -> str | None:
    return digest.hex() if isinstance(digest, bytes) else None


def _tally(connection: Connection, mandates: Mapping[bytes, Sequence[str]], deleted: int) -> Iterator[tuple[str, str]]:
    """Count the rows again; what was carried forward cannot be more than what retention deleted."""
    told = {(row.mandate_id, row.hour, row.writer): row.sealed for row in connection.execute(select(tally))}
    carried = [told.pop(place) for place in list(told) if place[1:] == (CARRIED, CARRIED)]
    right = told == counted(connection, mandates=mandates)
    # A seal is two rows.
    if not right or any(not isinstance(sealed, int) or sealed * 2 > deleted for sealed in carried):
        yield "tally-changed", "the tally of seals by mandate does not agree with the rows"


def _counted(connection: Connection, query: object, rule: str, message: str) -> Iterator[tuple[str, str]]:
    number = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()  # type: ignore[attr-defined]
    if number:
        yield rule, f"{number} {message}"
