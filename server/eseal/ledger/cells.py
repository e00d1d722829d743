"""Reading a database that may not be as it was written: what somebody put there is told, and ends no check.

SQLite takes a value of any type in any column, and any bytes for text.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, type_coerce

from eseal.ledger.database import snapshot
from eseal.ledger.schema import basis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Engine, Table


# What a basis's digest is made of, after the digest. The truth value as it is stored: read as one, all but 0 is true.
BASIS = [
    type_coerce(column, BigInteger).label(column.name) if column.name == "self_issue" else column
    for column in basis.columns
    if column.name != "used"
]


class NotText(str):
    """What SQLite calls text and is not UTF-8. Its type tells it from text."""

    __slots__ = ()


@contextmanager
def snapshot_as_it_is(engine: Engine) -> Iterator[Connection]:
    """A snapshot that reads text which is none as ``NotText``, where the driver would refuse the whole query."""
    with snapshot(engine) as connection, as_it_is(connection):
        yield connection


@contextmanager
def as_it_is(connection: Connection) -> Iterator[None]:
    """Read text which is none as ``NotText`` on this connection."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.text_factory = _text
    try:
        yield
    finally:
        driver.text_factory = str


def as_written(table: Table, cells: Sequence[object]) -> bool:
    """Whether ``cells``, the first columns of ``table``, are of the types that are written there."""
    return tuple(map(type, cells)) == _types(table)[: len(cells)]


def strings(text: object) -> tuple[str, ...] | None:
    """The strings of a JSON array of strings. None where it is anything else."""
    if type(text) is not str:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        return None
    return tuple(found)


@cache
def _types(table: Table) -> tuple[type, ...]:
    return tuple(column.type.python_type for column in table.columns)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return NotText(raw.decode(errors="surrogateescape"))
