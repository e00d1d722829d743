"""A worker: one thread with one session.

A call into the module that never returns costs this thread and not the caller's, who waits no longer than its deadline.

A signature that fails is tried once more, on a session that was opened after the failure: a seal is idempotent until it
leaves the house. What fails again is answered with an error.
"""

from __future__ import annotations

import threading
import time
from enum import Enum
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from eseal.errors import EsealError, Internal, SetupError, Unavailable
from eseal.hsm import metrics
from eseal.hsm.cryptoki import CryptokiError
from eseal.hsm.lanes import TURN_SECONDS

if TYPE_CHECKING:
    from eseal.hsm.lanes import Job, Lanes, Turn
    from eseal.hsm.session import SigningSession

# These say that the request or the key is wrong; another session would say the same.
_FAULTS_OF_THE_REQUEST = frozenset(
    {
        "CKR_DATA_INVALID",
        "CKR_DATA_LEN_RANGE",
        "CKR_KEY_FUNCTION_NOT_PERMITTED",
        "CKR_KEY_SIZE_RANGE",
        "CKR_KEY_TYPE_INCONSISTENT",
        "CKR_MECHANISM_INVALID",
        "CKR_MECHANISM_PARAM_INVALID",
        "CKR_SIGNATURE_LEN_RANGE",
    }
)

# A turn that takes longer than was thought is handed on.
_LONG_ENOUGH = 2 * TURN_SECONDS


class News(Enum):
    """What the keeper tells a worker that has no session."""

    SEATED = "you have a session"
    TRIAL = "you have a session; try it and tell"
    NONE = "there is no session for now"


class Desk(Protocol):
    """Where workers report; none of these blocks."""

    last_good: float

    def lost(self, worker: Worker, session: SigningSession, cause: str) -> None:
        """``session`` failed with ``cause`` and is out of use; ``worker`` needs another."""

    def uncured(self, cause: str) -> None:
        """A session that was opened after a failure failed as well."""

    def trial_ended(self, worker: Worker, cause: str | None) -> None:
        """A trial signature was made, or failed with ``cause``."""

    def returned(self, worker: Worker) -> None:
        """A call that had been given up came back after all."""


class Worker(threading.Thread):
    """One thread, one session. ``session`` is set by the keeper and taken away by either, under ``lock``."""

    def __init__(self, number: int, lanes: Lanes, desk: Desk) -> None:
        super().__init__(name=f"hsm-session-{number}", daemon=True)
        self._lanes = lanes
        self._desk = desk
        self.inbox: SimpleQueue[News] = SimpleQueue()
        # Held while inside the module; whoever holds every worker's lock may finalise it.
        self.lock = threading.Lock()
        self.session: SigningSession | None = None
        self.entered = 0.0  # When the call that is under way began (monotonic); 0 outside. Read by the watch.
        self.turn: Turn | None = None
        self.abandoned = False
        self.stopping = False

    def run(self) -> None:
        """Serve turns while there is a session; wait for one while there is none."""
        while not self.stopping and not self.abandoned:
            if self.session is None:
                if self.inbox.get() is News.TRIAL:
                    self._try_out()
                continue
            self._lanes.tickets.get()
            while self.session is not None and not self.stopping and (turn := self._lanes.take()) is not None:
                self._serve(turn)
            if self.session is None or self.stopping:
                # Somebody who has a session must have this ticket.
                self._lanes.tickets.put(None)
        if self.abandoned:
            self._desk.returned(self)

    def stop(self) -> None:
        """Ask the thread to end after the turn under way."""
        self.stopping = True
        self.inbox.put(News.NONE)
        self._lanes.tickets.put(None)

    def _serve(self, turn: Turn) -> None:
        job = turn.job
        if turn.start == 0:
            metrics.QUEUE_SECONDS.labels(job.lane.value).observe(time.monotonic() - job.queued_at)
        observe = metrics.SIGN_SECONDS.labels(job.label).observe
        self.turn = turn
        before = started = time.monotonic()
        for place in range(turn.start, turn.stop):
            if job.gone or self.session is None or before - started > _LONG_ENOUGH:
                self._lanes.give_back(turn, place)
                break
            job.answers[place] = self._answer(job, place)
            if self.abandoned:
                return
            now = time.monotonic()
            observe(now - before)
            before = now
        self.turn = None
        self._lanes.done(turn, before - started)

    def _answer(self, job: Job, place: int) -> bytes | EsealError:  # noqa: PLR0911 - each way to fail has its answer
        """Sign one digest; once more on a fresh session if the first one fails."""
        data = job.data[place]
        try:
            return self._sign(job.label, data)
        except SetupError as refusal:
            return _refused(refusal)
        except CryptokiError as error:
            if error.code in _FAULTS_OF_THE_REQUEST:
                return _refused_by_token(error)
            self._lose(error)
        if not self._reseated():
            return self._lanes.closed or _failed("no session could be opened")
        try:
            return self._sign(job.label, data)
        except SetupError as refusal:
            return _refused(refusal)
        except CryptokiError as error:
            self._lose(error)
            self._desk.uncured(error.code)
            return _failed(error.code)

    def _sign(self, label: str, data: bytes) -> bytes:
        with self.lock:
            if self.session is None:
                # The keeper took it away since the last signature.
                raise CryptokiError("C_Sign", "CKR_SESSION_CLOSED")
            self.entered = time.monotonic()
            try:
                signature = self.session.sign(label, data)
                self._desk.last_good = self.entered
                return signature
            finally:
                self.entered = 0.0

    def _lose(self, error: CryptokiError) -> None:
        metrics.SIGN_FAILURES.labels(error.code).inc()
        with self.lock:
            session, self.session = self.session, None
        if session is not None and not self.abandoned:
            self._desk.lost(self, session, error.code)

    def _reseated(self) -> bool:
        """Wait for a session; False where there is none to be had."""
        while self.session is None:
            if self._lanes.closed is not None or self.abandoned or self.stopping:
                return False
            if self.inbox.get() is News.NONE and self.session is None:
                return False
        return True

    def _try_out(self) -> None:
        cause = None
        try:
            with self.lock:
                if self.session is None:
                    return
                self.entered = time.monotonic()
                try:
                    self.session.try_out()
                finally:
                    self.entered = 0.0
        except CryptokiError as error:
            cause = error.code
        if not self.abandoned:
            self._desk.trial_ended(self, cause)


def _refused(refusal: SetupError) -> EsealError:
    return Unavailable(
        refusal.reason, "This seal key cannot be used now; the operator's log has the cause.", retry_after=30.0
    )


def _refused_by_token(error: CryptokiError) -> EsealError:
    answer = Internal("HSM_REFUSED", f"The HSM refused to sign this digest with this key ({error.code}).")
    answer.__cause__ = error
    return answer


def _failed(cause: str) -> EsealError:
    return Unavailable("HSM_FAILED", f"The HSM failed twice to sign ({cause}); try again.", metadata={"cause": cause})
