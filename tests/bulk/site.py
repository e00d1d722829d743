"""A site to break: a server with worker processes, its database, and a client with a witness, each killed on command."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from eseal.bulk.folder import file_name
from eseal_client import Client, Connection, EsealError, Identity, Verdict
from tests.harness.server import ROOT, practice_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.harness import postgres

START_SECONDS = 60
EXAMPLE = ROOT / "server/eseal/bulk/example"


def class_list(path: Path, learners: int) -> Path:
    """A class list of so many learners."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, delimiter=";")
        lines.writerow(["given_name", "family_name", "identifier:Student number", "grade_achieved"])
        lines.writerows(
            [f"Aoife {n}", "Ní Bhriain", f"dcu-{n:06}", "Pass" if n % 7 else "Distinction"] for n in range(learners)
        )
    return path


class Site:
    """A practice set on a fixed port; server and client run as groups of processes of their own."""

    def __init__(
        self,
        folder: Path,
        *,
        learners: int,
        processes: int = 1,
        database: postgres.Cluster | None = None,
        url: str = "",
    ) -> None:
        """``url`` is that of the ledger; by default a new SQLite file, or a new schema of ``database``."""
        self.folder = folder
        self.learners = learners
        self.database = database
        self.practice = practice_set(folder / "set", processes=processes)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        url = url or (database.schema("ledger") if database else "sqlite:///ledger.db")
        self.practice.configure(
            ('listen = "127.0.0.1:0"', f'listen = "127.0.0.1:{self.port}"'),
            ('url = "sqlite:///ledger.db"', f'url = "{url}"\nclaim_lease_seconds = 5\nbusy_timeout_seconds = 3'),
        )
        self.list = class_list(folder / "learners.csv", learners)
        self.out = folder / "out"
        self.journal = folder / "journal"
        self.journal.touch()
        self.log = folder / "log"
        self.server: subprocess.Popen[bytes] | None = None
        self.client: subprocess.Popen[bytes] | None = None
        self.chance = random.Random(0)  # noqa: S311 - a schedule

    # --- Starting and stopping ---------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Start the server, and wait until it takes calls."""
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        self.server = self._start("-m", "eseal", "serve", "--config", self.practice.config, "--port-file", port_file)
        deadline = time.monotonic() + START_SECONDS
        while not port_file.exists():
            assert self.server.poll() is None, self.log.read_text()[-4000:]
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.02)

    def issue(self, *options: str) -> None:
        """Start ``eseal bulk issue`` on the class list."""
        self.client = self._start(
            "-m", "tests.bulk.recording", self.journal, "bulk", "issue",
            "--course", EXAMPLE / "course.toml", "--learners", self.list, "--out", self.out,
            "--identity", self.practice.folder / "callers/dcu", "--server", f"127.0.0.1:{self.port}",
            "--batch", "20", "--window", "2", "--streams", "3", *options,
        )  # fmt: skip

    def close(self) -> None:
        """End what still runs."""
        for process in (self.client, self.server):
            if process is not None and process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _start(self, *arguments: object) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *map(str, arguments)],
                stdout=log,
                stderr=log,
                cwd=ROOT,
                start_new_session=True,
            )

    # --- Killing -----------------------------------------------------------------------------------------------------

    def kill(self, what: str) -> None:
        """Kill -9; what must run for the others to go on is started again."""
        if what == "client":
            self.client.kill()
            self.client.wait()
        elif what == "server":
            os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait()
            self.serve()
        elif what == "supervisor":
            # Its workers are orphans now; a new supervisor starts beside them.
            self.server.kill()
            self.server.wait()
            self.serve()
        elif what == "worker":
            while not (workers := self.workers()):
                if self.server.poll() is not None:
                    # It gave up: too many workers died early, of the kills before.
                    self.serve()
                time.sleep(0.01)
            os.kill(self.chance.choice(workers), signal.SIGKILL)
        elif what == "postgresql":
            self.database.kill()
            _started(self.database)
        else:
            raise AssertionError(what)

    def workers(self) -> list[int]:
        """The worker processes of the server."""
        children = Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    # --- Looking -----------------------------------------------------------------------------------------------------

    def received(self) -> dict[str, set[tuple[str, str]]]:
        """What was ever received: by request id, the (credential id, SHA-256) pairs."""
        found: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for line in self.journal.read_text().splitlines():
            request_id, credential_id, digest = line.split()
            found[request_id].add((credential_id, digest))
        return found

    def results(self) -> list[dict[str, str]]:
        """results.csv."""
        with (self.out / "results.csv").open(newline="") as file:
            return list(csv.DictReader(file))


