"""`eseal bulk --check`: every mistake by its place, the mandate explained, and nothing sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from eseal.cli import app
from tests.bulk.site import EXAMPLE, class_list
from tests.harness.server import practice_set, running_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bulk.conftest import Bulk

    Write = Callable[..., Path]

COURSE = EXAMPLE / "course.toml"
HEADING = "given_name,family_name,identifier:Student number,date_of_issuing"


def test_dry_run_finds_everything(bulk: Bulk, write: Write, tmp_path: Path) -> None:
    """Mistakes of the list, of the course, and of what only the house's rules know: by row and column, nothing sealed."""
    path = write(
        "given_name,family_name,identifier:Student number,date_of_birth,citizenship_countries,national_id,national_id_country",
        "Ada,Lovelace,1,1815-12-10,IRL,,",
        "Bob,Secretname,2,03/04/2001,IRL,,",
        "Eve,Othername,3,,Atlantis,,",
        "Kim,Thirdname,4,,,123,Atlantis",
        "Ada,Lovelace,1,1815-12-10,IRL,,",
    )
    course = tmp_path / "course.toml"
    course.write_text(COURSE.read_text().replace("eqf = 6", "eqf = 9").replace('"0613"', '"9x9x"'))
    done = bulk("issue", "--course", course, "--learners", path, "--check")

    assert 2 == done.returncode
    assert "course.toml: level.eqf: [vocabulary:eqf]" in done.stderr
    assert "course.toml: thematic_areas[1]: [vocabulary:isced-f]" in done.stderr
    assert "learners.csv: row 3, column date_of_birth: [date-ambiguous]" in done.stderr
    assert "learners.csv: row 4, column citizenship_countries: [vocabulary:country]" in done.stderr
    assert "learners.csv: row 5, column national_id, national_id_country: [vocabulary:country]" in done.stderr
    assert "learners.csv: row 6: [row-repeated]" in done.stderr
    assert "6 mistakes" in done.stderr
    assert not any(word in done.stderr for word in ("Secretname", "Othername", "Thirdname", "Atlantis", "ATLANTIS"))


def test_dry_run_finds_who_is_not_born_yet(bulk: Bulk, write: Write) -> None:
    """A mistyped year is told by row and column, and not what the cell says."""
    path = write("given_name,date_of_birth", "Ada,1815-12-10", "Zoe,2999-01-01")
    done = bulk("issue", "--course", COURSE, "--learners", path, "--check")

    assert 2 == done.returncode
    assert "learners.csv: row 3, column date_of_birth: [edc.dates]" in done.stderr
    assert "2999" not in done.stderr


def test_dry_run_of_a_single_row(bulk: Bulk, write: Write) -> None:
    """A learner whose name nobody sees is told by row and column; one of anything is said as one."""
    right = bulk("issue", "--course", COURSE, "--learners", write("full_name", "Ada"), "--check")
    wrong = bulk("issue", "--course", COURSE, "--learners", write("full_name", "\u200b"), "--check")

    assert (0, 2) == (right.returncode, wrong.returncode)
    assert "learners.csv: 1 learner, no mistake" in right.stdout
    assert "learners.csv: row 2, column full_name: [blank]" in wrong.stderr
    assert "1 mistake. Nothing was sent." in wrong.stderr


def test_dry_run_finds_wrong_e_mail_addresses(bulk: Bulk, write: Write) -> None:
    """Each by its row and column, though it is the credential's own rule that they break."""
    path = write("given_name,E-mail", "Ada,ada@dcu.ie", "Bob,", "Eve,secret at dcu", "Kim,other secret")
    done = bulk("issue", "--course", COURSE, "--learners", path, "--check")

    assert 2 == done.returncode
    for row in (4, 5):
        assert f"learners.csv: row {row}, column E-mail: [" in done.stderr
    assert "2 mistakes" in done.stderr
    assert "course.toml" not in done.stderr
    assert "secret" not in done.stderr


def test_dry_run_of_headings_alone(bulk: Bulk, write: Write) -> None:
    """A list without learners is told as the run would tell it."""
    done = bulk("issue", "--course", COURSE, "--learners", write(HEADING), "--check")

    assert 2 == done.returncode
    assert "There is no learner below the headings" in done.stderr


@pytest.mark.parametrize("command", ["issue", "seal"])
def test_dry_run_of_a_level_that_is_not_built(bulk: Bulk, tmp_path: Path, command: str) -> None:
    """It would be refused, so it is a mistake."""
    (tmp_path / "a.json").write_text("{}")
    what = ["--course", COURSE, "--learners", EXAMPLE / "learners.csv"] if command == "issue" else [tmp_path]
    done = bulk(command, *what, "--check", "--level", "B-T")

    assert 2 == done.returncode
    assert "--level: [level-built]" in done.stderr


def test_dry_run_of_a_course_that_is_too_large(bulk: Bulk, tmp_path: Path) -> None:
    """Files that make a credential larger than it may be are told once, of the course."""
    (tmp_path / "annex.pdf").write_bytes(b"%PDF-1.7\n" + bytes(1500 * 1024))
    course = tmp_path / "course.toml"
    course.write_text(COURSE.read_text() + '\n[[attachments]]\ntitle = "A"\nfile = "annex.pdf"\n' * 5)
    done = bulk("issue", "--course", course, "--learners", EXAMPLE / "learners.csv", "--check")

    assert 2 == done.returncode
    assert 1 == done.stderr.count("course.toml: [max-credential-bytes]")


def test_dry_run_counts_what_the_quota_has_room_for(tmp_path: Path) -> None:
    """A mandate for fewer seals than the list has learners would refuse the rest; exit status 1."""
    practice = practice_set(tmp_path / "set")
    mandate = practice.folder / "register/mandates/dcu-practice.toml"
    with mandate.open("a") as file:
        file.write("[scope.quota]\ndaily = 12\n")
    learners = class_list(tmp_path / "learners.csv", 20)
    with running_server(practice) as server:
        command = ["bulk", "issue", "--course", COURSE, "--learners", learners, "--check"]
        options = ["--identity", practice.folder / "callers/dcu", "--server", server.target]
        done = CliRunner().invoke(app, list(map(str, [*command, *options])))

    assert 1 == done.exit_code
    assert "[quota-daily] mandate dcu-practice has room for 12 of 20 rows" in done.stdout


def test_dry_run_asks_for_the_mandate(bulk: Bulk) -> None:
    """A caller that has none is told which rule refuses; exit status 1."""
    done = bulk("issue", "--course", COURSE, "--learners", EXAMPLE / "learners.csv", "--check", member="utwente")

    assert 1 == done.returncode
    assert "[caller-acts-for-awarding-body]" in done.stdout


def test_dry_run_finds_what_annex_i_asks_for(bulk: Bulk, tmp_path: Path) -> None:
    """A course without learning outcomes is told so once, not once a learner."""
    course = tmp_path / "course.toml"
    text = COURSE.read_text()
    course.write_text(text[: text.index("[[learning_outcomes]]")] + text[text.index("[notional_workload]") :])
    done = bulk("issue", "--course", course, "--learners", EXAMPLE / "learners.csv", "--check")

    assert 2 == done.returncode
    assert 1 == done.stderr.count("Learning outcomes")
