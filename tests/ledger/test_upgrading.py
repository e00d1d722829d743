"""The schema is brought up to date, or the start is refused with what to do."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from eseal.errors import SetupError
from eseal.ledger import Ledger, LedgerSettings, Outcome, schema
from eseal.ledger.database import open_engine, write
from eseal.ledger.upgrading import _configuration, newest_revision
from tests.ledger.intents import digest, intent


def migrate(url, revision):
    """Bring an empty database to ``revision``."""
    engine = open_engine(LedgerSettings(url=url))
    with write(engine) as connection, connection.begin():
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)
    return engine


def test_the_migrations_make_the_schema(ledger):
    """Autogenerate finds nothing that the migrations left out."""
    with ledger.engine.connect() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), schema.metadata)


def test_a_full_ledger_of_the_first_version_is_upgraded(url, open_ledger):
    """Rows that were there before the tally are counted, and everything still checks."""
    ledger = open_ledger()
    admissions = ledger.intend([intent(str(number), mandate_ids=("a", "b")) for number in range(5)])
    ledger.conclude([Outcome(one.claim, digest("s")) for one in admissions[:3]])
    with ledger.engine.begin() as connection:
        for table in ("tally", "retention"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    upgraded = Ledger.upgrade(LedgerSettings(url=url))

    assert ("0001", newest_revision()) == upgraded
    assert (3, 3) == (ledger.sealed("a", None), ledger.sealed("b", datetime.now(UTC)))
    assert () == ledger.check().faults


def test_a_tally_that_retention_cut_is_put_right(url, open_ledger):
    """Hours that an earlier version deleted of it are counted again; what it has beyond the rows is carried forward."""
    ledger = open_ledger()
    ledger.conclude([Outcome(one.claim, digest("s")) for one in ledger.intend([intent("1"), intent("2")])])
    ledger.retain(datetime.now(UTC), apply=True)
    ledger.conclude(
        [Outcome(one.claim, digest("s")) for one in ledger.intend([intent("3"), intent("4", mandate_ids=("b",))])]
    )
    with ledger.engine.begin() as connection:
        connection.execute(text("DELETE FROM tally WHERE hour = 0 OR mandate_id = 'b'"))
        connection.execute(text("UPDATE tally SET sealed = 3"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))

    Ledger.upgrade(LedgerSettings(url=url))

    assert (3, 1) == (ledger.sealed("dcu-2026"), ledger.sealed("b"))
    assert () == ledger.check().faults


def test_workers_that_start_together_migrate_once(url):
    """One of them does, the others wait; all of them open."""
    failures = []

    def start():
        try:
            Ledger.open(LedgerSettings(url=url)).close()
        except SetupError as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == failures


def test_an_old_schema_is_refused_where_the_operator_upgrades(url):
    """With upgrade = "manual" the message says what to run."""
    migrate(url, "0001")

    with pytest.raises(SetupError, match="eseal ledger upgrade") as caught:
        Ledger.open(LedgerSettings(url=url, upgrade="manual"))

    assert "LEDGER_SCHEMA" == caught.value.reason


def test_a_newer_schema_is_refused(url):
    """An older eseal does not touch what a newer one made."""
    engine = migrate(url, "head")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SetupError, match="newer eseal"):
        Ledger.open(LedgerSettings(url=url))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("DROP TABLE alembic_version", "it holds none:"),
        ("DELETE FROM alembic_version", "it holds none:"),
        ("INSERT INTO alembic_version VALUES ('0001')", "it holds '000"),
    ],
)
def test_a_schema_whose_revision_is_not_told_is_refused(url, change, found):
    """Nothing is made or migrated over tables that are there."""
    engine = migrate(url, "head")
    with engine.begin() as connection:
        connection.execute(text(change))

    with pytest.raises(SetupError, match="alembic_version") as caught:
        Ledger.open(LedgerSettings(url=url))

    assert "LEDGER_CHANGED" == caught.value.reason
    assert found in caught.value.message


@pytest.mark.parametrize(
    "url",
    ["sqlite:////nowhere/at/all/ledger.db", "postgresql://someone:secret@127.0.0.1:1/nothing"],
    ids=["no folder", "no server"],
)
def test_a_database_that_is_not_there_is_refused(url):
    """The message names the database, and not its password."""
    with pytest.raises(SetupError, match="cannot be used") as caught:
        Ledger.open(LedgerSettings(url=url, busy_timeout_seconds=1))

    assert "secret" not in str(caught.value)
    assert "secret" not in repr(LedgerSettings(url=url))


@pytest.mark.parametrize("url", ["ledger.db", "mysql://localhost/ledger", ""])
def test_other_databases_are_refused(url):
    """Only the two that are tested are taken."""
    with pytest.raises(ValueError, match="url"):
        LedgerSettings(url=url)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    """It is not overwritten."""
    path = tmp_path / "ledger.db"
    path.write_bytes(b"a list of learners, say" * 100)

    with pytest.raises(SetupError, match="not a database"):
        Ledger.open(LedgerSettings(url=f"sqlite:///{path}"))

    assert b"a list of learners" == path.read_bytes()[:18]