def break_and_finish(site: Site, kinds: Sequence[str], *, kills: int, seed: int) -> dict[str, int]:
    """Issue the list; kill by a schedule of progress and delay that ``seed`` decides; run again until it is done."""
    chance = site.chance = random.Random(seed)  # noqa: S311 - a schedule
    schedule = sorted((chance.randrange(1, site.learners), chance.random() * 0.3) for _ in range(kills))
    victims = [kinds[n % len(kinds)] for n in range(kills)]
    chance.shuffle(victims)
    killed: dict[str, int] = defaultdict(int)
    site.serve()
    site.issue()
    until = time.monotonic() + 30 + site.learners / 20 + 15 * kills
    while True:
        assert time.monotonic() < until, f"not done, after {killed}: {site.log.read_text()[-4000:]}"
        status = site.client.poll()
        if site.server.poll() is not None:
            # Too many workers died early, as its supervisor counts: the operator starts it again.
            site.serve()
        if status is not None:
            assert status in {0, 3, -signal.SIGKILL}, site.log.read_text()[-4000:]
            if status == 0 and not schedule:
                return killed
            site.issue()
        progress = site.journal.stat().st_size // LINE if schedule else 0
        if schedule and (progress >= schedule[0][0] or status == 0):
            time.sleep(schedule.pop(0)[1])
            victim = victims.pop()
            killed[victim] += 1
            site.kill(victim)
        time.sleep(0.01)


LINE = 36 + 1 + 51 + 1 + 64 + 1


def assert_nothing_lost_nothing_twice(site: Site) -> None:
    """Exactly one credential for each learner, each verified, the ledger whole, nothing half written."""
    results = site.results()
    assert list(range(2, site.learners + 2)) == [int(one["row"]) for one in results]
    assert {"sealed"} == {one["status"] for one in results}
    assert site.learners == len({one["credential_id"] for one in results})
    received = site.received()
    assert [] == [request_id for request_id, versions in received.items() if len(versions) != 1]
    files = {path.name: path for path in site.out.iterdir() if path.suffix == ".jsonld"}
    assert {".lock", "results.csv", *(one["file"] for one in results)} == {path.name for path in site.out.iterdir()}
    for one in results:
        assert file_name(one["request_id"]) == one["file"]
        digest = hashlib.sha256(files[one["file"]].read_bytes()).hexdigest()
        assert {(one["credential_id"], digest)} == received[one["request_id"]]
        assert digest == one["sha256"]
    assert {(Verdict.VERDICT_PARTIALLY_VERIFIED, "B-B", "INDETERMINATE")} == set(_verdicts(site, files))
    check = subprocess.run(
        [sys.executable, "-m", "eseal", "ledger", "check", "--config", site.practice.config],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == check.returncode, check.stdout


def _verdicts(site: Site, files: dict[str, Path]) -> Iterator[tuple[int, str, str]]:
    """What the server's verification says of each file."""
    identity = Identity.from_folder(site.practice.folder / "callers/dcu")
    with Client(Connection(target=f"127.0.0.1:{site.port}", identity=identity, batch=100)) as client:
        for name, report in client.verify_many((name, path.read_bytes()) for name, path in files.items()):
            assert not isinstance(report, EsealError), (name, report)
            (seal,) = report.seals
            yield report.verdict, seal.level, seal.indication


def _started(database: postgres.Cluster) -> None:
    """Start after a kill: backends of the dead postmaster may still hold its shared memory for a moment."""
    for attempt in range(20):
        try:
            database.start()
        except AssertionError:
            if attempt == 19:
                raise
            time.sleep(0.5)
        else:
            return
