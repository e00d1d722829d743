"""``eseal mandate new``: a mandate's file, with its agreement beside it."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from eseal.errors import SetupError
from eseal.mandate.files import Mandate
from eseal.mandate.problems import InvalidRegister
from eseal.mandate.reading import faults_of
from eseal.mandate.register import Register
from eseal.mandate.writing import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MEDIA_TYPES = {".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}

RegisterFolder = Annotated[Path, typer.Option("--register", metavar="DIR", help="The register's folder.")]
Several = Annotated[list[str] | None, typer.Option(help="Repeatable; without it, any.")]


def new(
    mandate_id: Annotated[str, typer.Argument(metavar="ID", help="The mandate's name: dcu-2027.")],
    *,
    register: RegisterFolder,
    awarding_body: Annotated[str, typer.Option(help="The member that gives the mandate.")],
    valid_from: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day.")],
    valid_until: Annotated[str, typer.Option("--until", metavar="DATE", help="The last day, included.")],
    sealer: Annotated[
        str | None, typer.Option(help="organizationIdentifier; default: the alliance's only one.")
    ] = None,
    agreement: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The agreement: PDF, PNG or JPEG. A draft may do without."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="The agreement's title.")] = None,
    signed_on: Annotated[str | None, typer.Option(metavar="DATE", help="Without it, a draft.")] = None,
    statement: Annotated[
        list[str] | None,
        typer.Option(metavar="LANGUAGE=TEXT", help="Evidence statement, one a language; without it, the standard one."),
    ] = None,
    profile: Several = None,
    opportunity_type: Several = None,
    eqf: Annotated[str | None, typer.Option(metavar="LOW-HIGH", help="EQF levels; without it, any.")] = None,
    ects_maximum: Annotated[str | None, typer.Option(help="Most ECTS of one achievement; without it, any.")] = None,
    isced_f: Several = None,
    language: Several = None,
    country: Several = None,
    joint_awards: Annotated[bool, typer.Option("--joint-awards", help="Cover joint awards.")] = False,
    joint_award_partner: Annotated[
        list[str] | None, typer.Option(metavar="MEMBER", help="Repeatable; without it, every member.")
    ] = None,
    outside_bodies: Annotated[
        bool, typer.Option("--outside-bodies", help="Let one body of a joint award be outside the alliance.")
    ] = False,
    accreditation_required: Annotated[
        bool, typer.Option("--accreditation-required", help="Ask for a matching accreditation.")
    ] = False,
    daily_quota: Annotated[int | None, typer.Option(min=1, help="Seals a day.")] = None,
    total_quota: Annotated[int | None, typer.Option(min=1, help="Seals in all.")] = None,
    dual_control: Annotated[
        bool, typer.Option("--dual-control", help="Ask for the awarding body's signature over the file.")
    ] = False,
) -> None:
    """Write a mandate's file, with its agreement beside it. Review it, and commit it.

    An agreement that stands under the register's agreements/ already is named there and not copied: several mandates may
    rest on one.
    """
    loaded = Register.load(register)
    mandate = _mandate(
        {
            "id": mandate_id,
            "awarding_body": awarding_body,
            "sealer": sealer or _only_sealer(loaded),
            "valid_from": day_of(valid_from),
            "valid_until": day_of(valid_until),
            **({"signed_on": day_of(signed_on)} if signed_on else {}),
            "dual_control": dual_control,
            "scope": {
                "profiles": profile or "any",
                "opportunity_types": opportunity_type or "any",
                "eqf": _eqf(eqf) if eqf is not None else "any",
                "ects_maximum": _ects(ects_maximum) if ects_maximum is not None else "any",
                "isced_f": isced_f or "any",
                "languages": language or "any",
                "countries": country or "any",
                "joint_awards": joint_awards,
                "joint_award_partners": joint_award_partner or "any",
                "outside_bodies": outside_bodies,
                "accreditation_required": accreditation_required,
                "quota": {"daily": daily_quota, "total": total_quota},
            },
            "agreement": _agreement(register, mandate_id, agreement, title or f"Agreement of {awarding_body}"),
            "statements": _statements(statement or ()),
        }
    )
    path = register / "mandates" / f"{mandate_id}.toml"
    text = render(mandate, title=f"What {awarding_body} lets {mandate.sealer} seal. Never edit a signed mandate.")
    files = {path: text.encode()}
    if agreement and mandate.agreement and not _is_kept(register, agreement):
        files[register / "agreements" / mandate.agreement.file] = agreement.read_bytes()
    _write_if_right(register, files)
    typer.echo(f"wrote {path}" + ("" if signed_on else " (a draft: set signed_on once it is signed)"))
    if dual_control:
        typer.echo(f"{awarding_body} signs it by a detached JWS in {path}.jws (docs/mandate.md)")


def day_of(text: str) -> date:
    """Read a day, or say that it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a day (2026-12-31)") from error


def undo_if_wrong(register: Path, undo: Callable[[], None]) -> None:
    """Load the register; if what was just written makes it wrong, undo that and say why."""
    try:
        Register.load(register)
    except InvalidRegister:
        undo()
        raise


def restore(path: Path, content: bytes | None) -> None:
    """Give ``path`` its former content back; None: it was not there."""
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


def _mandate(values: dict[str, Any]) -> Mandate:
    try:
        return Mandate.model_validate(values)
    except ValidationError as error:
        faults = "\n".join(f"  {sentence}" for _, _, sentence in faults_of(error))
        raise SetupError("MANDATE_INVALID", f"That is no mandate:\n{faults}") from error


def _is_kept(register: Path, agreement: Path) -> bool:
    """Whether the document is one of the register's own."""
    return agreement.resolve().parent == (register / "agreements").resolve()


def _agreement(register: Path, mandate_id: str, document: Path | None, title: str) -> dict[str, str] | None:
    if document is None:
        return None
    suffix = document.suffix.lower()
    return {
        "file": document.name if _is_kept(register, document) else f"{mandate_id}{suffix}",
        "sha256": hashlib.sha256(document.read_bytes()).hexdigest(),
        "media_type": MEDIA_TYPES.get(suffix, suffix),
        "title": title,
    }


def _statements(given: Iterable[str]) -> dict[str, str]:
    statements: dict[str, str] = {}
    for one in given:
        language, separator, text = one.partition("=")
        if not separator or language in statements:
            raise typer.BadParameter(f"{one!r} is not the only statement of its language (en=The university ...)")
        statements[language] = text
    return statements


def _only_sealer(register: Register) -> str:
    sealers = [sealer.organization_identifier for sealer in register.alliance.sealers]
    if len(sealers) != 1:
        raise typer.BadParameter(f"the alliance has several sealers: name one of {', '.join(sealers)}")
    return sealers[0]


def _eqf(text: str) -> dict[str, int]:
    lowest, _, highest = text.partition("-")
    try:
        return {"lowest": int(lowest), "highest": int(highest or lowest)}
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no range of EQF levels (5-7)") from error


def _ects(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{text!r} is no number of ECTS (7.5)") from error


def _write_if_right(register: Path, files: dict[Path, bytes]) -> None:
    """Add ``files`` to the register; if that makes it wrong, take them away again and say why."""
    present = [str(path) for path in files if path.exists()]
    if present:
        raise SetupError("FILE_EXISTS", f"{', '.join(present)} is there already: nothing is overwritten.")
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def undo() -> None:
        for path in files:
            path.unlink()

    undo_if_wrong(register, undo)
