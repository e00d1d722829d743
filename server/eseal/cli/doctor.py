"""``eseal doctor``: whether this house can open, part by part, and what to do where it cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path  # noqa: TC003 - typer reads the annotation at run time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from eseal.assembly import open_key_room, require_known_mandates, sealing_key
from eseal.config import Config, load
from eseal.errors import EsealError, SetupError
from eseal.ledger import Ledger
from eseal.mandate.register import Register
from eseal.trust.anchors import read_anchors
from eseal.trust.certificate import read_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eseal.hsm import SealKeySettings

WARN = timedelta(days=30)
# A seal claims its time: a clock that stands before this version was made is surely wrong.
BUILT = datetime(2026, 11, 1, tzinfo=UTC)


def doctor(config: Annotated[Path, typer.Option("--config", exists=True, dir_okay=False, help="eseal.toml")]) -> None:
    """Look at configuration, token, key, certificate, mandates, clock and database; say what to do."""
    console = Console()
    table = Table(box=None, pad_edge=False, show_header=False)
    ill = False
    for part, well, word in _examined(config):
        ill |= not well
        table.add_row("[green]ok[/]" if well else "[bold red]no[/]", escape(part), escape(word))
    console.print(table)
    raise typer.Exit(1 if ill else 0)


def _examined(path: Path) -> Iterator[tuple[str, bool, str]]:
    """One line a part: its name, whether it is well, and what was found or what to do."""
    config: Config | None = None

    def configuration() -> str:
        nonlocal config
        config = load(path)
        return f"{path} is understood"

    yield _part("configuration", configuration)
    if config is None:
        return
    yield _part("clock", _clock)
    for key in config.keys:
        yield _part(f"certificate of {key.label}", partial(_certificate, key))
    yield _part("seal keys", lambda: _token(config))
    yield _part("mandates", lambda: _mandates(config))
    yield _part("database", lambda: _database(config))
    yield _part("trust anchors", lambda: _anchors(config))


def _part(name: str, look: Callable[[], str]) -> tuple[str, bool, str]:
    try:
        return name, True, look()
    except EsealError as error:
        return name, False, error.message


def _clock() -> str:
    now = datetime.now(UTC)
    if now < BUILT:
        raise SetupError("CLOCK_WRONG", f"The clock says {now:%Y-%m-%d %H:%M}: set it (NTP), a seal claims its time.")
    return f"{now:%Y-%m-%d %H:%M:%S} UTC; keep it disciplined by NTP"


def _certificate(key: SealKeySettings) -> str:
    certificate = read_certificate(key.load().certificate)
    now = datetime.now(UTC)
    if now < certificate.not_before:
        return f"{certificate.subject.legal_name}, seals from {certificate.not_before:%Y-%m-%d %H:%M} UTC on"
    if not certificate.is_valid_at(now):
        raise SetupError("CERTIFICATE_NOT_VALID", f"It is valid to {certificate.not_after:%Y-%m-%d}: renew it.")
    if not certificate.may_seal:
        raise SetupError(
            "CERTIFICATE_USAGE", "Its key usage lets nothing be sealed: ask the provider for a seal certificate."
        )
    left = (certificate.not_after - now).days
    word = f"{certificate.subject.legal_name} ({certificate.subject.organization_identifier}), {left} days left"
    return f"{word}: request the next one now" if certificate.not_after - now < WARN else word


def _token(config: Config) -> str:
    room = open_key_room(config, [sealing_key(key.load()).key for key in config.keys])
    room.close()
    return f"{len(config.keys)} key(s) found, each belongs to its certificate"


def _mandates(config: Config) -> str:
    register = Register.load(config.mandate.register_folder)
    require_known_mandates(config.keys, register)
    return f"{len(register.members)} members, {len(register.mandates)} mandates, state {register.sha256.hex()[:12]}"


def _database(config: Config) -> str:
    ledger = Ledger.open(config.ledger)
    ledger.close()
    return "the ledger opens and its schema is current"


def _anchors(config: Config) -> str:
    anchors = read_anchors(config.trust.anchors)
    if not anchors:
        raise SetupError("NO_ANCHORS", "None configured: verification cannot decide on any seal. Set trust.anchors.")
    return f"{len(anchors)} certificate(s)"
