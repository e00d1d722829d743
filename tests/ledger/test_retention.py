"""Old requests go whole, from the beginning of the chains, and what remains still checks."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, insert, select, update

from eseal.ledger import Outcome, State, schema
from tests.ledger.intents import digest, intent, keys


def sealed(ledger, *request_ids):
    """Seal some requests, and return a moment after that."""
    batch = [intent(request_id) for request_id in request_ids]
    ledger.conclude([Outcome(one.claim, digest("s")) for one in ledger.intend(batch)])
    time.sleep(0.002)
    return batch, datetime.now(UTC)


def test_old_requests_go(ledger):
    """They are forgotten, the others are not; the chain is right before and after it grows on."""
    old, moment = sealed(ledger, "1", "2")
    new, _ = sealed(ledger, "3")
    heads = ledger.check().heads

    deleted = ledger.retain(moment, apply=True)

    assert (2, 2) == (deleted.intents, deleted.outcomes)
    assert [None, None] == ledger.recall(keys(old))
    assert State.SEALED == ledger.recall(keys(new))[0].state
    assert () == ledger.check(heads).faults
    sealed(ledger, "1")
    assert () == ledger.check(heads).faults


def test_all_may_go(ledger):
    """A ledger whose every row is old is empty afterwards, and goes on."""
    _, moment = sealed(ledger, "1", "2")
    ledger.retain(moment, apply=True)
    assert 0 == ledger.check().rows

    sealed(ledger, "3")

    assert (2, ()) == (ledger.check().rows, ledger.check().faults)


def test_a_request_that_is_not_old_as_a_whole_stays(ledger):
    """An old intent with a new outcome stays, and so does everything behind it in the chain."""
    sealed(ledger, "goes")
    (late,) = ledger.intend([intent("late")])
    behind, moment = sealed(ledger, "behind")
    ledger.conclude([Outcome(late.claim, digest("s"))])

    ledger.retain(moment, apply=True)

    assert (4, ()) == (ledger.check().rows, ledger.check().faults)
    assert State.SEALED == ledger.recall(keys(behind))[0].state


def test_a_request_in_two_chains_stays_together(open_ledger):
    """An old attempt of one worker that another took over later stays, however old it is."""
    first, second = open_ledger(claim_lease_seconds=0.001), open_ledger()
    gone, _ = sealed(first, "gone")
    one = intent("1")
    first.intend([one])
    time.sleep(0.01)
    moment = datetime.now(UTC)
    (claim,) = second.intend([one])
    second.conclude([Outcome(claim.claim, digest("s"))])

    first.retain(moment, apply=True)

    assert [None] == first.recall(keys(gone))
    assert (State.SEALED, 2) == (first.recall(keys([one]))[0].state, first.recall(keys([one]))[0].attempt)
    assert (4, ()) == (first.check().rows, first.check().faults)


def test_contents_go_when_nothing_refers_to_them(ledger):
    """Shared contents are deleted once they were not used for a day before the oldest row."""
    _, moment = sealed(ledger, "1")
    day = 24 * 3600 * 1_000_000
    with ledger.engine.begin() as connection:
        for table in (schema.material, schema.basis):
            connection.execute(update(table).values(used=table.c.used - 2 * day))

    deleted = ledger.retain(moment, apply=True)

    assert 3 == deleted.contents
    with ledger.engine.connect() as connection:
        assert 0 == connection.execute(select(func.count()).select_from(schema.material)).scalar_one()


def test_the_act_is_on_record(ledger):
    """When, up to which time, how many rows."""
    _, moment = sealed(ledger, "1")
    ledger.retain(moment, apply=True)
    ledger.retain(moment, apply=True)

    with ledger.engine.connect() as connection:
        rows = connection.execute(select(schema.retention)).all()
    assert [2] == [row.rows for row in rows]
    assert [2] == [one.rows for one in ledger.check().deletions]


HOUR = 3_600_000_000


def test_quotas_count_what_is_deleted(ledger):
    """A quota over all time is used up by seals whose rows are gone; one of a day by those of that day."""
    _, moment = sealed(ledger, "1", "2")
    sealed(ledger, "3")
    ledger.retain(moment, apply=True)
    _, later = sealed(ledger, "4")
    ledger.retain(later, apply=True)
    sealed(ledger, "5")

    assert 5 == ledger.sealed("dcu-2026")
    assert 1 == ledger.sealed("dcu-2026", since=later)
    assert () == ledger.check().faults


def test_quotas_count_what_is_old_and_stays(ledger):
    """Seals behind a request that is not old as a whole are counted in their own hours, however old."""
    (first,) = ledger.intend([intent("first")])
    _, moment = sealed(ledger, "1", "2", "3")
    ledger.conclude([Outcome(first.claim, digest("s"))])
    _age(ledger, hours=3)

    deleted = ledger.retain(moment - timedelta(hours=1), apply=True)

    assert (0, 0) == (deleted.intents, deleted.outcomes)
    assert 4 == ledger.sealed("dcu-2026")
    assert [] == [fault.rule for fault in ledger.check().faults if fault.rule == "tally-changed"]


def _age(ledger, *, hours):
    """Put the outcomes of requests 1, 2 and 3, and their tally, back in time."""
    old = hours * HOUR
    with ledger.engine.begin() as connection:
        tally = connection.execute(select(schema.tally)).one()
        late = schema.outcome.c.intent == schema.POSITIONS + 1
        connection.execute(update(schema.outcome).where(~late).values(recorded=schema.outcome.c.recorded - old))
        connection.execute(update(schema.intent).values(recorded=schema.intent.c.recorded - old))
        connection.execute(update(schema.tally).values(sealed=1))
        connection.execute(insert(schema.tally).values(tally._asdict() | {"hour": tally.hour - hours, "sealed": 3}))
