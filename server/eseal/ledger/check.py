"""Checking the ledger: every row against its chain, every reference against what it refers to.

One pass in one snapshot, so it may run beside a busy server. A fault is reported at the row where it shows; the pass
goes on from that row's own digest, so one changed row is one fault and not a thousand.
"""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from eseal.ledger import schema
from eseal.ledger.cells import as_written, snapshot_as_it_is
from eseal.ledger.chain import link
from eseal.ledger.database import translated
from eseal.ledger.recall import from_microseconds
from eseal.ledger.references import reference_faults
from eseal.ledger.schema import POSITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row, Table

ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """The newest row of a writer's chain: note it elsewhere, and the rows up to it cannot be rewritten unnoticed."""

    writer: int
    position: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class ChainFault:
    """Something that is not as it was written. ``position`` is 0 where it is not about one row."""

    writer: int
    position: int
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Deletion:
    """What retention did: when, how many rows, recorded before when."""

    at: datetime
    before: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a check found. Of deleted rows there is only retention's own word: whether it was due, a person must judge."""

    rows: int
    heads: tuple[Head, ...]
    faults: tuple[ChainFault, ...]
    deletions: tuple[Deletion, ...] = ()


def check_chain(engine: Engine, noted: Sequence[Head] = ()) -> ChainReport:
    """Check the whole ledger, and that the ``noted`` heads of an earlier check are still in their chains."""
    with translated("be read"), snapshot_as_it_is(engine) as connection:
        writers = connection.execute(select(schema.writer).order_by(schema.writer.c.number)).all()
        ends = [_Ends.of(row) for row in writers]
        deletions, deletion_faults = _deletions(connection)
        base_faults = list(_base_faults(ends, deletions))
        walk = _Walk({one.number: one for one in ends}, noted, explained=not base_faults)
        rows = sum(1 for _ in map(walk.step, _rows(connection)))
        walk.finish()
        faults = [*_writer_faults(writers), *deletion_faults, *base_faults, *walk.faults]
        deleted = sum(one.rows for one in deletions)
        faults += [ChainFault(0, 0, rule, message) for rule, message in reference_faults(connection, deleted)]
    heads = tuple(Head(one.number, *one.head) for one in ends if one.head)
    return ChainReport(rows, heads, tuple(faults), deletions)


def heads_from_json(text: str) -> tuple[Head, ...]:
    """Read the heads out of what ``eseal ledger check --json`` printed. Raise ValueError for anything else."""
    try:
        listed = json.loads(text)["heads"]
        return tuple(Head(head["writer"], head["position"], bytes.fromhex(head["digest"])) for head in listed)
    except (KeyError, TypeError) as error:
        message = "not the output of `eseal ledger check --json`"
        raise ValueError(message) from error


@dataclass(frozen=True, slots=True)
class _Ends:
    """Where a writer says that its chain begins and ends, as (position, digest); None where it says nothing of the kind."""

    number: int
    base: tuple[int, bytes] | None
    head: tuple[int, bytes] | None

    @classmethod
    def of(cls, row: Row[Any]) -> _Ends:
        def end(position: object, digest: object) -> tuple[int, bytes] | None:
            return (position, digest) if isinstance(position, int) and isinstance(digest, bytes) else None

        return cls(row.number, end(row.base_position, row.base_digest), end(row.head_position, row.head_digest))


class _Walk:
    """Goes along all chains, in the order of the serials. ``explained``: retention says how the chains lost their beginnings."""

    def __init__(self, writers: dict[int, _Ends], noted: Sequence[Head], *, explained: bool) -> None:
        self.faults: list[ChainFault] = []
        self._writers = writers
        # A chain whose beginning is not told begins at its first row, whatever that is.
        self._ends = {number: one.base for number, one in writers.items()}
        self._noted = {(head.writer, head.position): head for head in noted}
        self._explained = explained
        for number, base in self._ends.items() if explained else ():
            if base:
                self._note(number, *base)

    def step(self, row: tuple[object, Table, tuple[Any, ...], bytes]) -> None:
        """Check one row against the row before it."""
        serial, table, cells, digest = row
        if not isinstance(serial, int):
            self._fault(0, 0, "row-changed", f"{_named(table, cells)} has a place that is no number")
            return
        number, position = divmod(serial, POSITIONS)
        if number not in self._ends:
            self._fault(number, position, "row-without-writer", f"{table.name} row of a writer that is not listed")
            return
        last, previous = self._ends[number] or (position - 1, None)
        if position <= last:
            self._fault(number, position, "row-extra", f"{table.name} row at a place that is taken or was deleted")
            return
        if position > last + 1:
            self._fault(number, last + 1, "row-missing", f"rows {last + 1} to {position - 1} are gone")
        elif previous is not None and _linked(table, previous, cells) != digest:
            self._fault(
                number, position, "row-changed", f"{table.name} row, or its place, is not what its digest was made of"
            )
        self._ends[number] = (position, digest)
        self._note(number, position, digest)

    def finish(self) -> None:
        """Check the ends of the chains, and that every noted head was passed."""
        for number, end in self._ends.items():
            told = self._writers[number].head
            if end is None or told is None:
                continue  # Told as a fault of the writer's.
            if end[0] < told[0]:
                self._fault(number, end[0] + 1, "row-missing", f"rows {end[0] + 1} to {told[0]} are gone")
            elif end != told:
                self._fault(number, end[0], "head-changed", "the chain does not end where its writer says")
        for head in self._noted.values():
            writer = self._writers.get(head.writer)
            base = writer.base if writer else None
            if base is None or head.position > base[0] or not self._explained:
                self._fault(head.writer, head.position, "noted-head", "the noted head is not in the chain any more")

    def _note(self, number: int, position: int, digest: bytes) -> None:
        head = self._noted.pop((number, position), None)
        if head is not None and head.digest != digest:
            self._fault(number, position, "noted-head", "the row at the noted head is not the row that was noted")

    def _fault(self, writer: int, position: int, rule: str, message: str) -> None:
        self.faults.append(ChainFault(writer, position, rule, message))


