"""Several worker processes on one port: spawned, each with its own event loop, token session and ledger connection.

The parent binds nothing itself except to find a free port: SO_REUSEPORT lets the kernel spread connections over the
workers. A worker that dies is replaced; the parent passes SIGTERM on and waits for all of them. A parent that is killed
takes its workers with it: orphans would go on serving an old configuration beside those of the next start.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.context import SpawnProcess
    from multiprocessing.synchronize import Semaphore

    from eseal.rpc.settings import ServerSettings

log = structlog.get_logger(__name__)

# A worker that cannot start would be replaced for ever: after so many deaths in a row the whole house stops.
MOST_EARLY_DEATHS = 3
EARLY_SECONDS = 5.0


@contextlib.contextmanager
def reserved_port(settings: ServerSettings) -> Iterator[int]:
    """Hold the port that the workers will share: the one configured, or a free one for port 0."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reservation.bind((settings.host, settings.port))
        yield int(reservation.getsockname()[1])


def end_with_supervisor() -> None:
    """In a worker: stop as on SIGTERM, finishing what is in flight, once the parent process is gone."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()


def supervise(start: Callable[[Semaphore], SpawnProcess], count: int, ready: Callable[[], None]) -> int:
    """Keep ``count`` workers alive until SIGTERM or SIGINT; return the exit status.

    Each worker releases the semaphore that it is started with once it takes calls; ``ready`` is called when all do.
    """
    taking_calls = multiprocessing.get_context("spawn").Semaphore(0)
    waiting_for = count
    stopping = False

    def stop(signum: int, frame: object) -> None:
        nonlocal stopping
        del signum, frame
        stopping = True

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    workers = {start(taking_calls): time.monotonic() for _ in range(count)}
    early_deaths = 0
    while not stopping and early_deaths < MOST_EARLY_DEATHS:
        multiprocessing.connection.wait([worker.sentinel for worker in workers], timeout=0.05 if waiting_for else 0.2)
        while waiting_for and taking_calls.acquire(block=False):
            waiting_for -= 1
            if not waiting_for:
                ready()
        for worker in [worker for worker in workers if not worker.is_alive()]:
            lived = time.monotonic() - workers.pop(worker)
            early_deaths = early_deaths + 1 if lived < EARLY_SECONDS else 0
            if not stopping and early_deaths < MOST_EARLY_DEATHS:
                log.error("worker_died", pid=worker.pid, exit_code=worker.exitcode, lived=round(lived, 1))
                workers[start(taking_calls)] = time.monotonic()
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join()
    return 1 if early_deaths >= MOST_EARLY_DEATHS else 0
