"""The write side: intents and outcomes, many calls to a transaction, durable before any of them returns.

Callers that arrive while a transaction is being committed queue up; the first to get the write lock then takes all of
them into the next one (group commit), so one wait for the disk serves many. A transaction first supposes that
everything in it is new and that every claim still stands, which costs no look-up. If a unique constraint says otherwise
it is rolled back and done again with a look at what is there; another replica may get in between on PostgreSQL, so that
is tried a few times.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random

from eseal.ledger import schema
from eseal.ledger.database import driver_insert, unavailable, write
from eseal.ledger.page import Page
from eseal.ledger.shelf import Shelf
from eseal.ledger.writers import move_head, register

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from eseal.ledger.chain import Chain
    from eseal.ledger.records import Admission, Conclusion, Intent, Outcome
    from eseal.ledger.settings import LedgerSettings

ATTEMPTS_TO_COMMIT = 8
# What PostgreSQL calls serialization_failure and deadlock_detected.
TRANSIENT_SQLSTATES = {"40001", "40P01"}


@dataclass(slots=True, eq=False)
class _Call:
    """One caller's batch on its way into a transaction: either intents or outcomes."""

    intents: Sequence[Intent] = ()
    outcomes: Sequence[Outcome] = ()
    admissions: list[Admission] = field(default_factory=list)
    conclusions: list[Conclusion] = field(default_factory=list)
    done: bool = False
    error: Exception | None = None


class Journal:
    """Writes intents and outcomes for one worker process. Any thread may call."""

    def __init__(self, engine: Engine, settings: LedgerSettings) -> None:
        self._engine = engine
        self._lease = round(settings.claim_lease_seconds * 1_000_000)
        self._insert_intents = driver_insert(engine, schema.intent)
        self._insert_outcomes = driver_insert(engine, schema.outcome)
        # Appending and popping at the ends of a deque is atomic.
        self._waiting: deque[_Call] = deque()
        # Guards the database's write side in this process, and with it the two fields below.
        self._writing = Lock()
        self._chain: Chain | None = None
        # The writers that this process was, before a commit failed.
        self._former: set[int] = set()
        self._shelf = Shelf()
        # Whether the last write failed. Any thread may set it: a probe too many does no harm.
        self._failed = False

    def intend(self, intents: Sequence[Intent]) -> list[Admission]:
        """See Ledger.intend."""
        return self._submit(_Call(intents=intents)).admissions if intents else []

    def conclude(self, outcomes: Sequence[Outcome]) -> list[Conclusion]:
        """See Ledger.conclude."""
        return self._submit(_Call(outcomes=outcomes)).conclusions if outcomes else []

    def probe(self) -> None:
        """Raise SQLAlchemyError if nothing can be written; see Ledger.healthy."""
        touched = schema.writer.c.number >= 0 if self._failed else schema.writer.c.number < 0
        with write(self._engine) as connection, connection.begin():
            connection.execute(update(schema.writer).where(touched).values(host=schema.writer.c.host))
        self._failed = False

    def _submit(self, call: _Call) -> _Call:
        self._waiting.append(call)
        with self._writing:
            if not call.done:
                self._commit_waiting()
        if isinstance(call.error, SQLAlchemyError):
            raise unavailable("record this", call.error) from call.error
        if call.error is not None:
            raise call.error
        return call

    def _commit_waiting(self) -> None:
        """Take everything that waits into one transaction."""
        calls = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            for attempt in Retrying(
                retry=retry_if_exception(_passes_with_time),
                stop=stop_after_attempt(ATTEMPTS_TO_COMMIT),
                wait=_no_wait_at_first,
                reraise=True,
            ):
                with attempt:
                    self._commit(calls, looking=attempt.retry_state.attempt_number > 1)
        except Exception as error:  # noqa: BLE001 - each caller raises it in its own thread
            # The commit may have happened or not: begin a new chain rather than guess where the old one ends. Attempts of
            # the old one need not wait for their lease: most will not be concluded, and one that is taken over and
            # concluded after all costs a signature that is thrown away.
            if self._chain is not None:
                self._former.add(self._chain.writer)
            self._chain = None
            self._failed = True
            for call in calls:
                call.error = error
        for call in calls:
            call.done = True

    def _commit(self, calls: Sequence[_Call], *, looking: bool) -> None:
        self._shelf.forget_pending()
        with write(self._engine) as connection, connection.begin():
            before = self._chain or register(connection)
            page = Page(connection, before.fork(), self._shelf, lease=self._lease, former=self._former)
            conclusions = page.conclude([outcome for call in calls for outcome in call.outcomes], looking=looking)
            admissions = page.intend([intent for call in calls for intent in call.intents], looking=looking)
            self._shelf.store(connection)
            page.write(self._insert_outcomes, self._insert_intents)
            if page.chain.position != before.position:
                move_head(connection, before, page.chain)
        self._chain = page.chain
        self._failed = False
        self._shelf.committed()
        for call in calls:
            call.conclusions = [conclusions.popleft() for _ in call.outcomes]
            call.admissions = [admissions.popleft() for _ in call.intents]


def _passes_with_time(error: BaseException) -> bool:
    """Whether somebody else was quicker: a unique constraint, or PostgreSQL resolving a conflict."""
    if isinstance(error, IntegrityError):
        return True
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in TRANSIENT_SQLSTATES


def _no_wait_at_first(state: RetryCallState) -> float:
    return 0.0 if state.attempt_number == 1 else wait_random(0.0, 0.05)(state)
