"""``eseal ledger``: what was sealed, in whose name and by what right; whether the record is whole; what may be deleted.

Nothing here changes the ledger but ``retention --apply`` and ``upgrade``. All of it may run beside a busy server.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from eseal.config import load
from eseal.errors import SetupError, Unavailable
from eseal.ledger import Ledger, State
from eseal.ledger.audit import Attempt, Question
from eseal.ledger.check import heads_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eseal.ledger import LedgerSettings
    from eseal.ledger.audit import Names
    from eseal.ledger.check import ChainReport

app = typer.Typer(no_args_is_help=True)

_COLOURS = {State.SEALED: "green", State.FAILED: "red", State.ABANDONED: "yellow", State.INTENDED: "yellow"}

_HEADINGS = (
    "Recorded (UTC)",
    "State",
    "Request",
    "Credential",
    "Awarding bodies",
    "Mandates",
    "Caller",
    "Level",
)
# Where nobody looks at a line as a whole, it is as long as it is.
_WIDE = 4096
_MOST_NAMES = 20

Config = Annotated[Path, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="The server's eseal.toml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Since = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"], help="From then on (UTC).")]
Until = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"], help="Before then (UTC).")]


@app.callback()
def _group() -> None:
    """The record of every seal."""


@app.command("list")
def list_attempts(
    *,
    config: Config,
    awarding_body: Annotated[str | None, typer.Option(help="Only seals in this awarding body's name.")] = None,
    caller: Annotated[str | None, typer.Option(metavar="URI", help="Only what this caller asked for.")] = None,
    mandate: Annotated[str | None, typer.Option(help="Only seals under this mandate.")] = None,
    state: Annotated[State | None, typer.Option(case_sensitive=False, help="Only attempts in this state.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List attempts to seal, the newest first. With --json, one object a line."""
    question = Question(
        awarding_body=awarding_body,
        caller=caller,
        mandate_id=mandate,
        state=state,
        since=_utc(since),
        until=_utc(until),
    )
    with _opened(load(config).ledger) as ledger:
        found = list(ledger.attempts(question, newest=limit))
        if not found:
            _tell_nothing_found(question, ledger.names())
    if as_json:
        for attempt in found:
            typer.echo(_json(attempt))
    elif found:
        console = Console()
        if not console.is_terminal:
            console.width = _WIDE
        console.print(_table(found))


@app.command()
def export(
    config: Config,
    member: Annotated[str, typer.Option(help="The member, as the mandate register names it.")],
    since: Since = None,
    until: Until = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there instead of standard output.")] = None,
) -> None:
    """Export what one member may see: what it had sealed, and what was sealed in its name. JSON, one object a line."""
    number = 0
    question = Question(party=member, since=_utc(since), until=_utc(until))
    with _opened(load(config).ledger) as ledger, _written(out) if out else nullcontext(sys.stdout) as file:
        for attempt in ledger.attempts(question):
            file.write(_json(attempt) + "\n")
            number += 1
        if not number:
            _tell_nothing_found(question, ledger.names())
    typer.echo(f"{number} attempts exported for {member}", err=True)


