"""Whatever is changed, removed or reordered behind the ledger's back is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from eseal.ledger import Outcome, schema
from eseal.ledger.check import Head, heads_from_json
from eseal.ledger.schema import POSITIONS
from tests.ledger.intents import digest, intent


@pytest.fixture
def filled(ledger, open_ledger):
    """Two workers' chains: sealed, failed and open attempts, 12 rows in the first."""
    for worker in (ledger, open_ledger()):
        admissions = worker.intend([intent(f"{id(worker)}-{number}") for number in range(7)])
        worker.conclude(
            [Outcome(one.claim, digest(str(n)), ("xVals",)) for n, one in enumerate(admissions[:4])]
            + [Outcome(admissions[4].claim, failure="HSM_UNAVAILABLE")]
        )
    return ledger


def tamper(ledger, *statements):
    """Change the database as somebody with full access to it would."""
    with ledger.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def found(ledger, noted=()):
    """What a check finds, as (writer, position, rule)."""
    return [(fault.writer, fault.position, fault.rule) for fault in ledger.check(noted).faults]


def test_an_empty_ledger_is_right(ledger):
    """Nothing written is nothing wrong."""
    report = ledger.check()

    assert (0, (), ()) == (report.rows, report.heads, report.faults)


def test_what_was_written_is_right(filled):
    """Two chains of twelve rows, no fault, and the heads to note."""
    report = filled.check()

    assert () == report.faults
    assert 24 == report.rows
    assert [(1, 12), (2, 12)] == [(head.writer, head.position) for head in report.heads]


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        (schema.intent, "request_id", "other"),
        (schema.intent, "recorded", 1),
        (schema.intent, "attempt", 2),
        (schema.intent, "basis", digest("other")),
        (schema.intent, "content_sha256", digest("other")),
        (schema.intent, "credential_id", "urn:credential:other"),
        (schema.intent, "issued", 1),
        (schema.intent, "protected", digest("other")),
        (schema.intent, "payload_sha256", digest("other")),
        (schema.intent, "signing_digest", digest("other")),
        (schema.intent, "claimed_until", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_changed_intent_is_one_fault(filled, table, column, value):
    """Each column of an intent is covered, and its neighbours are not blamed."""
    serial = POSITIONS + 3
    tamper(filled, update(table).where(table.c.serial == serial).values({column: value}))

    chain = [fault for fault in found(filled) if fault[0]]

    assert [(1, 3, "row-changed")] == chain


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("recorded", 1),
        ("state", "ABANDONED"),
        ("signature", b"other"),
        ("etsi_u", ""),
        ("failure", "F"),
        ("intent", POSITIONS + 7),
    ],
)
def test_a_changed_outcome_is_one_fault(filled, column, value):
    """Each column of an outcome is covered."""
    outcome = schema.outcome
    tamper(filled, update(outcome).where(outcome.c.serial == POSITIONS + 8).values({column: value}))

    assert (1, 8, "row-changed") == found(filled)[0]


def test_a_removed_row_is_found(filled):
    """A gap in the middle, at the beginning and at the end."""
    intents, outcomes = schema.intent, schema.outcome
    tamper(
        filled,
        delete(intents).where(intents.c.serial.in_([POSITIONS + 1, POSITIONS + 4])),
        delete(outcomes).where(outcomes.c.serial == POSITIONS * 2 + 12),
    )

    missing = [fault for fault in found(filled) if fault[2] == "row-missing"]

    assert [(1, 1, "row-missing"), (1, 4, "row-missing"), (2, 12, "row-missing")] == missing


def test_a_removed_tail_with_a_forged_head_is_found_by_noted_heads(filled):
    """Whoever cuts a chain and rewrites its head is caught by a head noted elsewhere."""
    noted = filled.check().heads
    outcomes, writer = schema.outcome, schema.writer
    with filled.engine.connect() as connection:
        last = connection.execute(select(outcomes.c.digest).where(outcomes.c.serial == POSITIONS + 11)).scalar_one()
    tamper(
        filled,
        delete(outcomes).where(outcomes.c.serial == POSITIONS + 12),
        update(writer).where(writer.c.number == 1).values(head_position=11, head_digest=last),
    )

    assert [] == found(filled)
    assert [(1, 12, "noted-head")] == found(filled, noted)


