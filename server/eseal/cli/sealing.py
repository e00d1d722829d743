"""``eseal issue`` and ``eseal seal``: one or a few credentials, through a running server."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from eseal_client import Client, Connection, EsealError, Identity, read_learner, read_micro_credential

if TYPE_CHECKING:
    from collections.abc import Callable

    from eseal_client import Sealed

IdentityFolder = Annotated[
    Path,
    typer.Option(
        "--identity",
        exists=True,
        file_okay=False,
        help="A folder with ca.pem, certificate.pem and key.pem: who you are.",
    ),
]
Server = Annotated[str, typer.Option("--server", help="host:port of the server.")]
Out = Annotated[Path, typer.Option("--out", file_okay=False, help="Where the sealed .jsonld files go.")]
RequestId = Annotated[
    str,
    typer.Option(help="The idempotency key; by default a digest of the content, so a second run seals nothing twice."),
]


def issue(
    course: Annotated[
        Path,
        typer.Argument(
            metavar="COURSE", exists=True, dir_okay=False, help="What is awarded (MicroCredential as JSON)."
        ),
    ],
    learner: Annotated[
        Path, typer.Argument(metavar="LEARNER", exists=True, dir_okay=False, help="To whom (Learner as JSON).")
    ],
    *,
    identity: IdentityFolder,
    server: Server = "localhost:50051",
    out: Out = Path(),
    request_id: RequestId = "",
) -> None:
    """Build a credential from COURSE and LEARNER and seal it."""
    request_id = request_id or _digest(course.read_bytes(), learner.read_bytes())
    try:
        what, whom = read_micro_credential(course), read_learner(learner)
    except ValueError as error:
        Console(stderr=True).print(f"[bold red]not understood[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(2) from None
    with _client(server, identity) as client:
        _written(lambda: client.issue(what, whom, request_id=request_id), out)


def seal(
    credentials: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="Credentials to seal (JSON-LD)."),
    ],
    *,
    identity: IdentityFolder,
    server: Server = "localhost:50051",
    out: Out = Path(),
) -> None:
    """Seal credentials that you built; request ids are digests of the files."""
    failed = False
    with _client(server, identity) as client:
        for path in credentials:
            content = path.read_bytes()
            try:
                _written(partial(client.seal, content, request_id=_digest(content)), out)
            except typer.Exit:
                failed = True
    raise typer.Exit(1 if failed else 0)


def _written(seal_it: Callable[[], Sealed], out: Path) -> None:
    """Write what was sealed under its credential id, or say why it was refused."""
    try:
        sealed = seal_it()
    except EsealError as error:
        console = Console(stderr=True)
        console.print(f"[bold red]{error.reason or error.code}[/] {escape(error.message)}", soft_wrap=True)
        for violation in (*error.faults, *error.refusals):
            place = escape(f"{violation.subject or '/'} [{violation.rule}] {violation.message}")
            console.print(f"  {place}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from None
    path = _free_path(out / f"{sealed.credential_id.rpartition(':')[2]}.jsonld", sealed.sealed)
    path.write_bytes(sealed.sealed)
    mandates = ", ".join(sealed.mandate_ids) or "none: sealed for itself"
    Console().print(f"{path}  {sealed.credential_id}  mandate: {escape(mandates)}", soft_wrap=True, highlight=False)


def _free_path(path: Path, content: bytes) -> Path:
    """Return where ``content`` goes: never over another seal of the same credential."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, free = 1, path
    while free.exists() and free.read_bytes() != content:
        number += 1
        free = path.with_stem(f"{path.stem}.{number}")
    return free


def _client(server: str, identity: Path) -> Client:
    try:
        return Client(Connection(target=server, identity=Identity.from_folder(identity)))
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}", param_hint="--identity") from None


def _digest(*contents: bytes) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return f"sha256:{digest.hexdigest()}"
