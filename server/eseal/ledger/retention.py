"""Deleting what is old: the beginning of each chain, and only requests that are old as a whole.

A chain can be shortened at its beginning alone: its writer then notes the last row that went, and the rest still links
to that. A request goes with all its attempts or stays with all of them, so that no attempt is left without its outcome.
Whatever stands before a row that must stay, stays too. How many seals went under each mandate is kept, for its quota.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, not_, select, union, update

from eseal.ledger.cells import as_it_is
from eseal.ledger.database import translated, write
from eseal.ledger.recall import to_microseconds
from eseal.ledger.schema import POSITIONS, basis, intent, material, outcome, retention, writer, writer_of
from eseal.ledger.tally import HOUR, carry, counted
from eseal.ledger.written import require_all, written_bases

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Delete, Engine

DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Deleted:
    """How much went, or would go."""

    intents: int
    outcomes: int
    contents: int


def retain(engine: Engine, before: datetime, *, apply: bool) -> Deleted:
    """Delete what was recorded before ``before`` and may go; without ``apply``, only tell how much that is.

    Raise SetupError where somebody changed what decides that.
    """
    with (
        translated("be cleaned up"),
        write(engine) as connection,
        connection.begin() as transaction,
        as_it_is(connection),
    ):
        require_all(connection)
        deleted = _Retention(connection, to_microseconds(before)).run()
        if not apply:
            transaction.rollback()
    return deleted


_ENDS = (writer.c.number, writer.c.base_position, writer.c.head_position)

# A planned base stands in the writer table while the plan is made: what is not after it goes.
_intent_writer = writer.alias("intent_writer")
_outcome_writer = writer.alias("outcome_writer")
_INTENT_GOES = intent.c.serial <= _intent_writer.c.number * POSITIONS + _intent_writer.c.base_position
_OUTCOME_GOES = outcome.c.serial <= _outcome_writer.c.number * POSITIONS + _outcome_writer.c.base_position
_INTENTS = intent.join(_intent_writer, _intent_writer.c.number == writer_of(intent.c.serial))
_OUTCOMES = outcome.join(_outcome_writer, _outcome_writer.c.number == writer_of(outcome.c.serial)).join(
    intent, intent.c.serial == outcome.c.intent
)
_OUTCOME_IS_GONE = outcome.c.intent.in_(
    select(outcome.c.intent).select_from(_OUTCOMES).where(_OUTCOME_GOES).correlate(None)
)
_KEPT_REQUESTS = union(
    select(intent.c.request).select_from(_INTENTS).where(not_(_INTENT_GOES)),
    select(intent.c.request).select_from(_OUTCOMES).where(not_(_OUTCOME_GOES)),
)


class _Retention:
    """One run, inside one transaction."""

    def __init__(self, connection: Connection, before: int) -> None:
        self._connection = connection
        self._before = before

    def run(self) -> Deleted:
        """Plan, delete, and put the act on record."""
        self._plan()
        self._keep_requests_whole()
        self._note_bases()
        mandates = {digest: basis.mandate_ids for digest, basis in written_bases(self._connection).items()}
        carry(self._connection, counted(self._connection, _OUTCOME_IS_GONE, mandates=mandates))
        outcomes = self._delete(delete(outcome).where(_OUTCOME_IS_GONE))
        intents = self._delete(
            delete(intent).where(intent.c.serial.in_(select(intent.c.serial).select_from(_INTENTS).where(_INTENT_GOES)))
        )
        contents = self._delete_contents()
        if intents or outcomes:
            now = time.time_ns() // 1000
            self._connection.execute(insert(retention).values(at=now, before=self._before, rows=intents + outcomes))
        return Deleted(intents, outcomes, contents)

    def _plan(self) -> None:
        """Plan to cut each chain just before its first row that is not old."""
        first_kept: dict[int, int] = {}
        for table in (intent, outcome):
            number = writer_of(table.c.serial).label("number")
            rows = self._connection.execute(
                select(number, func.min(table.c.serial)).where(table.c.recorded >= self._before).group_by(number)
            )
            for owner, serial in rows:
                first_kept[owner] = min(serial, first_kept.get(owner, serial))
        for row in self._connection.execute(select(*_ENDS)).all():
            last = first_kept[row.number] % POSITIONS - 1 if row.number in first_kept else row.head_position
            self._move_base(row.number, max(last, row.base_position))

    def _keep_requests_whole(self) -> None:
        """Cut earlier where a request would lose some of its rows, until none does. Each round keeps more."""
        while True:
            violations = [
                *self._connection.execute(
                    select(_intent_writer.c.number, func.min(intent.c.serial))
                    .select_from(_INTENTS)
                    .where(_INTENT_GOES, intent.c.request.in_(_KEPT_REQUESTS))
                    .group_by(_intent_writer.c.number)
                ),
                *self._connection.execute(
                    select(_outcome_writer.c.number, func.min(outcome.c.serial))
                    .select_from(_OUTCOMES)
                    .where(_OUTCOME_GOES, intent.c.request.in_(_KEPT_REQUESTS))
                    .group_by(_outcome_writer.c.number)
                ),
            ]
            if not violations:
                return
            for number, serial in sorted(violations, reverse=True):
                self._move_base(number, serial % POSITIONS - 1)

    def _move_base(self, number: int, position: int) -> None:
        self._connection.execute(update(writer).where(writer.c.number == number).values(base_position=position))

    def _note_bases(self) -> None:
        """Give each base its digest: that of the last row that goes."""
        last = writer.c.number * POSITIONS + writer.c.base_position
        for table in (intent, outcome):
            digest = select(table.c.digest).where(table.c.serial == last).scalar_subquery()
            found = select(table.c.serial).where(table.c.serial == last).exists()
            self._connection.execute(update(writer).where(found).values(base_digest=digest))

    def _delete_contents(self) -> int:
        """Delete shared contents that no remaining row refers to.

        Whoever writes a row says so of its contents within an hour before, so contents that were not used since a day
        before the oldest remaining row are not referred to.
        """
        moments = [self._before, time.time_ns() // 1000]
        for table in (intent, outcome):
            oldest = self._connection.execute(select(func.min(table.c.recorded))).scalar_one()
            moments += [oldest] if oldest is not None else []
        unused = min(moments) - DAY
        return sum(self._delete(delete(table).where(table.c.used < unused)) for table in (material, basis))

    def _delete(self, statement: Delete) -> int:
        return self._connection.execute(statement).rowcount
