"""What every key room does for its callers: a batch waits its turn, for no longer than its deadline.

Who makes the signatures is a room's own: sessions of a token (``room``), or a remote QSCD (``csc``).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from eseal.errors import DeadlineExceeded, EsealError, Internal, Overloaded, SetupError, Unavailable
from eseal.hsm.algorithms import DIGEST_LENGTHS
from eseal.sealcore import LaneFull
from eseal.terms import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from eseal.hsm.validity import Validity
    from eseal.sealcore import Lanes
    from eseal.terms import Algorithm, SealKey


class QueuedKeyRoom:
    """The callers' side of a key room. Safe to call from many threads."""

    def __init__(
        self,
        lanes: Lanes[EsealError],
        certificates: Mapping[str, Validity],
        *,
        wait_seconds: float,
        encode: Callable[[Algorithm, bytes], bytes],
    ) -> None:
        """``encode`` makes of a digest what the signer is given."""
        self._lanes = lanes
        self._certificates = certificates
        self._wait_seconds = wait_seconds
        self._encode = encode

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
            data = [self._encode(key.algorithm, digest) for digest in digests]
            answers, not_begun = self._lanes.sign(key.label, data, lane, until - now)
        except EsealError as error:
            return [error] * len(digests)
        except LaneFull as full:
            return [self._full(lane, *full.args)] * len(digests)
        return cast("list[bytes | EsealError]", answers) if not_begun is None else self._late(answers, not_begun, lane)

    def healthy(self) -> bool:
        """Whether signatures are to be had: False while the circuit is open."""
        return self._lanes.closed is None

    def _certificate_of(self, key: SealKey) -> Validity:
        try:
            return self._certificates[key.label]
        except KeyError:
            raise Internal("UNKNOWN_KEY", f"The key room was not opened with seal key '{key.label}'.") from None

    def _full(self, lane: Lane, depth: int) -> EsealError:
        return Overloaded(
            "HSM_QUEUE_FULL",
            f"{depth} signatures wait in the {lane} lane already; try again later.",
            retry_after=self._lanes.drain_seconds(lane),
        )

    def _late(
        self, answers: Sequence[bytes | EsealError | None], not_begun: Sequence[int], lane: Lane
    ) -> list[bytes | EsealError]:
        """The deadline came first. Signatures that are there are handed over all the same."""
        waiting = Overloaded(
            "HSM_QUEUE_TIMEOUT",
            "No session was free before the deadline; try again later.",
            retry_after=self._lanes.drain_seconds(lane),
        )
        slow = Unavailable("HSM_TIMEOUT", "The HSM did not finish before the deadline; try again.")
        untouched = frozenset(not_begun)
        return [
            answer if answer is not None else (waiting if place in untouched else slow)
            for place, answer in enumerate(answers)
        ]


def require_one_valid(certificates: Iterable[Validity]) -> None:
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
