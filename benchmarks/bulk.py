"""A class of many learners, from the client's call to the sealed bytes in its hands, as ratios within one run.

    .venv/bin/python benchmarks/bulk.py [--learners 10000] [--processes 2] [--streams 4] [--as-issued] [--postgresql]

Asked of one server on this machine, with SoftHSM, SQLite (or --postgresql) and mutual TLS, by one client process:

    growth      IssueStream for 1,000, 10,000 ... up to --learners learners: credentials a second, resident memory, CPU;
                medians of nine classes of 1,000 and of three of 10,000
    limit       against a bare loop of the same token's signatures, on as many processes
    unary       against the same learners through unary Issue, 16 calls under way
    latency     another member's unary Issue and Seal, alone and while a class is being issued

A credential is about 17 KB when sealed: a small page image of the course and an agreement of a few hundred bytes, shared
by all. --as-issued takes the practice set as it is, with a rendered page and a larger agreement: about 33 KB.
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import hashlib
import os
import re
import statistics
import sys
import tempfile
import threading
import time
import tomllib
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.ghz import unsealed
from benchmarks.hsm_pool import BARE_LOOP, Measured
from tests.harness.postgres import ledger_of
from tests.harness.server import ROOT, PracticeSet, practice_set, running_server

from eseal.config import load
from eseal_client import Client, Connection, EsealError, Identity, Learner, Level, read_micro_credential
from eseal_client.bulk import BulkRun, issue_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.harness.server import RunningServer

    from eseal_client import MicroCredential
    from eseal_client.wire.issuance_pb2 import ItemResult

EXAMPLE = ROOT / "clients/examples/introduction-to-artificial-intelligence.json"
FIRST = 1000
MOST_REPEATED = 30_000
UNARY_UNDER_WAY = 16
PROBES = 200
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=int, default=10_000, help="the largest class")
    parser.add_argument("--processes", type=int, default=2, help="worker processes of the server")
    parser.add_argument("--streams", type=int, default=4, help="streams of the client, each on a connection of its own")
    parser.add_argument("--batch", type=int, default=200, help="learners in a message")
    parser.add_argument(
        "--as-issued", action="store_true", help="with a rendered page and the whole practice agreement"
    )
    parser.add_argument("--postgresql", action="store_true", help="the ledger in PostgreSQL rather than SQLite")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        practice = practice_set(Path(folder) / "set", processes=arguments.processes)
        practice.configure(("sessions = 4", "sessions = 2"))
        course = read_micro_credential(EXAMPLE)
        course.display.personal = False
        if not arguments.as_issued:
            make_lean(practice, course)
        config = load(practice.config)
        with ledger_of(practice, postgresql=arguments.postgresql), running_server(practice) as server:
            measure(server, course, arguments)
        bare = bare_signatures(config, arguments.processes)
        print(f"bare loop of the token, {arguments.processes} process(es): {bare:,.0f} signatures/s")


def measure(server: RunningServer, course: MicroCredential, arguments: argparse.Namespace) -> None:
    """Everything that is asked of the running server."""
    issue_class(server, course, FIRST, arguments)  # warms up
    sizes = [size for size in (FIRST, 10 * FIRST, 100 * FIRST) if size <= arguments.learners] or [arguments.learners]
    print(
        f"{'learners':>9} {'issued/s':>9} {'KB each':>8} {'CPU us each, server/client':>27} {'RSS MB, server/client':>28}"
    )
    for size in sizes:
        # A small class is over in a blink: as many of them as a larger one has learners, and the median.
        classes = [issue_class(server, course, size, arguments) for _ in range(max(1, min(9, MOST_REPEATED // size)))]
        print(Issued.median(classes))
    with open_client(server, "dcu") as client:
        print(f"unary Issue, {UNARY_UNDER_WAY} under way: {unary(client, course):,.0f}/s")
    other = course_of_twente(server.practice, course)
    with open_client(server, "utwente") as client:
        calls: dict[str, Callable[[str], object]] = {
            "Issue": lambda request_id: client.issue(other, Learner(given_name="Ada"), request_id=request_id),
            "Seal": partial(seal, client, unsealed(client, other)),
        }
        latencies("another member's, alone", calls)
        stop = threading.Event()
        bulk = threading.Thread(target=keep_issuing, args=(server, course, arguments, stop))
        bulk.start()
        time.sleep(2)
        latencies("the same while a class is issued", calls)
        stop.set()
        bulk.join()


@dataclass(frozen=True)
class Issued:
    """A class that was issued, and what it took."""

    learners: int
    seconds: float
    kilobytes: float
    server_cpu: float
    client_cpu: float
    server_rss: int
    client_rss: int

    @classmethod
    def median(cls, classes: Sequence[Issued]) -> Issued:
        """The median of each figure, and of memory the most."""

        def middle(figure: str) -> float:
            return statistics.median(getattr(one, figure) for one in classes)

        return cls(
            classes[0].learners,
            *(middle(figure) for figure in ("seconds", "kilobytes", "server_cpu", "client_cpu")),
            max(one.server_rss for one in classes),
            max(one.client_rss for one in classes),
        )

    def __str__(self) -> str:
        """Return a line of the table."""
        return (
            f"{self.learners:>9,} {self.learners / self.seconds:>9,.0f} {self.kilobytes:>8.1f} "
            f"{self.server_cpu / self.learners * 1e6:>16.0f} / {self.client_cpu / self.learners * 1e6:<8.0f} "
            f"{self.server_rss / 1e6:>17.0f} / {self.client_rss / 1e6:<8.0f}"
        )


def issue_class(server: RunningServer, course: MicroCredential, size: int, arguments: argparse.Namespace) -> Issued:
    """Issue to ``size`` learners as ``eseal bulk`` does, but keep nothing."""
    issued: list[int] = []

    async def handle(results: Sequence[ItemResult]) -> None:
        for result in results:
            if not result.sealed.sealed:
                raise SystemExit(f"{result.request_id}: {EsealError(result.status)}")
        issued.extend([len(results[0].sealed.sealed)] * len(results))

    identity = Identity.from_folder(server.practice.folder / "callers/dcu")
    connection = Connection(target=server.target, identity=identity, batch=arguments.batch)
    items = ((request_id, issue_item(request_id, learner)) for request_id, learner in learners(size))
    run = BulkRun.issuing(connection, course, Level.LEVEL_UNSPECIFIED, items, streams=arguments.streams)
    with Watched(server.process.pid) as watched:
        asyncio.Runner(loop_factory=uvloop.new_event_loop).run(run.run(handle))
    assert len(issued) == size
    return Issued(
        size,
        watched.seconds,
        issued[0] / 1000,
        watched.server_cpu,
        watched.client_cpu,
        watched.server_rss,
        watched.client_rss,
    )


def learners(size: int) -> Iterator[tuple[str, Learner]]:
    """A class, made as it is read."""
    for place in range(size):
        yield str(uuid.uuid4()), Learner(given_name=f"Given{place}", family_name=f"Family{place}")


def keep_issuing(
    server: RunningServer, course: MicroCredential, arguments: argparse.Namespace, stop: threading.Event
) -> None:
    """Issue until told to stop."""
    while not stop.is_set():
        issue_class(server, course, FIRST, arguments)


def unary(client: Client, course: MicroCredential) -> float:
    """Unary calls a second."""
    started = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(UNARY_UNDER_WAY) as threads:
        issued = list(threads.map(lambda item: client.issue(course, item[1], request_id=item[0]), learners(FIRST)))
    return len(issued) / (time.perf_counter() - started)


def seal(client: Client, credential: bytes, request_id: str) -> object:
    """Seal it under a request id of its own."""
    return client.seal(credential, request_id=request_id)


def latencies(title: str, calls: Mapping[str, Callable[[str], object]]) -> None:
    """One call after the other; how long each takes."""
    for name, call in calls.items():
        taken = []
        for _ in range(PROBES):
            started = time.perf_counter()
            call(str(uuid.uuid4()))
            taken.append((time.perf_counter() - started) * 1e3)
        cuts = statistics.quantiles(taken, n=100)
        print(f"unary {name}, {title}: p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, p99 {cuts[98]:.1f} ms")


def open_client(server: RunningServer, member: str, batch: int = 100) -> Client:
    """A client on a connection of its own, as the member's back end."""
    identity = Identity.from_folder(server.practice.folder / "callers" / member)
    return Client(Connection(target=server.target, identity=identity, batch=batch, check=False))


