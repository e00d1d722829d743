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
    from collections.abc import Iterable
    from typing import TypeAlias

    from sqlalchemy import Connection

    from eseal.ledger.records import Claim
    from eseal.terms import QuotaInForce

    Window: TypeAlias = tuple[int | None, int | None]


class Allowance:
    """The quotas that one transaction is held to. ``hold`` comes before anything is written."""

    def __init__(self, connection: Connection, now: int) -> None:
        """``now`` is when the seals are recorded, in microseconds: the hour that they count in."""
        self._connection = connection
        self._now = now
        self._before: dict[tuple[str, Window], int] = {}
        self._here: Counter[str] = Counter()

    def hold(self, quotas: Iterable[QuotaInForce]) -> None:
        """See how far these quotas are used; that stays true until the transaction ends. In the same order everywhere."""
        fresh = sorted({quota.mandate_id for quota in quotas})
        if self._connection.dialect.name == "postgresql":
            for mandate_id in fresh:
                self._connection.execute(select(func.pg_advisory_xact_lock(_lock_number(mandate_id))))
        for quota in quotas:
            window = self._window(quota)
            if (quota.mandate_id, window) not in self._before:
                self._before[quota.mandate_id, window] = sealed_between(self._connection, quota.mandate_id, *window)

    def take(self, claim: Claim) -> QuotaInForce | None:
        """Count a seal under its mandates; where one of its quotas is used up, nothing is counted and that one is returned.

        What this transaction records counts for every quota of a mandate, whatever the register said when it was granted.
        """
        for quota in claim.quotas:
            if self._before[quota.mandate_id, self._window(quota)] + self._here[quota.mandate_id] >= quota.limit:
                return quota
        self._here.update(claim.mandate_ids)
        return None

    def _window(self, quota: QuotaInForce) -> Window:
        """The quota's day; that of the record, where the seal was granted before midnight and is recorded after it."""
        since, until = (None if moment is None else to_microseconds(moment) for moment in (quota.since, quota.until))
        return (until, None) if until is not None and until <= self._now else (since, until)


def _lock_number(mandate_id: str) -> int:
    """A mandate's number among PostgreSQL's advisory locks; two with the same would only wait for each other."""
    return int.from_bytes(sha256(b"eseal quota " + mandate_id.encode()).digest()[:8], signed=True)
