"""``eseal hsm``: what an operator needs before there is a seal certificate: see the token, make a key, request, measure.

Only ``[hsm]`` and ``[[keys]]`` of the configuration are read, so the rest may still be missing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from eseal.config import load_token
from eseal.errors import SetupError
from eseal.hsm import (
    HsmSettings,
    QuirkSettings,
    bench,
    generate_key,
    list_keys,
    list_tokens,
    public_key_of,
    request_certificate,
)
from eseal.mandate.identifiers import form_fault
from eseal.terms import Algorithm, LegalEntity, LegalIdentifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eseal.hsm import SealKeySettings

app = typer.Typer(no_args_is_help=True)

Config = Annotated[
    Path,
    typer.Option(
        metavar="FILE", exists=True, dir_okay=False, help="An eseal.toml; only its hsm and keys tables are read."
    ),
]
# X.520's upper bound for a common name (RFC 5280 appendix A.1). Registered names may be longer, and ETSI lets them be so.
_LONGEST_COMMON_NAME = 64


def _named(label: str) -> str:
    """A key without a label could not be configured."""
    if not label:
        raise typer.BadParameter("a key needs a label: [[keys]] names it by that")
    return label


Label = Annotated[str, typer.Option(callback=_named, help="The key's label in the token (CKA_LABEL).")]


@app.callback()
def _group() -> None:
    """The HSM."""


@app.command("list")
def list_everything(
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="An eseal.toml; only its hsm and keys tables are read."
        ),
    ] = None,
    module: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A PKCS#11 library: its tokens, without login.")
    ] = None,
) -> None:
    """List the tokens of a module; with --config also the keys of the configured one, which needs the PIN."""
    console = Console()
    if module is not None and config is None:
        # A bare name would be looked for where the system keeps its libraries, and not here (dlopen(3)).
        console.print(_tokens(HsmSettings(module=module.absolute(), slot=0, quirks=QuirkSettings(login="none"))))
        return
    if config is None or module is not None:
        raise typer.BadParameter("name either --config or --module")
    settings, keys = load_token(config)
    console.print(_tokens(settings))
    console.print(_keys(settings, keys))


@app.command("generate-key")
def generate(
    config: Config,
    label: Label,
    algorithm: Annotated[Algorithm, typer.Option(help="What it will seal with.")] = Algorithm.ES256,
) -> None:
    """Make a key pair in the token, where its private part stays (sensitive, not extractable, for signing alone)."""
    settings, _ = load_token(config)
    spki = generate_key(settings, label, algorithm)
    Console().print(
        f"Key [bold]{escape(label)}[/] for {algorithm} is in the token; SHA-256 of its public key "
        f"{hashlib.sha256(spki).hexdigest()}.\n"
        f"Next: eseal hsm request-certificate --config {config} --label {escape(label)} ...",
        soft_wrap=True,
        highlight=False,
    )


@app.command("request-certificate")
def request(
    *,
    config: Config,
    label: Label,
    organization: Annotated[str, typer.Option(help="The sealer's legal name (O).")],
    organization_identifier: Annotated[
        str,
        typer.Option(
            metavar="ID", help="Its identifier as EN 319 412-1 writes it: NTRNL-08164880, VATNL-..., LEIXG-..."
        ),
    ],
    country: Annotated[str, typer.Option(metavar="CC", help="Two letters (C).")],
    common_name: Annotated[
        str | None, typer.Option(help="CN, of at most 64 characters; the legal name where left out.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Write there; else to the screen.")
    ] = None,
) -> None:
    """Make the request (PKCS#10) for a seal certificate, signed by the key in the token."""
    fault = form_fault(LegalIdentifier(kind="eidas", notation=organization_identifier))
    if fault:
        raise typer.BadParameter(fault, param_hint="--organization-identifier")
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):  # noqa: PLR2004
        raise typer.BadParameter("two capital letters (ISO 3166-1 alpha-2), such as NL", param_hint="--country")
    if not organization.strip():
        raise typer.BadParameter("the sealer's legal name, as its register has it", param_hint="--organization")
    if len(common_name or organization) > _LONGEST_COMMON_NAME:
        raise typer.BadParameter(
            f"a common name has at most {_LONGEST_COMMON_NAME} characters (X.520): give a shorter one, such as the name by "
            "which the sealer is known",
            param_hint="--common-name",
        )
    settings, _ = load_token(config)
    subject = LegalEntity(organization, common_name or organization, organization_identifier, country)
    pem = request_certificate(settings, label, subject).public_bytes(Encoding.PEM)
    if out is None:
        typer.echo(pem.decode(), nl=False)
        return
    try:
        out.write_bytes(pem)
    except OSError as error:
        raise SetupError("NOT_WRITTEN", f"Cannot write {out}: {error.strerror}.") from error
    Console().print(f"{out}: send it to your trust service provider.", highlight=False)