def bare_signatures(config, processes: int) -> float:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Signatures a second of bare loops, a session's worth of threads in each process."""
    key = config.keys[0].load()
    workers = [Measured(config.hsm, key, 0) for _ in range(processes)]
    for worker in workers:
        worker.begin(BARE_LOOP, 3.0)
    rate = sum(worker.rate() for worker in workers)
    for worker in workers:
        worker.end()
    return rate


def make_lean(practice: PracticeSet, course: MicroCredential) -> None:
    """A small page of the course's own, and a short agreement: what is left is the credential."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - for this alone

    image = Image.new("1", (421, 298), 1)
    ImageDraw.Draw(image).text((30, 60), course.title["en"], fill=0)
    path = practice.folder / "page.png"
    image.save(path)
    page = course.display.pages.add()
    page.language, page.media_type, page.content = "en", "image/png", path.read_bytes()
    agreement = b"%PDF-1.4\n% A practice agreement, which binds nobody.\n%%EOF\n"
    (practice.folder / "register/agreements/dcu-practice.pdf").write_bytes(agreement)
    mandate = practice.folder / "register/mandates/dcu-practice.toml"
    digest = hashlib.sha256(agreement).hexdigest()
    mandate.write_text(re.sub(r'(sha256 = ")[0-9a-f]{64}', rf"\g<1>{digest}", mandate.read_text()))


def course_of_twente(practice: PracticeSet, course: MicroCredential) -> MicroCredential:
    """The same course, awarded by another member."""
    member = tomllib.loads((practice.folder / "register/members/utwente.toml").read_text())
    other = type(course)()
    other.CopyFrom(course)
    body = other.awarding_bodies[0]
    body.legal_name.clear()
    body.legal_name.update(member["legal_names"])
    del body.identifiers[:]
    for known in member["identifier"]:
        body.identifiers.add(
            kind=f"LEGAL_IDENTIFIER_KIND_{known['kind'].upper()}",
            notation=known["notation"],
            country=known.get("country", ""),
            scheme=known.get("scheme", ""),
        )
    body.country, body.region = "NLD", ""
    del other.display.pages[:]
    return other


class Watched:
    """CPU seconds and the most resident memory, of the server's processes and of this one, while in the context."""

    def __init__(self, server_pid: int) -> None:
        self._pids = family(server_pid)
        self._over = threading.Event()
        self.server_rss = self.client_rss = 0

    def __enter__(self) -> Self:
        """Begin."""
        self._sampler = threading.Thread(target=self._sample)
        self._sampler.start()
        self._server, self._client, self._started = self._server_seconds(), time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._started
        self.server_cpu = self._server_seconds() - self._server
        self.client_cpu = time.process_time() - self._client
        self._over.set()
        self._sampler.join()

    def _server_seconds(self) -> float:
        return sum(sum(int(ticks) for ticks in stat(pid)[11:13]) for pid in self._pids) / TICKS

    def _sample(self) -> None:
        over = False
        while not over:
            over = self._over.wait(0.25)
            self.server_rss = max(self.server_rss, sum(int(stat(pid)[21]) for pid in self._pids) * PAGE_BYTES)
            self.client_rss = max(self.client_rss, int(stat(os.getpid())[21]) * PAGE_BYTES)


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = (Path("/proc") / str(pid) / "task" / str(pid) / "children").read_text().split()
    return [pid, *(int(child) for child in children)]


if __name__ == "__main__":
    main()
