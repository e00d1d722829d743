"""``eseal mandate withdraw | suspend | resume``: what happens to a mandate after it was signed."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from eseal.errors import SetupError
from eseal.mandate.problems import InvalidRegister
from eseal.mandate.register import Register

from .test_cli import run

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

STATUS = "status/dcu-practice.toml"
BY_HAND = """# Kept by hand.
mandate = "dcu-practice"

[[suspension]] # the audit
valid_from = 2026-05-01
valid_until = 2026-05-31
reason = "audit"
"""


def ask(command: str, register: Path, *options: str) -> Result:
    """Run a command on dcu's mandate."""
    return run(command, "dcu-practice", "--register", register, *options)


def by_hand(register: Path, name: str = STATUS, text: str = BY_HAND) -> Path:
    """Write a status file as a person would."""
    path = register / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def states(register: Path, *days: str) -> list[str]:
    """How dcu's mandate stands on these days."""
    loaded = Register.load(register)
    return [loaded.state_of(loaded.mandates["dcu-practice"], date.fromisoformat(day)) for day in days]


def suspensions(register: Path) -> list[dict[str, Any]]:
    """The suspensions as the file has them."""
    found: list[dict[str, Any]] = tomllib.loads((register / STATUS).read_text()).get("suspension", [])
    return found


def test_withdraw(register: Path) -> None:
    """A withdrawal is a file of its own: the mandate's file stays as it was signed."""
    before = (register / "mandates/dcu-practice.toml").read_bytes()
    ask("withdraw", register, "--on", "2026-07-01", "--reason", "replaced")

    assert ["in force", "withdrawn"] == states(register, "2026-06-30", "2026-07-01")
    assert "replaced" == Register.load(register).statuses["dcu-practice"].reason
    assert before == (register / "mandates/dcu-practice.toml").read_bytes()


@pytest.mark.parametrize("command", ["withdraw", "suspend"])
def test_a_reason_that_cannot_be_written_costs_nothing(register: Path, command: str) -> None:
    """The status file stays as it was."""
    path = by_hand(register)
    result = ask(command, register, "--reason", "caf\udce9")

    assert (2, BY_HAND) == (result.exit_code, path.read_text())


def test_withdraw_keeps_suspensions(register: Path) -> None:
    """What stood in the status file before the withdrawal still stands there, comments included."""
    path = by_hand(register)
    ask("withdraw", register, "--reason", "replaced")

    assert Register.load(register).statuses["dcu-practice"].withdrawn_on
    assert ["audit"] == [one["reason"] for one in suspensions(register)]
    assert {"# Kept by hand.", "# the audit"} <= set(path.read_text().replace("[[suspension]] ", "").splitlines())


def test_a_withdrawal_is_not_taken_back(register: Path) -> None:
    """A withdrawn mandate may be withdrawn from an earlier day, and never brought to life again by a later one."""
    ask("withdraw", register, "--on", "2026-07-01", "--reason", "replaced")
    with pytest.raises(SetupError, match="withdrawn since 2026-07-01"):
        ask("withdraw", register, "--on", "2026-08-01", "--reason", "x")
    ask("withdraw", register, "--on", "2026-06-20", "--reason", "found out")

    assert ["in force", "withdrawn"] == states(register, "2026-06-19", "2026-06-20")


@pytest.mark.parametrize(
    ("command", "options"), [("withdraw", ["--reason", "x"]), ("suspend", ["--reason", "x"]), ("resume", [])]
)
def test_an_unknown_mandate(register: Path, command: str, options: list[str]) -> None:
    """Nothing happens to a mandate that is not there; the message says which are."""
    with pytest.raises(SetupError, match="dcu-practice"):
        run(command, "dcu", "--register", register, *options)


def test_suspend(register: Path) -> None:
    """A suspension has a first and a last day, both included, and leaves the mandate's file alone."""
    before = (register / "mandates/dcu-practice.toml").read_bytes()
    ask("suspend", register, "--from", "2026-07-01", "--until", "2026-07-14", "--reason", "review")

    expected = ["in force", "suspended", "suspended", "in force"]
    assert expected == states(register, "2026-06-30", "2026-07-01", "2026-07-14", "2026-07-15")
    assert before == (register / "mandates/dcu-practice.toml").read_bytes()