@app.command("bench")
def measure(
    config: Config,
    label: Label,
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="How long each step takes.")] = 3.0,
) -> None:
    """Sign random digests with 1, 2, 4 ... sessions, up to hsm.sessions: where the rate stops rising is enough."""
    settings, _ = load_token(config)
    table = Table("sessions", "signatures/s", "median ms", "99 % ms", box=None, pad_edge=False)
    for column in table.columns:
        column.justify = "right"
    console = Console()
    with console.status("measuring"):
        for rate in bench(settings, label, seconds=seconds):
            table.add_row(
                str(rate.sessions),
                f"{rate.per_second:,.0f}",
                f"{rate.median_seconds * 1e3:.2f}",
                f"{rate.p99_seconds * 1e3:.2f}",
            )
    console.print(table)


def _tokens(settings: HsmSettings) -> Table:
    table = Table("slot", "token", "serial", "made by", "sessions", "can sign", box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    found = list_tokens(settings)
    if not found:
        raise SetupError(
            "HSM_TOKEN_NOT_FOUND",
            f"{settings.module} shows no initialised token. Check that the HSM is connected, that its client is configured, "
            "and that hsm.environment (with --module: the environment) points to that configuration.",
        )
    for token in found:
        table.add_row(
            str(token.slot),
            escape(token.label),
            token.serial,
            escape(f"{token.manufacturer} {token.model}".strip()),
            "unlimited or unknown" if token.max_sessions is None else str(token.max_sessions),
            " ".join(token.algorithms),
        )
    return table


def _keys(settings: HsmSettings, configured: tuple[SealKeySettings, ...]) -> Table:
    table = Table("key", "id", "kind", "stays inside", "configured", box=None, pad_edge=False)
    by_label = {key.label: key for key in configured}
    found = list_keys(settings)
    for key in found:
        inside = {True: "[bold red]no: extractable[/]", False: "yes", None: "unknown"}[key.extractable]
        ours = by_label.get(key.label)
        namesakes = [other.spki for other in found if other.label == key.label and other is not key]
        table.add_row(
            escape(key.label),
            key.id.hex()[:16],
            escape(key.kind),
            inside,
            _configured(ours, key.spki, namesakes) if ours else "no",
        )
    for label in by_label.keys() - {key.label for key in found}:
        table.add_row(escape(label), "", "", "", "[bold red]in the configuration, but not in the token[/]")
    return table


def _configured(settings: SealKeySettings, spki: bytes | None, namesakes: Sequence[bytes | None]) -> str:
    """Whether the configured certificate is this key's; ``namesakes`` are the other keys under its label."""
    try:
        certified = public_key_of(settings.load())
    except SetupError as error:
        return f"[yellow]{settings.algorithm}; {escape(error.message)}[/]"
    if spki == certified:
        return f"{settings.algorithm}, with its certificate"
    if certified in namesakes:
        return "no: the certificate is that of the other key under this label"
    if spki is None:
        return f"{settings.algorithm}; no public key beside it to compare with its certificate"
    return "[bold red]its certificate is another key's[/]"
