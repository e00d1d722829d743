"""How often each mandate was used: counted by the hour, for quotas.

The rows are the truth, and ``check`` compares; the tally is what makes a quota cheap to hold. Each writer counts in
rows of its own, so that replicas never wait for one another here. What retention deletes is carried forward, for a quota
over all time counts it still: in a row a mandate, under an hour and a writer that there is not.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, bindparam, delete, func, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from eseal.ledger.schema import intent, outcome, tally, writer_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Insert

HOUR = 3_600_000_000
# The hour and the writer of what is carried forward.
CARRIED = 0


def count(connection: Connection, uses: Iterable[tuple[str, ...]], *, writer: int, now: int) -> None:
    """Add seals to the tally: the mandate ids of each. ``now`` is in microseconds."""
    sealed: Counter[str] = Counter()
    for mandate_ids in uses:
        sealed.update(mandate_ids)
    if not sealed:
        return
    _add(connection, {(mandate_id, now // HOUR, writer): number for mandate_id, number in sealed.items()})


def counted(
    connection: Connection, *which: ColumnElement[bool], mandates: Mapping[bytes, Sequence[str]]
) -> Counter[tuple[str, int, int]]:
    """Count the seals again, from the outcomes of ``which`` that holds: by mandate id, hour and writer.

    ``mandates`` are the mandate ids of each basis.
    """
    hour, writer = outcome.c.recorded // literal_column(str(HOUR), BigInteger), writer_of(outcome.c.serial)
    found = connection.execute(
        select(intent.c.basis, hour.label("hour"), writer.label("writer"), func.count().label("sealed"))
        .join(outcome, outcome.c.intent == intent.c.serial)
        .where(outcome.c.state == "SEALED", *which)
        .group_by(intent.c.basis, hour, writer)
    ).all()
    sealed: Counter[tuple[str, int, int]] = Counter()
    for row in found:
        for mandate_id in mandates.get(row.basis, ()):
            sealed[mandate_id, row.hour, row.writer] += row.sealed
    return sealed


def carry(connection: Connection, sealed: Counter[tuple[str, int, int]]) -> None:
    """Carry forward what was ``counted`` of rows that go."""
    if not sealed:
        return
    connection.execute(
        _TAKE_OFF,
        [
            {"mandate_id_": mandate_id, "hour_": hour, "writer_": writer, "sealed_": number}
            for (mandate_id, hour, writer), number in sorted(sealed.items())
        ],
    )
    connection.execute(delete(tally).where(tally.c.sealed <= 0))
    carried: Counter[tuple[str, int, int]] = Counter()
    for (mandate_id, _, _), number in sealed.items():
        carried[mandate_id, CARRIED, CARRIED] += number
    _add(connection, carried)


_TAKE_OFF = (
    update(tally)
    .where(
        tally.c.mandate_id == bindparam("mandate_id_"),
        tally.c.hour == bindparam("hour_"),
        tally.c.writer == bindparam("writer_"),
    )
    .values(sealed=tally.c.sealed - bindparam("sealed_"))
)


def _add(connection: Connection, sealed: Mapping[tuple[str, int, int], int]) -> None:
    connection.execute(
        _adding(connection.dialect.name),
        [
            {"mandate_id": mandate_id, "hour": hour, "writer": writer, "sealed": number}
            for (mandate_id, hour, writer), number in sorted(sealed.items())
        ],
    )


@cache
def _adding(dialect: str) -> Insert:
    """Insert a row, or add to the one that is there."""
    build = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = build(tally)
    return statement.on_conflict_do_update(
        index_elements=[tally.c.mandate_id, tally.c.hour, tally.c.writer],
        set_={"sealed": tally.c.sealed + statement.excluded.sealed},
    )


def sealed_between(connection: Connection, mandate_id: str, since: int | None, until: int | None) -> int:
    """Count the seals under a mandate from ``since`` to before ``until`` (microseconds; whole hours count), or ever."""
    query = select(func.coalesce(func.sum(tally.c.sealed), 0)).where(tally.c.mandate_id == mandate_id)
    if since is not None:
        query = query.where(tally.c.hour >= since // HOUR)
    if until is not None:
        query = query.where(tally.c.hour <= (until - 1) // HOUR)
    return int(connection.execute(query).scalar_one())
