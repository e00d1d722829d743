"""``eseal mandate withdraw | suspend | resume``: what happens to a mandate after it was signed.

All of it stands in the mandate's status file; the mandate's own file, and a signature over it, stay as they were.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from eseal.cli.mandate_new import RegisterFolder, day_of, restore, undo_if_wrong
from eseal.errors import SetupError
from eseal.mandate.files import Status
from eseal.mandate.register import Register
from eseal.mandate.writing import end_suspensions, write_suspension, write_withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MandateId = Annotated[str, typer.Argument(metavar="ID", help="The mandate.")]
Reason = Annotated[str, typer.Option(help="Why, for the people who read the register.")]


def withdraw(
    mandate_id: MandateId,
    register: RegisterFolder,
    reason: Reason,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="From this day on; default today.")] = None,
) -> None:
    """Withdraw a mandate for good: from that day on nothing is sealed under it."""
    loaded, status = _known(register, mandate_id)
    day = _day(loaded, on)
    if status.withdrawn_on and status.withdrawn_on < day:
        message = f"Mandate {mandate_id} is withdrawn since {status.withdrawn_on}; that is not moved to {day}."
        raise SetupError("MANDATE_WITHDRAWN", message)
    path = _write(loaded, register, mandate_id, lambda path: write_withdrawal(path, mandate_id, on=day, reason=reason))
    typer.echo(f"{mandate_id} is withdrawn from {day} on: {path}")


def suspend(
    mandate_id: MandateId,
    register: RegisterFolder,
    reason: Reason,
    valid_from: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="The first day; default today.")
    ] = None,
    valid_until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="The last day, included; without it, until resumed.")
    ] = None,
) -> None:
    """Suspend a mandate: on these days nothing is sealed under it. Awards of those days can be sealed afterwards."""
    loaded, _ = _known(register, mandate_id)
    first, last = _day(loaded, valid_from), day_of(valid_until) if valid_until else None

    def change(path: Path) -> None:
        write_suspension(path, mandate_id, first=first, last=last, reason=reason)

    path = _write(loaded, register, mandate_id, change)
    typer.echo(f"{mandate_id} is suspended from {first} {f'to {last}' if last else 'until resumed'}: {path}")


def resume(
    mandate_id: MandateId,
    register: RegisterFolder,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="The first day on which it seals again; default today.")
    ] = None,
) -> None:
    """Resume a suspended mandate: its suspension ends on the day before; one that began that very day is taken out."""
    loaded, status = _known(register, mandate_id)
    day = _day(loaded, on)
    ending = [place for place, suspension in enumerate(status.suspensions) if suspension.covers(day)]
    if not ending:
        days = ", ".join(
            f"from {one.valid_from} to {one.valid_until or 'further notice'}" for one in status.suspensions
        )
        raise SetupError(
            "MANDATE_NOT_SUSPENDED", f"Mandate {mandate_id} is not suspended on {day}; suspensions: {days or 'none'}."
        )
    last = max(day, date.min + timedelta(days=1)) - timedelta(days=1)
    path = _write(loaded, register, mandate_id, lambda path: end_suspensions(path, ending, last=last))
    typer.echo(f"{mandate_id} is no longer suspended from {day} on: {path}")


def _known(register: Path, mandate_id: str) -> tuple[Register, Status]:
    """Return the register and what it says of the mandate's life so far."""
    loaded = Register.load(register)
    if mandate_id not in loaded.mandates:
        known = ", ".join(sorted(loaded.mandates)) or "none"
        raise SetupError("MANDATE_UNKNOWN", f"The register has no mandate {mandate_id!r}; it has: {known}.")
    return loaded, loaded.statuses.get(mandate_id) or Status(mandate=mandate_id)


def _day(register: Register, stated: str | None) -> date:
    return day_of(stated) if stated else register.day(datetime.now(UTC))


def _write(loaded: Register, register: Path, mandate_id: str, change: Callable[[Path], None]) -> Path:
    """Change the mandate's status file; if that makes the register wrong, undo it and say why."""
    path = register / loaded.status_places.get(mandate_id, f"status/{mandate_id}.toml")
    before = path.read_bytes() if path.exists() else None
    try:
        change(path)
    except UnicodeEncodeError as error:
        raise typer.BadParameter("the reason is not UTF-8") from error
    undo_if_wrong(register, lambda: restore(path, before))
    return path
