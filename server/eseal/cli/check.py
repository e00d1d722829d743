"""``eseal check``: credentials against their profiles and Annex I, offline; plain, uploadable or sealed files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from eseal.credential.annex_i import annex_i
from eseal.credential.checking import check as check_credential
from eseal.errors import InvalidInput
from eseal.jades.reading import read
from eseal.sealcore import Document, InvalidJson
from eseal.terms import Fault, Profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eseal.credential.annex_i import AnnexI


_COMPACT: Final = re.compile(rb"\s*[A-Za-z0-9_-]+\.")


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found in one file.

    ``annex_i`` are its elements, which do not decide ``conforms``; None where the file is no credential.
    """

    file: str
    faults: tuple[Fault, ...]
    annex_i: AnnexI | None

    @property
    def conforms(self) -> bool:
        """Whether the credential conforms to its profiles."""
        return not self.faults

    def to_json(self) -> dict[str, Any]:
        """Return the report in the fixed names of ``eseal check --json``."""
        faults = [{"pointer": fault.pointer, "rule": fault.rule, "message": fault.message} for fault in self.faults]
        annex = self.annex_i and {
            "missing": [*self.annex_i.missing],
            "optional_present": [*self.annex_i.optional_present],
            "optional_missing": [*self.annex_i.optional_missing],
        }
        return {"file": self.file, "conforms": self.conforms, "faults": faults, "annex_i": annex}


def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="Credentials (JSON or sealed).")
    ],
    profile: Annotated[
        list[Profile] | None,
        typer.Option(help="A profile to check against. Repeatable; without it, those that the credential names."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a file.")] = False,
) -> None:
    """Check credentials against their profiles and against Annex I. Seals are taken off, not verified.

    Exit status: 0 if all conform, 1 if any does not, 2 for misuse.
    """
    console = Console()
    all_conform = True
    for path in files:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise typer.BadParameter(f"{path} cannot be read: {error.strerror}.", param_hint="FILE") from error
        report = check_file(str(path), data, profile)
        all_conform = all_conform and report.conforms
        if as_json:
            typer.echo(json.dumps(report.to_json(), ensure_ascii=False))
        else:
            _show(report, console)
    if not all_conform:
        raise typer.Exit(1)


def check_file(file: str, data: bytes, profiles: Iterable[Profile] | None = None) -> CheckReport:
    """Check the bytes of one file; what is no credential has that as its one fault."""
    try:
        document = _credential(data)
    except InvalidInput as error:
        faults = error.faults or (Fault("", error.reason.lower().replace("_", "-"), error.message),)
        return CheckReport(file, tuple(faults), None)
    return CheckReport(file, tuple(check_credential(document, profiles or None)), annex_i(document))


def _credential(data: bytes) -> Document:
    # Three base64url texts with full stops are a compact JWS (RFC 7515 section 7.1); all else is JSON or nothing.
    document = None if _COMPACT.match(data) else _parsed(data)
    if document is None or document.has("/signatures") or document.has("/signature"):
        content = read(data).data
        if content is None:
            message = "The sealed file does not hold its credential: the content is kept elsewhere."
            raise InvalidInput("DETACHED", message)
        document = _parsed(content)
    # The Commission's uploadable form wraps the credential together with where to deliver it.
    return document.at("/credential") if document.has("/credential/type") and not document.has("/type") else document


def _parsed(data: bytes) -> Document:
    try:
        document = Document.parse(data)
    except InvalidJson as error:
        raise InvalidInput("JSON", f"This is not JSON: {error}.") from error
    if not document.canonical().startswith(b"{"):
        raise InvalidInput("NOT_A_CREDENTIAL", "This is JSON, but no object: a credential is one.")
    return document


def _show(report: CheckReport, console: Console) -> None:
    count = f"{len(report.faults)} fault{'s' if len(report.faults) > 1 else ''}"
    mark = "[green]✔[/] conforms" if report.conforms else f"[red]✘[/] {count}"
    console.print(f"[bold]{escape(report.file)}[/]: {mark}")
    if report.faults:
        table = Table(padding=(0, 1), row_styles=("", "dim"))
        for heading in ("Where", "Rule", "What"):
            table.add_column(heading, overflow="fold")
        for fault in report.faults:
            table.add_row(escape(fault.pointer or "/"), escape(fault.rule), escape(fault.message))
        console.print(table)
    if report.annex_i is not None:
        _show_elements(report.annex_i, console)


def _show_elements(found: AnnexI, console: Console) -> None:
    for element in found.missing:
        console.print(f"  [yellow]-[/] Annex I: not there: {escape(element)}")
    if not found.missing:
        console.print("  [green]✔[/] Annex I: every mandatory element is there")
    for element in found.optional_present:
        console.print(f"  [green]✔[/] Annex I, optional: {escape(element)}")
    for element in found.optional_missing:
        console.print(f"  [dim]-[/] Annex I, optional, not there: {escape(element)}")
