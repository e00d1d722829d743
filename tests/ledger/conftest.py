"""A ledger on SQLite, and the same tests again on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eseal.ledger import Ledger, LedgerSettings
from tests.harness import postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    OpenLedger = Callable[..., Ledger]


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """One PostgreSQL cluster for the session; each test has its own schema in it."""
    if reason := postgres.absent():
        pytest.skip(reason)
    with postgres.cluster(durable=False) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    running: postgres.Cluster = request.getfixturevalue("cluster")
    return running.schema(f"ledger_{abs(hash(request.node.nodeid))}")


@pytest.fixture
def open_ledger(url: str) -> Iterator[OpenLedger]:
    """Open a ledger on the test's database, as one more worker; closed when the test is over."""
    ledgers: list[Ledger] = []

    def opened(**settings: object) -> Ledger:
        ledgers.append(Ledger.open(LedgerSettings(url=url, **settings)))
        return ledgers[-1]

    yield opened
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: OpenLedger) -> Ledger:
    """A worker's ledger on the test's database."""
    return open_ledger()
