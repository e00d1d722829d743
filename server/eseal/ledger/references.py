"""Checking what the chain does not cover by itself: shared contents, references, and that nothing was sealed twice."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, exists, func, select

from eseal.ledger.schema import basis, intent, material, outcome, retention, tally
from eseal.ledger.shelf import basis_digest, read_bases
from eseal.ledger.tally import CARRIED, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

ROWS_AT_ONCE = 1000


def reference_faults(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield (rule, message) for each kind of thing that is wrong."""
    yield from _changed_contents(connection)
    yield from _missing_references(connection)
    sealed_twice = (
        select(intent.c.request)
        .join(outcome, outcome.c.intent == intent.c.serial)
        .where(outcome.c.state == "SEALED")
        .group_by(intent.c.request)
        .having(func.count() > 1)
    )
    yield from _counted(connection, sealed_twice, "sealed-twice", "requests have more than one signature")
    yield from _tally(connection)


def _changed_contents(connection: Connection) -> Iterator[tuple[str, str]]:
    streaming = connection.execution_options(yield_per=ROWS_AT_ONCE)
    rows = streaming.execute(select(material.c.sha256, material.c.content))
    changed = sum(hashlib.sha256(row.content).digest() != row.sha256 for row in rows)
    if changed:
        yield "material-changed", f"{changed} stored contents are not what their digests were made of"
    changed = sum(basis_digest(made) != digest for digest, made in read_bases(connection).items())
    if changed:
        yield "basis-changed", f"{changed} bases are not what their digests were made of"


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
    wanted = {bytes.fromhex(digest) for text in texts for digest in json.loads(text)}
    there = set(connection.execute(select(material.c.sha256)).scalars()) if wanted else set()
    if wanted - there:
        yield "reference-missing", f"{len(wanted - there)} etsiU contents are not there"


def _tally(connection: Connection) -> Iterator[tuple[str, str]]:
    """Count the rows again; what was carried forward cannot be more than what retention deleted."""
    told = {(row.mandate_id, row.hour, row.writer): row.sealed for row in connection.execute(select(tally))}
    carried = [told.pop(place) for place in list(told) if place[1:] == (CARRIED, CARRIED)]
    deleted = connection.execute(select(func.coalesce(func.sum(retention.c.rows), 0))).scalar_one()
    # A seal is two rows.
    if told != counted(connection) or any(sealed * 2 > deleted for sealed in carried):
        yield "tally-changed", "the tally of seals by mandate does not agree with the rows"


def _counted(connection: Connection, query: object, rule: str, message: str) -> Iterator[tuple[str, str]]:
    number = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()  # type: ignore[attr-defined]
    if number:
        yield rule, f"{number} {message}"
