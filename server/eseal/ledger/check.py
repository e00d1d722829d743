"""Checking the ledger: every row against its chain, every reference against what it refers to.

One pass in one snapshot, so it may run beside a busy server. A fault is reported at the row where it shows; the pass
goes on from that row's own digest, so one changed row is one fault and not a thousand.
"""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from eseal.ledger import schema
from eseal.ledger.chain import genesis, link
from eseal.ledger.database import snapshot, translated
from eseal.ledger.recall import from_microseconds
from eseal.ledger.references import reference_faults
from eseal.ledger.schema import POSITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

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
    with translated("be read"), snapshot(engine) as connection:
        writers = connection.execute(select(schema.writer).order_by(schema.writer.c.number)).all()
        deletions = tuple(_deletions(connection))
        base_faults = list(_base_faults(writers, deletions))
        walk = _Walk({row.number: row for row in writers}, noted, explained=not base_faults)
        rows = sum(1 for _ in map(walk.step, _rows(connection)))
        walk.finish()
        faults = [*_writer_faults(writers), *base_faults, *walk.faults]
        faults += [ChainFault(0, 0, rule, message) for rule, message in reference_faults(connection)]
    heads = tuple(Head(row.number, row.head_position, row.head_digest) for row in writers)
    return ChainReport(rows, heads, tuple(faults), deletions)


def heads_from_json(text: str) -> tuple[Head, ...]:
    """Read the heads out of what ``eseal ledger check --json`` printed. Raise ValueError for anything else."""
    try:
        listed = json.loads(text)["heads"]
        return tuple(Head(head["writer"], head["position"], bytes.fromhex(head["digest"])) for head in listed)
    except (KeyError, TypeError) as error:
        message = "not the output of `eseal ledger check --json`"
        raise ValueError(message) from error


class _Walk:
    """Goes along all chains, in the order of the serials. ``explained``: retention says how the chains lost their beginnings."""

    def __init__(self, writers: dict[int, Row[Any]], noted: Sequence[Head], *, explained: bool) -> None:
        self.faults: list[ChainFault] = []
        self._writers = writers
        self._ends = {number: (row.base_position, row.base_digest) for number, row in writers.items()}
        self._noted = {(head.writer, head.position): head for head in noted}
        self._explained = explained
        for number, (position, digest) in self._ends.items() if explained else ():
            self._note(number, position, digest)

    def step(self, row: tuple[int, str, tuple[Any, ...], bytes]) -> None:
        """Check one row against the row before it."""
        serial, table, cells, digest = row
        number, position = divmod(serial, POSITIONS)
        if number not in self._ends:
            self._fault(number, position, "row-without-writer", f"{table} row of a writer that is not listed")
            return
        last, previous = self._ends[number]
        if position <= last:
            self._fault(number, position, "row-extra", f"{table} row at a place that is taken or was deleted")
            return
        if position > last + 1:
            self._fault(number, last + 1, "row-missing", f"rows {last + 1} to {position - 1} are gone")
        elif link(table, previous, cells) != digest:
            self._fault(
                number, position, "row-changed", f"{table} row, or its place, is not what its digest was made of"
            )
        self._ends[number] = (position, digest)
        self._note(number, position, digest)

    def finish(self) -> None:
        """Check the ends of the chains, and that every noted head was passed."""
        for number, (position, digest) in self._ends.items():
            told = self._writers[number]
            if position < told.head_position:
                self._fault(
                    number, position + 1, "row-missing", f"rows {position + 1} to {told.head_position} are gone"
                )
            elif (position, digest) != (told.head_position, told.head_digest):
                self._fault(number, position, "head-changed", "the chain does not end where its writer says")
        for head in self._noted.values():
            writer = self._writers.get(head.writer)
            if writer is None or head.position > writer.base_position or not self._explained:
                self._fault(head.writer, head.position, "noted-head", "the noted head is not in the chain any more")

    def _note(self, number: int, position: int, digest: bytes) -> None:
        head = self._noted.pop((number, position), None)
        if head is not None and head.digest != digest:
            self._fault(number, position, "noted-head", "the row at the noted head is not the row that was noted")

    def _fault(self, writer: int, position: int, rule: str, message: str) -> None:
        self.faults.append(ChainFault(writer, position, rule, message))


def _rows(connection: Connection) -> Iterator[tuple[int, str, tuple[Any, ...], bytes]]:
    """Both tables' rows as (serial, table, cells without digest, digest), in the order of the serials."""
    streaming = connection.execution_options(yield_per=ROWS_AT_ONCE)
    intents = streaming.execute(select(schema.intent).order_by(schema.intent.c.serial))
    outcomes = streaming.execute(select(schema.outcome).order_by(schema.outcome.c.serial))
    return heapq.merge(
        ((row.serial, "intent", tuple(row)[:-1], row.digest) for row in intents),
        ((row.serial, "outcome", tuple(row)[:-1], row.digest) for row in outcomes),
    )


def _deletions(connection: Connection) -> Iterator[Deletion]:
    for row in connection.execute(select(schema.retention).order_by(schema.retention.c.at)):
        yield Deletion(from_microseconds(row.at), from_microseconds(row.before), row.rows)


def _base_faults(writers: Sequence[Row[Any]], deletions: Sequence[Deletion]) -> Iterator[ChainFault]:
    """Check that the chains lost as many rows at their beginnings as retention says that it deleted."""
    gone, told = sum(row.base_position for row in writers), sum(one.rows for one in deletions)
    if gone != told:
        message = f"{gone} rows are gone from the beginnings of the chains, and retention says that it deleted {told}"
        yield ChainFault(0, 0, "rows-deleted", message)


def _writer_faults(writers: Sequence[Row[Any]]) -> Iterator[ChainFault]:
    """Check that the writers follow one another and are what their geneses were made of."""
    previous = b""
    for place, row in enumerate(writers, start=1):
        if row.number != place:
            yield ChainFault(place, 0, "writer-missing", "a writer is gone from the list")
            return
        made = genesis(previous, number=row.number, host=row.host, process=row.process, started=row.started)
        if made != row.genesis:
            yield ChainFault(row.number, 0, "writer-changed", "the writer is not what its genesis was made of")
        previous = row.genesis