def _rows(connection: Connection) -> Iterator[tuple[object, Table, tuple[Any, ...], bytes]]:
    """Both tables' rows as (serial, table, cells without digest, digest), in the order of the serials."""
    streaming = connection.execution_options(yield_per=ROWS_AT_ONCE)
    intents = streaming.execute(select(schema.intent).order_by(schema.intent.c.serial))
    outcomes = streaming.execute(select(schema.outcome).order_by(schema.outcome.c.serial))
    return heapq.merge(
        ((row.serial, schema.intent, tuple(row)[:-1], row.digest) for row in intents),
        ((row.serial, schema.outcome, tuple(row)[:-1], row.digest) for row in outcomes),
        # SQLite has numbers before all else, too.
        key=lambda row: row[0] if isinstance(row[0], int | float) else inf,
    )


def _named(table: Table, cells: Sequence[object]) -> str:
    """What a row is called that has no place in a chain."""
    if type(cells[0]) is not int:
        return f"the {table.name} row {cells[0]!r:.40}"
    return "the {} row of row {}-{}".format(table.name, *divmod(cells[0], POSITIONS))


def _linked(table: Table, previous: object, cells: Sequence[Any]) -> bytes | None:
    """The digest of a row as it was written; None where a cell is of a type that never is."""
    if not isinstance(previous, bytes) or not as_written(table, cells):
        return None
    return link(str(table.name), previous, cells)  # SQLAlchemy's name is no plain string


def _deletions(connection: Connection) -> tuple[tuple[Deletion, ...], list[ChainFault]]:
    """What retention put on record, and what stands there that it cannot have."""
    deletions: list[Deletion] = []
    faults: list[ChainFault] = []
    for row in connection.execute(select(schema.retention).order_by(schema.retention.c.at)):
        made = _deletion(row)
        if made:
            deletions.append(made)
        else:
            message = f"what retention is said to have deleted at {row.at!r:.40} has a time or a number that cannot be"
            faults.append(ChainFault(0, 0, "retention-changed", message))
    return tuple(deletions), faults


def _deletion(row: Row[Any]) -> Deletion | None:
    if not as_written(schema.retention, row):
        return None
    try:
        return Deletion(from_microseconds(row.at), from_microseconds(row.before), row.rows)
    except OverflowError:
        return None


def _base_faults(writers: Sequence[_Ends], deletions: Sequence[Deletion]) -> Iterator[ChainFault]:
    """Check that the chains lost as many rows at their beginnings as retention says that it deleted."""
    gone, told = sum(one.base[0] for one in writers if one.base), sum(one.rows for one in deletions)
    if gone != told:
        message = f"{gone} rows are gone from the beginnings of the chains, and retention says that it deleted {told}"
        yield ChainFault(0, 0, "rows-deleted", message)


def _writer_faults(writers: Sequence[Row[Any]]) -> Iterator[ChainFault]:
    """Check that the writers follow one another and are what their geneses were made of."""
    previous: object = b""
    for place, row in enumerate(writers, start=1):
        if row.number != place:
            yield ChainFault(place, 0, "writer-missing", "a writer is gone from the list")
            return
        if _linked(schema.writer, previous, (row.number, row.host, row.process, row.started)) != row.genesis:
            yield ChainFault(row.number, 0, "writer-changed", "the writer is not what its genesis was made of")
        ends = _Ends.of(row)
        if ends.base is None or ends.head is None:
            message = "the writer's beginning or end is no place and digest"
            yield ChainFault(row.number, 0, "writer-changed", message)
        previous = row.genesis
