"""Bringing the schema up to date: the migrations of this package, run by Alembic in one transaction.

Workers start together, so the first one takes a lock and migrates while the others wait and then find nothing to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from eseal.errors import SetupError
from eseal.ledger.database import write
from eseal.ledger.schema import writer

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from eseal.ledger.settings import LedgerSettings

MIGRATIONS = Path(__file__).parent / "migrations"
# An arbitrary number that only ledgers use as an advisory lock: "eseal" in ASCII.
UPGRADE_LOCK = 0x657365616C


def prepare(engine: Engine, settings: LedgerSettings) -> None:
    """See that the schema is this version's, upgrading where the settings allow. Raise SetupError otherwise."""
    if settings.upgrade == "automatic":
        upgrade(engine)
        return
    with _explained(engine), engine.connect() as connection:
        revision = _revision(connection)
    if revision != newest_revision():
        raise SetupError(
            "LEDGER_SCHEMA",
            f"The ledger's schema is {revision or 'not there yet'}, this version needs {newest_revision()}: "
            "run `eseal ledger upgrade --config FILE`, then start again.",
        )


def upgrade(engine: Engine) -> str:
    """Bring the schema to this version's and return the revision that was there before (empty: none)."""
    with _explained(engine), engine.connect() as connection:
        before = _revision(connection)
        if before == newest_revision():
            return before
    with _explained(engine), write(engine) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")
        before = _revision(connection)
        if before != newest_revision():
            if not before and inspect(connection).has_table(writer.name):
                raise _no_one_revision("none")
            configuration = _configuration()
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
    return before


def newest_revision() -> str:
    """The revision that this version of the ledger reads and writes."""
    return ScriptDirectory.from_config(_configuration()).get_current_head() or ""


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    configuration.set_main_option("path_separator", "os")
    return configuration


def _revision(connection: Connection) -> str:
    """The database's revision; SetupError if this version does not know it."""
    revisions = MigrationContext.configure(connection).get_current_heads()
    if len(revisions) > 1 or not all(isinstance(one, str) for one in revisions):
        raise _no_one_revision(", ".join(ascii(one)[:40] for one in revisions))
    revision = next(iter(revisions), "")
    known = {script.revision for script in ScriptDirectory.from_config(_configuration()).walk_revisions()}
    if revision and revision not in known:
        raise SetupError(
            "LEDGER_NEWER",
            f"The ledger's schema is {revision}, which this version does not know: it was upgraded by a newer eseal. "
            "Install that version, or restore the database from before the upgrade.",
        )
    return revision


def _no_one_revision(found: str) -> SetupError:
    return SetupError(
        "LEDGER_CHANGED",
        f"The ledger's table alembic_version should hold in version_num the one revision of the schema; it holds {found}: "
        "somebody changed the database. Stop the servers, keep a copy of the database as it is, and put back the newest "
        "backup that `eseal ledger check --config FILE` passes.",
    )


class _explained:  # noqa: N801 - a context manager, used like a function
    """Turn a database error at start into a SetupError that names the database, without its password."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, SQLAlchemyError):
            cause = getattr(error, "orig", None) or error
            place = self._engine.url.render_as_string(hide_password=True)
            raise SetupError(
                "LEDGER_DATABASE",
                f"The ledger's database {place} cannot be used ({str(cause).strip()}). Check [ledger] url, that the "
                "server runs, that the directory exists and that this user may write there.",
            ) from error
