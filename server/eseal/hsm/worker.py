"""A worker: one thread with one session.

A call into the module that never returns costs this thread and not the caller's, who waits no longer than its deadline.

A signature that fails is tried once more, on a session that was opened after the failure: a seal is idempotent until it
leaves the house. What fails again is answered with an error. Where the token only says that it is busy, the session is
kept and tries again after a rest.
"""

from __future__ import annotations

import random
import threading
import time
from enum import Enum
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from eseal.errors import EsealError, Internal, Overloaded, SetupError, Unavailable
from eseal.hsm import metrics
from eseal.hsm.cryptoki import CryptokiError
from eseal.hsm.lanes import TURN_SECONDS
from eseal.hsm.session import Signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eseal.hsm.lanes import Lanes, Turn
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


class News(Enum):
    """What the keeper tells a worker that has no session."""

    SEATED = "you have a session"
    TRIAL = "you have a session; try it and tell"
    NONE = "there is no session for now"


class Desk(Protocol):
    """Where workers report; none of these blocks."""

    last_good: float
    tally: metrics.Tally

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
        self._tally = desk.tally
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
            elif (turn := self._lanes.take()) is not None:
                self._serve(turn)
            else:
                self._lanes.tickets.get()
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
        self.turn = turn
        started = time.monotonic()
        for job, start, _ in turn.parts:
            if start == 0:
                self._tally.waited(job.lane, started - job.queued_at)
        place = 0
        while place < len(turn.data):
            if self.session is None or (place and time.monotonic() - started > TURN_SECONDS):
                self._lanes.give_back(turn, place)
                break
            answers = self._answers(turn, place)
            if self.abandoned:
                return
            turn.answer(place, answers)
            place += len(answers)
        self.turn = None
        self._lanes.done(turn, time.monotonic() - started)

    def _answers(self, turn: Turn, place: int) -> list[bytes | EsealError]:
        """Sign from ``place`` on for as long as a turn may take; the one that failed is tried once more, and is the last."""
        label, data = turn.label, turn.data[place:]
        try:
            signed = self._sign(label, data)
        except SetupError as refusal:
            return [_refused(refusal)] * len(data)
        answers: list[bytes | EsealError] = list(signed.signatures)
        if signed.failure is not None:
            answers.append(self._once_more(label, data[len(answers)], signed.failure, signed.rest))
        return answers

    def _once_more(self, label: str, data: bytes, failure: CryptokiError, rest: float) -> bytes | EsealError:
        """Sign again what failed with ``failure``: after a ``rest`` where the token asked for one, else on a fresh session."""
        try:
            if rest:
                return self._after_a_rest(label, data, failure, rest)
            return self._on_a_fresh_session(label, data, failure)
        except SetupError as refusal:
            return _refused(refusal)

    def _after_a_rest(self, label: str, data: bytes, failure: CryptokiError, rest: float) -> bytes | EsealError:
        """Sign on the same session what the token was too busy for; where it is busy still, the caller may come again."""
        metrics.SIGN_FAILURES.labels(failure.code).inc()
        time.sleep(rest * random.uniform(0.5, 1.5))  # noqa: S311 - so that not all sessions come back at the same moment
        signed = self._sign(label, [data])
        if signed.failure is None:
            return signed.signatures[0]
        if not signed.rest:
            return self._on_a_fresh_session(label, data, signed.failure)
        return _too_busy(signed.failure, signed.rest)

    def _on_a_fresh_session(self, label: str, data: bytes, failure: CryptokiError) -> bytes | EsealError:
        """Sign on a fresh session what failed with ``failure``, unless that would say the same."""
        if failure.code in _FAULTS_OF_THE_REQUEST:
            return _refused_by_token(failure)
        self._lose(failure)
        if not self._reseated():
            return self._lanes.closed or _failed("no session could be opened")
        signed = self._sign(label, [data])
        if signed.failure is None:
            return signed.signatures[0]
        if signed.rest:
            return _too_busy(signed.failure, signed.rest)
        self._lose(signed.failure)
        self._desk.uncured(signed.failure.code)
        return _failed(signed.failure.code)

    def _sign(self, label: str, data: Sequence[bytes]) -> Signed:
        with self.lock:
            if self.session is None:
                # The keeper took it away since the last signature.
                return Signed([], [], CryptokiError("C_Sign", "CKR_SESSION_CLOSED"))
            self.entered = time.monotonic()
            try:
                signed = self.session.sign_many(label, data, within=TURN_SECONDS)
                if signed.signatures:
                    self._desk.last_good = self.entered
            finally:
                self.entered = 0.0
        self._tally.signed(label, signed.took)
        return signed

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


def _too_busy(error: CryptokiError, rest: float) -> EsealError:
    metrics.SIGN_FAILURES.labels(error.code).inc()
    return Overloaded(
        "HSM_BUSY",
        f"The HSM has too much to do ({error.code}); try again later.",
        retry_after=2 * rest,
        metadata={"cause": error.code},
    )


def _failed(cause: str) -> EsealError:
    return Unavailable("HSM_FAILED", f"The HSM failed twice to sign ({cause}); try again.", metadata={"cause": cause})
