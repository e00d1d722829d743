"""The database under the ledger: how SQLite and PostgreSQL are opened so that a commit is durable.

Both are spoken to through SQLAlchemy Core. Here is what differs between them, and where their errors become ours.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import create_engine, event, insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from eseal.errors import SetupError, Unavailable
from eseal.ledger.settings import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine, Table
    from sqlalchemy.engine import URL

    from eseal.ledger.settings import LedgerSettings

log = structlog.get_logger(__name__)

# PostgreSQL stays out of the way of other programs on the same server by these names.
APPLICATION = "eseal-ledger"


def open_engine(settings: LedgerSettings) -> Engine:
    """An engine for the configured database. Nothing is connected yet."""
    url = make_url(settings.url)
    url = url.set(drivername=BACKENDS[url.get_backend_name()])
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, settings)
    return _postgresql(url, settings)


def require_there(settings: LedgerSettings) -> None:
    """Raise SetupError where the database is a file that is not there: merely to connect would make it."""
    url = make_url(settings.url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise SetupError("LEDGER_MISSING", f"There is no ledger at {url.database}: `eseal serve` makes it.")


def write(engine: Engine) -> Connection:
    """A connection whose transaction takes the write lock at its start."""
    return engine.connect().execution_options(eseal_write=True)


def snapshot(engine: Engine) -> Connection:
    """Open a connection whose whole transaction sees one state of the database."""
    if engine.dialect.name == "postgresql":
        return engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.connect()


def driver_insert(engine: Engine, table: Table) -> str:
    """The driver's own INSERT for rows given as tuples in the order of the table's columns.

    Compiled once: on the way of every row, SQLAlchemy's parameter processing would cost as much as the insert.
    """
    names = [column.name for column in table.columns]
    return str(insert(table).compile(dialect=engine.dialect, column_keys=names))


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn a database error into Unavailable: coarse to the caller, the cause to the log. Nothing was written."""
    try:
        yield
    except SQLAlchemyError as error:
        raise unavailable(doing, error) from error


def unavailable(doing: str, error: Exception) -> Unavailable:
    """The answer when the database failed. The driver's own words go to the log; parameters never do."""
    driver = error.orig if isinstance(error, DBAPIError) else error
    log.error("ledger_unavailable", doing=doing, cause=str(driver), error_type=type(driver).__name__)
    return Unavailable(
        "LEDGER_UNAVAILABLE",
        f"The ledger's database could not {doing}, so nothing was sealed. Try again; the operator's log has the cause.",
        metadata={"part": "ledger"},
    )


def _sqlite(url: URL, settings: LedgerSettings) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=settings.readers + 1,
        max_overflow=0,
        pool_timeout=settings.busy_timeout_seconds,
        connect_args={"timeout": settings.busy_timeout_seconds},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        # The driver would begin transactions by its own rules; `_begin` below does instead.
        connection.isolation_level = None
        _use_wal(connection, settings)
        # FULL makes each commit reach the disk before it returns, also in WAL mode.
        connection.execute("PRAGMA synchronous = FULL")
        # A checkpoint waits for the disk twice more; every 32 MB rather than every 4.
        connection.execute("PRAGMA wal_autocheckpoint = 8192")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later could not be made to wait: SQLite refuses it at once.
        writing = connection.get_execution_options().get("eseal_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _use_wal(connection: Any, settings: LedgerSettings) -> None:
    """Switch a new database to WAL. SQLite does not wait for locks here, so workers that start together must."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    for attempt in Retrying(
        retry=retry_if_exception(lambda error: getattr(error, "sqlite_errorname", "") == "SQLITE_BUSY"),
        stop=stop_after_delay(settings.busy_timeout_seconds),
        wait=wait_random_exponential(multiplier=0.01, max=0.2),
        reraise=True,
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode = WAL")


def _postgresql(url: URL, settings: LedgerSettings) -> Engine:
    milliseconds = int(settings.busy_timeout_seconds * 1000)
    return create_engine(
        url,
        paramstyle="format",
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=settings.readers + 1,
        max_overflow=0,
        pool_timeout=settings.busy_timeout_seconds,
        connect_args={
            "application_name": APPLICATION,
            "connect_timeout": max(2, round(settings.busy_timeout_seconds)),
            # A server or role whose default is off would lose commits that were answered.
            "options": f"{url.query.get('options', '')} -c synchronous_commit=on -c lock_timeout={milliseconds}".strip(),
        },
    )
