"""The keeper: one thread that opens every session, and climbs the recovery ladder when one fails.

::

    1  a session fails          discarded by its return value; the hot path probes nothing
    2  another is opened        and the keys in it are compared with their certificates again
    3  the login is gone        the session that stays logs in again; a PIN that was refused is not tried again
    4  failures in a row        quiesce all, C_Finalize, C_Initialize; at most once in reinitialise_interval_seconds
    5  the circuit opens        UNAVAILABLE at once, nothing queues; an attempt now and then, with a trial signature,
                                closes it again

One thread does all of it, so that each step is done once however many sessions saw the same failure. Everything here
belongs to that thread; others post events.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import deque
from contextlib import ExitStack
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import structlog

from eseal.errors import EsealError, SetupError, Unavailable
from eseal.hsm import metrics
from eseal.hsm.connection import cause_of
from eseal.hsm.cryptoki import HSM_FAULTS
from eseal.hsm.pin import PinRefused
from eseal.hsm.refusals import Refusals
from eseal.hsm.worker import News, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eseal.hsm.connection import Connection
    from eseal.hsm.session import SigningSession
    from eseal.hsm.settings import RecoverySettings
    from eseal.sealcore import Lanes

log = structlog.get_logger(__name__)

_PAUSE_SECONDS = 0.05
_FAULTS = (SetupError, *HSM_FAULTS)
# A person must act: another login or a restart of the module would only say it again.
_FINAL = frozenset({"KEY_CERTIFICATE_MISMATCH", "HSM_TOKEN_AMBIGUOUS"})


class Keeper(threading.Thread):
    """Keeps ``workers`` in sessions. ``start`` it once; ``stop`` ends it."""

    def __init__(
        self, connection: Connection, lanes: Lanes[EsealError], settings: RecoverySettings, *, seats: int
    ) -> None:
        """``seats`` is how many workers there are to be, and how many calls may be stuck before no other takes their place."""
        super().__init__(name="hsm-keeper", daemon=True)
        self._seats = seats
        self._numbers = itertools.count()
        self._connection = connection
        self._lanes = lanes
        self._settings = settings
        self._events: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._vacant: dict[Worker, None] = {}
        self._failures: deque[float] = deque()
        self._last_restart = -math.inf
        self._due: float | None = None  # When to try again; None while nothing is missing.
        self._refusals = Refusals(settings.max_probe_seconds)
        self._pause = settings.probe_seconds
        self._said: set[tuple[str, str]] = set()
        self._stopping = False
        self.workers: list[Worker] = []
        self.stuck: set[Worker] = set()  # Those whose call was given up and is not back; the watch adds to it.
        self._good = 0.0
        self.tally = metrics.Tally(lanes)  # What the workers observe; the watch hands it over.
        self.entered = 0.0  # When the work on an event began (monotonic); 0 while idle. Read by the watch.

    # --- Posted by others, never blocking --------------------------------------------------------------------------------

    def lost(self, worker: Worker, session: SigningSession, cause: str) -> None:
        """``session`` failed with ``cause``; ``worker`` needs another."""
        self._events.put(partial(self._on_lost, worker, session, cause))

    def uncured(self, cause: str) -> None:
        """A session that was opened after a failure failed as well."""
        self._events.put(partial(self._on_uncured, cause))

    def trial_ended(self, worker: Worker, cause: str | None) -> None:
        """A trial signature was made, or failed with ``cause``."""
        self._events.put(partial(self._on_trial, worker, cause))

    def given_up(self, worker: Worker, since: float) -> None:
        """``worker`` is stuck in a call that began at ``since`` (monotonic), and is left behind there."""
        # Before it can see that it was given up: it may come back at this moment, and is taken out of the set then.
        self.stuck.add(worker)
        worker.abandon()
        self._events.put(partial(self._on_given_up, worker, since))

    def returned(self, worker: Worker) -> None:
        """A call that had been given up came back after all."""
        self._events.put(partial(self._on_returned, worker))

    def overdue(self) -> None:
        """The keeper itself was stuck, and the circuit was opened for it."""
        self._events.put(partial(self._open_circuit, "HSM_STUCK"))

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopping = True
        self._events.put(lambda: None)

    # --- The thread -------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Work on events, and on what is due."""
        if self._vacant:
            self._due = time.monotonic() + self._settings.max_probe_seconds
        while not self._stopping:
            try:
                event = self._events.get(timeout=self._until_due())
            except Empty:
                event = self._retry
            self.entered = time.monotonic()
            try:
                event()
                if not self._stopping and self._events.empty() and self._lanes.closed is None:
                    self._fill()
            except Exception as error:
                self._fail_safe()
                log.exception("hsm_keeper_failed", error_type=type(error).__name__, exc_info=error)
            self.entered = 0.0

    def _until_due(self) -> float | None:
        due = min(math.inf if self._due is None else self._due, self._refusals.due)
        return None if due == math.inf else max(0.0, due - time.monotonic())

    def _fail_safe(self) -> None:
        """What is left undone after a fault of our own is unknown: nobody may wait for it, and the next attempt shows."""
        if self._lanes.closed is None:
            self._open_circuit("HSM_RECOVERY_FAILED")
        else:
            self._try_later("HSM_RECOVERY_FAILED")

    def open_seats(self, sessions: Sequence[SigningSession]) -> None:
        """Start a worker for each of ``sessions``, before the thread starts; the seats that are left are filled later."""
        self._fill_seats()
        for worker, session in zip(self.workers, sessions, strict=False):
            self.seat(worker, session)

    def seat(self, worker: Worker, session: SigningSession, news: News = News.SEATED) -> None:
        """Give ``session`` to ``worker``."""
        worker.seat.hold()
        worker.sit(session, on_trial=news is News.TRIAL)
        worker.seat.release()
        self._vacant.pop(worker, None)
        worker.inbox.put(news)
        self._wake()

    def _on_lost(self, worker: Worker, session: SigningSession, cause: str) -> None:
        self._say("hsm_session_discarded", cause)
        metrics.REOPENED.labels(cause).inc()
        session.close()
        if worker.session is None and worker in self.workers:
            self._vacant[worker] = None
            if self._lanes.closed is not None:
                worker.inbox.put(News.NONE)

    def _on_uncured(self, cause: str) -> None:
        self._failed()
        if self._lanes.closed is not None or not self._too_many():
            return
        if self._may_restart():
            try:
                self._restart()
            except _FAULTS as error:
                self._open_circuit(cause_of(error))
        else:
            self._open_circuit(cause)

    def _on_trial(self, worker: Worker, cause: str | None) -> None:
        if cause is not None:
            self._take_away(worker)
            self._failed()
            self._try_later(cause)
            return
        self._due, self._pause = None, self._settings.probe_seconds
        self._failures.clear()
        self._said.clear()
        metrics.CIRCUIT_OPEN.set(0)
        log.info("hsm_circuit_closed")
        self._lanes.open()

    def _on_given_up(self, worker: Worker, since: float) -> None:
        self._say("hsm_session_stuck", "STUCK")
        metrics.REOPENED.labels("STUCK").inc()
        self.workers.remove(worker)
        self._vacant.pop(worker, None)
        self._fill_seats()
        if self._last_good() < since:
            self._failed()
        if self._lanes.closed is not None:
            self._try_later("HSM_STUCK")
        elif self._too_many_stuck() or self._too_many():
            self._open_circuit("HSM_STUCK")

    def _on_returned(self, worker: Worker) -> None:
        self.stuck.discard(worker)
        self._take_away(worker)
        self._vacant.pop(worker, None)
        self._fill_seats()

    def _fill_seats(self) -> None:
        """Start workers for the seats that have none, unless too many calls are stuck: each costs a thread and a session."""
        while len(self.workers) < self._seats and not self._too_many_stuck() and not self._stopping:
            worker = Worker(next(self._numbers), self._lanes, self)
            self.workers.append(worker)
            self._vacant[worker] = None
            worker.start()

    def _sessions(self) -> list[SigningSession]:
        return [session for worker in self.workers if (session := worker.session) is not None]

    def _too_many_stuck(self) -> bool:
        return len(self.stuck) > self._seats

    def _retry(self) -> None:
        """What was missing is due again."""
        now = time.monotonic()
        if now >= self._refusals.due:
            self._refusals.due = math.inf
            self._look_again()
        if self._due is not None and now >= self._due:
            self._due = None
            if self._lanes.closed is not None:
                self._probe()

    def _look_again(self) -> None:
        """A key that was not there when a session was opened, or was another one, may be right by now."""
        for worker in self.workers:
            session = worker.session
            if session is None or not session.refusals or not worker.seat.hold(_PAUSE_SECONDS):
                continue
            try:
                self._connection.look_again(session)
            except _FAULTS as error:
                # Its next signature shows what is wrong with it.
                self._say("hsm_keys_not_looked_up", cause_of(error))
            finally:
                worker.seat.release()
        self._refusals.tell(self._sessions())

    def _fill(self) -> None:
        """Give every worker without a session one; where none can be had at all, open the circuit."""
        while self._vacant:
            try:
                session = self._climb(self._settings.failures if self._due is None else 1)
            except _FAULTS as error:
                cause = cause_of(error)
                if cause not in _FINAL and self._sessions():
                    self._do_with_fewer(cause)
                else:
                    self._open_circuit(cause)
                return
            # The one that lost its session last is the one that holds a turn.
            self.seat(next(reversed(self._vacant)), session)
        self._refusals.tell(self._sessions())
        self._due = None
        self._said.clear()

    def _probe(self) -> None:
        """The circuit is open: see whether the HSM is back, and let one worker make a trial signature."""
        if self._too_many_stuck():
            self._try_later("HSM_STUCK")
            return
        if not self._vacant:
            # They were inside a call when the circuit opened, and came back with their sessions.
            for worker in self.workers:
                self._take_away(worker)
        try:
            session = self._climb(1)
        except _FAULTS as error:
            self._try_later(cause_of(error))
            return
        if self._vacant:
            self.seat(next(iter(self._vacant)), session, News.TRIAL)
            # Where the session is lost before its trial nothing is heard of that.
            self._due = time.monotonic() + self._settings.max_probe_seconds
        else:
            session.close()
            self._try_later("HSM_STUCK")

    def _climb(self, attempts: int) -> SigningSession:
        """Steps 2 to 4: a session, or the error of the last step that was tried."""
        pause = _PAUSE_SECONDS
        for attempt in range(attempts):
            if attempt:
                time.sleep(pause)
                pause *= 2
            try:
                return self._connection.open_session()
            except _FAULTS as error:
                fault: Exception = error
            self._say("hsm_session_not_opened", cause_of(fault))
            if cause_of(fault) in _FINAL:
                break
            try:
                if self._login_again():
                    return self._connection.open_session()
            except PinRefused:
                raise
            except _FAULTS as error:
                fault = error
            if cause_of(fault) == "CKR_SESSION_COUNT" and self._sessions():
                break  # The token has no more than those that work; a restart would take these away.
            self._failed()
            if self._too_many() and self._may_restart():
                self._restart()
                return self._connection.open_session()
        raise fault

    def _login_again(self) -> bool:
        """Step 3, where it is needed."""
        try:
            if self._connection.is_logged_in():
                return False
        except HSM_FAULTS as error:
            self._say("hsm_login_lost", cause_of(error))
        try:
            self._connection.login()
        except _FAULTS as error:
            metrics.LOGINS.labels(cause_of(error)).inc()
            self._say("hsm_login_failed", cause_of(error))
            raise
        metrics.LOGINS.labels("OK").inc()
        self._say("hsm_logged_in_again", "OK")
        return True

    def _restart(self) -> None:
        """Step 4: every worker out of the module, then C_Finalize and C_Initialize."""
        self._last_restart = time.monotonic()
        with ExitStack() as held:
            self._quiesce(held)
            for worker in self.workers:
                worker.sit(None)
                self._vacant[worker] = None
            outcome = "OK"
            try:
                self._connection.restart()
            except _FAULTS as error:
                outcome = cause_of(error)
                raise
            finally:
                metrics.RESTARTS.labels(outcome).inc()
                log.warning("hsm_module_restarted", outcome=outcome)
        self._wake()

    def _quiesce(self, held: ExitStack) -> None:
        """Hold every worker's seat; SetupError where one does not come out of the module in time."""
        until = time.monotonic() + self._settings.quiesce_seconds
        for worker in self.workers:
            if not worker.seat.hold(max(0.0, until - time.monotonic())):
                raise SetupError(
                    "HSM_NOT_QUIESCED", "A call into the module is still under way; it cannot be restarted."
                )
            held.callback(worker.seat.release)

    def _may_restart(self) -> bool:
        waited = time.monotonic() - self._last_restart >= self._settings.reinitialise_interval_seconds
        return waited and not self.stuck

    def _failed(self) -> None:
        self._failures.append(time.monotonic())

    def _too_many(self) -> bool:
        """Failures count only since the last good signature: a module that fails now and then is not dead."""
        since = max(self._last_good(), time.monotonic() - self._settings.window_seconds)
        while self._failures and self._failures[0] < since:
            self._failures.popleft()
        return len(self._failures) >= self._settings.failures

    def _last_good(self) -> float:
        """When the last call began that brought a signature (monotonic)."""
        ago = (worker.seat.since_good for worker in (*self.workers, *self.stuck))
        self._good = max([self._good, *(time.monotonic() - seconds for seconds in ago if seconds is not None)])
        return self._good

    def _open_circuit(self, cause: str) -> None:
        """Step 5."""
        log.error("hsm_circuit_open", cause=cause)
        metrics.CIRCUIT_OPEN.set(1)
        self._pause = self._settings.probe_seconds
        self._try_later(cause)
        until = time.monotonic() + self._settings.quiesce_seconds
        for worker in self.workers:
            self._take_away(worker, until)
        self._tell_vacant()

    def _try_later(self, cause: str) -> None:
        """Keep the circuit open and say when the next attempt is."""
        pause, self._pause = self._pause, min(2 * self._pause, self._settings.max_probe_seconds)
        self._due = time.monotonic() + pause
        self._lanes.close(away(cause, pause))
        self._tell_vacant()

    def _do_with_fewer(self, cause: str) -> None:
        """Some sessions work and no more can be had: those that wait for one must not wait on."""
        self._say("hsm_fewer_sessions", cause)
        self._due = time.monotonic() + self._settings.max_probe_seconds
        self._tell_vacant()

    def _take_away(self, worker: Worker, until: float = 0.0) -> None:
        """Discard the worker's session, unless it is inside a call and stays there: then it will see for itself."""
        if not worker.seat.hold(max(0.0, until - time.monotonic())):
            return
        session = worker.sit(None)
        worker.seat.release()
        if session is not None:
            session.close()
        if worker in self.workers:
            self._vacant[worker] = None
        self._wake()

    def _tell_vacant(self) -> None:
        for worker in self._vacant:
            worker.inbox.put(News.NONE)

    def _wake(self) -> None:
        """Let workers that wait for work see that they have no session any more."""
        self._lanes.ring()

    def _say(self, event: str, cause: str) -> None:
        """Log each step once while something is wrong, not once for each session."""
        if (event, cause) not in self._said:
            self._said.add((event, cause))
            log.warning(event, cause=cause)


def away(cause: str, retry_after: float) -> EsealError:
    """What callers are told while the circuit is open."""
    return Unavailable(
        "HSM_AWAY",
        f"The HSM cannot be used now ({cause}). Nothing was sealed; try again.",
        retry_after=retry_after,
        metadata={"cause": cause},
    )
