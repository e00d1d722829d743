"""Disks that are full or may not be written, at the server and at the client, in the middle of a class list.

Each time: a clear sentence and exit status 3, nothing half written; and once there is room again, the same command
finishes the job.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.bulk.site import Site, assert_nothing_lost_nothing_twice
from tests.harness import postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Disk = tuple[Path, Callable[[str], None]]

OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small file system, and how to mount it with other options."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=True)

    try:
        mount("size=2m")
    except subprocess.CalledProcessError:
        pytest.skip("only root may mount a small file system")
    yield folder, lambda options: mount(f"remount,{options}")
    subprocess.run(["umount", "--lazy", folder], check=True)


def finish(site: Site) -> tuple[int, str]:
    """Run the client to its end; exit status, and what it said."""
    begin = site.log.stat().st_size
    site.issue("--patience", "2")
    status = site.client.wait(120)
    said = site.log.read_bytes()[begin:].decode()
    return status, "\n".join(line for line in said.splitlines() if not line.startswith("{"))


def test_client_without_room(disk: Disk, tmp_path: Path) -> None:
    """The folder fills up: what is there is whole, and the rest comes when there is room."""
    folder, remount = disk
    with closing(Site(tmp_path, learners=300)) as site:
        site.out = folder / "out"
        site.serve()
        status, said = finish(site)
        assert 3 == status
        assert "No space left on device" in said
        assert "un the same command again" in said
        assert "Traceback" not in said
        assert {".jsonld", ".csv", ""} == {path.suffix for path in site.out.iterdir()}
        assert all((site.out / one["file"]).is_file() for one in site.results())
        assert all(json.loads(path.read_bytes())["payload"] for path in site.out.glob("*.jsonld"))

        remount("size=64m")
        assert 0 == finish(site)[0]
        assert_nothing_lost_nothing_twice(site)


def test_ledger_without_room(disk: Disk, tmp_path: Path) -> None:
    """The server seals nothing that it cannot record, and says which part is away."""
    folder, remount = disk
    with closing(Site(tmp_path, learners=300, url=f"sqlite:///{folder}/ledger.db")) as site:
        site.serve()
        with suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
            while filler.write(bytes(4096)):
                pass
        refused(site)

        (folder / "filler").unlink()
        remount("size=64m")
        assert 0 == finish(site)[0]
        assert_nothing_lost_nothing_twice(site)


def test_ledger_that_may_only_be_read(tmp_path: Path) -> None:
    """PostgreSQL becomes read-only under a running server, as after a failover to a standby."""
    if reason := postgres.absent():
        pytest.skip(reason)
    with postgres.cluster(durable=False) as database, closing(Site(tmp_path, learners=300, database=database)) as site:
        site.serve()
        with psycopg.connect(f"host={database.folder} user=postgres", autocommit=True) as connection:
            connection.execute("ALTER ROLE postgres SET default_transaction_read_only = on")
            connection.execute(OTHERS)
        refused(site)

        with psycopg.connect(f"host={database.folder} user=postgres", autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER ROLE postgres RESET default_transaction_read_only")
            connection.execute(OTHERS)
        assert 0 == finish(site)[0]
        assert_nothing_lost_nothing_twice(site)


def refused(site: Site) -> None:
    """The client gives up, with a sentence, and nothing was sealed."""
    status, said = finish(site)

    assert 3 == status
    assert "LEDGER_UNAVAILABLE" in said
    assert "nothing was sealed" in said
    assert "Run the same command again" in said
    assert set() == site.received().keys()
    assert [] == site.results()
