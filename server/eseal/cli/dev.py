"""``eseal dev init``: a complete practice set, so that a newcomer seals within a minute.

It is the real thing in every part but trust: a SoftHSM token that holds the seal key, certificates shaped like those of
a trust service provider, mutual TLS, a register with members and mandates. Nobody trusts its CA, and the names say so.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads the annotation at run time
from typing import Annotated

import typer
from cryptography.hazmat.primitives.serialization import load_der_public_key
from rich.console import Console

from eseal.errors import SetupError
from eseal.hsm import generate_key, practice_token
from eseal.mandate.practice import write_practice_register
from eseal.rpc.settings import require_address
from eseal.terms import Algorithm
from eseal.trust import practice

app = typer.Typer(no_args_is_help=True)

CALLERS = {
    "dcu": "spiffe://eciu.example/member/dcu/back-end",
    "utwente": "spiffe://eciu.example/member/utwente/back-end",
    "uniz": "spiffe://eciu.example/member/uniz/back-end",
}
KEY_LABEL = "seal-1"
TOKEN_LABEL = "eseal-practice"  # noqa: S105 - a label


@app.callback()
def _group() -> None:
    """Practice sets."""


@app.command()
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", file_okay=False, help="A folder that does not exist yet, or is empty.")
    ],
    algorithm: Annotated[Algorithm, typer.Option(help="The seal key's algorithm.")] = Algorithm.ES256,
    listen: Annotated[str, typer.Option(help="Where the server will listen.")] = "127.0.0.1:50051",
    metrics: Annotated[str, typer.Option(help="Where the metrics will be; empty turns them off.")] = "127.0.0.1:9464",
    processes: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
) -> None:
    """Make a practice set in DIR: CA, certificates, SoftHSM token, register, eseal.toml."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = any(folder.iterdir())
    except OSError as error:
        raise SetupError("FOLDER_NOT_MADE", f"Cannot make {folder}: {error.strerror}.") from error
    if taken:
        raise SetupError("FOLDER_NOT_EMPTY", f"{folder} is not empty: name a new folder.")
    for address in filter(None, (listen, metrics)):
        try:
            require_address(address)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    folder = folder.resolve()
    settings = practice_token(folder / "hsm", label=TOKEN_LABEL, pin=secrets.token_hex(8))
    spki = generate_key(settings, label=KEY_LABEL, algorithm=algorithm)
    _write_pki(folder, spki)
    write_practice_register(
        folder / "register", sealer=practice.PRACTICE_SEALER, callers=CALLERS, today=datetime.now(UTC).date()
    )
    (folder / "eseal.toml").write_text(
        CONFIG.format(
            listen=listen,
            metrics=metrics,
            processes=processes,
            module=settings.module,
            token_label=TOKEN_LABEL,
            softhsm_conf=settings.environment["SOFTHSM2_CONF"],
            key_label=KEY_LABEL,
            algorithm=algorithm,
        )
    )
    Console().print(
        f"A practice set is in [bold]{folder}[/].\n"
        f"  eseal doctor --config {folder}/eseal.toml\n"
        f"  eseal serve --config {folder}/eseal.toml\n"
        f"  eseal verify --anchor {folder}/trust/root.pem FILE",
        soft_wrap=True,
        highlight=False,
    )


def _write_pki(folder: Path, spki: bytes) -> None:
    """Make the practice PKI around the seal key: what the server needs, and one folder for each caller."""
    root = practice.root_ca()
    services = practice.Services(ocsp="http://127.0.0.1:8889/ocsp", ca_issuers="http://127.0.0.1:8889/issuing-ca.crt")
    issuing = practice.issuing_ca(root, services=services)
    seal = practice.seal_certificate(issuing, load_der_public_key(spki), services=services)  # type: ignore[arg-type]
    server = practice.server_certificate(issuing)
    tls_ca = issuing.pem + root.pem
    _write(folder / "trust/root.pem", root.pem)
    _write(folder / "seal/chain.pem", seal.chain_pem)
    _write(folder / "tls/server.pem", server.chain_pem)
    _write(folder / "tls/server.key", server.key_pem, secret=True)
    _write(folder / "tls/client-ca.pem", tls_ca)
    _write(folder / "pki/root.key", root.key_pem, secret=True)
    _write(folder / "pki/issuing-ca.pem", issuing.pem)
    _write(folder / "pki/issuing-ca.key", issuing.key_pem, secret=True)
    for name, made in (
        ("tsa", practice.tsa_certificate(issuing, services=services)),
        ("ocsp", practice.ocsp_responder_certificate(issuing)),
    ):
        _write(folder / f"pki/{name}.pem", made.pem)
        _write(folder / f"pki/{name}.key", made.key_pem, secret=True)
    for member, uri in CALLERS.items():
        client = practice.client_certificate(issuing, uri, name=f"practice back end of {member}")
        _write(folder / f"callers/{member}/certificate.pem", client.chain_pem)
        _write(folder / f"callers/{member}/key.pem", client.key_pem, secret=True)
        _write(folder / f"callers/{member}/ca.pem", tls_ca)


def _write(path: Path, content: bytes, *, secret: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600 if secret else 0o644)
    path.write_bytes(content)


CONFIG = """\
# A practice set made by `eseal dev init`. Paths are relative to this file. docs/configuration.md lists every setting.

[server]
listen = "{listen}"
metrics = "{metrics}"
processes = {processes}

[server.tls]
certificate = "tls/server.pem"
private_key = "tls/server.key"
client_ca = "tls/client-ca.pem"

[hsm]
module = "{module}"
token_label = "{token_label}"
pin_file = "hsm/pin"
environment = {{ SOFTHSM2_CONF = "{softhsm_conf}" }}
sessions = 4

[[keys]]
label = "{key_label}"
algorithm = "{algorithm}"
certificate_chain = "seal/chain.pem"

[mandate]
register = "register"

[ledger]
url = "sqlite:///ledger.db"

[trust]
anchors = ["trust/root.pem"]
"""
