"""Quotas hold to the last seal, however many processes record seals at the same time."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from eseal.ledger import Admitted, Outcome, OverQuota, Release, Resume, State
from eseal.terms import QuotaInForce, Refusal
from tests.ledger.intents import intent, keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eseal.ledger import Conclusion, Ledger
    from tests.ledger.conftest import OpenLedger

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def quota(limit: int, mandate_id: str = "dcu-2026", *, since: datetime | None = None) -> QuotaInForce:
    """A quota over the mandate's life, or from ``since`` on for two days."""
    until = since and since + timedelta(days=2)
    return QuotaInForce(mandate_id, since, until, limit, Refusal("quota-total", "used up", mandate_id))


def attempt(ledger: Ledger, ids: Sequence[str], *quotas: QuotaInForce) -> list[Outcome]:
    """Intend these requests, and sign them."""
    outcomes = []
    for admission in ledger.intend([intent(one, quotas=quotas) for one in ids]):
        assert isinstance(admission, Admitted)
        outcomes.append(Outcome(admission.claim, os.urandom(64)))
    return outcomes


def kinds(conclusions: Sequence[Conclusion]) -> list[str]:
    """What came of each."""
    return [type(one).__name__ for one in conclusions]


def test_the_last_of_a_quota_goes_to_one_of_two_processes(open_ledger: OpenLedger) -> None:
    """What both were granted before either recorded it: the first has all of its own, the second what is left."""
    ours, theirs = open_ledger(), open_ledger()
    first = attempt(ours, [f"a-{n}" for n in range(4)], quota(6))
    second = attempt(theirs, [f"b-{n}" for n in range(4)], quota(6))

    assert ["Release"] * 4 == kinds(ours.conclude(first))
    assert ["Release"] * 2 + ["OverQuota"] * 2 == kinds(theirs.conclude(second))
    assert 6 == ours.sealed("dcu-2026")
    assert () == ours.check().faults


def test_who_went_over_is_known_again(open_ledger: OpenLedger) -> None:
    """The attempt is recorded as failed without its signature, and made again under its credential id once that is free."""
    ledger = open_ledger()
    (outcome,) = attempt(ledger, ["late"], quota(0))
    (conclusion,) = ledger.conclude([outcome])
    (entry,) = ledger.recall(keys([intent("late")]))
    (again,) = ledger.intend([intent("late")])

    assert OverQuota(quota(0)) == conclusion
    assert entry is not None
    assert (State.FAILED, "OVER_QUOTA", b"") == (entry.state, entry.failure, entry.signature)
    assert Resume(entry) == again
    (admitted,) = ledger.intend([intent("late", credential_id=entry.intent.credential_id)])
    assert isinstance(admitted, Admitted)
    assert [Release()] == ledger.conclude([Outcome(admitted.claim, b"signature")])


def test_each_quota_counts_its_own(open_ledger: OpenLedger) -> None:
    """A day's quota counts the day's seals, a mandate's its own; a seal under two mandates counts under both or neither."""
    ledger = open_ledger()
    ledger.conclude(attempt(ledger, ["one"]))
    yesterday = quota(0, since=MIDNIGHT - timedelta(days=1))
    today = quota(2, since=MIDNIGHT)
    (past,) = ledger.conclude(attempt(ledger, ["past"], yesterday))
    assert OverQuota(yesterday) == past
    assert ["Release", "OverQuota"] == kinds(ledger.conclude(attempt(ledger, ["two", "three"], today, quota(9))))
    both = (quota(3), quota(0, "ucd-2026"))
    assert ["OverQuota"] == kinds(ledger.conclude(attempt(ledger, ["joint"], *both)))
    assert ["Release", "OverQuota"] == kinds(ledger.conclude(attempt(ledger, ["four", "five"], quota(3))))


def test_a_limit_that_changed_meanwhile(open_ledger: OpenLedger) -> None:
    """Seals that were granted before and after the register changed count together, also in one transaction."""
    ledger = open_ledger()
    first = attempt(ledger, [f"a-{n}" for n in range(4)], quota(5))
    second = attempt(ledger, [f"b-{n}" for n in range(4)], quota(6))

    assert ["Release"] * 6 + ["OverQuota"] * 2 == kinds(ledger.conclude([*first, *second]))


def test_a_day_that_ended_meanwhile(open_ledger: OpenLedger) -> None:
    """What was granted before midnight and is recorded after it counts for the new day."""
    ours, theirs = open_ledger(), open_ledger()
    yesterday = replace(quota(1), since=MIDNIGHT - timedelta(days=1), until=MIDNIGHT)
    first, second = attempt(ours, ["a"], yesterday), attempt(theirs, ["b"], yesterday)

    assert ["Release"] == kinds(ours.conclude(first))
    assert ["OverQuota"] == kinds(theirs.conclude(second))


def test_failures_cost_nothing(open_ledger: OpenLedger) -> None:
    """What was not signed leaves its place in the quota to another."""
    ledger = open_ledger()
    outcomes = attempt(ledger, ["lost", "made"], quota(1))
    outcomes[0] = Outcome(outcomes[0].claim, failure="NOT_SIGNED")
    assert [Release(), Release()] == ledger.conclude(outcomes)
    assert 1 == ledger.sealed("dcu-2026")


def test_racing_processes_seal_exactly_the_quota(open_ledger: OpenLedger) -> None:
    """Four ledgers, two threads each, batch after batch: together they release what the quotas allow, and all of it."""
    ledgers = [open_ledger() for _ in range(4)]

    def race(number: int) -> list[str]:
        ledger, said = ledgers[number % 4], []
        for batch in range(6):
            ids = [f"{number}-{batch}-{n}" for n in range(5)]
            # In another order each time, as joint awards name their mandates: nobody may wait in a circle.
            quotas = [quota(100), quota(90, "ucd-2026"), quota(100, since=MIDNIGHT)]
            mandates = ("dcu-2026", "ucd-2026")
            intents = [intent(one, quotas=tuple(quotas[:: (-1) ** number]), mandate_ids=mandates) for one in ids]
            claims = [one.claim for one in ledger.intend(intents) if isinstance(one, Admitted)]
            said += kinds(ledger.conclude([Outcome(claim, os.urandom(64)) for claim in claims]))
        return said

    with ThreadPoolExecutor(8) as threads:
        said = Counter(kind for kinds_ in threads.map(race, range(8)) for kind in kinds_)

    assert {"Release": 90, "OverQuota": 150} == dict(said)
    assert (90, 90) == (ledgers[0].sealed("dcu-2026"), ledgers[0].sealed("ucd-2026"))
    assert () == ledgers[0].check().faults