def test_deleted_beginnings_that_retention_does_not_explain_are_found(filled):
    """Whoever empties a chain and says that its beginning is gone is found, and no noted head is let pass."""
    noted = filled.check().heads
    writer = schema.writer
    tamper(
        filled,
        update(writer).values(base_position=writer.c.head_position, base_digest=writer.c.head_digest),
        *(delete(table) for table in (schema.intent, schema.outcome, schema.tally)),
    )

    assert [(0, 0, "rows-deleted")] == found(filled)
    assert [(0, 0, "rows-deleted"), (1, 12, "noted-head"), (2, 12, "noted-head")] == found(filled, noted)


def test_a_tally_that_carries_more_than_was_deleted_is_found(filled):
    """Nothing was deleted, so nothing was carried forward."""
    tamper(filled, insert(schema.tally).values(mandate_id="dcu-2026", hour=0, writer=0, sealed=1))

    assert [(0, 0, "tally-changed")] == found(filled)


def test_reordered_rows_are_found(filled):
    """Two rows that changed places are both named."""
    intents = schema.intent
    first, second, aside = POSITIONS + 2, POSITIONS + 3, POSITIONS + 999
    tamper(
        filled,
        *(
            update(intents).where(intents.c.serial == old).values(serial=new)
            for old, new in ((first, aside), (second, first), (aside, second))
        ),
    )

    chain = [fault for fault in found(filled) if fault[2] == "row-changed"]

    assert {(1, 2, "row-changed"), (1, 3, "row-changed")} <= set(chain)


def test_an_added_row_is_found(filled):
    """A row beyond the head does not belong."""
    with filled.engine.connect() as connection:
        row = connection.execute(select(schema.intent).where(schema.intent.c.serial == POSITIONS + 1)).one()
    tamper(filled, insert(schema.intent).values(row._asdict() | {"serial": POSITIONS + 13, "request": b"new"}))

    assert {"row-changed", "head-changed"} <= {fault[2] for fault in found(filled)}


def test_a_removed_or_changed_writer_is_found(filled, open_ledger):
    """The list of writers is chained too."""
    open_ledger().intend([intent("third")])
    writer = schema.writer
    tamper(filled, update(writer).where(writer.c.number == 2).values(host="elsewhere"))
    assert [(2, 0, "writer-changed")] == found(filled)

    tamper(filled, delete(writer).where(writer.c.number == 2))
    assert {(2, 0, "writer-missing"), (2, 1, "row-without-writer")} <= set(found(filled))


def test_changed_shared_contents_are_found(filled):
    """Material and basis are what their digests say."""
    tamper(
        filled,
        update(schema.material).values(content=b"other"),
        update(schema.basis).values(member="other"),
    )

    assert {"material-changed", "basis-changed"} == {fault[2] for fault in found(filled)}


def test_missing_shared_contents_are_found(filled):
    """Each reference leads somewhere."""
    tamper(filled, delete(schema.material))
    messages = [fault.message for fault in filled.check().faults]

    assert ["protected header", "completion", "etsiU"] == [
        word for word in ("protected header", "completion", "etsiU") if any(word in message for message in messages)
    ]


def test_a_second_signature_is_found(filled):
    """Were the unique constraints ever circumvented, the check would say so."""
    twin = select(schema.intent.c.request).where(schema.intent.c.serial == POSITIONS + 1).scalar_subquery()
    tamper(filled, update(schema.intent).where(schema.intent.c.serial == POSITIONS + 2).values(request=twin, attempt=9))

    assert "sealed-twice" in {fault[2] for fault in found(filled)}


def test_a_changed_tally_is_found(filled):
    """The count for quotas agrees with the rows."""
    tamper(filled, update(schema.tally).values(sealed=1))

    assert [(0, 0, "tally-changed")] == found(filled)


def test_heads_are_read_from_an_earlier_report():
    """Only what the check printed is taken."""
    assert (Head(1, 2, b"\xab"),) == heads_from_json('{"heads": [{"writer": 1, "position": 2, "digest": "ab"}]}')
    with pytest.raises(ValueError, match="not the output"):
        heads_from_json("[]")


def test_retention_keeps_what_is_not_old(filled):
    """Nothing goes that was recorded after the day asked for, and a trial deletes nothing."""
    assert 0 == filled.retain(datetime.now(UTC) - timedelta(days=1), apply=True).intents
    trial = filled.retain(datetime.now(UTC) + timedelta(days=1), apply=False)

    assert (14, 10) == (trial.intents, trial.outcomes)
    assert 24 == filled.check().rows
