"""Rows for those who list, export and delete: what cannot have been written there is refused, by row and column.

A database that somebody changed by hand may hold anything (see cells). ``check`` tells all of it and goes on; here the
first of it ends the command, for a list that leaves it out would be wrong, and a deletion would take the evidence away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, exists, func, literal, or_, select

from eseal.errors import SetupError
from eseal.ledger.cells import BASIS, as_written, strings
from eseal.ledger.records import State
from eseal.ledger.schema import POSITIONS, basis, intent, metadata, outcome
from eseal.ledger.shelf import Basis
from eseal.terms import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, ColumnElement, Connection, Row, Table

# Serials, positions, times in microseconds until 2255, counts: JSON has no larger integers that are exact.
_INTEGERS = 1 << 53

# What an outcome can be.
STATES = frozenset(State) - {State.INTENDED}
NO_STATE = "a state that there is not"


def changed(table: Table, key: object, column: str, what: str = "what is never written there") -> SetupError:
    """The refusal of a row, by the first column of its primary ``key``, for what ``column`` holds."""
    return SetupError(
        "LEDGER_CHANGED",
        f"The ledger's {_row(table, key)} holds in {column} {what}: somebody changed the database. `eseal ledger check "
        "--config FILE` tells all that was changed. Stop the servers, keep a copy of the database as it is, and put back "
        "the newest backup that passes that check.",
    )


def require_row(table: Table, cells: Sequence[Any]) -> None:
    """Raise SetupError where one of ``cells``, the first columns of ``table``, cannot have been written there."""
    if as_written(table, cells) and all(0 <= cell < _INTEGERS for cell in cells if type(cell) is int):
        return
    for column, cell in zip(table.columns, cells, strict=False):
        if type(cell) is not column.type.python_type or (type(cell) is int and not 0 <= cell < _INTEGERS):
            raise changed(table, cells[0], column.name)


def require_columns(connection: Connection, table: Table, *columns: Column[Any]) -> None:
    """Look through whole ``columns`` of ``table``: raise SetupError as ``require_row`` does, except for what text says."""
    wrong = [(_is_not_written(connection, column), literal(column.name)) for column in columns]
    found = case(*wrong, else_=None).label("found")
    key = next(iter(table.primary_key))
    row = connection.execute(select(key, found).where(found.is_not(None)).limit(1)).one_or_none()
    if row is not None:
        raise changed(table, row[0], row.found)


def require_all(connection: Connection) -> None:
    """Look through the whole ledger, as ``require_columns`` does."""
    for table in metadata.sorted_tables:
        require_columns(connection, table, *table.columns)
    require_states(connection)
    require_references(connection)


def require_states(connection: Connection) -> None:
    """Raise SetupError where an outcome has a state that there is not."""
    wrong = or_(outcome.c.state.is_(None), outcome.c.state.not_in([state.value for state in STATES]))
    row = connection.execute(select(outcome.c.intent).where(wrong).limit(1)).one_or_none()
    if row is not None:
        raise changed(outcome, row.intent, "state", NO_STATE)


def require_references(connection: Connection) -> None:
    """Raise SetupError where an intent has a basis that there is not: no question would find it."""
    is_there = exists().where(basis.c.sha256 == intent.c.basis)
    row = connection.execute(select(intent.c.serial).where(~is_there).limit(1)).one_or_none()
    if row is not None:
        raise unknown_basis(row.serial)


def unknown_basis(serial: int) -> SetupError:
    """The refusal of an intent whose basis is not there."""
    return changed(intent, serial, "basis", "the digest of a basis that is not there")


def written_bases(connection: Connection) -> dict[bytes, Basis]:
    """All bases, each as it can have been written. Raise SetupError."""
    return {row.sha256: _basis(row) for row in connection.execute(select(*BASIS))}


def _basis(row: Row[Any]) -> Basis:
    cells = row._asdict()
    if cells["self_issue"] in (0, 1):
        cells["self_issue"] = bool(cells["self_issue"])
    require_row(basis, tuple(cells.values()))
    for column in ("awarding_bodies", "mandate_ids"):
        listed = strings(cells[column])
        if listed is None:
            raise changed(basis, row.sha256, column, "what is no list of names")
        cells[column] = listed
    if row.level not in set(Level):
        raise changed(basis, row.sha256, "level", "a level that there is not")
    del cells["sha256"]
    return Basis(**cells)


def _is_not_written(connection: Connection, column: Column[Any]) -> ColumnElement[bool]:
    """Whether a cell cannot have been written, as SQL."""
    wrong: list[ColumnElement[bool]] = [column.is_(None)]
    if connection.dialect.name == "sqlite":
        # Elsewhere the database holds to the types of its columns.
        wrong.append(func.typeof(column) != _SQLITE_TYPES[column.type.python_type])
    if column.type.python_type is int:
        wrong.append(~column.between(0, _INTEGERS - 1))
    return or_(*wrong)


_SQLITE_TYPES: dict[type, str] = {int: "integer", bool: "integer", str: "text", bytes: "blob"}


def _row(table: Table, key: object) -> str:
    """How a row is called: by its place in a chain, where it has one, as ``check`` calls it."""
    name = key.hex() if isinstance(key, bytes) else ascii(key)[:40]
    if table in (intent, outcome) and type(key) is int:
        name = "-".join(map(str, divmod(key, POSITIONS)))
    return f"outcome of row {name}" if table is outcome else f"{table.name} row {name}"
