"""Whatever value somebody puts into a column, a check comes to its end and tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, insert, select, update

from eseal.ledger import Ledger, Outcome, schema
from eseal.ledger.schema import POSITIONS
from tests.ledger.changes import VALUES, put
from tests.ledger.intents import digest, intent

if TYPE_CHECKING:
    from sqlalchemy import Column, Table

    from tests.ledger.conftest import OpenLedger

# What retention goes by, and its own word: no digest is made of them, and no row refers to them.
NOT_COVERED = {"material.used", "basis.used", "retention.at", "retention.before"}


@pytest.fixture
def filled(ledger: Ledger, open_ledger: OpenLedger) -> Ledger:
    """Two workers' chains of seven rows each, and a record of retention."""
    for worker in (ledger, open_ledger()):
        admissions = worker.intend([intent(f"{id(worker)}-{number}") for number in range(4)])
        worker.conclude([Outcome(one.claim, digest(str(n)), ("xVals",)) for n, one in enumerate(admissions[:3])])
    with ledger.engine.begin() as connection:
        connection.execute(insert(schema.retention).values(at=1, before=1, rows=0))
    return ledger


@pytest.mark.parametrize("table", schema.metadata.sorted_tables, ids=str)
def test_any_value_in_any_column_is_told(filled: Ledger, table: Table) -> None:
    """It ends no check, hides no other fault, and is a fault itself where digests or references cover the column."""
    intents = schema.intent
    other = (2, 3, "row-changed")
    with filled.engine.begin() as connection:
        connection.execute(
            update(intents).where(intents.c.serial == 2 * POSITIONS + 3).values(credential_id="urn:credential:other")
        )
        rows = [row._asdict() for row in connection.execute(select(table))]
    assert [other] == [(fault.writer, fault.position, fault.rule) for fault in filled.check().faults]
    for column in table.columns:
        taken = [value for value in VALUES if _told(filled, column, value, other, rows)]

        assert taken, column


def _told(ledger: Ledger, column: Column[object], value: str, other: object, rows: list[dict[str, object]]) -> bool:
    """Put ``value`` in, see that it is told, and put ``rows`` back; False where the database refuses it."""
    if not put(ledger, column, value):
        return False
    found = [(fault.writer, fault.position, fault.rule) for fault in ledger.check().faults]

    assert other in found, (column, value)
    assert len(found) > 1 or str(column) in NOT_COVERED, (column, value)
    with ledger.engine.begin() as connection:
        connection.execute(delete(column.table))
        connection.execute(insert(column.table), rows)
    return True


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ("UPDATE basis SET mandate_ids = 'not json'", {"basis-changed", "tally-changed"}),
        ("UPDATE basis SET mandate_ids = '7'", {"basis-changed", "tally-changed"}),
        ("UPDATE basis SET awarding_bodies = '[ \"dcu\" ]'", {"basis-changed"}),
        ("UPDATE outcome SET etsi_u = 'x' WHERE serial % 4294967296 = 5", {"row-changed", "reference-missing"}),
        ("INSERT INTO retention VALUES (9223372036854775807, 1, 0)", {"retention-changed"}),
        ("INSERT INTO tally VALUES ('dcu-2026', 0, 0, 9223372036854775807)", {"tally-changed"}),
    ],
)
def test_what_a_changed_value_is_told_as(filled: Ledger, change: str, rules: set[str]) -> None:
    """The rule that it breaks, and no other."""
    with filled.engine.begin() as connection:
        connection.exec_driver_sql(change.replace("%", "%%") if connection.dialect.name == "postgresql" else change)

    assert rules == {fault.rule for fault in filled.check().faults}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ("UPDATE material SET content = content || x'20'", {"material-changed"}),
        ("UPDATE basis SET caller = CAST(x'ff' AS TEXT)", {"basis-changed"}),
        (
            "UPDATE outcome SET serial = 'x' WHERE serial % 4294967296 = 7",
            {"row-changed", "row-missing", "tally-changed"},
        ),
        (
            "UPDATE intent SET content_sha256 = lower(hex(content_sha256)) WHERE serial % 4294967296 = 4",
            {"row-changed"},
        ),
        ("UPDATE writer SET base_position = 'x'", {"writer-changed"}),
        ("UPDATE writer SET head_digest = 'x'", {"writer-changed"}),
        ("INSERT INTO tally VALUES ('dcu-2026', 0, 0, 'x')", {"tally-changed"}),
    ],
)
def test_what_a_value_of_another_type_is_told_as(filled: Ledger, change: str, rules: set[str]) -> None:
    """SQLite takes any type in any column."""
    with filled.engine.begin() as connection:
        connection.exec_driver_sql(change)

    assert rules == {fault.rule for fault in filled.check().faults}
