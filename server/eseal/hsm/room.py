"""The key room: a batch of digests in, a signature or an error for each of them out, in order."""

from __future__ import annotations

import atexit
import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import structlog

from eseal.errors import SetupError, Unavailable
from eseal.hsm.algorithms import public_facts, token_input
from eseal.hsm.connection import Connection, cause_of
from eseal.hsm.cryptoki import HSM_FAULTS
from eseal.hsm.keeper import Keeper
from eseal.hsm.queued import QueuedKeyRoom, require_one_valid
from eseal.hsm.validity import Validity
from eseal.hsm.watch import Watch
from eseal.sealcore import Lanes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from eseal.errors import EsealError
    from eseal.hsm.algorithms import PublicFacts
    from eseal.hsm.session import SigningSession
    from eseal.hsm.settings import HsmSettings
    from eseal.terms import SealKey

log = structlog.get_logger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Pkcs11KeyRoom(QueuedKeyRoom):
    """Seal keys in a PKCS#11 token, behind a pool of sessions. Safe to call from many threads; made by ``open``."""

    def __init__(
        self,
        settings: HsmSettings,
        connection: Connection,
        sessions: Sequence[SigningSession],
        certificates: Mapping[str, Validity],
        *,
        seats: int,
    ) -> None:
        """``sessions`` are those that could be opened of ``seats``; the keeper opens the others as soon as they are to be had."""
        lanes: Lanes[EsealError] = Lanes(limit=settings.queue_limit, bulk_share=settings.bulk_share, sessions=seats)
        super().__init__(lanes, certificates, wait_seconds=settings.wait_seconds, encode=token_input)
        self._quiesce_seconds = settings.recovery.quiesce_seconds
        self._connection = connection
        self._keeper = Keeper(connection, self._lanes, settings.recovery, seats=seats)
        self._watch = Watch(self._keeper, self._lanes, settings.recovery, list(certificates.values()))
        self._keeper.open_seats(sessions)
        self._keeper.start()
        self._watch.start()
        # Sessions sign without the GIL, so the end of the interpreter stops none of them, and the module's own end is a crash.
        atexit.register(self.close)

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
        require_one_valid(certificates.values())
        connection = _connect(settings, facts)
        try:
            seats = _seats(connection, settings)
            sessions = _open_sessions(connection, seats)
            room = cls(settings, connection, sessions, certificates, seats=seats)
        except BaseException:
            connection.close()
            raise
        log.info("hsm_open", sessions=len(sessions), keys=[key.label for key in keys])
        return room

    def close(self) -> None:
        """Finish the turns under way, answer what waits with Unavailable, close every session and leave the module.

        Where a call is stuck in the module the module is not finalised, because that is undefined; the process may end.
        """
        atexit.unregister(self.close)
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
        self._keeper.tally.hand_over()
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


def _connect(settings: HsmSettings, facts: Mapping[SealKey, PublicFacts]) -> Connection:
    try:
        return Connection(settings, facts)
    except HSM_FAULTS as error:
        raise _not_working(error) from error


def _seats(connection: Connection, settings: HsmSettings) -> int:
    """As many sessions as configured, or as the token has besides the one that stays logged in; at least one."""
    try:
        limit = connection.session_limit()
    except HSM_FAULTS as error:
        raise _not_working(error) from error
    if limit is None or limit > settings.sessions:
        return settings.sessions
    seats = max(1, limit - 1)
    log.warning("hsm_fewer_sessions", opened=seats, wanted=settings.sessions, cause="token limit")
    return seats


def _open_sessions(connection: Connection, wanted: int) -> list[SigningSession]:
    """Open ``wanted`` sessions, or as many as are to be had now: at least one, in which every key must be right."""
    try:
        first = connection.open_session()
    except HSM_FAULTS as error:
        raise _not_working(error) from error
    if first.refusals:
        raise next(iter(first.refusals.values()))
    sessions = [first]
    while len(sessions) < wanted:
        try:
            sessions.append(connection.open_session())
        except (SetupError, *HSM_FAULTS) as error:
            log.warning("hsm_fewer_sessions", opened=len(sessions), wanted=wanted, cause=cause_of(error))
            break
    return sessions


def _not_working(error: Exception) -> SetupError:
    return SetupError(
        "HSM_NOT_WORKING",
        f"The HSM cannot be used: {cause_of(error)}. Check the device and its client's log; `eseal hsm list` shows what it "
        "holds.",
        metadata={"cause": cause_of(error)},
    )
