"""The whole way through, on a real server: gRPC with mutual TLS, SoftHSM, SQLite, the mandate register."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eseal.terms import Algorithm
from eseal_client import read_micro_credential
from tests.harness.server import ROOT, RunningServer, practice_set, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eseal_client import MicroCredential


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that seals with ES256."""
    with running_server(practice_set(tmp_path_factory.mktemp("es256") / "set")) as running:
        yield running


@pytest.fixture(scope="session", params=list(Algorithm))
def server_of_each_algorithm(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server for each of ES256, ES384, PS256 and RS256."""
    folder = tmp_path_factory.mktemp(request.param.lower()) / "set"
    with running_server(practice_set(folder, request.param)) as running:
        yield running


@pytest.fixture
def course() -> MicroCredential:
    """The ECIU example."""
    return read_micro_credential(ROOT / "clients/examples/introduction-to-artificial-intelligence.json")
