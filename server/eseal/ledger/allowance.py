"""What is left of quotas while a transaction records seals, whoever else records some at the same time.

The mandate policy holds quotas too, before anything is signed, but of other processes it knows only what they have
recorded. Here nothing escapes: SQLite has one writer at a time, and on PostgreSQL those who record seals under the same
mandate with a quota wait for one another.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from eseal.ledger.recall import to_microseconds
from eseal.ledger.tally import sealed_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from eseal.terms import QuotaInForce


class Allowance:
    """The quotas that one transaction is held to. ``hold`` comes before anything is written."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._used: Counter[QuotaInForce] = Counter()

    def hold(self, quotas: Iterable[QuotaInForce]) -> None:
        """See how far these quotas are used; that stays true until the transaction ends. In the same order everywhere."""
        fresh = sorted({quota.mandate_id for quota in quotas})
        if self._connection.dialect.name == "postgresql":
            for mandate_id in fresh:
                self._connection.execute(select(func.pg_advisory_xact_lock(_lock_number(mandate_id))))
        for quota in quotas:
            if quota not in self._used:
                since, until = (
                    None if moment is None else to_microseconds(moment) for moment in (quota.since, quota.until)
                )
                self._used[quota] = sealed_between(self._connection, quota.mandate_id, since, until)

    def take(self, quotas: Sequence[QuotaInForce]) -> QuotaInForce | None:
        """Count a seal under each of ``quotas``; where one is used up, nothing is counted and that one is returned."""
        for quota in quotas:
            if self._used[quota] >= quota.limit:
                return quota
        self._used.update(quotas)
        return None


def _lock_number(mandate_id: str) -> int:
    """A mandate's number among PostgreSQL's advisory locks; two with the same would only wait for each other."""
    return int.from_bytes(sha256(b"eseal quota " + mandate_id.encode()).digest()[:8], signed=True)
