"""What waits for a session: two lanes of jobs, handed out turn by turn.

A job is one caller's batch; a turn is a few of its digests, signed by one session. Between turns the next job is chosen
anew, so a large batch spreads over all sessions and never holds up a small one for longer than a turn:

- interactive goes before bulk, but while both wait every ``bulk_share``-th turn is bulk's;
- within a lane the jobs take turns in a ring.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING

from eseal.errors import EsealError, Overloaded
from eseal.terms import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

# A turn is about this long, so that is what an interactive digest waits for at least where every session is busy.
TURN_SECONDS = 0.02
_LONGEST_TURN = 16


class Job:
    """One caller's digests, all for one key.

    Its fields belong to ``Lanes`` and are guarded by its lock, save ``answers``: each place there is written once, by the
    session that has the turn. ``ranges`` are the places that no session has begun; ``gone`` says that nobody waits.
    """

    __slots__ = ("answers", "data", "finished", "gone", "label", "lane", "left", "queued_at", "ranges", "spread")

    def __init__(self, label: str, data: Sequence[bytes], lane: Lane) -> None:
        self.label = label
        self.data = data
        self.lane = lane
        self.answers: list[bytes | EsealError | None] = [None] * len(data)
        self.ranges = deque([(0, len(data))])
        self.left = len(data)
        self.spread = 1
        self.gone = False
        self.queued_at = time.monotonic()
        # Held until every answer is there. A bare lock is the cheapest thing that a thread can wait for with a limit.
        self.finished = threading.Lock()
        self.finished.acquire()


class Turn:
    """The places ``start`` to ``stop`` of a job, for one session. ``closed`` once they are answered or given up."""

    __slots__ = ("closed", "job", "start", "stop")

    def __init__(self, job: Job, start: int, stop: int) -> None:
        self.job = job
        self.start = start
        self.stop = stop
        self.closed = False


class Lanes:
    """The two lanes of one pool. Every method may be called from any thread."""

    def __init__(self, *, limit: int, bulk_share: int, sessions: int) -> None:
        self._lock = threading.Lock()
        self._limit = limit
        self._bulk_share = bulk_share
        self._sessions = sessions
        self._jobs: dict[Lane, deque[Job]] = {lane: deque() for lane in Lane}
        self._depths = dict.fromkeys(Lane, 0)
        self._since_bulk = 0
        self._seconds_each = 0.001
        self._closed: EsealError | None = None
        # Idle sessions wait here, and whoever gets a ticket takes turns until there are none. So where work waits, there
        # is a ticket or somebody who will look again.
        self.tickets: SimpleQueue[None] = SimpleQueue()

    @property
    def closed(self) -> EsealError | None:
        """Why nothing is taken in now, or None."""
        return self._closed

    def depth(self, lane: Lane) -> int:
        """How many digests wait in ``lane``."""
        return self._depths[lane]

    def put(self, job: Job) -> None:
        """Queue a job. Overloaded where its lane is full; the error given to ``close`` where the lanes are closed."""
        size = len(job.data)
        with self._lock:
            if self._closed is not None:
                raise self._closed
            depth = self._depths[job.lane]
            if depth and depth + size > self._limit:
                raise Overloaded(
                    "HSM_QUEUE_FULL",
                    f"{depth} signatures wait in the {job.lane} lane already; try again later.",
                    retry_after=self.drain_seconds(job.lane),
                )
            job.spread = -(-size // self._sessions)
            self._jobs[job.lane].append(job)
            self._depths[job.lane] = depth + size
            wanted = -(-size // self._turn_length(job))
        for _ in range(min(wanted, self._sessions)):
            self.tickets.put(None)

    def take(self) -> Turn | None:
        """The next turn; None where nothing waits."""
        with self._lock:
            jobs = self._next_lane()
            if not jobs:
                return None
            job = jobs[0]
            start, end = job.ranges.popleft()
            stop = min(start + self._turn_length(job), end)
            if stop < end:
                job.ranges.appendleft((stop, end))
            if job.ranges:
                jobs.rotate(-1)
            else:
                jobs.popleft()
            self._depths[job.lane] -= stop - start
            return Turn(job, start, stop)

    def give_back(self, turn: Turn, place: int) -> None:
        """Let others have ``turn`` from ``place`` on: it has taken long enough, or its session is gone."""
        job = turn.job
        with self._lock:
            rest = turn.stop - place
            if turn.closed or job.gone or not rest:
                return
            if not job.ranges:
                self._jobs[job.lane].appendleft(job)
            job.ranges.appendleft((place, turn.stop))
            self._depths[job.lane] += rest
            turn.stop = place
        self.tickets.put(None)

    def done(self, turn: Turn, seconds: float) -> None:
        """The places of ``turn`` are answered, after ``seconds``; whoever waits for the job is woken with the last one."""
        with self._lock:
            if turn.closed:
                return
            turn.closed = True
            job = turn.job
            size = turn.stop - turn.start
            job.left -= size
            if size:
                self._seconds_each += 0.05 * (seconds / size - self._seconds_each)
            last = job.left == 0
        if last:
            job.finished.release()

    def fail(self, turn: Turn, error: EsealError) -> None:
        """Answer what is unanswered in ``turn`` with ``error``: its session will not come back in time."""
        job = turn.job
        with self._lock:
            if turn.closed:
                return
            turn.closed = True
            for place in range(turn.start, turn.stop):
                job.answers[place] = job.answers[place] or error
            job.left -= turn.stop - turn.start
            last = job.left == 0
        if last:
            job.finished.release()

    def withdraw(self, job: Job) -> set[int]:
        """Take back what no session has begun, because its caller stops waiting; those places."""
        with self._lock:
            job.gone = True
            waiting = {place for start, stop in job.ranges for place in range(start, stop)}
            self._forget(job)
            return waiting

    def close(self, error: EsealError) -> None:
        """Take nothing in any more, and answer all that waits with ``error``."""
        with self._lock:
            self._closed = error
            waiting = [job for jobs in self._jobs.values() for job in jobs]
            for job in waiting:
                for start, stop in job.ranges:
                    job.answers[start:stop] = [error] * (stop - start)
                job.left -= self._forget(job)
            finished = [job for job in waiting if job.left == 0]
        for job in finished:
            job.finished.release()

    def open(self) -> None:
        """Take jobs in again."""
        with self._lock:
            self._closed = None

    def drain_seconds(self, lane: Lane) -> float:
        """How long what waits now will take, by the signatures of late; between 0.1 and 60 seconds."""
        return min(60.0, max(0.1, self._depths[lane] * self._seconds_each / self._sessions))

    def _next_lane(self) -> deque[Job]:
        """Whose turn it is. Called with the lock held."""
        interactive, bulk = self._jobs[Lane.INTERACTIVE], self._jobs[Lane.BULK]
        if not interactive or not bulk:
            self._since_bulk = 0
            return interactive or bulk
        self._since_bulk += 1
        if self._since_bulk >= self._bulk_share:
            self._since_bulk = 0
            return bulk
        return interactive

    def _turn_length(self, job: Job) -> int:
        """Long enough to be worth a wake-up, short enough to be fair, and none idle while others have two."""
        return min(max(1, int(TURN_SECONDS / self._seconds_each)), _LONGEST_TURN, job.spread)

    def _forget(self, job: Job) -> int:
        """Drop what no session has begun of ``job``; how many that were. Called with the lock held."""
        rest = sum(stop - start for start, stop in job.ranges)
        if rest:
            job.ranges.clear()
            self._jobs[job.lane].remove(job)
            self._depths[job.lane] -= rest
        return rest
