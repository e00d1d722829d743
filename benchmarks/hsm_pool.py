"""The pool of HSM sessions against the token itself, as ratios within one run.

    .venv/bin/python benchmarks/hsm_pool.py [--seconds 2] [--rounds 5]

Six questions, interleaved, medians of the rounds' ratios:

    one process     the pool against a bare loop: a thread for each session, C_SignInit and C_Sign natively and no more
    two processes   the same, each process with its own module and its own half of the sessions
    batches         the pool called with 1, 10 and 100 digests at a time, against the same bare loop
    plain queue     what Python programs write first: sessions in a queue.Queue, and callers that take one, sign and put it
                    back; no lanes, no deadline once inside, no recovery
    no pool         a Python thread for each session that signs one digest after the other on it: what no pool that is called
                    from Python by one digest can exceed
    network HSM     a module in which every signature takes 2 ms and no computing here, 60 sessions: against the ideal of
                    60 / 2 ms, and against the bare loop

Callers are threads that each wait for their batch: enough of them that work always waits, as on a busy server. A call of
one digest is the hardest case, because then each signature costs a caller's sleep and waking.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import queue
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.harness.shim import Shim, build
from tests.harness.token import make_token

from eseal.hsm import HsmSettings, Pkcs11KeyRoom
from eseal.hsm.algorithms import public_facts
from eseal.hsm.connection import Connection
from eseal.hsm.practice import softhsm_module
from eseal.terms import Lane, SealKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection as Pipe

    from eseal.hsm.session import SigningSession

SESSIONS = 4
BATCHES = (1, 10, 100)
BARE = 50  # signatures of the bare loop between two looks at the clock
Kind: TypeAlias = tuple[str, int]  # who signs, and how many digests at a time
BARE_LOOP: Kind = ("bare", BARE)
UNDER_WAY = 32  # digests that wait for each session, at least
MOST_CALLERS = 64
NETWORK_SESSIONS = 60
NETWORK_SECONDS = 0.002


def main() -> None:
    """Measure and print."""
    quiet()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds of each measurement")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the medians are printed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        token = make_token(Path(folder) / "token")
        key = token.seal_key("bench")
        for processes in (1, 2):
            settings = token.settings.model_copy(update={"sessions": SESSIONS // processes})
            compare(
                f"SoftHSM, {processes} process(es), {SESSIONS} sessions", settings, key, arguments, processes=processes
            )
        library = build(Path(folder))
        slow = token.settings.model_copy(update={"module": library, "sessions": NETWORK_SESSIONS})
        compare(f"2 ms a signature, {NETWORK_SESSIONS} sessions", slow, key, arguments, delay=NETWORK_SECONDS)


def compare(
    title: str,
    settings: HsmSettings,
    key: SealKey,
    arguments: argparse.Namespace,
    *,
    processes: int = 1,
    delay: float = 0,
) -> None:
    """Bare loop and pool in turns, in processes of their own that stay open."""
    workers = [Measured(settings, key, delay) for _ in range(processes)]
    kinds: list[Kind] = [BARE_LOOP, *((way, batch) for way in ("pool", "queue") for batch in BATCHES), ("none", 1)]
    rates: dict[Kind, list[float]] = {kind: [] for kind in kinds}
    for _ in range(arguments.rounds):
        for kind in kinds:
            for worker in workers:
                worker.begin(kind, arguments.seconds)
            rates[kind].append(sum(worker.rate() for worker in workers))
    for worker in workers:
        worker.end()
    bare = rates.pop(BARE_LOOP)
    print(f"\n{title}\n  bare loop       {statistics.median(bare):10,.0f} signatures/s")
    for (way, batch), measured in rates.items():
        ratio = statistics.median(each / loop for each, loop in zip(measured, bare, strict=True))
        rate = statistics.median(measured)
        of_ideal = f"  {rate * delay / settings.sessions:5.2f} of the ideal" if delay else ""
        print(
            f"  {way + ', by ' + str(batch):<14}  {rate:10,.0f} signatures/s  {ratio:5.2f} of the bare loop{of_ideal}"
        )


class Measured:
    """One process with the module open, that measures when asked."""

    def __init__(self, settings: HsmSettings, key: SealKey, delay: float) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=measure, args=(theirs, settings, key, delay))
        self._process.start()
        self._pipe.recv()

    def begin(self, kind: Kind, seconds: float) -> None:
        """Start measuring."""
        self._pipe.send((kind, seconds))

    def rate(self) -> float:
        """Signatures a second."""
        return float(self._pipe.recv())

    def end(self) -> None:
        """Let the process go."""
        self._pipe.send(None)
        self._process.join()


def measure(pipe: Pipe, settings: HsmSettings, key: SealKey, delay: float) -> None:
    """Be the process: the pool and the bare sessions are open side by side, and one works at a time."""
    quiet()
    shim = Shim(settings.module, softhsm_module()) if delay else None
    connection = Connection(settings, {key: public_facts(key)})
    sessions = [connection.open_session() for _ in range(settings.sessions)]
    room = Pkcs11KeyRoom.open(settings, [key])
    if shim:
        shim.set(delay_us=int(delay * 1e6), remote=1)
    for session in sessions:
        loop_of(session, key)()
    pipe.send(None)
    while (asked := pipe.recv()) is not None:
        (way, batch), seconds = asked
        wanted = max(2 * settings.sessions, min(settings.sessions * UNDER_WAY // batch, MOST_CALLERS))
        callers = min(wanted, settings.queue_limit // 2 // batch)
        if way == "pool":
            counts = [caller_of(room, key, batch)] * callers
        elif way == "queue":
            counts = [queued_of(sessions, key, batch)] * callers
        else:
            counts = [loop_of(session, key, batch) for session in sessions]
        pipe.send(busy(counts, seconds))
    if shim:
        shim.behave()
    room.close()
    for session in sessions:
        session.close()
    connection.close()


def loop_of(session: SigningSession, key: SealKey, batch: int = BARE) -> Callable[[], int]:
    """A bare loop on one session: C_SignInit and C_Sign, native for ``batch`` signatures, everything looked up before."""
    digests = [os.urandom(32)] * batch

    def sign() -> int:
        signed = session.sign_many(key.label, digests, within=60.0)
        assert signed.failure is None, signed.failure
        return batch

    return sign


def caller_of(room: Pkcs11KeyRoom, key: SealKey, batch: int) -> Callable[[], int]:
    """A caller that waits for each batch. One digest, because the slow module works out each digest but once."""
    digests = [os.urandom(32)] * batch

    def sign() -> int:
        answers = room.sign(key, digests, lane=Lane.BULK)
        assert all(isinstance(answer, bytes) for answer in answers), answers[-1]
        return batch

    return sign


def queued_of(sessions: Sequence[SigningSession], key: SealKey, batch: int) -> Callable[[], int]:
    """A caller that takes a session from a queue, signs with it and puts it back."""
    digests = [os.urandom(32)] * batch
    free: queue.Queue[SigningSession] = queue.Queue()
    for session in sessions:
        free.put(session)

    def sign() -> int:
        session = free.get(timeout=30)
        try:
            signed = session.sign_many(key.label, digests, within=60.0)
        finally:
            free.put(session)
        assert signed.failure is None, signed.failure
        return batch

    return sign


def busy(counted: Sequence[Callable[[], int]], seconds: float) -> float:
    """Run each of ``counted`` in a thread for ``seconds``; how much they did a second."""
    totals = [0] * len(counted)
    until = time.perf_counter() + seconds

    def work(place: int) -> None:
        count, do = 0, counted[place]
        while time.perf_counter() < until:
            count += do()
        totals[place] = count

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(counted))]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(totals) / (time.perf_counter() - started)


def quiet() -> None:
    """Keep the log off the figures."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


if __name__ == "__main__":
    main()
