"""The key room: a batch of digests in, a signature or an error for each of them out, in order."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import structlog

from eseal.errors import DeadlineExceeded, EsealError, Internal, Overloaded, SetupError, Unavailable
from eseal.hsm.algorithms import DIGEST_LENGTHS, public_facts, token_input
from eseal.hsm.connection import Connection, cause_of
from eseal.hsm.cryptoki import HSM_FAULTS
from eseal.hsm.keeper import Keeper
from eseal.hsm.lanes import Job, Lanes
from eseal.hsm.validity import Validity
from eseal.hsm.watch import Watch
from eseal.hsm.worker import Worker
from eseal.terms import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from eseal.hsm.algorithms import PublicFacts
    from eseal.hsm.session import SigningSession
    from eseal.hsm.settings import HsmSettings
    from eseal.terms import SealKey

log = structlog.get_logger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Pkcs11KeyRoom:
    """Seal keys in a PKCS#11 token, behind a pool of sessions. Safe to call from many threads; made by ``open``."""

    def __init__(
        self,
        settings: HsmSettings,
        connection: Connection,
        sessions: Sequence[SigningSession],
        certificates: Mapping[str, Validity],
    ) -> None:
        self._wait_seconds = settings.wait_seconds
        self._quiesce_seconds = settings.recovery.quiesce_seconds
        self._connection = connection
        self._certificates = certificates
        self._lanes = Lanes(limit=settings.queue_limit, bulk_share=settings.bulk_share, sessions=len(sessions))
        self._keeper = Keeper(connection, self._lanes, settings.recovery)
        self._watch = Watch(self._keeper, self._lanes, settings.recovery, list(certificates.values()))
        for number, session in enumerate(sessions):
            worker = Worker(number, self._lanes, self._keeper)
            self._keeper.workers.append(worker)
            self._keeper.seat(worker, session)
        for thread in (*self._keeper.workers, self._keeper, self._watch):
            thread.start()

    @classmethod
    def open(cls, settings: HsmSettings, keys: Sequence[SealKey], *, clock: Callable[[], datetime] = _now) -> Self:
        """Load the module, log in, find every key and check it against its certificate, open the sessions.

        SetupError, with what the operator may do, where the HSM is absent, the PIN wrong (it is tried once), a key not
        found or not the one of its certificate, or no certificate valid now. One key's certificate may have ended while
        another's is valid: the first then only refuses to seal.
        """
        facts = {key: public_facts(key) for key in keys}
        certificates = {
            key.label: Validity(key.label, known.certificate, settings.warn_days, clock) for key, known in facts.items()
        }
        _require_one_valid(certificates.values())
        connection = _connect(settings, facts)
        try:
            sessions = _open_sessions(connection, settings)
            room = cls(settings, connection, sessions, certificates)
        except BaseException:
            connection.close()
            raise
        log.info("hsm_open", sessions=len(sessions), keys=[key.label for key in keys])
        return room

    def sign(
        self,
        key: SealKey,
        digests: Sequence[bytes],
        *,
        lane: Lane = Lane.INTERACTIVE,
        deadline: float | None = None,
    ) -> list[bytes | EsealError]:
        """Sign each digest and return, in order, the raw JWS signature or why there is none.

        Blocks until all is answered, at the longest until ``deadline`` (monotonic time; wait_seconds where it is None):
        what no session has begun by then is Overloaded, what the HSM has not finished is Unavailable. Nothing raises: a
        queue that is full and an HSM that is away are answers as well.
        """
        if not digests:
            return []
        now = time.monotonic()
        until = now + self._wait_seconds if deadline is None else min(deadline, now + self._wait_seconds)
        try:
            if until <= now:
                raise DeadlineExceeded("DEADLINE_EXCEEDED", "The deadline passed before the key was touched.")
            self._certificate_of(key).require()
            length = DIGEST_LENGTHS[key.algorithm]
            if any(len(digest) != length for digest in digests):
                raise Internal("DIGEST_LENGTH", f"{key.algorithm} signs digests of {length} bytes.")
            job = Job(key.label, [token_input(key.algorithm, digest) for digest in digests], lane)
            self._lanes.put(job)
        except EsealError as error:
            return [error] * len(digests)
        if job.finished.acquire(timeout=until - now):
            return [answer if answer is not None else _lost() for answer in job.answers]
        return self._late(job)

    def healthy(self) -> bool:
        """Whether signatures are to be had: False while the circuit is open."""
        return self._lanes.closed is None

    def close(self) -> None:
        """Finish the turns under way, answer what waits with Unavailable, close every session and leave the module.

        Where a call is stuck in the module the module is not finalised, because that is undefined; the process may end.
        """
        self._lanes.close(
            Unavailable("SHUTTING_DOWN", "The service is stopping; send it again to the one that follows.")
        )
        self._watch.stop()
        self._keeper.stop()
        workers = list(self._keeper.workers)
        for worker in workers:
            worker.stop()
        until = time.monotonic() + self._quiesce_seconds
        threads = (*workers, *self._keeper.stuck, self._keeper, self._watch)
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        quiet = not any(thread.is_alive() for thread in threads)
        if quiet:
            for worker in workers:
                if worker.session is not None:
                    worker.session.close()
        else:
            log.error("hsm_not_quiet", stuck=[thread.name for thread in threads if thread.is_alive()])
        with contextlib.suppress(*HSM_FAULTS):
            self._connection.close(finalise=quiet)
        log.info("hsm_closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _certificate_of(self, key: SealKey) -> Validity:
        try:
            return self._certificates[key.label]
        except KeyError:
            raise Internal("UNKNOWN_KEY", f"The key room was not opened with seal key '{key.label}'.") from None

    def _late(self, job: Job) -> list[bytes | EsealError]:
        """The deadline came first. Signatures that are there are handed over all the same."""
        not_begun = self._lanes.withdraw(job)
        waiting = Overloaded(
            "HSM_QUEUE_TIMEOUT",
            "No session was free before the deadline; try again later.",
            retry_after=self._lanes.drain_seconds(job.lane),
        )
        slow = Unavailable("HSM_TIMEOUT", "The HSM did not finish before the deadline; try again.")
        return [
            answer if answer is not None else (waiting if place in not_begun else slow)
            for place, answer in enumerate(list(job.answers))
        ]


def _require_one_valid(certificates: Iterable[Validity]) -> None:
    """Raise what the last certificate says where none is valid now."""
    refusal: SetupError | None = None
    for validity in certificates:
        try:
            validity.require()
        except SetupError as error:
            refusal = error
        else:
            return
    raise refusal or SetupError("NO_SEAL_KEY", "No seal key is configured: add a [[keys]] table.")


def _connect(settings: HsmSettings, facts: Mapping[SealKey, PublicFacts]) -> Connection:
    try:
        return Connection(settings, facts)
    except HSM_FAULTS as error:
        raise _not_working(error) from error


def _open_sessions(connection: Connection, settings: HsmSettings) -> list[SigningSession]:
    """As many sessions as configured, or as the token has: at least one, in which every key must be right."""
    try:
        limit = connection.session_limit()
        first = connection.open_session()
    except HSM_FAULTS as error:
        raise _not_working(error) from error
    if first.refusals:
        raise next(iter(first.refusals.values()))
    wanted = settings.sessions if limit is None else max(1, min(settings.sessions, limit - 1))
    sessions = [first]
    while len(sessions) < wanted:
        try:
            sessions.append(connection.open_session())
        except (SetupError, *HSM_FAULTS) as error:
            log.warning("hsm_fewer_sessions", opened=len(sessions), wanted=settings.sessions, cause=cause_of(error))
            break
    if wanted < settings.sessions:
        log.warning("hsm_fewer_sessions", opened=len(sessions), wanted=settings.sessions, cause="token limit")
    return sessions


def _not_working(error: Exception) -> SetupError:
    return SetupError(
        "HSM_NOT_WORKING",
        f"The HSM cannot be used: {cause_of(error)}. Check the device and its client's log; `eseal hsm list` shows what it "
        "holds.",
        metadata={"cause": cause_of(error)},
    )


def _lost() -> EsealError:
    return Internal("UNANSWERED", "The key room lost track of this digest.")
