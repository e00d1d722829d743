"""``eseal verify``: sealed files against trust anchors, offline; for people, or as JSON for programs."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from eseal.errors import EsealError
from eseal.jades.detached import Content
from eseal.trust.anchors import read_anchors
from eseal.trust.path import TrustAnchors
from eseal.verification import VerifyInput
from eseal.verification import verify as verify_documents
from eseal.verification.report import Report, Status, Verdict, signer_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eseal.trust.verdict import SealVerdict

_BATCH = 64
_COLOURS = {Verdict.VERIFIED: "green", Verdict.PARTIALLY_VERIFIED: "yellow", Verdict.FAILED: "red"}
_HEADLINES = {
    Verdict.VERIFIED: "Verified",
    Verdict.PARTIALLY_VERIFIED: "Partially verified",
    Verdict.FAILED: "Verification failed",
}
_MARKS = {Status.OK: "[green]✔[/]", Status.ERROR: "[red]✘[/]", Status.SKIPPED: "[yellow]-[/]"}
_CHECKS = {
    "format": "Format",
    "seal": "Seal",
    "revocation": "Revocation",
    "accreditation": "Accreditation",
    "validity": "Validity",
    "mandate": "Mandate",
    "annex_i": "Annex I",
}


def verify(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="Sealed files (.jsonld).")
    ],
    anchor: Annotated[
        list[Path] | None,
        typer.Option(metavar="PEM", exists=True, help="A trust anchor: a PEM file, or a folder of them. Repeatable."),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="RFC3339", help="Verify as at this time, such as 2026-01-31T12:00:00Z.")
    ] = None,
    content: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="A content kept apart from its seal. Repeatable."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a file.")] = False,
) -> None:
    """Verify sealed credentials. It needs no server, no HSM and no network.

    Exit status: 0 if none FAILED, 1 if any FAILED, 2 for misuse.
    """
    moment = _moment(at)
    try:
        anchors = TrustAnchors(read_anchors(anchor)) if anchor else None
        contents = [Content(path.read_bytes(), str(path)) for path in content or ()]
    except (EsealError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    console = Console()
    verdicts = []
    for report in _reports(files, contents, anchors, at=moment):
        verdicts.append(report.verdict)
        if as_json:
            typer.echo(json.dumps(report.to_json(), ensure_ascii=False))
        else:
            console.print(_shown(report))
    if len(verdicts) > 1 and not as_json:
        console.print(_summary(verdicts))
    if Verdict.FAILED in verdicts:
        raise typer.Exit(1)


def _moment(at: str | None) -> datetime | None:
    if at is None:
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = f"{at!r} is not a time with its offset, such as 2026-01-31T12:00:00Z."
        raise typer.BadParameter(message, param_hint="--at")
    return moment


def _reports(
    files: Sequence[Path], contents: Sequence[Content], anchors: TrustAnchors | None, *, at: datetime | None
) -> Iterator[Report]:
    """Verify in batches, so that a folder of a hundred thousand files needs the memory of a few."""
    for start in range(0, len(files), _BATCH):
        batch = files[start : start + _BATCH]
        try:
            inputs = [VerifyInput(path.read_bytes(), contents, str(path)) for path in batch]
        except OSError as error:
            message = f"{error.filename} cannot be read: {error.strerror}."
            raise typer.BadParameter(message, param_hint="FILE") from error
        yield from verify_documents(inputs, anchors=anchors, at=at)


def _shown(report: Report) -> Panel:
    colour = _COLOURS[report.verdict]
    parts = [*(_seal(number, seal, report) for number, seal in enumerate(report.seals, 1)), _checks(report)]
    return Panel(
        Group(*parts),
        title=f"[bold {colour}]{_HEADLINES[report.verdict]}[/]",
        title_align="left",
        subtitle=escape(report.file),
        subtitle_align="right",
        border_style=colour,
        padding=(1, 2),
    )


def _seal(number: int, seal: SealVerdict, report: Report) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", min_width=14)
    table.add_column(overflow="fold")
    subject = seal.certificate.subject if seal.certificate else None
    name = "Sealed by" if len(report.seals) == 1 else f"Seal {number} by"
    table.add_row(name, Text(signer_name(subject) if subject else "unknown", style="bold"))
    table.add_row("Seal", f"{seal.indication.value} {escape(seal.sub_indication)}".rstrip())
    table.add_row("Level", seal.level if seal.level == "NOT_ETSI" else f"JAdES {seal.level}")
    if seal.signing_time:
        table.add_row("Claimed time", _clock(seal.signing_time))
    if seal.best_signature_time:
        table.add_row("Proven time", _clock(seal.best_signature_time))
    for stamp in seal.timestamps:
        when = _clock(stamp.time) if stamp.time else "unreadable"
        table.add_row(
            "Time-stamp", f"{escape(stamp.kind)}, {when}, {escape(stamp.authority)}: {stamp.indication.value}"
        )
    table.add_row("", "")
    return table


def _checks(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False, show_edge=False, padding=(0, 1))
    table.add_column(width=1)
    table.add_column(min_width=13)
    table.add_column(overflow="fold")
    for name, check in report.checks.items():
        reasons = "\n".join(escape(reason) for reason in check.reasons)
        style = "" if check.status is Status.ERROR else "dim"
        table.add_row(_MARKS[check.status], _CHECKS[name], Text.from_markup(reasons, style=style))
    return table


def _summary(verdicts: Sequence[Verdict]) -> Text:
    counts = [(verdict, verdicts.count(verdict)) for verdict in Verdict]
    parts = [
        Text(f"{count} {_HEADLINES[verdict].lower()}", style=_COLOURS[verdict]) for verdict, count in counts if count
    ]
    return Text(f"{len(verdicts)} files: ").append(Text(", ").join(parts))


def _clock(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