@app.command()
def check(
    config: Config,
    heads: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="What an earlier check printed with --json."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that no row was changed, removed or reordered. Exit status 1 if one was.

    Keep what --json prints somewhere else, and give it to a later check as --heads: then not even somebody who may
    rewrite the whole database can rewrite what was there before.
    """
    try:
        noted = heads_from_json(heads.read_text(encoding="utf-8")) if heads else ()
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--heads") from error
    with _opened(load(config).ledger) as ledger:
        report = ledger.check(noted)
    if as_json:
        typer.echo(json.dumps(_plain(asdict(report) | {"whole": not report.faults})))
    else:
        _print_report(report, by_heads=heads is not None)
    raise typer.Exit(1 if report.faults else 0)


@app.command()
def retention(
    config: Config,
    before: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Delete what is older than this day; default: as old as keep_days."),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Delete; without it, only tell what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete what may be deleted: requests that are older than [ledger] keep_days as a whole.

    A request id whose row is gone is new again: its content would be sealed as another credential.
    """
    settings = load(config).ledger
    latest = datetime.now(UTC) - timedelta(days=settings.keep_days)
    limit = _utc(before) or latest
    if limit > latest:
        message = (
            f"rows are kept for {settings.keep_days} days ([ledger] keep_days): give a day up to {latest:%Y-%m-%d}"
        )
        raise typer.BadParameter(message, param_hint="--before")
    with _opened(settings) as ledger:
        deleted = ledger.retain(limit, apply=apply)
    if as_json:
        typer.echo(json.dumps(asdict(deleted) | {"before": limit.isoformat(), "applied": apply}))
        return
    word = "Deleted" if apply else "Would delete (nothing is done without --apply)"
    typer.echo(
        f"{word}: {deleted.intents} intents, {deleted.outcomes} outcomes and {deleted.contents} shared contents "
        f"from before {limit:%Y-%m-%d %H:%M} UTC."
    )


@app.command()
def upgrade(config: Config) -> None:
    """Bring the database's schema to this version's. Stop the servers and copy the database first."""
    settings = load(config).ledger
    revision = Ledger.upgrade(settings)
    typer.echo(f"The schema was {revision.before or 'not there'} and is {revision.now}.")


@contextmanager
def _opened(settings: LedgerSettings) -> Iterator[Ledger]:
    """Open the ledger as it is: to look at it must not change it. SetupError where its database fails."""
    ledger = Ledger.open_as_it_is(settings)
    try:
        yield ledger
    except Unavailable as error:
        # What it says is for those who have seals made.
        cause = getattr(error.__cause__, "orig", None) or error.__cause__
        raise SetupError(
            "LEDGER_DATABASE",
            f"The ledger's database could not be used: {' '.join(str(cause).split())}. Where that says that it is damaged "
            "(malformed), or that a table or a column is not there or of another type, stop the servers, keep a copy of it "
            "as it is, and put back the newest backup that `eseal ledger check` passes.",
        ) from error
    finally:
        ledger.close()


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    """A file that takes its place when it is written as a whole: what was there before stays until then."""
    special = path.exists() and not path.is_file()
    part = path if special else path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            yield file
        if not special:
            part.replace(path)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename or path}: {error.strerror}", param_hint="--out") from error
    finally:
        if not special:
            with suppress(OSError):
                part.unlink()


def _tell_nothing_found(question: Question, names: Names) -> None:
    """Say what was asked for that the ledger does not know, and what it does."""
    typer.echo("Nothing in the ledger answers this.", err=True)
    for option, asked, known in (
        ("--member", question.party, names.members),
        ("--awarding-body", question.awarding_body, names.awarding_bodies),
        ("--caller", question.caller, names.callers),
        ("--mandate", question.mandate_id, names.mandate_ids),
    ):
        if asked is not None and asked not in known:
            listed = ", ".join(known[:_MOST_NAMES]) + (", …" if len(known) > _MOST_NAMES else "")
            sentence = f"It has nothing for {option} {asked!r}, written as in the mandate register; it has: "
            typer.echo(f"{sentence}{listed or 'no seal yet'}.", err=True)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def _json(attempt: Attempt) -> str:
    return json.dumps(_plain(asdict(attempt)), ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Bytes as hex and times as RFC 3339, as JSON has neither."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value


def _table(attempts: list[Attempt]) -> Table:
    table = Table(box=None)
    for heading in _HEADINGS:
        # Nothing is cut: an id that is not whole is none.
        table.add_column(heading, overflow="fold")
    for one in attempts:
        table.add_row(
            f"{one.recorded:%Y-%m-%d %H:%M:%S}",
            Text.assemble((one.state, _COLOURS[one.state]), f" {one.failure}" if one.failure else ""),
            # What callers and registers say is no markup.
            *map(
                Text,
                (
                    one.request_id,
                    one.credential_id,
                    ", ".join(one.awarding_bodies),
                    ", ".join(one.mandate_ids) or "(for itself)",
                    one.caller,
                    one.level,
                ),
            ),
        )
    return table


def _print_report(report: ChainReport, *, by_heads: bool) -> None:
    console = Console()
    for fault in report.faults:
        place = f"row {fault.writer}-{fault.position}" if fault.position else f"writer {fault.writer or '(all)'}"
        console.print(f"[red]✘[/] {place}: {escape(fault.message)} ({fault.rule})", highlight=False)
    for one in report.deletions:
        sentence = f"{one.at:%Y-%m-%d %H:%M} UTC: retention deleted {one.rows} rows from before {one.before:%Y-%m-%d %H:%M} UTC"
        console.print(f"  {sentence}.", highlight=False)
    if not report.faults:
        console.print(f"[green]✔[/] {report.rows} rows in {len(report.heads)} chains are as they were written.")
    if not by_heads:
        sentence = (
            "Without --heads nothing tells whether the newest replica's chain, the end of any chain or every row was "
            "deleted together with what points at it: the heads of an earlier check (--json), kept elsewhere, would."
        )
        console.print(sentence, highlight=False)
