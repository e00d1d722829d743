"""What waits for a session: two lanes of jobs, handed out turn by turn.

A job is one caller's batch. A turn is what one session signs at a stretch: a few digests of a large job, or several small
jobs for the same key at once. Between turns the next job is chosen anew, so a large batch spreads over all sessions and
never holds up a small one for longer than a turn:

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
    from collections.abc import Mapping, Sequence

# A turn is about this long, so that is what an interactive digest waits for at least where every session is busy.
TURN_SECONDS = 0.02
_LONGEST_TURN = 64
# What is shorter than this is not spread over sessions: waking a second one would take about as long.
_WORTH_WAKING = 0.001


class Job:
    """One caller's digests, all for one key.

    Its fields belong to ``Lanes`` and are guarded by its lock, save ``answers``: each place there is written once, by the
    session that has the turn. ``ranges`` are the places that no session has begun; ``gone`` says that nobody waits.
    """

    __slots__ = ("answers", "data", "finished", "gone", "label", "lane", "left", "queued_at", "ranges")

    def __init__(self, label: str, data: Sequence[bytes], lane: Lane) -> None:
        self.label = label
        self.data = data
        self.lane = lane
        self.answers: list[bytes | EsealError | None] = [None] * len(data)
        self.ranges = deque([(0, len(data))])
        self.left = len(data)
        self.gone = False
        self.queued_at = time.monotonic()
        # Held until every answer is there. A bare lock is the cheapest thing that a thread can wait for with a limit.
        self.finished = threading.Lock()
        self.finished.acquire()


class Turn:
    """Places of one job or several, for one session and one key: ``data`` is what to sign, ``parts`` whose it is.

    A part is a job with the first of its places and the one after the last. ``closed`` once all is answered or given up.
    """

    __slots__ = ("closed", "data", "label", "parts")

    def __init__(self, parts: list[tuple[Job, int, int]]) -> None:
        self.parts = parts
        self.label = parts[0][0].label
        self.data = [item for job, start, stop in parts for item in job.data[start:stop]]
        self.closed = False

    def answer(self, place: int, answers: Sequence[bytes | EsealError]) -> None:
        """Hand ``answers`` to the jobs whose digests stand from ``place`` on."""
        for job, start, stop in self.parts:
            size = stop - start
            if place < size:
                fitting = answers[: size - place]
                job.answers[start + place : start + place + len(fitting)] = fitting
                answers = answers[len(fitting) :]
                if not answers:
                    return
            place = max(0, place - size)

    def split(self, place: int) -> list[tuple[Job, int, int]]:
        """Keep what stands before ``place``, and return the parts from there on."""
        kept, rest, before = [], [], 0
        for job, start, stop in self.parts:
            middle = min(stop, max(start, start + place - before))
            if start < middle:
                kept.append((job, start, middle))
            if middle < stop:
                rest.append((job, middle, stop))
            before += stop - start
        self.parts = kept
        return rest


class Lanes:
    """The two lanes of one pool. Every method may be called from any thread."""

    def __init__(self, *, limit: int, bulk_share: int, sessions: int, fill: Mapping[str, int] | None = None) -> None:
        """``sessions`` is how many take turns. ``fill`` is for a signer that takes many digests in one request.

        It says how many for each key; a turn then holds so many, however long it lasts.
        """
        self._fill = fill or {}
        self._lock = threading.Lock()
        self._limit = limit
        self._bulk_share = bulk_share
        self._sessions = sessions
        self._jobs: dict[Lane, deque[Job]] = {lane: deque() for lane in Lane}
        self._depths = dict.fromkeys(Lane, 0)
        self._since_bulk = 0
        self._seconds_each = 0.001
        self._closed: EsealError | None = None
        # Sessions without work wait here. Whoever found no turn is counted as idle, and work that comes puts a ticket for
        # each one that it needs; a ticket too many wakes a session for nothing, one too few cannot be.
        self.tickets: SimpleQueue[None] = SimpleQueue()
        self._idle = 0

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
            self._jobs[job.lane].append(job)
            self._depths[job.lane] = depth + size
            woken = min(self._idle, -(-size // self._turn_length(job)))
            self._idle -= woken
        for _ in range(woken):
            self.tickets.put(None)

    def take(self) -> Turn | None:
        """The next turn. None where nothing waits: then the session waits for a ticket."""
        with self._lock:
            lane = self._next_lane()
            if lane is None:
                self._idle += 1
                return None
            jobs = self._jobs[lane]
            label = jobs[0].label
            length = self._turn_length(jobs[0])
            parts: list[tuple[Job, int, int]] = []
            while length and jobs and jobs[0].label == label:
                job = jobs.popleft()
                start, end = job.ranges.popleft()
                stop = min(start + length, end)
                if stop < end:
                    job.ranges.appendleft((stop, end))
                if job.ranges:
                    jobs.append(job)
                parts.append((job, start, stop))
                length -= stop - start
                self._depths[lane] -= stop - start
        return Turn(parts)

    def give_back(self, turn: Turn, place: int) -> None:
        """Let others have ``turn`` from ``place`` on: it has taken long enough, or its session is gone."""
        with self._lock:
            if turn.closed:
                return
            for job, start, stop in reversed(turn.split(place)):
                if job.gone:
                    continue
                if not job.ranges:
                    self._jobs[job.lane].appendleft(job)
                job.ranges.appendleft((start, stop))
                self._depths[job.lane] += stop - start
        self.tickets.put(None)

    def done(self, turn: Turn, seconds: float) -> None:
        """The places of ``turn`` are answered, after ``seconds``; who waits for a job is woken with the last of it."""
        with self._lock:
            if turn.closed:
                return
            turn.closed = True
            size = sum(stop - start for _, start, stop in turn.parts)
            if size:
                self._seconds_each += 0.05 * (seconds / size - self._seconds_each)
            finished = self._settle(turn)
        for job in finished:
            job.finished.release()

    def fail(self, turn: Turn, error: EsealError) -> None:
        """Answer what is unanswered in ``turn`` with ``error``: its session will not come back in time."""
        with self._lock:
            if turn.closed:
                return
            turn.closed = True
            for job, start, stop in turn.parts:
                for place in range(start, stop):
                    job.answers[place] = job.answers[place] or error
            finished = self._settle(turn)
        for job in finished:
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

    def _next_lane(self) -> Lane | None:
        """Whose turn it is. Called with the lock held."""
        interactive, bulk = self._jobs[Lane.INTERACTIVE], self._jobs[Lane.BULK]
        if not interactive or not bulk:
            self._since_bulk = 0
            return Lane.INTERACTIVE if interactive else Lane.BULK if bulk else None
        self._since_bulk += 1
        if self._since_bulk >= self._bulk_share:
            self._since_bulk = 0
            return Lane.BULK
        return Lane.INTERACTIVE

    def _turn_length(self, job: Job) -> int:
        """Long enough to be worth a wake-up, short enough to be fair, and none idle while others have two."""
        if (fill := self._fill.get(job.label)) is not None:
            return fill
        share = -(-self._depths[job.lane] // self._sessions)
        least = int(_WORTH_WAKING / self._seconds_each)
        most = min(int(TURN_SECONDS / self._seconds_each), _LONGEST_TURN)
        return max(1, min(most, max(share, least)))

    def _settle(self, turn: Turn) -> list[Job]:
        """Count the places of ``turn`` as answered; the jobs that are finished by that. Called with the lock held."""
        finished = []
        for job, start, stop in turn.parts:
            job.left -= stop - start
            if job.left == 0:
                finished.append(job)
        return finished

    def _forget(self, job: Job) -> int:
        """Drop what no session has begun of ``job``; how many that were. Called with the lock held."""
        rest = sum(stop - start for start, stop in job.ranges)
        if rest:
            job.ranges.clear()
            self._jobs[job.lane].remove(job)
            self._depths[job.lane] -= rest
        return rest
