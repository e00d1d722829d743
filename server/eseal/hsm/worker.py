"""A worker: one thread with one session. It serves turns natively (``Lanes.serve``) and comes back for what went wrong.

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
from eseal.hsm.session import Signed
from eseal.sealcore import Seat

if TYPE_CHECKING:
    from eseal.hsm.session import SigningSession
    from eseal.sealcore import Interrupted, Lanes

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
    """One thread, one session, served natively for as long as nothing goes wrong.

    ``session`` is set by the keeper and taken away by either, who holds ``seat`` for that; whoever holds every worker's
    seat may finalise the module.
    """

    def __init__(self, number: int, lanes: Lanes[EsealError], desk: Desk) -> None:
        super().__init__(name=f"hsm-session-{number}", daemon=True)
        self._lanes = lanes
        self._desk = desk
        self.inbox: SimpleQueue[News] = SimpleQueue()
        self.seat = Seat()
        self.session: SigningSession | None = None
        self.on_trial = False  # The session is to be tried before it takes turns.
        self.abandoned = False
        self.stopping = False

    def run(self) -> None:
        """Serve turns while there is a session; wait for one while there is none."""
        while not self.stopping and not self.abandoned:
            session = self.session
            if session is None:
                self.inbox.get()
            elif self.on_trial:
                self._try_out()
            elif (interrupted := self._lanes.serve(self.seat)) is not None:
                self._lanes.resume(self.seat, self._answers(self.session or session, interrupted))
        if self.abandoned:
            self._desk.returned(self)

    def sit(self, session: SigningSession | None, *, on_trial: bool = False) -> SigningSession | None:
        """Have ``session`` from now on, or none; the one before. Whoever calls this holds the seat.

        One that is ``on_trial`` takes no turns yet: the thread comes out of ``Lanes.serve`` for it, wherever it is.
        """
        self.on_trial = on_trial
        before, self.session = self.session, session
        self.seat.sit(None if session is None or on_trial else session.native)
        return before

    def abandon(self) -> None:
        """Leave the thread behind in the call that it does not come back from; if it does, it ends."""
        self.abandoned = True
        self.seat.want()

    def stop(self) -> None:
        """Ask the thread to end after the turn under way."""
        self.stopping = True
        self.inbox.put(News.NONE)
        self.seat.want()
        self._lanes.ring()

    def _answers(self, session: SigningSession, interrupted: Interrupted) -> list[bytes | EsealError]:
        """What the turn stopped at, tried once more; none where the session has the key by now."""
        if interrupted.failure is None:
            refusal = session.refusals.get(interrupted.key)
            return [] if refusal is None else [_refused(refusal)] * interrupted.left
        error, rest = session.fault(interrupted.failure)
        return [self._once_more(interrupted.key, interrupted.data, error, rest)]

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
        signed = self._sign(label, data)
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
        signed = self._sign(label, data)
        if signed.failure is None:
            return signed.signatures[0]
        if signed.rest:
            return _too_busy(signed.failure, signed.rest)
        self._lose(signed.failure)
        self._desk.uncured(signed.failure.code)
        return _failed(signed.failure.code)

    def _sign(self, label: str, data: bytes) -> Signed:
        self.seat.enter()
        good = False
        try:
            if self.session is None:
                # The keeper took it away since the last signature.
                return Signed([], [], CryptokiError("C_Sign", "CKR_SESSION_CLOSED"))
            signed = self.session.sign_many(label, [data], within=0.0)
            good = bool(signed.signatures)
        finally:
            self.seat.leave(good)
        self._desk.tally.signed(label, signed.took)
        return signed

    def _lose(self, error: CryptokiError) -> None:
        metrics.SIGN_FAILURES.labels(error.code).inc()
        self.seat.hold()
        session = self.sit(None)
        self.seat.release()
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
        self.seat.enter()
        try:
            if self.session is None or not self.on_trial:
                return
            try:
                self.session.try_out()
            except CryptokiError as error:
                cause = error.code
            self.sit(self.session)
        finally:
            self.seat.leave()
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
