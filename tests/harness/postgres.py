"""A private PostgreSQL cluster: made in a folder of its own, listening on a Unix socket there, gone afterwards.

PostgreSQL refuses to run as root, so as root the cluster belongs to the system's ``postgres`` user.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.server import PracticeSet

BINARIES = (Path("/usr/lib/postgresql/15/bin"), Path("/usr/lib/postgresql/16/bin"), Path("/usr/lib/postgresql/17/bin"))
START_SECONDS = 30


def absent() -> str:
    """Why no cluster can be made here; empty if one can."""
    if _binaries() is None:
        return "PostgreSQL's server is not installed (Debian: postgresql-15)"
    if os.geteuid() == 0 and _owner() is None:
        return "PostgreSQL does not run as root, and there is no user postgres"
    return ""


@dataclass
class Cluster:
    """A running cluster. ``kill`` and ``start`` may follow one another."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.process = _run(self.folder, "postgres", "-D", self.folder / "data", "-k", self.folder, "-h", "")
        deadline = time.monotonic() + START_SECONDS
        ready = _binaries() / "pg_isready"
        while subprocess.run([ready, "-q", "-h", self.folder], check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop without waiting for clients."""
        if self.process is not None and self.process.poll() is None:
            # The signal goes to the postmaster itself; no time is spent on a database that is about to be deleted.
            os.kill(self._postmaster(), signal.SIGQUIT)
            self.process.wait(START_SECONDS)

    def kill(self) -> None:
        """Kill -9 of the postmaster: what a power cut does to its clients."""
        os.kill(self._postmaster(), signal.SIGKILL)
        assert self.process is not None
        self.process.wait(START_SECONDS)
        # Backends notice that their postmaster is gone; a new one refuses to start while any is left.
        time.sleep(0.2)

    def schema(self, name: str) -> str:
        """Make an empty schema and return the URL that leads into it."""
        with psycopg.connect(f"host={self.folder} user=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"postgresql://postgres@/postgres?host={self.folder}&options=-csearch_path%3D{name}"

    def _postmaster(self) -> int:
        return int((self.folder / "data/postmaster.pid").read_text().split()[0])


@contextlib.contextmanager
def cluster(*, durable: bool = True) -> Iterator[Cluster]:
    """A fresh cluster. Not ``durable``: it survives kill -9, not a power cut, and tests run faster."""
    folder = Path(tempfile.mkdtemp(prefix="eseal-postgres-"))
    owner = _owner() if os.geteuid() == 0 else None
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    try:
        made = _run(folder, "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        assert made.wait() == 0, (folder / "log").read_text()
        if not durable:
            with (folder / "data/postgresql.conf").open("a") as configuration:
                configuration.write("fsync = off\n")
        running = Cluster(folder)
        try:
            running.start()
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def ledger_of(practice: PracticeSet, *, postgresql: bool) -> Iterator[None]:
    """Where ``practice`` keeps its ledger: in SQLite, as it comes, or in a cluster of its own."""
    if not postgresql:
        yield
        return
    if reason := absent():
        raise SystemExit(reason)
    with cluster() as running:
        practice.configure(('"sqlite:///ledger.db"', f'"{running.schema("ledger")}"'))
        yield


def _run(folder: Path, program: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
    binaries = _binaries()
    assert binaries is not None
    command: list[str | Path] = [binaries / program, *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder)


def _binaries() -> Path | None:
    return next((folder for folder in BINARIES if (folder / "initdb").exists()), None)


def _owner() -> pwd.struct_passwd | None:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return None
