"""The command line: ``eseal serve | issue | seal | bulk | verify | check | mandate | hsm | ledger | doctor | dev``.

Exit status: 0 for yes, 1 for no (a seal that fails, a credential with faults, a refused mandate, a house that cannot
open), 2 for misuse.
"""

from __future__ import annotations

import logging
import sys
from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.markup import escape

from eseal.cli import dev, hsm, ledger, mandate
from eseal.cli.check import check
from eseal.cli.doctor import doctor
from eseal.cli.serve import serve
from eseal.cli.verify import verify
from eseal.errors import EsealError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    help="Seal European Digital Credentials for the universities of an alliance, and verify them.",
)
app.command()(serve)
if find_spec("eseal_client"):
    # They call a server, so they need the client: pip install clients/python.
    from eseal.cli import bulk
    from eseal.cli.sealing import issue, seal

    app.command()(issue)
    app.command()(seal)
    app.add_typer(bulk.app, name="bulk", help="Class lists and folders, a hundred thousand at a time.")
app.command()(verify)
app.command()(check)
app.command()(doctor)
app.add_typer(mandate.app, name="mandate", help="The mandate register: who may have what sealed.")
app.add_typer(hsm.app, name="hsm", help="The HSM: list, generate-key, request-certificate, bench.")
app.add_typer(ledger.app, name="ledger", help="The record of every seal: list, export, check, retention, upgrade.")
app.add_typer(dev.app, name="dev", help="A complete practice set: CA, token, register, configuration.")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"eseal {version('eseal')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    del show_version


def main() -> None:
    """Run the command line; an error of the house is one sentence for the person who must act, not a traceback."""
    # The server sets up its own log. A command says what it found by itself; only warnings go beside that.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        app()
    except EsealError as error:
        Console(stderr=True).print(f"[bold red]{error.reason}[/] {escape(error.message)}", soft_wrap=True)
        sys.exit(1)
