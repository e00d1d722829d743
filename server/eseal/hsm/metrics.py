"""What the pool says about itself, for Prometheus. Label values are key labels, lanes and return values, never content."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Count
from collections import deque
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eseal.errors import EsealError
    from eseal.sealcore import Lanes

SIGN_SECONDS = Histogram(
    "hsm_sign_seconds",
    "Seconds that one signature took in the HSM.",
    ["key"],
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
SIGN_FAILURES = Counter(
    "hsm_sign_failures_total", "Signatures that the HSM failed to make, by return value.", ["cause"]
)
SESSIONS = Gauge(
    "hsm_sessions", "Signing sessions: idle, busy, lost, or stuck in a call.", ["state"], multiprocess_mode="livesum"
)
REOPENED = Counter(
    "hsm_reopen_total", "Sessions that were discarded and opened again, by what they failed with.", ["cause"]
)
LOGINS = Counter("hsm_login_total", "Logins after the first one, by outcome.", ["outcome"])
RESTARTS = Counter(
    "hsm_reinitialise_total", "Times that C_Finalize and C_Initialize were called, by outcome.", ["outcome"]
)
CIRCUIT_OPEN = Gauge(
    "hsm_circuit_open", "1 while the HSM is away and nothing is taken in.", multiprocess_mode="livemax"
)
QUEUE_DEPTH = Gauge("seal_queue_depth", "Digests that wait for a session.", ["lane"], multiprocess_mode="livesum")
QUEUE_SECONDS = Histogram(
    "seal_queue_seconds",
    "Seconds that a batch waited for its first session.",
    ["lane"],
    buckets=(0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30),
)
CERTIFICATE_END = Gauge(
    "seal_certificate_not_after_seconds",
    "When the seal certificate ends, as Unix time.",
    ["key"],
    multiprocess_mode="max",
)


class Tally:
    """What is observed, until one thread hands it over: a histogram costs more than a fifth of a signature."""

    def __init__(self, lanes: Lanes[EsealError]) -> None:
        """``lanes`` observe how long batches waited, and the signatures that they know of."""
        self._lanes = lanes
        # Appending and taking are one step each, so no thread needs a lock.
        self._signed: deque[tuple[str, Sequence[float]]] = deque()

    def signed(self, key: str, took: Sequence[float]) -> None:
        """Signatures with ``key`` took these seconds each."""
        self._signed.append((key, took))

    def hand_over(self) -> None:
        """Let the histograms have what was observed since the last time."""
        signed, waited = self._lanes.observed()
        for _ in range(len(self._signed)):  # What comes meanwhile is for the next time.
            key, took = self._signed.popleft()
            signed.setdefault(key, []).extend(took)
        for key, amounts in signed.items():
            observe_all(SIGN_SECONDS.labels(key), amounts)
        for lane, amounts in waited.items():
            observe_all(QUEUE_SECONDS.labels(lane), amounts)


def observe_all(histogram: Histogram, amounts: Sequence[float]) -> None:
    """Observe each of ``amounts`` in a histogram that has its labels.

    The library has no call for many, and one call for each would be a tenth of what a signature costs: so its own parts
    are counted up here, once a bucket.
    """
    bounds, buckets = histogram._upper_bounds, histogram._buckets  # noqa: SLF001
    for place, count in Count(bisect_left(bounds, amount) for amount in amounts).items():
        buckets[place].inc(count)
    histogram._sum.inc(sum(amounts))  # noqa: SLF001
