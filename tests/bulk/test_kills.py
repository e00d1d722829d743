"""Kill -9 of everything, at moments that a seed decides, while a class list is being issued; then run again until done.

Afterwards there is exactly one credential for each learner, each of them verifies, the ledger's chains are whole, and
nothing that any client ever received differs from what lies in the folder: nothing is lost, nothing is sealed twice.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.bulk.site import Site, assert_nothing_lost_nothing_twice, break_and_finish
from tests.harness import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def site_on_sqlite(folder: Path, learners: int) -> Iterator[Site]:
    """One process on the default database."""
    site = Site(folder, learners=learners)
    try:
        yield site
    finally:
        site.close()


@contextlib.contextmanager
def site_on_postgresql(folder: Path, learners: int) -> Iterator[Site]:
    """Two worker processes on a PostgreSQL of their own."""
    if reason := postgres.absent():
        pytest.skip(reason)
    with postgres.cluster() as database:
        site = Site(folder, learners=learners, processes=2, database=database)
        try:
            yield site
        finally:
            site.close()


def test_server_and_client_on_sqlite(tmp_path: Path) -> None:
    """One process, the default database: server and client are killed five times each."""
    with site_on_sqlite(tmp_path, 200) as site:
        killed = break_and_finish(site, ["server", "client"], kills=10, seed=20261124)

        assert {"server": 5, "client": 5} == killed
        assert_nothing_lost_nothing_twice(site)


def test_everything_on_postgresql(tmp_path: Path) -> None:
    """Two worker processes on PostgreSQL: server, worker, supervisor, client and database are killed."""
    with site_on_postgresql(tmp_path, 400) as site:
        killed = break_and_finish(site, ["postgresql", "worker", "client", "server", "supervisor"], kills=5, seed=1)

        assert [1] * 5 == sorted(killed.values())
        assert_nothing_lost_nothing_twice(site)


@pytest.mark.soak
def test_ten_thousand_on_postgresql(tmp_path: Path) -> None:
    """10,000 learners, sixty kills."""
    kinds = ["postgresql", "worker", "client", "server", "supervisor"]
    with site_on_postgresql(tmp_path, 10_000) as site:
        killed = break_and_finish(site, kinds, kills=60, seed=2026)

        assert [12] * 5 == sorted(killed.values())
        assert_nothing_lost_nothing_twice(site)


@pytest.mark.soak
def test_ten_thousand_on_sqlite(tmp_path: Path) -> None:
    """10,000 learners, fifty kills."""
    with site_on_sqlite(tmp_path, 10_000) as site:
        killed = break_and_finish(site, ["server", "client"], kills=50, seed=2027)

        assert {"server": 25, "client": 25} == killed
        assert_nothing_lost_nothing_twice(site)
