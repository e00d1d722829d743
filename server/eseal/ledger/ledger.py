"""The ledger's face: recall, intend, conclude; and what an auditor and an operator ask of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from sqlalchemy.exc import SQLAlchemyError

from eseal.ledger.audit import attempts, names
from eseal.ledger.chain import request_digest
from eseal.ledger.check import check_chain
from eseal.ledger.database import open_engine, require_there, translated
from eseal.ledger.journal import Journal
from eseal.ledger.recall import read_entries, to_microseconds
from eseal.ledger.retention import retain
from eseal.ledger.tally import sealed_between
from eseal.ledger.upgrading import newest_revision, prepare, upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Engine

    from eseal.ledger.audit import Attempt, Names, Question
    from eseal.ledger.check import ChainReport, Head
    from eseal.ledger.records import Admission, Conclusion, Entry, Intent, Outcome
    from eseal.ledger.retention import Deleted
    from eseal.ledger.settings import LedgerSettings


class Upgraded(NamedTuple):
    """The schema's revision before an upgrade (empty: there was none), and now."""

    before: str
    now: str


class Ledger:
    """One worker's access to the ledger; any thread may call. The package docstring tells how the calls fit together.

    Each call raises Unavailable when the database cannot be used; then nothing of the batch was written.
    """

    def __init__(self, engine: Engine, settings: LedgerSettings) -> None:
        self.engine = engine
        self._journal = Journal(engine, settings)

    @classmethod
    def open(cls, settings: LedgerSettings) -> Self:
        """Open the database, migrating its schema where the settings allow. Raise SetupError with what to do."""
        engine = open_engine(settings)
        prepare(engine, settings)
        return cls(engine, settings)

    @classmethod
    def open_as_it_is(cls, settings: LedgerSettings) -> Self:
        """Open the database to look at it: none is made and no schema is changed. Raise SetupError with what to do."""
        require_there(settings)
        return cls.open(settings.model_copy(update={"upgrade": "manual"}))

    @staticmethod
    def upgrade(settings: LedgerSettings) -> Upgraded:
        """Bring the database's schema to this version's, whatever the settings say of it. Raise SetupError."""
        engine = open_engine(settings)
        try:
            return Upgraded(upgrade(engine), newest_revision())
        finally:
            engine.dispose()

    def recall(self, keys: Sequence[tuple[str, str]]) -> list[Entry | None]:
        """What is known of each (caller, request id): its latest attempt, or None. Nothing is written."""
        if not keys:
            return []
        requests = [request_digest(caller, request_id) for caller, request_id in keys]
        with translated("be read"), self.engine.connect() as connection:
            entries = read_entries(connection, requests)
        return [entries.get(request) for request in requests]

    def intend(self, intents: Sequence[Intent]) -> list[Admission]:
        """Record what is about to be signed, item by item where nothing stands against it."""
        return self._journal.intend(intents)

    def conclude(self, outcomes: Sequence[Outcome]) -> list[Conclusion]:
        """Record what came of admitted intents, where the claim still stands. Only a Release lets a seal go."""
        return self._journal.conclude(outcomes)

    def sealed(self, mandate_id: str, since: datetime | None = None, until: datetime | None = None) -> int:
        """Count the seals under a mandate from ``since`` on and before ``until`` (whole hours, UTC), or ever."""
        first, end = (None if moment is None else to_microseconds(moment) for moment in (since, until))
        with translated("be read"), self.engine.connect() as connection:
            return sealed_between(connection, mandate_id, first, end)

    def attempts(self, question: Question, *, newest: int | None = None) -> Iterator[Attempt]:
        """List attempts for an audit: oldest first, or the ``newest`` so many, newest first."""
        return attempts(self.engine, question, newest=newest)

    def names(self) -> Names:
        """Tell whom and what an audit can ask about."""
        return names(self.engine)

    def check(self, noted: Sequence[Head] = ()) -> ChainReport:
        """Check every row against its chain, and that the heads ``noted`` after an earlier check still stand."""
        return check_chain(self.engine, noted)

    def retain(self, before: datetime, *, apply: bool) -> Deleted:
        """Delete what was recorded before ``before`` and may go; without ``apply``, only tell how much that is."""
        return retain(self.engine, before, apply=apply)

    def healthy(self) -> bool:
        """Whether the ledger can be written.

        After a failed write a row is written over with itself and committed, which a full disk would refuse; as long as
        all goes well, asking for the right to write is enough and costs no wait for the disk.
        """
        try:
            self._journal.probe()
        except SQLAlchemyError:
            return False
        return True

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