def test_suspend_from_today_until_resumed(register: Path) -> None:
    """Without days a suspension begins today, by the alliance's clock, and has no end."""
    today = Register.load(register).day(datetime.now(UTC))
    ask("suspend", register, "--reason", "review")

    assert [{"valid_from": today, "reason": "review"}] == suspensions(register)


def test_suspend_adds_to_what_stands_there(register: Path) -> None:
    """Earlier suspensions and comments stay; a table and a list in one line are added to alike."""
    path = by_hand(register)
    ask("suspend", register, "--from", "2026-07-01", "--reason", "review")
    told = path.read_text()

    assert told.startswith(BY_HAND)
    assert ["audit", "review"] == [one["reason"] for one in suspensions(register)]

    in_one_line = 'mandate = "dcu-practice"\nsuspension = [{valid_from = 2026-05-01, reason = "audit"}]\n'
    by_hand(register, text=in_one_line)
    ask("suspend", register, "--from", "2026-07-01", "--reason", "review")

    assert ["audit", "review"] == [one["reason"] for one in suspensions(register)]


def test_suspend_after_a_withdrawal_was_written(register: Path) -> None:
    """The keys of a withdrawal stay before the tables of suspensions."""
    ask("withdraw", register, "--on", "2026-12-01", "--reason", "replaced")
    ask("suspend", register, "--from", "2026-07-01", "--until", "2026-07-14", "--reason", "review")

    assert ["suspended", "in force", "withdrawn"] == states(register, "2026-07-14", "2026-07-15", "2026-12-01")


@pytest.mark.parametrize(
    ("options", "rule"),
    [(["--from", "2026-07-02", "--until", "2026-07-01"], "dates-in-order"), (["--reason", " "], "wrong-value")],
)
def test_a_suspension_that_would_be_wrong(register: Path, options: list[str], rule: str) -> None:
    """The register's own rules judge a suspension, and nothing of a wrong one stays."""
    with pytest.raises(InvalidRegister, match=f"{STATUS}:.*{rule}"):
        ask("suspend", register, "--reason", "review", *options)

    assert not (register / STATUS).exists()


def test_resume(register: Path) -> None:
    """From the day of resumption on the mandate seals again; the suspension stays on record, ended the day before."""
    ask("suspend", register, "--from", "2026-07-01", "--reason", "review")
    ask("resume", register, "--on", "2026-07-10")

    assert ["in force", "suspended", "suspended", "in force"] == states(
        register, "2026-06-30", "2026-07-01", "2026-07-09", "2026-07-10"
    )
    assert [date(2026, 7, 9)] == [one["valid_until"] for one in suspensions(register)]


def test_resume_ends_every_suspension_of_the_day_and_no_other(register: Path) -> None:
    """All that suspend on that day end; one that is over and one that is to come stay as they are."""
    by_hand(register)
    for first in ("2026-07-01", "2026-07-05"):
        ask("suspend", register, "--from", first, "--reason", "review")
    ask("suspend", register, "--from", "2026-09-01", "--until", "2026-09-02", "--reason", "maintenance")
    ask("resume", register, "--on", "2026-07-10")

    ends = [date(2026, 5, 31), date(2026, 7, 9), date(2026, 7, 9), date(2026, 9, 2)]
    assert ends == [one["valid_until"] for one in suspensions(register)]


def test_resume_on_the_first_day(register: Path) -> None:
    """A suspension that is resumed on the day it began suspended nothing, and is taken out."""
    ask("suspend", register, "--from", "2026-07-01", "--reason", "a slip")
    ask("resume", register, "--on", "2026-07-01")

    assert [] == suspensions(register)
    assert ["in force"] == states(register, "2026-07-01")


def test_resume_what_is_not_suspended(register: Path) -> None:
    """There is nothing to resume on a day without a suspension; the message lists those there are."""
    by_hand(register)
    with pytest.raises(SetupError, match="from 2026-05-01 to 2026-05-31"):
        ask("resume", register, "--on", "2026-06-01")


def test_a_status_file_of_another_name(register: Path) -> None:
    """The file that holds the mandate's status is changed, whatever its name."""
    path = by_hand(register, "status/of-dcu.toml")
    ask("suspend", register, "--from", "2026-07-01", "--reason", "review")
    ask("resume", register, "--on", "2026-07-02")
    ask("withdraw", register, "--on", "2026-08-01", "--reason", "replaced")

    assert [path] == list((register / "status").iterdir())
    assert ["suspended", "in force", "withdrawn"] == states(register, "2026-07-01", "2026-07-02", "2026-08-01")
