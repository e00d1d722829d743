"""How often each mandate was used: counted by the hour, for quotas.

The rows are the truth, and ``check`` compares; the tally is what makes a quota cheap to hold. Each writer counts in
rows of its own, so that replicas never wait for one another here.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from eseal.ledger.schema import tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Insert

HOUR = 3_600_000_000


def count(connection: Connection, uses: Iterable[tuple[str, ...]], *, writer: int, now: int) -> None:
    """Add seals to the tally: the mandate ids of each. ``now`` is in microseconds."""
    sealed: Counter[str] = Counter()
    for mandate_ids in uses:
        sealed.update(mandate_ids)
    if not sealed:
        return
    connection.execute(
        _adding(connection.dialect.name),
        [
            {"mandate_id": mandate_id, "hour": now // HOUR, "writer": writer, "sealed": number}
            for mandate_id, number in sorted(sealed.items())
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
