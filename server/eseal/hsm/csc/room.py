"""The key room of a remote QSCD: digests of many callers in one authorization, up to the credential's ``multisign``."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import structlog
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random

from eseal.errors import EsealError, Internal, SetupError, Unavailable
from eseal.hsm import metrics
from eseal.hsm.algorithms import public_facts
from eseal.hsm.csc.service import PIN_REFUSED, CscError, CscService
from eseal.hsm.queued import QueuedKeyRoom, require_one_valid
from eseal.hsm.validity import Validity
from eseal.sealcore import Lanes, Seat
from eseal.terms import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from eseal.hsm.csc.service import Credential
    from eseal.hsm.csc.settings import CscSettings
    from eseal.sealcore import Turn
    from eseal.terms import Algorithm, SealKey

log = structlog.get_logger(__name__)

_ROUND_SECONDS = 1.0
_MODES = {"implicit", "explicit"}
# A person must act: asking again would be refused again, and may lock the credential.
_FINAL = {"invalid_client", PIN_REFUSED}


def _now() -> datetime:
    return datetime.now(UTC)


class CscKeyRoom(QueuedKeyRoom):
    """Seal keys at a remote QSCD. Safe to call from many threads; made by ``open``."""

    def __init__(
        self,
        settings: CscSettings,
        service: CscService,
        keys: Mapping[SealKey, Credential],
        certificates: Mapping[str, Validity],
    ) -> None:
        fill = {key.label: min(settings.max_batch, credential.multisign) for key, credential in keys.items()}
        lanes: Lanes[EsealError] = Lanes(
            limit=settings.queue_limit, bulk_share=settings.bulk_share, sessions=settings.connections, fill=fill
        )
        super().__init__(lanes, certificates, wait_seconds=settings.wait_seconds, encode=_as_it_is)
        self._settings = settings
        self._service = service
        self._tally = metrics.Tally(lanes)
        self._algorithms = {key.label: key.algorithm for key in keys}
        self._mender = _Mender(self, settings, service, next(iter(keys)).label)
        self._senders = [_Sender(number, self, lanes, settings) for number in range(settings.connections)]
        for thread in (*self._senders, self._mender):
            thread.start()

    @classmethod
    def open(cls, settings: CscSettings, keys: Sequence[SealKey], *, clock: Callable[[], datetime] = _now) -> Self:
        """Ask the service for every key and check it against its certificate.

        A key's label is its credentialID. SetupError, with what the operator may do, where the service does not answer,
        refuses us, knows no such credential, or has another certificate for it; and where no certificate is valid now.
        """
        certificates = {
            key.label: Validity(key.label, public_facts(key).certificate, settings.warn_days, clock) for key in keys
        }
        require_one_valid(certificates.values())
        service = CscService(settings)
        try:
            known = {key: _checked(settings, key, _asked(service, key)) for key in keys}
        except BaseException:
            service.close()
            raise
        log.info("qscd_open", keys=[key.label for key in keys])
        return cls(settings, service, known, certificates)

    def close(self) -> None:
        """Finish the requests under way, answer what waits with Unavailable, and close the connections."""
        self._lanes.close(
            Unavailable("SHUTTING_DOWN", "The service is stopping; send it again to the one that follows.")
        )
        self._mender.stop()
        for sender in self._senders:
            sender.stop()
        for thread in (*self._senders, self._mender):
            thread.join(2 * self._settings.request_seconds)
        self._tally.hand_over()
        self._service.close()
        log.info("qscd_closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- Called by the threads --------------------------------------------------------------------------------------------

    def serve(self, turn: Turn) -> list[bytes | EsealError]:
        """Sign a turn: one authorization, one request; what failed for a passing reason is tried once more."""
        attempts = Retrying(
            stop=stop_after_attempt(2), wait=wait_random(0.05, 0.2), retry=retry_if_exception(_passes), reraise=True
        )
        try:
            signatures = attempts(self._sign, turn.key, turn.data)
        except CscError as error:
            metrics.SIGN_FAILURES.labels(error.code).inc(len(turn.data))
            log.warning("qscd_failed", cause=error.code, key=turn.key, digests=len(turn.data))
            self._mender.failed(error)
            return [_answer(error)] * len(turn.data)
        except SetupError as error:
            log.error("qscd_misconfigured", reason=error.reason, message=error.message)  # noqa: TRY400
            return [
                Unavailable(error.reason, "This seal key cannot be used now; the operator's log has the cause.")
            ] * len(turn.data)
        self._mender.worked()
        return list(signatures)

    def open_circuit(self, error: CscError, pause: float) -> None:
        """Take nothing in for now."""
        metrics.CIRCUIT_OPEN.set(1)
        self._lanes.close(
            Unavailable(
                "QSCD_AWAY",
                f"The remote signing service cannot be used now ({error.code}). Nothing was sealed; try again.",
                retry_after=pause,
                metadata={"cause": error.code},
            )
        )

    def close_circuit(self) -> None:
        """Take jobs in again."""
        metrics.CIRCUIT_OPEN.set(0)
        log.info("qscd_circuit_closed")
        self._lanes.open()

    def look_after(self) -> None:
        """What is due now and then: warnings of certificates that end, and the gauges."""
        self._tally.hand_over()
        for certificate in self._certificates.values():
            certificate.warn()
        for lane in Lane:
            metrics.QUEUE_DEPTH.labels(lane.value).set(self._lanes.depth(lane))

    def _sign(self, label: str, digests: Sequence[bytes]) -> list[bytes]:
        algorithm = self._algorithms[label]
        started = time.monotonic()
        sad = self._service.authorize(label, algorithm, digests)
        signatures = self._service.sign(label, sad, algorithm, digests)
        each = (time.monotonic() - started) / len(digests)
        self._tally.signed(label, [each] * len(digests))
        return signatures


class _Sender(threading.Thread):
    """One request under way at a time."""

    def __init__(self, number: int, room: CscKeyRoom, lanes: Lanes[EsealError], settings: CscSettings) -> None:
        super().__init__(name=f"qscd-sender-{number}", daemon=True)
        self._room = room
        self._lanes = lanes
        self._window = settings.window_seconds
        self._seat = Seat()
        self._stopping = False

    def run(self) -> None:
        """Take turns; after a pause, wait for others who come within the window."""
        while not self._stopping:
            if (turn := self._lanes.take()) is None:
                self._lanes.wait(self._seat)
                if not self._stopping:
                    time.sleep(self._window)
                continue
            self._lanes.settle(turn, self._answers(turn))

    def stop(self) -> None:
        """Ask the thread to end after the request under way."""
        self._stopping = True
        self._seat.want()
        self._lanes.ring()

    def _answers(self, turn: Turn) -> list[bytes | EsealError]:
        try:
            return self._room.serve(turn)
        except Exception as error:
            log.exception("qscd_sender_failed", error_type=type(error).__name__, exc_info=error)
            return [Internal("QSCD_FAILED", "The service failed while it asked for signatures.")] * len(turn.data)


class _Mender(threading.Thread):
    """Opens the circuit after failures in a row, and closes it when the service answers again."""

    def __init__(self, room: CscKeyRoom, settings: CscSettings, service: CscService, label: str) -> None:
        super().__init__(name="qscd-mender", daemon=True)
        self._room = room
        self._settings = settings
        self._service = service
        self._label = label
        self._lock = threading.Lock()
        self._failures = 0
        self._pause = settings.probe_seconds
        self._probe_at: float | None = None
        self._wake = threading.Event()
        self._stopping = False

    def worked(self) -> None:
        """A turn was signed."""
        with self._lock:
            self._failures = 0

    def failed(self, error: CscError) -> None:
        """A turn failed; where so many did, or none can succeed, the circuit opens."""
        with self._lock:
            self._failures += 1
            final = error.code in _FINAL
            opens = self._probe_at is None and (final or self._failures >= self._settings.failures)
            if opens:
                self._pause = self._settings.probe_seconds
                self._probe_at = time.monotonic() + self._pause
        if opens:
            log.error("qscd_circuit_open", cause=error.code)
            self._room.open_circuit(error, self._pause)
            self._wake.set()

    def run(self) -> None:
        """Look after the room, and probe while the circuit is open."""
        while not self._stopping:
            due = self._probe_at
            self._wake.wait(_ROUND_SECONDS if due is None else max(0.0, min(_ROUND_SECONDS, due - time.monotonic())))
            self._wake.clear()
            try:
                self._room.look_after()
                if due is not None and time.monotonic() >= due and not self._stopping:
                    self._probe()
            except Exception as error:
                # The thread must outlive whatever it is, or the circuit would never close.
                log.exception("qscd_mender_failed", error_type=type(error).__name__, exc_info=error)
                self._try_later(CscError("probe_failed", passing=False))

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopping = True
        self._wake.set()

    def _probe(self) -> None:
        """Ask for the credential, which needs the connection, the token and the service, and signs nothing."""
        try:
            self._service.probe(self._label)
        except (CscError, SetupError) as error:
            self._try_later(error if isinstance(error, CscError) else CscError(error.reason, passing=False))
            return
        with self._lock:
            self._failures = 0
            self._probe_at = None
        self._room.close_circuit()

    def _try_later(self, fault: CscError) -> None:
        """Keep the circuit open where it is, and probe again after a longer pause."""
        if self._probe_at is None:
            return
        self._pause = min(2 * self._pause, self._settings.max_probe_seconds)
        self._probe_at = time.monotonic() + self._pause
        self._room.open_circuit(fault, self._pause)


def _as_it_is(algorithm: Algorithm, digest: bytes) -> bytes:
    """The service gets the digest and builds the rest (section 11.9 of v1, 11.10 of v2)."""
    del algorithm
    return digest


def _passes(error: BaseException) -> bool:
    return isinstance(error, CscError) and error.passing


def _answer(error: CscError) -> EsealError:
    if error.passing:
        return Unavailable(
            "QSCD_FAILED",
            f"The remote signing service failed to sign ({error.code}); try again.",
            retry_after=error.retry_after or 1.0,
            metadata={"cause": error.code},
        )
    return Unavailable(
        "QSCD_REFUSED",
        f"The remote signing service refused to sign ({error.code}); the operator must look.",
        retry_after=30.0,
        metadata={"cause": error.code},
    )


def _asked(service: CscService, key: SealKey) -> Credential:
    try:
        return service.credential(key.label)
    except CscError as error:
        advice = (
            "The service refused our client id or secret; it was tried once. Put the right secret in its place."
            if error.code == "invalid_client"
            else "Check qscd.url, that the service runs, and that the label is a credentialID it knows for this client."
        )
        raise SetupError(
            "QSCD_NOT_WORKING",
            f"The remote signing service did not answer for seal key '{key.label}' ({error.code}). {advice}",
            metadata={"cause": error.code},
        ) from error


def _checked(settings: CscSettings, key: SealKey, credential: Credential) -> Credential:
    """The credential, which is enabled, signs with the key's algorithm by itself, and has the key's certificate."""
    fault = None
    if not credential.enabled:
        fault = "is disabled"
    elif not credential.chain or credential.chain[0] != key.certificate:
        fault = "has another certificate than the one configured for it"
    elif not credential.signs(key.algorithm):
        fault = f"does not sign with {key.algorithm}"
    elif credential.mode not in _MODES:
        fault = f"is authorized by {credential.mode}, which needs a person at every seal"
    elif credential.mode == "explicit" and settings.pin_file is None:
        fault = "asks for a PIN: set qscd.pin_file"
    if fault is not None:
        raise SetupError("QSCD_CREDENTIAL", f"Credential '{key.label}' of the remote signing service {fault}.")
    return credential
