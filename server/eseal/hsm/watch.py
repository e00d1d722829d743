"""The watch: sees calls into the module that do not come back, and keeps the gauges. It never calls the module itself.

A thread inside a C library cannot be stopped, so a call that takes too long is left behind with its thread and its
session, its callers are answered, and another worker takes its place. While such a call is under way the module cannot
be finalised. Once more of them are stuck than there are sessions configured none takes their place, and the circuit is
open until some come back; where they never do only a new process helps, and the health check says so.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog

from eseal.errors import Unavailable
from eseal.hsm import metrics
from eseal.hsm.keeper import away
from eseal.terms import Lane

if TYPE_CHECKING:
    from eseal.errors import EsealError
    from eseal.hsm.keeper import Keeper
    from eseal.hsm.settings import RecoverySettings
    from eseal.hsm.validity import Validity
    from eseal.hsm.worker import Worker
    from eseal.sealcore import Lanes

log = structlog.get_logger(__name__)

_LONGEST_ROUND = 1.0


class Watch(threading.Thread):
    """Looks at every worker, and at the keeper, once a round."""

    def __init__(
        self, keeper: Keeper, lanes: Lanes[EsealError], settings: RecoverySettings, certificates: list[Validity]
    ) -> None:
        super().__init__(name="hsm-watch", daemon=True)
        self._keeper = keeper
        self._lanes = lanes
        self._stuck_seconds = settings.stuck_seconds
        self._certificates = certificates
        self._stopped = threading.Event()
        self._keeper_was_stuck = False

    def run(self) -> None:
        """Go round until stopped."""
        while not self._stopped.wait(min(_LONGEST_ROUND, self._stuck_seconds / 4)):
            for worker in list(self._keeper.workers):
                inside = worker.seat.inside
                if inside is not None and inside > self._stuck_seconds and not worker.abandoned:
                    self._give_up(worker, time.monotonic() - inside)
            self._look_at_keeper(time.monotonic() - self._stuck_seconds)
            self._count()
            for certificate in self._certificates:
                certificate.warn()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopped.set()

    def _give_up(self, worker: Worker, entered: float) -> None:
        """Answer the callers of a call that is stuck since ``entered``, and leave its worker behind."""
        self._keeper.given_up(worker, entered)
        self._lanes.give_up(worker.seat, _stuck())
        log.error("hsm_call_stuck", seconds=self._stuck_seconds, stuck=len(self._keeper.stuck))

    def _look_at_keeper(self, since: float) -> None:
        """The keeper opens sessions; a call of its own may be stuck as well."""
        stuck = 0.0 < self._keeper.entered < since
        if stuck and not self._keeper_was_stuck:
            log.error("hsm_recovery_stuck", seconds=self._stuck_seconds)
            self._lanes.close(away("HSM_STUCK", self._stuck_seconds))
            self._keeper.overdue()
        self._keeper_was_stuck = stuck

    def _count(self) -> None:
        self._keeper.tally.hand_over()
        workers = list(self._keeper.workers)
        busy = sum(worker.seat.inside is not None for worker in workers)
        lost = sum(worker.session is None for worker in workers)
        metrics.SESSIONS.labels("busy").set(busy)
        metrics.SESSIONS.labels("idle").set(max(0, len(workers) - busy - lost))
        metrics.SESSIONS.labels("lost").set(lost)
        metrics.SESSIONS.labels("stuck").set(len(self._keeper.stuck))
        for lane in Lane:
            metrics.QUEUE_DEPTH.labels(lane.value).set(self._lanes.depth(lane))


def _stuck() -> Unavailable:
    return Unavailable("HSM_STUCK", "The HSM did not answer in time; try again.")
