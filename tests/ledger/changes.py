"""Changing a ledger's database behind its back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection

    from eseal.ledger import Ledger

# As SQL. Each database refuses some of them in some columns.
VALUES = (
    "NULL",
    "'not json'",
    "'7'",
    "'[7]'",
    "'[[1]]'",
    "'[\"x\"]'",
    "'[bold]'",
    "'FAILED'",
    "true",
    "1.5",
    "7",
    "9223372036854775807",
    "-9223372036854775808",
    "1e300",
    "x'00ff'",
    "decode('00ff', 'hex')",
    "CAST(x'5bff' AS TEXT)",
    "CAST({column} AS TEXT)",
    "lower(hex({column}))",
    "{column} || x'20'",
)


def put(ledger: Ledger, column: Column[object], value: str) -> bool:
    """Put ``value`` into the first row. False if the database refuses, or if nothing else stands there than before."""
    name, table = f'"{column.name}"', column.table
    first = next(iter(table.primary_key)).name
    row = {"sqlite": "rowid", "postgresql": "ctid"}[ledger.engine.dialect.name]
    place = f"(SELECT {row} FROM {table.name} ORDER BY {first} LIMIT 1)"  # noqa: S608
    query = text(f"UPDATE {table.name} SET {name} = {value.format(column=name)} WHERE {row} = {place}")  # noqa: S608
    with ledger.engine.connect() as connection:
        before = stored(connection, column)
        try:
            connection.execute(query)
        except DBAPIError:
            return False
        after = stored(connection, column)
        connection.commit()
    return before != after


def stored(connection: Connection, column: Column[object]) -> list[object]:
    """What stands in a column, as SQL literals; on SQLite they tell types."""
    function = "quote" if connection.dialect.name == "sqlite" else ""
    # CAST to BLOB: quoted text that is not UTF-8 could not be read.
    as_read = f'CAST({function}("{column.name}") AS {"BLOB" if function else "TEXT"})'
    cells = connection.execute(text(f"SELECT {as_read} FROM {column.table.name}")).scalars()  # noqa: S608
    return sorted(cells, key=lambda cell: (cell is not None, cell))
