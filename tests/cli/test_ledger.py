"""`eseal ledger` as an auditor and an operator use it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from eseal.cli import app
from eseal.config import load
from eseal.errors import SetupError
from eseal.ledger import Ledger, Outcome
from tests.harness.server import PracticeSet, practice_set
from tests.ledger.intents import digest, intent

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

REQUEST = "https://registry.dcu.example/requests/2026/spring/0001"


@pytest.fixture
def practice(tmp_path: Path) -> PracticeSet:
    """A practice set whose ledger has one seal for DCU."""
    practice = practice_set(tmp_path / "set")
    fill(practice, REQUEST)
    return practice


def fill(practice: PracticeSet, *request_ids: str) -> None:
    """Seal these requests."""
    ledger = Ledger.open(load(practice.config).ledger)
    admissions = ledger.intend([intent(request_id) for request_id in request_ids])
    ledger.conclude([Outcome(one.claim, digest("s")) for one in admissions])
    ledger.close()


def run(practice: PracticeSet, command: str, *options: object) -> Result:
    """Run ``eseal ledger``."""
    return CliRunner().invoke(app, ["ledger", command, "--config", *map(str, (practice.config, *options))])


def test_a_list_says_every_id_as_a_whole(practice: PracticeSet) -> None:
    """Request and credential are on one line with what belongs to them, where the output goes into a pipe."""
    listed = run(practice, "list")
    (attempt,) = map(json.loads, run(practice, "list", "--json").stdout.splitlines())

    (line,) = [line for line in listed.stdout.splitlines() if REQUEST in line]
    assert all(attempt[name] in line for name in ("credential_id", "caller", "request_id"))
    assert "…" not in listed.stdout


def test_a_list_shows_what_callers_wrote(practice: PracticeSet) -> None:
    """A request id that looks like markup is shown as it is."""
    fill(practice, "[/red]", "[bold]")

    listed = run(practice, "list")

    assert 0 == listed.exit_code
    assert all(f" {request_id} " in listed.stdout for request_id in ("[/red]", "[bold]"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["list", "--awarding-body", "Dublin City University"],
            "nothing for --awarding-body 'Dublin City University'",
        ),
        (["list", "--json", "--mandate", "dcu-2025"], "dcu-2026"),
        (["list", "--state", "FAILED"], "Nothing in the ledger answers this."),
        (
            ["export", "--member", "nobody"],
            "nothing for --member 'nobody', written as in the mandate register; it has: dcu.",
        ),
    ],
)
def test_what_is_not_there_is_told(practice: PracticeSet, options: list[str], words: str) -> None:
    """Rather than an empty table: what was not found, and what there is."""
    done = run(practice, *options)

    assert (0, "") == (done.exit_code, done.stdout)
    assert words in done.stderr


def test_an_export_goes_into_a_file(practice: PracticeSet, tmp_path: Path) -> None:
    """Whole, and nothing beside it."""
    folder = tmp_path / "exports"
    folder.mkdir()
    done = run(practice, "export", "--member", "dcu", "--out", folder / "dcu.jsonl")

    assert (0, ["dcu.jsonl"]) == (done.exit_code, [path.name for path in folder.iterdir()])
    assert REQUEST == json.loads((folder / "dcu.jsonl").read_text())["request_id"]


def test_an_export_that_cannot_be_written(practice: PracticeSet, tmp_path: Path) -> None:
    """Is misuse that names the place."""
    done = run(practice, "export", "--member", "dcu", "--out", tmp_path / "absent/dcu.jsonl")

    assert 2 == done.exit_code
    assert "No such file or directory" in done.stderr


def test_a_check_says_what_it_cannot_find(practice: PracticeSet, tmp_path: Path) -> None:
    """Without heads that were noted elsewhere, a deleted end; with them there is nothing to say."""
    heads = tmp_path / "heads.json"
    heads.write_text(run(practice, "check", "--json").stdout)

    without, given = run(practice, "check"), run(practice, "check", "--heads", heads)

    assert (0, 0) == (without.exit_code, given.exit_code)
    assert "Without --heads nothing tells" in without.stdout
    assert "--heads" not in given.stdout


def test_a_fault_is_shown_as_it_is(practice: PracticeSet) -> None:
    """What somebody put into the database is no markup, and the sentence about heads follows the faults."""
    ledger = Ledger.open(load(practice.config).ledger)
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO retention VALUES ('[/red]', 1, 0)")
    ledger.close()

    done = run(practice, "check")

    assert 1 == done.exit_code
    assert "'[/red]'" in done.stdout
    assert "--heads" in done.stdout


def test_a_damaged_database(practice: PracticeSet, tmp_path: Path) -> None:
    """Is told as what it is, with what to do; an export of before stays as it was."""
    fill(practice, *map(str, range(300)))
    export = tmp_path / "dcu.jsonl"
    export.write_text("of before")
    database = practice.folder / "ledger.db"
    content = database.read_bytes()
    # The first pages, which say what there is, are whole.
    database.write_bytes(content[:131072] + b"\xff" * (len(content) - 131072))

    checked = run(practice, "check")
    exported = run(practice, "export", "--member", "dcu", "--out", export)

    for done in (checked, exported):
        assert isinstance(done.exception, SetupError)
        assert "malformed" in str(done.exception)
        assert "backup" in str(done.exception)
        assert "sealed" not in str(done.exception)
    assert "of before" == export.read_text()


def tamper(practice: PracticeSet, change: str) -> None:
    """Change the database as somebody with full access to it would."""
    ledger = Ledger.open(load(practice.config).ledger)
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql(change)
    ledger.close()


@pytest.mark.parametrize("command", [["list"], ["export", "--member", "dcu"], ["retention"]], ids=" ".join)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE intent SET issued = 'yesterday'", "intent row 1-1 holds in issued what is never written there"),
        ("UPDATE outcome SET digest = 'x'", "outcome of row 1-1 holds in digest what is never written there"),
        ("UPDATE basis SET mandate_ids = 'dcu-2026'", "holds in mandate_ids what is no list of names"),
        ("UPDATE basis SET caller = CAST(x'ff' AS TEXT)", "holds in caller what is never written there"),
        ("DROP TABLE basis", "no such table: basis."),
        ("DROP TABLE outcome", "no such table: outcome."),
        ("ALTER TABLE basis DROP COLUMN level", "no such column: basis.level."),
        (
            "UPDATE alembic_version SET version_num = x'00'",
            "alembic_version should hold in version_num the one revision",
        ),
        ("INSERT INTO alembic_version VALUES ('0001')", "alembic_version should hold in version_num the one revision"),
    ],
)
def test_a_database_that_somebody_changed(practice: PracticeSet, command: list[str], change: str, words: str) -> None:
    """Is told by table, row and column, with what to do, and not as a traceback."""
    tamper(practice, change)

    done = run(practice, *command)

    assert isinstance(done.exception, SetupError)
    assert words in str(done.exception)
    assert "`eseal ledger check" in str(done.exception)


def test_retention_deletes_nothing_of_a_changed_database(practice: PracticeSet) -> None:
    """It would take the evidence away."""
    tamper(practice, "UPDATE writer SET process = x'07'")
    tamper(practice, "UPDATE intent SET recorded = 1")
    tamper(practice, "UPDATE outcome SET recorded = 1")

    refused = run(practice, "retention", "--apply")
    tamper(practice, "UPDATE writer SET process = '7'")
    done = run(practice, "retention", "--apply")

    assert isinstance(refused.exception, SetupError)
    assert "writer row 1 holds in process what is never written there" in str(refused.exception)
    assert "Deleted: 1 intents, 1 outcomes" in done.stdout
