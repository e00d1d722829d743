"""How far mandates are used: what the ledger recorded, and what was granted and may not be recorded yet.

The batches of one process decide side by side. Each counts what the others were granted, so that together they never go
over a quota. A grant that comes to nothing counts until its batch has ended: in doubt a quota refuses. What other
processes have granted is not known here; the ledger holds the quotas of a grant once more when it records the seal.
"""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

from eseal.mandate.decision import Use
from eseal.mandate.rules import quota_refusal
from eseal.mandate.scope import Period
from eseal.terms import QuotaInForce

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import date, datetime

    from eseal.mandate.files import Mandate
    from eseal.mandate.register import Register
    from eseal.terms import Refusal


class Usage(Protocol):
    """How often mandates were used: what the ledger recorded."""

    def sealed(self, mandate_id: str, since: datetime | None, until: datetime | None) -> int:
        """Count the seals recorded under the mandate from ``since`` on and before ``until`` (aware datetimes), or ever."""
        ...


class OpenGrants:
    """The grants of this process under mandates with quotas, by mandate. Any thread may call."""

    def __init__(self) -> None:
        # Guards both, which only grow: what is open is what was granted and not closed.
        self._lock = Lock()
        self._granted: Counter[str] = Counter()
        self._closed: Counter[str] = Counter()

    def state(self, mandate_id: str) -> tuple[int, int]:
        """Return how many grants are open, and how many there ever were."""
        with self._lock:
            granted = self._granted[mandate_id]
            return granted - self._closed[mandate_id], granted

    def take(self, mandate_ids: Collection[str], free: Callable[[str, int], bool]) -> bool:
        """Open a grant under each mandate, if ``free`` says of each and of its grants so far that one is left."""
        with self._lock:
            if not all(free(mandate_id, self._granted[mandate_id]) for mandate_id in mandate_ids):
                return False
            self._granted.update(mandate_ids)
            return True

    def close(self, granted: Counter[str]) -> None:
        """End a batch: what became of its grants is in the ledger."""
        with self._lock:
            self._closed.update(granted)


class _Recorded(NamedTuple):
    """What the ledger had recorded, and the open grants and all grants at the moment before it was asked."""

    seals: int
    open: int
    granted: int

    def used(self, granted: int) -> int:
        """Count what is used once there were ``granted`` grants: the open ones may be among the seals already."""
        return self.seals + self.open + granted - self.granted


class Quotas:
    """The quotas that one batch is held to; without ``usage`` they count as unused. Owned by the batch's thread."""

    def __init__(self, register: Register, usage: Usage | None, open_grants: OpenGrants, today: date) -> None:
        self._register = register
        self._usage = usage
        self._open_grants = open_grants
        self._today = today
        self._recorded: dict[tuple[str, Period], _Recorded] = {}
        self._taken: Counter[str] = Counter()

    def refusals(self, mandate: Mandate) -> Iterator[Refusal]:
        """Say which quota is used up."""
        for period, quota in mandate.scope.quota.limits:
            if self._usage and (used := self._used(self._usage, mandate.id, period)) >= quota:
                yield quota_refusal(mandate, period, quota, used=used)

    def uses(self, mandate: Mandate) -> Iterator[Use]:
        """Yield how far each quota of the mandate is used."""
        for period, quota in mandate.scope.quota.limits:
            used = self._used(self._usage, mandate.id, period) if self._usage else None
            yield Use(mandate.id, period, quota, used)

    def in_force(self, mandate: Mandate) -> Iterator[QuotaInForce]:
        """Yield the quotas of the mandate that a seal of today is held to when it is recorded."""
        for period, quota in mandate.scope.quota.limits if self._usage else ():
            since, until = self._window(period)
            yield QuotaInForce(mandate.id, since, until, quota, quota_refusal(mandate, period, quota, used=quota))

    def take(self, mandates: Sequence[Mandate]) -> bool:
        """Count a seal under each mandate, unless a quota was used up since they were judged."""
        limited = {mandate.id: mandate for mandate in mandates if self._usage and mandate.scope.quota.limits}

        def free(mandate_id: str, granted: int) -> bool:
            limits = limited[mandate_id].scope.quota.limits
            return all(self._recorded[mandate_id, period].used(granted) < quota for period, quota in limits)

        taken = not limited or self._open_grants.take(limited.keys(), free)
        if taken:
            self._taken.update(limited.keys())
        return taken

    def close(self) -> None:
        """End the batch: what was taken is recorded by now, or came to nothing."""
        self._open_grants.close(self._taken)
        self._taken = Counter()

    def _used(self, usage: Usage, mandate_id: str, period: Period) -> int:
        if (mandate_id, period) not in self._recorded:
            # In this order: what is concluded in between counts twice, and never not at all.
            opened, granted = self._open_grants.state(mandate_id)
            since, until = self._window(period)
            seals = usage.sealed(mandate_id, since, until)
            self._recorded[mandate_id, period] = _Recorded(seals, opened, granted)
        return self._recorded[mandate_id, period].used(self._open_grants.state(mandate_id)[1])

    def _window(self, period: Period) -> tuple[datetime | None, datetime | None]:
        return self._register.ends(self._today) if period is Period.DAY else (None, None)
