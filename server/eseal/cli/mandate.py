"""``eseal mandate``: keep the register of mandates, and ask it.

The commands write the files that a person would write; nothing is kept anywhere else. A change that would make the
register wrong is not left behind.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads the annotation at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from eseal import assembly
from eseal.cli.mandate_new import RegisterFolder, day_of, new
from eseal.cli.mandate_status import resume, suspend, withdraw
from eseal.mandate.problems import InvalidRegister
from eseal.mandate.register import Register

if TYPE_CHECKING:
    from eseal.mandate.policy import Decision
    from eseal.mandate.problems import Problem

app = typer.Typer(no_args_is_help=True)
app.command()(new)
app.command()(suspend)
app.command()(resume)
app.command()(withdraw)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def _group() -> None:
    """Mandates."""


@app.command()
def check(register: RegisterFolder, as_json: AsJson = False) -> None:
    """Validate the register as a whole: every problem by file, line and rule. Exit status 1 if there is one."""
    problems: tuple[Problem, ...] = ()
    try:
        loaded = Register.load(register)
    except InvalidRegister as error:
        problems = error.problems
    if as_json:
        listed = [asdict(problem) for problem in problems]
        typer.echo(json.dumps({"register": str(register), "valid": not problems, "problems": listed}))
    elif problems:
        for problem in problems:
            typer.echo(str(problem))
    else:
        counts = f"{len(loaded.members)} members, {len(loaded.mandates)} mandates"
        typer.echo(f"{register} is right: {counts}, sha256 {loaded.sha256.hex()}")
    raise typer.Exit(1 if problems else 0)


@app.command("list")
def list_(
    register: RegisterFolder,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="The day to look at; default today.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the mandates and how they stand on a day."""
    loaded = Register.load(register)
    day = day_of(on) if on else loaded.day(datetime.now(UTC))
    rows = [
        {
            "id": mandate.id,
            "awarding_body": mandate.awarding_body,
            "sealer": mandate.sealer,
            "valid_from": mandate.valid_from.isoformat(),
            "valid_until": mandate.valid_until.isoformat(),
            "state": loaded.state_of(mandate, day),
            "dual_control": mandate.dual_control,
            "countersigned": mandate.id in loaded.countersigned,
        }
        for member in loaded.members.values()
        for mandate in loaded.mandates_of(member)
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table("mandate", "awarding body", "sealer", "from", "until", f"on {day}", "countersigned", box=None)
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        *words, dual_control, countersigned = row.values()
        table.add_row(*map(str, words), "yes" if countersigned else "missing" if dual_control else "not asked for")
    Console().print(table)


@app.command()
def explain(
    credential: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The credential, unsealed.")],
    config: Annotated[Path, typer.Option("--config", exists=True, dir_okay=False, help="eseal.toml")],
    caller: Annotated[str, typer.Option(metavar="URI", help="The caller: its certificate's URI SAN.")],
    on: Annotated[str | None, typer.Option(metavar="DATE", help="The day of sealing; default now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a seal would be granted, by which mandates or against which rules; seal nothing.

    Exit status: 0 if granted, 1 if refused. Quotas are counted from the ledger; where that cannot be read, they count as
    unused, and the answer says so.
    """
    day = day_of(on) if on else None
    decision, unread = assembly.explain(config, caller, day, credential.read_bytes())
    if as_json:
        typer.echo(json.dumps({**_as_json(decision), "quotas": "assumed-unused" if unread else "from-ledger"}))
    else:
        _print(decision)
    if unread and decision.basis.uses:
        typer.echo(f"Quotas were counted as unused, for the ledger could not be read. {unread.message}", err=True)
    raise typer.Exit(0 if decision.grant else 1)


def _as_json(decision: Decision) -> dict[str, Any]:
    return {
        "granted": decision.grant is not None,
        "mandates": list(decision.grant.mandate_ids) if decision.grant else [],
        "self_issue": decision.grant is not None and decision.grant.self_issue,
        "refusals": [{"rule": one.rule, "message": one.message, "subject": one.subject} for one in decision.refusals],
        "facts": dict(decision.facts_used),
        "register_sha256": decision.register_sha256.hex(),
    }


def _print(decision: Decision) -> None:
    console = Console()
    if decision.grant is None:
        console.print("[bold red]refused[/]")
        for one in decision.refusals:
            console.print(f"  [bold]{escape(one.rule)}[/]  {escape(one.message)}", soft_wrap=True, highlight=False)
    elif decision.grant.self_issue:
        console.print("[bold green]granted[/]: the awarding body seals for itself")
    else:
        console.print(f"[bold green]granted[/] by {', '.join(decision.grant.mandate_ids)}", highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in decision.facts_used:
        table.add_row(f"[dim]{escape(name)}[/]", escape(value))
    console.print(table)
