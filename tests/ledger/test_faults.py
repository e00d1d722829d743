"""What can go wrong with a database: the error is clear, nothing is half written, and it passes when the cause does."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time

import pytest
from sqlalchemy import event, text

from eseal.errors import Unavailable
from eseal.ledger import Admitted, Ledger, LedgerSettings, Lost, Outcome, Release
from tests.harness import postgres
from tests.ledger.intents import digest, intent, keys


@pytest.fixture
def sqlite(tmp_path):
    """A ledger in a file, with one sealed request and one that is only intended."""
    opened = Ledger.open(LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}", busy_timeout_seconds=0.3))
    admissions = opened.intend([intent("sealed"), intent("intended")])
    opened.conclude([Outcome(admissions[0].claim, digest("s"))])
    opened.admission = admissions[1]
    yield opened
    opened.close()


def limit_pages(ledger, pages):
    """Let the database grow to so many pages: SQLite then says what it says when the disk is full."""
    ledger.engine.dispose()

    @event.listens_for(ledger.engine, "connect")
    def _limit(connection, _record):
        connection.execute(f"PRAGMA max_page_count = {pages[0]}")


def test_a_full_disk(sqlite):
    """Neither intents nor outcomes are half written; when there is room again, all goes on."""
    pages = [1]
    limit_pages(sqlite, pages)
    before = sqlite.check()
    batch = [intent(str(number), protected="p" * 3000 + str(number)) for number in range(500)]

    with pytest.raises(Unavailable, match="nothing was sealed") as caught:
        sqlite.intend(batch)

    assert "LEDGER_UNAVAILABLE" == caught.value.reason
    assert "full" in str(caught.value.__cause__)
    assert [None] * 500 == sqlite.recall(keys(batch))
    assert before == sqlite.check()

    pages[0] = 1_000_000
    sqlite.engine.dispose()
    assert all(isinstance(answer, Admitted) for answer in sqlite.intend(batch))
    assert [Release()] == sqlite.conclude([Outcome(sqlite.admission.claim, digest("s"))])
    assert () == sqlite.check().faults


@pytest.fixture
def small_disk(tmp_path):
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_real_full_disk(small_disk):
    """Somebody else fills the disk under a running server: refusals, and all well afterwards."""
    ledger = Ledger.open(LedgerSettings(url=f"sqlite:///{small_disk / 'ledger.db'}"))
    done = intent("done")
    ledger.conclude([Outcome(ledger.intend([done])[0].claim, digest("s"))])
    filler = small_disk / "filler"
    filler.write_bytes(b"")
    with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
        for _ in range(4096):
            file.write(bytes(1024))
    batch = [intent(str(number)) for number in range(500)]

    with pytest.raises(Unavailable, match="nothing was sealed"):
        ledger.intend(batch)
    assert [None] * 500 == ledger.recall(keys(batch))
    assert "SEALED" == ledger.recall(keys([done]))[0].state

    filler.unlink()
    assert ledger.healthy()
    ledger.conclude([Outcome(one.claim, digest("s")) for one in ledger.intend(batch)])
    assert (1002, ()) == (ledger.check().rows, ledger.check().faults)
    ledger.close()


def test_a_full_disk_between_intent_and_outcome(sqlite):
    """The signature is not released; once there is room the request is attempted again without waiting for the lease."""
    pages = [1]
    limit_pages(sqlite, pages)

    with pytest.raises(Unavailable):
        sqlite.conclude([Outcome(sqlite.admission.claim, os.urandom(64), ("x" * 2_000_000,))])

    (entry,) = sqlite.recall([(intent("").caller, "intended")])
    assert ("INTENDED", b"") == (entry.state, entry.signature)

    pages[0] = 1_000_000
    sqlite.engine.dispose()
    (resumed,) = sqlite.intend([entry.intent])
    assert isinstance(resumed, Admitted)
    assert [Lost()] == sqlite.conclude([Outcome(sqlite.admission.claim, digest("late"))])
    assert [Release()] == sqlite.conclude([Outcome(resumed.claim, digest("s"))])
    assert () == sqlite.check().faults


def test_a_read_only_database(sqlite, tmp_path):
    """It can be read and answers replays; writing is refused, and health says no."""
    sqlite.close()
    read_only = Ledger.open(LedgerSettings(url=f"sqlite:///file:{tmp_path / 'ledger.db'}?mode=ro&uri=true"))

    with pytest.raises(Unavailable) as caught:
        read_only.intend([intent("new")])

    assert "readonly" in str(caught.value.__cause__)
    assert b"" != read_only.recall([(intent("").caller, "sealed")])[0].signature
    assert not read_only.healthy()
    read_only.close()


def test_a_lock_that_is_not_given_up(sqlite):
    """Waiting is bounded by busy_timeout_seconds."""
    other = Ledger.open(LedgerSettings(url=str(sqlite.engine.url)))
    with other.engine.connect().execution_options(eseal_write=True) as connection, connection.begin():
        began = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            sqlite.intend([intent("new")])

    assert "locked" in str(caught.value.__cause__)
    assert 5 > time.monotonic() - began
    other.close()


def test_a_database_put_back_from_a_copy(sqlite, tmp_path):
    """The worker notices that its chain ends elsewhere, refuses once, and goes on with a chain of its own."""
    path = tmp_path / "ledger.db"
    sqlite.engine.dispose()
    copy = path.read_bytes()
    sqlite.intend([intent("after the copy")])
    sqlite.engine.dispose()
    for part in tmp_path.glob("ledger.db*"):
        part.unlink()
    path.write_bytes(copy)

    with pytest.raises(Unavailable, match="changed behind"):
        sqlite.intend([intent("new")])

    assert isinstance(sqlite.intend([intent("new")])[0], Admitted)
    assert () == sqlite.check().faults


def test_no_message_or_log_quotes_what_was_written(sqlite, capfd):
    """Parameters stay out of errors, whatever the driver says."""
    pages = [1]
    limit_pages(sqlite, pages)
    with pytest.raises(Unavailable) as caught:
        sqlite.intend([intent(f"secret-{number}", completion=os.urandom(5000)) for number in range(300)])

    said = str(caught.value) + str(caught.value.__cause__) + "".join(capfd.readouterr())
    assert "secret" not in said


def test_postgresql_goes_away_and_comes_back(tmp_path):
    """Kill -9 of the server: calls say Unavailable at once, and the next one after its return is served."""
    if reason := postgres.absent():
        pytest.skip(reason)
    with postgres.cluster() as running:
        ledger = Ledger.open(LedgerSettings(url=running.schema("ledger"), busy_timeout_seconds=2))
        one = intent("1")
        (admission,) = ledger.intend([one])
        running.kill()

        with pytest.raises(Unavailable):
            ledger.conclude([Outcome(admission.claim, digest("s"))])
        with pytest.raises(Unavailable):
            ledger.recall(keys([one]))
        assert not ledger.healthy()

        running.start()
        assert ledger.healthy()
        assert [Release()] == ledger.conclude([Outcome(admission.claim, digest("s"))])
        assert () == ledger.check().faults
        ledger.close()


def test_a_postgresql_that_may_not_write(cluster):
    """A standby, or a role without rights: the same clear refusal."""
    url = cluster.schema("read_only")
    Ledger.open(LedgerSettings(url=url)).close()
    ledger = Ledger.open(LedgerSettings(url=url + "%20-cdefault_transaction_read_only=on"))

    with pytest.raises(Unavailable) as caught:
        ledger.intend([intent("1")])

    assert "read-only" in str(caught.value.__cause__)
    with ledger.engine.connect() as connection:
        assert 0 == connection.execute(text("SELECT count(*) FROM intent")).scalar_one()
    ledger.close()
