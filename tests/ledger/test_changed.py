"""Whatever somebody made of the database by hand, listing, exporting and deleting end in a sentence that says where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, insert, select, text, update

from eseal.errors import SetupError
from eseal.ledger import Outcome, State, schema
from eseal.ledger.audit import Question
from eseal.ledger.schema import POSITIONS
from tests.ledger.changes import put
from tests.ledger.intents import CALLER, digest, intent

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import BinaryExpression, Table

    from eseal.ledger import Ledger

# As SQL. Some of them could have been written in some of the columns.
VALUES = (
    "NULL",
    "'not json'",
    "'[7]'",
    "1.5",
    "9223372036854775807",
    "x'00ff'",
    "decode('00ff', 'hex')",
    "CAST(x'5bff' AS TEXT)",
)
LATER = datetime.now(UTC) + timedelta(days=1)
DOINGS: dict[str, Callable[[Ledger], object]] = {
    "list": lambda ledger: list(ledger.attempts(Question(), newest=50)),
    "list --state": lambda ledger: list(ledger.attempts(Question(state=State.SEALED, caller=CALLER), newest=50)),
    "export": lambda ledger: list(ledger.attempts(Question(party="dcu", since=datetime(2026, 1, 1, tzinfo=UTC)))),
    "names": lambda ledger: ledger.names(),
    "retention": lambda ledger: ledger.retain(LATER, apply=False),
}
# An outcome that is nobody's is one that is gone, and `used` is what retention goes by.
NOT_LISTED = {"outcome.intent", "basis.used"}


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """Four attempts of two members, three of them sealed, and a record of retention."""
    admissions = ledger.intend([intent(str(number), member=("dcu", "utwente")[number % 2]) for number in range(4)])
    ledger.conclude([Outcome(one.claim, digest("s"), ("xVals",)) for one in admissions[:3]])
    with ledger.engine.begin() as connection:
        connection.execute(insert(schema.retention).values(at=1, before=1, rows=0))
    return ledger


@pytest.fixture
def loose(filled: Ledger) -> Ledger:
    """The same where no column has a constraint: on SQLite it then takes anything, on PostgreSQL NULL."""
    with filled.engine.begin() as connection:
        for table in schema.metadata.tables:
            connection.execute(text(f"CREATE TABLE loose AS SELECT * FROM {table}"))  # noqa: S608
            connection.execute(text(f"DROP TABLE {table}"))
            connection.execute(text(f"ALTER TABLE loose RENAME TO {table}"))
        # Retention adds to what is there.
        connection.execute(text("CREATE UNIQUE INDEX counted ON tally (mandate_id, hour, writer)"))
    return filled


def refusals(ledger: Ledger) -> dict[str, str]:
    """What is said to each doing that is refused. An exception that is not for the operator fails the test."""
    errors: dict[str, SetupError] = {}
    for name, do in DOINGS.items():
        try:
            do(ledger)
        except SetupError as error:
            errors[name] = error
    assert {error.reason for error in errors.values()} <= {"LEDGER_CHANGED"}
    assert all("`eseal ledger check --config FILE`" in error.message for error in errors.values())
    return {name: error.message for name, error in errors.items()}


@pytest.mark.parametrize("table", schema.metadata.sorted_tables, ids=str)
def test_any_value_in_any_column(loose: Ledger, table: Table) -> None:
    """Is taken where it could have been written there; else all that goes by it ends in a sentence, and the check tells it."""
    with loose.engine.connect() as connection:
        rows = [row._asdict() for row in connection.execute(select(table))]
    assert {} == refusals(loose)
    for column in table.columns:
        assert put(loose, column, VALUES[0]), column
        for value in VALUES:
            if value != VALUES[0] and not put(loose, column, value):
                continue
            said = refusals(loose)
            loose.check()
            with loose.engine.begin() as connection:
                connection.execute(delete(table))
                connection.execute(insert(table), rows)
            if value == "NULL":
                listed = table in (schema.intent, schema.outcome, schema.basis) and str(column) not in NOT_LISTED
                assert {"retention", *(["list", "export"] if listed else [])} <= set(said), column
                assert all(f"ledger's {table.name} " in one and f" in {column.name} " in one for one in said.values())


FIRST_INTENT = schema.intent.c.serial == POSITIONS + 1
FIRST_OUTCOME = schema.outcome.c.intent == POSITIONS + 1
DCU = schema.basis.c.member == "dcu"


@pytest.mark.parametrize(
    ("where", "values", "sentence"),
    [
        (FIRST_INTENT, {"recorded": -1}, "intent row 1-1 holds in recorded what is never written there"),
        (FIRST_INTENT, {"issued": 2**62}, "intent row 1-1 holds in issued what is never written there"),
        (FIRST_INTENT, {"basis": b"x"}, "intent row 1-1 holds in basis the digest of a basis that is not there"),
        (FIRST_OUTCOME, {"state": "sealed"}, "outcome of row 1-1 holds in state a state that there is not"),
        (FIRST_OUTCOME, {"state": "INTENDED"}, "outcome of row 1-1 holds in state a state that there is not"),
        (DCU, {"level": "B-X"}, "holds in level a level that there is not"),
        (DCU, {"mandate_ids": "[["}, "holds in mandate_ids what is no list of names"),
        (DCU, {"awarding_bodies": '"dcu"'}, "holds in awarding_bodies what is no list of names"),
    ],
    ids=str,
)
def test_what_is_said(loose: Ledger, where: BinaryExpression[bool], values: dict[str, object], sentence: str) -> None:
    """The row, the column and what is wrong with it, whatever was asked for."""
    with loose.engine.begin() as connection:
        assert 1 == connection.execute(update(where.left.table).where(where).values(**values)).rowcount

    said = refusals(loose)

    assert {"list", "list --state", "export", "retention"} <= set(said)
    assert all(sentence in message for message in said.values())
